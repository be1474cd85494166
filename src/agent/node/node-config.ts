/**
 * How a node behaves under pressure and what it allows: the part of a KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that means something here, with
 * the kubelet's defaults. Pure.
 *
 * A field that is not known is refused, not passed over: whoever sets it would believe that it holds.
 */
import { quantityValue } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ShutdownGroup } from '../shutdown/node-shutdown.ts';

export type Signal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available';

/** So much of it, or such a part of the whole (0 to 1). */
export type ThresholdValue = { readonly amount: number } | { readonly part: number };

export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** How long it has to be met; 0: at once. */
  readonly graceMs: number;
  readonly isHard: boolean;
  /** So much more has to be freed before it counts as resolved. */
  readonly minReclaim: ThresholdValue | undefined;
}

export interface NodeConfig {
  readonly thresholds: readonly Threshold[];
  /** How long a condition stays after it was last observed. */
  readonly pressureTransitionMs: number;
  /** For soft thresholds: the most that a pod gets to end. */
  readonly maxPodGraceMs: number;
  readonly imageHighPercent: number;
  readonly imageLowPercent: number;
  readonly imageMinimumAgeMs: number;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly podsMax: number;
  /** undefined: unlimited. */
  readonly podPidsLimit: number | undefined;
  readonly logBytesMax: number;
  readonly logFilesMax: number;
  /** Containers that say nothing get the runtime's own filter of system calls. */
  readonly seccompDefault: boolean;
  /** Pods that run here whatever the API says: a folder of manifests. */
  readonly staticPodPath: string | undefined;
  /** How long pods of which priority have to end when the machine goes down. Empty: nobody waits for them. */
  readonly shutdownGroups: readonly ShutdownGroup[];
}

const signals: readonly Signal[] = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
];

const defaultHard: Readonly<Record<string, string>> = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
};

const invalid = (message: string): CaelumError => new CaelumError('badRequest', message);

type Fields = Readonly<Record<string, unknown>>;

/** The defaults, changed by the fields of a KubeletConfiguration. Throws `badRequest` naming what is wrong. */
export function parseNodeConfig(given: unknown = {}): NodeConfig {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid('Cannot use this node configuration: it is no KubeletConfiguration');
  const fields = given as Fields;
  const { apiVersion, kind } = fields;
  if (kind !== undefined && kind !== 'KubeletConfiguration')
    throw invalid(`Cannot use a ${String(kind)} as node configuration: it has to be a KubeletConfiguration`);
  if (apiVersion !== undefined && apiVersion !== 'kubelet.config.k8s.io/v1beta1')
    throw invalid(
      `Cannot use apiVersion "${String(apiVersion)}": it has to be kubelet.config.k8s.io/v1beta1`,
    );
  const unknown = Object.keys(fields).filter((name) => !knownFields.has(name));
  if (unknown.length > 0)
    throw invalid(
      `Cannot use field ${unknown.map((name) => `"${name}"`).join(', ')} of the node configuration: known are ${[...knownFields].join(', ')}`,
    );
  const config: NodeConfig = {
    thresholds: thresholdsOf(fields),
    pressureTransitionMs: duration(fields, 'evictionPressureTransitionPeriod', 300_000),
    maxPodGraceMs: integer(fields, 'evictionMaxPodGracePeriod', 0, 0) * 1000,
    imageHighPercent: integer(fields, 'imageGCHighThresholdPercent', 85, 0, 100),
    imageLowPercent: integer(fields, 'imageGCLowThresholdPercent', 80, 0, 100),
    imageMinimumAgeMs: duration(fields, 'imageMinimumGCAge', 120_000),
    allowedUnsafeSysctls: textList(fields, 'allowedUnsafeSysctls'),
    podsMax: integer(fields, 'maxPods', 110, 0),
    podPidsLimit: positive(integer(fields, 'podPidsLimit', -1, -1)),
    logBytesMax: quantity(fields, 'containerLogMaxSize', '10Mi'),
    logFilesMax: integer(fields, 'containerLogMaxFiles', 5, 2),
    seccompDefault: flag(fields, 'seccompDefault', false),
    staticPodPath: text(fields, 'staticPodPath'),
    shutdownGroups: shutdownGroupsOf(fields),
  };
  if (config.imageLowPercent >= config.imageHighPercent)
    throw invalid(
      `Cannot use imageGCLowThresholdPercent ${config.imageLowPercent}: it has to be below imageGCHighThresholdPercent ${config.imageHighPercent}`,
    );
  return config;
}

