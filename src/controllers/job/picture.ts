/**
 * What one pass over a job decides on: its pods sorted out, its indexes, and whether its end has come. Pure.
 *
 *   job, pods ──▶ active, terminating, ended but not counted ──▶ numbers, indexes ──▶ the end, if any
 *
 * A pod is counted once: it carries a finalizer until its uid (or its index, where it succeeded) stands in the stored status.
 */
import type { Job, JobCondition, Pod } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { isActive, isReady, isTerminating } from '../pod-state.ts';
import { countOf, hasIndex, type Indexes, noIndexes, readIndexes, withIndexes } from './indexes.ts';
import { endedMs, failuresOf, indexOf, isFailed, isIndexed, isTracked } from './pods.ts';
import { successRuleMet, verdictOn } from './policies.ts';

export interface Picture {
  readonly job: Job;
  readonly completions: number | undefined;
  readonly parallelism: number;
  readonly isSuspended: boolean;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly ready: number;
  /** Being deleted, and not ended yet. */
  readonly terminating: readonly Pod[];
  /** With a finalizer: not counted, or counted and not let go. */
  readonly tracked: readonly Pod[];
  /** Uids that stand in the status as ended, and are not in its numbers yet. */
  readonly uncounted: ReadonlySet<string>;
  readonly succeeded: number;
  readonly failed: number;
  /** As the status has them. */
  readonly storedIndexes: Indexes;
  readonly succeededIndexes: Indexes;
  /** Undefined: failures are not counted by index. */
  readonly failedIndexes: Indexes | undefined;
  /** By index: the failed pod that waits to be replaced by one that bears its count of failures on. */
  readonly awaiting: ReadonlyMap<number, Pod>;
  /** The interim condition that the job has, or shall have: FailureTarget or SuccessCriteriaMet. */
  readonly ending: JobCondition | undefined;
}

