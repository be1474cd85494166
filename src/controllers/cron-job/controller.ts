/**
 * The CronJob controller. Decisions are in `plan.ts`.
 *
 * A job that the status has for running and the copy lacks is asked for at the API before it is taken for gone.
 */
import type { CronJob, Job } from '../../api/index.ts';
import { type Change, type Client, type Informers, keyOf } from '../../client/index.ts';
import { type Clock, isError } from '../../lib/index.ts';
import { onClockJump } from '../clock-jumps.ts';
import { controllerOf } from '../ownership.ts';
import { cronJobsRef, jobsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

export function cronJobController(informers: Informers, client: Client, clock: Clock): Controller<Observed> {
  const cronJobs = informers.informer<CronJob>(cronJobsRef);
  const jobsOf = informers.informer<Job>(jobsRef).index('controller', (job) => {
    const uid = controllerOf(job)?.uid;
    return uid === undefined ? [] : [uid];
  });
  /** Most jobs are nobody's, or of the same one before and after. */
  const ownersOf = (change: Change<Job>): readonly string[] => {
    const states = change.kind === 'updated' ? [change.previous, change.object] : [change.object];
    const owners = states.map(controllerOf).filter((owner) => owner?.kind === cronJobsRef.kind);
    return [...new Set(owners.map((owner) => `${change.object.metadata.namespace}/${owner?.name}`))];
  };
  const nothing: ReadonlySet<string> = new Set();
  /** By uid: since when (by the clock on the wall) its present schedule holds, where it had another before. */
  const changedMs = new Map<string, number>();

  const onCronJob = (change: Change<CronJob>): readonly string[] => {
    const { kind, key, object } = change;
    const { uid = '' } = object.metadata;
    if (kind === 'deleted') changedMs.delete(uid);
    else if (kind === 'updated' && !sameSchedule(change.previous, object)) changedMs.set(uid, clock.nowMs());
    return [key];
  };

  const isGone = async (namespace: string | undefined, name: string, uid: string): Promise<boolean> => {
    try {
      const found = await client.get<Job>(jobsRef, namespace, name);
      return found.metadata.uid !== uid;
    } catch (error) {
      if (isError(error, 'notFound')) return true;
      throw error;
    }
  };

  return {
    name: 'cronjob-controller',
    watches: [watch<CronJob>(informers, cronJobsRef, onCronJob), watch<Job>(informers, jobsRef, ownersOf)],
    laterWatches: (_, work) =>
      onClockJump(clock, cronJobs, () => {
        changedMs.clear();
        for (const cronJob of cronJobs.list()) work(keyOf(cronJob));
      }),
    observe(key) {
      const cronJob = cronJobs.get(key);
      if (cronJob === undefined) return undefined;
      const { uid = '' } = cronJob.metadata;
      const jobs = jobsOf(uid);
      const notBeforeMs = changedMs.get(uid) ?? 0;
      const known = new Set(jobs.map(({ metadata }) => metadata.uid));
      const lacking = (cronJob.status?.active ?? []).filter(({ uid }) => !known.has(uid));
      if (lacking.length === 0) return { cronJob, jobs, notBeforeMs, missing: nothing };
      return Promise.all(
        lacking.map(async ({ name = '', uid = '' }) =>
          (await isGone(cronJob.metadata.namespace, name, uid)) ? uid : '',
        ),
      ).then((gone) => ({ cronJob, jobs, notBeforeMs, missing: new Set(gone) }));
    },
    plan,
  };
}

const sameSchedule = ({ spec: a }: CronJob, { spec: b }: CronJob): boolean =>
  a.schedule === b.schedule && a.timeZone === b.timeZone;
