/**
 * Runs a job's pods to an end. Pure.
 *
 *   job, its pods ──▶ adopt, release ──▶ status (what has ended, the end's reason) ──▶ let the counted go ──▶ too many: delete │ too few: create
 *
 * The status comes first: what it says is decided, and the rest of the plan only follows. Invariant: a pod is let go only after the stored status
 * holds it; where the job ends, why it ends is stored before its pods are removed.
 */
import type { Job, Pod } from '../../api/index.ts';
import { claim } from '../ownership.ts';
import { podsToDelete } from '../replicaset/ranking.ts';
import { jobsRef, podsRef, referenceTo } from '../resources.ts';
import { deletion, type PlanContext, type Step, type Write } from '../step.ts';
import { type BackoffRecord, remainingMs } from './backoff.ts';
import { countOf, firstFree, noIndexes, union, withIndexes } from './indexes.ts';
import { podCreations } from './new-pods.ts';
import { allFailures, deadlineInMs, isOver, type Picture, pictureOf } from './picture.ts';
import { endedMs, indexOf, isIndexed, isTracked, replacesFailedOnly, trackingFinalizer } from './pods.ts';
import { accountsOf, statusWrite } from './status.ts';

export interface Observed {
  readonly job: Job;
  /** Pods that it controls, and pods of its namespace that nobody controls and that match. */
  readonly pods: readonly Pod[];
  readonly backoff: BackoffRecord | undefined;
}

/** Creations and deletions in one go; more follow when these are seen. */
export const burstMax = 500;

const ownName = 'kubernetes.io/job-controller';

/** Whether another controller keeps it. */
export const isManagedElsewhere = ({ spec }: Job): boolean =>
  spec?.managedBy !== undefined && spec.managedBy !== ownName;

export function plan({ job, pods, backoff }: Observed, { nowMs }: PlanContext): readonly Step[] {
  if (isManagedElsewhere(job) || isOver(job)) return [];
  const { owned, writes } = claim(job, jobsRef, podsRef, pods);
  if (writes.length > 0)
    return [{ kind: 'together', writes: writes.map((write) => withFinalizer(write, pods)) }];
  const picture = pictureOf(job, owned, nowMs);
  const { status, released, events } = accountsOf(picture, nowMs);
  const write = statusWrite(job, status);
  const deadlineMs = picture.ending === undefined ? deadlineInMs(job, nowMs) : undefined;
  return [
    ...(write === undefined ? [] : [write, ...events]),
    ...together(released.map((pod) => finalizerRemoval(pod))),
    ...podSteps(picture, backoff, nowMs),
    ...(deadlineMs === undefined ? [] : [{ kind: 'again', afterMs: deadlineMs } as const]),
  ];
}

const together = (writes: readonly Write[]): readonly Step[] =>
  writes.length === 0 ? [] : [{ kind: 'together', writes }];

/** Adopted pods are tracked from then on, released ones no more. */
function withFinalizer(write: Write, pods: readonly Pod[]): Write {
  if (write.kind !== 'patch') return write;
  const { finalizers = [] } = pods.find(({ metadata }) => metadata.name === write.name)?.metadata ?? {};
  const others = finalizers.filter((name) => name !== trackingFinalizer);
  const next = write.adopter === undefined ? others : [...others, trackingFinalizer];
  const { metadata } = write.patch as { readonly metadata: object };
  return { ...write, patch: { metadata: { ...metadata, finalizers: next.length === 0 ? null : next } } };
}

/** `ifUnchanged`: a pod that comes to its end meanwhile is not let go, but counted. */
export function finalizerRemoval({ metadata }: Pod, ifUnchanged = false): Write {
  const { namespace, name = '', uid, resourceVersion } = metadata;
  const version = ifUnchanged ? { resourceVersion } : {};
  return {
    kind: 'patch',
    ref: podsRef,
    namespace,
    name,
    type: 'strategic',
    patch: { metadata: { uid, ...version, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } },
    // Of another uid: it is gone.
    accept: ifUnchanged ? ['notFound'] : ['notFound', 'conflict'],
  };
}

