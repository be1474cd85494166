/**
 * A job's status, and which pods it lets go. Pure.
 *
 *   pods that have ended ──▶ their uids into the status ──stored──▶ finalizers away ──seen──▶ uids out, numbers up ──all out──▶ the end
 *
 * Each arrow is a write of its own, and each state between two of them says itself how to go on: no pod is lost or counted twice, wherever one
 * stops. That is why the write bears the version that it was worked out from.
 */
import type { Job, JobCondition, JobStatus, Pod } from '../../api/index.ts';
import { formatTime, sameJson } from '../../lib/index.ts';
import { isFinished, isTerminating } from '../pod-state.ts';
import { jobsRef, referenceTo } from '../resources.ts';
import type { Step, Write } from '../step.ts';
import { countOf, formatIndexes, hasIndex, withIndexes } from './indexes.ts';
import { hasValidIndex, newCondition, type Picture } from './picture.ts';
import { indexOf, isFailed, isIndexed } from './pods.ts';
import { verdictOn } from './policies.ts';

/** Pods taken into the status at a time, so that it stays below 20 KB. */
export const uncountedMax = 500;

export interface Accounts {
  readonly status: JobStatus;
  /** To be let go when the status is stored. */
  readonly released: readonly Pod[];
  readonly events: readonly Step[];
}

