/**
 * Layers, unpacked once for all images and containers, by diff id.
 *
 *   blob ──▶ gunzip | unzstd ──▶ sha256 = diff id ──▶ LayerFilter ──▶ tar -x into ingest/… ──▶ rename to layers/HEX
 *
 * GNU tar does the writing: owners, modes, devices, sparse files, capabilities and overlay's opaque attribute, none of which Node can
 * set, in one process of native speed. It is handed no name that could lead out: see layer-filter.ts.
 *
 * A layer is a cache of its blob, so it is not synced before use: a marker beside it says so until a background sync is done.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CaelumError, isError } from '../../../lib/index.ts';
import { LayerFilter } from '../layer-filter.ts';
import { compressionOf } from '../manifest.ts';
import type { ImageDirectory } from './directory.ts';
import { runProgram } from './process.ts';

const extract = [
  '-x',
  '-f',
  '-',
  '--numeric-owner',
  '--same-owner',
  '--preserve-permissions',
  '--absolute-names',
  '--delay-directory-restore',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-timestamp',
];

export class LayerStore {
  readonly #directory: ImageDirectory;
  readonly #bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  readonly #unpacking = new Map<string, Promise<void>>();
  #syncing: Promise<void> = Promise.resolve();

  constructor(directory: ImageDirectory) {
    this.#directory = directory;
  }

  path(diffId: string): string {
    return this.#directory.layer(diffId);
  }

  /** True when it is here and whole: a layer that was not synced before the machine went down is not trusted. */
  has(diffId: string): boolean {
    const path = this.#directory.layer(diffId);
    if (!existsSync(path)) return false;
    try {
      if (readFileSync(`${path}.boot`, 'latin1') === this.#bootId) return true;
    } catch {
      return true;
    }
    // Its boot marker is of another boot.
    const trash = this.#directory.scratch('trash');
    renameSync(path, trash);
    rmSync(`${path}.boot`, { force: true });
    rmSync(trash, { recursive: true, force: true });
    return false;
  }

  /** Makes sure that the layer in `blobPath` is unpacked. Throws `corrupt` when it is not the layer `diffId`. */
  unpack(diffId: string, blobPath: string): Promise<void> {
    const running = this.#unpacking.get(diffId);
    if (running !== undefined) return running;
    const unpack = this.#unpack(diffId, blobPath).finally(() => this.#unpacking.delete(diffId));
    this.#unpacking.set(diffId, unpack);
    return unpack;
  }

  async #unpack(diffId: string, blobPath: string): Promise<void> {
    if (this.has(diffId)) return;
    await this.#directory.alone(`layer-${diffId.slice(7)}`, async () => {
      if (this.has(diffId)) return;
      const scratch = this.#directory.scratch('layer');
      mkdirSync(scratch, { mode: 0o755 });
      try {
        const found = await this.#extract(blobPath, scratch);
        if (found !== diffId)
          throw new CaelumError(
            'corrupt',
            `Cannot unpack layer "${diffId}": its content has digest ${found}`,
          );
        this.publish(scratch, diffId);
      } catch (error) {
        await rm(scratch, { recursive: true, force: true });
        throw error;
      }
    });
  }

  /** Takes over a folder as the layer `diffId`. */
  publish(folder: string, diffId: string): void {
    const path = this.#directory.layer(diffId);
    writeFileSync(`${path}.boot`, this.#bootId);
    renameSync(folder, path);
    this.#syncing = this.#syncing
      .then(() => runProgram('sync', ['-f', path]))
      .then(() => rmSync(`${path}.boot`, { force: true }))
      // Not synced: the marker stays, and the layer is made again after a reboot.
      .catch(() => {});
  }

  /** Waits until what was unpacked is on disk. */
  async settle(): Promise<void> {
    await this.#syncing;
  }

  async #extract(blobPath: string, into: string): Promise<string> {
    const hash = createHash('sha256');
    const filter = new LayerFilter();
    try {
      await runProgram('tar', extract, {
        directory: into,
        feed: async (stdin) => {
          let broken: Error | undefined;
          stdin.on('error', (error: Error) => {
            broken = error;
          });
          const write = async (pieces: readonly Buffer[]): Promise<void> => {
            let isFull = false;
            for (const piece of pieces) if (piece.length > 0 && !stdin.write(piece)) isFull = true;
            if (broken !== undefined) throw broken;
            if (isFull) await once(stdin, 'drain');
          };
          for await (const chunk of openLayer(blobPath)) {
            hash.update(chunk as Buffer);
            await write(filter.push(chunk as Buffer));
          }
          await write(filter.finish());
          stdin.end();
        },
      });
    } catch (error) {
      if (isError(error, 'corrupt', 'unavailable')) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (/^(Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code))
        throw new CaelumError('corrupt', 'Cannot unpack layer: its compression is damaged', { cause: error });
      if (/No space left/.test((error as Error).message))
        throw new CaelumError('storageFull', 'Cannot unpack layer: the disk is full', { cause: error });
      throw error;
    }
    return `sha256:${hash.digest('hex')}`;
  }
}

/** The layer's tar, whatever it is packed with. */
export function openLayer(blobPath: string): Readable {
  const head = Buffer.alloc(6);
  const file = openSync(blobPath, 'r');
  readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const raw = createReadStream(blobPath, { highWaterMark: 1 << 18 });
  const compression = compressionOf(head);
  if (compression === 'none') return raw;
  const unpacked =
    compression === 'gzip'
      ? createGunzip({ chunkSize: 1 << 18 })
      : createZstdDecompress({ chunkSize: 1 << 18 });
  raw.on('error', (error) => unpacked.destroy(error));
  return raw.pipe(unpacked);
}