/** How long all pods together may take to end. */
export const shutdownMsOf = ({ shutdownGroups }: NodeConfig): number =>
  shutdownGroups.reduce((sum, { graceMs }) => sum + graceMs, 0);

const knownFields: ReadonlySet<string> = new Set([
  'apiVersion',
  'kind',
  'evictionHard',
  'evictionSoft',
  'evictionSoftGracePeriod',
  'evictionMinimumReclaim',
  'evictionPressureTransitionPeriod',
  'evictionMaxPodGracePeriod',
  'imageGCHighThresholdPercent',
  'imageGCLowThresholdPercent',
  'imageMinimumGCAge',
  'allowedUnsafeSysctls',
  'maxPods',
  'podPidsLimit',
  'containerLogMaxSize',
  'containerLogMaxFiles',
  'seccompDefault',
  'staticPodPath',
  'shutdownGracePeriod',
  'shutdownGracePeriodCriticalPods',
  'shutdownGracePeriodByPodPriority',
]);

// ── thresholds ──

function thresholdsOf(fields: Fields): readonly Threshold[] {
  // As the kubelet: who names one hard threshold names them all.
  const hard = texts(fields, 'evictionHard') ?? defaultHard;
  const soft = texts(fields, 'evictionSoft') ?? {};
  const graces = texts(fields, 'evictionSoftGracePeriod') ?? {};
  const reclaims = texts(fields, 'evictionMinimumReclaim') ?? {};
  const make = (field: string, name: string, value: string, graceMs: number): readonly Threshold[] => {
    const signal = signalOf(field, name);
    const parsed = thresholdValue(field, name, value);
    // 0 % is how one is switched off.
    if ('part' in parsed && (parsed.part <= 0 || parsed.part >= 1)) return [];
    const reclaim = reclaims[name];
    const minReclaim =
      reclaim === undefined ? undefined : thresholdValue('evictionMinimumReclaim', name, reclaim);
    return [{ signal, value: parsed, graceMs, isHard: field === 'evictionHard', minReclaim }];
  };
  for (const [field, map] of [
    ['evictionSoftGracePeriod', graces],
    ['evictionMinimumReclaim', reclaims],
  ] as const)
    for (const name of Object.keys(map)) signalOf(field, name);
  return [
    ...Object.entries(hard).flatMap(([name, value]) => make('evictionHard', name, value, 0)),
    ...Object.entries(soft).flatMap(([name, value]) => {
      const grace = graces[name];
      if (grace === undefined)
        throw invalid(`Cannot use evictionSoft "${name}": its evictionSoftGracePeriod is missing`);
      return make('evictionSoft', name, value, durationOf('evictionSoftGracePeriod', grace));
    }),
  ];
}

function signalOf(field: string, name: string): Signal {
  const found = signals.find((one) => one === name);
  if (found === undefined)
    throw invalid(`Cannot use ${field} "${name}": known signals are ${signals.join(', ')}`);
  return found;
}

function thresholdValue(field: string, name: string, value: string): ThresholdValue {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value);
  if (percent !== null) {
    const part = Number(percent[1]) / 100;
    if (part > 1) throw invalid(`Cannot use ${field} "${name}": ${value} is more than all of it`);
    return { part };
  }
  const amount = quantityValue(value);
  if (amount === undefined || amount < 0)
    throw invalid(`Cannot use ${field} "${name}": "${value}" is neither a quantity nor a percentage`);
  return { amount };
}

// ── shutdown ──

