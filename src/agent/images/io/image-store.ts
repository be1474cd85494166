/**
 * The node's image store on disk: puts together blobs, layers, roots, registries, archives and programs of this machine.
 *
 *   pull ──▶ manifest ──▶ config, layers (three at once) ──▶ unpacked ──▶ names/NAME.json      the name is written last: it means "whole"
 *   find ──▶ names/NAME.json ──▶ config blob ──▶ Image
 *
 * Any number of processes may use one directory at once; see directory.ts.
 */
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError, type Clock, explainError, isError, type Log } from '../../../lib/index.ts';
import { readIfThere } from '../../../lib/io/durable-file.ts';
import { formatName, hostRegistry, type ImageName, idOf, normalizeName, parseName } from '../image-name.ts';
import type { Image, ImageStore, PullOptions } from '../images.ts';
import {
  chooseManifest,
  type Descriptor,
  type Manifest,
  mediaTypes,
  ociArchitecture,
  parseManifest,
} from '../manifest.ts';
import { parseRegistrySettings, type RegistrySettings } from '../registry-protocol.ts';
import { buildManifest, readArchive, writeArchive } from './archive.ts';
import { BlobStore, digestOf } from './blob-store.ts';
import { ImageDirectory } from './directory.ts';
import {
  findHostProgram,
  type HostProgram,
  isUnchanged,
  staticBusybox,
  writeHostLayer,
} from './host-image.ts';
import { ImageIndex, type NameRecord } from './image-index.ts';
import { LayerStore } from './layer-store.ts';
import { OverlayRoots } from './overlay-roots.ts';
import { runProgram } from './process.ts';
import { RegistryClient, type RegistrySession } from './registry-client.ts';

const layersAtOnce = 3;
const blobAttemptsMax = 5;

export interface ImageStoreOptions {
  /** Holds everything that the store keeps. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Path of a `registries.json`; read anew for each pull, may be absent. */
  readonly registriesFile?: string;
  /** Wait before the first repetition of a failed request. Default 500. */
  readonly retryDelayMs?: number;
}

export interface DiskImageStore extends ImageStore {
  /** Deletes blobs and layers that no name and no root needs. False when others use the store just now. */
  collectGarbage(): Promise<boolean>;
  /** Lets go of connections, and waits until what was unpacked is synced. Roots stay mounted. */
  close(): Promise<void>;
}

export function openImageStore(options: ImageStoreOptions): DiskImageStore {
  return new Store(options);
}

class Store implements DiskImageStore {
  readonly #directory: ImageDirectory;
  readonly #blobs: BlobStore;
  readonly #layers: LayerStore;
  readonly #roots: OverlayRoots;
  readonly #registry: RegistryClient;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #index: ImageIndex;
  #isGarbageLeft = false;

