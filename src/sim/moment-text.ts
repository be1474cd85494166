/** Moments of a history in words: one line each, and of a change what is different from before. Pure. */
import type { KubeObject } from '../api/index.ts';
import type { Moment } from './run.ts';
import type { TruthEvent } from './truth.ts';

export const momentMs = (moment: Moment): number =>
  moment.kind === 'change' ? moment.event.atMs : moment.atMs;

/** `12.345 s`. */
export const timeText = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

/** What goes on all the time and says little: heartbeats, and events told to people. */
export const isRoutine = (moment: Moment): boolean =>
  moment.kind === 'change' && /^(leases\.|events$)/.test(moment.event.resource);

/** Without its time. */
export function momentText(moment: Moment): string {
  switch (moment.kind) {
    case 'change':
      return changeText(moment.event);
    case 'action':
      return `user: ${planText(moment.what)}`;
    case 'fault':
      return `fault: ${planText(moment.what)}`;
    case 'mended':
      return `mended: ${planText(moment.what)}`;
    case 'up':
    case 'down':
      return `${moment.what} is ${moment.kind}`;
    case 'phase':
      return `phase: ${moment.what}`;
  }
}

/** `r12 pods default/app-0-x: spec.nodeName: node-1`. */
export function changeText(event: TruthEvent): string {
  const what = `r${event.revision} ${event.resource} ${event.name}`;
  if (event.kind === 'delete') return `${what}: gone`;
  if (event.previous === undefined) return `${what}: new${ownerText(event.object)}`;
  return `${what}: ${differences(event.previous, event.object).join(', ') || 'written as it was'}`;
}

function ownerText({ metadata }: KubeObject): string {
  const owner = metadata.ownerReferences?.[0];
  return owner === undefined ? '' : `, of ${owner.kind} ${owner.name}`;
}

/** A line of the log without what the reader knows: `warn message (field=value)`. */
export function logText(line: string): string {
  const { time: _time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${String(level)} ${String(message)}${rest.length === 0 ? '' : ` (${rest.join(' ')})`}`;
}

/** What a plan says of an action or a fault, in words: `scale app=1 replicas=3`. */
export function planText(json: string): string {
  const { kind, atMs: _atMs, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const words = Object.entries(rest).flatMap(([key, value]) => inWords(key, value));
  return [String(kind), ...words].join(' ');
}

function inWords(key: string, value: unknown): readonly string[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([inner, one]) => inWords(inner, one));
  if (key === 'forMs' && typeof value === 'number') return [`for=${(value / 1000).toFixed(1)}s`];
  return [`${key}=${typeof value === 'number' ? Number(value.toPrecision(6)) : String(value)}`];
}

const differencesMax = 6;
/** Change with every write, or say nothing by themselves. */
const dull =
  /resourceVersion$|managedFields|generation$|observedGeneration|TransitionTime$|ProbeTime$|UpdateTime$|HeartbeatTime$/;

/** `status.phase: Pending → Running`, the first few. */
export function differences(before: unknown, after: unknown): readonly string[] {
  const found: string[] = [];
  compare(before, after, '', found);
  if (found.length <= differencesMax) return found;
  return [...found.slice(0, differencesMax), `and ${found.length - differencesMax} more`];
}

function compare(before: unknown, after: unknown, path: string, found: string[]): void {
  if (dull.test(path) || before === after) return;
  const [was, is] = [conditionOf(before), conditionOf(after)];
  if (was !== undefined && is !== undefined && was !== is) {
    found.push(`${path}: ${was} → ${is}`);
    return;
  }
  // A new list is told by its items.
  const a = before === undefined && Array.isArray(after) ? new Map<string, unknown>() : fieldsOf(before);
  const b = fieldsOf(after);
  if (a === undefined || b === undefined) {
    const [from, to] = [brief(before), brief(after)];
    if (from !== to) found.push(before === undefined ? `${path}: ${to}` : `${path}: ${from} → ${to}`);
    return;
  }
  for (const key of new Set([...a.keys(), ...b.keys()]))
    compare(a.get(key), b.get(key), path === '' ? key : `${path}.${key}`, found);
}

/** Items of a list go by their name or type, where they have one. undefined: not a thing with parts. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  return new Map(
    value.map((item: unknown, index) => {
      const { name, type, key } = (typeof item === 'object' && item !== null ? item : {}) as Record<
        string,
        unknown
      >;
      return [String(name ?? type ?? key ?? index), item];
    }),
  );
}

/** A condition is what it says: its status. */
function conditionOf(value: unknown): string | undefined {
  const { type, status } = Object(value) as { readonly type?: unknown; readonly status?: unknown };
  return typeof type === 'string' && typeof status === 'string' ? status : undefined;
}

const briefMax = 60;

function brief(value: unknown): string {
  if (value === undefined) return 'none';
  const condition = conditionOf(value);
  if (condition !== undefined) return condition;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > briefMax ? `${text.slice(0, briefMax)}…` : text;
}
