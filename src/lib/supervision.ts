/**
 * How soon to start again what has died, and how to close what was opened. Pure: time is told.
 */

/** At once the first time, then after 0.1 s, 0.2 s, … 5 s; forgiven after ten good seconds. */
export class RestartPolicy {
  readonly #firstDelayMs: number;
  readonly #delayMsMax: number;
  readonly #forgiveAfterMs: number;
  #failures = 0;
  #startedMs = 0;

  constructor(
    options: {
      readonly firstDelayMs?: number;
      readonly delayMsMax?: number;
      readonly forgiveAfterMs?: number;
    } = {},
  ) {
    this.#firstDelayMs = options.firstDelayMs ?? 100;
    this.#delayMsMax = options.delayMsMax ?? 5000;
    this.#forgiveAfterMs = options.forgiveAfterMs ?? 10_000;
  }

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** It has ended: how long to wait before it is started again. */
  ended(nowMs: number): number {
    if (nowMs - this.#startedMs >= this.#forgiveAfterMs) this.#failures = 0;
    const delayMs =
      this.#failures === 0 ? 0 : Math.min(this.#delayMsMax, this.#firstDelayMs * 2 ** (this.#failures - 1));
    this.#failures++;
    return delayMs;
  }
}

/** Closes what was opened, last opened first. A closer that fails does not keep the others from closing. */
export class Closing {
  readonly #closers: { readonly name: string; readonly close: () => void | Promise<void> }[] = [];
  #closed: Promise<readonly Error[]> | undefined;

  add(name: string, close: () => void | Promise<void>): void {
    this.#closers.push({ name, close });
  }

  /** Idempotent. Resolves with what went wrong. */
  close(): Promise<readonly Error[]> {
    this.#closed ??= this.#run();
    return this.#closed;
  }

  async #run(): Promise<readonly Error[]> {
    const errors: Error[] = [];
    for (const { name, close } of this.#closers.reverse()) {
      try {
        await close();
      } catch (cause) {
        errors.push(new Error(`Cannot close "${name}"`, { cause }));
      }
    }
    return errors;
  }
}
