/**
 * The built-in provisioner: makes the volume objects for claims of classes with `provisioner: caelum.dev/local`. Pure.
 *
 *   claim + node chosen by the scheduler (or here, where the class does not wait for a pod) ─▶ volume, reserved for the claim, reached from that node only
 *   a volume's policy ─▶ whether it stays until its node has erased it
 *
 * The folder itself is the node agent's: it makes it when a pod first mounts the volume, and erases it when the volume is released.
 */
import {
  askedStorage,
  awaitsClass,
  boundedParameter,
  classOf,
  compareQuantities,
  hostnameLabel,
  localDriver,
  localNodeLabel,
  localProvisioner,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  provisionedBy,
  type StorageClass,
  selectedNode,
  storageFinalizer,
} from '../../api/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, referenceTo } from '../resources.ts';
import type { Step, Write } from '../step.ts';
import { finalizersPatch } from '../volume-protection/finalizers.ts';

export interface ObservedClaim {
  readonly kind: 'claim';
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
  readonly made: PersistentVolume | undefined;
  findNode(name: string): Node | undefined;
  nodes(): Iterable<Node>;
  /** How many volumes of ours a node has. */
  volumesOn(node: string): number;
}

export interface ObservedVolume {
  readonly kind: 'volume';
  readonly volume: PersistentVolume;
  readonly node: Node | undefined;
}

export type Observed = ObservedClaim | ObservedVolume;

/** A claim for which nothing could be made is looked at again after so long. */
const againMs = 15_000;

export const volumeNameOf = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;

export function plan(observed: Observed): readonly Step[] {
  return observed.kind === 'claim' ? planClaim(observed) : planVolume(observed);
}

function planClaim(observed: ObservedClaim): readonly Step[] {
  const { claim, storageClass, made } = observed;
  if (claim.metadata.deletionTimestamp !== undefined || (claim.spec?.volumeName ?? '') !== '') return [];
  if (made !== undefined || awaitsClass(claim)) return [];
  const refusal = unmakeable(claim, storageClass);
  if (refusal !== undefined) return [failed(claim, refusal)];
  const chosen = claim.metadata.annotations?.[selectedNode];
  if (chosen === undefined && storageClass.volumeBindingMode === 'WaitForFirstConsumer') return [];
  const node = chosen === undefined ? chooseNode(observed) : observed.findNode(chosen);
  if (node === undefined) {
    if (chosen === undefined)
      return [failed(claim, 'no node is ready for it'), { kind: 'again', afterMs: againMs }];
    return [failed(claim, `node "${chosen}" not found`), unselect(claim)];
  }
  const lack = lackOf(node, claim);
  if (lack !== undefined) {
    // The scheduler may know another node.
    return chosen === undefined ? [failed(claim, lack)] : [failed(claim, lack), unselect(claim)];
  }
  return [create(claim, storageClass, node)];
}

/** Why no volume of ours can be what the claim asks for. */
function unmakeable(
  claim: PersistentVolumeClaim,
  { metadata, mountOptions, parameters = {} }: StorageClass,
): string | undefined {
  const { spec } = claim;
  if (spec?.volumeMode === 'Block') return 'block volumes are not supported, only file systems';
  if (spec?.dataSource !== undefined || spec?.dataSourceRef !== undefined)
    return 'volumes made of a data source are not supported';
  if (spec?.selector !== undefined) return 'claim Selector is not supported';
  if ((mountOptions?.length ?? 0) > 0)
    return `Mount options are not supported by the provisioner but StorageClass "${metadata.name}" has mount options [${mountOptions?.join(' ')}]`;
  const unknown = Object.keys(parameters).find(
    (name) => name !== boundedParameter && !name.startsWith('csi.storage.k8s.io/'),
  );
  if (unknown !== undefined) return `invalid option "${unknown}" for volume plugin ${localProvisioner}`;
  const enforce = parameters[boundedParameter];
  if (enforce !== undefined && enforce !== 'true' && enforce !== 'false')
    return `invalid value "${enforce}" of option "${boundedParameter}" for volume plugin ${localProvisioner}: it is "true" or "false"`;
  if (enforce === 'true' && compareQuantities(askedStorage(claim), leastBounded) < 0)
    return `a volume that is held to its size has at least ${leastBounded}`;
  return undefined;
}

/** Of a smaller file system little would be left for data. */
const leastBounded = '16Mi';

const hostnameOf = ({ metadata }: Node): string | undefined => metadata.labels?.[hostnameLabel];

/** Space is given as it is used: what a node does not have as a whole it cannot give. */
export function lackOf(node: Node, claim: PersistentVolumeClaim): string | undefined {
  if (hostnameOf(node) === undefined) return `node "${node.metadata.name}" has no label ${hostnameLabel}`;
  const { allocatable, capacity } = node.status ?? {};
  const whole = (allocatable ?? capacity)?.['ephemeral-storage'];
  const asked = askedStorage(claim);
  if (whole === undefined || compareQuantities(asked, whole) <= 0) return undefined;
  return `node "${node.metadata.name}" has ${whole} of storage in all, ${asked} are asked for`;
}

