/**
 * Which pods get what is recommended now, and how. Pure.
 *
 *   pods that are off ─▶ in place, where the mode has it and nothing restarts ─▶ refused, infeasible or late: evicted, where the mode has that
 *   pods that start with more CPU and have started ─▶ in place, in every mode, and never evicted for it: they would start with more again
 *
 * Invariant (no storms): of `replicas` pods no more than half, and at least one of two, are away at once; of one autoscaler no more than a quarter of its
 * pods (at least one) begin to go within a minute, and none while others of it are not ready beyond that half. Budgets are asked besides, by the eviction itself.
 */
import {
  boostDurationMs,
  boostEnd,
  type ContainerChange,
  type Pod,
  quantityMilli,
  startupBoostsOf,
  type VerticalPodAutoscaler,
  verticalChanges,
  verticalModeOf,
  withoutBoosts,
} from '../../api/index.ts';
import { isActive, isReady, podCondition } from '../pod-state.ts';

export interface Update {
  readonly kind: 'resize' | 'evict';
  readonly pod: Pod;
  readonly changes: readonly ContainerChange[];
  /** The pod goes, or a container of it begins anew. */
  readonly disturbs: boolean;
}

export interface UpdateOptions {
  readonly nowMs: number;
  /** As many as the target shall have. */
  readonly replicas: number;
  /** Whether the API refused just this resize. */
  readonly isRefused: (pod: Pod, changes: readonly ContainerChange[]) => boolean;
  /** How many may still be evicted now, whosoever they are. */
  readonly evictionsLeft: number;
  /** A pod of this target has been disturbed within the last period: whatever it is looked at for, no other is. */
  readonly isResting?: boolean;
}

const minReplicasDefault = 2;
const toleranceShare = 0.5;
const paceShare = 0.25;
/** After so long a pod that is off by a tenth is brought up to date, though it is within the bounds. */
const oldMs = 12 * 3_600_000;
const noticeable = 0.1;
/** A container that runs out of memory so soon after its start is helped at once. */
const quickMs = 600_000;
const [deferredMs, inProgressMs] = [300_000, 3_600_000];

export function planUpdates(
  autoscaler: VerticalPodAutoscaler,
  pods: readonly Pod[],
  options: UpdateOptions,
): readonly Update[] {
  const unboosted = new Map<string, Pod>();
  for (const pod of pods) {
    const without = withoutBoosts(pod);
    if (without !== undefined) unboosted.set(pod.metadata.uid ?? '', without);
  }
  if (unboosted.size === 0) return plainUpdates(autoscaler, pods, options);
  // While a boost lasts a pod is judged by what it has without, and not resized: its end brings what is recommended then.
  const judged = pods.map((pod) => unboosted.get(pod.metadata.uid ?? '') ?? pod);
  const updates = plainUpdates(autoscaler, judged, options).filter(
    ({ kind, pod }) => kind === 'evict' || !unboosted.has(pod.metadata.uid ?? ''),
  );
  const going = new Set(updates.map(({ pod }) => pod.metadata.uid));
  const ends = pods
    .filter((pod) => !going.has(pod.metadata.uid) && boostEndsInMs(autoscaler, pod, options.nowMs) === 0)
    .map((pod): Update => {
      const changes = boostEnd(autoscaler, pod);
      return { kind: 'resize', pod, changes, disturbs: restarts(pod, changes) };
    });
  return [...updates, ...ends];
}

/** In how long the pod's boost is to end; undefined: it has none, or is not Ready. */
export function boostEndsInMs(
  autoscaler: VerticalPodAutoscaler,
  pod: Pod,
  nowMs: number,
): number | undefined {
  if (!isActive(pod) || withoutBoosts(pod) === undefined) return undefined;
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  if (Number.isNaN(sinceMs)) return 0;
  const lastingMs = boostDurationMs(autoscaler, pod);
  // A clock that was set back makes nobody wait for longer than it lasts.
  return Math.min(lastingMs, Math.max(0, sinceMs + lastingMs - nowMs));
}

function plainUpdates(
  autoscaler: VerticalPodAutoscaler,
  pods: readonly Pod[],
  options: UpdateOptions,
): readonly Update[] {
  const mode = verticalModeOf(autoscaler);
  if (mode === 'Off' || mode === 'Initial') return [];
  const isInPlace = mode === 'InPlace' || mode === 'InPlaceOrRecreate';
  const mayEvict = mode !== 'InPlace';
  const active = pods.filter(isActive);
  const due: { readonly update: Update; readonly priority: number }[] = [];
  for (const pod of active) {
    if (pod.spec === undefined) continue;
    const changes = verticalChanges(autoscaler, pod.spec);
    const fate = isInPlace ? fateOf(pod, changes, options) : 'evict';
    if (fate === 'wait') continue;
    const priority = priorityOf(autoscaler, pod, changes, options.nowMs);
    // What was asked in place and is not carried out is not off any more, by its spec: it is by what it has.
    const isStuck =
      isInPlace &&
      fate === 'evict' &&
      startupBoostsOf(pod) === undefined &&
      (podCondition(pod, 'PodResizePending') ?? podCondition(pod, 'PodResizeInProgress')) !== undefined;
    if (priority === undefined && !isStuck) continue;
    const kind = fate === 'resize' ? 'resize' : 'evict';
    if (kind === 'evict' && (!mayEvict || !allowsEviction(autoscaler, pod, changes))) continue;
    if (kind === 'resize' && changes.length === 0) continue;
    const disturbs = kind === 'evict' || restarts(pod, changes);
    due.push({ update: { kind, pod, changes, disturbs }, priority: priority ?? 0 });
  }
  due.sort((a, b) => b.priority - a.priority || (nameOf(a.update.pod) < nameOf(b.update.pod) ? -1 : 1));
  return within(autoscaler, active, due, options);
}

