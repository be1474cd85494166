/** Runs one seed after another, as it is told. A thread of its own: what crashes it is reported by its end. */
import { parentPort, workerData } from 'node:worker_threads';
import { type GenerateOptions, generatePlan } from '../generate.ts';
import { type Outcome, outcomeOf } from '../hunt.ts';
import { run } from '../run.ts';
import { cpuMs, guarded } from './environment.ts';

export interface HuntOrder {
  readonly seed: number;
}

const options = workerData as GenerateOptions;

parentPort?.on('message', ({ seed }: HuntOrder) => {
  const startMs = cpuMs();
  run(generatePlan(seed, options), guarded).then(
    (result) => parentPort?.postMessage(outcomeOf(result, cpuMs() - startMs) satisfies Outcome),
    (error: unknown) => {
      throw error;
    },
  );
});
