/**
 * Sets of completion indexes as a job's status tells them: rising intervals, written `0,2-4,7,8`. Pure.
 *
 * Work is bounded by the number of intervals, not of indexes. Reading is lenient: a part that cannot be read is left out, what is not
 * below `completions` (any more) is cut off.
 */

export type Interval = readonly [first: number, last: number];
/** Rising, not touching each other. */
export type Indexes = readonly Interval[];

export const noIndexes: Indexes = [];

export function readIndexes(text: string | undefined, completions: number): Indexes {
  if (!text) return noIndexes;
  const intervals: Interval[] = [];
  for (const part of text.split(',')) {
    const [low = '', high = low] = part.split('-');
    const [first, last] = [wholeNumber(low), wholeNumber(high)];
    if (first === undefined || last === undefined || last < first) continue;
    if (first < completions) intervals.push([first, Math.min(last, completions - 1)]);
  }
  return united(intervals);
}

/** Two neighbours are `3,4`, three are `3-5`. */
export function formatIndexes(indexes: Indexes): string {
  const parts: string[] = [];
  for (const [first, last] of indexes)
    parts.push(first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`);
  return parts.join(',');
}

export function countOf(indexes: Indexes): number {
  let count = 0;
  for (const [first, last] of indexes) count += last - first + 1;
  return count;
}

export function hasIndex(indexes: Indexes, index: number): boolean {
  let [low, high] = [0, indexes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((indexes[middle] as Interval)[1] >= index) high = middle;
    else low = middle + 1;
  }
  const found = indexes[low];
  return found !== undefined && found[0] <= index;
}

export function withIndexes(indexes: Indexes, more: Iterable<number>): Indexes {
  const added: Interval[] = [];
  for (const index of more) added.push([index, index]);
  return added.length === 0 ? indexes : united([...indexes, ...added]);
}

export function union(a: Indexes, b: Indexes): Indexes {
  return a.length === 0 ? b : b.length === 0 ? a : united([...a, ...b]);
}

/** How many are in both. */
export function overlapOf(a: Indexes, b: Indexes): number {
  let count = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i] as Interval, b[j] as Interval];
    count += Math.max(0, Math.min(left[1], right[1]) - Math.max(left[0], right[0]) + 1);
    if (left[1] <= right[1]) i++;
    if (right[1] <= left[1]) j++;
  }
  return count;
}

/** The first `count` indexes below `completions` that are not in `taken`. */
export function firstFree(taken: Indexes, count: number, completions: number): readonly number[] {
  const free: number[] = [];
  let next = 0;
  for (const [first, last] of [...taken, [completions, completions] as const]) {
    for (; next < Math.min(first, completions) && free.length < count; next++) free.push(next);
    if (free.length >= count) break;
    next = Math.max(next, last + 1);
  }
  return free;
}

function united(intervals: Interval[]): Indexes {
  intervals.sort((a, b) => a[0] - b[0]);
  const result: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const [from, to] of intervals) {
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else {
      last = [from, to];
      result.push(last);
    }
  }
  return result;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
