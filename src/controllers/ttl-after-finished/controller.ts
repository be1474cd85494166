/** Removes jobs that are over, `ttlSecondsAfterFinished` after their end. */
import type { Job } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { onClockJump } from '../clock-jumps.ts';
import { conditionOf } from '../job/picture.ts';
import { jobsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { deletion, type PlanContext, type Step } from '../step.ts';

export function ttlAfterFinishedController(informers: Informers, clock: Clock): Controller<Job> {
  const jobs = informers.informer<Job>(jobsRef);
  const waiting = jobs.index('ttl', (job) => (expiryMs(job) === undefined ? [] : ['ttl']));
  return {
    name: 'ttl-after-finished-controller',
    watches: [
      watch<Job>(informers, jobsRef, ({ kind, key, object }) =>
        kind === 'deleted' || expiryMs(object) === undefined ? [] : [key],
      ),
    ],
    laterWatches: (_, work) =>
      onClockJump(clock, jobs, () => {
        for (const { metadata } of waiting('ttl')) work(`${metadata.namespace}/${metadata.name}`);
      }),
    observe: (key) => jobs.get(key),
    plan,
  };
}

export function plan(job: Job, { nowMs }: PlanContext): readonly Step[] {
  const dueMs = expiryMs(job);
  if (dueMs === undefined || job.metadata.deletionTimestamp !== undefined) return [];
  if (dueMs > nowMs) return [{ kind: 'again', afterMs: dueMs - nowMs }];
  const write = deletion(jobsRef, job, {
    options: { propagationPolicy: 'Foreground' },
    // Changed meanwhile, perhaps to live on: it will be seen, and decided again.
    accept: ['notFound', 'conflict'],
  });
  const { resourceVersion } = job.metadata;
  return [{ ...write, ...(resourceVersion === undefined ? {} : { resourceVersion }) } as Step];
}

/** Undefined: not over, or kept. */
function expiryMs(job: Job): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined) return undefined;
  const end = conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed');
  const endMs = Date.parse(end?.lastTransitionTime ?? '');
  return Number.isNaN(endMs) ? undefined : endMs + seconds * 1000;
}
