/** What a run needs of the machine: turns for promises, a hash, and a guard that keeps the machine out. */
import { createHash } from 'node:crypto';
import { properties } from '../properties/index.ts';
import type { Digest, Environment } from '../run.ts';
import { installGuard } from './guard.ts';

// The real one, before a guard takes it away.
const immediate = setImmediate;

/** One turn of the event loop: every promise chain runs to where it waits for something else. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    immediate(resolve);
  });

export function digest(): Digest {
  const hash = createHash('sha256');
  return {
    add(text, bytes) {
      hash.update(text);
      hash.update(bytes);
    },
    value: () => hash.copy().digest('hex'),
  };
}

/** CPU time that this thread has taken. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** All properties, under guard. One run at a time in a thread. */
export const guarded: Environment = { turn, digest, properties, guard: installGuard };
