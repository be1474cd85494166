/**
 * Runs seeds on several threads.
 *
 *   seeds ─▶ thread (one seed at a time) ─▶ outcome
 *              └─ ends, or is silent for too long ─▶ outcome with `process/no-crash` or `process/no-hang`; a new thread takes over
 */
import { Worker } from 'node:worker_threads';
import { explainError } from '../../lib/index.ts';
import type { GenerateOptions } from '../generate.ts';
import type { Outcome } from '../hunt.ts';
import { noCrashProperty } from './guard.ts';
import type { HuntOrder } from './hunt-worker.ts';

export interface CrewOptions {
  readonly seeds: Iterable<number>;
  readonly workers: number;
  readonly generate?: GenerateOptions;
  readonly onOutcome: (outcome: Outcome) => void;
  /** Asked before each seed: true, and no more are begun. */
  readonly isOver?: () => boolean;
}

/** On the wall. The slowest seeds take seconds. */
const hangMs = 180_000;
/** Most of what a run makes is of no use a moment later: with room for it, less has to be looked at and kept. */
const youngMegabytes = 192;
const noHangProperty = 'process/no-hang';

/** Resolves when all seeds have been run. */
export async function runSeeds(options: CrewOptions): Promise<void> {
  const seeds = options.seeds[Symbol.iterator]();
  const work = async (): Promise<void> => {
    let hand: Hand | undefined;
    try {
      while (options.isOver?.() !== true) {
        const next = seeds.next();
        if (next.done === true) return;
        hand ??= new Hand(options.generate ?? {});
        options.onOutcome(await hand.run(next.value));
        if (hand.isDead) hand = undefined;
      }
    } finally {
      await hand?.stop();
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
}

class Hand {
  readonly #worker: Worker;
  #settle: (outcome: Outcome) => void = () => {};
  #fail: (property: string, message: string) => void = () => {};
  isDead = false;

  constructor(generate: GenerateOptions) {
    this.#worker = new Worker(new URL('./hunt-worker.ts', import.meta.url), {
      workerData: generate,
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    this.#worker.on('message', (outcome: Outcome) => this.#settle(outcome));
    this.#worker.on('error', (error: unknown) => this.#fail(noCrashProperty, explainError(error)));
    this.#worker.on('exit', (code) => this.#fail(noCrashProperty, `the thread ended with code ${code}`));
  }

  run(seed: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#settle = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.#fail = (property, message) => {
        this.isDead = true;
        this.#settle(ended(seed, property, message));
        void this.#worker.terminate();
      };
      const timer = setTimeout(
        () => this.#fail(noHangProperty, `still running after ${hangMs / 1000} s on the wall`),
        hangMs,
      );
      this.#worker.postMessage({ seed } satisfies HuntOrder);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

const ended = (seed: number, property: string, message: string): Outcome => ({
  seed,
  hash: '',
  violation: { property, message, atMs: 0, revision: 0 },
  simulatedMs: 0,
  cpuMs: 0,
  changes: 0,
  recoveredMs: undefined,
  facts: {},
  states: [],
});
