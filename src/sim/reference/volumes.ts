/**
 * What claims of volumes let a pod go where, found out for each node anew from plain lists. Pure and slow; what `scheduler/volume-book.ts` and its gates say is
 * compared with it.
 */
import {
  type CSINode,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  quantityValue,
  type StorageClass,
} from '../../api/index.ts';
import type { Cluster } from './scheduler.ts';
import { selectsNode } from './selectors.ts';

/** What was decided for a pod, and does not show yet. */
export interface Decided {
  readonly podKey: string;
  readonly nodeName: string;
  /** Names of claims and their volumes. */
  readonly reserve: readonly (readonly [claim: string, volume: string])[];
  readonly provision: readonly string[];
}

/** All of one namespace. */
export interface Storage {
  readonly claims: Map<string, PersistentVolumeClaim>;
  readonly volumes: Map<string, PersistentVolume>;
  readonly classes: Map<string, StorageClass>;
  readonly csiNodes: Map<string, CSINode>;
  /** Names of volumes that are attached to a node, whoever asked for them. */
  readonly attached: Map<string, { readonly node: string; readonly volume: string; readonly driver: string }>;
  decided: Decided[];
}

const sizeOf = (text: string | undefined): number => quantityValue(text) ?? 0;
const asked = ({ spec }: PersistentVolumeClaim): number => sizeOf(spec?.resources?.requests?.['storage']);

const claimNames = ({ spec }: Pod): readonly string[] =>
  (spec?.volumes ?? []).flatMap((one) => one.persistentVolumeClaim?.claimName ?? []);

