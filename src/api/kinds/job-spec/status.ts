/**
 * What a job's status may say, and how it may go on. Controllers of others may keep jobs too (`managedBy`), so clients rely on these rules and not on one
 * controller: what is over stays over, a time once told is not told anew. A rule is asked only when something that it is about has changed: statuses that
 * were wrong before can still be written in all else.
 * Source: Kubernetes 1.36, pkg/apis/batch/validation and pkg/registry/batch/job, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type { Job, JobStatus } from '../../types/batch.v1.ts';
import {
  duplicate,
  notNegative,
  type Problems,
  required,
  wrong,
  wrongAsWhole,
} from '../../validation/problems.ts';
import { overlap, parseIndexes } from './indexes.ts';

type Type = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet';

export function hasCondition({ status }: Job, type: string): boolean {
  return status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
}

export const isFinished = (job: Job): boolean => hasCondition(job, 'Complete') || hasCondition(job, 'Failed');

export function validateJobStatusUpdate(problems: Problems, job: Job, old: Job): void {
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
    notNegative(problems, `status.${name}`, job.status?.[name]);
  validateUncounted(problems, 'status.uncountedTerminatedPods', job.status?.uncountedTerminatedPods ?? {});
  const changes = changesOf(job, old);
  validateConditions(problems, job, changes);
  validateTimes(problems, job, changes);
  validateFinished(problems, job, changes);
  validateIndexes(problems, job, changes);
  if (changes.some('ready', 'active') && (job.status?.ready ?? 0) > (job.status?.active ?? 0))
    problems.push(wrong('status.ready', job.status?.ready, 'cannot set more ready pods than active'));
  validateCriteria(problems, job);
  validateProgress(problems, job, old, changes);
}

interface Changes {
  /** One of these conditions came or went. */
  readonly condition: (...types: readonly Type[]) => boolean;
  /** One of these fields is another. */
  readonly some: (...names: readonly (keyof JobStatus)[]) => boolean;
  /** It ended or began again. */
  readonly finished: boolean;
}

function changesOf(job: Job, old: Job): Changes {
  return {
    condition: (...types) => types.some((type) => hasCondition(job, type) !== hasCondition(old, type)),
    some: (...names) => names.some((name) => !sameJson(job.status?.[name], old.status?.[name])),
    finished: isFinished(job) !== isFinished(old),
  };
}

function validateUncounted(
  problems: Problems,
  field: string,
  uncounted: NonNullable<JobStatus['uncountedTerminatedPods']>,
): void {
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const)
    uncounted[list]?.forEach((uid, index) => {
      const at = `${field}.${list}[${index}]`;
      if (uid === '') problems.push(wrong(at, uid, 'must not be empty'));
      else if (seen.has(uid)) problems.push(duplicate(at, uid));
      seen.add(uid);
    });
}

const conditions = 'status.conditions';

function validateConditions(problems: Problems, job: Job, changes: Changes): void {
  const is = (type: Type): boolean => hasCondition(job, type);
  const refuse = (why: string): void => {
    problems.push(wrongAsWhole(conditions, why));
  };
  if (changes.condition('Complete', 'Failed') && is('Complete') && is('Failed'))
    refuse('cannot set Complete=True and Failed=true conditions');
  if (changes.condition('Complete', 'FailureTarget') && is('Complete') && is('FailureTarget'))
    refuse('cannot set Complete=True and FailureTarget=true conditions');
  if (changes.condition('Failed', 'FailureTarget') && is('Failed') && !is('FailureTarget'))
    refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  if (changes.condition('Complete', 'SuccessCriteriaMet') && is('Complete') && !is('SuccessCriteriaMet'))
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
}

