/**
 * Which names this machine knows, and the image that each stands for: one small file a name, replaced by rename.
 *
 * Invariant: a name is written last, after all that its image needs. What no name needs is garbage.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import { readIfThere, writeDurably } from '../../../lib/io/durable-file.ts';
import { idOf, normalizeName, parseName } from '../image-name.ts';
import type { Image } from '../images.ts';
import { type ParsedConfig, parseConfig, parseManifest } from '../manifest.ts';
import type { BlobStore } from './blob-store.ts';
import type { ImageDirectory } from './directory.ts';

/** One name of one image, as it is on disk. */
export interface NameRecord {
  readonly name: string;
  readonly id: string;
  /** Of the manifest for this machine; undefined for host images. */
  readonly manifest?: string;
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** What a host image was made from. */
  readonly stamps?: Readonly<Record<string, string>>;
}

export class ImageIndex {
  readonly #directory: ImageDirectory;
  readonly #blobs: BlobStore;
  readonly #configs = new Map<string, ParsedConfig>();

  constructor(directory: ImageDirectory, blobs: BlobStore) {
    this.#directory = directory;
    this.#blobs = blobs;
  }

  /** By normalised name. */
  record(name: string): NameRecord | undefined {
    const text = readIfThere(this.#directory.name(name));
    return text === undefined ? undefined : (JSON.parse(text) as NameRecord);
  }

  records(): NameRecord[] {
    const folder = join(this.#directory.path, 'names');
    const records: NameRecord[] = [];
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.json')) continue;
      const text = readIfThere(join(folder, file));
      if (text !== undefined) records.push(JSON.parse(text) as NameRecord);
    }
    return records;
  }

  /** By any spelling of a name, or an id. */
  lookUp(name: string): NameRecord | undefined {
    const id = idOf(name);
    if (id !== undefined) return this.records().find((one) => one.id === id);
    const wanted = normalizeName(name);
    return this.record(wanted) ?? (wanted.includes('@') ? this.#byDigest(wanted) : undefined);
  }

  /** Throws `notFound`. */
  require(name: string): NameRecord {
    const record = this.lookUp(name);
    if (record === undefined)
      throw new CaelumError('notFound', `Cannot find image "${name}": it is not on this machine`);
    return record;
  }

  write(record: NameRecord): void {
    writeDurably(this.#directory.name(record.name), JSON.stringify(record), 0o644);
  }

  /** A record of an image whose manifest is here. `topDigest`: what the name stands for in its registry. */
  recordOf(name: string, id: string, manifest: string, topDigest: string | undefined): NameRecord {
    const parsed = parseManifest(this.#blobs.readNow(manifest));
    const { registry, repository } = parseName(name);
    return {
      name,
      id,
      manifest,
      digests: topDigest === undefined ? [] : [`${registry}/${repository}@${topDigest}`],
      sizeBytes:
        parsed.kind === 'image'
          ? parsed.layers.reduce((sum, layer) => sum + layer.size, parsed.config.size)
          : 0,
    };
  }

  config(id: string): ParsedConfig {
    let config = this.#configs.get(id);
    if (config === undefined) {
      config = parseConfig(this.#blobs.readNow(id));
      if (this.#configs.size > 1000) this.#configs.clear();
      this.#configs.set(id, config);
    }
    return config;
  }

  /** The image with this id, under all its names. Throws when none is left. */
  image(id: string, all: readonly NameRecord[] = this.records()): Image {
    const records = all.filter((one) => one.id === id);
    const first = records[0];
    if (first === undefined) throw new CaelumError('notFound', `Cannot find image "${id}": it was removed`);
    const { config, diffIds, createdAtMs } = this.config(id);
    return {
      id,
      names: records.map((one) => one.name).filter((name) => !name.includes('@')),
      digests: [...new Set(records.flatMap((one) => one.digests))],
      sizeBytes: first.sizeBytes,
      createdAtMs,
      config,
      layers: diffIds.map((diffId) => this.#directory.layer(diffId)),
    };
  }

  #byDigest(wanted: string): NameRecord | undefined {
    const [repository = '', digest] = wanted.split('@');
    return this.records().find(
      (one) =>
        one.digests.includes(wanted) ||
        (one.manifest === digest && one.digests.some((other) => other.startsWith(`${repository}@`))),
    );
  }
}
