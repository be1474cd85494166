/**
 * Reading from the store: a list of 10,000 objects, a page of 500 in the middle of 100,000, now and at a past revision.
 * Peer: SQLite answering the same from an index on the key, values included.
 */
import { DatabaseSync } from 'node:sqlite';
import { realClock } from '../src/lib/io/real-clock.ts';
import { createMemoryStore, type Store, type Write } from '../src/store/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const count = 100_000;
const namespaces = 10;
const rounds = 15;
const pageSize = 500;
const body = 'x'.repeat(960);
const keyOf = (at: number): string => `pods/namespace-${at % namespaces}/pod-${at}`;

export const bench: Benchmark = {
  description: 'milliseconds to list from the store',
  seconds: 12,
  async run(say) {
    const store = createMemoryStore({ clock: realClock });
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE objects(key TEXT PRIMARY KEY, revision INTEGER, value BLOB)');
    await fill(store, database);
    const past = store.revision();
    // As many changes as history keeps in any case.
    for (let at = 0; at < 10_000; at++) await store.transact([write(at * 7)]);
    say(`${count} objects, ${store.revision() - past} changes since`);
    const select = database.prepare(
      'SELECT key, revision, value FROM objects WHERE key > ? AND key < ? ORDER BY key LIMIT ?',
    );
    const all = 'pods/namespace-5/';
    const middle = 'pods/namespace-5/pod-5';
    const times = measure({
      list: () => store.list(all).items.length,
      page: () => store.list('pods/', { after: middle, limit: pageSize }).items.length,
      past: () => store.list('pods/', { after: middle, limit: pageSize, revision: past }).items.length,
      listPeer: () => select.all(all, 'pods/namespace-50', -1).length,
      pagePeer: () => select.all(middle, 'pods0', pageSize).length,
    });
    database.close();
    const peer = (runs: readonly number[]) => ({ name: 'SQLite in memory', runs });
    return [
      costFigure('list of 10,000 objects', 'ms', times.list, peer(times.listPeer)),
      costFigure('page of 500 in 100,000', 'ms', times.page, peer(times.pagePeer)),
      costFigure('page of 500, 10,000 changes ago', 'ms', times.past, peer(times.pagePeer)),
    ];
  },
};

function write(at: number): Write {
  const encode = (revision: number): Buffer => Buffer.from(JSON.stringify({ revision, body }));
  return { kind: 'put', key: keyOf(at % count), encode };
}

async function fill(store: Store, database: DatabaseSync): Promise<void> {
  const insert = database.prepare('INSERT INTO objects VALUES (?, ?, ?)');
  for (let from = 0; from < count; from += 1000)
    await store.transact(Array.from({ length: 1000 }, (_, index) => write(from + index)));
  database.exec('BEGIN');
  for (const { key, revision, bytes } of store.list('pods/').items) insert.run(key, revision, bytes);
  database.exec('COMMIT');
}

/** Milliseconds of each, in turns. */
function measure<Name extends string>(actions: Record<Name, () => number>): Record<Name, number[]> {
  const names = Object.keys(actions) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -3; round < rounds; round++) {
    for (const name of names) {
      const startMs = performance.now();
      const length = actions[name]();
      const tookMs = performance.now() - startMs;
      if (length === 0) throw new Error(`${name} found nothing`);
      if (round >= 0) times[name].push(tookMs);
    }
  }
  return times;
}
