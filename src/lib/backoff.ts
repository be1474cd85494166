/**
 * Waiting longer after each failure in a row. Pure: chance is passed in, time is told.
 *
 * The n-th failure of a key waits `firstMs · factor^(n-1)`, at most `maxMs`, shortened by up to `jitter` of itself so that many
 * that failed together do not return together. `reset` forgives; with `forgiveAfterMs` a good stretch does so by itself.
 */
import type { Random } from './random.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** In [0, 1]: default 0, the exact delays. */
  readonly jitter?: number;
  /** Needed when there is jitter. */
  readonly random?: Random;
  /** Failures further apart than this do not add up; needs `nowMs` with each. */
  readonly forgiveAfterMs?: number;
}

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/** The back-off of one thing. */
export class Backoff {
  readonly #keys: KeyedBackoff<undefined>;

  constructor(options: BackoffOptions) {
    this.#keys = new KeyedBackoff(options);
  }

  get failures(): number {
    return this.#keys.failures(undefined);
  }

  /** One more failure: how long to wait, in ms. */
  next(nowMs = 0): number {
    return this.#keys.next(undefined, nowMs);
  }

  reset(): void {
    this.#keys.reset(undefined);
  }
}

/** The back-offs of many things, each by its key. Remembers only those that failed. */
export class KeyedBackoff<K> {
  readonly #options: BackoffOptions;
  readonly #failures = new Map<K, Failures>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#failures.size;
  }

  failures(key: K): number {
    return this.#failures.get(key)?.count ?? 0;
  }

  /** One more failure of `key`: how long to wait, in ms. */
  next(key: K, nowMs = 0): number {
    const { firstMs, maxMs, factor = 2, jitter = 0, random, forgiveAfterMs } = this.#options;
    const before = this.#failures.get(key);
    const forgiven =
      before === undefined || (forgiveAfterMs !== undefined && nowMs - before.lastMs > forgiveAfterMs);
    const count = forgiven ? 1 : before.count + 1;
    this.#failures.set(key, { count, lastMs: nowMs });
    // The exponent is bounded: factor^1100 would be Infinity, harmless only until it meets a zero.
    const wholeMs = Math.min(maxMs, firstMs * factor ** Math.min(count - 1, 64));
    return wholeMs * (1 - jitter * (random?.float() ?? 0));
  }

  reset(key: K): void {
    this.#failures.delete(key);
  }
}