function reaches({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || selectsNode(required, node);
}

const reservedFor = ({ decided }: Storage, claim: string): string | undefined =>
  decided.flatMap(({ reserve }) => reserve).find(([name]) => name === claim)?.[1];

/** What a driver attaches for a claim. */
function attachable(storage: Storage, name: string): readonly [driver: string, id: string] | undefined {
  const claim = storage.claims.get(name);
  if (claim === undefined) return undefined;
  const volumeName = storage.volumes.has(claim.spec?.volumeName ?? '')
    ? claim.spec?.volumeName
    : reservedFor(storage, name);
  const volume = storage.volumes.get(volumeName ?? '');
  if (volume !== undefined) return volume.spec?.csi && [volume.spec.csi.driver, volume.spec.csi.volumeHandle];
  const driver = storage.classes.get(claim.spec?.storageClassName ?? '')?.provisioner;
  return driver === undefined ? undefined : [driver, `claim ${name}`];
}

function isOverLimit(storage: Storage, cluster: Cluster, pod: Pod, node: Node): boolean {
  const name = node.metadata.name ?? '';
  const wanted = claimNames(pod).flatMap((one) => {
    const own = attachable(storage, one);
    return own === undefined ? [] : [own];
  });
  return (storage.csiNodes.get(name)?.spec?.drivers ?? []).some(({ name: driver, allocatable }) => {
    const there = new Set<string>();
    for (const { pod: other, nodeName } of cluster.pods)
      for (const one of nodeName === name ? claimNames(other) : []) {
        const own = attachable(storage, one);
        if (own?.[0] === driver) there.add(own[1]);
      }
    for (const { node: where, volume, driver: by } of storage.attached.values())
      if (where === name && by === driver)
        there.add(storage.volumes.get(volume)?.spec?.csi?.volumeHandle ?? `attachment of ${volume}`);
    const more = wanted.filter(([by, id]) => by === driver && !there.has(id));
    for (const [, id] of more) there.add(id);
    return allocatable?.count !== undefined && more.length > 0 && there.size > allocatable.count;
  });
}

function isInZone({ metadata }: PersistentVolume, node: Node): boolean {
  const key = 'topology.kubernetes.io/zone';
  const [mine, its] = [metadata.labels?.[key], node.metadata.labels?.[key]];
  if (mine === undefined || its === undefined) return true;
  return mine.split('__').includes(its);
}

interface Answer {
  readonly reasons: readonly string[];
  readonly reserve: readonly (readonly [claim: string, volume: string])[];
  readonly provision: readonly string[];
}

/** Why no node will do; undefined: one might. */
export function unresolvedOf(storage: Storage, pod: Pod): string | undefined {
  for (const name of claimNames(pod)) {
    const claim = storage.claims.get(name);
    if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
    const isBound = (claim.spec?.volumeName ?? '') !== '';
    const { volumeBindingMode } = storage.classes.get(claim.spec?.storageClassName ?? '') ?? {};
    if (!isBound && volumeBindingMode !== 'WaitForFirstConsumer')
      return 'pod has unbound immediate PersistentVolumeClaims';
  }
  return undefined;
}

/** What a node says of the pod's claims, and what would have to be done for them there. */
export function askNode(storage: Storage, cluster: Cluster, pod: Pod, node: Node): Answer {
  const claims = claimNames(pod).map((name) => storage.claims.get(name) as PersistentVolumeClaim);
  const nothing = { reserve: [], provision: [] };
  const isTaken = claims.some(
    ({ metadata, spec }) =>
      spec?.accessModes?.includes('ReadWriteOncePod') === true &&
      cluster.pods.some((one) => claimNames(one.pod).includes(metadata.name ?? '')),
  );
  if (isTaken)
    return {
      ...nothing,
      reasons: [
        'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
      ],
    };
  if (isOverLimit(storage, cluster, pod, node))
    return { ...nothing, reasons: ['node(s) exceed max volume count'] };
  const reasons = new Set<string>();
  const reserve: (readonly [string, string])[] = [];
  const provision: string[] = [];
  const taken = new Set(storage.decided.flatMap((one) => one.reserve.map(([, volume]) => volume)));
  let isElsewhere = false;
  for (const claim of [...claims].sort((a, b) => asked(a) - asked(b))) {
    const { name = '', annotations } = claim.metadata;
    const volumeName = claim.spec?.volumeName ?? reservedFor(storage, name);
    if (volumeName !== undefined) {
      const volume = storage.volumes.get(volumeName);
      if (volume === undefined)
        reasons.add('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
      else if (!reaches(volume, node)) reasons.add("node(s) didn't match PersistentVolume's node affinity");
      else if (!isInZone(volume, node)) isElsewhere = true;
      continue;
    }
    const chosen =
      storage.decided.find((one) => one.provision.includes(name))?.nodeName ??
      annotations?.['volume.kubernetes.io/selected-node'];
    const storageClass = storage.classes.get(claim.spec?.storageClassName ?? '') as StorageClass;
    if (chosen !== undefined) {
      if (chosen === node.metadata.name) provision.push(name);
      else reasons.add("node(s) didn't find available persistent volumes to bind");
      continue;
    }
    const fitting = [...storage.volumes.values()]
      .filter(
        (one) =>
          one.spec?.claimRef === undefined &&
          one.spec?.storageClassName === claim.spec?.storageClassName &&
          sizeOf(one.spec?.capacity?.['storage']) >= asked(claim) &&
          reaches(one, node) &&
          !taken.has(one.metadata.name ?? ''),
      )
      .sort(
        (a, b) =>
          sizeOf(a.spec?.capacity?.['storage']) - sizeOf(b.spec?.capacity?.['storage']) ||
          ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
      )[0];
    if (fitting !== undefined) {
      taken.add(fitting.metadata.name ?? '');
      reserve.push([name, fitting.metadata.name ?? '']);
      continue;
    }
    const isAllowed = (storageClass.allowedTopologies ?? [{}]).some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(node.metadata.labels?.[key] ?? '')),
    );
    if (storageClass.provisioner.startsWith('kubernetes.io/') || !isAllowed)
      reasons.add("node(s) didn't find available persistent volumes to bind");
    else if (
      storageClass.provisioner === 'caelum.dev/local' &&
      asked(claim) > sizeOf(node.status?.allocatable?.['ephemeral-storage'])
    )
      reasons.add('node(s) did not have enough free storage');
    else provision.push(name);
  }
  if (reasons.size === 0 && isElsewhere) reasons.add('node(s) had no available volume zone');
  return { reasons: [...reasons], reserve, provision };
}
