/**
 * What becomes of a claim: bound to a volume that fits, waiting for a pod, for a provisioner or for somebody to make a volume, or lost. Pure.
 *
 *   not bound ─▶ the volume that it names │ one that fits │ the default class │ a provisioner
 *   bound     ─▶ still each other's? else lost
 *
 * Source: Kubernetes 1.36, persistentvolume-controller, as behaviour.
 */
import {
  awaitsClass,
  bindCompleted,
  boundByController,
  classOf,
  findVolume,
  formerStorageProvisioner,
  isReservedFor,
  localProvisioner,
  misfit,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type StorageClass,
  selectedNode,
  storageProvisioner,
} from '../../api/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, referenceTo } from '../resources.ts';
import { type Step, statusSteps, type Write } from '../step.ts';

export interface ObservedClaim {
  readonly kind: 'claim';
  readonly claim: PersistentVolumeClaim;
  /** Its class, where there is one of that name. */
  readonly storageClass: StorageClass | undefined;
  readonly defaultClass: string | undefined;
  /** The volume that it names. */
  readonly named: PersistentVolume | undefined;
  /** Of its class, and those that were reserved for it. */
  readonly volumes: readonly PersistentVolume[];
  /** By another claim, though that does not show yet. */
  isTaken(volume: PersistentVolume): boolean;
  /** Pods that use it and have no node yet. */
  readonly waitingPods: readonly Pod[];
}

export function planClaim(observed: ObservedClaim): readonly Step[] {
  const { claim } = observed;
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) return planBound(observed);
  if (claim.metadata.deletionTimestamp !== undefined) return [];
  return (claim.spec?.volumeName ?? '') === '' ? planUnbound(observed) : planNamed(observed);
}

