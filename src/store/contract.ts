/**
 * What every Store does, as tests. Run on each implementation from its own test file.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type CaelumError, isError, SeededRandom } from '../lib/index.ts';
import { NaiveStore, type Row } from './naive-store.ts';
import type { Committed, PreconditionFailure, Store, Stored, StoreEvent, Watcher, Write } from './store.ts';

export interface Opened {
  readonly store: Store;
  /** Closes the store where the test has not, and removes its files. */
  done(): Promise<void>;
}

export function jsonOf(content: unknown): (revision: number) => Buffer {
  return (revision) => Buffer.from(JSON.stringify({ revision, content }));
}

export function put(key: string, content: unknown = key, ifRevision?: number): Write {
  return { kind: 'put', key, encode: jsonOf(content), ...(ifRevision === undefined ? {} : { ifRevision }) };
}

export function del(key: string, ifRevision?: number): Write {
  return { kind: 'delete', key, ...(ifRevision === undefined ? {} : { ifRevision }) };
}

/** Keeps what it is told, one text an event: `put pods/a/x 3`. */
export class Recorder implements Watcher {
  readonly events: StoreEvent[] = [];
  readonly ends: (Error | undefined)[] = [];
  calls = 0;
  onEvents(events: readonly StoreEvent[]): void {
    this.calls++;
    this.events.push(...events);
  }
  onEnd(error: Error | undefined): void {
    this.ends.push(error);
  }
  lines(base = 0): string[] {
    return this.events.map(({ kind, key, revision }) => `${kind} ${key} ${revision - base}`);
  }
}

async function commit(store: Store, ...writes: Write[]): Promise<Committed> {
  const answer = await store.transact(writes);
  assert.equal(answer.kind, 'committed');
  return answer as Committed;
}

const contentOf = (stored: Stored | undefined): unknown =>
  (stored?.object() as { content?: unknown } | undefined)?.content;

const keysOf = (store: Store, prefix: string): string[] => store.list(prefix).items.map((item) => item.key);

/** `open` starts from nothing. */
export function contract(name: string, open: () => Promise<Opened>): void {
  const run = (title: string, body: (store: Store) => Promise<void>): void => {
    test(title, async () => {
      const { store, done } = await open();
      try {
        await body(store);
      } finally {
        await done();
      }
    });
  };
  describe(name, () => {
    transactionTests(run);
    readTests(run);
    watchTests(run);
    lifeTests(run);
    for (const seed of [1, 2, 3, 4])
      run(`agrees with a naive store, seed ${seed}`, (store) => propertyTest(store, seed));
  });
}

type Run = (title: string, body: (store: Store) => Promise<void>) => void;