  constructor(options: ImageStoreOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#directory = new ImageDirectory(options.directory, options.clock);
    this.#blobs = new BlobStore(this.#directory);
    this.#layers = new LayerStore(this.#directory);
    this.#roots = new OverlayRoots(this.#directory);
    this.#index = new ImageIndex(this.#directory, this.#blobs);
    const settings = (): RegistrySettings => {
      const text = options.registriesFile === undefined ? undefined : readIfThere(options.registriesFile);
      return text === undefined ? {} : parseRegistrySettings(text);
    };
    this.#registry = new RegistryClient({
      clock: options.clock,
      settings,
      ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    });
  }

  async find(name: string): Promise<Image | undefined> {
    const record = this.#index.lookUp(name);
    return record === undefined ? undefined : this.#whole(record);
  }

  async list(): Promise<readonly Image[]> {
    const records = this.#index.records();
    const images: Image[] = [];
    for (const id of new Set(records.map((one) => one.id))) {
      try {
        images.push(this.#index.image(id, records));
      } catch (error) {
        this.#log.warn('an image is damaged', { id, error });
      }
    }
    return images;
  }

  async pull(name: string, options: PullOptions = {}): Promise<Image> {
    const wanted = parseName(name);
    return this.#use(() =>
      wanted.registry === hostRegistry ? this.#makeHostImage(wanted) : this.#pull(wanted, options),
    );
  }

  async push(name: string, options: PullOptions = {}): Promise<{ readonly digest: string }> {
    const wanted = parseName(name);
    return this.#use(async () => {
      const record = this.#index.require(formatName(wanted));
      const digest = record.manifest ?? (await this.#packHostImage(record));
      const bytes = await this.#blobs.read(digest);
      const manifest = parseManifest(bytes);
      if (manifest.kind !== 'image')
        throw new CaelumError('corrupt', `Cannot push image "${name}": no manifest`);
      await this.#registry.session(
        wanted,
        options.credentials ?? [],
        options.signal,
        'pull,push',
        async (session) => {
          for (const blob of [...manifest.layers, manifest.config]) {
            if (!(await session.hasBlob(blob.digest)))
              await session.putBlob(blob.digest, blob.size, () =>
                createReadStream(this.#blobs.path(blob.digest)),
              );
            options.onProgress?.({ layer: blob.digest, doneBytes: blob.size, totalBytes: blob.size });
          }
          await session.putManifest(wanted.tag ?? digest, manifest.mediaType, bytes);
        },
      );
      return { digest };
    });
  }

  async tag(source: string, name: string): Promise<void> {
    const wanted = parseName(name);
    if (wanted.digest !== undefined)
      throw new CaelumError('badRequest', `Cannot name an image "${name}": a digest cannot be given`);
    await this.#use(async () =>
      this.#index.write({ ...this.#index.require(source), name: formatName(wanted) }),
    );
  }

  async mountRoot(image: Image, key: string): Promise<{ readonly rootPath: string }> {
    return this.#use(async () => ({ rootPath: await this.#roots.mount(image, key) }));
  }

  unmountRoot(key: string): Promise<void> {
    return this.#roots.unmount(key);
  }

  async listRoots(): Promise<readonly string[]> {
    return this.#roots.list();
  }

  rootBytes(key: string): Promise<number> {
    return this.#roots.bytes(key);
  }

  async remove(name: string): Promise<void> {
    const record = this.#index.require(name);
    const gone =
      idOf(name) === undefined ? [record] : this.#index.records().filter((one) => one.id === record.id);
    for (const { name: one } of gone) rmSync(this.#directory.name(one), { force: true });
    await this.collectGarbage();
  }

  async importArchive(file: string, options: { readonly name?: string } = {}): Promise<readonly Image[]> {
    const given = options.name === undefined ? undefined : normalizeName(options.name);
    const scratch = this.#directory.scratch('import');
    return this.#use(async () => {
      try {
        const archived = await readArchive(file, scratch, ociArchitecture(process.arch));
        if (archived.length === 0)
          throw new CaelumError('notFound', `Cannot import "${file}": no image in it fits this machine`);
        if (given !== undefined && archived.length > 1)
          throw new CaelumError(
            'badRequest',
            `Cannot import "${file}" as "${given}": it holds ${archived.length} images`,
          );
        const images: Image[] = [];
        for (const one of archived) {
          const names = given === undefined ? one.names : [given];
          if (names.length === 0)
            throw new CaelumError(
              'badRequest',
              `Cannot import "${file}": the image in it has no name; give one`,
            );
          for (const layer of one.layers) {
            await this.#blobs.adopt(layer.path, layer.digest);
            await this.#layers.unpack(layer.diffId, this.#blobs.path(layer.digest));
          }
          const id = await this.#blobs.put(one.config);
          const manifest = await this.#blobs.put(one.manifest);
          for (const name of names) this.#index.write(this.#index.recordOf(name, id, manifest, undefined));
          images.push(this.#index.image(id));
        }
        return images;
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    });
  }

  async exportArchive(
    names: readonly string[],
    file: string,
    format: 'oci' | 'docker' = 'oci',
  ): Promise<void> {
    await this.#use(async () => {
      const images = [];
      for (const name of names) {
        const record = this.#index.require(name);
        images.push({
          name: record.name,
          manifestDigest: record.manifest ?? (await this.#packHostImage(record)),
        });
      }
      await writeArchive(images, file, format, (digest) => this.#blobs.path(digest));
    });
  }

  async collectGarbage(): Promise<boolean> {
    const trash: string[] = [];
    let isDone = false;
    for (let turn = 0; turn < 5 && !isDone; turn++) {
      if (turn > 0) await this.#clock.sleep(20);
      isDone = this.#directory.exclusive(() => trash.push(...this.#sweep()));
    }
    this.#isGarbageLeft = !isDone;
    await Promise.all(trash.map((path) => rm(path, { recursive: true, force: true })));
    return isDone;
  }

  async close(): Promise<void> {
    this.#registry.close();
    await this.#layers.settle();
  }

  /** Runs `action` while no garbage is collected; collects what was left when it is done. */
  async #use<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await this.#directory.shared(action);
    } finally {
      if (this.#isGarbageLeft) await this.collectGarbage();
    }
  }

  // ── images ──

  /** The image, if it can be used: layers that a crash took are unpacked again, a host image that is out of date counts as absent. */
  async #whole(record: NameRecord): Promise<Image | undefined> {
    if (record.stamps !== undefined && !isUnchanged(record.stamps)) return undefined;
    if (!this.#blobs.has(record.id)) return undefined;
    const { diffIds } = this.#index.config(record.id);
    if (!diffIds.every((diffId) => this.#layers.has(diffId))) {
      if (record.manifest === undefined) return undefined;
      try {
        await this.#use(() => this.#unpackAll(record.manifest as string, diffIds));
      } catch (error) {
        this.#log.warn('an image is incomplete: it has to be pulled again', { name: record.name, error });
        return undefined;
      }
    }
    return this.#index.image(record.id);
  }

  async #unpackAll(manifestDigest: string, diffIds: readonly string[]): Promise<void> {
    const manifest = parseManifest(await this.#blobs.read(manifestDigest));
    if (manifest.kind !== 'image')
      throw new CaelumError('corrupt', `Cannot unpack "${manifestDigest}": no image manifest`);
    for (const [at, layer] of manifest.layers.entries())
      await this.#layers.unpack(diffIds[at] ?? '', this.#blobs.path(layer.digest));
  }

  // ── registries ──

  async #pull(name: ImageName, options: PullOptions): Promise<Image> {
    const { credentials = [], signal } = options;
    return this.#registry.session(name, credentials, signal, 'pull', async (session) => {
      const top = await this.#fetchManifest(session, name.digest ?? name.tag ?? 'latest', name);
      let digest = top.digest;
      let manifest = top.manifest;
      if (manifest.kind === 'index') {
        const chosen = chooseManifest(manifest.manifests, ociArchitecture(process.arch));
        if (chosen === undefined)
          throw new CaelumError(
            'notFound',
            `Cannot pull image "${formatName(name)}": no manifest for linux/${ociArchitecture(process.arch)}`,
          );
        ({ digest, manifest } = await this.#fetchManifest(session, chosen.digest, name));
      }
      if (manifest.kind === 'index')
        throw new CaelumError('corrupt', `Cannot pull image "${formatName(name)}": an index in an index`);
      await this.#fetchBlob(session, manifest.config, options);
      const { diffIds } = this.#index.config(manifest.config.digest);
      if (diffIds.length !== manifest.layers.length)
        throw new CaelumError(
          'corrupt',
          `Cannot pull image "${formatName(name)}": layers and diff ids differ in number`,
        );
      await this.#fetchLayers(session, manifest.layers, diffIds, options);
      this.#index.write(this.#index.recordOf(formatName(name), manifest.config.digest, digest, top.digest));
      return this.#index.image(manifest.config.digest);
    });
  }

  async #fetchManifest(
    session: RegistrySession,
    reference: string,
    name: ImageName,
  ): Promise<{ digest: string; manifest: Manifest }> {
    const answer = await session.manifest(reference);
    const digest = digestOf(answer.bytes);
    const wanted = reference.startsWith('sha256:') ? reference : answer.digest;
    if (wanted?.startsWith('sha256:') && wanted !== digest)
      throw new CaelumError(
        'corrupt',
        `Cannot pull image "${formatName(name)}": manifest "${wanted}" has digest ${digest}`,
      );
    const manifest = parseManifest(answer.bytes, answer.mediaType);
    await this.#blobs.put(answer.bytes);
    return { digest, manifest };
  }

  async #fetchLayers(
    session: RegistrySession,
    layers: readonly Descriptor[],
    diffIds: readonly string[],
    options: PullOptions,
  ): Promise<void> {
    const abort = new AbortController();
    const signal =
      options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal]);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let at = next++; at < layers.length; at = next++) {
        const layer = layers[at] as Descriptor;
        await this.#fetchBlob(session, layer, { ...options, signal });
        await this.#layers.unpack(diffIds[at] as string, this.#blobs.path(layer.digest));
      }
    };
    const workers = Array.from({ length: Math.min(layersAtOnce, layers.length) }, worker);
    try {
      await Promise.all(workers);
    } catch (error) {
      abort.abort();
      await Promise.allSettled(workers);
      throw error;
    }
  }

  /** Goes on where it was cut off. */
  async #fetchBlob(session: RegistrySession, blob: Descriptor, options: PullOptions): Promise<void> {
    const progress = (doneBytes: number): void =>
      options.onProgress?.({ layer: blob.digest, doneBytes, totalBytes: blob.size });
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#blobs.fetch(
          blob.digest,
          blob.size,
          (offset) => session.blob(blob.digest, offset),
          progress,
          options.signal,
        );
        progress(blob.size);
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!isError(error, 'unavailable') || attempt >= blobAttemptsMax) throw error;
        this.#log.debug('a download was cut off', { digest: blob.digest, attempt, why: explainError(error) });
        await this.#clock.sleep(100 * 2 ** attempt, options.signal);
      }
    }
  }

  // ── programs of this machine ──

  async #makeHostImage(name: ImageName): Promise<Image> {
    if (name.digest !== undefined || name.repository.includes('/'))
      throw new CaelumError('notFound', `Cannot make image "${formatName(name)}": it names no program`);
    const host = findHostProgram(name.repository);
    const base = host.program === 'busybox' ? undefined : staticBusybox();
    const parts = base === undefined ? [host] : [base, host];
    for (const part of parts) await this.#makeHostLayer(part);
    const id = await this.#blobs.put(hostConfig(host, parts));
    const sizes = parts
      .flatMap((part) => Object.values(part.stamps))
      .map((stamp) => Number(stamp.split(' ')[0]));
    const stamps = Object.assign({}, ...parts.map((part) => part.stamps)) as Record<string, string>;
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#index.write({ name: formatName(name), id, digests: [], sizeBytes, stamps });
    return this.#index.image(id);
  }

  async #makeHostLayer(host: HostProgram): Promise<void> {
    if (this.#layers.has(host.fingerprint)) return;
    await this.#directory.alone(`layer-${host.fingerprint.slice(7)}`, async () => {
      if (this.#layers.has(host.fingerprint)) return;
      const scratch = this.#directory.scratch('layer');
      mkdirSync(scratch, { mode: 0o755 });
      try {
        await writeHostLayer(host, scratch);
        this.#layers.publish(scratch, host.fingerprint);
      } catch (error) {
        await rm(scratch, { recursive: true, force: true });
        throw error;
      }
    });
  }

  /** A host image has no blobs of its layers until somebody wants it elsewhere. Answers the digest of its manifest. */
  async #packHostImage(record: NameRecord): Promise<string> {
    const { diffIds } = this.#index.config(record.id);
    const layers = [];
    for (const diffId of diffIds) {
      const scratch = this.#directory.scratch('pack');
      try {
        await runProgram(
          'tar',
          ['-c', '-f', scratch, '--sort=name', '--numeric-owner', '--hard-dereference', '.'],
          {
            directory: this.#layers.path(diffId),
          },
        );
        const digest = await digestOfFile(scratch);
        await this.#blobs.adopt(scratch, digest);
        layers.push({ digest, size: this.#blobs.size(digest), mediaType: mediaTypes.ociLayer });
      } finally {
        rmSync(scratch, { force: true });
      }
    }
    const config = JSON.parse(this.#blobs.readNow(record.id).toString('utf8')) as Record<string, unknown>;
    const real = { ...config, rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } };
    const id = await this.#blobs.put(Buffer.from(JSON.stringify(real)));
    return this.#blobs.put(buildManifest({ digest: id, size: this.#blobs.size(id) }, layers));
  }

  // ── garbage ──

  /** Sets aside what nothing needs; answers the paths to delete. Runs alone. */
  #sweep(): string[] {
    const blobs = new Set<string>();
    const layers = this.#roots.layersInUse();
    for (const record of this.#index.records()) {
      blobs.add(record.id);
      if (this.#blobs.has(record.id))
        for (const diffId of this.#index.config(record.id).diffIds) layers.add(diffId);
      if (record.manifest === undefined) continue;
      blobs.add(record.manifest);
      for (const one of record.digests) blobs.add(one.slice(one.indexOf('@') + 1));
      if (!this.#blobs.has(record.manifest)) continue;
      const manifest = parseManifest(this.#blobs.readNow(record.manifest));
      if (manifest.kind === 'image') for (const layer of manifest.layers) blobs.add(layer.digest);
    }
    const trash: string[] = [];
    const aside = (path: string): void => {
      const to = this.#directory.scratch('trash');
      renameSync(path, to);
      trash.push(to);
    };
    for (const hex of readdirSync(join(this.#directory.path, 'blobs/sha256')))
      if (!blobs.has(`sha256:${hex}`)) aside(join(this.#directory.path, 'blobs/sha256', hex));
    for (const entry of readdirSync(join(this.#directory.path, 'layers'))) {
      const hex = entry.replace(/\.boot$/, '');
      const path = join(this.#directory.path, 'layers', entry);
      if (!layers.has(`sha256:${hex}`) && existsSync(path)) aside(path);
    }
    // Nobody fetches now: a partial blob that nobody came back for.
    for (const entry of readdirSync(join(this.#directory.path, 'ingest')))
      if (entry.endsWith('.partial')) aside(join(this.#directory.path, 'ingest', entry));
    return trash;
  }
}

function hostConfig(host: HostProgram, layers: readonly HostProgram[]): Buffer {
  const isBusybox = host.program === 'busybox';
  return Buffer.from(
    JSON.stringify({
      created: new Date(host.changedAtMs).toISOString(),
      architecture: ociArchitecture(process.arch),
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        ...(isBusybox ? { Cmd: ['sh'] } : { Entrypoint: [host.path] }),
        WorkingDir: '/',
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ fingerprint }) => fingerprint) },
    }),
  );
}

async function digestOfFile(path: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
