/**
 * Jobs: pods that run to an end. A job's pods bear its uid as a label and are found by it, unless it chooses its selector itself.
 * What a Job may say is in `job-spec/`.
 */
import { labelPredicate } from '../label-selector.ts';
import type { Draft } from '../object.ts';
import type { Job, JobSpec, PodFailurePolicy } from '../types/batch.v1.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { labelName } from '../validation/names.ts';
import { type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, humanDuration, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { validateGang, validateGangUpdate } from './job-spec/gang.ts';
import { hasCondition, validateJobStatusUpdate } from './job-spec/status.ts';
import { validateJobSpec, validateJobUpdate } from './job-spec/validate.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import { templateColumns } from './workload.ts';

const uidLabel = 'batch.kubernetes.io/controller-uid';
/** The pods' labels: name of the label, and what of the job is its value. The second of each is how it was called at first. */
const labelsOf = [
  ['controller-uid', 'uid'],
  ['job-name', 'name'],
  [uidLabel, 'uid'],
  ['batch.kubernetes.io/job-name', 'name'],
] as const;

const backoffLimitMax = 2 ** 31 - 1;

function statusCell(job: Job): string {
  if (hasCondition(job, 'Complete')) return 'Complete';
  if (hasCondition(job, 'Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'])
    if (hasCondition(job, type)) return type;
  return 'Running';
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return '';
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(endMs - Date.parse(status.startTime));
}

export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  message: 'batch.v1.Job',
  description: 'Job runs pods until enough of them have come to a good end.',
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  orphansByDefault: true,
  columns: [
    nameColumn,
    column<Job>('Status', 'Whether it runs or how it ended.', statusCell),
    column<Job>('Completions', 'How many of its pods have come to a good end, of how many.', completionsCell),
    column<Job>('Duration', 'How long it has run, or ran.', durationCell),
    ageColumn,
    ...templateColumns,
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  applyDefaults(object) {
    const { spec, metadata } = object;
    if (spec === undefined) return;
    const labels = spec.template?.metadata?.labels ?? {};
    if (Object.keys(labels).length > 0 && Object.keys(metadata.labels ?? {}).length === 0)
      metadata.labels = { ...labels };
    applyJobDefaults(spec);
  },
  prepareCreate(object) {
    object.status = {};
    if (object.spec !== undefined && object.spec.manualSelector !== true)
      generateSelector(object, object.spec);
  },
  validate(object) {
    const problems: Problems = [];
    const spec = object.spec ?? ({} as JobSpec);
    validateJobSpec(problems, 'spec', spec);
    validateGang(problems, object);
    if (spec.selector === undefined) problems.push(required('spec.selector'));
    else validateLabelSelector(problems, 'spec.selector', spec.selector);
    const labels = spec.template?.metadata?.labels;
    if (!labelPredicate(spec.selector)(labels))
      problems.push(
        wrong('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
      );
    return problems;
  },
  validateCreate(object) {
    const problems: Problems = [];
    validateGeneratedSelector(problems, object);
    validateHostnames(problems, object);
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateJobUpdate(problems, object, old);
    validateGangUpdate(problems, object, old);
    return problems;
  },
  validateStatusUpdate(object, old) {
    const problems: Problems = [];
    validateJobStatusUpdate(problems, object, old);
    return problems;
  },
});

function applyJobDefaults(spec: Draft<JobSpec>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : backoffLimitMax;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  applyFailurePolicyDefaults(spec.podFailurePolicy);
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
}

export function applyFailurePolicyDefaults(policy: Draft<PodFailurePolicy> | undefined): void {
  for (const { onPodConditions } of policy?.rules ?? [])
    for (const pattern of onPodConditions ?? []) pattern.status ||= 'True';
}

function generateSelector({ metadata }: Draft<Job>, spec: Draft<JobSpec>): void {
  spec.template ??= {};
  spec.template.metadata ??= {};
  const labels = { ...spec.template.metadata.labels };
  for (const [label, source] of labelsOf) labels[label] ??= metadata[source] ?? '';
  spec.template.metadata.labels = labels;
  spec.selector ??= {};
  spec.selector.matchLabels = { [uidLabel]: metadata.uid ?? '', ...spec.selector.matchLabels };
}

/** What a client may have said instead of what is generated. */
function validateGeneratedSelector(problems: Problems, { metadata, spec }: Job): void {
  if (spec === undefined || spec.manualSelector === true || spec.selector === undefined) return;
  if ((metadata.uid ?? '') === '') problems.push(required('metadata.uid'));
  const labels = spec.template?.metadata?.labels ?? {};
  const expected: Record<string, string> = {};
  for (const [label, source] of labelsOf) {
    const value = metadata[source] ?? '';
    expected[label] = value;
    const at = `spec.template.metadata.labels[${label}]`;
    if (labels[label] === undefined) problems.push(required(at, `must be '${value}'`));
    else if (labels[label] !== value) problems.push(wrong(at, labels, `must be '${value}'`));
  }
  if (!labelPredicate(spec.selector)(expected))
    problems.push(wrong('spec.selector', spec.selector, '`selector` not auto-generated'));
}

/** The pods of an indexed job are named by their index. */
function validateHostnames(problems: Problems, { metadata, spec }: Job): void {
  const { completionMode, completions = 0 } = spec ?? {};
  if (completionMode !== 'Indexed' || completions <= 0) return;
  const longest = `${metadata.name ?? ''}-${completions - 1}`;
  if (labelName(longest).length > 0)
    problems.push(
      wrong('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${longest}`),
    );
}
