/**
 * Nodes in the order of their scores, the best on top; of equals the lower row. Pure. Several heaps share the columns: a row is in one of them at most.
 * Invariant: `at[row]` is where the row stands in its heap.
 */

export class RowHeap {
  readonly rows: number[];
  readonly #scores: Float64Array;
  readonly #at: Int32Array;

  constructor(scores: Float64Array, at: Int32Array, rows: number[] = []) {
    this.rows = rows;
    this.#scores = scores;
    this.#at = at;
  }

  /** With columns that are copies of its own. */
  copied(scores: Float64Array, at: Int32Array): RowHeap {
    return new RowHeap(scores, at, [...this.rows]);
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
    if (at > 0 && isBetter(this.#scores, row, this.rows[above] as number)) this.#rise(at, row);
    else this.#sink(at, row);
  }

  #rise(from: number, row: number): void {
    const { rows } = this;
    const places = this.#at;
    const scores = this.#scores;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = rows[above] as number;
      if (!isBetter(scores, row, other)) break;
      rows[at] = other;
      places[other] = at;
      at = above;
    }
    rows[at] = row;
    places[row] = at;
  }

  #sink(from: number, row: number): void {
    const { rows } = this;
    const places = this.#at;
    const scores = this.#scores;
    const size = rows.length;
    const score = scores[row] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      let other = rows[child] as number;
      let most = scores[other] as number;
      if (child + 1 < size) {
        const second = rows[child + 1] as number;
        const its = scores[second] as number;
        if (its > most || (its === most && second < other)) {
          child++;
          other = second;
          most = its;
        }
      }
      if (!(most > score || (most === score && other < row))) break;
      rows[at] = other;
      places[other] = at;
      at = child;
    }
    rows[at] = row;
    places[row] = at;
  }
}

function isBetter(scores: Float64Array, a: number, b: number): boolean {
  const x = scores[a] as number;
  const y = scores[b] as number;
  return x > y || (x === y && a < b);
}
