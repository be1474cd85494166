/**
 * The mutation test: plants each fault in turn and runs seeds until a property is broken.
 *
 *   mutant ─▶ thread with the fault ─seed 1, 2, …─▶ broken ─▶ is the same seed clean without the fault? ─▶ found
 *                                                     └─ nothing within the budget ─▶ not found
 */
import { Worker } from 'node:worker_threads';
import { directed } from '../directed.ts';
import { mutants as allMutants, type Mutant } from '../mutants.ts';
import type { MutantAnswer, MutantOrder } from './mutant-worker.ts';

export interface MutantResult {
  readonly mutant: Mutant;
  /** undefined: not found. */
  readonly found: { readonly property: string; readonly seed: number; readonly message: string } | undefined;
  /** Seeds that were run. */
  readonly seeds: number;
  /** Time of a processor. */
  readonly tookMs: number;
  /** Seeds that break a property without any fault: nothing can be learned from them. */
  readonly unclean: readonly number[];
}

export interface MutantRunOptions {
  /** Default: all that are not harmless. */
  readonly mutants?: readonly Mutant[];
  /** Default 200. */
  readonly seedsMax?: number;
  /** A mutant is given up after so much time of a processor. Default 60 s. One that never ends a seed, after four times as much real time. */
  readonly tookMsMax?: number;
  /** Default 2. */
  readonly workers?: number;
  readonly onResult?: (result: MutantResult) => void;
}

/** What an uncaught error, an assertion of the product mostly, is listed as. */
const crash = 'run/no-assertion-fails';

interface Answer {
  readonly property: string;
  readonly message: string;
}

/** A thread that runs seeds. Rejects nothing: what goes wrong in it is an answer. */
class Runner {
  readonly #worker: Worker;
  #settle: ((answer: Answer | undefined) => void) | undefined;
  #dead: Answer | undefined;
  /** Time of a processor, up to the last answer. */
  usedMs = 0;

  constructor(name: string | undefined) {
    this.#worker = new Worker(new URL('./mutant-worker.ts', import.meta.url), { workerData: { name } });
    this.#worker.on('message', ({ violation, usedMs }: MutantAnswer) => {
      this.usedMs = usedMs;
      this.#settle?.(violation);
    });
    this.#worker.on('error', (error: unknown) => {
      this.#dead = { property: crash, message: error instanceof Error ? error.message : String(error) };
      this.#settle?.(this.#dead);
    });
  }

  /** undefined: nothing was broken. */
  run(seed: number): Promise<Answer | undefined> {
    if (this.#dead !== undefined) return Promise.resolve(this.#dead);
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#worker.postMessage({ seed } satisfies MutantOrder);
    });
  }

  get isDead(): boolean {
    return this.#dead !== undefined;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The same seeds without a fault, each run once, when it is first asked about. */
class Baseline {
  #runner: Runner | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #known = new Map<number, Promise<boolean>>();

  isClean(seed: number): Promise<boolean> {
    let known = this.#known.get(seed);
    if (known === undefined) {
      known = this.#last.then(() => this.#run(seed));
      this.#last = known;
      this.#known.set(seed, known);
    }
    return known;
  }

  async #run(seed: number): Promise<boolean> {
    if (this.#runner?.isDead === true) this.#runner = undefined;
    this.#runner ??= new Runner(undefined);
    return (await this.#runner.run(seed)) === undefined;
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
  }
}

async function hunt(
  mutant: Mutant,
  baseline: Baseline,
  seedsMax: number,
  tookMsMax: number,
): Promise<MutantResult> {
  const unclean: number[] = [];
  let runner = new Runner(mutant.name);
  let usedMs = 0;
  let isOver = false;
  let giveUp = (): void => {};
  const over = new Promise<undefined>((resolve) => {
    giveUp = () => {
      isOver = true;
      resolve(undefined);
    };
  });
  const timer = setTimeout(giveUp, 4 * tookMsMax);
  const result = (seeds: number, found: MutantResult['found']): MutantResult => ({
    mutant,
    found,
    seeds,
    tookMs: Math.round(usedMs + runner.usedMs),
    unclean,
  });
  const first = directed.filter(({ name }) => name === mutant.directed).map(({ plan }) => plan.seed);
  const seeds = [...first, ...Array.from({ length: seedsMax }, (_, at) => at + 1)];
  let done = 0;
  try {
    for (const seed of seeds) {
      if (isOver || usedMs + runner.usedMs >= tookMsMax) break;
      done++;
      const answer = await Promise.race([runner.run(seed), over]);
      if (answer === undefined) continue;
      if (await baseline.isClean(seed)) return result(done, { ...answer, seed });
      unclean.push(seed);
      if (!runner.isDead) continue;
      usedMs += runner.usedMs;
      runner = new Runner(mutant.name);
    }
    return result(done, undefined);
  } finally {
    clearTimeout(timer);
    await runner.stop();
  }
}

/** Resolves with the results in the order of the mutants. */
export async function runMutants(options: MutantRunOptions = {}): Promise<readonly MutantResult[]> {
  const { seedsMax = 200, tookMsMax = 60_000, workers = 2, onResult } = options;
  const chosen = options.mutants ?? allMutants.filter(({ harmless }) => harmless === undefined);
  const baseline = new Baseline();
  const results: MutantResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < chosen.length; at = next++) {
      const result = await hunt(chosen[at] as Mutant, baseline, seedsMax, tookMsMax);
      results[at] = result;
      onResult?.(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    await baseline.stop();
  }
  return results;
}
