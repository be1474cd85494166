/** The Job controller. Decisions are in `plan.ts`; pods that no job counts any more are let go by `stray-pods.ts`. */
import type { Job, Pod } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { onClockJump } from '../clock-jumps.ts';
import { Family } from '../ownership.ts';
import { jobsRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type BackoffRecord, recordOf } from './backoff.ts';
import { isOver } from './picture.ts';
import { isManagedElsewhere, type Observed, plan } from './plan.ts';

/** Pods that end one after another are counted together: the more there are, the longer a job rests. */
const podsPerRestMs = 10;
const restMsMax = 100;

export function jobController(informers: Informers, clock: Clock): Controller<Observed> {
  const family = new Family<Job, Pod>(informers, jobsRef, podsRef);
  const jobs = informers.informer<Job>(jobsRef);
  /** By uid. */
  const records = new Map<string, BackoffRecord>();
  return {
    name: 'job-controller',
    workers: 8,
    watches: [
      watch<Job>(informers, jobsRef, ({ kind, key, object }) => {
        if (kind === 'deleted') records.delete(object.metadata.uid ?? '');
        return [key];
      }),
      watch<Pod>(informers, podsRef, (change) => family.ownersOf(change)),
    ],
    // Deadlines and back-off count by the wall clock.
    laterWatches: (_, work) =>
      onClockJump(clock, jobs, () => {
        for (const job of jobs.list()) if (!isOver(job)) work(keyOf(job));
      }),
    observe(key) {
      const job = jobs.get(key);
      if (job === undefined) return undefined;
      const { uid = '' } = job.metadata;
      if (isOver(job) || isManagedElsewhere(job)) {
        records.delete(uid);
        return undefined;
      }
      const backoff = recordOf(records.get(uid), job, family.childrenOf(job), clock.nowMs());
      if (backoff !== undefined) records.set(uid, backoff);
      return { job, pods: family.candidatesOf(job), backoff };
    },
    plan,
    restMs: ({ pods }) => Math.min(restMsMax, Math.floor(pods.length / podsPerRestMs)),
  };
}
