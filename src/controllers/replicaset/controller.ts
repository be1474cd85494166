/** The ReplicaSet controller: pods to as many as are wanted. Decisions are in `plan.ts`. */
import type { Pod, ReplicaSet } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { controllerOf, Family } from '../ownership.ts';
import { type Standing, standingOf } from '../pod-state.ts';
import { podsRef, replicaSetsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { conclude, type Observed, plan } from './plan.ts';

export function replicaSetController(informers: Informers): Controller<Observed> {
  const family = new Family<ReplicaSet, Pod>(informers, replicaSetsRef, podsRef);
  const replicaSets = informers.informer<ReplicaSet>(replicaSetsRef);
  const siblingsOf = replicaSets.index('controller', (replicaSet) => {
    const uid = controllerOf(replicaSet)?.uid;
    return uid === undefined ? [] : [uid];
  });
  // Kept as pods change, so that a look at a large set need not visit each of its pods.
  const replicas = informers.informer<Pod>(podsRef).index('controller and standing', (pod) => {
    const uid = controllerOf(pod)?.uid;
    return uid === undefined ? [] : [`${uid} ${standingOf(pod)}`];
  });
  const standing = ({ metadata }: ReplicaSet, one: Standing): readonly Pod[] =>
    replicas(`${metadata.uid} ${one}`);
  return {
    name: 'replicaset-controller',
    workers: 8,
    watches: [
      watch<ReplicaSet>(informers, replicaSetsRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => family.ownersOf(change)),
    ],
    observe(key) {
      const replicaSet = replicaSets.get(key);
      if (replicaSet === undefined) return undefined;
      return {
        replicaSet,
        pods: family.candidatesOf(replicaSet),
        standing: {
          finished: standing(replicaSet, 'finished'),
          ending: standing(replicaSet, 'ending'),
          starting: standing(replicaSet, 'starting'),
          ready: standing(replicaSet, 'ready'),
        },
        relatives() {
          const owner = controllerOf(replicaSet)?.uid;
          const siblings = owner === undefined ? [replicaSet] : siblingsOf(owner);
          return siblings.flatMap((sibling) => [
            ...standing(sibling, 'starting'),
            ...standing(sibling, 'ready'),
          ]);
        },
      };
    },
    plan,
    conclude,
  };
}