function transactionTests(run: Run): void {
  run('transact() gives revisions, encodes once and answers with versions', async (store) => {
    const base = store.revision();
    let encoded = 0;
    const encode = (revision: number): Buffer => {
      encoded++;
      return Buffer.from(JSON.stringify({ revision }));
    };
    const answer = await commit(store, { kind: 'put', key: 'pods/a/x', encode }, put('pods/a/y'));
    assert.equal(encoded, 1);
    assert.ok(answer.revision > base);
    assert.deepEqual(
      answer.results.map((result) => result?.revision),
      [answer.revision, answer.revision],
    );
    assert.deepEqual(store.get('pods/a/x')?.object(), { revision: answer.revision });
    assert.equal(store.get('pods/a/x'), answer.results[0]);
    assert.equal(store.revision(), answer.revision);
  });

  run('transact() checks preconditions, all writes or none', async (store) => {
    const { revision } = await commit(store, put('pods/a/x'));
    const failed = (await store.transact([put('pods/a/y'), put('pods/a/x', 1, 0)])) as PreconditionFailure;
    assert.deepEqual(
      [failed.kind, failed.key, failed.current?.revision],
      ['precondition', 'pods/a/x', revision],
    );
    assert.equal(store.get('pods/a/y'), undefined);
    const absent = (await store.transact([del('pods/a/none', 7)])) as PreconditionFailure;
    assert.deepEqual([absent.kind, absent.current], ['precondition', undefined]);
    await commit(store, put('pods/a/x', 2, revision), put('pods/a/z', 2, 0));
    assert.equal((await store.transact([put('pods/a/x', 3, revision)])).kind, 'precondition');
    assert.deepEqual(keysOf(store, 'pods/'), ['pods/a/x', 'pods/a/z']);
  });

  run('transact() checks against accepted writes that are not yet durable', async (store) => {
    const first = store.transact([put('pods/a/x', 1, 0)]);
    const newest = store.latest('pods/a/x');
    assert.ok(newest);
    assert.equal(store.get('pods/a/x'), undefined);
    const second = store.transact([put('pods/a/x', 2, newest.revision)]);
    const third = store.transact([put('pods/a/x', 3, newest.revision)]);
    const order: string[] = [];
    await Promise.all([
      first.then((answer) => order.push(`1 ${answer.kind}`)),
      second.then((answer) => order.push(`2 ${answer.kind}`)),
      third.then((answer) => order.push(`3 ${answer.kind}`)),
    ]);
    assert.deepEqual(order, ['1 committed', '2 committed', '3 precondition']);
    assert.equal(contentOf(store.get('pods/a/x')), 2);
    assert.equal(store.latest('pods/a/x'), store.get('pods/a/x'));
  });

  run('transact() deletes, shows the last state, and takes a delete of nothing for done', async (store) => {
    const made = await commit(store, put('pods/a/x', 'one'));
    const watcher = new Recorder();
    store.watch('pods/', made.revision, watcher);
    const gone = await commit(store, {
      kind: 'delete',
      key: 'pods/a/x',
      ifRevision: made.revision,
      encode: jsonOf('last'),
    });
    assert.deepEqual(gone.results[0]?.object(), { revision: gone.revision, content: 'last' });
    assert.equal(watcher.events[0]?.previous, made.results[0]);
    assert.equal(watcher.events[0]?.current.revision, gone.revision);
    const again = await commit(store, del('pods/a/x'));
    assert.deepEqual([again.results, again.revision], [[undefined], gone.revision]);
    await commit(store, put('pods/a/y', 'kept'));
    const plain = await commit(store, del('pods/a/y'));
    assert.equal(contentOf(plain.results[0]), 'kept');
    assert.equal(plain.results[0]?.revision, plain.revision);
    assert.deepEqual(keysOf(store, 'pods/'), []);
  });

  run('transact() writes nothing when encoding throws', async (store) => {
    const fails = (): Buffer => {
      throw new Error('cannot encode');
    };
    await assert.rejects(
      store.transact([put('pods/a/x'), { kind: 'put', key: 'pods/a/y', encode: fails }]),
      /cannot encode/,
    );
    assert.equal(store.latest('pods/a/x'), undefined);
    await commit(store, put('pods/a/x'));
  });
}

function readTests(run: Run): void {
  run('list() orders, pages and counts what remains', async (store) => {
    const names = ['c', 'a', 'b-1', 'b', 'b/1', 'e', 'd'];
    await commit(store, ...names.map((name) => put(`pods/${name}`)), put('pods.x/a'), put('podss/a'));
    const sorted = names.map((name) => `pods/${name}`).sort();
    assert.deepEqual(keysOf(store, 'pods/'), sorted);
    assert.deepEqual(
      keysOf(store, 'pods/b'),
      sorted.filter((key) => key.startsWith('pods/b')),
    );
    const first = store.list('pods/', { limit: 3 });
    assert.deepEqual([first.more, first.remaining, first.items.length], [true, 4, 3]);
    const rest = store.list('pods/', { after: first.items[2]?.key ?? '', limit: 4 });
    assert.deepEqual([rest.more, rest.remaining, rest.items.length], [false, 0, 4]);
    assert.deepEqual(
      [...first.items, ...rest.items].map((item) => item.key),
      sorted,
    );
    assert.deepEqual(store.list('nothing/').items, []);
    assert.deepEqual(store.list('pods/', { limit: 0 }).remaining, 7);
    assert.equal(store.list('').items.length, 9);
  });

  run('list() answers for a past revision, also paged', async (store) => {
    await commit(store, put('pods/a', 1), put('pods/c', 1), put('pods/d', 1));
    const { revision } = await commit(store, put('pods/e', 1));
    const before = store.list('pods/');
    await commit(store, put('pods/b', 2));
    await commit(store, put('pods/a', 2), del('pods/c'));
    await commit(store, del('pods/a'), del('pods/e'), put('pods/c', 3), put('other/x'));
    assert.deepEqual(store.list('pods/', { revision }), before);
    const pages: string[] = [];
    for (let after = ''; ; ) {
      const page = store.list('pods/', { revision, limit: 1, after });
      pages.push(...page.items.map((item) => `${item.key} ${page.remaining}`));
      if (!page.more) break;
      after = page.items.at(-1)?.key ?? '';
    }
    assert.deepEqual(pages, ['pods/a 3', 'pods/c 2', 'pods/d 1', 'pods/e 0']);
  });

  run('list() and watch() refuse what is compacted and what is to come', async (store) => {
    const one = await commit(store, put('pods/a', 1));
    const two = await commit(store, put('pods/a', 2));
    store.compact(two.revision);
    assert.equal(store.stats().compactedRevision, two.revision);
    const isExpired = (error: unknown): boolean => isError(error, 'expired');
    assert.throws(() => store.list('pods/', { revision: one.revision }), isExpired);
    assert.throws(() => store.watch('pods/', one.revision, new Recorder()), isExpired);
    assert.equal(store.list('pods/', { revision: two.revision }).items.length, 1);
    store.watch('pods/', two.revision, new Recorder()).cancel();
    const later = two.revision + 100;
    assert.throws(
      () => store.list('pods/', { revision: later }),
      (error) => isError(error, 'timeout'),
    );
  });

  run('waitFor() resolves when a revision is durable, or in vain', async (store) => {
    const base = store.revision();
    assert.equal(await store.waitFor(base, 0), true);
    const waiting = store.waitFor(base + 1, 10_000);
    await commit(store, put('pods/a'));
    assert.equal(await waiting, true);
    assert.equal(await store.waitFor(base + 100, 5), false);
  });
}

