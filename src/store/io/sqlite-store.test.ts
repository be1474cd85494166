import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CaelumError, isError, SeededRandom, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { contract, del, put, Recorder } from '../contract.ts';
import type { Committed, Store } from '../store.ts';
import { restoreSnapshot } from './restore.ts';
import { DataFile } from './sqlite-file.ts';
import { openSqliteStore } from './sqlite-store.ts';

const open = (file: string): Promise<Store> => openSqliteStore({ file, clock: realClock, log: silentLog });

contract('SQLite store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'caelum-store-'));
  const store = await open(join(folder, 'store.db'));
  return {
    store,
    done: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

/** A folder of the test's own; every store that it opens with `opened` is closed. */
async function inFolder(
  body: (at: (name: string) => string, opened: (name: string) => Promise<Store>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'caelum-store-'));
  const stores: Store[] = [];
  const at = (name: string): string => join(folder, name);
  try {
    await body(at, async (name) => {
      const store = await open(at(name));
      stores.push(store);
      return store;
    });
  } finally {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

const rowsOf = (store: Store): [string, number, string][] =>
  store.list('').items.map((item) => [item.key, item.revision, item.bytes.toString()]);

describe('SQLite store on disk', () => {
  test('a reopened store is what it was; watches go on where nothing was missed', () =>
    inFolder(async (at, opened) => {
      const first = await opened('store.db');
      for (let count = 0; count < 300; count++) await first.transact([put(`pods/${count % 100}`, count)]);
      await first.transact([del('pods/7'), put('nodes/ünï/😀', 'x'.repeat(2_000_000))]);
      const rows = rowsOf(first);
      const revision = first.revision();
      await first.close();
      assert.equal(statSync(at('store.db')).mode & 0o777, 0o600);
      const second = await opened('store.db');
      assert.deepEqual(rowsOf(second), rows);
      assert.equal(second.revision(), revision);
      assert.throws(
        () => second.watch('pods/', revision - 1, new Recorder()),
        (error) => isError(error, 'expired'),
      );
      const recorder = new Recorder();
      second.watch('pods/', revision, recorder);
      const next = (await second.transact([put('pods/7')])) as Committed;
      assert.equal(next.revision, revision + 1);
      assert.equal(recorder.events.length, 1);
    }));

  test('a second opener is told who has the store', () =>
    inFolder(async (at, opened) => {
      await opened('store.db');
      const script = `import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
        const clock = { nowMs: () => 0, monotonicMs: () => 0 };
        try { await openSqliteStore({ file: process.argv[1], clock, log: { info() {} } }); console.log('opened'); }
        catch (error) { console.log(error.code, error.message); }
        process.exit(0);`;
      const args = ['--input-type=module', '-e', script, at('store.db')];
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
      assert.match(
        stdout,
        new RegExp(`^unavailable Cannot open store ".*": it is in use by process ${process.pid} `),
      );
      await assert.rejects(open(at('store.db')), (error) => isError(error, 'unavailable'));
    }));

  test('a folder that is not there and a file that is no store are refused', () =>
    inFolder(async (at) => {
      await assert.rejects(open(at('no/store.db')), (error) => isError(error, 'unavailable'));
      writeFileSync(at('text'), 'hello '.repeat(1000));
      await assert.rejects(open(at('text')), (error) => isError(error, 'corrupt'));
    }));
});

describe('damage', () => {
  test('a store with any byte changed is refused, or is whole', () =>
    inFolder(async (at, opened) => {
      const store = await opened('store.db');
      for (let count = 0; count < 120; count++)
        await store.transact([put(`pods/${count}`, 'y'.repeat(count * 7)), put('nodes/one', count)]);
      const rows = rowsOf(store);
      await store.close();
      const whole = readFileSync(at('store.db'));
      const random = new SeededRandom('damage');
      let refused = 0;
      const rounds = 150;
      for (let round = 0; round < rounds; round++) {
        const bytes = Buffer.from(whole);
        const offset = random.integer(bytes.length);
        bytes[offset] = (bytes[offset] as number) ^ (1 << random.integer(8));
        writeFileSync(at('damaged.db'), bytes);
        const found = loadDirectly(at('damaged.db'));
        if (found === undefined) refused++;
        else assert.deepEqual(found, rows.map(([key]) => key).sort(), `byte ${offset} of ${bytes.length}`);
        for (const suffix of ['', '-wal', '-shm']) rmSync(at(`damaged.db${suffix}`), { force: true });
      }
      assert.ok(refused > rounds / 2, `${refused} of ${rounds} were noticed`);
    }));

  test('the error names the file, the damage and the way out', () =>
    inFolder(async (at, opened) => {
      const store = await opened('store.db');
      await store.transact([put('pods/x', 'findme')]);
      await store.close();
      const bytes = readFileSync(at('store.db'));
      bytes[bytes.indexOf('findme') + 2] = 0x21;
      writeFileSync(at('store.db'), bytes);
      await assert.rejects(open(at('store.db')), (error: CaelumError) => {
        assert.equal(error.code, 'corrupt');
        assert.match(
          error.message,
          /Cannot open store ".*store\.db": row 1 \("pods\/x"\) .*checksum.*`caelum snapshot restore FILE`/,
        );
        return true;
      });
    }));

  /** The keys, or undefined when it was refused as corrupt. */
  function loadDirectly(file: string): string[] | undefined {
    let data: DataFile | undefined;
    try {
      data = new DataFile(file);
      const keys: string[] = [];
      data.load((row) => void keys.push(row.key));
      return keys.sort();
    } catch (error) {
      assert.ok(isError(error, 'corrupt'), String(error));
      return undefined;
    } finally {
      data?.close();
    }
  }
});

describe('snapshots', () => {
  test('a restored store holds the snapshot, at revisions that nobody has seen', () =>
    inFolder(async (at, opened) => {
      const store = await opened('store.db');
      await store.transact([put('pods/ä b', 'kept'), put('pods/y')]);
      await store.transact([del('pods/y')]);
      const rows = rowsOf(store);
      const saved = await store.save(at('snapshot'));
      assert.deepEqual(saved, { revision: store.revision(), keys: 1 });
      await store.transact([put('pods/later')]);
      const seen = store.revision();
      assert.throws(
        () => restoreSnapshot(at('snapshot'), at('store.db')),
        (error: CaelumError) => isError(error, 'unavailable') && /in use by this process/.test(error.message),
      );
      await store.close();
      const restored = restoreSnapshot(at('snapshot'), at('store.db'));
      assert.deepEqual([restored.keys, restored.previous], [1, at('store.db.before-restore')]);
      const again = await opened('store.db');
      assert.deepEqual(rowsOf(again), rows);
      assert.ok(again.revision() > seen);
      assert.throws(
        () => again.watch('pods/', seen, new Recorder()),
        (error) => isError(error, 'expired'),
      );
      const { revision } = (await again.transact([put('pods/z')])) as Committed;
      assert.ok(revision > restored.revision);
      const before = await opened('store.db.before-restore');
      assert.ok(before.get('pods/later'));
    }));

  test('a damaged snapshot is refused and changes nothing; a damaged store is replaced', () =>
    inFolder(async (at, opened) => {
      const store = await opened('store.db');
      await store.transact(Array.from({ length: 20 }, (_, count) => put(`pods/${count}`)));
      await store.save(at('snapshot'));
      const rows = rowsOf(store);
      await store.close();
      const whole = readFileSync(at('snapshot'));
      const random = new SeededRandom('snapshot');
      const isCorrupt = (error: unknown): boolean =>
        isError(error, 'corrupt') && error.message.includes(at('damaged'));
      for (let round = 0; round < 50; round++) {
        const bytes = Buffer.from(whole);
        const offset = random.integer(bytes.length);
        bytes[offset] = (bytes[offset] as number) ^ (1 << random.integer(8));
        writeFileSync(at('damaged'), round % 2 === 0 ? bytes : whole.subarray(0, offset));
        assert.throws(() => restoreSnapshot(at('damaged'), at('store.db')), isCorrupt);
      }
      assert.throws(
        () => restoreSnapshot(at('none'), at('store.db')),
        (error) => isError(error, 'notFound'),
      );
      writeFileSync(at('store.db'), Buffer.alloc(10_000, 'junk'));
      restoreSnapshot(at('snapshot'), at('store.db'));
      assert.deepEqual(rowsOf(await opened('store.db')), rows);
      restoreSnapshot(at('snapshot'), at('new.db'));
      assert.deepEqual(rowsOf(await opened('new.db')), rows);
    }));
});

describe('kill -9', () => {
  test('every acknowledged write is there after the writer was killed', async (t) =>
    inFolder(async (at, opened) => {
      const seed = Number(process.env['CAELUM_SEED'] ?? Date.now() % 1_000_000);
      t.diagnostic(`CAELUM_SEED=${seed}`);
      const random = new SeededRandom(seed);
      const expected = new Map<string, number>();
      let acknowledged = 0;
      let highest = 0;
      for (let round = 0; round < 5; round++) {
        const output = await writeUntilKilled(at('store.db'), round, 40 + random.integer(250));
        for (const line of output) {
          const [kind, key = '', revision = ''] = line.split(' ');
          if (kind === 'ready') {
            assert.ok(Number(key) >= highest, 'revisions never go back');
            continue;
          }
          if (kind === 'deleting') {
            // From now on it may be there or not, until the deletion is acknowledged.
            expected.delete(key);
            continue;
          }
          acknowledged++;
          expected.set(key, kind === 'put' ? Number(revision) : -1);
          highest = Math.max(highest, Number(revision));
        }
        const store = await opened('store.db');
        for (const [key, revision] of expected) {
          const found = store.get(key)?.revision ?? -1;
          // A write that came after the last acknowledged one may be there, too.
          assert.ok(found >= revision, `${key}: acknowledged at ${revision}, found ${found}`);
          if (revision < 0 && key.startsWith('pods/')) assert.equal(found, -1, `${key} was deleted`);
        }
        highest = Math.max(highest, store.revision());
        await store.close();
      }
      t.diagnostic(`${acknowledged} acknowledged writes, none missing`);
      assert.ok(acknowledged > 100, `only ${acknowledged} writes`);
    }));

  /** Killed when it has told of so many writes, however long these take. */
  async function writeUntilKilled(file: string, round: number, lines: number): Promise<string[]> {
    const program = fileURLToPath(new URL('./kill-writer.ts', import.meta.url));
    const child: ChildProcess = spawn(process.execPath, [program, file, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const exited = new Promise((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > lines) resolve();
      });
      child.on('close', () => resolve());
    });
    child.kill('SIGKILL');
    await exited;
    // The last line may be cut.
    return output.split('\n').slice(0, -1);
  }
});

describe('a full disk', () => {
  const skip = process.getuid?.() === 0 ? false : 'needs root to mount a small file system';

  test('refuses writers, loses nothing, and goes on when space returns', { skip }, () =>
    inFolder(async (at, opened) => {
      const folder = at('.');
      const mounted = spawnSync('mount', [
        '-t',
        'tmpfs',
        '-o',
        'size=2m,mode=700',
        'caelum-store-test',
        folder,
      ]);
      assert.equal(mounted.status, 0, String(mounted.stderr));
      try {
        await fillAndFree(at, opened);
      } finally {
        assert.equal(spawnSync('umount', ['-l', folder]).status, 0);
      }
    }),
  );

  async function fillAndFree(
    at: (name: string) => string,
    opened: (name: string) => Promise<Store>,
  ): Promise<void> {
    const store = await opened('store.db');
    const recorder = new Recorder();
    store.watch('', store.revision(), recorder);
    writeFileSync(at('filler'), Buffer.alloc(1_000_000));
    const acknowledged = new Map<string, number>();
    const refused = new Set<string>();
    let number = 0;
    const write = async (bytes: number): Promise<void> => {
      const key = `pods/${number++}`;
      try {
        const answer = await store.transact([put(key, 'x'.repeat(bytes), 0)]);
        acknowledged.set(key, (answer as Committed).revision);
      } catch (error) {
        assert.ok(isError(error, 'storageFull'), String(error));
        refused.add(key);
      }
    };
    while (refused.size < 40) await Promise.all(Array.from({ length: 8 }, () => write(20_000)));
    const check = (current: Store): void => {
      assert.deepEqual(
        new Map(current.list('pods/').items.map((item) => [item.key, item.revision])),
        new Map([...acknowledged].sort(([a], [b]) => (a < b ? -1 : 1))),
      );
      for (const key of refused) assert.equal(current.latest(key), undefined);
    };
    check(store);
    rmSync(at('filler'));
    const before = acknowledged.size;
    await Promise.all(Array.from({ length: 8 }, () => write(10_000)));
    assert.equal(acknowledged.size, before + 8, 'it goes on');
    check(store);
    assert.deepEqual(
      recorder.events.map((event) => event.key).sort(),
      [...acknowledged.keys()].sort(),
      'watchers saw what was acknowledged',
    );
    // As a killed process would find it: a copy of the files, opened elsewhere.
    for (const suffix of ['', '-wal'])
      copyFileSync(at(`store.db${suffix}`), `${tmpdir()}/caelum-store-copy${suffix}`);
    const copy = await open(`${tmpdir()}/caelum-store-copy`);
    try {
      check(copy);
    } finally {
      await copy.close();
      for (const suffix of ['', '-wal']) rmSync(`${tmpdir()}/caelum-store-copy${suffix}`, { force: true });
    }
    await store.close();
    check(await opened('store.db'));
    await store.close();
  }
});
