/**
 * Images as one file: OCI layouts and `docker save` archives, read and written.
 *
 *   read:   tar ──▶ files in a scratch folder, hashed ──▶ index.json | manifest.json ──▶ images: manifest, config, layers
 *   write:  manifest, config, layers ──▶ tar, beside and renamed
 *
 * Source: OCI image-spec image-layout.md; Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError, isError } from '../../../lib/index.ts';
import { normalizeName, parseName } from '../image-name.ts';
import {
  chooseManifest,
  compressionOf,
  type Descriptor,
  mediaTypes,
  parseConfig,
  parseManifest,
} from '../manifest.ts';
import { encodeHeader, endOfArchive, paddingOf, plainHeader } from '../tar-header.ts';
import { TarReader } from '../tar-reader.ts';
import { digestOf } from './blob-store.ts';
import { openLayer } from './layer-store.ts';

interface ArchiveFile {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

export interface ArchivedImage {
  readonly names: readonly string[];
  readonly manifest: Buffer;
  readonly config: Buffer;
  readonly layers: readonly { readonly digest: string; readonly diffId: string; readonly path: string }[];
}

/** Images of the archive; their files lie in `scratch`, to be taken over. Throws `corrupt`, `badRequest`. */
export async function readArchive(
  file: string,
  scratch: string,
  architecture: string,
): Promise<readonly ArchivedImage[]> {
  await mkdir(scratch, { recursive: true });
  let files: Map<string, ArchiveFile>;
  try {
    files = await spread(file, scratch);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT')
      throw new CaelumError('notFound', `Cannot import "${file}": no such file`, { cause });
    if (isError(cause, 'corrupt') || /^(Z_|ZSTD_|ERR_)/.test(code))
      throw new CaelumError('corrupt', `Cannot import "${file}": it is no image archive, or damaged`, {
        cause,
      });
    throw cause;
  }
  const index = files.get('index.json');
  const docker = files.get('manifest.json');
  // `docker save` writes both of late; its manifest.json knows the full names.
  if (docker !== undefined) return readDockerArchive(docker, files);
  if (index !== undefined) return readLayout(index, files, architecture);
  throw new CaelumError('badRequest', `Cannot import "${file}": it has neither index.json nor manifest.json`);
}

async function spread(file: string, scratch: string): Promise<Map<string, ArchiveFile>> {
  const reader = new TarReader();
  const files = new Map<string, ArchiveFile>();
  const links = new Map<string, string>();
  let open:
    | { name: string; path: string; handle: number; hash: ReturnType<typeof createHash>; size: number }
    | undefined;
  try {
    for await (const chunk of openLayer(file))
      for (const event of reader.push(chunk as Buffer)) {
        if (event.kind === 'entry') {
          const name = flatten(event.entry.path);
          if (event.entry.type === '2') links.set(name, flatten(`${name}/../${event.entry.linkPath}`));
          else if (event.entry.type === '1') links.set(name, flatten(event.entry.linkPath));
          else if (event.entry.type === '0') {
            const path = join(scratch, String(files.size));
            open = { name, path, handle: openSync(path, 'w'), hash: createHash('sha256'), size: 0 };
          }
        } else if (event.kind === 'data' && open !== undefined) {
          open.hash.update(event.bytes);
          for (let at = 0; at < event.bytes.length; ) at += writeSync(open.handle, event.bytes, at);
          open.size += event.bytes.length;
        } else if (event.kind === 'end' && open !== undefined) {
          closeSync(open.handle);
          files.set(open.name, {
            path: open.path,
            digest: `sha256:${open.hash.digest('hex')}`,
            size: open.size,
          });
          open = undefined;
        }
      }
    reader.finish();
  } finally {
    if (open !== undefined) closeSync(open.handle);
  }
  for (const [name, target] of links) {
    const there = files.get(target);
    if (there !== undefined) files.set(name, there);
  }
  return files;
}

function flatten(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}

function fileOf(files: ReadonlyMap<string, ArchiveFile>, name: string): ArchiveFile {
  const file = files.get(name);
  if (file === undefined)
    throw new CaelumError('corrupt', `Cannot import archive: "${name}" is missing in it`);
  return file;
}

function blobOf(files: ReadonlyMap<string, ArchiveFile>, digest: string): ArchiveFile {
  const file = fileOf(files, `blobs/sha256/${digest.slice(7)}`);
  if (file.digest !== digest)
    throw new CaelumError(
      'corrupt',
      `Cannot import archive: the content of blob "${digest}" has digest ${file.digest}`,
    );
  return file;
}

