/** Jobs: each pod counts once, and what is over is over. CronJobs: not two where one is allowed. */
import type { CronJob, Job, KubeObject, Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { beside, controlledBy, controllerOf, isActive, isGoing, sinceMs } from '../facts.ts';

const resource = 'jobs.batch';

const isOver = (job: KubeObject | undefined): boolean =>
  (job as Job | undefined)?.status?.conditions?.some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  ) === true;
const isComplete = ({ status }: Job): boolean =>
  status?.conditions?.some((one) => one.type === 'Complete' && one.status === 'True') === true;
const indexOf = ({ metadata }: Pod): number =>
  Number(metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? -1);

/** `1,3-5` */
function indexesOf(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [from = 0, to = from] = part.split('-').map(Number);
    for (let index = from; index <= to; index++) found.add(index);
  }
  return found;
}

/** What the pods of a Job have come to, by its uid. */
interface Ends {
  readonly succeeded: Set<string>;
  readonly indexes: Set<number>;
}

export const jobsCount: Property = {
  name: 'workload/jobs-count',
  source: 'Kubernetes: Job, tracking with finalizers',
  statement:
    'A Job never says that more pods have succeeded than have, nor less than it has said; when it is over its numbers stay, and no pod is made for it.',
  check(world, broken) {
    const ends = new Map<string, Ends>();
    const endsOf = (uid: string): Ends => {
      let found = ends.get(uid);
      if (found === undefined) {
        found = { succeeded: new Set(), indexes: new Set() };
        ends.set(uid, found);
      }
      return found;
    };
    const onPod = (pod: Pod, isNew: boolean, name: string): void => {
      const owner = controllerOf(pod);
      if (owner?.kind !== 'Job') return;
      if (pod.status?.phase === 'Succeeded') {
        endsOf(owner.uid).succeeded.add(pod.metadata.uid ?? '');
        endsOf(owner.uid).indexes.add(indexOf(pod));
      }
      const job = world.truth.objects<Job>(resource).get(beside(pod, owner.name));
      if (isNew && job?.metadata.uid === owner.uid && isOver(job))
        broken(`pod ${name} was made for job ${owner.name}, which is over`);
    };
    return {
      onEvent({ kind, resource: of, object, previous, name }) {
        if (kind === 'delete') return;
        if (of === 'pods') onPod(object as Pod, previous === undefined, name);
        if (of !== resource) return;
        const { status, metadata, spec } = object as Job;
        const before = (previous as Job | undefined)?.status;
        const { succeeded, indexes } = endsOf(metadata.uid ?? '');
        const said = status?.succeeded ?? 0;
        if (said < (before?.succeeded ?? 0))
          broken(`${name} had ${before?.succeeded} pods that succeeded, and now ${said}`);
        if (said > succeeded.size)
          broken(`${name} says that ${said} pods have succeeded: ${succeeded.size} have`);
        if (spec?.completionMode === 'Indexed') {
          const told = indexesOf(status?.completedIndexes ?? '');
          for (const index of told)
            if (!indexes.has(index)) broken(`${name} says that index ${index} is complete: it is not`);
          if (told.size !== said)
            broken(
              `${name} says that ${said} pods have succeeded, of the indexes ${status?.completedIndexes}`,
            );
        }
        if (isComplete(object as Job) && said < (spec?.completions ?? 1))
          broken(`${name} is complete with ${said} of ${spec?.completions} pods`);
        if (previous !== undefined && isOver(previous)) {
          if (!isOver(object)) broken(`${name} was over, and is so no more`);
          if (said !== before?.succeeded && said !== (before?.succeeded ?? 0))
            broken(`${name} was over with ${before?.succeeded} pods, and has ${said}`);
        }
      },
    };
  },
};

export const jobsEnd: Property = {
  name: 'workload/jobs-end',
  source: 'Kubernetes: Job; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, every Job is soon complete or has failed, as far as there is room for its pods; no pod of it bears its finalizer then.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, job] of truth.objects<Job>(resource)) {
          const pods = [...controlledBy(job, truth.objects<Pod>('pods').values())];
          if (!isOver(job)) {
            if (pods.some((pod) => isActive(pod) && !pod.spec?.nodeName)) continue;
            return `${name} is not over: ${JSON.stringify(job.status)}`;
          }
          for (const pod of pods) {
            if (pod.metadata.finalizers?.includes('batch.kubernetes.io/job-tracking') === true)
              return `${pod.metadata.name} of ${name}, which is over, still bears its finalizer`;
            if (isActive(pod)) return `${pod.metadata.name} of ${name}, which is over, still runs`;
          }
        }
        return undefined;
      },
    };
  },
};

export const cronsAlone: Property = {
  name: 'workload/crons-alone',
  source: 'Kubernetes: CronJob, concurrency policy Forbid and Replace, history limits',
  statement:
    'A CronJob that forbids it, or replaces, makes no Job while another of its Jobs has been running all the while; in the end it keeps no more ended Jobs than its limits.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource: of, object, previous, name }) {
        if (of !== resource || kind === 'delete' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner?.kind !== 'CronJob') return;
        const cron = truth.objects<CronJob>('cronjobs.batch').get(beside(object, owner.name));
        if (cron === undefined || cron.metadata.uid !== owner.uid) return;
        if (cron.spec?.concurrencyPolicy === 'Allow') return;
        const since = sinceMs(world);
        for (const job of controlledBy(cron, truth.objects<Job>(resource).values())) {
          const other = beside(job, job.metadata.name ?? '');
          const rests = (one: KubeObject | undefined): boolean =>
            one === undefined || isOver(one) || isGoing(one);
          if (other !== name && !truth.heldSince(resource, other, since, rests))
            broken(`${name} was made while ${other} ran, and its CronJob is ${cron.spec?.concurrencyPolicy}`);
        }
      },
      goal() {
        for (const [name, cron] of truth.objects<CronJob>('cronjobs.batch')) {
          const over = [...controlledBy(cron, truth.objects<Job>(resource).values())].filter(isOver);
          const succeeded = over.filter(isComplete).length;
          const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec ?? {};
          if (succeeded > successfulJobsHistoryLimit || over.length - succeeded > failedJobsHistoryLimit)
            return `${name} keeps ${succeeded} complete and ${over.length - succeeded} failed Jobs`;
        }
        return undefined;
      },
    };
  },
};
