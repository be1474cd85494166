/**
 * Which of the possible nodes is the best, where that is to be found out among several: what is relative to the others is worked out for those that are open. Pure.
 */
import type { Scoring } from '../scorer.ts';
import { normalised } from '../standing.ts';
import type { Suitable } from '../suitable.ts';
import type { Cell } from './cells.ts';
import type { Rules } from './rules.ts';
import type { Tally } from './tally.ts';

export interface Pick {
  readonly row: number;
  readonly score: number;
  readonly possible: number;
}

/** Rows that no rule tells apart, the best on top. */
export interface Contender {
  readonly cell: Cell;
  /** Counts by fine tally; `missing` where the row lacks the key. */
  readonly fine: readonly number[];
  readonly heap: { readonly rows: readonly number[]; readonly top: number };
  /** Of the judgement at hand. */
  spread: number;
  attraction: number;
}

/** No count: the row lacks the key. */
export const missing = -1;

export interface ContestGround {
  readonly rules: Rules;
  readonly suitable: Suitable;
  /** By row. */
  readonly scores: Float64Array;
  /** Where tallies stand in the values of cells, and in the fine counts. */
  readonly coarse: ReadonlyMap<Tally, number>;
  readonly fineAt: ReadonlyMap<Tally, number>;
}

export class Contest {
  readonly #ground: ContestGround;

  constructor(ground: ContestGround) {
    this.#ground = ground;
  }

  /** `only`: in place of the top. */
  bestOf(
    open: readonly Contender[],
    possible: number,
    only: number | undefined,
    scoring: Scoring,
  ): Pick | undefined {
    const { zones, around } = scoring;
    const { rules, scores } = this.#ground;
    const extremes = this.#weigh(open);
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    const { isIndifferent } = rules;
    for (let at = 0; at < open.length; at++) {
      const bucket = open[at] as Contender;
      const { cell, heap } = bucket;
      const row = only ?? heap.top;
      let score = scores[row] as number;
      if (extremes !== undefined) score += this.#relative(cell, extremes);
      if (zones !== undefined) score += zones.score(cell.zone);
      if (!isIndifferent) score += around.spread * bucket.spread + around.pods * bucket.attraction;
      if (score > most || (score === most && row < best)) {
        most = score;
        best = row;
      }
    }
    return best < 0 ? undefined : { row: best, score: most, possible };
  }

  /** What depends on which nodes are possible. Answers the extremes of the relative parts; undefined: there are none. */
  #weigh(open: readonly Contender[]): readonly (readonly [number, number])[] | undefined {
    const { rules, suitable } = this.#ground;
    if (!rules.isIndifferent) {
      this.#weighSpread(open);
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const bucket of open) {
        bucket.attraction = rules.attraction((tally) => this.#weightAt(bucket, tally));
        low = Math.min(low, bucket.attraction);
        high = Math.max(high, bucket.attraction);
      }
      for (const bucket of open) bucket.attraction = normalised('range', bucket.attraction, low, high);
    }
    const { relative } = suitable;
    if (relative.length === 0) return undefined;
    return relative.map((_, at) => {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const { cell } of open) {
        low = Math.min(low, cell.raw[at] as number);
        high = Math.max(high, cell.raw[at] as number);
      }
      return [low, high] as const;
    });
  }

  /** 100 where there are the fewest; 0 where a key is missing. */
  #weighSpread(open: readonly Contender[]): void {
    const { soft } = this.#ground.rules;
    for (const bucket of open) bucket.spread = 0;
    if (soft.length === 0) return;
    const counted = open.filter((bucket) =>
      soft.every(({ tally }) => this.countAt(bucket, tally) !== missing),
    );
    for (const { tally, maxSkew } of soft) {
      // The more domains there are, the more one pod more of one of them counts.
      const weight = Math.log(this.#domainsOf(counted, tally) + 2);
      for (const bucket of counted) bucket.spread += this.countAt(bucket, tally) * weight + (maxSkew - 1);
    }
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { spread } of counted) {
      low = Math.min(low, spread);
      high = Math.max(high, spread);
    }
    for (const bucket of counted)
      bucket.spread = high <= 0 ? 100 : (100 * (high + low - bucket.spread)) / high;
  }

  #domainsOf(buckets: readonly Contender[], tally: Tally): number {
    const at = this.#ground.coarse.get(tally);
    if (at === undefined) return buckets.reduce((sum, { heap }) => sum + heap.rows.length, 0);
    return new Set(buckets.map(({ cell }) => cell.values[at])).size;
  }

  #relative({ raw }: Cell, extremes: readonly (readonly [number, number])[]): number {
    const { relative } = this.#ground.suitable;
    let sum = 0;
    for (let at = 0; at < relative.length; at++) {
      const { weight, how } = relative[at] as (typeof relative)[number];
      const [low, high] = extremes[at] as readonly [number, number];
      sum += weight * normalised(how, raw[at] as number, low, high);
    }
    return sum;
  }

  countAt({ cell, fine }: Contender, tally: Tally): number {
    const at = this.#ground.coarse.get(tally);
    if (at === undefined) return fine[this.#ground.fineAt.get(tally) as number] as number;
    const value = cell.values[at] as number;
    return value < 0 ? missing : (tally.counts[value] as number);
  }

  /** Weights may be negative: where the key is missing there is none. */
  #weightAt(bucket: Contender, tally: Tally): number {
    const at = this.#ground.coarse.get(tally);
    if (at === undefined) return bucket.fine[this.#ground.fineAt.get(tally) as number] as number;
    const value = bucket.cell.values[at] as number;
    return value < 0 ? 0 : (tally.counts[value] as number);
  }
}
