/**
 * Makes a data file from a snapshot. The running store is never touched: the new file is built beside, checked, and renamed over.
 *
 *   snapshot ──verify──▶ data file `.new` ──▶ old file linked to `.before-restore` ──▶ renamed
 *
 * Invariants: a damaged snapshot changes nothing. Revisions jump beyond everything that clients can have seen, and nothing before can
 * be watched from, so that nobody sees time run backwards.
 */
import { createHash } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { CaelumError } from '../../lib/index.ts';
import { syncFolder } from '../../lib/io/durable-file.ts';
import { checksumOf } from './packing.ts';
import { type SnapshotHead, snapshotMagic } from './snapshot.ts';
import { codeOf, DataFile } from './sqlite-file.ts';

/** More revisions than any store gives between a snapshot and its restore. */
const jumpFromSnapshot = 1_000_000_000;
const jumpFromStore = 1_000_000;

export interface Restored {
  readonly revision: number;
  readonly keys: number;
  /** Where the store that was there has been kept. */
  readonly previous: string | undefined;
}

/** Throws `corrupt` for a damaged snapshot, `unavailable` while a process has the store open. */
export function restoreSnapshot(file: string, dataFile: string): Restored {
  const rows = readSnapshot(file);
  const old = releaseOld(dataFile);
  const beside = `${dataFile}.restore`;
  removeFiles(beside);
  try {
    const revision = Math.max(rows.head.revision + jumpFromSnapshot, old + jumpFromStore);
    build(beside, rows, revision);
    const previous = keepOld(dataFile);
    renameSync(beside, dataFile);
    syncFolder(dirname(dataFile));
    return { revision, keys: rows.head.keys, previous };
  } catch (error) {
    removeFiles(beside);
    throw error;
  }
}

interface SnapshotRow {
  readonly key: string;
  readonly revision: number;
  readonly value: Buffer;
}

interface Snapshot {
  readonly head: SnapshotHead;
  readonly rows: readonly SnapshotRow[];
}

/** The whole snapshot, checked against its checksum. */
export function readSnapshot(file: string): Snapshot {
  const bad = (what: string, cause?: unknown): CaelumError =>
    new CaelumError('corrupt', `Cannot restore snapshot "${file}": ${what}; use another snapshot`, { cause });
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new CaelumError('notFound', `Cannot restore snapshot "${file}": it cannot be read`, {
      cause: error,
    });
  }
  const trailer = `sha256 ${'0'.repeat(64)}\n`.length;
  if (!bytes.subarray(0, snapshotMagic.length).equals(Buffer.from(snapshotMagic)))
    throw bad('it is not a snapshot of Caelum');
  const body = bytes.subarray(0, -trailer);
  const expected = `sha256 ${createHash('sha256').update(body).digest('hex')}\n`;
  if (bytes.subarray(-trailer).toString('latin1') !== expected)
    throw bad('it is damaged or cut short (its checksum does not match)');
  try {
    return parse(body);
  } catch (error) {
    throw bad('it does not read as its format says', error);
  }
}

function parse(body: Buffer): Snapshot {
  let at = 0;
  const line = (): string => {
    const end = body.indexOf(0x0a, at);
    const text = body.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  const head = JSON.parse(line().slice(snapshotMagic.length)) as SnapshotHead;
  if (head.version !== 1) throw new Error(`its version is ${String(head.version)}`);
  const rows: SnapshotRow[] = [];
  while (at < body.length) {
    const [, key = '', revision, length] = /^(.*) (\d+) (\d+)$/.exec(line()) ?? [];
    if (length === undefined) throw new Error(`row ${rows.length} has no head`);
    rows.push({ key, revision: Number(revision), value: body.subarray(at, at + Number(length)) });
    at += Number(length) + 1;
  }
  if (rows.length !== head.keys) throw new Error(`${rows.length} rows, not ${head.keys}`);
  return { head, rows };
}

/** Makes sure that nobody runs on the store that is there, puts its log into the file, and answers its revision (0: unknown). */
function releaseOld(dataFile: string): number {
  if (!existsSync(dataFile)) return 0;
  try {
    const data = new DataFile(dataFile);
    try {
      return data.readState().revision;
    } finally {
      data.close();
    }
  } catch (error) {
    if (codeOf(error) === 'corrupt') return 0;
    const text = error instanceof Error ? error.message.replace(/^Cannot open store [^:]*: /, '') : '';
    throw new CaelumError('unavailable', `Cannot restore into "${dataFile}": ${text}; stop it first`, {
      cause: error,
    });
  }
}

function keepOld(dataFile: string): string | undefined {
  if (!existsSync(dataFile)) return undefined;
  const previous = `${dataFile}.before-restore`;
  removeFiles(previous);
  // A log that is left belongs to a file that could not be opened; it must not be taken for the new file's.
  if (existsSync(`${dataFile}-wal`)) renameSync(`${dataFile}-wal`, `${previous}-wal`);
  linkSync(dataFile, previous);
  return previous;
}

function build(file: string, { head, rows }: Snapshot, revision: number): void {
  const data = new DataFile(file);
  try {
    data.begin();
    let fingerprint = 0;
    rows.forEach((row, index) => {
      const id = index + 1;
      const sum = checksumOf(id, row.revision, row.key, row.value);
      fingerprint ^= sum;
      data.put({ ...row, id, sum });
    });
    data.writeState({
      revision,
      compacted: revision,
      keys: head.keys,
      fingerprint: fingerprint >>> 0,
      lastId: rows.length,
      clean: true,
    });
    data.commit();
  } finally {
    data.close();
  }
}

function removeFiles(file: string): void {
  for (const suffix of ['', '-wal', '-journal']) rmSync(`${file}${suffix}`, { force: true });
}