export function conditionOf({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((one) => one.type === type && one.status === 'True');
}

export const isOver = (job: Job): boolean =>
  conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;

export function newCondition(
  type: string,
  status: string,
  reason: string,
  message: string,
  nowMs: number,
): JobCondition {
  const now = formatTime(nowMs);
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** Whether the pod's index is one that the job has; always so where the job has none. */
export function hasValidIndex(job: Job, pod: Pod): boolean {
  if (!isIndexed(job)) return true;
  const index = indexOf(pod);
  return index !== undefined && index < (job.spec?.completions ?? 0);
}

export function pictureOf(job: Job, pods: readonly Pod[], nowMs: number): Picture {
  const { spec, status } = job;
  const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {};
  const uncounted = new Set([...succeeded, ...failed]);
  const active = pods.filter(isActive);
  const tracked = pods.filter(isTracked);
  const fresh = tracked.filter((pod) => !uncounted.has(pod.metadata.uid ?? '') && hasValidIndex(job, pod));
  const freshFailed = fresh.filter((pod) => isFailed(pod, job));
  const indexes = indexesOf(job, tracked, freshFailed);
  const picture = {
    job,
    completions: spec?.completions,
    parallelism: spec?.parallelism ?? 1,
    isSuspended: spec?.suspend === true,
    pods,
    active,
    ready: active.reduce((sum, pod) => (isReady(pod) ? sum + 1 : sum), 0),
    terminating: pods.filter((pod) => isTerminating(pod) && !hasEnded(pod)),
    tracked,
    uncounted,
    succeeded: isIndexed(job)
      ? countOf(indexes.succeededIndexes)
      : (status?.succeeded ?? 0) + succeeded.length + fresh.filter(hasSucceeded).length,
    failed:
      (status?.failed ?? 0) +
      failed.length +
      freshFailed.filter((pod) => verdictOn(pod, job).action !== 'Ignore').length,
    ...indexes,
    awaiting: awaitingOf(job, active, freshFailed, indexes),
    ending: undefined,
  };
  return { ...picture, ending: endingOf(picture, nowMs) };
}

const hasSucceeded = ({ status }: Pod): boolean => status?.phase === 'Succeeded';
const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

type IndexPicture = Pick<Picture, 'storedIndexes' | 'succeededIndexes' | 'failedIndexes'>;

function indexesOf(job: Job, tracked: readonly Pod[], freshFailed: readonly Pod[]): IndexPicture {
  if (!isIndexed(job))
    return { storedIndexes: noIndexes, succeededIndexes: noIndexes, failedIndexes: undefined };
  const { completions = 0, backoffLimitPerIndex } = job.spec ?? {};
  const storedIndexes = readIndexes(job.status?.completedIndexes, completions);
  const done = tracked.filter((pod) => hasSucceeded(pod) && hasValidIndex(job, pod));
  const succeededIndexes = withIndexes(storedIndexes, done.map(indexOf).filter(isNumber));
  if (backoffLimitPerIndex === undefined)
    return { storedIndexes, succeededIndexes, failedIndexes: undefined };
  const given = freshFailed.filter((pod) => {
    const { action } = verdictOn(pod, job);
    if (action === 'FailIndex') return true;
    return action !== 'Ignore' && failuresOf(pod).counted >= backoffLimitPerIndex;
  });
  const failedIndexes = withIndexes(
    readIndexes(job.status?.failedIndexes, completions),
    // One that has succeeded by another pod has not failed.
    given.map(indexOf).filter((index) => isNumber(index) && !hasIndex(succeededIndexes, index)) as number[],
  );
  return { storedIndexes, succeededIndexes, failedIndexes };
}

const isNumber = (value: number | undefined): value is number => value !== undefined;

function awaitingOf(
  job: Job,
  active: readonly Pod[],
  freshFailed: readonly Pod[],
  { succeededIndexes, failedIndexes }: IndexPicture,
): ReadonlyMap<number, Pod> {
  const awaiting = new Map<number, Pod>();
  if (job.spec?.backoffLimitPerIndex === undefined || freshFailed.length === 0) return awaiting;
  const running = new Set(active.map(indexOf));
  for (const pod of freshFailed) {
    const index = indexOf(pod) ?? 0;
    if (running.has(index) || hasIndex(succeededIndexes, index) || hasIndex(failedIndexes ?? [], index))
      continue;
    const before = awaiting.get(index);
    const isLater =
      before === undefined || (allFailures(before) <= allFailures(pod) && endedMs(pod) >= endedMs(before));
    if (isLater) awaiting.set(index, pod);
  }
  return awaiting;
}

export function allFailures(pod: Pod): number {
  const { counted, ignored } = failuresOf(pod);
  return counted + ignored;
}

type Undecided = Omit<Picture, 'ending'>;

function endingOf(picture: Undecided, nowMs: number): JobCondition | undefined {
  const { job } = picture;
  const stored = conditionOf(job, 'SuccessCriteriaMet') ?? conditionOf(job, 'FailureTarget');
  if (stored !== undefined) return stored;
  const failure = failureOf(picture, nowMs);
  if (failure !== undefined) return newCondition('FailureTarget', 'True', ...failure, nowMs);
  const success = successOf(picture);
  return success === undefined ? undefined : newCondition('SuccessCriteriaMet', 'True', ...success, nowMs);
}

type Why = readonly [reason: string, message: string];

function failureOf(picture: Undecided, nowMs: number): Why | undefined {
  const { job, pods, failed, failedIndexes, completions, succeeded } = picture;
  if (job.spec?.podFailurePolicy !== undefined)
    for (const pod of pods) {
      const { message } = isFailed(pod, job) ? verdictOn(pod, job) : {};
      if (message !== undefined) return ['PodFailurePolicy', message];
    }
  const { backoffLimit = 6, maxFailedIndexes } = job.spec ?? {};
  if (failed > backoffLimit || hasRestartedTooOften(picture, backoffLimit))
    return ['BackoffLimitExceeded', 'Job has reached the specified backoff limit'];
  if (deadlineInMs(job, nowMs) === 0)
    return ['DeadlineExceeded', 'Job was active longer than specified deadline'];
  const lost = countOf(failedIndexes ?? noIndexes);
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes)
    return ['MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes'];
  if (lost > 0 && lost + succeeded >= (completions ?? 0)) return ['FailedIndexes', 'Job has failed indexes'];
  return undefined;
}

/** Restarts in place count where containers are restarted. */
function hasRestartedTooOften({ job, pods }: Undecided, backoffLimit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
    for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
  }
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** In how many ms its time is up; undefined where it has no deadline, or does not run. */
export function deadlineInMs(job: Job, nowMs: number): number | undefined {
  const { spec, status } = job;
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  // One that is resumed starts now, whatever the status still says.
  const starts = status?.startTime === undefined || conditionOf(job, 'Suspended') !== undefined;
  const startMs = starts ? nowMs : Date.parse(status.startTime ?? '');
  return Math.max(0, startMs + spec.activeDeadlineSeconds * 1000 - nowMs);
}

function successOf(picture: Undecided): Why | undefined {
  const { job, completions, succeeded, active, succeededIndexes } = picture;
  const rule = successRuleMet(job, succeededIndexes);
  if (rule !== undefined) return ['SuccessPolicy', rule];
  if (active.length > 0) return undefined;
  // Without a number of completions the first success ends it, when the others have ended too.
  if (completions === undefined ? succeeded === 0 : succeeded < completions) return undefined;
  return ['CompletionsReached', 'Reached expected number of succeeded pods'];
}
