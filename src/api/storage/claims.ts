/**
 * Claims, volumes and who binds them: the words that controllers, scheduler, agents and the API server have in common, and how a pod names its claims. Pure.
 * Source: Kubernetes 1.36, "persistent volumes" and component-helpers/storage, as behaviour.
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../types/core.v1.ts';

/** On a claim: volume and claim know of each other. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
/** On a volume or a claim: a controller chose the other, nobody asked for it by name. */
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
/** On a volume: who made it. */
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
/** On a claim: the node for which its volume shall be made, chosen by the scheduler. */
export const selectedNode = 'volume.kubernetes.io/selected-node';
/** On a claim: who shall make its volume. */
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
export const formerStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner';
/** Keeps a claim until no pod uses it. */
export const claimProtection = 'kubernetes.io/pvc-protection';
/** Keeps a volume until no claim is bound to it. */
export const volumeProtection = 'kubernetes.io/pv-protection';
/** Keeps a volume that is to be deleted until its storage has gone. */
export const storageFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer';
/** A class that makes nothing: its volumes are made by hand. */
export const noProvisioner = 'kubernetes.io/no-provisioner';

/** The built-in provisioner of folders on nodes, as classes name it. */
export const localProvisioner = 'caelum.dev/local';
/** As its volumes name it. */
export const localDriver = 'local.caelum.dev';
/** Label of its volumes: the node that has the folder. */
export const localNodeLabel = 'local.caelum.dev/node';
/** On its volumes: the folder has been made. What is not there afterwards has been lost. */
export const localMade = 'local.caelum.dev/made';
/** Parameter of a class of its, and attribute of the volumes: `"true"` where a volume holds no more (and no less) than it is said to. */
export const boundedParameter = 'enforce';
export const hostnameLabel = 'kubernetes.io/hostname';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** Its class; '': none. */
export function classOf({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string {
  return metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
}

/** Nobody has said whether it has a class: it gets the default one as soon as there is one. */
export function awaitsClass({ metadata, spec }: PersistentVolumeClaim): boolean {
  return spec?.storageClassName === undefined && metadata.annotations?.[classAnnotation] === undefined;
}

export interface PodClaim {
  readonly name: string;
  /** Of the volume in the pod. */
  readonly volume: string;
  /** Made for this pod alone. */
  readonly isEphemeral: boolean;
  readonly readOnly: boolean;
}

const none: readonly PodClaim[] = [];

/** The claims that a pod uses. */
export function claimsOf({ metadata, spec }: Pod): readonly PodClaim[] {
  let claims: PodClaim[] | undefined;
  for (const volume of spec?.volumes ?? []) {
    const claim = claimOf(metadata.name ?? '', volume);
    if (claim === undefined) continue;
    claims ??= [];
    claims.push(claim);
  }
  return claims ?? none;
}

function claimOf(podName: string, volume: Volume): PodClaim | undefined {
  if (volume.persistentVolumeClaim !== undefined) {
    const { claimName, readOnly = false } = volume.persistentVolumeClaim;
    return { name: claimName, volume: volume.name, isEphemeral: false, readOnly };
  }
  if (volume.ephemeral === undefined) return undefined;
  return {
    name: ephemeralClaimName(podName, volume.name),
    volume: volume.name,
    isEphemeral: true,
    readOnly: false,
  };
}

export const ephemeralClaimName = (podName: string, volumeName: string): string => `${podName}-${volumeName}`;

/** Why a claim of the right name is not the one that was made for this pod; undefined: it is. */
export function foreignClaim(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner?.uid === pod.metadata.uid && pod.metadata.uid !== undefined) return undefined;
  const place = pod.metadata.namespace;
  return `PVC ${place}/${claim.metadata.name} was not created for pod ${place}/${pod.metadata.name} (pod is not owner)`;
}

export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  (spec?.volumeName ?? '') !== '' && metadata.annotations?.[bindCompleted] !== undefined;

/** Whether a volume speaks of this claim: by name where it was reserved by hand, by uid where it is bound. */
export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec ?? {};
  if (claimRef === undefined) return false;
  if (claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return (claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid;
}

/** A volume of the built-in provisioner that is held to its size; its node has to make it grow. */
export const isBounded = ({ spec }: PersistentVolume): boolean =>
  spec?.csi?.driver === localDriver && spec.csi.volumeAttributes?.[boundedParameter] === 'true';

/** What a pod's node has of a volume of the built-in provisioner: a folder. undefined: it is another's. */
export function localHandle({ spec }: PersistentVolume): string | undefined {
  return spec?.csi?.driver === localDriver ? spec.csi.volumeHandle : undefined;
}
