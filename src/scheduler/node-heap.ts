/** The possible nodes of one question, the best at the top. Pure; columns rather than objects, since a cloud may have 50,000 nodes and ask a thousand times. */

export class NodeHeap {
  #rows = new Int32Array(0);
  #fixed = new Float64Array(0);
  #scores = new Float64Array(0);
  #size = 0;

  /** Empties it and makes room for `max` nodes. */
  begin(max: number): void {
    this.#size = 0;
    if (max <= this.#rows.length) return;
    this.#rows = new Int32Array(max);
    this.#fixed = new Float64Array(max);
    this.#scores = new Float64Array(max);
  }

  get size(): number {
    return this.#size;
  }

  /** Of the best. Only when `size` > 0. */
  get row(): number {
    return this.#rows[0] as number;
  }

  get fixed(): number {
    return this.#fixed[0] as number;
  }

  get score(): number {
    return this.#scores[0] as number;
  }

  /** In no order: `order` comes after the last. */
  add(row: number, fixed: number, score: number): void {
    const at = this.#size++;
    this.#rows[at] = row;
    this.#fixed[at] = fixed;
    this.#scores[at] = score;
  }

  order(): void {
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** The best has another score now. */
  rescore(score: number): void {
    this.#scores[0] = score;
    this.#sink(0);
  }

  removeBest(): void {
    const last = --this.#size;
    if (last === 0) return;
    this.#move(last, 0);
    this.#sink(0);
  }

  /** Better first; among equals the lower row, so that the plan is the same every time. */
  #isBetter(a: number, score: number, row: number): boolean {
    const own = this.#scores[a] as number;
    return own > score || (own === score && (this.#rows[a] as number) < row);
  }

  #move(from: number, to: number): void {
    this.#rows[to] = this.#rows[from] as number;
    this.#fixed[to] = this.#fixed[from] as number;
    this.#scores[to] = this.#scores[from] as number;
  }

  #sink(from: number): void {
    const row = this.#rows[from] as number;
    const fixed = this.#fixed[from] as number;
    const score = this.#scores[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (
        right < this.#size &&
        this.#isBetter(right, this.#scores[child] as number, this.#rows[child] as number)
      )
        child = right;
      if (!this.#isBetter(child, score, row)) break;
      this.#move(child, at);
      at = child;
    }
    this.#rows[at] = row;
    this.#fixed[at] = fixed;
    this.#scores[at] = score;
  }
}
