/** A rolling update never takes away more than it may. */
import type { Deployment, ReplicaSet } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import {
  beside,
  controlledBy,
  controllerOf,
  fencesOf,
  isGoing,
  isWhole,
  valuesSince,
  wanted,
} from '../facts.ts';

export const unavailable: Property = {
  name: 'workload/unavailable',
  source: 'Kubernetes: Deployment, maxUnavailable; mission T1',
  statement:
    "Whenever an old ReplicaSet of a rolling Deployment is made smaller, what is available and still wanted stays at replicas - maxUnavailable or above, as far as that is the rollout's doing.",
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous }) {
        if (kind === 'delete' || resource !== 'replicasets.apps' || previous === undefined) return;
        const set = object as ReplicaSet;
        const before = previous as ReplicaSet;
        if (wanted(set) >= wanted(before)) return;
        const owner = controllerOf(set);
        if (owner?.kind !== 'Deployment') return;
        const name = beside(set, owner.name);
        const deployment = world.truth.objects<Deployment>('deployments.apps').get(name);
        if (deployment?.metadata.uid !== owner.uid || isGoing(deployment)) return;
        if (deployment.spec?.strategy?.type === 'Recreate') return;
        const desired = (one: ReplicaSet): string | undefined =>
          one.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'];
        if (desired(set) !== desired(before)) return;
        const sizes = valuesSince<Deployment, number>(world, 'deployments.apps', name, wanted);
        // Scaling the Deployment itself shrinks its ReplicaSets in proportion, available or not.
        if (!isWhole(world, 'deployments.apps', name) || new Set(sizes).size > 1) return;
        let after = 0;
        for (const one of controlledBy(
          deployment,
          world.truth.objects<ReplicaSet>('replicasets.apps').values(),
        )) {
          const key = beside(one, one.metadata.name ?? '');
          if (!isWhole(world, 'replicasets.apps', key)) return;
          const seen = valuesSince<ReplicaSet, number>(
            world,
            'replicasets.apps',
            key,
            ({ status }) => status?.availableReplicas ?? 0,
          );
          after += Math.min(wanted(one), Math.max(0, ...seen));
        }
        const oldAvailable = valuesSince<ReplicaSet, number>(
          world,
          'replicasets.apps',
          beside(set, set.metadata.name ?? ''),
          ({ status }) => status?.availableReplicas ?? 0,
        );
        // Taking away what was not available costs nothing.
        if (Math.min(...oldAvailable) <= wanted(set)) return;
        const least = Math.min(
          ...valuesSince<Deployment, number>(
            world,
            'deployments.apps',
            name,
            (one) => wanted(one) - fencesOf(one).unavailable,
          ),
        );
        if (after < least)
          broken(
            `${name}: ${set.metadata.name} went from ${wanted(before)} to ${wanted(set)}, which leaves ${after} available; at least ${least} must be`,
          );
      },
    };
  },
};
