/**
 * The data file: what is in it, how it is opened, checked and written. Synchronous; used by the store's worker thread and by restore.
 *
 *   objects  one row a key, by a number that the store gives (no index on the key: the store has all keys in memory)
 *   state    one row: the revision, and how many rows with which checksums there must be
 *
 * The file is locked by SQLite's own exclusive lock, which goes with the process, however it dies. Beware: closing any other handle on
 * the file in this process would drop that lock (POSIX), so nobody else opens it.
 * Invariants: a transaction writes its rows and `state` together; a file that does not add up is refused, never half read.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CaelumError, type ErrorCode } from '../../lib/index.ts';
import { syncFolder } from '../../lib/io/durable-file.ts';
import { damagedFile, emptyState, FileCheck, type FileState, stateSum, wayOut } from './file-state.ts';
import { lockHolder } from './lock-holder.ts';
import type { PackedRow } from './packing.ts';

/** `CAEL`, where the `file` command looks. */
const applicationId = 0x4341454c;
const formatVersion = 1;

export class DataFile {
  readonly file: string;
  #database: DatabaseSync;
  #put: StatementSync;
  #delete: StatementSync;
  #state: StatementSync;

  /** Opens or creates. Throws `unavailable` when another process has it, `corrupt` when it is damaged. */
  constructor(file: string) {
    this.file = file;
    try {
      if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
      this.#database = connect(file);
      try {
        prepareSchema(this.#database);
      } catch (error) {
        this.#database.close();
        throw error;
      }
    } catch (error) {
      throw openError(file, error);
    }
    [this.#put, this.#delete, this.#state] = this.#prepare();
  }

  /** All rows and the state, checked. Throws `corrupt`. */
  load(each: (row: PackedRow) => void): FileState {
    try {
      const state = this.readState();
      const check = new FileCheck(this.file, state);
      const select = this.#database.prepare('SELECT id, revision, sum, key, value FROM objects ORDER BY id');
      select.setReturnArrays(true);
      for (const row of select.iterate() as Iterable<unknown>) {
        const [id, revision, sum, key, value] = row as [number, number, number, string, Uint8Array];
        const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
        const packed: PackedRow = { id, revision, sum, key, value: bytes };
        check.row(packed);
        each(packed);
      }
      check.end();
      return state;
    } catch (error) {
      throw openError(this.file, error);
    }
  }

  readState(): FileState {
    const row = this.#database.prepare('SELECT * FROM state').get() as Record<string, number> | undefined;
    if (row === undefined) throw damagedFile(this.file, 'its state is missing');
    const { revision = 0, compacted = 0, keys = 0, fingerprint = 0, last_id: lastId = 0 } = row;
    const state = { revision, compacted, keys, fingerprint, lastId, clean: row['clean'] === 1 };
    if (row['sum'] !== stateSum(state)) throw damagedFile(this.file, 'its state does not match its checksum');
    return state;
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  put({ id, revision, sum, key, value }: PackedRow): void {
    this.#put.run(id, revision, sum, key, value);
  }

  delete(id: number): void {
    this.#delete.run(id);
  }

  writeState(state: FileState): void {
    const { revision, compacted, keys, fingerprint, lastId, clean } = state;
    this.#state.run(revision, compacted, keys, fingerprint, lastId, clean ? 1 : 0, stateSum(state));
  }

  /** Durable when it returns. */
  commit(): void {
    this.#database.exec('COMMIT');
  }

  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  /** Moves what the write-ahead log holds into the file proper. */
  checkpoint(): void {
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** Forgets everything known of the file and reads it as a new process would. */
  reopen(): void {
    this.#database.close();
    this.#database = connect(this.file);
    [this.#put, this.#delete, this.#state] = this.#prepare();
  }

  close(): void {
    this.#database.close();
  }

  #prepare(): [StatementSync, StatementSync, StatementSync] {
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    return [
      prepare('INSERT OR REPLACE INTO objects(id, revision, sum, key, value) VALUES (?, ?, ?, ?, ?)'),
      prepare('DELETE FROM objects WHERE id = ?'),
      prepare(
        'INSERT OR REPLACE INTO state(id, revision, compacted, keys, fingerprint, last_id, clean, sum) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
      ),
    ];
  }
}

function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Exclusive before anything is read: then the log's index lives in this process, and there is no third file.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA page_size = 4096');
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    // Checkpoints are made between batches, when it is quiet.
    database.exec('PRAGMA wal_autocheckpoint = 0');
    database.exec('PRAGMA journal_size_limit = 67108864');
    database.exec('PRAGMA cache_size = -16384');
    database.exec('PRAGMA temp_store = MEMORY');
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function prepareSchema(database: DatabaseSync): void {
  const read = (pragma: string): unknown =>
    Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  if (read('application_id') === applicationId) {
    const version = read('user_version');
    if (version === formatVersion) return;
    throw new CaelumError('corrupt', `its format is ${String(version)}, this program knows ${formatVersion}`);
  }
  if (read('schema_version') !== 0) throw new CaelumError('corrupt', 'it is not a store of Caelum');
  database.exec(`
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${formatVersion};
    CREATE TABLE objects(id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, sum INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL);
    CREATE TABLE state(id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, compacted INTEGER NOT NULL, keys INTEGER NOT NULL,
      fingerprint INTEGER NOT NULL, last_id INTEGER NOT NULL, clean INTEGER NOT NULL, sum INTEGER NOT NULL);
    INSERT INTO state VALUES (1, 1, 1, 0, 0, 0, 1, ${stateSum(emptyState)});
    COMMIT;
  `);
  syncFolder(dirname(database.location() ?? '.'));
}

function openError(file: string, error: unknown): CaelumError {
  if (error instanceof CaelumError && error.message.startsWith('Cannot open')) return error;
  const cannot = `Cannot open store "${file}"`;
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  if (error instanceof CaelumError) return new CaelumError(code, `${cannot}: ${message}`);
  if (primaryCode(error) === 5 || primaryCode(error) === 15)
    return new CaelumError('unavailable', `${cannot}: it is in use by ${lockHolder(statSync(file))}`);
  if (code === 'corrupt') return new CaelumError(code, `${cannot}: ${message}; ${wayOut}`, { cause: error });
  return new CaelumError(code, `${cannot}: ${message}`, { cause: error });
}

/** SQLite's result code without its extension. https://www.sqlite.org/rescode.html */
function primaryCode(error: unknown): number {
  return extendedCode(error) & 0xff;
}

export function extendedCode(error: unknown): number {
  return (error as { errcode?: number } | undefined)?.errcode ?? 0;
}

export function codeOf(error: unknown): ErrorCode {
  if (error instanceof CaelumError) return error.code;
  const system = (error as NodeJS.ErrnoException | undefined)?.code;
  if (system === 'ENOSPC' || system === 'EDQUOT') return 'storageFull';
  switch (primaryCode(error)) {
    case 13:
      return 'storageFull';
    case 11:
    case 26:
      return 'corrupt';
    default:
      return 'unavailable';
  }
}

/** Whether an error of COMMIT leaves it open what the disk holds: a failed sync may be forgotten by the kernel. */
export function isUnclear(error: unknown): boolean {
  const syncs = [1034, 1290, 1546, 4106]; // IOERR_FSYNC, IOERR_DIR_FSYNC, IOERR_TRUNCATE, IOERR_CLOSE
  return syncs.includes(extendedCode(error));
}
