/**
 * Answers that rest on what is accepted and not yet durable.
 *
 * A write is decided on the newest state, also where that is still on its way to the disk; its own transaction then waits for what it is based on. An answer
 * that writes nothing (nothing to change, not there) has no transaction and has to wait too: what it has seen may be refused yet, and then never was.
 */
import type { ApiContext } from '../context.ts';

/** Resolves when everything accepted so far is durable. Throws `storageFull`, `unavailable` when some of it never will be. */
export async function settled({ store }: ApiContext): Promise<void> {
  await store.transact([]);
}
