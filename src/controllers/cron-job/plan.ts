/**
 * Makes jobs when it is time for them. Pure.
 *
 *   cron job, its jobs ──▶ status: what runs, what succeeded last ──▶ due? allowed? ──▶ job named by its time ──▶ status: last schedule time ──▶ old ones away
 *
 * A job's name is made of the minute it is due: however often a start is tried, it is made once.
 */
import type { CronJob, CronJobStatus, Job, ObjectReference } from '../../api/index.ts';
import {
  type CronSchedule,
  formatTime,
  formatTimeIn,
  isTimeZone,
  parseCronSchedule,
} from '../../lib/index.ts';
import { conditionOf, isOver } from '../job/picture.ts';
import { adopterOf, controllerReference } from '../ownership.ts';
import { cronJobsRef, jobsRef, referenceTo } from '../resources.ts';
import { deletion, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { dueTime, nextDueMs } from './due.ts';

export interface Observed {
  readonly cronJob: CronJob;
  /** Those that it controls. */
  readonly jobs: readonly Job[];
  /** When its schedule was changed: what the new one would have had before that is not made up for. */
  readonly notBeforeMs: number;
  /** Uids of jobs that the status has for running and that are no more. */
  readonly missing: ReadonlySet<string>;
}

export const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const missedMax = 100;
/** Timers and clocks do not agree to the millisecond. */
const paddingMs = 100;

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { cronJob } = observed;
  const { status, events } = statusOf(observed);
  const first = [...statusSteps(cronJobsRef, cronJob, status), ...events];
  if (cronJob.metadata.deletionTimestamp !== undefined) return first;
  return [
    ...first,
    ...scheduleSteps({ ...observed, cronJob: { ...cronJob, status } }, nowMs),
    ...history(observed),
  ];
}

const eventOf = (cronJob: CronJob, type: 'Normal' | 'Warning', reason: string, message: string): Step => ({
  kind: 'event',
  event: { about: referenceTo(cronJobsRef, cronJob), type, reason, message },
});

export const jobNameAt = ({ metadata }: CronJob, atMs: number): string =>
  `${metadata.name}-${Math.floor(atMs / 60_000)}`;

/** Whether we made it: then it bears the time that it was due, also in its name. */
function isScheduled(cronJob: CronJob, { metadata }: Job): boolean {
  const atMs = Date.parse(metadata.annotations?.[scheduledAnnotation] ?? '');
  return metadata.name === jobNameAt(cronJob, atMs);
}

