/**
 * Lives: a process may be killed between any two things that it does. What a killed life still holds (timers, requests, watches) is dead:
 * it is never called back, and what it still tries to send goes nowhere. So code that was waiting waits for ever, as if its memory were gone.
 */
import { assert, type Clock, type SimulatedClock, type Timer } from '../lib/index.ts';

export class Life {
  readonly name: string;
  #isAlive = true;
  readonly #mourners = new Set<() => void>();
  /** When set: dies with the n-th message that it sends from now on, before that is sent. */
  #sendsLeft = Number.POSITIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    const mourners = [...this.#mourners];
    this.#mourners.clear();
    for (const mourn of mourners) mourn();
  }

  endAfterSends(count: number): void {
    this.#sendsLeft = count;
  }

  /** Told before each message leaves. False: it does not. */
  maySend(): boolean {
    if (!this.#isAlive) return false;
    if (this.#sendsLeft-- > 0) return true;
    this.end();
    return false;
  }

  /** Calls `mourn` when this life ends. Answers how to forget that. */
  onEnd(mourn: () => void): () => void {
    if (!this.#isAlive) {
      mourn();
      return () => {};
    }
    this.#mourners.add(mourn);
    return () => void this.#mourners.delete(mourn);
  }
}

/** How wrong a machine's clock is. Belongs to the machine: it outlives its processes. */
export interface Skew {
  /** Added to wall time. A jump changes it. */
  offsetMs: number;
  /** How much too fast it runs: 0.0001 is 100 parts in a million. */
  drift: number;
}

/** Time as one life sees it. */
export class LifeClock implements Clock {
  readonly #world: SimulatedClock;
  readonly #life: Life;
  readonly #skew: Skew;

  constructor(world: SimulatedClock, life: Life, skew: Skew) {
    this.#world = world;
    this.#life = life;
    this.#skew = skew;
  }

  nowMs(): number {
    return Math.floor(
      this.#world.nowMs() + this.#skew.offsetMs + this.#world.monotonicMs() * this.#skew.drift,
    );
  }

  monotonicMs(): number {
    return this.#world.monotonicMs() * (1 + this.#skew.drift);
  }

  after(delayMs: number, action: () => void): Timer {
    assert(Number.isFinite(delayMs), 'a timer has a time');
    return this.#world.after(delayMs / (1 + this.#skew.drift), () => {
      if (this.#life.isAlive) action();
    });
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
}
