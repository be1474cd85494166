/**
 * Durable writes a second of 1 KiB objects with 64 under way, into the SQLite store.
 * Peers in the same run: a plain loop of single inserts into SQLite with the same promise (WAL, synchronous FULL), and the disk itself:
 * how often it can write and sync 4 KiB.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { openSqliteStore } from '../src/store/index.ts';
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';

const runMs = 1200;
const rounds = 4;
const underWay = 64;
const body = 'x'.repeat(960);

export const bench: Benchmark = {
  description: 'durable 1 KiB writes a second, 64 under way',
  seconds: 20,
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), 'caelum-bench-'));
    try {
      const ours: number[] = [];
      const updates: number[] = [];
      const single: number[] = [];
      const raw: number[] = [];
      const store = await openSqliteStore({
        file: join(folder, 'store.db'),
        clock: realClock,
        log: silentLog,
      });
      const put = async (key: string): Promise<void> => {
        const encode = (revision: number): Buffer => Buffer.from(JSON.stringify({ revision, body }));
        await store.transact([{ kind: 'put', key, encode }]);
      };
      const plain = openPlain(join(folder, 'plain.db'));
      let number = 0;
      for (let round = -1; round < rounds; round++) {
        const created = await rate((lane) => put(`pods/default/${lane}-${number++}`));
        const updated = await rate(() => put(`pods/default/u-${number++ % 5000}`));
        const inserted = rateSync(() => plain(`pods/default/${number++}`));
        const synced = rawSyncs(join(folder, 'raw'));
        say(
          `${Math.round(created)} creates/s, ${Math.round(updated)} updates/s, single ${Math.round(inserted)}/s`,
        );
        if (round < 0) continue;
        ours.push(created);
        updates.push(updated);
        single.push(inserted);
        raw.push(synced);
      }
      await store.close();
      const figures: Figure[] = [
        rateFigure('store creates', '1/s', ours, { name: 'SQLite, single inserts', runs: single }),
        rateFigure('store updates', '1/s', updates, { name: 'SQLite, single inserts', runs: single }),
        rateFigure('store creates over the disk', '1/s', ours, { name: '4 KiB write and sync', runs: raw }),
      ];
      return figures;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function rate(write: (lane: number) => Promise<void>): Promise<number> {
  const startMs = performance.now();
  const untilMs = startMs + runMs;
  let count = 0;
  const lane = async (number: number): Promise<void> => {
    while (performance.now() < untilMs) {
      await write(number);
      count++;
    }
  };
  await Promise.all(Array.from({ length: underWay }, (_, number) => lane(number)));
  return (count * 1000) / (performance.now() - startMs);
}

function rateSync(write: () => void): number {
  const startMs = performance.now();
  const untilMs = startMs + runMs / 2;
  let count = 0;
  for (; performance.now() < untilMs; count++) write();
  return (count * 1000) / (performance.now() - startMs);
}

function openPlain(file: string): (key: string) => void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE objects(key TEXT PRIMARY KEY, revision INTEGER, value BLOB)');
  const insert = database.prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?)');
  let revision = 0;
  return (key) => {
    revision++;
    insert.run(key, revision, Buffer.from(JSON.stringify({ revision, body })));
  };
}

function rawSyncs(file: string): number {
  const handle = openSync(file, 'w');
  const page = Buffer.alloc(4096, 1);
  let at = 0;
  try {
    return rateSync(() => {
      at = (at + 4096) % (64 << 20);
      writeSync(handle, page, 0, page.length, at);
      fdatasyncSync(handle);
    });
  } finally {
    closeSync(handle);
  }
}
