/** Cron jobs: jobs that are made again and again, on a schedule. */
import { isTimeZone, parseCronSchedule } from '../../lib/index.ts';
import type { CronJob, CronJobSpec, JobSpec } from '../types/batch.v1.ts';
import { notNegative, notSupported, oneOf, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, ageOf, column, nameColumn, none, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { applyFailurePolicyDefaults } from './job.ts';
import { validateJobSpec } from './job-spec/validate.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import { containerNamesCell, imagesCell, selectorCell } from './workload.ts';

/** A job's name is its cron job's, with eleven characters for the time. */
const nameLengthMax = 52;
const concurrencyPolicies = ['Allow', 'Forbid', 'Replace'];

const jobOf = ({ spec }: CronJob): JobSpec | undefined => spec?.jobTemplate?.spec;

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  resource: 'cronjobs',
  message: 'batch.v1.CronJob',
  description: 'CronJob makes jobs on a schedule.',
  shortNames: ['cj'],
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<CronJob>('Schedule', 'When jobs are made.', ({ spec }) => spec?.schedule ?? ''),
    column<CronJob>('Timezone', 'Whose clocks the schedule follows.', ({ spec }) => spec?.timeZone ?? none),
    column<CronJob>(
      'Suspend',
      'Whether no jobs are made for now.',
      ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'),
      'boolean',
    ),
    column<CronJob>(
      'Active',
      'How many of its jobs run.',
      ({ status }) => status?.active?.length ?? 0,
      'integer',
    ),
    column<CronJob>('Last Schedule', 'When a job was made last.', ({ status }, nowMs) =>
      status?.lastScheduleTime === undefined ? none : ageOf(status.lastScheduleTime, nowMs),
    ),
    ageColumn,
    wideColumn<CronJob>('Containers', 'The names of the containers.', (object) =>
      containerNamesCell(jobOf(object)?.template),
    ),
    wideColumn<CronJob>('Images', 'The images of the containers.', (object) =>
      imagesCell(jobOf(object)?.template),
    ),
    wideColumn<CronJob>('Selector', 'Which pods belong to its jobs.', (object) =>
      selectorCell(jobOf(object)?.selector),
    ),
  ],
  applyDefaults(object) {
    const { spec } = object;
    if (spec === undefined) return;
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    const template = spec.jobTemplate?.spec;
    applyFailurePolicyDefaults(template?.podFailurePolicy);
    if (template?.template?.spec !== undefined) applyPodSpecDefaults(template.template.spec);
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec = {} as CronJobSpec }) {
    const problems: Problems = [];
    validateSpec(problems, spec);
    return problems;
  },
  validateCreate({ metadata, spec = {} as CronJobSpec }) {
    const problems: Problems = [];
    validateZoneInSchedule(problems, spec, false);
    validateTimeZone(problems, 'spec.timeZone', spec.timeZone);
    if ((metadata.name?.length ?? 0) > nameLengthMax)
      problems.push(
        wrong('metadata.name', metadata.name, `must be no more than ${nameLengthMax} characters`),
      );
    return problems;
  },
  validateUpdate({ spec }, { spec: old }) {
    const problems: Problems = [];
    validateZoneInSchedule(problems, spec ?? {}, (old?.schedule ?? '').includes('TZ'));
    if (spec?.timeZone !== old?.timeZone) validateTimeZone(problems, 'spec.timeZone', spec?.timeZone);
    return problems;
  },
});

function validateSpec(problems: Problems, spec: CronJobSpec): void {
  const { schedule = '', jobTemplate } = spec;
  if (schedule === '') problems.push(required('spec.schedule'));
  else {
    const parsed = parseCronSchedule(schedule);
    if (parsed.kind === 'error') problems.push(wrong('spec.schedule', schedule, parsed.why));
  }
  notNegative(problems, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  oneOf(problems, 'spec.concurrencyPolicy', spec.concurrencyPolicy, concurrencyPolicies, true);
  const template = jobTemplate?.spec ?? ({} as JobSpec);
  const at = 'spec.jobTemplate.spec';
  validateJobSpec(problems, at, template);
  if (template.selector !== undefined)
    problems.push(wrong(`${at}.selector`, template.selector, '`selector` will be auto-generated'));
  if (template.manualSelector === true)
    problems.push(notSupported(`${at}.manualSelector`, true, ['nil', 'false']));
  notNegative(problems, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  notNegative(problems, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
}

/** The zone has a field of its own; only schedules that named one long ago may go on doing so. */
function validateZoneInSchedule(
  problems: Problems,
  { schedule = '', timeZone }: Partial<CronJobSpec>,
  isAllowed: boolean,
): void {
  if (!schedule.includes('TZ')) return;
  if (!isAllowed)
    problems.push(
      wrong('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
    );
  else if (timeZone !== undefined)
    problems.push(
      wrong('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'),
    );
}

function validateTimeZone(problems: Problems, field: string, zone: string | undefined): void {
  if (zone === undefined) return;
  if (zone === '') problems.push(wrong(field, zone, 'timeZone must be nil or non-empty string'));
  else if (zone.toLowerCase() === 'local')
    problems.push(
      wrong(
        field,
        zone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    );
  else if (!isTimeZone(zone)) problems.push(wrong(field, zone, `unknown time zone ${zone}`));
}
