/**
 * A copy of a store in one file, whole or absent, with checksums.
 *
 *   caelum-snapshot {"version":1,"revision":R,"keys":N}\n
 *   KEY REVISION LENGTH\n BYTES \n          N times, ordered by key
 *   sha256 HEX\n                            of all before it
 *
 * Readable with any text tool. Written from the memory of the running store, chunk by chunk, so that nobody waits for it.
 */
import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CaelumError } from '../../lib/index.ts';
import { syncFolder } from '../../lib/io/durable-file.ts';
import type { Version } from '../version.ts';

export const snapshotMagic = 'caelum-snapshot ';
const chunkBytes = 1 << 20;

export interface SnapshotHead {
  readonly version: 1;
  readonly revision: number;
  readonly keys: number;
}

export async function saveSnapshot(
  file: string,
  { revision, versions }: { readonly revision: number; readonly versions: readonly Version[] },
): Promise<void> {
  const beside = `${file}.${process.pid}.new`;
  try {
    const handle = await open(beside, 'w', 0o600);
    try {
      const hash = createHash('sha256');
      for (const chunk of chunksOf({ version: 1, revision, keys: versions.length }, versions)) {
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
      await handle.writeFile(`sha256 ${hash.digest('hex')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    syncFolder(dirname(file));
  } catch (error) {
    await rm(beside, { force: true });
    const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new CaelumError(isFull ? 'storageFull' : 'unavailable', `Cannot save snapshot "${file}"`, {
      cause: error,
    });
  }
}

function* chunksOf(head: SnapshotHead, versions: readonly Version[]): Generator<Buffer> {
  let parts: Buffer[] = [Buffer.from(`${snapshotMagic}${JSON.stringify(head)}\n`)];
  let size = 0;
  const newline = Buffer.from('\n');
  for (const { key, revision, bytes } of versions) {
    parts.push(Buffer.from(`${key} ${revision} ${bytes.length}\n`), bytes, newline);
    size += bytes.length;
    if (size < chunkBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}