function podSteps(picture: Picture, backoff: BackoffRecord | undefined, nowMs: number): readonly Step[] {
  const { job, active, ending, isSuspended } = picture;
  if (ending !== undefined) return together(active.map((pod) => podDeletion(job, pod)));
  if (job.metadata.deletionTimestamp !== undefined) return [];
  if (isSuspended) return removal(job, active);
  const wanted = wantedOf(picture);
  const surplus = surplusOf(picture, active.length - wanted, nowMs);
  if (surplus.length > 0) return removal(job, surplus.slice(0, burstMax));
  const leaving = replacesFailedOnly(job) ? picture.terminating.length : 0;
  const missing = wanted - leaving - active.length;
  return missing > 0 ? creation(picture, Math.min(missing, burstMax), backoff, nowMs) : [];
}

function wantedOf({ completions, parallelism, succeeded, failedIndexes, active }: Picture): number {
  // After the first success nothing new is begun, and what runs comes to its end.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  const lost = countOf(failedIndexes ?? noIndexes);
  return Math.max(0, Math.min(parallelism, completions - succeeded - lost));
}

/** Those that are one too many for their index, or have none, and as many more as there are too many. */
function surplusOf(
  { job, active, completions = 0 }: Picture,
  atLeast: number,
  nowMs: number,
): readonly Pod[] {
  const surplus: Pod[] = [];
  let rest = active;
  if (isIndexed(job)) {
    const byIndex = new Map<number, Pod[]>();
    for (const pod of active) {
      const index = indexOf(pod);
      if (index === undefined || index >= completions) surplus.push(pod);
      else if (!byIndex.get(index)?.push(pod)) byIndex.set(index, [pod]);
    }
    for (const same of byIndex.values())
      if (same.length > 1) surplus.push(...podsToDelete(same, [], same.length - 1, nowMs));
    if (surplus.length > 0) {
      const chosen = new Set(surplus);
      rest = active.filter((pod) => !chosen.has(pod));
    }
  }
  const more = atLeast - surplus.length;
  return more > 0 ? [...surplus, ...podsToDelete(rest, [], more, nowMs)] : surplus;
}

/** They go without being counted as failed: let go first, then deleted. */
function removal(job: Job, pods: readonly Pod[]): readonly Step[] {
  return [
    ...together(pods.filter(isTracked).map((pod) => finalizerRemoval(pod, true))),
    ...together(pods.map((pod) => podDeletion(job, pod))),
  ];
}

function podDeletion(job: Job, pod: Pod): Write {
  const about = referenceTo(jobsRef, job);
  return deletion(podsRef, pod, {
    done: { about, type: 'Normal', reason: 'SuccessfulDelete', message: 'Deleted pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedDelete', message: 'Error deleting: {error}' },
    // Replaced under the same name: this one is gone.
    accept: ['notFound', 'conflict'],
  });
}

function creation(
  picture: Picture,
  count: number,
  backoff: BackoffRecord | undefined,
  nowMs: number,
): readonly Step[] {
  const { job, awaiting } = picture;
  const perIndex = job.spec?.backoffLimitPerIndex !== undefined;
  if (!perIndex && backoff !== undefined) {
    const waitMs = remainingMs(backoff.failures, backoff.lastFailureMs, nowMs);
    if (waitMs > 0) return [{ kind: 'again', afterMs: waitMs }];
  }
  let indexes = isIndexed(job) ? freeIndexes(picture, count) : [];
  const again: Step[] = [];
  if (perIndex) {
    const waits = indexes.map((index) => waitOf(awaiting.get(index), nowMs));
    const shortestMs = Math.min(...waits.filter((ms) => ms > 0));
    indexes = indexes.filter((_, at) => waits[at] === 0);
    if (shortestMs < Number.POSITIVE_INFINITY) again.push({ kind: 'again', afterMs: shortestMs });
  }
  const writes = podCreations(job, count, indexes, awaiting);
  return [...again, ...(writes.length === 0 ? [] : [{ kind: 'together', slowStart: true, writes } as const])];
}

function waitOf(replaced: Pod | undefined, nowMs: number): number {
  return replaced === undefined ? 0 : remainingMs(allFailures(replaced) + 1, endedMs(replaced), nowMs);
}

function freeIndexes(picture: Picture, count: number): readonly number[] {
  const { job, completions = 0, active, terminating, succeededIndexes, failedIndexes } = picture;
  const holding = replacesFailedOnly(job) ? [...active, ...terminating] : active;
  const held = holding.map(indexOf).filter((index) => index !== undefined);
  const taken = union(withIndexes(succeededIndexes, held), failedIndexes ?? noIndexes);
  return firstFree(taken, count, completions);
}