function validateTimes(problems: Problems, job: Job, changes: Changes): void {
  const { startTime, completionTime } = job.status ?? {};
  const isComplete = hasCondition(job, 'Complete');
  if (changes.condition('Complete') || changes.some('completionTime')) {
    if (completionTime !== undefined && !isComplete)
      problems.push(
        wrong(
          'status.completionTime',
          completionTime,
          'cannot set completionTime when there is no Complete=True condition',
        ),
      );
    if (completionTime === undefined && isComplete)
      problems.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  if (
    changes.some('startTime', 'completionTime') &&
    startTime !== undefined &&
    completionTime !== undefined &&
    Date.parse(completionTime) < Date.parse(startTime)
  )
    problems.push(
      wrong('status.completionTime', completionTime, 'completionTime cannot be set before startTime'),
    );
}

function validateFinished(problems: Problems, job: Job, changes: Changes): void {
  if (!isFinished(job)) return;
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods } = job.status ?? {};
  if ((changes.finished || changes.some('active')) && active > 0)
    problems.push(wrong('status.active', active, 'active>0 is invalid for finished job'));
  // One that is suspended and has nothing to do ends before it begins.
  const neverStarts = job.spec?.suspend === true && job.spec.completions === 0;
  if ((changes.finished || changes.some('startTime')) && startTime === undefined && !neverStarts)
    problems.push(required('status.startTime', 'startTime is required for finished job'));
  const { failed = [], succeeded = [] } = uncountedTerminatedPods ?? {};
  if ((changes.finished || changes.some('uncountedTerminatedPods')) && failed.length + succeeded.length > 0)
    problems.push(
      wrong(
        'status.uncountedTerminatedPods',
        uncountedTerminatedPods,
        'uncountedTerminatedPods needs to be empty for finished job',
      ),
    );
  if ((changes.finished || changes.some('terminating')) && terminating > 0)
    problems.push(wrong('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
}

function validateIndexes(problems: Problems, { spec, status }: Job, changes: Changes): void {
  const { completedIndexes = '', failedIndexes } = status ?? {};
  const { completions } = spec ?? {};
  const completed = parseIndexes(completedIndexes, completions ?? 0);
  const failed = parseIndexes(failedIndexes ?? '', completions ?? 0);
  if (changes.some('completedIndexes')) {
    const field = 'status.completedIndexes';
    if (completions !== undefined && completed.kind === 'error')
      problems.push(wrong(field, completedIndexes, `error parsing completedIndexes: ${completed.why}`));
    if (completedIndexes !== '' && spec?.completionMode !== 'Indexed')
      problems.push(
        wrong(
          field,
          completedIndexes,
          'cannot set non-empty completedIndexes when non-indexed completion mode',
        ),
      );
  }
  const field = 'status.failedIndexes';
  if (changes.some('failedIndexes') && failedIndexes !== undefined) {
    if (spec?.backoffLimitPerIndex === undefined)
      problems.push(
        wrong(field, failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'),
      );
    else if (completions !== undefined && failed.kind === 'error')
      problems.push(wrong(field, failedIndexes, `error parsing failedIndexes: ${failed.why}`));
  }
  if (
    !changes.some('completedIndexes', 'failedIndexes') ||
    completed.kind === 'error' ||
    failed.kind === 'error'
  )
    return;
  const both = overlap(completed.intervals, failed.intervals);
  if (both !== undefined)
    problems.push(
      wrong(field, failedIndexes, `failedIndexes and completedIndexes overlap at index: ${both}`),
    );
}

function validateCriteria(problems: Problems, job: Job): void {
  const isMet = hasCondition(job, 'SuccessCriteriaMet');
  for (const [type, name] of [
    ['Failed', 'Failed'],
    ['FailureTarget', 'FailureTarget'],
  ] as const)
    if (isMet && hasCondition(job, type))
      problems.push(
        wrongAsWhole(conditions, `cannot set SuccessCriteriaMet=True and ${name}=true conditions`),
      );
  if (job.spec?.successPolicy !== undefined && !isMet && hasCondition(job, 'Complete'))
    problems.push(
      wrongAsWhole(
        conditions,
        'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
      ),
    );
}

function validateProgress(problems: Problems, job: Job, old: Job, changes: Changes): void {
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const)
    if (hasCondition(old, type) && !hasCondition(job, type))
      problems.push(wrongAsWhole(conditions, `cannot disable the terminal ${type}=True condition`));
  if ((status.failed ?? 0) < (before.failed ?? 0))
    problems.push(wrong('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'));
  // One that can be scaled down takes its successes with it.
  const isElastic = job.spec?.completionMode === 'Indexed' && job.spec.completions === job.spec.parallelism;
  if (!isElastic && (status.succeeded ?? 0) < (before.succeeded ?? 0))
    problems.push(wrong('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'));
  if (
    status.completionTime !== undefined &&
    before.completionTime !== undefined &&
    changes.some('completionTime')
  )
    problems.push(wrong('status.completionTime', status.completionTime, 'completionTime cannot be mutated'));
  // One that is resumed begins anew.
  const mayBeginAnew =
    job.spec?.suspend === true || (hasCondition(old, 'Suspended') && status.startTime !== undefined);
  if (before.startTime !== undefined && changes.some('startTime') && !mayBeginAnew)
    problems.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  const [met, wasMet] = [hasCondition(job, 'SuccessCriteriaMet'), hasCondition(old, 'SuccessCriteriaMet')];
  if (wasMet && !met)
    problems.push(wrongAsWhole(conditions, 'cannot disable the SuccessCriteriaMet=True condition'));
  if (hasCondition(old, 'Complete') && !wasMet && met)
    problems.push(
      wrongAsWhole(
        conditions,
        'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
      ),
    );
}
