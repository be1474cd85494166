/**
 * What each volume of a pod has to hold. Pure: objects and tokens in, directories and files out.
 *
 *   Volume, ContentSources ──▶ contentOf ──▶ VolumeContent ──▶ io/pod-disk.ts
 *
 * Throws `invalid` with the kubelet's words when something needed is missing; the pod's containers then wait.
 */
import {
  type ConfigMap,
  type KeyToPath,
  type Pod,
  quantityValue,
  type Secret,
  type Volume,
  type VolumeProjection,
} from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { containersOf } from '../pods/containers.ts';
import { type EnvironmentSources, fieldValue, resourceValue } from '../pods/environment.ts';
import { type ClaimSources, claimContent, usesClaim } from './claim-content.ts';

export interface FileEntry {
  /** Relative to the volume. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode: number;
  /** Whose it is; default: root's. */
  readonly ownerId?: number;
}

export type VolumeContent =
  | { readonly kind: 'directory' }
  | { readonly kind: 'memory'; readonly sizeBytes: number | undefined }
  | { readonly kind: 'hostPath'; readonly path: string; readonly type: string; readonly readOnly?: boolean }
  /** A path of the node that somebody has given to pods as a volume. */
  | { readonly kind: 'local'; readonly path: string; readonly volumeName: string; readonly readOnly: boolean }
  /** A folder of ours that outlives pods. `isMade`: it was made before, so that it is there, or is lost. With `sizeBytes` it holds so much and no more. */
  | {
      readonly kind: 'volume';
      readonly handle: string;
      readonly isMade: boolean;
      readonly volumeName: string;
      readonly volumeUid: string;
      readonly sizeBytes?: number;
      readonly readOnly: boolean;
    }
  /** The files of an image. Before the disk is asked they are mounted somewhere: then it is `mounted`. */
  | { readonly kind: 'image'; readonly reference: string; readonly pullPolicy: string }
  | { readonly kind: 'mounted'; readonly path: string; readonly readOnly: true }
  /** `inMemory`: must never reach a disk. */
  | { readonly kind: 'files'; readonly files: readonly FileEntry[]; readonly inMemory: boolean };

export interface TokenSource {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface ContentSources
  extends Pick<
      EnvironmentSources,
      'configMap' | 'secret' | 'nodeName' | 'nodeAddress' | 'podAddresses' | 'allocatable'
    >,
    ClaimSources {
  token(source: TokenSource): string;
}

export const defaultTokenSeconds = 3600;
const defaultMode = 0o644;

const invalid = (message: string): CaelumError => new CaelumError('invalid', message);

/** The service-account tokens that a pod's volumes hold. */
export function tokenSourcesOf(pod: Pod): TokenSource[] {
  const result: TokenSource[] = [];
  for (const volume of pod.spec?.volumes ?? [])
    for (const source of volume.projected?.sources ?? [])
      if (source.serviceAccountToken !== undefined) result.push(tokenSource(source.serviceAccountToken));
  return result;
}

const tokenSource = (source: NonNullable<VolumeProjection['serviceAccountToken']>): TokenSource => ({
  audience: source.audience,
  expirationSeconds: source.expirationSeconds ?? defaultTokenSeconds,
});

export function contentOf(pod: Pod, volume: Volume, sources: ContentSources): VolumeContent {
  if (volume.emptyDir !== undefined) {
    const { medium = '', sizeLimit } = volume.emptyDir;
    if (medium === 'Memory') return { kind: 'memory', sizeBytes: quantityValue(sizeLimit) };
    if (medium !== '') throw invalid(`unsupported emptyDir medium "${medium}"`);
    return { kind: 'directory' };
  }
  if (usesClaim(volume)) return claimContent(pod, volume, sources);
  if (volume.hostPath !== undefined)
    return { kind: 'hostPath', path: volume.hostPath.path, type: volume.hostPath.type ?? '' };
  if (volume.image !== undefined) {
    const { reference = '', pullPolicy = 'IfNotPresent' } = volume.image;
    return { kind: 'image', reference, pullPolicy };
  }
  if (volume.configMap !== undefined) {
    const { name = '', items, optional, defaultMode: mode } = volume.configMap;
    return files(configMapFiles(pod, sources.configMap(name), name, items, optional, mode), false);
  }
  if (volume.secret !== undefined) {
    const { secretName = '', items, optional, defaultMode: mode } = volume.secret;
    return files(secretFiles(pod, sources.secret(secretName), secretName, items, optional, mode), true);
  }
  if (volume.downwardAPI !== undefined)
    return files(downwardFiles(pod, volume.downwardAPI.items, sources, volume.downwardAPI.defaultMode), true);
  if (volume.projected !== undefined) {
    const all = (volume.projected.sources ?? []).flatMap((source) =>
      projectedFiles(pod, source, sources, volume.projected?.defaultMode),
    );
    return files(all, true);
  }
  const type = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw invalid(`volumes of type ${type} are not supported by this node`);
}

/** Later entries win; paths that leave the volume are refused. */
function files(entries: readonly FileEntry[], inMemory: boolean): VolumeContent {
  const byPath = new Map<string, FileEntry>();
  for (const entry of entries) {
    const steps = entry.path.split('/');
    if (entry.path.startsWith('/') || steps.includes('..') || steps[0]?.startsWith('..'))
      throw invalid(`invalid path: ${entry.path}: must be relative, without '..'`);
    byPath.set(entry.path, entry);
  }
  return { kind: 'files', files: [...byPath.values()], inMemory };
}

type Data = ReadonlyMap<string, Uint8Array>;

function pick(
  data: Data,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number | undefined,
  what: string,
): FileEntry[] {
  if (items === undefined || items.length === 0)
    return [...data].map(([path, value]) => ({ path, data: value, mode: mode ?? defaultMode }));
  const result: FileEntry[] = [];
  for (const item of items) {
    const value = data.get(item.key);
    if (value !== undefined)
      result.push({ path: item.path, data: value, mode: item.mode ?? mode ?? defaultMode });
    else if (!optional) throw invalid(`${what} references non-existent key: ${item.key}`);
  }
  return result;
}

function configMapFiles(
  pod: Pod,
  object: ConfigMap | undefined,
  name: string,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number | undefined,
): FileEntry[] {
  if (object === undefined && !optional) throw invalid(`configmap "${name}" not found`);
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, text] of Object.entries(object?.binaryData ?? {}))
    data.set(key, Buffer.from(text, 'base64'));
  return pick(data, items, optional, mode, `configmap ${pod.metadata.namespace}/${name}`);
}

