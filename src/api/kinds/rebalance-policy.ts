/**
 * Rebalance policies: which pods are moved to better places, when, and within which limits (scheduler/rebalance). A kind of our own, there without a definition.
 */
import { parseCronSchedule } from '../../lib/index.ts';
import { durationNanoseconds } from '../schema/scalars.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import {
  duplicate,
  forbiddenField,
  notNegative,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import type { RebalancePolicy, RebalancePolicySpec, RebalanceStrategy } from './rebalance-spec/types.ts';

const modes = ['Apply', 'Propose'];
const strategyTypes = [
  'AntiAffinity',
  'Defragment',
  'Drain',
  'Duplicates',
  'Lifetime',
  'LowUtilization',
  'NodeAffinity',
  'NodeTaints',
  'Restarts',
  'SpreadRepair',
];
const allowed = ['BarePods', 'JobPods', 'LocalStorage', 'SystemCritical'];
/** Of which strategy a parameter is. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  nodeNames: ['Drain'],
  resources: ['Defragment', 'LowUtilization'],
  thresholds: ['Defragment', 'LowUtilization'],
  targetThresholds: ['LowUtilization'],
  includeSoft: ['SpreadRepair'],
  maxRestarts: ['Restarts'],
  maxLifetime: ['Lifetime'],
};
const second = 1_000_000_000n;

export const rebalancePolicy = defineKind<RebalancePolicy>({
  group: 'scheduling.caelum.dev',
  version: 'v1',
  kind: 'RebalancePolicy',
  resource: 'rebalancepolicies',
  message: 'dev.caelum.scheduling.v1.RebalancePolicy',
  description:
    'RebalancePolicy moves pods to better places: it plans which, shows the plan, and carries it out where it may.',
  shortNames: ['rebalance'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<RebalancePolicy>('Mode', 'Whether it does what it plans.', ({ spec }) => spec?.mode ?? 'Propose'),
    column<RebalancePolicy>(
      'When',
      'On which schedule, or how often.',
      ({ spec }) => spec?.schedule ?? spec?.interval ?? 'when asked',
    ),
    column<RebalancePolicy>(
      'Planned',
      'How many moves the last plan has.',
      ({ status }) => status?.planned ?? 0,
      'integer',
    ),
    column<RebalancePolicy>(
      'Done',
      'How many pods have been moved in all.',
      ({ status }) => status?.done ?? 0,
      'integer',
    ),
    wideColumn<RebalancePolicy>('Strategies', 'What it looks for.', ({ spec }) =>
      orNone((spec?.strategies ?? []).map(({ type }) => type).join(',')),
    ),
    wideColumn<RebalancePolicy>('Last Plan', 'When it planned last.', ({ status }) =>
      orNone(status?.lastPlanTime),
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.mode ??= 'Propose';
    spec.limits ??= {};
    spec.limits.moves ??= 20;
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? { strategies: [] });
    return problems;
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateConditions(problems, 'status.conditions', status.conditions ?? []);
    for (const name of ['planned', 'done', 'failed'] as const)
      notNegative(problems, `status.${name}`, status[name]);
    return problems;
  },
});

function validateSpec(problems: Problems, spec: RebalancePolicySpec): void {
  const { schedule, interval, strategies = [], allow = [], limits = {} } = spec;
  oneOf(problems, 'spec.mode', spec.mode, modes);
  if (schedule !== undefined) {
    const parsed = parseCronSchedule(schedule);
    if (parsed.kind === 'error') problems.push(wrong('spec.schedule', schedule, parsed.why));
    if (interval !== undefined)
      problems.push(forbiddenField('spec.interval', 'may not be set together with `schedule`'));
  }
  validateDuration(problems, 'spec.interval', interval, 10n);
  if (strategies.length === 0) problems.push(required('spec.strategies', 'must name at least one'));
  const seen = new Set<string>();
  strategies.forEach((one, index) => {
    const at = `spec.strategies[${index}]`;
    validateStrategy(problems, at, one);
    if (seen.has(one.type)) problems.push(duplicate(`${at}.type`, one.type));
    seen.add(one.type);
  });
  if (seen.has('Defragment') && seen.has('LowUtilization'))
    problems.push(
      forbiddenField('spec.strategies', 'Defragment packs pods and LowUtilization spreads them: choose one'),
    );
  for (const name of ['moves', 'movesPerNode', 'movesPerNamespace'] as const) {
    const value = limits[name];
    if (value !== undefined && (value < 1 || value > 10_000))
      problems.push(wrong(`spec.limits.${name}`, value, 'must be between 1 and 10000, inclusive'));
  }
  validateDuration(problems, 'spec.limits.minPodAge', limits.minPodAge, 0n);
  allow.forEach((one, index) => {
    oneOf(problems, `spec.allow[${index}]`, one, allowed);
  });
  if (spec.podSelector !== undefined) validateLabelSelector(problems, 'spec.podSelector', spec.podSelector);
  if (spec.nodeSelector !== undefined)
    validateLabelSelector(problems, 'spec.nodeSelector', spec.nodeSelector);
  for (const name of ['namespaces', 'excludedNamespaces'] as const)
    if ((spec[name]?.length ?? 0) > 1000)
      problems.push(tooMany(`spec.${name}`, spec[name]?.length ?? 0, 1000));
}

function validateStrategy(problems: Problems, at: string, strategy: RebalanceStrategy): void {
  const { type, thresholds = {}, targetThresholds = {}, maxRestarts, maxLifetime } = strategy;
  oneOf(problems, `${at}.type`, type, strategyTypes, true);
  if (!strategyTypes.includes(type)) return;
  for (const [name, types] of Object.entries(parameters))
    if (strategy[name as keyof RebalanceStrategy] !== undefined && !types.includes(type))
      problems.push(forbiddenField(`${at}.${name}`, `it is a parameter of ${types.join(' and ')}`));
  for (const [field, percents] of [
    ['thresholds', thresholds],
    ['targetThresholds', targetThresholds],
  ] as const)
    for (const [resource, percent] of Object.entries(percents))
      if (percent < 0 || percent > 100)
        problems.push(wrong(`${at}.${field}[${resource}]`, percent, 'must be between 0 and 100, inclusive'));
  if (type === 'LowUtilization') {
    if (strategy.targetThresholds === undefined) problems.push(required(`${at}.targetThresholds`));
    for (const [resource, percent] of Object.entries(thresholds))
      if (percent > (targetThresholds[resource] ?? percent))
        problems.push(
          wrong(`${at}.thresholds[${resource}]`, percent, 'must be less than or equal to the target'),
        );
  }
  if (type === 'Restarts' && maxRestarts === undefined) problems.push(required(`${at}.maxRestarts`));
  if (maxRestarts !== undefined && maxRestarts < 1)
    problems.push(wrong(`${at}.maxRestarts`, maxRestarts, 'must be greater than 0'));
  if (type === 'Lifetime' && maxLifetime === undefined) problems.push(required(`${at}.maxLifetime`));
  validateDuration(problems, `${at}.maxLifetime`, maxLifetime, 60n);
}

function validateDuration(problems: Problems, field: string, text: string | undefined, leastSeconds: bigint) {
  if (text === undefined) return;
  const value = durationNanoseconds(text);
  if (value === undefined || value < leastSeconds * second)
    problems.push(wrong(field, text, `must be a duration of at least ${leastSeconds}s`));
}
