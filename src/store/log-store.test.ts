import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaelumError, isError, SimulatedClock } from '../lib/index.ts';
import { put, Recorder } from './contract.ts';
import type { Change } from './history.ts';
import { createLogStore, type Durability } from './log-store.ts';
import { ObjectIndex } from './object-index.ts';

interface Submitted {
  readonly keys: readonly string[];
  readonly revision: number;
  readonly settle: (error?: CaelumError) => void;
}

/** A durability that does what the test says, when it says so. */
function setUp() {
  const submitted: Submitted[] = [];
  const flushes: (() => void)[] = [];
  const durability: Durability = {
    schedule: (flush) => void flushes.push(flush),
    submit: (changes: readonly Change[], revision) =>
      new Promise((resolve, reject) => {
        const settle = (error?: CaelumError): void => (error === undefined ? resolve() : reject(error));
        submitted.push({ keys: changes.map((change) => change.key), revision, settle });
      }),
    close: () => Promise.resolve(),
  };
  const index = new ObjectIndex({ clock: new SimulatedClock(), revision: 10 });
  const save = (): Promise<void> => Promise.resolve();
  const store = createLogStore({ index, durability, save, nextId: 1 });
  const flush = (): void => {
    for (const one of flushes.splice(0)) one();
  };
  return { store, submitted, flush };
}

/** What became of a promise so far. */
function follow(promise: Promise<unknown>): { state: string } {
  const followed = { state: 'waiting' };
  promise.then(
    (answer) => {
      followed.state = (answer as { kind: string }).kind;
    },
    (error: unknown) => {
      followed.state = isError(error) ? error.code : String(error);
    },
  );
  return followed;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const full = new CaelumError('storageFull', 'full');

test('writes of one turn share a batch; nothing is seen or answered before it is durable', async () => {
  const { store, submitted, flush } = setUp();
  const recorder = new Recorder();
  store.watch('pods/', 10, recorder);
  const answers = [follow(store.transact([put('pods/a')])), follow(store.transact([put('pods/b')]))];
  flush();
  await settled();
  assert.deepEqual(
    submitted.map(({ keys, revision }) => [keys, revision]),
    [[['pods/a', 'pods/b'], 12]],
  );
  assert.deepEqual([store.get('pods/a'), store.revision(), recorder.calls], [undefined, 10, 0]);
  assert.equal(store.latest('pods/a')?.revision, 11);
  assert.deepEqual(
    answers.map(({ state }) => state),
    ['waiting', 'waiting'],
  );
  submitted[0]?.settle();
  await settled();
  assert.deepEqual([store.get('pods/b')?.revision, store.revision(), recorder.calls], [12, 12, 1]);
  assert.deepEqual(
    answers.map(({ state }) => state),
    ['committed', 'committed'],
  );
});

test('answers that rest on an accepted write wait for it, and fail with it', async () => {
  const { store, submitted, flush } = setUp();
  const first = follow(store.transact([put('pods/a', 1, 0)]));
  const blocked = follow(store.transact([put('pods/a', 2, 0)]));
  flush();
  const nothing = follow(store.transact([{ kind: 'delete', key: 'pods/none' }]));
  await settled();
  assert.deepEqual([first.state, blocked.state, nothing.state], ['waiting', 'waiting', 'waiting']);
  submitted[0]?.settle(full);
  await settled();
  assert.deepEqual(
    [first.state, blocked.state, nothing.state],
    ['storageFull', 'storageFull', 'storageFull'],
  );
  const free = follow(store.transact([put('pods/a', 3, 0)]));
  flush();
  submitted[1]?.settle();
  await settled();
  assert.equal(free.state, 'committed');
});

test('transact() of nothing answers when all before it is durable, and fails with what is refused', async () => {
  const { store, submitted, flush } = setUp();
  assert.equal((await store.transact([])).kind, 'committed');
  void store.transact([put('pods/a')]).catch(() => {});
  const barrier = follow(store.transact([]));
  flush();
  await settled();
  assert.equal(barrier.state, 'waiting');
  submitted[0]?.settle(full);
  await settled();
  assert.equal(barrier.state, 'storageFull');
});

test('a failed batch takes all that came after it along; revisions are burnt; the store goes on', async () => {
  const { store, submitted, flush } = setUp();
  const recorder = new Recorder();
  store.watch('pods/', 10, recorder);
  const one = follow(store.transact([put('pods/x', 1)]));
  flush();
  const two = follow(store.transact([put('pods/x', 2, store.latest('pods/x')?.revision ?? -1)]));
  flush();
  const three = follow(store.transact([put('pods/y')]));
  const four = follow(store.transact([put('pods/z', 4, 0)]));
  submitted[0]?.settle();
  await settled();
  submitted[1]?.settle(full);
  await settled();
  // The durable layer refuses what it had been given by then, too.
  submitted[2]?.settle(full);
  flush();
  await settled();
  assert.deepEqual(
    [one, two, three, four].map(({ state }) => state),
    ['committed', 'storageFull', 'storageFull', 'storageFull'],
  );
  assert.equal(store.latest('pods/x'), store.get('pods/x'));
  assert.deepEqual(
    [store.latest('pods/y'), store.latest('pods/z'), store.revision()],
    [undefined, undefined, 11],
  );
  const five = follow(store.transact([put('pods/x', 5, 11)]));
  flush();
  assert.equal(submitted.length, 3, 'refused writes are not sent');
  submitted.at(-1)?.settle();
  await settled();
  assert.deepEqual([five.state, store.revision()], ['committed', 15]);
  assert.deepEqual(recorder.lines(), ['put pods/x 11', 'put pods/x 15']);
});

test('history is bounded by events, bytes and time', async () => {
  const clock = new SimulatedClock();
  const limits = { keepEvents: 5, keepMs: 1000, maxEvents: 20, maxBytes: 100_000 };
  const { ObjectIndex: Index } = await import('./object-index.ts');
  const { Version } = await import('./version.ts');
  const index = new Index({ clock, revision: 0, limits });
  let revision = 0;
  const write = (bytes = 10): void => {
    revision++;
    const previous = index.get('pods/x');
    const current = new Version('pods/x', revision, Buffer.alloc(bytes, ' '), 1);
    index.apply([{ kind: 'put', key: 'pods/x', revision, current, previous }], revision);
  };
  for (let count = 0; count < 30; count++) write();
  assert.equal(index.stats().compactedRevision, 10, 'never more than maxEvents');
  await clock.advance(2000);
  write();
  assert.equal(index.stats().compactedRevision, 26, 'old ones go, all but keepEvents');
  write(99_000);
  assert.equal(index.stats().compactedRevision, 29, 'never more than maxBytes');
  const recorder = new Recorder();
  index.watch('pods/', 29, recorder);
  assert.deepEqual(recorder.lines(), ['put pods/x 30', 'put pods/x 31', 'put pods/x 32']);
});
