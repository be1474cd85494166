/**
 * What a job may say, alone and in the template of a CronJob, and what of it may change.
 * Source: Kubernetes 1.36, pkg/apis/batch/validation, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type { Draft } from '../../object.ts';
import type { Job, JobSpec } from '../../types/batch.v1.ts';
import type { Affinity, PodTemplateSpec } from '../../types/core.v1.ts';
import { subdomainName } from '../../validation/names.ts';
import {
  immutableWhy,
  notNegative,
  notSupported,
  type Problems,
  required,
  tooLong,
  wrong,
} from '../../validation/problems.ts';
import { validatePodTemplate } from '../pod-spec/validate.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './policies.ts';

const managedByLengthMax = 63;
const indexedMax = 100_000;
/** For jobs with more completions than `indexedMax`. */
const ofManyMax = 10_000;

/** All but the selector. */
export function validateJobSpec(problems: Problems, field: string, spec: JobSpec): void {
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    notNegative(problems, `${field}.${name}`, spec[name]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    problems.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  if (spec.managedBy !== undefined) validateManager(problems, `${field}.managedBy`, spec.managedBy);
  const { completionMode } = spec;
  if (completionMode !== undefined && completionMode !== 'NonIndexed' && completionMode !== 'Indexed')
    problems.push(notSupported(`${field}.completionMode`, completionMode, ['NonIndexed', 'Indexed']));
  if (completionMode === 'Indexed') validateIndexed(problems, field, spec);
  else if (completionMode === undefined || completionMode === 'NonIndexed')
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[name] !== undefined)
        problems.push(wrong(`${field}.${name}`, spec[name], 'requires indexed completion mode'));
  validatePolicies(problems, field, spec);
  validatePodTemplate(problems, `${field}.template`, spec.template);
  validateRestartPolicy(problems, `${field}.template.spec.restartPolicy`, spec);
}

/** `example.com/controller`. */
function validateManager(problems: Problems, field: string, name: string): void {
  const slash = name.indexOf('/');
  if (name === '') problems.push(required(field));
  else if (slash < 0)
    problems.push(wrong(field, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    const [domain, path] = [name.slice(0, slash), name.slice(slash + 1)];
    for (const why of subdomainName(domain)) problems.push(wrong(field, domain, why));
    if (path === '')
      problems.push(wrong(field, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    else if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path))
      problems.push(
        wrong(
          field,
          path,
          "Invalid path (e.g. '/foo', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
        ),
      );
  }
  if (name.length > managedByLengthMax) problems.push(tooLong(field, managedByLengthMax));
}

function validateIndexed(problems: Problems, field: string, spec: JobSpec): void {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (completions === undefined)
    problems.push(required(`${field}.completions`, 'when completion mode is Indexed'));
  const tooLarge = (name: 'parallelism' | 'maxFailedIndexes', maximum: number, when = ''): void => {
    const value = spec[name];
    if (value !== undefined && value > maximum)
      problems.push(wrong(`${field}.${name}`, value, `must be less than or equal to ${maximum}${when}`));
  };
  tooLarge('parallelism', indexedMax, ' when completion mode is Indexed');
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions)
    problems.push(
      wrong(`${field}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'),
    );
  tooLarge('maxFailedIndexes', indexedMax);
  if (completions === undefined || completions <= indexedMax || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined)
    problems.push(
      required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${indexedMax}`),
    );
  const when = ` when completions are above ${indexedMax} and used with backoff limit per index`;
  if (parallelism !== undefined) tooLarge('parallelism', ofManyMax, when);
  tooLarge('maxFailedIndexes', ofManyMax, when);
}

