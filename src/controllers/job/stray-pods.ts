/**
 * Lets go of pods that no job will count: their job is gone or over, or they have none. Keys are the pods'.
 *
 * A job that the copy lacks may be too new to be known: the API itself is asked before its pods are let go.
 */
import type { Job, Pod } from '../../api/index.ts';
import { labelPredicate } from '../../api/index.ts';
import { type Client, type Informers, keyOf } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { controllerOf } from '../ownership.ts';
import { jobsRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { isOver } from './picture.ts';
import { finalizerRemoval, isManagedElsewhere } from './plan.ts';
import { isTracked } from './pods.ts';

export function strayPodController(informers: Informers, client: Client): Controller<Pod> {
  const jobs = informers.informer<Job>(jobsRef);
  const pods = informers.informer<Pod>(podsRef);
  const jobsIn = jobs.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const trackedOf = pods.index('tracked', (pod) => (isTracked(pod) ? [controllerOf(pod)?.uid ?? ''] : []));
  const known = (pod: Pod): Job | undefined => {
    const owner = controllerOf(pod);
    const job = jobs.get(`${pod.metadata.namespace ?? ''}/${owner?.name ?? ''}`);
    return job?.metadata.uid === owner?.uid ? job : undefined;
  };
  const isWanted = (job: Job): boolean => isManagedElsewhere(job) || !isOver(job);

  const isStray = async (pod: Pod): Promise<boolean> => {
    const owner = controllerOf(pod);
    const { namespace = '', labels } = pod.metadata;
    // One without an owner may be about to be adopted.
    if (owner === undefined)
      return !jobsIn(namespace).some((job) => isWanted(job) && labelPredicate(job.spec?.selector)(labels));
    if (owner.kind !== jobsRef.kind || !owner.apiVersion.startsWith('batch/')) return false;
    const job = known(pod);
    if (job !== undefined) return !isWanted(job);
    try {
      const found = await client.get<Job>(jobsRef, namespace, owner.name);
      return found.metadata.uid !== owner.uid || !isWanted(found);
    } catch (error) {
      if (isError(error, 'notFound')) return true;
      throw error;
    }
  };

  return {
    name: 'job-pod-finalizer-controller',
    watches: [
      watch<Pod>(informers, podsRef, ({ kind, key, object }) => {
        if (kind === 'deleted' || !isTracked(object)) return [];
        const job = known(object);
        return job !== undefined && isWanted(job) ? [] : [key];
      }),
      watch<Job>(informers, jobsRef, ({ kind, object }) => {
        if (kind !== 'deleted' && isWanted(object)) return [];
        const strays = trackedOf(object.metadata.uid ?? '');
        // Those that nobody controls: one less that might adopt them.
        const orphans = trackedOf('').filter(
          ({ metadata }) => metadata.namespace === object.metadata.namespace,
        );
        return [...strays, ...orphans].map(keyOf);
      }),
    ],
    async observe(key) {
      const pod = pods.get(key);
      return pod !== undefined && isTracked(pod) && (await isStray(pod)) ? pod : undefined;
    },
    plan: (pod) => [finalizerRemoval(pod)],
  };
}
