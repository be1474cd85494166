/**
 * What a hollow node makes of a pod: waiting, running, finished, gone. Pure.
 *
 *   Pod ──▶ hollowStep ──▶ start | ready | resize | finish | delete | nothing
 *
 * A pod with the annotation `hollow.caelum.dev/exit-after-ms` (and a restart policy other than Always) finishes after that time,
 * with the exit code of `hollow.caelum.dev/exit-code` (0 when absent).
 */
import {
  type Container,
  type ContainerState,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
  specInUse,
} from '../../api/index.ts';
import { flat, formatTime } from '../../lib/index.ts';
import { allocationOfStatus, type ResizeRefusal, withAllocation } from '../pods/allocation.ts';
import { qosClassOf } from '../pods/qos.ts';

export const exitAfterAnnotation = 'hollow.caelum.dev/exit-after-ms';
export const exitCodeAnnotation = 'hollow.caelum.dev/exit-code';

export type HollowStep =
  | { readonly kind: 'start' }
  /** It runs, and is called not ready: its node was thought lost. */
  | { readonly kind: 'ready' }
  /** It asks for other amounts than it was granted. */
  | { readonly kind: 'resize' }
  /** It was given ephemeral containers. */
  | { readonly kind: 'guests' }
  | { readonly kind: 'finish'; readonly afterMs: number; readonly exitCode: number }
  | { readonly kind: 'delete' }
  | { readonly kind: 'nothing' };

export function hollowStep(pod: Pod, nowMs: number): HollowStep {
  const phase = pod.status?.phase ?? 'Pending';
  if (pod.metadata.deletionTimestamp !== undefined) {
    const isFinal = phase === 'Succeeded' || phase === 'Failed';
    const held = isHeld(pod) && isFinal && pod.metadata.deletionGracePeriodSeconds === 0;
    return held ? { kind: 'nothing' } : { kind: 'delete' };
  }
  if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'nothing' };
  if (phase !== 'Running') return { kind: 'start' };
  if (isCalledNotReady(pod)) return { kind: 'ready' };
  if (isResizeDue(pod)) return { kind: 'resize' };
  const guests = pod.spec?.ephemeralContainers?.length ?? 0;
  if (guests > (pod.status?.ephemeralContainerStatuses?.length ?? 0)) return { kind: 'guests' };
  const exitAfter = pod.metadata.annotations?.[exitAfterAnnotation];
  if (exitAfter === undefined || (pod.spec?.restartPolicy ?? 'Always') === 'Always')
    return { kind: 'nothing' };
  const startedMs = Date.parse(pod.status?.startTime ?? '') || nowMs;
  const exitCode = Number(pod.metadata.annotations?.[exitCodeAnnotation] ?? 0) || 0;
  const lifeMs = Number(exitAfter) || 0;
  // The clock on the wall may have jumped back since: no pod lives longer than it shall.
  return { kind: 'finish', afterMs: Math.min(lifeMs, Math.max(0, startedMs + lifeMs - nowMs)), exitCode };
}

/** It stays after its end, for somebody who wants to know how it ended. */
export const isHeld = ({ metadata }: Pod): boolean => (metadata.finalizers ?? []).length > 0;

function isCalledNotReady(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' && passesGates(pod);
}

const passesGates = (pod: Pod): boolean =>
  (pod.spec?.readinessGates ?? []).every((gate) =>
    (pod.status?.conditions ?? []).some(
      (condition) => condition.type === gate.conditionType && condition.status === 'True',
    ),
  );

/** The patch body for `status` when it has got ephemeral containers: they run at once. */
export function guestsStatus(pod: Pod, nowMs: number): PodStatus {
  const known = new Map(pod.status?.ephemeralContainerStatuses?.map((one) => [one.name, one]));
  const state = { running: { startedAt: formatTime(nowMs) } };
  const guests = (pod.spec?.ephemeralContainers ?? []) as readonly Container[];
  const generation = pod.metadata.generation;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ephemeralContainerStatuses: guests.map(
      (one) => known.get(one.name) ?? { ...containerStatus(pod, one, state), ready: false },
    ),
  };
}

const pendingOf = ({ status }: Pod): PodCondition | undefined =>
  status?.conditions?.find(({ type }) => type === 'PodResizePending');

/** It waits for room, for the generation that it is of. */
export const isDeferred = (pod: Pod): boolean => pendingOf(pod)?.reason === 'Deferred';

function isResizeDue(pod: Pod): boolean {
  const pending = pendingOf(pod);
  if (specInUse(pod) === pod.spec) return pending !== undefined;
  return pending?.observedGeneration !== pod.metadata.generation || pending === undefined;
}

/** The pod with what it was granted: what its status says. */
export function grantedOf(pod: Pod): Pod {
  const allocation = allocationOfStatus(pod);
  return allocation === undefined ? pod : withAllocation(pod, allocation);
}

