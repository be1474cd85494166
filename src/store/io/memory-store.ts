/** A store that is gone with the process: for tests, simulations and the library's `store: 'memory'`. */
import type { Clock } from '../../lib/index.ts';
import type { HistoryLimits } from '../history.ts';
import { createLogStore, type Durability } from '../log-store.ts';
import { ObjectIndex } from '../object-index.ts';
import type { Store } from '../store.ts';
import { saveSnapshot } from './snapshot.ts';

/** What counts as durable here is what was accepted; still, answers come a microtask later and in order. */
const immediately: Durability = {
  schedule: (flush) => queueMicrotask(flush),
  submit: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

export function createMemoryStore(options: {
  readonly clock: Clock;
  readonly limits?: HistoryLimits;
}): Store {
  const index = new ObjectIndex({ ...options, revision: 1 });
  return createLogStore({
    index,
    durability: immediately,
    save: saveSnapshot,
    nextId: 1,
    keepsObjects: true,
  });
}