export function accountsOf(picture: Picture, nowMs: number): Accounts {
  const { job } = picture;
  const { counts, uncounted } = settled(picture);
  const { released, succeededIndexes } = recorded(picture, uncounted);
  const events: Step[] = [];
  const conditions = [...(job.status?.conditions ?? [])];
  const { ending } = picture;
  let { startTime, completionTime } = job.status ?? {};
  if (ending !== undefined) {
    setCondition(conditions, ending);
    const rest = picture.active.length + picture.terminating.length + picture.tracked.length;
    const isDone = rest === 0 && uncounted.succeeded.length + uncounted.failed.length === 0;
    if (isDone) {
      const type = ending.type === 'FailureTarget' ? 'Failed' : 'Complete';
      setCondition(conditions, newCondition(type, 'True', ending.reason ?? '', ending.message ?? '', nowMs));
      // Of a clock that was set back: nothing ends before it began.
      if (type === 'Complete') completionTime = formatTime(Math.max(nowMs, Date.parse(startTime ?? '') || 0));
      events.push(...endEvents(picture, ending, type));
    }
  } else if (job.metadata.deletionTimestamp === undefined) {
    const { isResumed, event } = suspend(picture, conditions, nowMs);
    if (event !== undefined) events.push(event);
    if (isResumed) startTime = formatTime(nowMs);
  }
  if (startTime === undefined && !picture.isSuspended) startTime = formatTime(nowMs);
  const succeeded = isIndexed(job) ? countOf(succeededIndexes) : counts.succeeded;
  const completedIndexes = formatIndexes(succeededIndexes);
  return {
    released,
    events,
    status: {
      ...(conditions.length === 0 ? {} : { conditions }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(completionTime === undefined ? {} : { completionTime }),
      ...(picture.active.length === 0 ? {} : { active: picture.active.length }),
      ...(succeeded === 0 ? {} : { succeeded }),
      ...(counts.failed === 0 ? {} : { failed: counts.failed }),
      ...(completedIndexes === '' ? {} : { completedIndexes }),
      ...(picture.failedIndexes === undefined ? {} : { failedIndexes: formatIndexes(picture.failedIndexes) }),
      uncountedTerminatedPods: {
        ...(uncounted.succeeded.length === 0 ? {} : { succeeded: uncounted.succeeded }),
        ...(uncounted.failed.length === 0 ? {} : { failed: uncounted.failed }),
      },
      ready: picture.ready,
      terminating: picture.terminating.length,
    },
  };
}

interface Uncounted {
  succeeded: string[];
  failed: string[];
}

/** Those that have been let go are in the numbers from now on. */
function settled({ job, tracked }: Picture): {
  readonly counts: { readonly succeeded: number; readonly failed: number };
  readonly uncounted: Uncounted;
} {
  const { uncountedTerminatedPods: before, succeeded = 0, failed = 0 } = job.status ?? {};
  const held = new Set(tracked.map(({ metadata }) => metadata.uid ?? ''));
  const [all, lost] = [before?.succeeded ?? [], before?.failed ?? []];
  const uncounted = {
    succeeded: all.filter((uid) => held.has(uid)),
    failed: lost.filter((uid) => held.has(uid)),
  };
  return {
    uncounted,
    counts: {
      succeeded: succeeded + all.length - uncounted.succeeded.length,
      failed: failed + lost.length - uncounted.failed.length,
    },
  };
}

/** Takes pods that have ended into `uncounted` or the indexes; those are the ones to let go. */
function recorded(picture: Picture, uncounted: Uncounted) {
  const { job, storedIndexes } = picture;
  const released: Pod[] = [];
  const done: number[] = [];
  for (const pod of byIndex(picture)) {
    // The rest is told by the next write.
    if (done.length + uncounted.succeeded.length + uncounted.failed.length >= uncountedMax) break;
    if (!mayGo(picture, pod)) continue;
    released.push(pod);
    const { uid = '' } = pod.metadata;
    if (picture.uncounted.has(uid)) continue;
    if (pod.status?.phase === 'Succeeded') {
      const index = indexOf(pod);
      if (!isIndexed(job)) uncounted.succeeded.push(uid);
      else if (index !== undefined && hasValidIndex(job, pod) && !hasIndex(storedIndexes, index))
        done.push(index);
    } else if (countsAsFailed(picture, pod)) uncounted.failed.push(uid);
  }
  return { released, succeededIndexes: withIndexes(storedIndexes, done) };
}

/** Where not all can be taken at once, the lowest indexes come first. */
function byIndex({ job, tracked }: Picture): readonly Pod[] {
  if (!isIndexed(job) || tracked.length < uncountedMax) return tracked;
  return [...tracked].sort((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1));
}

function mayGo({ job, ending, awaiting }: Picture, pod: Pod): boolean {
  if (job.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Succeeded') return true;
  if (ending !== undefined) return isFinished(pod) || isTerminating(pod);
  if (!isFailed(pod, job)) return false;
  return awaiting.get(indexOf(pod) ?? -1)?.metadata.uid !== pod.metadata.uid;
}

function countsAsFailed({ job, ending }: Picture, pod: Pod): boolean {
  // Those that a failing job ends have failed with it; those that a job ends that needs them no more have not.
  const failed =
    ending === undefined || isFinished(pod) ? isFailed(pod, job) : ending.type === 'FailureTarget';
  return failed && hasValidIndex(job, pod) && verdictOn(pod, job).action !== 'Ignore';
}

function setCondition(conditions: JobCondition[], next: JobCondition): boolean {
  const at = conditions.findIndex(({ type }) => type === next.type);
  const before = conditions[at];
  if (before === undefined) {
    if (next.status === 'False') return false;
    conditions.push(next);
    return true;
  }
  const { status, reason, message } = before;
  if (status === next.status && reason === next.reason && message === next.message) return false;
  conditions[at] = next;
  return true;
}

function suspend({ job, isSuspended }: Picture, conditions: JobCondition[], nowMs: number) {
  const [status, word] = isSuspended ? ['True', 'Suspended'] : ['False', 'Resumed'];
  const message = `Job ${word.toLowerCase()}`;
  const condition = newCondition('Suspended', status, `Job${word}`, message, nowMs);
  if (!setCondition(conditions, condition)) return { isResumed: false, event: undefined };
  return { isResumed: !isSuspended, event: eventOf(job, 'Normal', word, message) };
}

function eventOf(job: Job, type: 'Normal' | 'Warning', reason: string, message: string): Step {
  return { kind: 'event', event: { about: referenceTo(jobsRef, job), type, reason, message } };
}

function endEvents({ job, succeeded, completions }: Picture, ending: JobCondition, type: string): Step[] {
  if (type === 'Failed') return [eventOf(job, 'Warning', ending.reason ?? '', ending.message ?? '')];
  const events = [eventOf(job, 'Normal', 'Completed', 'Job completed')];
  if (completions === undefined || succeeded <= completions) return events;
  const message = 'Too many succeeded pods running after completion count reached';
  return [eventOf(job, 'Warning', 'TooManySucceededPods', message), ...events];
}

/** Undefined where it is as it shall be. */
export function statusWrite(job: Job, status: JobStatus): Write | undefined {
  const before = (job.status ?? {}) as Readonly<Record<string, unknown>>;
  const next = status as Readonly<Record<string, unknown>>;
  const changes: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(next)]))
    if (!sameJson(before[name], next[name])) changes[name] = next[name] ?? null;
  if (Object.keys(changes).length === 0) return undefined;
  // A merge patch leaves what it does not name.
  if ('uncountedTerminatedPods' in changes)
    changes['uncountedTerminatedPods'] = { succeeded: null, failed: null, ...status.uncountedTerminatedPods };
  const { namespace, name = '', uid, resourceVersion } = job.metadata;
  return {
    kind: 'patch',
    ref: jobsRef,
    namespace,
    name,
    type: 'merge',
    patch: { metadata: { uid, resourceVersion }, status: changes },
    subresource: 'status',
    accept: ['notFound'],
  };
}
