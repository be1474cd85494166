/** Counts by row: of a few rows in a map, of many in a column. Pure. */

/** From so many rows on a column is smaller and faster. */
const fewMax = 64;

export class RowCounts {
  readonly #rows: number;
  #few: Map<number, number> | undefined = new Map();
  #all: Int32Array | undefined;

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** Of any row, also one that came after the column was made. */
  at(row: number): number {
    return this.#all === undefined ? (this.#few?.get(row) ?? 0) : (this.#all[row] ?? 0);
  }

  add(row: number, more: number): void {
    if (this.#all !== undefined) {
      this.#all[row] = (this.#all[row] as number) + more;
      return;
    }
    const few = this.#few as Map<number, number>;
    few.set(row, (few.get(row) ?? 0) + more);
    if (few.size <= fewMax) return;
    this.#all = new Int32Array(this.#rows);
    for (const [at, count] of few) this.#all[at] = count;
    this.#few = undefined;
  }
}
