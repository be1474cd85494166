/** The controller of the gangs of Jobs. Decisions are in `plan.ts`. Jobs that do not ask for it cost a look at their annotations. */
import type { Job, KubeObject, PodGroup, Workload } from '../../api/index.ts';
import { type Change, type Informers, keyOf } from '../../client/index.ts';
import { controllerOf } from '../ownership.ts';
import { jobsRef, podGroupsRef, workloadsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { gangOf } from './gang.ts';
import { type Observed, plan } from './plan.ts';

export function jobGangController(informers: Informers): Controller<Observed> {
  const jobs = informers.informer<Job>(jobsRef);
  const workloads = informers.informer<Workload>(workloadsRef);
  const groups = informers.informer<PodGroup>(podGroupsRef);
  const jobOf = ({ object }: Change<KubeObject>): readonly string[] => {
    const owner = controllerOf(object);
    return owner?.kind === 'Job' ? [`${object.metadata.namespace ?? ''}/${owner.name}`] : [];
  };
  return {
    name: 'job-gang-controller',
    workers: 2,
    watches: [
      watch<Job>(informers, jobsRef, ({ object }) => (gangOf(object) === undefined ? [] : [keyOf(object)])),
      watch<Workload>(informers, workloadsRef, jobOf),
      watch<PodGroup>(informers, podGroupsRef, jobOf),
    ],
    observe(key) {
      const job = jobs.get(key);
      const gang = job && gangOf(job);
      if (job === undefined || gang === undefined) return undefined;
      const name = `${job.metadata.namespace ?? ''}/${gang.name}`;
      return { job, workload: workloads.get(name), group: groups.get(name) };
    },
    plan,
  };
}