/** As many as may be disturbed now; those that are not, all. */
function within(
  autoscaler: VerticalPodAutoscaler,
  active: readonly Pod[],
  due: readonly { readonly update: Update }[],
  { replicas, evictionsLeft, isResting = false }: UpdateOptions,
): readonly Update[] {
  const running = active.filter(isReady).length;
  const wanted = Math.max(replicas, active.length);
  const least = autoscaler.spec.updatePolicy?.minReplicas ?? minReplicasDefault;
  const away = wanted - running;
  const atOnce = Math.max(1, Math.floor(wanted * toleranceShare));
  const pace = Math.max(1, Math.floor(wanted * paceShare));
  let left = active.length < least || isResting ? 0 : Math.max(0, Math.min(atOnce - away, pace));
  let evictions = evictionsLeft;
  return due
    .filter(({ update }) => {
      if (!update.disturbs) return true;
      if (left <= 0 || (update.kind === 'evict' && evictions <= 0)) return false;
      left--;
      if (update.kind === 'evict') evictions--;
      return true;
    })
    .map(({ update }) => update);
}

const nameOf = ({ metadata }: Pod): string => metadata.name ?? '';

/** What becomes of a pod that could be resized in place. */
function fateOf(
  pod: Pod,
  changes: readonly ContainerChange[],
  { nowMs, isRefused }: UpdateOptions,
): 'resize' | 'evict' | 'wait' {
  if (isRefused(pod, changes)) return 'evict';
  const pending = podCondition(pod, 'PodResizePending');
  const ageMs = (time: string | undefined): number => nowMs - (Date.parse(time ?? '') || nowMs);
  if (pending?.status === 'True') {
    if (pending.reason === 'Infeasible') return 'evict';
    return ageMs(pending.lastTransitionTime) > deferredMs ? 'evict' : 'wait';
  }
  const progress = podCondition(pod, 'PodResizeInProgress');
  if (progress?.status === 'True')
    return progress.reason === 'Error' || ageMs(progress.lastTransitionTime) > inProgressMs
      ? 'evict'
      : 'wait';
  return pod.status?.phase === 'Running' ? 'resize' : 'wait';
}

/** Whether a container that changes asks to be restarted for it. */
function restarts({ spec }: Pod, changes: readonly ContainerChange[]): boolean {
  return changes.some(({ index, what }) =>
    (spec?.containers[index]?.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' && what.some((one) => one.startsWith(`${resourceName} `)),
    ),
  );
}

/** By how much it is off, as a share; undefined: it is left alone. */
function priorityOf(
  autoscaler: VerticalPodAutoscaler,
  pod: Pod,
  changes: readonly ContainerChange[],
  nowMs: number,
): number | undefined {
  if (changes.length === 0) return undefined;
  let [asked, wanted, isOutside] = [0, 0, false];
  let off = 0;
  for (const { index, name, resources } of changes) {
    const found = autoscaler.status?.recommendation?.containerRecommendations?.find(
      ({ containerName }) => containerName === name,
    );
    for (const resource of ['cpu', 'memory']) {
      const next = quantityMilli(resources.requests?.[resource]);
      if (next === undefined || found?.target[resource] === undefined) continue;
      const before = quantityMilli(pod.spec?.containers[index]?.resources?.requests?.[resource]);
      [asked, wanted] = [before ?? 0, next];
      off += asked === 0 ? 1 : Math.abs(wanted - asked) / asked;
      const [least, most] = [
        quantityMilli(found.lowerBound?.[resource]),
        quantityMilli(found.upperBound?.[resource]),
      ];
      isOutside ||=
        before === undefined ||
        (least !== undefined && before < least) ||
        (most !== undefined && before > most);
    }
  }
  if (isOutside || ranOutQuickly(pod)) return off;
  const startMs = Date.parse(pod.status?.startTime ?? '');
  const isOld = !Number.isNaN(startMs) && nowMs - startMs >= oldMs;
  return isOld && off >= noticeable ? off : undefined;
}

function ranOutQuickly({ status }: Pod): boolean {
  return (status?.containerStatuses ?? []).some(({ lastState }) => {
    const { reason, startedAt = '', finishedAt = '' } = lastState?.terminated ?? {};
    return reason === 'OOMKilled' && Date.parse(finishedAt) - Date.parse(startedAt) < quickMs;
  });
}

/** Every requirement is met by one of its resources at least. */
function allowsEviction(
  { spec }: VerticalPodAutoscaler,
  pod: Pod,
  changes: readonly ContainerChange[],
): boolean {
  const requirements = spec.updatePolicy?.evictionRequirements ?? [];
  return requirements.every(({ resources: named, changeRequirement }) =>
    changes.some(({ index, resources }) =>
      named.some((resource) => {
        const before = quantityMilli(pod.spec?.containers[index]?.resources?.requests?.[resource]) ?? 0;
        const after = quantityMilli(resources.requests?.[resource]) ?? before;
        return changeRequirement === 'TargetHigherThanRequests' ? after > before : after < before;
      }),
    ),
  );
}