function readLayout(
  index: ArchiveFile,
  files: ReadonlyMap<string, ArchiveFile>,
  architecture: string,
): readonly ArchivedImage[] {
  const top = parseManifest(readFileSync(index.path));
  if (top.kind !== 'index') throw new CaelumError('corrupt', 'Cannot import archive: index.json is no index');
  // The same image under several names is listed several times.
  const images = new Map<string, ArchivedImage>();
  for (const listed of top.manifests) {
    const names = nameOf(listed);
    let digest = listed.digest;
    let manifest = parseManifest(readFileSync(blobOf(files, digest).path), listed.mediaType);
    if (manifest.kind === 'index') {
      const here = manifest.manifests.filter((one) => files.has(`blobs/sha256/${one.digest.slice(7)}`));
      const chosen = chooseManifest(here, architecture);
      if (chosen === undefined) continue;
      digest = chosen.digest;
      manifest = parseManifest(readFileSync(blobOf(files, digest).path), chosen.mediaType);
    }
    if (manifest.kind === 'index')
      throw new CaelumError('corrupt', 'Cannot import archive: an index in an index');
    const config = readFileSync(blobOf(files, manifest.config.digest).path);
    const { diffIds } = parseConfig(config);
    if (diffIds.length !== manifest.layers.length)
      throw new CaelumError('corrupt', 'Cannot import archive: layers and diff ids differ in number');
    images.set(digest, {
      names: [...(images.get(digest)?.names ?? []), ...names],
      manifest: readFileSync(blobOf(files, digest).path),
      config,
      layers: manifest.layers.map((layer, at) => ({
        digest: layer.digest,
        diffId: diffIds[at] as string,
        path: blobOf(files, layer.digest).path,
      })),
    });
  }
  return [...images.values()];
}

/** `org.opencontainers.image.ref.name` may be a whole name, or a tag alone, which names nothing. */
function nameOf(listed: Descriptor): readonly string[] {
  const full = listed.annotations['io.containerd.image.name'];
  if (full !== undefined) return [normalizeName(full)];
  const reference = listed.annotations['org.opencontainers.image.ref.name'];
  if (reference === undefined || reference === 'latest' || /^v?\d/.test(reference)) return [];
  try {
    return [normalizeName(reference)];
  } catch {
    return [];
  }
}

function readDockerArchive(
  docker: ArchiveFile,
  files: ReadonlyMap<string, ArchiveFile>,
): readonly ArchivedImage[] {
  let entries: { Config?: unknown; RepoTags?: unknown; Layers?: unknown }[];
  try {
    entries = JSON.parse(readFileSync(docker.path, 'utf8')) as typeof entries;
    if (!Array.isArray(entries)) throw new Error('no list');
  } catch (cause) {
    throw new CaelumError('corrupt', 'Cannot import archive: manifest.json is not understood', { cause });
  }
  return entries.map((entry) => {
    const configFile = fileOf(files, flatten(String(entry.Config)));
    const config = readFileSync(configFile.path);
    const { diffIds } = parseConfig(config);
    const paths = Array.isArray(entry.Layers) ? entry.Layers.map(String) : [];
    if (diffIds.length !== paths.length)
      throw new CaelumError('corrupt', 'Cannot import archive: layers and diff ids differ in number');
    const layers = paths.map((path) => fileOf(files, flatten(path)));
    const manifest = buildManifest(
      configFile,
      layers.map((layer) => ({ ...layer, mediaType: layerType(layer.path) })),
    );
    return {
      names: (Array.isArray(entry.RepoTags) ? entry.RepoTags : []).map((name) => normalizeName(String(name))),
      manifest,
      config,
      layers: layers.map(({ digest, path }, at) => ({ digest, diffId: diffIds[at] as string, path })),
    };
  });
}

function layerType(path: string): string {
  const head = Buffer.alloc(6);
  const file = openSync(path, 'r');
  readSync(file, head, 0, 6, 0);
  closeSync(file);
  const compression = compressionOf(head);
  return compression === 'none' ? mediaTypes.ociLayer : `${mediaTypes.ociLayer}+${compression}`;
}

/** The OCI manifest of a config and its layers. */
export function buildManifest(
  config: { readonly digest: string; readonly size: number },
  layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[],
): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.size },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
}

