/**
 * A day in the life of a small cloud: every few minutes somebody makes a Deployment, wants more or fewer of it, gives it another image, or is done with it.
 * All else is what a cloud does by itself: leases, statuses, rest. Seeded; the same random source gives the same day.
 */
import type { Deployment } from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import type { Random } from '../lib/index.ts';
import { deploymentObject, type ScaleCloud } from './scale.ts';

const deploymentsRef: ResourceRef = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  namespaced: true,
};
const quietMsMin = 60_000;
const quietMsMax = 300_000;
const deploymentsMax = 30;
const replicasMax = 40;

export interface Day {
  /** What users did. */
  readonly created: number;
  readonly scaled: number;
  readonly updated: number;
  readonly removed: number;
}

/** Resolves when `durationMs` of simulated time have passed and every Deployment that is left is complete. */
export async function liveDay(cloud: ScaleCloud, random: Random, durationMs: number): Promise<Day> {
  const endMs = cloud.simulatedMs + durationMs;
  const day = { created: 0, scaled: 0, updated: 0, removed: 0 };
  const present: string[] = [];
  const patch = (name: string, spec: object): Promise<Deployment> =>
    cloud.client.patch<Deployment>(deploymentsRef, 'default', name, 'strategic', { spec });
  const replicas = (): number => 1 + random.integer(replicasMax);
  while (cloud.simulatedMs < endMs) {
    const quietMs = quietMsMin + random.integer(quietMsMax - quietMsMin);
    await cloud.pass(Math.min(quietMs, endMs - cloud.simulatedMs));
    const at = random.integer(Math.max(1, present.length));
    const name = present[at];
    const choice = random.float();
    if (name === undefined || (choice < 0.3 && present.length < deploymentsMax)) {
      const added = `app-${day.created++}`;
      present.push(added);
      await cloud.client.create(deploymentsRef, deploymentObject('default', added, replicas()));
    } else if (choice < 0.6) {
      await patch(name, { replicas: replicas() });
      day.scaled++;
    } else if (choice < 0.8) {
      const containers = [{ name: 'app', image: `example/app:${2 + day.updated++}` }];
      await patch(name, { template: { spec: { containers } } });
    } else {
      present.splice(at, 1);
      await cloud.client.delete(deploymentsRef, 'default', name);
      day.removed++;
    }
  }
  await cloud.untilSettled('the day has ended');
  return day;
}
