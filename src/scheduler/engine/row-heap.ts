/**
 * Nodes in the order of their scores, the best on top; of equals the lower row. Pure. Several heaps share the columns: a row is in one of them at most.
 * Invariant: `at[row]` is where the row stands in its heap.
 */

export class RowHeap {
  readonly rows: number[] = [];
  readonly #scores: Float64Array;
  readonly #at: Int32Array;

  constructor(scores: Float64Array, at: Int32Array) {
    this.#scores = scores;
    this.#at = at;
  }

  /** Only when there is one. */
  get top(): number {
    return this.rows[0] as number;
  }

  /** In no order: `order` comes after the last. */
  append(row: number): void {
    this.#at[row] = this.rows.length;
    this.rows.push(row);
  }

  order(): void {
    for (let at = (this.rows.length >> 1) - 1; at >= 0; at--) this.#sink(at, this.rows[at] as number);
  }

  push(row: number): void {
    this.rows.push(row);
    this.#rise(this.rows.length - 1, row);
  }

  remove(row: number): void {
    const at = this.#at[row] as number;
    const last = this.rows.pop() as number;
    if (last !== row) this.#settle(at, last);
  }

  /** Its score has changed. */
  rescored(row: number): void {
    this.#settle(this.#at[row] as number, row);
  }

  #settle(at: number, row: number): void {
    const above = (at - 1) >> 1;
    if (at > 0 && this.#isBetter(row, this.rows[above] as number)) this.#rise(at, row);
    else this.#sink(at, row);
  }

  #isBetter(a: number, b: number): boolean {
    const [x, y] = [this.#scores[a] as number, this.#scores[b] as number];
    return x > y || (x === y && a < b);
  }

  #rise(from: number, row: number): void {
    const { rows } = this;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = rows[above] as number;
      if (!this.#isBetter(row, other)) break;
      rows[at] = other;
      this.#at[other] = at;
      at = above;
    }
    rows[at] = row;
    this.#at[row] = at;
  }

  #sink(from: number, row: number): void {
    const { rows } = this;
    const size = rows.length;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBetter(rows[child + 1] as number, rows[child] as number)) child++;
      const other = rows[child] as number;
      if (!this.#isBetter(other, row)) break;
      rows[at] = other;
      this.#at[other] = at;
      at = child;
    }
    rows[at] = row;
    this.#at[row] = at;
  }
}
