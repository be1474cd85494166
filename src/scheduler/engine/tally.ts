/** How many of certain pods there are by the value of a topology key. Pure. */
import type { TopologySpreadConstraint } from '../../api/index.ts';
import type { ValueColumn } from './value-column.ts';

export class Tally {
  readonly column: ValueColumn;
  /** By the number of the value. */
  readonly counts: Int32Array;
  /** Rows that count; undefined: all. */
  readonly includes: Uint8Array | undefined;
  total = 0;

  constructor(column: ValueColumn, includes?: Uint8Array) {
    this.column = column;
    this.counts = new Int32Array(column.size);
    this.includes = includes;
  }

  add(row: number, weight: number): void {
    const id = this.column.ids[row] as number;
    if (id < 0 || (this.includes !== undefined && this.includes[row] === 0)) return;
    this.total += weight;
    const before = this.counts[id] as number;
    this.counts[id] = before + weight;
    this.moved(before, before + weight);
  }

  /** The count of one value. */
  moved(_before: number, _after: number): void {}
}

/** Knows the least count among the domains too. */
export class SpreadTally extends Tally {
  readonly maxSkew: number;
  readonly #isShort: boolean;
  /** How many domains have each count. */
  readonly #domains: number[] = [];
  #least = 0;

  constructor(
    column: ValueColumn,
    includes: Uint8Array,
    { maxSkew, minDomains = 1 }: TopologySpreadConstraint,
  ) {
    super(column, includes);
    this.maxSkew = maxSkew;
    const seen = new Uint8Array(column.size);
    let count = 0;
    for (let row = 0; row < includes.length; row++) {
      const id = column.ids[row] as number;
      if (includes[row] === 0 || id < 0 || seen[id] === 1) continue;
      seen[id] = 1;
      count++;
    }
    this.#domains[0] = count;
    this.#isShort = count < minDomains;
  }

  /** Fewer domains than there should be: the missing ones hold none. */
  get least(): number {
    return this.#isShort ? 0 : this.#least;
  }

  override moved(before: number, after: number): void {
    this.#domains[before] = (this.#domains[before] ?? 0) - 1;
    this.#domains[after] = (this.#domains[after] ?? 0) + 1;
    if (after < this.#least) this.#least = after;
    else if (before === this.#least && this.#domains[before] === 0) {
      // This one has some: the search ends.
      do this.#least++;
      while ((this.#domains[this.#least] ?? 0) === 0);
    }
  }
}
