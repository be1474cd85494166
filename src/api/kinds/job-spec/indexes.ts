/**
 * Indexes of an indexed job as texts: `1,3-5,7`. Pure.
 * Source: Kubernetes 1.36, pkg/apis/batch/validation, as behaviour.
 */

export type Interval = readonly [first: number, last: number];

export type Indexes =
  | { readonly kind: 'indexes'; readonly intervals: readonly Interval[]; readonly count: number }
  | { readonly kind: 'error'; readonly why: string };

/** All below `completions`, rising. */
export function parseIndexes(text: string, completions: number): Indexes {
  const intervals: Interval[] = [];
  let count = 0;
  if (text === '') return { kind: 'indexes', intervals, count };
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (typeof interval === 'string') return { kind: 'error', why: interval };
    const last = intervals.at(-1)?.[1];
    if (last !== undefined && last >= interval[0])
      return { kind: 'error', why: `non-increasing order, previous: ${last}, current: ${interval[0]}` };
    intervals.push(interval);
    count += interval[1] - interval[0] + 1;
  }
  return { kind: 'indexes', intervals, count };
}

function parseInterval(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  const [first = '', last] = limits;
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  const values: number[] = [];
  for (const limit of last === undefined ? [first] : [first, last]) {
    if (!/^\+?\d+$/.test(limit))
      return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
    values.push(Number(limit));
  }
  const [low = 0, high = low] = values;
  if (last !== undefined && low >= high) return `non-increasing order, previous: ${low}, current: ${high}`;
  return [low, high];
}

/** The first index that is in both. */
export function overlap(a: readonly Interval[], b: readonly Interval[]): number | undefined {
  let [i, j] = [0, 0];
  for (;;) {
    const [left, right] = [a[i], b[j]];
    if (left === undefined || right === undefined) return undefined;
    if (left[0] <= right[1] && right[0] <= left[1]) return Math.max(left[0], right[0]);
    if (left[0] <= right[0]) i++;
    else j++;
  }
}
