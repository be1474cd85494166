/** The pods that a job makes. Pure. */
import type { Container, Job, Pod } from '../../api/index.ts';
import { gangOf } from '../job-gang/gang.ts';
import { adopterOf } from '../ownership.ts';
import { podOf } from '../pod-template.ts';
import { jobsRef, podsRef, referenceTo } from '../resources.ts';
import type { Write } from '../step.ts';
import {
  failureCountAnnotation,
  failuresOf,
  ignoredFailureCountAnnotation,
  indexAnnotation,
  isIndexed,
  trackingFinalizer,
} from './pods.ts';
import { verdictOn } from './policies.ts';

const indexVariable = 'JOB_COMPLETION_INDEX';
const prefixLengthMax = 58;

/** `indexes`: of an indexed job, one pod each. `awaiting`: whom it replaces, by index. */
export function podCreations(
  job: Job,
  count: number,
  indexes: readonly number[],
  awaiting: ReadonlyMap<number, Pod>,
): readonly Write[] {
  const base = basePod(job);
  const about = referenceTo(jobsRef, job);
  const more = {
    ref: podsRef,
    adopter: adopterOf(jobsRef, job),
    done: { about, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  } as const;
  const objects = isIndexed(job)
    ? indexes.map((index) => podFor(job, base, index, awaiting.get(index)))
    : Array.from({ length: count }, () => base);
  return objects.map((object) => ({ kind: 'create', object, ...more }));
}

/** What all pods of a job have in common. */
function basePod(job: Job): Pod {
  const pod = podOf(job.spec?.template ?? {}, job, jobsRef);
  const { finalizers = [] } = pod.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers: finalizers.includes(trackingFinalizer) ? finalizers : [...finalizers, trackingFinalizer],
    },
    ...(pod.spec === undefined ? {} : { spec: specOf(job, pod.spec) }),
  };
}

function specOf(job: Job, spec: NonNullable<Pod['spec']>): NonNullable<Pod['spec']> {
  const own = isIndexed(job) ? withIndexVariable(spec) : spec;
  const gang = gangOf(job);
  return gang === undefined ? own : { ...own, schedulingGroup: { podGroupName: gang.name } };
}

function withIndexVariable(spec: NonNullable<Pod['spec']>): NonNullable<Pod['spec']> {
  const knowing = (container: Container): Container => {
    const { env = [] } = container;
    if (env.some(({ name }) => name === indexVariable)) return container;
    const fieldRef = { fieldPath: `metadata.labels['${indexAnnotation}']` };
    return { ...container, env: [...env, { name: indexVariable, valueFrom: { fieldRef } }] };
  };
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: containers.map(knowing),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(knowing) }),
  };
}

function podFor(job: Job, base: Pod, index: number, replaced: Pod | undefined): Pod {
  const { name = '' } = job.metadata;
  const { labels, annotations } = base.metadata;
  const suffix = `-${index}-`;
  const { spec } = base;
  return {
    ...base,
    metadata: {
      ...base.metadata,
      generateName: `${name.slice(0, prefixLengthMax - suffix.length)}${suffix}`,
      labels: { ...labels, [indexAnnotation]: String(index) },
      annotations: { ...annotations, [indexAnnotation]: String(index), ...failureCounts(job, replaced) },
    },
    ...(spec === undefined ? {} : { spec: { ...spec, hostname: `${name}-${index}` } }),
  };
}

function failureCounts(job: Job, replaced: Pod | undefined): Readonly<Record<string, string>> {
  if (job.spec?.backoffLimitPerIndex === undefined) return {};
  let { counted, ignored } = replaced === undefined ? { counted: 0, ignored: 0 } : failuresOf(replaced);
  if (replaced !== undefined) {
    if (verdictOn(replaced, job).action === 'Ignore') ignored++;
    else counted++;
  }
  return {
    [failureCountAnnotation]: String(counted),
    ...(ignored === 0 ? {} : { [ignoredFailureCountAnnotation]: String(ignored) }),
  };
}
