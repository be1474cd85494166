/**
 * What a pod's status should say. Pure; worded as the kubelet words it.
 *
 *   Observed, PodView ──▶ container statuses ──▶ phase ──▶ conditions ──▶ PodStatus
 *
 * Invariant: a final phase (Succeeded, Failed) never changes again; conditions that others own are left alone.
 */
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodStatus,
  VolumeMount,
  VolumeMountStatus,
} from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { formatDuration } from './backoff.ts';
import { conditionsOf } from './conditions.ts';
import { isRecursive } from './containers.ts';
import type { Fault, Observed, RuntimeStatus, Verdict } from './observed.ts';
import { qosClassOf } from './qos.ts';
import { sameLimits } from './resize.ts';
import { podLimits } from './resources.ts';
import { activeDeadlineOf, type ContainerView, type PodView } from './view.ts';

/** How long ErrImagePull is shown before it becomes ImagePullBackOff. */
export const pullErrorShownMs = 2000;

export function statusOf(observed: Observed, view: PodView): PodStatus {
  const { pod } = view;
  const old = pod.status;
  if (observed.verdict?.kind === 'rejected') return rejectedStatus(observed, pod, observed.verdict);
  const inits = view.inits.map((item) => containerStatusOf(observed, view, item));
  const mains = view.mains.map((item) => containerStatusOf(observed, view, item));
  const guests = view.ephemerals.map((item) => containerStatusOf(observed, view, item));
  const { phase, reason, message } = phaseOf(observed, view);
  const podAddresses = pod.spec?.hostNetwork ? [observed.nodeAddress] : observed.addresses;
  const ips = podAddresses.length > 0 ? podAddresses : (old?.podIPs ?? []).map((item) => item.ip);
  const generation = pod.metadata.generation;
  return {
    phase,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    startTime: old?.startTime ?? formatTime(observed.seenAtMs),
    hostIP: observed.nodeAddress,
    hostIPs: [{ ip: observed.nodeAddress }],
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    qosClass: old?.qosClass ?? qosClassOf(pod.spec),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditionsOf(observed, view, phase),
    containerStatuses: mains,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    ...(guests.length === 0 ? {} : { ephemeralContainerStatuses: guests }),
    ...wholeResources(observed, pod),
  };
}

