/** Faults of the store: what is acknowledged, what is on disk, what watchers are told, what is remembered. */
import type { Mutant } from './mutant.ts';

export const storeMutants: readonly Mutant[] = [
  {
    name: 'store/unsynced-acknowledged',
    file: 'store/thread-store.ts',
    find: 'return new Promise((resolve, reject) => this.#sent.push({ number, state, resolve, reject }));',
    replace:
      'this.#sent.push({ number, state, resolve: () => {}, reject: () => {} });\n    return Promise.resolve();',
    sentence: 'A commit is acknowledged when it is sent to the disk, not when it is there.',
  },
  {
    name: 'store/refused-acknowledged',
    file: 'store/thread-store.ts',
    find: 'for (const { reject } of refused) reject(error);',
    replace: 'for (const { resolve } of refused) resolve();',
    sentence: 'A commit that the disk has refused is acknowledged all the same.',
  },
  {
    name: 'store/torn-group',
    file: 'store/io/group-writer.ts',
    find: 'for (const { rows, bytes } of group) {',
    replace: 'for (const { rows, bytes } of group.slice(0, 1)) {',
    sentence: 'Of a group of batches only the first is written; the state of the file says that all are.',
  },
  {
    name: 'store/deletion-not-written',
    file: 'store/io/group-writer.ts',
    find: 'if (row.value.length === 0) this.#data.delete(row.id);\n          else this.#data.put(row);',
    replace: 'if (row.value.length > 0) this.#data.put(row);',
    sentence: 'Deletions do not reach the disk.',
  },
  {
    name: 'store/failed-sync-called-refused',
    file: 'store/io/group-writer.ts',
    find: 'let doubt = wasCommitting && isUnclear(error) ? explainError(error) : undefined;\n    try {\n      this.#data.rollback();\n      if (doubt === undefined && wasCommitting && this.#isThere(last)) doubt = explainError(error);',
    replace: 'let doubt: string | undefined;\n    try {\n      this.#data.rollback();',
    sentence: 'A commit whose sync failed is called refused, though it may be on the disk.',
  },
  {
    name: 'store/damage-accepted',
    file: 'store/io/file-state.ts',
    find: 'if (sum !== checksumOf(id, revision, key, value) || revision > this.#state.revision)',
    replace: 'if (revision > this.#state.revision)',
    sentence: 'A row whose bytes do not match its checksum is read as if it were whole.',
  },
  {
    name: 'store/revision-taken-back',
    file: 'store/io/file-state.ts',
    find: 'const revision = found.clean ? found.revision : found.revision + revisionJump;',
    replace: 'const revision = found.clean ? found.revision : Math.max(found.compacted, found.revision - 3);',
    sentence: 'After a crash the last revisions are given out again.',
  },
  {
    name: 'store/revisions-not-skipped',
    file: 'store/io/file-state.ts',
    find: 'const revision = found.clean ? found.revision : found.revision + revisionJump;',
    replace: 'const { revision } = found;',
    sentence:
      'After a crash, revisions that were given to writes that never became durable are given out again.',
    harmless:
      'nothing is answered or shown before it is durable, so nobody has heard of the revisions that are given again',
  },
  {
    name: 'store/refused-remembered',
    file: 'store/log-store.ts',
    find: '    this.#newest.clear();\n',
    replace: '',
    sentence: 'What was refused by the disk still counts as the newest state for the next write.',
  },
  {
    name: 'store/creates-over-existing',
    file: 'store/log-store.ts',
    find: 'return ifRevision === undefined || ifRevision === (this.#latest(key)?.revision ?? 0);',
    replace: 'return !ifRevision || ifRevision === (this.#latest(key)?.revision ?? 0);',
    sentence: 'A creation replaces an object that is there already.',
  },
  {
    name: 'store/expiry-not-told',
    file: 'store/history.ts',
    find: 'this.#bytes -= first.bytes;\n    this.#compacted = Math.max(this.#compacted, first.change.revision);',
    replace: 'this.#bytes -= first.bytes;',
    sentence:
      'A watch that goes on from a forgotten revision is not told 410: it silently misses what was forgotten.',
  },
  {
    name: 'store/resumed-one-late',
    file: 'store/object-index.ts',
    find: 'this.#history.since(name, afterRevision);',
    replace: 'this.#history.since(name, afterRevision + 1);',
    sentence: 'A watch that is resumed misses the first event after the revision it names.',
  },
  {
    name: 'store/last-of-batch-lost',
    file: 'store/fan-out.ts',
    find: 'deliverTo(group, batch);',
    replace: 'deliverTo(group, batch.length > 3 ? batch.slice(0, -1) : batch);',
    sentence: 'Of a batch of more than three events the last is told to nobody.',
  },
  {
    name: 'store/events-reversed',
    file: 'store/fan-out.ts',
    find: 'deliverTo(group, batch);',
    replace: 'deliverTo(group, [...batch].reverse());',
    sentence: 'Events that became durable together are told in reverse order.',
  },
  {
    name: 'store/event-twice',
    file: 'store/fan-out.ts',
    find: 'if (after < first) watcher.onEvents(batch);',
    replace: 'if (after < first) for (let i = 0; i < 2; i++) watcher.onEvents(batch);',
    sentence: 'Every event is told twice.',
  },
];