function watchTests(run: Run): void {
  run('watch() gives past events first, then new ones, of its prefix, once and in order', async (store) => {
    const base = store.revision();
    await commit(store, put('pods/a/x'), put('pods/b/x'), put('nodes/n'));
    await commit(store, put('pods/a/x'), put('pods/a/xy'));
    const recorders = {
      'pods/': new Recorder(),
      'pods/a/': new Recorder(),
      'pods/a/x': new Recorder(),
      'nodes/': new Recorder(),
      '': new Recorder(),
    };
    for (const [prefix, recorder] of Object.entries(recorders)) store.watch(prefix, base + 1, recorder);
    await commit(store, del('pods/a/x'), put('nodes/m'));
    await commit(store, put('pods/b/y'));
    const [two, three, four] = [2, 3, 4].map((step) => (line: string) => `${line} ${step}`) as [
      (line: string) => string,
      (line: string) => string,
      (line: string) => string,
    ];
    const inA = [two('put pods/a/x'), two('put pods/a/xy'), three('delete pods/a/x')];
    assert.deepEqual(recorders['pods/a/'].lines(base), inA);
    assert.deepEqual(recorders['pods/a/x'].lines(base), inA);
    assert.deepEqual(recorders['pods/'].lines(base), [...inA, four('put pods/b/y')]);
    assert.deepEqual(recorders['nodes/'].lines(base), [three('put nodes/m')]);
    assert.deepEqual(recorders[''].lines(base), [...inA, three('put nodes/m'), four('put pods/b/y')]);
  });

  run('watch() starts in the future, stops when cancelled, and shares events', async (store) => {
    const base = store.revision();
    const late = new Recorder();
    const cancelled = new Recorder();
    const twins = [new Recorder(), new Recorder()];
    store.watch('pods/', base + 1, late);
    const subscription = store.watch('pods/', base, cancelled);
    for (const twin of twins) store.watch('pods/', base, twin);
    await commit(store, put('pods/x'));
    subscription.cancel();
    subscription.cancel();
    await commit(store, put('pods/y'));
    assert.deepEqual(late.lines(base), ['put pods/y 2']);
    assert.deepEqual(cancelled.lines(base), ['put pods/x 1']);
    assert.equal(twins[0]?.events[1], twins[1]?.events[1]);
    assert.deepEqual(twins[0]?.lines(base), ['put pods/x 1', 'put pods/y 2']);
  });

  run('watch() from inside a delivery neither misses nor repeats', async (store) => {
    const base = store.revision();
    const inner = new Recorder();
    let started = false;
    store.watch('pods/', base, {
      onEvents: () => {
        if (!started) store.watch('pods/', base, inner);
        started = true;
      },
      onEnd: () => {},
    });
    await Promise.all([commit(store, put('pods/x')), commit(store, put('pods/y'))]);
    await commit(store, put('pods/z'));
    assert.deepEqual(inner.lines(base), ['put pods/x 1', 'put pods/y 2', 'put pods/z 3']);
  });

  run('watchers see an event before its writer is answered, and read what it says', async (store) => {
    const seen: unknown[] = [];
    store.watch('pods/', store.revision(), {
      onEvents: (events) => {
        for (const event of events)
          seen.push(store.get(event.key) === event.current, store.revision() >= event.revision);
      },
      onEnd: () => {},
    });
    await commit(store, put('pods/x'));
    assert.deepEqual(seen, [true, true]);
  });
}

