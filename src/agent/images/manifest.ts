/**
 * Image manifests, indexes and configurations, of OCI and of Docker: what is believed of them, and which one fits this machine.
 * Source: OCI image-spec (manifest.md, image-index.md, config.md); Docker image manifest v2, schema 2. Pure.
 */
import { CaelumError } from '../../lib/index.ts';
import type { ImageConfig } from './images.ts';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export const manifestTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
];

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

export type Manifest =
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    }
  | { readonly kind: 'index'; readonly mediaType: string; readonly manifests: readonly Descriptor[] };

export interface ParsedConfig {
  readonly config: ImageConfig;
  readonly diffIds: readonly string[];
  readonly createdAtMs: number;
  readonly platform: Platform;
}

type Tree = Readonly<Record<string, unknown>>;

function wrong(what: string, why: string): CaelumError {
  return new CaelumError('corrupt', `Cannot read ${what}: ${why}`);
}

function tree(value: unknown): Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

function parseJson(bytes: Buffer, what: string): Tree {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value !== 'object' || value === null) throw wrong(what, 'it is no object');
    return tree(value);
  } catch (cause) {
    if (cause instanceof CaelumError) throw cause;
    throw new CaelumError('corrupt', `Cannot read ${what}: it is not JSON`, { cause });
  }
}

function descriptor(value: unknown, what: string): Descriptor {
  const fields = tree(value);
  const digest = text(fields['digest']);
  const size = fields['size'];
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw wrong(what, `"${digest}" is not a sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw wrong(what, `"${String(size)}" is not a size`);
  const annotations: Record<string, string> = {};
  for (const [key, item] of Object.entries(tree(fields['annotations'])))
    if (typeof item === 'string') annotations[key] = item;
  const platform = fields['platform'] === undefined ? undefined : platformOf(tree(fields['platform']));
  return {
    mediaType: text(fields['mediaType']),
    digest,
    size,
    annotations,
    ...(platform === undefined ? {} : { platform }),
  };
}

function platformOf(fields: Tree): Platform {
  return {
    os: text(fields['os']),
    architecture: text(fields['architecture']),
    variant: text(fields['variant']),
  };
}

/** Throws `corrupt` when it is none, or one of the first, signed kind that nobody should serve any more. */
export function parseManifest(bytes: Buffer, contentType = ''): Manifest {
  const what = 'image manifest';
  const fields = parseJson(bytes, what);
  const mediaType = text(fields['mediaType']) || contentType.split(';')[0]?.trim() || '';
  if (fields['schemaVersion'] !== 2) throw wrong(what, 'schema version 2 is asked for');
  if (Array.isArray(fields['manifests']))
    return {
      kind: 'index',
      mediaType: manifestTypes.includes(mediaType) ? mediaType : mediaTypes.ociIndex,
      manifests: fields['manifests'].map((item) => descriptor(item, what)),
    };
  if (!Array.isArray(fields['layers'])) throw wrong(what, 'it has neither layers nor manifests');
  return {
    kind: 'image',
    mediaType: manifestTypes.includes(mediaType) ? mediaType : mediaTypes.ociManifest,
    config: descriptor(fields['config'], what),
    layers: fields['layers'].map((item) => descriptor(item, what)),
  };
}

/** The manifest of an index that runs here: same system and architecture, plainest variant first. */
export function chooseManifest(
  manifests: readonly Descriptor[],
  architecture: string,
): Descriptor | undefined {
  const fitting = manifests.filter(
    ({ platform }) =>
      platform === undefined || (platform.os === 'linux' && platform.architecture === architecture),
  );
  const rank = (one: Descriptor): number =>
    one.platform === undefined
      ? 3
      : one.platform.variant === ''
        ? 0
        : /^v[18]$/.test(one.platform.variant)
          ? 1
          : 2;
  return [...fitting].sort((a, b) => rank(a) - rank(b))[0];
}

/** `x64` → `amd64`: Node's word for an architecture in OCI's. */
export function ociArchitecture(nodeArchitecture: string): string {
  const words: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  return words[nodeArchitecture] ?? nodeArchitecture;
}

/** Throws `corrupt`. */
export function parseConfig(bytes: Buffer): ParsedConfig {
  const fields = parseJson(bytes, 'image configuration');
  const inner = tree(fields['config']);
  const diffIds = texts(tree(fields['rootfs'])['diff_ids']);
  for (const diffId of diffIds)
    if (!/^sha256:[0-9a-f]{64}$/.test(diffId))
      throw wrong('image configuration', `"${diffId}" is not a sha256 digest`);
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(tree(inner['Labels'])))
    if (typeof value === 'string') labels[key] = value;
  const created = Date.parse(text(fields['created']));
  return {
    config: {
      entrypoint: texts(inner['Entrypoint']),
      command: texts(inner['Cmd']),
      env: texts(inner['Env']),
      workingDirectory: text(inner['WorkingDir']) || '/',
      user: text(inner['User']),
      stopSignal: text(inner['StopSignal']) || undefined,
      labels,
      exposedPorts: Object.keys(tree(inner['ExposedPorts'])),
      volumes: Object.keys(tree(inner['Volumes'])),
    },
    diffIds,
    createdAtMs: Number.isFinite(created) ? created : 0,
    platform: platformOf(fields),
  };
}

/** How a layer's blob is packed, by its first bytes: media types are not to be trusted. */
export function compressionOf(head: Buffer): 'gzip' | 'zstd' | 'none' {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  // A zstd stream may begin with a skippable frame.
  if (head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return 'none';
}
