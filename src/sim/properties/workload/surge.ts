/** A rolling update never asks for more pods than it may. */
import type { Deployment, ReplicaSet } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { beside, controlledBy, controllerOf, fencesOf, isWhole, valuesSince, wanted } from '../facts.ts';

/** A disk that stalled has made them durable together: neither could be known to who asked for the other. */
const togetherMs = 1;

function leastKnown(world: Checked, set: ReplicaSet): number {
  const versions = world.truth.versions('replicasets.apps', beside(set, set.metadata.name ?? ''));
  let least = wanted(set);
  for (let i = versions.length - 1; i >= 0; i--) {
    const { object, atMs } = versions[i] ?? {};
    least = Math.min(least, object === undefined ? 0 : wanted(object as ReplicaSet));
    if (atMs === undefined || world.nowMs() - atMs > togetherMs) break;
  }
  return least;
}

export const surge: Property = {
  name: 'workload/surge',
  source: 'Kubernetes: Deployment, maxSurge; mission T1',
  statement:
    'Whenever a ReplicaSet of a Deployment is made or made larger, all of them together want at most replicas + maxSurge.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous }) {
        if (kind === 'delete' || resource !== 'replicasets.apps') return;
        const set = object as ReplicaSet;
        const before = previous === undefined ? 0 : wanted(previous as ReplicaSet);
        if (wanted(set) <= before) return;
        const owner = controllerOf(set);
        if (owner?.kind !== 'Deployment') return;
        const name = beside(set, owner.name);
        const deployment = world.truth.objects<Deployment>('deployments.apps').get(name);
        if (deployment?.metadata.uid !== owner.uid || !isWhole(world, 'deployments.apps', name)) return;
        const sum = [
          ...controlledBy(deployment, world.truth.objects<ReplicaSet>('replicasets.apps').values()),
        ]
          .map((one) => (one.metadata.uid === set.metadata.uid ? wanted(one) : leastKnown(world, one)))
          .reduce((a, b) => a + b, 0);
        const most = Math.max(
          ...valuesSince<Deployment, number>(world, 'deployments.apps', name, (one) =>
            one.spec?.strategy?.type === 'Recreate' ? wanted(one) : wanted(one) + fencesOf(one).surge,
          ),
        );
        if (sum > most)
          broken(
            `the ReplicaSets of ${name} want ${sum} pods after ${set.metadata.name} went from ${before} to ${wanted(set)}; at most ${most} are allowed`,
          );
      },
    };
  },
};
