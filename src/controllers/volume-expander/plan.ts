/**
 * Lets claims grow: a bound claim that asks for more than it has gets it, where its class allows that and its volume can. Pure.
 *
 *   asked > had ─▶ the volume's capacity ─▶ the claim's status; of a volume that is held to its size: NodeResizePending ─▶ its node ─▶ the claim's status
 *              └▶ it cannot ─▶ condition, event; the asker may ask for less again
 *
 * Folders of the built-in provisioner grow by their volume's say-so. What other drivers do is theirs. Source: Kubernetes 1.36, expand-controller and
 * external-resizer, as behaviour.
 */
import {
  askedStorage,
  compareQuantities,
  isBounded,
  localDriver,
  localHandle,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PersistentVolumeClaimCondition,
} from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, referenceTo } from '../resources.ts';
import { type PlanContext, type Step, statusSteps } from '../step.ts';

export interface Observed {
  readonly claim: PersistentVolumeClaim;
  /** Bound to it. */
  readonly volume: PersistentVolume;
  /** That has the volume's folder, where it is one of ours. */
  readonly node: Node | undefined;
}

const errorType = 'ControllerResizeError';
const infeasible = 'ControllerResizeInfeasible';
const nodePending = 'NodeResizePending';
const pendingType = 'FileSystemResizePending';
const ownConditions = ['Resizing', errorType, pendingType];

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { claim, volume } = observed;
  const asked = askedStorage(claim);
  const has = claim.status?.capacity?.['storage'] ?? '0';
  if (compareQuantities(asked, has) <= 0) return localHandle(volume) === undefined ? [] : settle(claim, has);
  if (localHandle(volume) === undefined) {
    const isDriven = volume.spec?.csi !== undefined;
    return [
      isDriven
        ? event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
        : event(
            claim,
            'Warning',
            'ExternalExpanding',
            "Ignoring the PVC: didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC.",
          ),
    ];
  }
  const lack = lackOf(observed, asked);
  if (lack !== undefined) return refuse(claim, volume, asked, lack, nowMs);
  return isBounded(volume) ? leaveToNode(claim, volume, asked, nowMs) : grow(claim, volume, asked);
}

function event(
  claim: PersistentVolumeClaim,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Step {
  return {
    kind: 'event',
    event: { about: referenceTo(persistentVolumeClaimsRef, claim), type, reason, message },
  };
}

function lackOf({ node }: Observed, asked: string): string | undefined {
  const whole = (node?.status?.allocatable ?? node?.status?.capacity)?.['ephemeral-storage'];
  if (whole === undefined || compareQuantities(asked, whole) <= 0) return undefined;
  return `node "${node?.metadata.name}" has ${whole} of storage in all, ${asked} are asked for`;
}

const others = ({ status }: PersistentVolumeClaim): readonly PersistentVolumeClaimCondition[] =>
  (status?.conditions ?? []).filter(({ type }) => !ownConditions.includes(type));

/** Its status without anything that says that it is growing. */
function grown(claim: PersistentVolumeClaim, capacity: string): object {
  const { allocatedResourceStatuses, conditions: _, ...rest } = claim.status ?? {};
  const { storage: _state, ...statuses } = allocatedResourceStatuses ?? {};
  const conditions = others(claim);
  return {
    ...rest,
    capacity: { ...claim.status?.capacity, storage: capacity },
    allocatedResources: { ...claim.status?.allocatedResources, storage: capacity },
    ...(Object.keys(statuses).length === 0 ? {} : { allocatedResourceStatuses: statuses }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** The volume's own word, before the claim's. */
function raise(claim: PersistentVolumeClaim, volume: PersistentVolume, asked: string): readonly Step[] {
  const { name = '', uid, resourceVersion } = volume.metadata;
  if (compareQuantities(volume.spec?.capacity?.['storage'] ?? '0', asked) >= 0) return [];
  const patch = { metadata: { uid, resourceVersion }, spec: { capacity: { storage: asked } } };
  return [
    event(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${name}`),
    { kind: 'patch', ref: persistentVolumesRef, namespace: undefined, name, type: 'merge', patch },
  ];
}

/** The file system grows where it is mounted; then its node says so in the claim. */
function leaveToNode(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  asked: string,
  nowMs: number,
): readonly Step[] {
  const { allocatedResources, allocatedResourceStatuses, conditions } = claim.status ?? {};
  const steps = raise(claim, volume, asked);
  const isSaid =
    allocatedResourceStatuses?.['storage'] === nodePending &&
    compareQuantities(allocatedResources?.['storage'] ?? '0', asked) === 0 &&
    conditions?.some(({ type }) => type === pendingType) === true;
  if (isSaid) return steps;
  const condition = {
    type: pendingType,
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    message: 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.',
  };
  const status = {
    ...claim.status,
    allocatedResources: { ...allocatedResources, storage: asked },
    allocatedResourceStatuses: { ...allocatedResourceStatuses, storage: nodePending },
    conditions: [...others(claim), condition],
  };
  return [
    ...steps,
    ...statusSteps(persistentVolumeClaimsRef, claim, status),
    event(claim, 'Normal', 'FileSystemResizeRequired', 'Require file system resize of volume on node'),
  ];
}

function grow(claim: PersistentVolumeClaim, volume: PersistentVolume, asked: string): readonly Step[] {
  return [
    ...raise(claim, volume, asked),
    ...statusSteps(persistentVolumeClaimsRef, claim, grown(claim, asked)),
    event(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded'),
  ];
}

/** Nothing more is asked for than there is: what was said of a growth that could not be is taken back. */
function settle(claim: PersistentVolumeClaim, has: string): readonly Step[] {
  const { conditions = [], allocatedResourceStatuses } = claim.status ?? {};
  const said =
    allocatedResourceStatuses?.['storage'] !== undefined ||
    conditions.some(({ type }) => ownConditions.includes(type));
  return said ? statusSteps(persistentVolumeClaimsRef, claim, grown(claim, has)) : [];
}

function refuse(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  asked: string,
  lack: string,
  nowMs: number,
): readonly Step[] {
  const message = `resize volume "${volume.metadata.name}" by resizer "${localDriver}" failed: ${lack}`;
  const before = claim.status?.conditions?.find(({ type }) => type === errorType);
  const condition = {
    type: errorType,
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    message: `failed to expand pvc with ${message}`,
  };
  if (before?.message === condition.message) return [];
  const status = {
    ...claim.status,
    allocatedResources: { ...claim.status?.allocatedResources, storage: asked },
    allocatedResourceStatuses: { ...claim.status?.allocatedResourceStatuses, storage: infeasible },
    conditions: [...others(claim), condition],
  };
  return [
    ...statusSteps(persistentVolumeClaimsRef, claim, status),
    event(claim, 'Warning', 'VolumeResizeFailed', message),
  ];
}
