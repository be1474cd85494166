/**
 * Bounded concurrency: at most `width` tasks run at once, the rest wait in order of arrival, one a key.
 *
 * Invariant: of two tasks with one key, the second starts after the first has ended; a waiting one is replaced, not doubled.
 */
export type Task = () => Promise<void>;

export class Lanes {
  readonly #width: number;
  readonly #waiting = new Map<string, Task>();
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
    this.#waiting.set(key, task);
    this.#fill();
  }

  /** Forgets what waits; what runs goes on. */
  clear(): void {
    this.#waiting.clear();
    this.#again.clear();
  }

  #fill(): void {
    while (this.#running.size < this.#width) {
      const next = this.#waiting.entries().next();
      if (next.done) return;
      const [key, task] = next.value;
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
      this.#waiting.set(key, again);
    }
    this.#fill();
  }
}
