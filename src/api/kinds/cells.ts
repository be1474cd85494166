/**
 * What the printed columns of kinds are made of: ages, `<none>`, lists of labels. Pure.
 * Source: k8s.io/apimachinery/pkg/util/duration, and what `kubectl get` shows.
 */
import type { Column } from '../kind.ts';
import type { KubeObject } from '../object.ts';

export const none = '<none>';
export const unknown = '<unknown>';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** A duration in at most two units, the coarser the longer it is: `119s`, `5m12s`, `3h`, `2d4h`, `3y12d`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  // Clocks differ a little: a second in the future is now.
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return inTwo(seconds, minute, 'm', 1, 's');
  if (seconds < 3 * hour) return `${Math.floor(seconds / minute)}m`;
  if (seconds < 8 * hour) return inTwo(seconds, hour, 'h', minute, 'm');
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)}h`;
  if (seconds < 8 * day) return inTwo(seconds, day, 'd', hour, 'h');
  if (seconds < 2 * year) return `${Math.floor(seconds / day)}d`;
  if (seconds < 8 * year) return inTwo(seconds, year, 'y', day, 'd');
  return `${Math.floor(seconds / year)}y`;
}

function inTwo(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  const whole = `${Math.floor(seconds / large)}${largeUnit}`;
  return rest === 0 ? whole : `${whole}${rest}${smallUnit}`;
}

/** How long ago an RFC 3339 time was. */
export function ageOf(timestamp: string | undefined | null, nowMs: number): string {
  const ms = timestamp ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(ms) ? unknown : humanDuration(nowMs - ms);
}

/** `a=b,c=d`, sorted; `<none>` for none. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? none : pairs.sort().join(',');
}

/** A text, or `<none>`. */
export function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? none : text;
}

type Cell<T> = (object: T, nowMs: number) => string | number | boolean | null;

/** A column that is always shown. */
export function column<T extends KubeObject>(
  name: string,
  description: string,
  cell: Cell<T>,
  type: Column['type'] = 'string',
): Column {
  return { name, type, description, priority: 0, cell };
}

/** A column that is shown with `-o wide`. */
export function wideColumn<T extends KubeObject>(
  name: string,
  description: string,
  cell: Cell<T>,
  type: Column['type'] = 'string',
): Column {
  return { name, type, description, priority: 1, cell };
}

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name, unique within its namespace and kind.',
  priority: 0,
  cell: (object: KubeObject) => object.metadata.name ?? '',
};

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'How long ago it was created.',
  priority: 0,
  cell: (object: KubeObject, nowMs: number) => ageOf(object.metadata.creationTimestamp, nowMs),
};

/** For kinds that have no columns of their own. */
export const createdAtColumn: Column = {
  name: 'Created At',
  type: 'date',
  description: 'When it was created.',
  priority: 0,
  cell: (object: KubeObject) => object.metadata.creationTimestamp ?? '',
};