const event = (
  { claim }: ObservedClaim,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Step => ({
  kind: 'event',
  event: { about: referenceTo(persistentVolumeClaimsRef, claim), type, reason, message },
});

/** A claim that is not bound has nothing. */
const phase = (claim: PersistentVolumeClaim, name: string): readonly Write[] => {
  const { accessModes: _, capacity: _other, ...rest } = claim.status ?? {};
  return statusSteps(persistentVolumeClaimsRef, claim, { ...rest, phase: name });
};

function planUnbound(observed: ObservedClaim): readonly Step[] {
  const { claim, storageClass, volumes, isTaken } = observed;
  const waitsForPod = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const found = findVolume(claim, volumes, { waitsForPod, isTaken });
  if (found !== undefined) return bind(found, claim);
  if (awaitsClass(claim) && observed.defaultClass !== undefined)
    return [giveClass(claim, observed.defaultClass)];
  const node = claim.metadata.annotations?.[selectedNode];
  const pending = phase(claim, 'Pending');
  if (waitsForPod && node === undefined) return [...pending, waiting(observed)];
  if (classOf(claim) !== '') return [...pending, ...provision(observed)];
  const why = 'no persistent volumes available for this claim and no storage class is set';
  return [...pending, event(observed, 'Normal', 'FailedBinding', why)];
}

function waiting(observed: ObservedClaim): Step {
  const names = observed.waitingPods.map(({ metadata }) => metadata.name ?? '').sort();
  if (names.length === 0)
    return event(
      observed,
      'Normal',
      'WaitForFirstConsumer',
      'waiting for first consumer to be created before binding',
    );
  const whom = `${names.length === 1 ? 'pod' : 'pods'} ${names.join(',')}`;
  return event(observed, 'Normal', 'WaitForPodScheduled', `waiting for ${whom} to be scheduled`);
}

function giveClass(claim: PersistentVolumeClaim, name: string): Write {
  const { resourceVersion } = claim.metadata;
  return patchOf(claim, { metadata: { resourceVersion }, spec: { storageClassName: name } });
}

function patchOf(
  claim: PersistentVolumeClaim,
  patch: { readonly metadata: object; readonly spec?: object },
): Write {
  const { namespace, name = '', uid } = claim.metadata;
  return {
    kind: 'patch',
    ref: persistentVolumeClaimsRef,
    namespace,
    name,
    type: 'merge',
    patch: { ...patch, metadata: { ...patch.metadata, uid } },
    accept: ['notFound'],
  };
}

/** Tells the provisioner of the class that it is wanted. It makes a volume that is reserved for the claim. */
function provision(observed: ObservedClaim): readonly Step[] {
  const { claim, storageClass } = observed;
  const fail = (why: string): readonly Step[] => [event(observed, 'Warning', 'ProvisioningFailed', why)];
  if (storageClass === undefined) return fail(`storageclass.storage.k8s.io "${classOf(claim)}" not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith('kubernetes.io/')) return fail(`no volume plugin matched name: ${provisioner}`);
  const annotations = { [storageProvisioner]: provisioner, [formerStorageProvisioner]: provisioner };
  const isAsked = claim.metadata.annotations?.[storageProvisioner] === provisioner;
  const { resourceVersion } = claim.metadata;
  const asking = isAsked ? [] : [patchOf(claim, { metadata: { resourceVersion, annotations } })];
  // Ours does it at once, and tells itself.
  if (provisioner === localProvisioner) return asking;
  const why = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return [...asking, event(observed, 'Normal', 'ExternalProvisioning', why)];
}

/** It names its volume itself. */
function planNamed(observed: ObservedClaim): readonly Step[] {
  const { claim, named } = observed;
  if (named === undefined) return phase(claim, 'Pending');
  if (named.spec?.claimRef === undefined) {
    const why = misfit(named, claim);
    if (why === undefined) return bind(named, claim);
    const message = `Cannot bind to requested volume "${named.metadata.name}": ${why}`;
    return [event(observed, 'Warning', 'VolumeMismatch', message), ...phase(claim, 'Pending')];
  }
  if (isReservedFor(named, claim)) return bind(named, claim);
  const message = `volume "${named.metadata.name}" already bound to a different claim.`;
  return [event(observed, 'Warning', 'FailedBinding', message), ...phase(claim, 'Pending')];
}

function planBound(observed: ObservedClaim): readonly Step[] {
  const { claim, named } = observed;
  const lose = (reason: string, message: string): readonly Step[] =>
    claim.status?.phase === 'Lost'
      ? phase(claim, 'Lost')
      : [...phase(claim, 'Lost'), event(observed, 'Warning', reason, message)];
  if ((claim.spec?.volumeName ?? '') === '')
    return lose(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    );
  if (named === undefined)
    return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = named.spec ?? {};
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return bind(named, claim);
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

/**
 * Makes each know of the other, whatever of it is there already: the volume is reserved first, so that of two claims one gets it. Empty when all is there.
 */
export function bind(volume: PersistentVolume, claim: PersistentVolumeClaim): readonly Step[] {
  return [
    ...reserve(volume, claim),
    ...statusSteps(persistentVolumesRef, volume, boundPhase(volume)),
    ...point(claim, volume),
    ...statusSteps(persistentVolumeClaimsRef, claim, boundStatus(claim, volume)),
  ];
}

export function boundPhase({ status }: PersistentVolume): object {
  const { reason: _, message: _other, ...rest } = status ?? {};
  return { ...rest, phase: 'Bound' };
}

function reserve(volume: PersistentVolume, claim: PersistentVolumeClaim): readonly Write[] {
  const present = volume.spec?.claimRef;
  if (present?.uid === claim.metadata.uid && present?.name === claim.metadata.name) return [];
  const { name = '', uid, resourceVersion } = volume.metadata;
  const annotations = present === undefined ? { annotations: { [boundByController]: 'yes' } } : {};
  const claimRef = referenceTo(persistentVolumeClaimsRef, claim);
  const patch = { metadata: { uid, resourceVersion, ...annotations }, spec: { claimRef } };
  return [{ kind: 'patch', ref: persistentVolumesRef, namespace: undefined, name, type: 'merge', patch }];
}

function point(claim: PersistentVolumeClaim, volume: PersistentVolume): readonly Write[] {
  const { annotations, resourceVersion } = claim.metadata;
  const isNamed = claim.spec?.volumeName === volume.metadata.name;
  if (isNamed && annotations?.[bindCompleted] !== undefined) return [];
  const words = { [bindCompleted]: 'yes', ...(isNamed ? {} : { [boundByController]: 'yes' }) };
  const patch = {
    metadata: { resourceVersion, annotations: words },
    spec: { volumeName: volume.metadata.name },
  };
  return [patchOf(claim, patch)];
}

/** How much it has is taken from the volume once: afterwards it grows by itself. */
function boundStatus({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): object {
  const isNew = status?.phase !== 'Bound';
  return {
    ...status,
    phase: 'Bound',
    accessModes: spec?.accessModes,
    ...(isNew ? { capacity: spec?.capacity } : {}),
  };
}
