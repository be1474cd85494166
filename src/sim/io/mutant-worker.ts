/** Runs one seed after another, as it is told, with a fault planted or with none. A thread of its own: its modules are its own. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Violation } from '../run.ts';

export interface MutantOrder {
  readonly seed: number;
}

export interface MutantAnswer {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Of the processor, of this thread, so far: what other work the machine has does not count. */
  readonly usedMs: number;
}

const { name } = workerData as { readonly name: string | undefined };
if (name !== undefined) {
  // Nothing that these two load is ever mutated.
  const { mutants } = await import('../mutants.ts');
  const { plant } = await import('./mutant-loader.ts');
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant "${name}"`);
  plant(mutant);
}
const { generatePlan, properties, run } = await import('../index.ts');
const { digest, turn } = await import('./environment.ts');

const usedMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

parentPort?.on('message', ({ seed }: MutantOrder) => {
  run(generatePlan(seed), { turn, digest, properties }).then(
    ({ violation }) => parentPort?.postMessage({ seed, violation, usedMs: usedMs() } satisfies MutantAnswer),
    (error: unknown) => {
      // An assertion of the product: reported by the thread's end.
      throw error;
    },
  );
});
