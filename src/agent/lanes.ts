/**
 * Bounded concurrency: at most `width` tasks run at once, the rest wait in order of arrival, one a key.
 *
 * Invariant: of two tasks with one key, the second starts after the first has ended; a waiting one is replaced, not doubled.
 */
import { Line } from '../lib/index.ts';

export type Task = () => Promise<void>;

export class Lanes {
  readonly #width: number;
  readonly #waiting = new Map<string, Task>();
  readonly #line = new Line<string>();
  readonly #running = new Set<string>();
  readonly #again = new Map<string, Task>();
  readonly #onError: (key: string, error: unknown) => void;

  constructor(width: number, onError: (key: string, error: unknown) => void) {
    this.#width = width;
    this.#onError = onError;
  }

  get size(): number {
    return this.#waiting.size + this.#running.size + this.#again.size;
  }

  add(key: string, task: Task): void {
    if (this.#running.has(key)) {
      this.#again.set(key, task);
      return;
    }
    this.#wait(key, task);
    this.#fill();
  }

  /** Forgets what waits; what runs goes on. */
  clear(): void {
    this.#waiting.clear();
    this.#line.clear();
    this.#again.clear();
  }

  #wait(key: string, task: Task): void {
    this.#waiting.set(key, task);
    this.#line.add(key);
  }

  #fill(): void {
    while (this.#running.size < this.#width && this.#line.size > 0) {
      const key = this.#line.take();
      const task = this.#waiting.get(key) as Task;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key, task);
    }
  }

  async #run(key: string, task: Task): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#onError(key, error);
    }
    this.#running.delete(key);
    const again = this.#again.get(key);
    if (again !== undefined) {
      this.#again.delete(key);
      this.#wait(key, again);
    }
    this.#fill();
  }
}