/** From this priority on a pod is critical. */
const criticalPriority = 2_000_000_000;

function shutdownGroupsOf(fields: Fields): readonly ShutdownGroup[] {
  const wholeMs = duration(fields, 'shutdownGracePeriod', 0);
  const criticalMs = duration(fields, 'shutdownGracePeriodCriticalPods', 0);
  for (const [name, ms] of [
    ['shutdownGracePeriod', wholeMs],
    ['shutdownGracePeriodCriticalPods', criticalMs],
  ] as const)
    if (ms > 0 && ms < 1000) throw invalid(`Cannot use ${name}: it has to be 0 or at least 1s`);
  if (criticalMs > wholeMs)
    throw invalid(
      'Cannot use shutdownGracePeriodCriticalPods: it is part of shutdownGracePeriod, and has to be at most as long',
    );
  const listed = fields['shutdownGracePeriodByPodPriority'] ?? [];
  if (!Array.isArray(listed))
    throw invalid('Cannot use shutdownGracePeriodByPodPriority: it has to be a list');
  if (listed.length > 0 && wholeMs > 0)
    throw invalid(
      'Cannot use shutdownGracePeriodByPodPriority and shutdownGracePeriod at once: use one of them',
    );
  if (listed.length > 0) return listed.map(shutdownGroupOf);
  if (wholeMs === 0) return [];
  return [
    { priority: 0, graceMs: wholeMs - criticalMs },
    { priority: criticalPriority, graceMs: criticalMs },
  ];
}

function shutdownGroupOf(given: unknown): ShutdownGroup {
  const { priority, shutdownGracePeriodSeconds: seconds } = (given ?? {}) as Fields;
  if (!Number.isInteger(priority) || !Number.isInteger(seconds) || Number(seconds) < 0)
    throw invalid(
      'Cannot use shutdownGracePeriodByPodPriority: each entry has a priority and shutdownGracePeriodSeconds, both integers',
    );
  return { priority: Number(priority), graceMs: Number(seconds) * 1000 };
}

// ── fields ──

function integer(fields: Fields, name: string, otherwise: number, least: number, most = 2 ** 31 - 1): number {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw invalid(
      `Cannot use ${name} ${JSON.stringify(value)}: it has to be an integer from ${least} to ${most}`,
    );
  return value;
}

const positive = (value: number): number | undefined => (value > 0 ? value : undefined);

function flag(fields: Fields, name: string, otherwise: boolean): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'boolean') throw invalid(`Cannot use ${name}: it has to be true or false`);
  return value;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`Cannot use ${name}: it has to be a text`);
  return value;
}

function textList(fields: Fields, name: string): readonly string[] {
  const value = fields[name] ?? [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string'))
    throw invalid(`Cannot use ${name}: it has to be a list of texts`);
  return value as readonly string[];
}

function texts(fields: Fields, name: string): Readonly<Record<string, string>> | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Object.values(value).some((one) => typeof one !== 'string'))
    throw invalid(`Cannot use ${name}: it has to be a map of texts`);
  return value as Readonly<Record<string, string>>;
}

function quantity(fields: Fields, name: string, otherwise: string): number {
  const value = fields[name] ?? otherwise;
  const bytes = typeof value === 'string' ? quantityValue(value) : undefined;
  if (bytes === undefined || bytes <= 0)
    throw invalid(`Cannot use ${name} ${JSON.stringify(value)}: it has to be a quantity, like 10Mi`);
  return bytes;
}

const duration = (fields: Fields, name: string, otherwiseMs: number): number =>
  fields[name] === undefined ? otherwiseMs : durationOf(name, fields[name]);

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** As Go writes them: `1m30s`. */
function durationOf(name: string, value: unknown): number {
  const given = String(value);
  if (given === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(given))
    throw invalid(`Cannot use ${name} "${given}": it has to be a duration, like 1m30s`);
  let sum = 0;
  for (const [, amount, unit] of given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(amount) * (unitsMs[unit ?? ''] ?? 0);
  return Math.round(sum);
}
