/**
 * Keys that wait to be worked on, each at most once, a bounded number at a time.
 *
 *   add ──▶ waiting (FIFO, no duplicates) ──▶ running (≤ workers) ──▶ done
 *   addAfter, retry ──▶ timers ──▶ add           └── added meanwhile: waits again, at the end of the line
 *
 * `work` may run for different keys at the same time, never twice at once for one key. Work starts a microtask after `add`, so that
 * a burst of changes to one key is worked once. A key may `rest` after a run that cost much: what comes meanwhile is one run.
 * Retries wait exponentially longer, key by key, and all retries together keep to `retriesPerSecond`.
 *
 * Invariant: after the last `add(key)`, `work(key)` starts at least once more, unless the queue is stopped.
 */
import { KeyedBackoff } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';
import { assert } from './errors.ts';
import { Line } from './line.ts';
import type { Random } from './random.ts';

export interface WorkQueueOptions<K> {
  readonly clock: Clock;
  readonly random: Random;
  /** A rejection is an error of the work: `onError` is told and the key is retried. */
  readonly work: (key: K) => Promise<void>;
  /** How many keys are worked at the same time. Default 1. */
  readonly workers?: number;
  /** Back-off of retries. Defaults: 10 ms, doubling to 60 s, shortened by up to a quarter at random. */
  readonly firstRetryMs?: number;
  readonly retryMsMax?: number;
  /** How often, all keys together, a retry may start. Default 100. */
  readonly retriesPerSecond?: number;
  readonly onError?: (key: K, error: unknown, failures: number, retryMs: number) => void;
}

interface Delayed {
  readonly dueMs: number;
  readonly timer: Timer;
}

export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #workers: number;
  readonly #backoff: KeyedBackoff<K>;
  readonly #waiting = new Line<K>();
  readonly #running = new Set<K>();
  /** Added while running. */
  readonly #again = new Set<K>();
  readonly #delayed = new Map<K, Delayed>();
  readonly #resting = new Map<K, Delayed>();
  readonly #idle: (() => void)[] = [];
  #retryFreeMs = 0;
  #pumping = false;
  #stopped = false;

  constructor(options: WorkQueueOptions<K>) {
    const { firstRetryMs = 10, retryMsMax = 60_000, workers = 1 } = options;
    assert(workers >= 1, 'a queue has at least one worker');
    this.#options = options;
    this.#workers = workers;
    this.#backoff = new KeyedBackoff({
      firstMs: firstRetryMs,
      maxMs: retryMsMax,
      jitter: 0.25,
      random: options.random,
    });
  }

  /** Keys waiting or running; those that wait for a time are not counted. */
  get size(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Keys that wait for a time to come. */
  get delayed(): number {
    return this.#delayed.size;
  }

  add(key: K): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#pumpSoon();
  }

  /** Adds `delayMs` from now. Of several for one key, the earliest counts. */
  addAfter(key: K, delayMs: number): void {
    if (this.#stopped) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.dueMs <= dueMs) return;
    before?.timer.cancel();
    const timer = this.#options.clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds after the key's back-off, which grows. Returns the delay in ms. */
  retry(key: K): number {
    const nowMs = this.#options.clock.monotonicMs();
    const ownMs = nowMs + this.#backoff.next(key);
    const { retriesPerSecond = 100 } = this.#options;
    // A second's worth of retries may come at once; more than that queue up behind each other.
    const earliestMs = Math.max(this.#retryFreeMs - 1000, nowMs);
    this.#retryFreeMs = Math.max(this.#retryFreeMs, nowMs) + 1000 / retriesPerSecond;
    const delayMs = Math.max(ownMs, earliestMs) - nowMs;
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key is well: its next failure starts the back-off anew. */
  forget(key: K): void {
    this.#backoff.reset(key);
  }

  /** The key does not start again before `delayMs` from now. What runs already goes on. */
  rest(key: K, delayMs: number): void {
    if (this.#stopped || delayMs <= 0) return;
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    const before = this.#resting.get(key);
    if (before !== undefined && before.dueMs >= dueMs) return;
    before?.timer.cancel();
    const timer = clock.after(delayMs, () => {
      this.#resting.delete(key);
      if (!this.#running.has(key) && this.#again.delete(key)) this.add(key);
    });
    this.#resting.set(key, { dueMs, timer });
  }

  failures(key: K): number {
    return this.#backoff.failures(key);
  }

  /** Resolves when nothing waits or runs. What waits for a time does not count. */
  whenIdle(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Starts nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    for (const { timer } of this.#resting.values()) timer.cancel();
    this.#delayed.clear();
    this.#resting.clear();
    this.#waiting.clear();
    this.#again.clear();
    this.#tellIdle();
  }

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.size > 0) {
      if (this.#running.size >= this.#workers) return;
      const key = this.#waiting.take();
      // Its rest ends with a new add, so that a resting key holds no place in the line.
      if (this.#resting.has(key)) this.#again.add(key);
      else {
        this.#running.add(key);
        void this.#run(key);
      }
    }
    this.#tellIdle();
  }

  /** Never rejects. */
  async #run(key: K): Promise<void> {
    const { work, onError } = this.#options;
    try {
      await work(key);
    } catch (error) {
      if (!this.#stopped) {
        const retryMs = this.retry(key);
        onError?.(key, error, this.failures(key), retryMs);
      }
    }
    this.#running.delete(key);
    if (!this.#resting.has(key) && this.#again.delete(key)) this.#waiting.add(key);
    this.#pump();
  }

  #tellIdle(): void {
    if (this.size > 0) return;
    for (const tell of this.#idle.splice(0)) tell();
  }
}
