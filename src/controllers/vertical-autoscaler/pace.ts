/** So many within so long, no more: for evictions of all autoscalers together. Of the monotonic clock. Pure. */
export class Pace {
  readonly #most: number;
  readonly #periodMs: number;
  #taken: { readonly atMs: number; readonly count: number }[] = [];

  constructor(most: number, periodMs: number) {
    this.#most = most;
    this.#periodMs = periodMs;
  }

  left(monotonicMs: number): number {
    this.#taken = this.#taken.filter(({ atMs }) => atMs > monotonicMs - this.#periodMs);
    return Math.max(0, this.#most - this.#taken.reduce((sum, { count }) => sum + count, 0));
  }

  take(monotonicMs: number, count: number): void {
    if (count > 0) this.#taken.push({ atMs: monotonicMs, count });
  }
}
