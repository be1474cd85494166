import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyState, type FileState } from './file-state.ts';
import { type FromWorker, GroupWriter, type GroupWriterOptions, type ToWorker } from './group-writer.ts';
import { Packer } from './packing.ts';

const sqliteError = (errcode: number): Error => Object.assign(new Error(`error ${errcode}`), { errcode });
const full = 13;
const failedSync = 1034;

/** A data file that fails as told. */
function setUp(arrived: ToWorker[] = []) {
  const done: string[] = [];
  const said: FromWorker[] = [];
  const failing: { begin?: Error; put?: Error; commit?: Error; reopen?: Error } = {};
  let onDisk = emptyState;
  /** What a commit that failed left behind. */
  let leavesBehind = false;
  let written = emptyState;
  const step = (name: 'begin' | 'put' | 'commit' | 'reopen') => (): void => {
    done.push(name);
    const error = failing[name];
    if (error !== undefined) throw error;
    if (name === 'commit') onDisk = written;
  };
  const data: GroupWriterOptions['data'] = {
    begin: step('begin'),
    put: step('put'),
    delete: () => {},
    writeState: (state: FileState) => {
      written = state;
    },
    commit: () => {
      if (leavesBehind) onDisk = written;
      step('commit')();
    },
    rollback: () => void done.push('rollback'),
    reopen: step('reopen'),
    readState: () => onDisk,
    checkpoint: () => {},
    close: () => void done.push('close'),
  };
  const writer = new GroupWriter({
    data,
    state: emptyState,
    say: (message) => void said.push(message),
    next: () => arrived.shift(),
    stop: () => void done.push('stop'),
  });
  const leaveBehind = (): void => {
    leavesBehind = true;
  };
  return { writer, done, said, failing, leaveBehind };
}

function batch(number: number, run = 0): ToWorker {
  const row = { id: number, revision: number, sum: 0, key: `pods/${number}`, value: Buffer.from('{}') };
  const packer = new Packer(Packer.rowBytes(row.key, 2));
  packer.add(row);
  return { kind: 'batch', number, run, ...packer.take(), state: { ...emptyState, revision: number + 1 } };
}

const kinds = (said: readonly FromWorker[]): string[] => said.map((message) => message.kind);

test('batches that have arrived share one transaction', () => {
  const { writer, done, said } = setUp([batch(2), batch(3)]);
  writer.work(batch(1));
  assert.deepEqual(done, ['begin', 'put', 'put', 'put', 'commit']);
  assert.deepEqual(said, [{ kind: 'durable', number: 3 }]);
});

test('a full disk refuses the run, drops what was sent with it, and the next run is tried', () => {
  for (const stage of ['begin', 'put', 'commit'] as const) {
    const { writer, said, failing } = setUp();
    failing[stage] = sqliteError(full);
    writer.work(batch(1));
    assert.deepEqual(said, [{ kind: 'refused', run: 0, code: 'storageFull', message: 'error 13' }]);
    delete failing[stage];
    writer.work(batch(2));
    assert.equal(said.length, 1, 'a batch of a refused run is dropped');
    writer.work(batch(3, 1));
    assert.deepEqual(said[1], { kind: 'durable', number: 3 });
  }
});

test('a commit that failed and yet is in the file, or cannot be looked for, stops everything', () => {
  const there = setUp();
  there.leaveBehind();
  there.failing.commit = sqliteError(full);
  there.writer.work(batch(1));
  assert.deepEqual([kinds(there.said), there.done.at(-1)], [['unclear'], 'stop']);

  const blind = setUp();
  blind.failing.commit = sqliteError(full);
  blind.failing.reopen = sqliteError(10);
  blind.writer.work(batch(1));
  assert.deepEqual([kinds(blind.said), blind.done.at(-1)], [['unclear'], 'stop']);
  delete blind.failing.commit;
  blind.writer.work(batch(2, 1));
  assert.deepEqual(kinds(blind.said), ['unclear'], 'nothing is written after that');
});

test('a failed sync is never taken for an answer: the kernel may have forgotten the data', () => {
  const { writer, said, done, failing } = setUp();
  failing.commit = sqliteError(failedSync);
  writer.work(batch(1));
  assert.deepEqual(kinds(said), ['unclear']);
  assert.ok(done.includes('stop') && !done.includes('reopen'));
});

test('close writes the last state and is final', () => {
  const { writer, said, done } = setUp([{ kind: 'close' }]);
  writer.work(batch(1));
  assert.deepEqual(kinds(said), ['durable', 'closed']);
  assert.deepEqual([done.at(-1), writer.isClosed], ['close', true]);
});
