/** What a run needs of the machine: turns for promises, and a hash. */
import { createHash } from 'node:crypto';
import type { Digest } from '../run.ts';

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