/** Of the nodes that are ready and that the class allows the one with the fewest volumes. */
function chooseNode(observed: ObservedClaim): Node | undefined {
  let best: { readonly node: Node; readonly count: number } | undefined;
  for (const node of observed.nodes()) {
    const { name = '' } = node.metadata;
    const isReady = node.status?.conditions?.some(
      ({ type, status }) => type === 'Ready' && status === 'True',
    );
    if (isReady !== true || node.spec?.unschedulable === true) continue;
    if (!isAllowed(node, observed.storageClass) || lackOf(node, observed.claim) !== undefined) continue;
    const count = observed.volumesOn(name);
    if (
      best === undefined ||
      count < best.count ||
      (count === best.count && name < (best.node.metadata.name ?? ''))
    )
      best = { node, count };
  }
  return best?.node;
}

function isAllowed({ metadata }: Node, { allowedTopologies = [] }: StorageClass): boolean {
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? '')),
  );
}

function failed(claim: PersistentVolumeClaim, why: string): Step {
  const about = referenceTo(persistentVolumeClaimsRef, claim);
  const message = `failed to provision volume with StorageClass "${classOf(claim)}": ${why}`;
  return { kind: 'event', event: { about, type: 'Warning', reason: 'ProvisioningFailed', message } };
}

function unselect({ metadata }: PersistentVolumeClaim): Write {
  const { namespace, name = '', uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion, annotations: { [selectedNode]: null } } };
  return {
    kind: 'patch',
    ref: persistentVolumeClaimsRef,
    namespace,
    name,
    type: 'merge',
    patch,
    accept: ['notFound'],
  };
}

function create(claim: PersistentVolumeClaim, storageClass: StorageClass, node: Node): Write {
  const name = volumeNameOf(claim);
  const about = referenceTo(persistentVolumeClaimsRef, claim);
  const message = `Successfully provisioned volume ${name} using ${localProvisioner}`;
  return {
    kind: 'create',
    ref: persistentVolumesRef,
    object: volumeFor(claim, storageClass, node),
    done: { about, type: 'Normal', reason: 'ProvisioningSucceeded', message },
    failed: {
      about,
      type: 'Warning',
      reason: 'ProvisioningFailed',
      message: `Error creating provisioned PV object for claim ${claim.metadata.namespace}/${claim.metadata.name}: {error}. Deleting the volume.`,
    },
    // Made by an earlier try, and reserved for this very claim: its name says so.
    accept: ['alreadyExists'],
  };
}

function volumeFor(claim: PersistentVolumeClaim, storageClass: StorageClass, node: Node): PersistentVolume {
  const hostname = hostnameOf(node) ?? '';
  const reclaimPolicy = storageClass.reclaimPolicy ?? 'Delete';
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeNameOf(claim),
      labels: { [localNodeLabel]: node.metadata.name ?? '' },
      annotations: { [provisionedBy]: localProvisioner },
      ...(reclaimPolicy === 'Delete' ? { finalizers: [storageFinalizer] } : {}),
    },
    spec: {
      accessModes: claim.spec?.accessModes ?? [],
      capacity: { storage: askedStorage(claim) },
      claimRef: referenceTo(persistentVolumeClaimsRef, claim),
      csi: {
        driver: localDriver,
        volumeHandle: volumeNameOf(claim),
        ...(storageClass.parameters?.[boundedParameter] === 'true'
          ? { fsType: 'ext4', volumeAttributes: { [boundedParameter]: 'true' } }
          : {}),
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [hostname] }] },
          ],
        },
      },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass.metadata.name ?? '',
      volumeMode: 'Filesystem',
    },
  };
}

/** What is to be deleted stays until its folder has gone; what is to be retained may go at once, and its folder stays. */
function planVolume({ volume, node }: ObservedVolume): readonly Step[] {
  const { finalizers = [], deletionTimestamp, labels } = volume.metadata;
  const isKept = finalizers.includes(storageFinalizer);
  const isDeleted = volume.spec?.persistentVolumeReclaimPolicy === 'Delete';
  if (isKept && !isDeleted) {
    const rest = finalizers.filter((one) => one !== storageFinalizer);
    return [finalizersPatch(persistentVolumesRef, volume, rest)];
  }
  if (isDeleted && !isKept && deletionTimestamp === undefined)
    return [finalizersPatch(persistentVolumesRef, volume, [...finalizers, storageFinalizer])];
  if (!isDeleted || !isKept || volume.status?.phase !== 'Released' || node !== undefined) return [];
  const message = `node "${labels?.[localNodeLabel]}" that has the volume is gone: it is deleted when the node comes back, or when the finalizer ${storageFinalizer} is removed`;
  const about = referenceTo(persistentVolumesRef, volume);
  return [{ kind: 'event', event: { about, type: 'Warning', reason: 'VolumeFailedDelete', message } }];
}
