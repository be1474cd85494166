/**
 * A disk with a data file on it, and the thread that owns the file: the real group writer and the real self-check of the file over a
 * simulated SQLite, which commits whole transactions or nothing.
 *
 * The disk can be slow, stall, be full, refuse writes, fail a sync (then it is open what it holds), and flip a bit. It outlives processes.
 * When the process dies while a transaction is on its way, chance decides whether that reached the disk; it was not acknowledged.
 */
import type { SimulatedClock } from '../../lib/index.ts';
import { CaelumError, type Random } from '../../lib/index.ts';
import type { StoreThread, ThreadListener } from '../../store/index.ts';
import { claimedState, emptyState, FileCheck, type FileState } from '../../store/io/file-state.ts';
import { type FromWorker, GroupWriter, type ToWorker } from '../../store/io/group-writer.ts';
import { type PackedRow, Packer } from '../../store/io/packing.ts';
import { codeOf } from '../../store/io/sqlite-file.ts';
import type { Life } from '../life.ts';

export interface DiskWeather {
  /** A commit with its sync takes between these, milliseconds. */
  syncMs: readonly [number, number];
  isFull: boolean;
  refusesWrites: boolean;
  /** The next sync fails, once. */
  failsSync: boolean;
  /** Nothing is written before this time (monotonic). */
  stalledUntilMs: number;
}

/** SQLite's result codes: SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC. */
const sqliteCodes = { full: 13, write: 778, sync: 1034 } as const;

export class SimDisk {
  rows = new Map<number, PackedRow>();
  state: FileState = emptyState;
  readonly weather: DiskWeather = {
    syncMs: [0.3, 3],
    isFull: false,
    refusesWrites: false,
    failsSync: false,
    stalledUntilMs: 0,
  };
  commits = 0;
  /** Keys that are written and of which the store has not heard yet; when it dies before, it learns of them when it reads the file again. */
  readonly unheard = new Set<string>();
  readonly #beforeFlip = new Map<number, PackedRow>();

  /** All or nothing. undefined: the row goes. */
  apply(changes: ReadonlyMap<number, PackedRow | undefined>, state: FileState): void {
    for (const [id, row] of changes) {
      const key = row?.key ?? this.rows.get(id)?.key;
      if (key !== undefined) this.unheard.add(key);
      if (row === undefined) this.rows.delete(id);
      else this.rows.set(id, row);
      this.#beforeFlip.delete(id);
    }
    this.state = state;
    this.commits++;
  }

  /** Turns one bit of one row. False when there is no row. */
  flipBit(random: Random): boolean {
    const ids = [...this.rows.keys()];
    const row = this.rows.get(ids[random.integer(Math.max(1, ids.length))] ?? -1);
    if (row === undefined) return false;
    if (!this.#beforeFlip.has(row.id)) this.#beforeFlip.set(row.id, row);
    const value = Buffer.from(row.value);
    const at = random.integer(value.length);
    value[at] = (value[at] ?? 0) ^ (1 << random.integer(8));
    this.rows.set(row.id, { ...row, value });
    return true;
  }

  get isDamaged(): boolean {
    return this.#beforeFlip.size > 0;
  }

  /** What an operator does with a damaged file: the bits as they were. */
  repair(): void {
    for (const [id, row] of this.#beforeFlip) this.rows.set(id, row);
    this.#beforeFlip.clear();
  }
}

function diskError(code: number, message: string): Error {
  return Object.assign(new Error(message), { errcode: code });
}

/** One open handle on the file: transactions over the disk. */
function openData(disk: SimDisk, random: Random) {
  let changes = new Map<number, PackedRow | undefined>();
  let state = disk.state;
  return {
    begin(): void {
      changes = new Map();
      state = disk.state;
    },
    put: (row: PackedRow): void => void changes.set(row.id, { ...row, value: Buffer.from(row.value) }),
    delete: (id: number): void => void changes.set(id, undefined),
    writeState(next: FileState): void {
      state = next;
    },
    commit(): void {
      const { weather } = disk;
      if (weather.isFull) throw diskError(sqliteCodes.full, 'database or disk is full');
      if (weather.refusesWrites) throw diskError(sqliteCodes.write, 'disk I/O error');
      const isLost = weather.failsSync && random.integer(2) === 0;
      if (!isLost) disk.apply(changes, state);
      if (!weather.failsSync) return;
      weather.failsSync = false;
      throw diskError(sqliteCodes.sync, 'disk I/O error: sync');
    },
    rollback(): void {},
    reopen(): void {},
    readState: (): FileState => disk.state,
    checkpoint(): void {},
    close(): void {},
  };
}

const file = 'store.db';

/** The thread of the store in one life of the API server. */
export function startSimThread(
  disk: SimDisk,
  life: Life,
  clock: SimulatedClock,
  random: Random,
): StoreThread {
  let listener: ThreadListener | undefined;
  let writer: GroupWriter | undefined;
  let queue: ToWorker[] = [];
  let isWorking = false;
  let hasStopped = false;
  const say = (message: FromWorker): void => {
    clock.after(0, () => {
      if (!life.isAlive) return;
      if (message.kind === 'durable') disk.unheard.clear();
      listener?.onMessage(message);
    });
  };
  const end = (): void => {
    hasStopped = true;
    clock.after(0, () => {
      if (life.isAlive) listener?.onEnd(undefined);
    });
  };
  const pump = (): void => {
    if (isWorking || hasStopped || writer === undefined || queue.length === 0) return;
    isWorking = true;
    const [least, most] = disk.weather.syncMs;
    const stallMs = Math.max(0, disk.weather.stalledUntilMs - clock.monotonicMs());
    clock.after(stallMs + least + random.float() * (most - least), () => {
      if (!life.isAlive) return;
      isWorking = false;
      const first = queue.shift();
      if (first !== undefined) writer?.work(first);
      if (writer?.isClosed) end();
      pump();
    });
  };
  life.onEnd(() => {
    // What was being written may be on the disk or not.
    const first = queue.shift();
    if (!isWorking || hasStopped || first === undefined || writer === undefined) return;
    if (random.integer(2) === 0) writer.work(first);
    queue = [];
  });
  const load = (): void => {
    try {
      const check = new FileCheck(file, disk.state);
      const rows = [...disk.rows.values()];
      for (const row of rows) check.row(row);
      check.end();
      for (const row of rows) {
        const packer = new Packer(Packer.rowBytes(row.key, row.value.length));
        packer.add(row);
        say({ kind: 'chunk', ...packer.take() });
      }
      const data = openData(disk, random);
      const state = claimedState(disk.state);
      data.begin();
      data.writeState(state);
      try {
        data.commit();
      } catch (error) {
        if (codeOf(error) !== 'storageFull') throw error;
        data.reopen();
      }
      writer = new GroupWriter({
        data,
        state,
        say,
        next: () => queue.shift(),
        stop: end,
        after: (delayMs, action) => clock.after(delayMs, () => life.isAlive && action()),
      });
      say({ kind: 'ready', state });
      pump();
    } catch (error) {
      const message =
        error instanceof CaelumError ? error.message : `Cannot open store "${file}": ${String(error)}`;
      say({ kind: 'cannotOpen', code: codeOf(error), message });
    }
  };
  clock.after(1, () => {
    if (life.isAlive) load();
  });
  return {
    send(message) {
      if (!life.isAlive) return;
      queue.push(message);
      pump();
    },
    listen(next) {
      listener = next;
    },
    terminate() {
      hasStopped = true;
      return Promise.resolve();
    },
  };
}