function lifeTests(run: Run): void {
  run('close() finishes accepted writes, ends watches and refuses more', async (store) => {
    const recorder = new Recorder();
    store.watch('pods/', store.revision(), recorder);
    const writing = commit(store, put('pods/x'));
    const closing = store.close();
    await assert.rejects(store.transact([put('pods/y')]), (error: CaelumError) =>
      isError(error, 'unavailable'),
    );
    await Promise.all([writing, closing]);
    assert.equal(recorder.events.length, 1);
    assert.deepEqual(recorder.ends, [undefined]);
  });

  run('save() writes a copy of one revision', async (store) => {
    const folder = await mkdtemp(join(tmpdir(), 'caelum-store-'));
    try {
      await commit(store, put('pods/x'), put('pods/y'));
      const saving = store.save(join(folder, 'copy'));
      await commit(store, put('pods/z'));
      const { keys } = await saving;
      assert.equal(keys, 2);
      const text = await readFile(join(folder, 'copy'), 'utf8');
      assert.match(text, /pods\/y/);
      assert.doesNotMatch(text, /pods\/z/);
      await assert.rejects(store.save(join(folder, 'no', 'folder')), (error) =>
        isError(error, 'unavailable'),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  run('stats() counts keys and bytes', async (store) => {
    const { keys, bytes } = store.stats();
    const made = await commit(store, put('pods/x', 'long long'), put('pods/y'));
    await commit(store, put('pods/x', 'short'), del('pods/y'));
    const now = store.stats();
    assert.equal(now.keys - keys, 1);
    assert.equal(now.bytes - bytes, store.get('pods/x')?.bytes.length);
    assert.ok(now.revision > made.revision);
  });
}

/** Random transactions on both; the same answers, lists at past revisions and watches. */
async function propertyTest(store: Store, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const model = new NaiveStore(store.revision());
  const base = store.revision();
  const keys = Array.from({ length: 40 }, (_, at) => `${at % 3 === 0 ? 'pods/a' : 'nodes'}/${at}`);
  const watches: { recorder: Recorder; prefix: string; after: number }[] = [];
  const revisions = [base];
  for (let round = 0; round < 150; round++) {
    const writing: Promise<void>[] = [];
    for (let count = random.integer(8); count >= 0; count--) {
      const writes = randomWrites(random, keys, store);
      const expected = model.transact(writes);
      writing.push(
        store.transact(writes).then((answer) => {
          assert.equal(answer.kind, expected.kind);
          if (answer.kind === 'committed') assert.equal(answer.revision, expected.revision);
        }),
      );
    }
    const prefix = ['pods/', 'nodes/', 'pods/a/', 'nodes/1', ''][random.integer(5)] as string;
    const recorder = new Recorder();
    const after = revisions[random.integer(revisions.length)] as number;
    watches.push({ recorder, prefix, after });
    store.watch(prefix, after, recorder);
    await Promise.all(writing);
    revisions.push(store.revision());
    const revision = revisions[random.integer(revisions.length)] as number;
    comparePages(store, model, { prefix, revision, limit: 1 + random.integer(20) });
  }
  for (const { recorder, prefix, after } of watches)
    assert.deepEqual(recorder.lines(), model.events(prefix, after));
}

function randomWrites(random: SeededRandom, keys: readonly string[], store: Store): Write[] {
  const writes = new Map<string, Write>();
  for (let count = random.integer(3); count >= 0; count--) {
    const key = keys[random.integer(keys.length)] as string;
    const current = store.latest(key)?.revision ?? 0;
    const ifRevision = [undefined, current, 0, current + 1][random.integer(4)];
    writes.set(
      key,
      random.integer(3) === 0 ? del(key, ifRevision) : put(key, random.integer(99), ifRevision),
    );
  }
  return [...writes.values()];
}

function comparePages(
  store: Store,
  model: NaiveStore,
  { prefix, revision, limit }: { prefix: string; revision: number; limit: number },
): void {
  const expected: readonly Row[] = model.list(prefix, revision);
  const rows: Row[] = [];
  for (let after = ''; ; ) {
    const page = store.list(prefix, { revision, limit, after });
    rows.push(...page.items.map((item) => ({ key: item.key, revision: item.revision })));
    assert.equal(page.remaining, expected.length - rows.length);
    if (!page.more) break;
    after = page.items.at(-1)?.key ?? '';
  }
  assert.deepEqual(rows, expected);
}
