/**
 * Keeps the Workload and the PodGroup of a Job whose pods are a gang. Pure.
 *
 *   job ──▶ Workload (template) ──▶ PodGroup, made of it ──▶ the scheduler places its pods, which name it
 *   suspended, its pods gone ──▶ both go, and come again when it is resumed
 *   parallelism is another one ──▶ both are made anew, unless that would ask pods that run already to wait for more
 *
 * They go with the Job, whose they are. Invariant: what is there is the Job's own, of the size that it has now.
 */
import type { Job, KubeObject, PodGroup, Workload } from '../../api/index.ts';
import { isFinishedJob } from '../../api/index.ts';
import { isManagedElsewhere } from '../job/plan.ts';
import { adopterOf, controllerReference, isControlledBy } from '../ownership.ts';
import { jobsRef, podGroupsRef, type Resource, referenceTo, workloadsRef } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';
import { gangOf, type JobGang } from './gang.ts';

export interface Observed {
  readonly job: Job;
  /** By the names that they are to have. */
  readonly workload: Workload | undefined;
  readonly group: PodGroup | undefined;
}

export function plan({ job, workload, group }: Observed): readonly Step[] {
  const gang = gangOf(job);
  if (gang === undefined || isManagedElsewhere(job) || isFinishedJob(job)) return [];
  if (job.metadata.deletionTimestamp !== undefined) return [];
  const there = [group, workload].filter((one) => one !== undefined);
  // What others have made under that name is left alone: then the pods wait, and the event says why.
  const foreign = there.find((one) => !isControlledBy(one, job));
  if (foreign !== undefined) return [taken(job, foreign)];
  // They are seen off first.
  if (there.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return [];
  if (job.spec?.suspend === true) return isAtRest(job) ? removal(group, workload) : [];
  if (group !== undefined && !suits(group, gang)) return removal(group, workload);
  if (workload !== undefined && group === undefined && !suits(templateOf(workload), gang))
    return removal(group, workload);
  if (workload === undefined) return [creation(job, workloadsRef, workloadOf(job, gang), 'Workload')];
  if (group === undefined) return [creation(job, podGroupsRef, groupOf(job, gang, workload), 'PodGroup')];
  return [];
}

/** Nobody of it runs any more. */
const isAtRest = ({ status }: Job): boolean => (status?.active ?? 0) + (status?.terminating ?? 0) === 0;

const templateOf = ({
  spec,
}: Workload): { readonly spec: Workload['spec']['podGroupTemplates'][number] | undefined } => ({
  spec: spec.podGroupTemplates[0],
});

interface Sized {
  readonly spec: Pick<PodGroup['spec'], 'schedulingPolicy' | 'schedulingConstraints'> | undefined;
  readonly status?: PodGroup['status'];
}

function suits({ spec, status }: Sized, { minCount, topologyKey }: JobGang): boolean {
  const is = spec?.schedulingPolicy.gang?.minCount ?? 0;
  const isPlaced = status?.conditions?.some(
    (one) => one.type === 'PodGroupScheduled' && one.status === 'True',
  );
  if (isPlaced === true) return is <= minCount;
  return is === minCount && spec?.schedulingConstraints?.topology?.[0]?.key === topologyKey;
}

function removal(...objects: readonly ((PodGroup | Workload) | undefined)[]): readonly Step[] {
  const [group, workload] = objects;
  const writes: Write[] = [];
  if (group !== undefined) writes.push(deletion(podGroupsRef, group, { accept: ['notFound', 'conflict'] }));
  if (workload !== undefined)
    writes.push(deletion(workloadsRef, workload, { accept: ['notFound', 'conflict'] }));
  return writes.length === 0 ? [] : [{ kind: 'together', writes }];
}

function creation(job: Job, ref: Resource, object: KubeObject, kind: string): Write {
  const about = referenceTo(jobsRef, job);
  const { name = '' } = job.metadata;
  return {
    kind: 'create',
    ref,
    object,
    adopter: adopterOf(jobsRef, job),
    done: {
      about,
      type: 'Normal',
      reason: `${kind}Created`,
      message: `Created ${kind} {name} for Job ${name}`,
    },
    failed: { about, type: 'Warning', reason: 'FailedCreate', message: `Error creating ${kind}: {error}` },
  };
}

function taken(job: Job, { kind = 'object', metadata }: KubeObject): Step {
  const message = `${kind} ${metadata.name} is there and is not of this Job: its pods wait`;
  return {
    kind: 'event',
    event: { about: referenceTo(jobsRef, job), type: 'Warning', reason: 'GangNameTaken', message },
  };
}

function metadataOf(job: Job, { name }: JobGang): KubeObject['metadata'] {
  const { namespace } = job.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ownerReferences: [controllerReference(jobsRef, job)],
  };
}

const policyOf = ({
  minCount,
  topologyKey,
}: JobGang): Pick<PodGroup['spec'], 'schedulingPolicy' | 'schedulingConstraints'> => ({
  schedulingPolicy: { gang: { minCount } },
  ...(topologyKey === undefined ? {} : { schedulingConstraints: { topology: [{ key: topologyKey }] } }),
});

function workloadOf(job: Job, gang: JobGang): Workload {
  const { name = '' } = job.metadata;
  return {
    apiVersion: 'scheduling.k8s.io/v1alpha2',
    kind: 'Workload',
    metadata: metadataOf(job, gang),
    spec: {
      controllerRef: { apiGroup: 'batch', kind: 'Job', name },
      podGroupTemplates: [{ name: gang.templateName, ...policyOf(gang) }],
    },
  };
}

function groupOf(job: Job, gang: JobGang, workload: Workload): PodGroup {
  const metadata = metadataOf(job, gang);
  const { name = '', uid = '' } = workload.metadata;
  const of = { apiVersion: 'scheduling.k8s.io/v1alpha2', kind: 'Workload', name, uid };
  return {
    apiVersion: 'scheduling.k8s.io/v1alpha2',
    kind: 'PodGroup',
    metadata: { ...metadata, ownerReferences: [...(metadata.ownerReferences ?? []), of] },
    spec: {
      podGroupTemplateRef: {
        workload: { workloadName: name, podGroupTemplateName: gang.templateName },
      },
      ...policyOf(gang),
    },
  };
}