function statusOf({ cronJob, jobs, missing }: Observed) {
  const events: Step[] = [];
  let active: readonly ObjectReference[] = cronJob.status?.active ?? [];
  let { lastSuccessfulTime } = cronJob.status ?? {};
  const without = (uid: string | undefined) => active.filter((reference) => reference.uid !== uid);
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    const isListed = active.some((reference) => reference.uid === uid);
    if (isOver(job)) {
      if (isListed) {
        active = without(uid);
        const condition = conditionOf(job, 'Complete') === undefined ? 'Failed' : 'Complete';
        const message = `Saw completed job: ${name}, condition: ${condition}`;
        events.push(eventOf(cronJob, 'Normal', 'SawCompletedJob', message));
      }
      const { completionTime = '' } = job.status ?? {};
      const isLater = Date.parse(completionTime) > (Date.parse(lastSuccessfulTime ?? '') || 0);
      if (conditionOf(job, 'Complete') !== undefined && isLater) lastSuccessfulTime = completionTime;
    } else if (!isListed && job.metadata.deletionTimestamp === undefined) {
      // Made by us a moment ago, or by one of us that ended before it could say so.
      if (isScheduled(cronJob, job)) active = [...active, referenceTo(jobsRef, job)];
      else {
        const message = `Saw a job that the controller did not create or forgot: ${name}`;
        events.push(eventOf(cronJob, 'Warning', 'UnexpectedJob', message));
      }
    }
  }
  for (const { uid = '', name } of active)
    if (missing.has(uid)) {
      active = without(uid);
      events.push(eventOf(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`));
    }
  const { lastScheduleTime } = cronJob.status ?? {};
  const status: CronJobStatus = {
    ...(active.length === 0 ? {} : { active }),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
  return { status, events };
}

/** Undefined: there is no next time, and `events` say why. */
function readSchedule({ spec }: CronJob): CronSchedule | string {
  const parsed = parseCronSchedule(spec.schedule);
  return parsed.kind === 'error' ? parsed.why : parsed.schedule;
}

function scheduleSteps(observed: Observed, nowMs: number): readonly Step[] {
  const { cronJob, notBeforeMs } = observed;
  const { schedule: text, timeZone, suspend, startingDeadlineSeconds: deadline } = cronJob.spec;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`;
    return [eventOf(cronJob, 'Warning', 'UnknownTimeZone', message)];
  }
  if (suspend === true) return [];
  const steps: Step[] = [];
  if (text.includes('TZ')) {
    const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(text)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
    steps.push(eventOf(cronJob, 'Warning', 'UnsupportedSchedule', message));
  }
  const schedule = readSchedule(cronJob);
  if (typeof schedule === 'string') {
    const message = `unparseable schedule: ${JSON.stringify(text)} : ${schedule}`;
    return [...steps, eventOf(cronJob, 'Warning', 'UnparseableSchedule', message)];
  }
  const last = cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp;
  const lastMs = Math.max(Date.parse(last ?? '') || 0, notBeforeMs);
  const sinceMs = deadline === undefined ? lastMs : Math.max(lastMs, nowMs - deadline * 1000);
  const due = dueTime(schedule, timeZone ?? 'UTC', sinceMs, nowMs);
  if (due.kind === 'error')
    return [
      ...steps,
      eventOf(cronJob, 'Warning', 'InvalidSchedule', `invalid schedule: ${text} : ${due.why}`),
    ];
  if (due.atMs !== undefined) {
    if (due.missed > missedMax) {
      const message =
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      steps.push(eventOf(cronJob, 'Warning', 'TooManyMissedTimes', message));
    }
    steps.push(...startSteps(observed, due.atMs));
  }
  const nextMs = nextDueMs(schedule, timeZone ?? 'UTC', lastMs, nowMs);
  // Before all else: a start that fails must not keep the next one from coming.
  if (nextMs !== undefined) steps.unshift({ kind: 'again', afterMs: nextMs - nowMs + paddingMs });
  return steps;
}

/** Starts what was due at `atMs`, where that is allowed and not done. */
function startSteps({ cronJob, jobs }: Observed, atMs: number): readonly Step[] {
  const { concurrencyPolicy } = cronJob.spec;
  const { active = [], lastScheduleTime } = cronJob.status ?? {};
  if (lastScheduleTime !== undefined && Date.parse(lastScheduleTime) === atMs) return [];
  const name = jobNameAt(cronJob, atMs);
  const tell = (left: readonly ObjectReference[]): readonly Write[] => {
    const { active: _, ...others } = cronJob.status ?? {};
    const next = { ...others, ...(left.length === 0 ? {} : { active: left }) };
    return statusSteps(cronJobsRef, cronJob, { ...next, lastScheduleTime: formatTime(atMs) });
  };
  // Made already, by one of us that ended before it could say so.
  if (jobs.some(({ metadata }) => metadata.name === name)) return tell(active);
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return [eventOf(cronJob, 'Normal', 'JobAlreadyActive', message)];
  }
  if (concurrencyPolicy !== 'Replace' || active.length === 0)
    return [creation(cronJob, name, atMs), ...tell(active)];
  const listed = new Set(active.map(({ uid }) => uid));
  const replaced = jobs.filter(({ metadata }) => listed.has(metadata.uid));
  const gone = new Set(replaced.map(({ metadata }) => metadata.uid));
  const writes = replaced
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((job) => jobDeletion(cronJob, job));
  return [
    { kind: 'together', writes },
    creation(cronJob, name, atMs),
    ...tell(active.filter(({ uid }) => !gone.has(uid))),
  ];
}

function creation(cronJob: CronJob, name: string, atMs: number): Write {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate;
  const { namespace } = cronJob.metadata;
  const about = referenceTo(cronJobsRef, cronJob);
  const object: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: {
        ...metadata.annotations,
        [scheduledAnnotation]: formatTimeIn(atMs, cronJob.spec.timeZone),
      },
      ownerReferences: [controllerReference(cronJobsRef, cronJob)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
  return {
    kind: 'create',
    ref: jobsRef,
    object,
    adopter: adopterOf(cronJobsRef, cronJob),
    done: { about, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created job {name}' },
    failed: { about, type: 'Warning', reason: 'FailedCreate', message: 'Error creating job: {error}' },
    // Of the same name, and not ours: somebody else sees to this time.
    accept: ['alreadyExists'],
  };
}

function jobDeletion(cronJob: CronJob, job: Job): Write {
  const about = referenceTo(cronJobsRef, cronJob);
  return deletion(jobsRef, job, {
    options: { propagationPolicy: 'Background' },
    done: { about, type: 'Normal', reason: 'SuccessfulDelete', message: 'Deleted job {name}' },
    failed: { about, type: 'Warning', reason: 'FailedDelete', message: 'Deleted job: {error}' },
    accept: ['notFound', 'conflict'],
  });
}

/** The oldest that are over, beyond the limits. */
function history({ cronJob, jobs }: Observed): readonly Step[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const writes: Write[] = [];
  for (const [type, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue;
    const over = jobs.filter(
      (job) => conditionOf(job, type) !== undefined && job.metadata.deletionTimestamp === undefined,
    );
    if (over.length <= limit) continue;
    const oldest = over.sort(byStart).slice(0, over.length - limit);
    writes.push(...oldest.map((job) => jobDeletion(cronJob, job)));
  }
  return writes.length === 0 ? [] : [{ kind: 'together', writes }];
}

function byStart(a: Job, b: Job): number {
  const [first, second] = [a, b].map(({ status }) => Date.parse(status?.startTime ?? ''));
  const difference = (first || Number.MAX_VALUE) - (second || Number.MAX_VALUE);
  return difference === 0 ? ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1) : difference;
}
