/**
 * Milliseconds until a SQLite store is open: all objects checked and in memory. Few objects, and 100,000 of 1 KiB.
 * Peer for the many: reading the same rows out of SQLite in one thread into objects, unchecked. For the few: an empty worker thread.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { openSqliteStore, type Write } from '../src/store/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const many = 100_000;
const rounds = 4;
const body = 'x'.repeat(960);

export const bench: Benchmark = {
  description: 'milliseconds to open a store of few and of 100,000 objects',
  seconds: 25,
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), 'caelum-bench-'));
    try {
      const [small, large] = [join(folder, 'small.db'), join(folder, 'large.db')];
      await fill(small, 50);
      await fill(large, many);
      const few: number[] = [];
      const empty: number[] = [];
      const all: number[] = [];
      const plain: number[] = [];
      for (let round = -1; round < rounds; round++) {
        const times = [await openMs(small), await workerMs(), await openMs(large), readMs(large)] as const;
        say(times.map((time) => `${Math.round(time)} ms`).join(', '));
        if (round < 0) continue;
        few.push(times[0]);
        empty.push(times[1]);
        all.push(times[2]);
        plain.push(times[3]);
      }
      return [
        costFigure('store open, 50 objects', 'ms', few, { name: 'an empty worker thread', runs: empty }),
        costFigure('store open, 100,000 objects', 'ms', all, { name: 'plain SELECT of all', runs: plain }),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const open = (file: string) => openSqliteStore({ file, clock: realClock, log: silentLog });

async function fill(file: string, count: number): Promise<void> {
  const store = await open(file);
  for (let from = 0; from < count; from += 1000) {
    const writes: Write[] = [];
    for (let at = from; at < Math.min(count, from + 1000); at++) {
      const encode = (revision: number): Buffer => Buffer.from(JSON.stringify({ revision, body }));
      writes.push({ kind: 'put', key: `pods/namespace-${at % 97}/pod-${at}`, encode });
    }
    await store.transact(writes);
  }
  await store.close();
}

async function openMs(file: string): Promise<number> {
  const startMs = performance.now();
  const store = await open(file);
  const tookMs = performance.now() - startMs;
  await store.close();
  return tookMs;
}

function workerMs(): Promise<number> {
  const startMs = performance.now();
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage(1)`, { eval: true });
  return new Promise((resolve) => worker.on('message', () => resolve(performance.now() - startMs)));
}

function readMs(file: string): number {
  const startMs = performance.now();
  const database = new DatabaseSync(file, { readOnly: true });
  const rows: unknown[] = [];
  for (const row of database.prepare('SELECT key, revision, value FROM objects').iterate()) rows.push(row);
  database.close();
  return performance.now() - startMs;
}