export interface ImageToWrite {
  readonly name: string;
  readonly manifestDigest: string;
}

/** Where the bytes of a blob are. */
export type BlobPath = (digest: string) => string;

export async function writeArchive(
  images: readonly ImageToWrite[],
  file: string,
  format: 'oci' | 'docker',
  blobPath: BlobPath,
): Promise<void> {
  const beside = `${file}.${process.pid}.new`;
  const out = createWriteStream(beside, { flags: 'wx', mode: 0o644 });
  const write = async (bytes: Buffer): Promise<void> => {
    if (bytes.length > 0 && !out.write(bytes)) await once(out, 'drain');
  };
  const add: AddFile = async (path, size, body) => {
    await write(encodeHeader(plainHeader({ path, size })));
    for await (const chunk of body) await write(chunk);
    await write(Buffer.alloc(paddingOf(size)));
  };
  try {
    await once(out, 'open');
    if (format === 'oci') await writeLayout(images, add, blobPath);
    else await writeDockerArchive(images, add, blobPath);
    await write(endOfArchive);
    out.end();
    await once(out, 'close');
    await rename(beside, file);
  } catch (error) {
    out.destroy();
    await rm(beside, { force: true });
    throw error;
  }
}

type AddFile = (path: string, size: number, body: Iterable<Buffer> | AsyncIterable<Buffer>) => Promise<void>;

async function writeLayout(images: readonly ImageToWrite[], add: AddFile, blobPath: BlobPath): Promise<void> {
  const layout = Buffer.from('{"imageLayoutVersion":"1.0.0"}');
  await add('oci-layout', layout.length, [layout]);
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: images.map(({ name, manifestDigest }) => {
        const bytes = readFileSync(blobPath(manifestDigest));
        return {
          mediaType: parseManifest(bytes).mediaType,
          digest: manifestDigest,
          size: bytes.length,
          annotations: {
            'io.containerd.image.name': name,
            'org.opencontainers.image.ref.name': parseName(name).tag ?? 'latest',
          },
        };
      }),
    }),
  );
  await add('index.json', index.length, [index]);
  const digests = new Set<string>();
  for (const { manifestDigest } of images) {
    const manifest = parseManifest(readFileSync(blobPath(manifestDigest)));
    if (manifest.kind === 'index') continue;
    for (const digest of [
      manifestDigest,
      manifest.config.digest,
      ...manifest.layers.map((one) => one.digest),
    ])
      digests.add(digest);
  }
  for (const digest of digests) {
    const path = blobPath(digest);
    let size = 0;
    for await (const chunk of createReadStream(path)) size += (chunk as Buffer).length;
    await add(`blobs/sha256/${digest.slice(7)}`, size, createReadStream(path));
  }
}

async function writeDockerArchive(
  images: readonly ImageToWrite[],
  add: AddFile,
  blobPath: BlobPath,
): Promise<void> {
  const entries = new Map<string, { Config: string; RepoTags: string[]; Layers: string[] }>();
  const written = new Set<string>();
  for (const { name, manifestDigest } of images) {
    const manifest = parseManifest(readFileSync(blobPath(manifestDigest)));
    if (manifest.kind === 'index') continue;
    const config = readFileSync(blobPath(manifest.config.digest));
    const id = digestOf(config).slice(7);
    const { diffIds } = parseConfig(config);
    const entry = entries.get(id) ?? {
      Config: `${id}.json`,
      RepoTags: [],
      Layers: diffIds.map((diffId) => `${diffId.slice(7)}.tar`),
    };
    if (parseName(name).tag !== undefined) entry.RepoTags.push(familiar(name));
    entries.set(id, entry);
    if (!written.has(id)) await add(`${id}.json`, config.length, [config]);
    written.add(id);
    for (const [at, layer] of manifest.layers.entries()) {
      const path = `${(diffIds[at] ?? '').slice(7)}.tar`;
      if (written.has(path)) continue;
      written.add(path);
      let size = 0;
      for await (const chunk of openLayer(blobPath(layer.digest))) size += (chunk as Buffer).length;
      await add(path, size, openLayer(blobPath(layer.digest)));
    }
  }
  const text = Buffer.from(JSON.stringify([...entries.values()]));
  await add('manifest.json', text.length, [text]);
}

/** Docker writes its own registry's names short. */
function familiar(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, '');
}