function validatePolicies(problems: Problems, field: string, spec: JobSpec): void {
  const { podFailurePolicy, successPolicy, podReplacementPolicy } = spec;
  if (podFailurePolicy !== undefined)
    validatePodFailurePolicy(problems, `${field}.podFailurePolicy`, podFailurePolicy, spec);
  if (successPolicy !== undefined) {
    if (spec.completionMode !== 'Indexed')
      problems.push(wrong(`${field}.successPolicy`, successPolicy, 'requires indexed completion mode'));
    else validateSuccessPolicy(problems, `${field}.successPolicy`, successPolicy, spec.completions ?? 0);
  }
  if (podReplacementPolicy === undefined) return;
  const supported = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  if (!supported.includes(podReplacementPolicy))
    problems.push(notSupported(`${field}.podReplacementPolicy`, podReplacementPolicy, supported));
}

/** The pods of a job end. */
function validateRestartPolicy(problems: Problems, field: string, spec: JobSpec): void {
  const policy = spec.template?.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always')
    problems.push(required(field, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never')
    problems.push(notSupported(field, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy !== undefined && policy !== 'Never')
    problems.push(wrong(field, policy, 'only "Never" is supported when podFailurePolicy is specified'));
}

const fixed = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

export function validateJobUpdate(problems: Problems, job: Job, oldJob: Job): void {
  const [spec, old] = [job.spec ?? ({} as JobSpec), oldJob.spec ?? ({} as JobSpec)];
  const immutable = (name: keyof JobSpec & string): void => {
    if (!sameJson(spec[name], old[name]))
      problems.push(wrong(`spec.${name}`, spec[name] ?? null, immutableWhy));
  };
  if (spec.completionMode !== 'Indexed') immutable('completions');
  else if (
    spec.completions !== undefined &&
    spec.completions !== old.completions &&
    spec.completions !== spec.parallelism
  )
    problems.push(
      wrong('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'),
    );
  immutable('selector');
  const before =
    isWaiting(oldJob) && job.spec?.suspend === true ? loosened(old.template, spec.template) : old.template;
  if (!sameJson(spec.template, before))
    problems.push(wrong('spec.template', spec.template ?? null, immutableWhy));
  for (const name of fixed) immutable(name);
}

/** Suspended, and either never begun or at rest: where its pods may run, and what they ask for, can still change. */
function isWaiting({ spec, status }: Job): boolean {
  if (spec?.suspend !== true) return false;
  if (status?.startTime === undefined) return true;
  return (
    (status.active ?? 0) === 0 &&
    status.conditions?.some((one) => one.type === 'Suspended' && one.status === 'True') === true
  );
}

/** The old template with what may change taken from the new one. */
function loosened(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const copy: Draft<PodTemplateSpec> = { ...(old as Draft<PodTemplateSpec>) };
  const now = (template ?? {}) as Draft<PodTemplateSpec>;
  copy.metadata = { ...copy.metadata };
  for (const name of ['labels', 'annotations'] as const) take(copy.metadata, now.metadata ?? {}, name);
  if (Object.keys(copy.metadata).length === 0 && now.metadata === undefined) delete copy.metadata;
  if (copy.spec === undefined || now.spec === undefined) return copy;
  copy.spec = { ...copy.spec };
  for (const name of ['nodeSelector', 'tolerations', 'schedulingGates'] as const)
    take(copy.spec, now.spec, name);
  const affinity: Draft<Affinity> = { ...copy.spec.affinity };
  take(affinity, now.spec.affinity ?? {}, 'nodeAffinity');
  if (Object.keys(affinity).length > 0 || now.spec.affinity !== undefined) copy.spec.affinity = affinity;
  else delete copy.spec.affinity;
  for (const list of ['containers', 'initContainers'] as const) {
    const wanted = now.spec[list];
    const held = copy.spec[list];
    if (held !== undefined)
      copy.spec[list] = held.map((container, index) => {
        const other = wanted?.[index];
        if (other?.name !== container.name) return container;
        const taken = { ...container };
        take(taken, other, 'resources');
        return taken;
      });
  }
  return copy;
}

function take<T extends object>(to: T, from: T, name: keyof T): void {
  if (from[name] === undefined) delete to[name];
  else to[name] = from[name];
}
