/**
 * Of the first so many candidates the one that loses least, found without looking at each of them. Pure.
 *
 * A binary tree over positions: each inner node has the number of candidates below it and the best of them.
 * Invariant: of those that lose the same the first is the best.
 */

const nobody = -1;

export interface Least {
  readonly at: number;
  /** How many were compared. */
  readonly candidates: number;
}

export class LossTree {
  readonly #size: number;
  readonly #losesLess: (at: number, other: number) => boolean;
  readonly #counts: Int32Array;
  readonly #best: Int32Array;
  /** 1: there is one below that breaks no budget. */
  readonly #free: Uint8Array;

  /** Positions are below `size`. */
  constructor(size: number, losesLess: (at: number, other: number) => boolean) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(1, size)));
    this.#losesLess = losesLess;
    this.#counts = new Int32Array(2 * this.#size);
    this.#best = new Int32Array(2 * this.#size).fill(nobody);
    this.#free = new Uint8Array(2 * this.#size);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#best.fill(nobody);
    this.#free.fill(0);
  }

  /** Whether to stop at so many candidates there are enough. */
  has(enough: number): boolean {
    return (this.#counts[1] as number) >= enough && this.#free[1] === 1;
  }

  set(at: number, isCandidate: boolean, isFree: boolean): void {
    let node = this.#size + at;
    this.#counts[node] = isCandidate ? 1 : 0;
    this.#best[node] = isCandidate ? at : nobody;
    this.#free[node] = isCandidate && isFree ? 1 : 0;
    for (node >>= 1; node > 0; node >>= 1) {
      const [left, right] = [2 * node, 2 * node + 1];
      this.#counts[node] = (this.#counts[left] as number) + (this.#counts[right] as number);
      this.#free[node] = (this.#free[left] as number) | (this.#free[right] as number);
      this.#best[node] = this.#lesser(this.#best[left] as number, this.#best[right] as number);
    }
  }

  /** Of the first `enough`, or as many more as it takes to have one that breaks no budget; of all where there are not so many. */
  least(enough: number): Least | undefined {
    const candidates = this.#counts[1] as number;
    if (candidates === 0) return undefined;
    if (!this.has(enough)) return { at: this.#best[1] as number, candidates };
    const last = Math.max(this.#positionOf(enough), this.#firstFree());
    let best = nobody;
    let count = 0;
    let node = 1;
    for (let half = this.#size >> 1; half > 0; half >>= 1) {
      node *= 2;
      if ((last & half) === 0) continue;
      best = this.#lesser(best, this.#best[node] as number);
      count += this.#counts[node] as number;
      node++;
    }
    return {
      at: this.#lesser(best, this.#best[node] as number),
      candidates: count + (this.#counts[node] as number),
    };
  }

  /** Of the candidate of that number, from 1. */
  #positionOf(number: number): number {
    let node = 1;
    let left = number;
    while (node < this.#size) {
      node *= 2;
      const there = this.#counts[node] as number;
      if (left <= there) continue;
      left -= there;
      node++;
    }
    return node - this.#size;
  }

  #firstFree(): number {
    let node = 1;
    while (node < this.#size) node = this.#free[2 * node] === 1 ? 2 * node : 2 * node + 1;
    return node - this.#size;
  }

  /** `a` stands before `b`. */
  #lesser(a: number, b: number): number {
    if (a === nobody || b === nobody) return a === nobody ? b : a;
    return this.#losesLess(b, a) ? b : a;
  }
}
