/**
 * Time, passed in. Everything but `io/` folders takes a Clock, so that the whole cloud runs under simulated time.
 *
 * `now` is wall time and may jump; `monotonicMs` never goes back: measure durations and deadlines with it.
 */
import { flat } from './flat-text.ts';

export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start. Never decreases. */
  monotonicMs(): number;
  /** Calls `action` once, `delayMs` from now (0: as soon as the current work is done). */
  after(delayMs: number, action: () => void): Timer;
  /** Resolves `delayMs` from now; rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** RFC 3339 in whole seconds, as Kubernetes' metav1.Time: `2026-01-02T03:04:05Z`. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  // Many things happen in one second.
  if (second !== lastSecond) {
    lastText = flat(`${new Date(ms).toISOString().slice(0, 19)}Z`);
    lastSecond = second;
  }
  return lastText;
}

let lastSecond = Number.NaN;
let lastText = '';

/** RFC 3339 in microseconds, as Kubernetes' metav1.MicroTime: `2026-01-02T03:04:05.678000Z`. */
export function formatMicroTime(ms: number): string {
  const millis = String(Math.floor(ms) - Math.floor(ms / 1000) * 1000).padStart(3, '0');
  return `${formatTime(ms).slice(0, -1)}.${millis}000Z`;
}

interface Waiting {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
  cancelled: boolean;
}

/** A clock that only moves when told. Timers due at the same instant fire in the order in which they were set. */
export class SimulatedClock implements Clock {
  #monotonicMs = 0;
  #epochMs: number;
  #order = 0;
  #waiting: Waiting[] = [];

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  nowMs(): number {
    return this.#epochMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Moves wall time without moving monotonic time: the clock was set. */
  jump(byMs: number): void {
    this.#epochMs += byMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry: Waiting = {
      dueMs: this.#monotonicMs + Math.max(0, delayMs),
      order: this.#order++,
      action,
      cancelled: false,
    };
    this.#waiting.push(entry);
    this.#rise(this.#waiting.length - 1);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      const timer = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Fires the next timer, moving time to it. False when none is left, or none is due until `untilMs` (monotonic). */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || first.dueMs > untilMs) return false;
      this.#takeFirst();
      if (first.cancelled) continue;
      this.#monotonicMs = Math.max(this.#monotonicMs, first.dueMs);
      first.action();
      return true;
    }
  }

  /** Lets `ms` pass, firing what is due, and gives promises a turn between timers. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    await settle();
    while (this.step(untilMs)) await settle();
    this.#monotonicMs = Math.max(this.#monotonicMs, untilMs);
  }

  #before(a: Waiting, b: Waiting): boolean {
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  }

  #rise(index: number): void {
    const heap = this.#waiting;
    const entry = heap[index] as Waiting;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Waiting;
      if (!this.#before(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #takeFirst(): void {
    const heap = this.#waiting;
    const last = heap.pop() as Waiting;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && this.#before(right, heap[child] as Waiting)) child++;
      if (!this.#before(heap[child] as Waiting, last)) break;
      heap[index] = heap[child] as Waiting;
      index = child;
    }
    heap[index] = last;
  }
}

/** Lets every promise that is ready run on. Bounded: chains longer than this wait for the next step. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 32; turn++) await Promise.resolve();
}
