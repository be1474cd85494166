/**
 * Blobs by their digest: written beside, hashed while they are written, synced, renamed. What has a name is whole.
 *
 * A fetch that was cut off is resumed from its partial file; two fetches of one blob, also in two processes, are one.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import { syncFolder } from '../../../lib/io/durable-file.ts';
import type { ImageDirectory } from './directory.ts';

/** Answers the blob's bytes from `offset` on, or from 0 when the other side cannot resume. */
export type Source = (
  offset: number,
) => Promise<{ readonly offset: number; readonly body: AsyncIterable<Buffer> }>;

export class BlobStore {
  readonly #directory: ImageDirectory;
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(directory: ImageDirectory) {
    this.#directory = directory;
  }

  has(digest: string): boolean {
    return existsSync(this.#directory.blob(digest));
  }

  path(digest: string): string {
    return this.#directory.blob(digest);
  }

  async read(digest: string): Promise<Buffer> {
    return readFile(this.#directory.blob(digest));
  }

  readNow(digest: string): Buffer {
    return readFileSync(this.#directory.blob(digest));
  }

  size(digest: string): number {
    return statSync(this.#directory.blob(digest)).size;
  }

  /** Keeps bytes that are at hand; answers their digest. */
  async put(bytes: Buffer): Promise<string> {
    const digest = digestOf(bytes);
    if (this.has(digest)) return digest;
    const path = this.#directory.scratch('blob');
    const file = await open(path, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#publish(path, digest);
    return digest;
  }

  /** Takes over a file whose digest is known already. */
  async adopt(path: string, digest: string): Promise<void> {
    if (this.has(digest)) {
      await rm(path, { force: true });
      return;
    }
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#publish(path, digest);
  }

  /** Makes sure that the blob is here. `onBytes` hears how far it is. Throws `corrupt` when the bytes are others. */
  fetch(
    digest: string,
    sizeBytes: number | undefined,
    source: Source,
    onBytes: (doneBytes: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<void> {
    const running = this.#fetching.get(digest);
    // The first asker's signal must not cancel the others' fetch: they try for themselves then.
    if (running !== undefined)
      return running.catch((error: unknown) => {
        if ((error as Error).name !== 'AbortError' || signal?.aborted) throw error;
        return this.fetch(digest, sizeBytes, source, onBytes, signal);
      });
    const fetch = this.#directory
      .alone(`blob-${digest.slice(7)}`, () => this.#fetch(digest, sizeBytes, source, onBytes, signal), signal)
      .finally(() => this.#fetching.delete(digest));
    this.#fetching.set(digest, fetch);
    return fetch;
  }

  async #fetch(
    digest: string,
    sizeBytes: number | undefined,
    source: Source,
    onBytes: (doneBytes: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.has(digest)) return;
    const path = this.#directory.partial(digest);
    let { hash, offset } = await hashFile(path);
    if (sizeBytes !== undefined && offset > sizeBytes) {
      await rm(path, { force: true });
      ({ hash, offset } = await hashFile(path));
    }
    if (sizeBytes === undefined || offset < sizeBytes || offset === 0) {
      const answer = await source(offset);
      if (answer.offset !== offset) {
        offset = 0;
        hash = createHash('sha256');
      }
      const file = await open(path, offset === 0 ? 'w' : 'a', 0o644);
      try {
        for await (const chunk of answer.body) {
          signal?.throwIfAborted();
          offset += chunk.length;
          if (sizeBytes !== undefined && offset > sizeBytes) break;
          hash.update(chunk);
          await file.writeFile(chunk);
          onBytes(offset);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      if (sizeBytes !== undefined && offset < sizeBytes)
        throw new CaelumError(
          'unavailable',
          `Cannot fetch blob "${digest}": cut off at ${offset} of ${sizeBytes} bytes`,
        );
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== digest || (sizeBytes !== undefined && offset !== sizeBytes)) {
      rmSync(path, { force: true });
      throw new CaelumError('corrupt', `Cannot keep blob "${digest}": its content has digest ${found}`);
    }
    await this.#publish(path, digest);
  }

  async #publish(from: string, digest: string): Promise<void> {
    const to = this.#directory.blob(digest);
    await rename(from, to);
    syncFolder(dirname(to));
  }
}

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function hashFile(path: string): Promise<{ hash: Hash; offset: number }> {
  const hash = createHash('sha256');
  let offset = 0;
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined)
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      offset += (chunk as Buffer).length;
    }
  return { hash, offset };
}