/** A pod that never begins: nothing is said of its containers. */
function rejectedStatus(observed: Observed, pod: Pod, { reason, message }: Verdict): PodStatus {
  const old = pod.status;
  if (isFinal(old?.phase)) return old as PodStatus;
  const generation = pod.metadata.generation;
  return {
    phase: 'Failed',
    reason,
    message: `Pod was rejected: ${message}`,
    startTime: old?.startTime ?? formatTime(observed.seenAtMs),
    qosClass: old?.qosClass ?? qosClassOf(pod.spec),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

/** What the pod as a whole was granted and has, where it asks as a whole. */
function wholeResources(observed: Observed, pod: Pod): PodStatus {
  const granted = pod.spec?.resources;
  if (granted === undefined || !observed.sandbox) return {};
  const isSet = observed.sandboxLimits === undefined || sameLimits(observed.sandboxLimits, podLimits(pod));
  return {
    ...(granted.requests === undefined ? {} : { allocatedResources: granted.requests }),
    resources: isSet ? granted : (pod.status?.resources ?? granted),
  };
}

interface Phase {
  readonly phase: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

export const isFinal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

function phaseOf(observed: Observed, view: PodView): Phase {
  const { pod } = view;
  const old = pod.status;
  if (isFinal(old?.phase))
    return { phase: old?.phase ?? 'Failed', reason: old?.reason, message: old?.message };
  const quiet = view.containers.every((item) => !item.alive) && !isStarting(observed);
  const over = observed.verdict ?? deadlineVerdict(observed, pod);
  if (over !== undefined) {
    const { reason, message } = over;
    // Who waits for its end may replace it then, and not while it still runs.
    return quiet ? { phase: 'Failed', reason, message } : { phase: old?.phase ?? 'Pending' };
  }
  const succeeded = view.mains.every((item) => item.exited && item.current?.exitCode === 0);
  if (pod.metadata.deletionTimestamp !== undefined && quiet)
    return { phase: succeeded ? 'Succeeded' : 'Failed' };
  if (view.finished && quiet) return { phase: succeeded ? 'Succeeded' : 'Failed' };
  if (!view.initialized && view.mains.every((item) => item.current === undefined))
    return { phase: 'Pending' };
  const anyUp = view.mains.some((item) => item.current?.state === 'running' || item.exited);
  const allStarted = view.mains.every((item) => item.current !== undefined && item.hook !== 'pending');
  return { phase: anyUp && allStarted ? 'Running' : 'Pending' };
}

function deadlineVerdict(observed: Observed, pod: Pod): Omit<Phase, 'phase'> | undefined {
  const deadlineMs = activeDeadlineOf(observed, pod);
  if (deadlineMs === undefined || deadlineMs > observed.nowMs) return undefined;
  return {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
}

const isStarting = (observed: Observed): boolean =>
  [...observed.busy.keys()].some((key) => key.startsWith('container/'));

// ── one container ──

export function containerStatusOf(observed: Observed, view: PodView, item: ContainerView): ContainerStatus {
  const { container, current, previous, reported } = item;
  const state = stateOf(observed, view, item);
  const ended = current?.state === 'exited' ? terminatedOf(observed, current) : undefined;
  const before = previous === undefined ? undefined : terminatedOf(observed, previous);
  const lastState: ContainerState =
    ended !== undefined && state.terminated === undefined
      ? { terminated: ended }
      : before !== undefined
        ? { terminated: before }
        : carriedLastState(item);
  const id = current?.id ?? '';
  const image = item.memory.image?.image;
  return {
    name: container.name,
    state,
    lastState,
    ready: item.ready && item.role !== 'ephemeral',
    restartCount: current?.attempt ?? reported?.restartCount ?? 0,
    image:
      item.startedImage ??
      (reported?.imageID && image === undefined ? reported.image : (container.image ?? '')),
    imageID: image === undefined ? (reported?.imageID ?? '') : (image.digests[0] ?? image.id),
    ...(id === '' ? {} : { containerID: `${observed.runtimeName}://${id}` }),
    ...(item.role === 'ephemeral' ? {} : resourcesOf(item)),
    ...detailsOf(item),
    started: item.role === 'init' ? item.current?.state === 'running' : item.started,
  };
}

/** Of a container that has been started: where its volumes are, as whom it runs, how it is asked to end. */
function detailsOf({ container, current }: ContainerView): Partial<ContainerStatus> {
  if (current === undefined) return {};
  const { user } = current;
  const { volumeMounts = [], lifecycle } = container;
  const linux = user && { uid: user.userId, gid: user.groupId, supplementalGroups: user.supplementalGroups };
  return {
    ...(volumeMounts.length === 0 ? {} : { volumeMounts: volumeMounts.map(mountStatus) }),
    ...(linux === undefined ? {} : { user: { linux } }),
    ...(lifecycle?.stopSignal === undefined ? {} : { stopSignal: lifecycle.stopSignal }),
  };
}

function mountStatus(mount: VolumeMount): VolumeMountStatus {
  const { name, mountPath, readOnly } = mount;
  if (readOnly !== true) return { name, mountPath };
  return { name, mountPath, readOnly, recursiveReadOnly: isRecursive(mount) ? 'Enabled' : 'Disabled' };
}

/** What it was granted, and what it has: that of a container that does not run is what it will get. */
function resourcesOf({ container, current }: ContainerView): Partial<ContainerStatus> {
  if (current === undefined) return {};
  const granted = container.resources ?? {};
  const actual = current.state === 'running' ? (current.limits?.resources ?? granted) : granted;
  const requests = granted.requests ?? {};
  return {
    ...(Object.keys(requests).length === 0 ? {} : { allocatedResources: requests }),
    resources: actual,
  };
}

/** The last state that the API object remembers, when the runtime has forgotten that attempt. */
function carriedLastState(item: ContainerView): ContainerState {
  const { current, reported } = item;
  if (reported === undefined) return {};
  if (current === undefined || reported.restartCount === current.attempt) return reported.lastState ?? {};
  const { terminated } = reported.state ?? {};
  if (terminated !== undefined && reported.restartCount === current.attempt - 1) return { terminated };
  return reported.lastState ?? {};
}

function stateOf(observed: Observed, view: PodView, item: ContainerView): ContainerState {
  const { current } = item;
  if (current?.state === 'running' && item.hook !== 'pending')
    return { running: { startedAt: formatTime(current.startedAtMs ?? observed.nowMs) } };
  if (current !== undefined && item.exited && !item.wanted)
    return { terminated: terminatedOf(observed, current) };
  const over =
    view.pod.metadata.deletionTimestamp !== undefined ||
    isFinal(view.pod.status?.phase) ||
    (view.finished && item.role !== 'init');
  if (current !== undefined && item.exited && over) return { terminated: terminatedOf(observed, current) };
  const waiting = waitingOf(observed, view, item);
  if (waiting !== undefined) return { waiting };
  // It has ended and is about to be started again. Where the policy would not have it so, it must not be said to have ended: the API
  // holds such an end for final.
  if (current !== undefined && item.exited && !item.restarting)
    return { terminated: terminatedOf(observed, current) };
  const hasInits = view.inits.length > 0;
  const fault = faultOf(observed);
  const isAnew = current === undefined && item.previous !== undefined && item.role !== 'ephemeral';
  if (isAnew && fault === undefined && waitingTurn(view, item))
    return { waiting: { reason: 'RestartingAllContainers' } };
  if (fault?.reason !== undefined) return { waiting: imageWaiting(observed, fault.reason, fault) };
  return {
    waiting: {
      reason:
        hasInits && !view.initialized && item.role === 'main' ? 'PodInitializing' : creating(view, item),
      ...(fault === undefined ? {} : { message: fault.message }),
    },
  };
}

/** It is not its turn yet. */
const waitingTurn = (view: PodView, item: ContainerView): boolean =>
  view.restartAll !== 'none' || (!view.initialized && view.currentInit !== item);

/** A pull that failed is an error at first, then something that is tried again. */
function imageWaiting(
  observed: Observed,
  reason: string,
  { message, atMs }: Pick<Fault, 'message' | 'atMs'>,
  image?: string,
): { readonly reason: string; readonly message: string } {
  if (reason !== 'ErrImagePull' || observed.nowMs < atMs + pullErrorShownMs) return { reason, message };
  const what = image === undefined ? 'image' : `image "${image}"`;
  return { reason: 'ImagePullBackOff', message: `Back-off pulling ${what}: ErrImagePull: ${message}` };
}

const creating = (view: PodView, item: ContainerView): string =>
  view.inits.length > 0 && item.role !== 'ephemeral' && (item.role !== 'main' || !view.initialized)
    ? 'PodInitializing'
    : 'ContainerCreating';

/** Why the whole pod cannot start; shown with each container that waits. */
function faultOf(observed: Observed): Fault | undefined {
  for (const key of ['volumes', 'network', 'sandbox']) {
    const fault = observed.faults.get(key);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function waitingOf(
  observed: Observed,
  view: PodView,
  item: ContainerView,
): { readonly reason: string; readonly message?: string } | undefined {
  const { memory, container } = item;
  const { startFailure } = memory;
  const failedFor = memory.imageFailure?.name ?? container.image;
  const imageFailure = failedFor === container.image ? memory.imageFailure : undefined;
  if (item.backoffUntilMs !== undefined && item.backoffUntilMs > observed.nowMs) {
    const { name, namespace } = view.pod.metadata;
    const delay = formatDuration(memory.backoff?.delayMs ?? 0);
    return {
      reason: 'CrashLoopBackOff',
      message: `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${observed.uid})`,
    };
  }
  if (imageFailure !== undefined && memory.image?.attempt !== item.nextAttempt) {
    return imageWaiting(observed, imageFailure.reason, imageFailure, container.image);
  }
  if (startFailure?.attempt === item.nextAttempt && !item.alive)
    return { reason: startFailure.reason, message: startFailure.message };
  return undefined;
}

export function terminatedOf(observed: Observed, status: RuntimeStatus): ContainerStateTerminated {
  const finished = status.finishedAtMs ?? observed.nowMs;
  const message = observed.terminationMessages.get(status.id) ?? status.message;
  return {
    exitCode: status.exitCode ?? 137,
    reason: status.reason ?? (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === undefined || message === '' ? {} : { message }),
    startedAt: formatTime(status.startedAtMs ?? finished),
    finishedAt: formatTime(finished),
    ...(status.id === '' ? {} : { containerID: `${observed.runtimeName}://${status.id}` }),
  };
}