/** The patch body for `status` when a resize has been decided on. What is granted is there at once. */
export function resizedStatus(pod: Pod, refusal: ResizeRefusal | undefined, nowMs: number): PodStatus {
  const generation = pod.metadata.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const before = pendingOf(pod);
  if (refusal !== undefined) {
    const now = formatTime(nowMs);
    const lastTransitionTime = before?.lastTransitionTime ?? now;
    const pending = { type: 'PodResizePending', status: 'True', lastTransitionTime, ...refusal, ...observed };
    return { ...observed, conditions: [pending] };
  }
  const containers = new Map(
    [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((one) => [one.name, one]),
  );
  const grant = (status: ContainerStatus): ContainerStatus => {
    const container = containers.get(status.name);
    return container === undefined ? status : { ...status, ...resourcesOf(container) };
  };
  const { containerStatuses = [], initContainerStatuses } = pod.status ?? {};
  return {
    ...observed,
    ...(before === undefined
      ? {}
      : { conditions: [{ $patch: 'delete', type: before.type }] as unknown as PodCondition[] }),
    containerStatuses: containerStatuses.map(grant),
    ...(initContainerStatuses === undefined
      ? {}
      : { initContainerStatuses: initContainerStatuses.map(grant) }),
  };
}

function resourcesOf({
  resources = {},
}: Container): Pick<ContainerStatus, 'allocatedResources' | 'resources'> {
  const { requests } = resources;
  return { ...(requests === undefined ? {} : { allocatedResources: requests }), resources };
}

/** The patch body for `status` that makes a running pod Ready again. */
export function readyStatus(nowMs: number): PodStatus {
  const lastTransitionTime = formatTime(nowMs);
  // The reason that others gave for the contrary goes with it.
  const yes = (type: string) => ({ type, status: 'True', lastTransitionTime, reason: null });
  return { conditions: [yes('Ready'), yes('ContainersReady')] } as unknown as PodStatus;
}

export interface HollowPlace {
  readonly nodeAddress: string;
  readonly podAddress: string;
}

/** A 64-digit container id that the pod's uid and the container's name determine. */
function containerIdOf(pod: Pod, name: string): string {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  const tail = (hash >>> 0).toString(16).padStart(8, '0');
  const head = (pod.metadata.uid ?? '').replaceAll('-', '').padEnd(32, '0');
  return flat(`crun://${head}${tail.repeat(4)}`.slice(0, 7 + 64));
}

function containerStatus(pod: Pod, container: Container, state: ContainerState): ContainerStatus {
  const running = state.running !== undefined;
  return {
    name: container.name,
    state,
    lastState: {},
    ready: running || (state.terminated?.exitCode === 0 && isInit(pod, container)),
    restartCount: 0,
    image: container.image ?? '',
    imageID: container.image ?? '',
    containerID: containerIdOf(pod, container.name),
    ...resourcesOf(container),
    started: running,
  };
}

const isInit = (pod: Pod, container: Container): boolean =>
  (pod.spec?.initContainers ?? []).includes(container);

/** The patch body for `status` (strategic) that makes a pod Running and Ready. */
export function runningStatus(pod: Pod, place: HollowPlace, nowMs: number): PodStatus {
  const now = formatTime(nowMs);
  const generation = pod.metadata.generation;
  const yes = (type: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  });
  const ready = passesGates(pod)
    ? yes('Ready')
    : { ...yes('Ready'), status: 'False', reason: 'ReadinessGatesNotReady' };
  const inits = (pod.spec?.initContainers ?? []).map((container) =>
    containerStatus(
      pod,
      container,
      container.restartPolicy === 'Always'
        ? { running: { startedAt: now } }
        : { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } },
    ),
  );
  return {
    phase: 'Running',
    startTime: now,
    hostIP: place.nodeAddress,
    hostIPs: [{ ip: place.nodeAddress }],
    podIP: place.podAddress,
    podIPs: [{ ip: place.podAddress }],
    qosClass: pod.status?.qosClass ?? qosClassOf(pod.spec),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: [yes('PodReadyToStartContainers'), yes('Initialized'), ready, yes('ContainersReady')],
    containerStatuses: (pod.spec?.containers ?? []).map((container) =>
      containerStatus(pod, container, { running: { startedAt: now } }),
    ),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
  };
}

/** The patch body for `status` that makes a pod Succeeded, or Failed. */
export function finishedStatus(pod: Pod, exitCode: number, nowMs: number): PodStatus {
  const now = formatTime(nowMs);
  const startedAt = pod.status?.startTime ?? now;
  const no = (type: string) => ({
    type,
    status: 'False',
    lastTransitionTime: now,
    reason: exitCode === 0 ? 'PodCompleted' : 'PodFailed',
  });
  const terminated = {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt,
    finishedAt: now,
  };
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: [no('Ready'), no('ContainersReady')],
    containerStatuses: (pod.spec?.containers ?? []).map((container) =>
      containerStatus(pod, container, {
        terminated: { ...terminated, containerID: containerIdOf(pod, container.name) },
      }),
    ),
  };
}
