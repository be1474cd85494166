/**
 * What nodes are worth in relation to each other: values of nodes, normalised over those that are possible now. Pure.
 * Invariant: after each `add` and `remove` the extremes are those of the possible nodes.
 * Source: kube-scheduler's DefaultNormalizeScore (`share`) and InterPodAffinity's (`range`).
 */
import type { Aspect, Relative } from './scorer.ts';

/** One relative part of the score of nodes that are named by their index. */
export interface RelativeColumn {
  readonly name: string;
  readonly weight: number;
  readonly how: Relative['how'];
  readonly raw: Float64Array;
}

export class Standing {
  readonly #columns: readonly RelativeColumn[];
  /** How many possible nodes have each value. */
  readonly #counts: Map<number, number>[];
  readonly #low: number[];
  readonly #high: number[];

  constructor(columns: readonly RelativeColumn[]) {
    this.#columns = columns;
    this.#counts = columns.map(() => new Map());
    this.#low = columns.map(() => Number.POSITIVE_INFINITY);
    this.#high = columns.map(() => Number.NEGATIVE_INFINITY);
  }

  add(index: number): void {
    for (let at = 0; at < this.#columns.length; at++) {
      const value = this.#columns[at]?.raw[index] ?? 0;
      const counts = this.#counts[at];
      counts?.set(value, (counts.get(value) ?? 0) + 1);
      if (value < (this.#low[at] ?? 0)) this.#low[at] = value;
      if (value > (this.#high[at] ?? 0)) this.#high[at] = value;
    }
  }

  /** It is possible no more. Answers whether the others are worth something else now. */
  remove(index: number): boolean {
    let isMoved = false;
    for (let at = 0; at < this.#columns.length; at++) {
      const value = this.#columns[at]?.raw[index] ?? 0;
      const counts = this.#counts[at];
      const left = (counts?.get(value) ?? 0) - 1;
      if (left > 0) counts?.set(value, left);
      else {
        counts?.delete(value);
        if (value !== this.#low[at] && value !== this.#high[at]) continue;
        this.#low[at] = Math.min(...(counts?.keys() ?? []));
        this.#high[at] = Math.max(...(counts?.keys() ?? []));
        isMoved = true;
      }
    }
    return isMoved;
  }

  /** Of a possible node, part by part. */
  aspects(index: number): readonly Aspect[] {
    return this.#columns.map(({ name, weight, how, raw }, at) => ({
      name,
      weight,
      value: normalised(how, raw[index] ?? 0, this.#low[at] ?? 0, this.#high[at] ?? 0),
    }));
  }

  /** Of a possible node. */
  value(index: number): number {
    let sum = 0;
    for (let at = 0; at < this.#columns.length; at++) {
      const column = this.#columns[at];
      if (column === undefined) break;
      const { weight, how, raw } = column;
      sum += weight * normalised(how, raw[index] ?? 0, this.#low[at] ?? 0, this.#high[at] ?? 0);
    }
    return sum;
  }
}

/** 0 to 100, of a value among others of which the smallest and the largest are known. */
export function normalised(how: Relative['how'], value: number, low: number, high: number): number {
  if (how === 'range') return high > low ? (100 * (value - low)) / (high - low) : 0;
  const share = high > 0 ? (100 * value) / high : 0;
  return how === 'share' ? share : 100 - share;
}