function secretFiles(
  pod: Pod,
  object: Secret | undefined,
  name: string,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number | undefined,
): FileEntry[] {
  if (object === undefined && !optional) throw invalid(`secret "${name}" not found`);
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text, 'base64'));
  return pick(data, items, optional, mode, `secret ${pod.metadata.namespace}/${name}`);
}

type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

function downwardFiles(
  pod: Pod,
  items: DownwardItems | undefined,
  sources: ContentSources,
  mode: number | undefined,
): FileEntry[] {
  return (items ?? []).map((item) => {
    const text =
      item.fieldRef !== undefined
        ? fieldValue(pod, item.fieldRef.fieldPath, sources)
        : resourceValue(
            pod,
            item.resourceFieldRef?.containerName ?? '',
            item.resourceFieldRef?.resource ?? '',
            item.resourceFieldRef?.divisor,
            sources,
          );
    return { path: item.path, data: Buffer.from(text), mode: item.mode ?? mode ?? defaultMode };
  });
}

function projectedFiles(
  pod: Pod,
  source: VolumeProjection,
  sources: ContentSources,
  mode: number | undefined,
): FileEntry[] {
  if (source.configMap !== undefined) {
    const { name = '', items, optional } = source.configMap;
    return configMapFiles(pod, sources.configMap(name), name, items, optional, mode);
  }
  if (source.secret !== undefined) {
    const { name = '', items, optional } = source.secret;
    return secretFiles(pod, sources.secret(name), name, items, optional, mode);
  }
  if (source.downwardAPI !== undefined) return downwardFiles(pod, source.downwardAPI.items, sources, mode);
  if (source.serviceAccountToken !== undefined) {
    const token = sources.token(tokenSource(source.serviceAccountToken));
    // With a user or group of its own the token is theirs alone; the group is given by the disk.
    const ownerId = onlyUserOf(pod);
    const narrow = ownerId !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
    return [
      {
        path: source.serviceAccountToken.path,
        data: Buffer.from(token),
        mode: narrow ? 0o600 : (mode ?? defaultMode),
        ...(ownerId !== undefined && { ownerId }),
      },
    ];
  }
  throw invalid(
    `projected sources of type ${Object.keys(source)[0] ?? 'unknown'} are not supported by this node`,
  );
}

/** The one user that all containers of a pod run as; undefined: there are several, or images decide. */
function onlyUserOf({ spec }: Pod): number | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const users = new Set(
    containers.map((one) => one.securityContext?.runAsUser ?? spec?.securityContext?.runAsUser),
  );
  const [only] = users;
  return users.size === 1 ? only : undefined;
}

/** The ConfigMaps and Secrets that a pod reads: what has to be watched for it. */
export function referencesOf(pod: Pod): { readonly kind: 'configMap' | 'secret'; readonly name: string }[] {
  const seen = new Map<string, { kind: 'configMap' | 'secret'; name: string }>();
  const add = (kind: 'configMap' | 'secret', name: string | undefined): void => {
    if (name) seen.set(`${kind}/${name}`, { kind, name });
  };
  for (const volume of pod.spec?.volumes ?? []) {
    add('configMap', volume.configMap?.name);
    add('secret', volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add('configMap', source.configMap?.name);
      add('secret', source.secret?.name);
    }
  }
  for (const container of [...containersOf(pod), ...(pod.spec?.ephemeralContainers ?? [])]) {
    for (const from of container.envFrom ?? []) {
      add('configMap', from.configMapRef?.name);
      add('secret', from.secretRef?.name);
    }
    for (const variable of container.env ?? []) {
      add('configMap', variable.valueFrom?.configMapKeyRef?.name);
      add('secret', variable.valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) add('secret', name);
  return [...seen.values()];
}
