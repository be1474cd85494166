import { realClock } from '../../lib/io/real-clock.ts';
import { contract } from '../contract.ts';
import { createMemoryStore } from './memory-store.ts';

contract('memory store', async () => {
  const store = createMemoryStore({ clock: realClock });
  return { store, done: () => store.close() };
});
