/** The ReplicaSet controller: pods to as many as are wanted. Decisions are in `plan.ts`. */
import type { Pod, ReplicaSet } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { controllerOf, Family } from '../ownership.ts';
import { isActive, type Standing, standingOf } from '../pod-state.ts';
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
  const replicas = informers.informer<Pod>(podsRef).index('controller, standing and labels', (pod) => {
    const uid = controllerOf(pod)?.uid;
    return uid === undefined ? [] : [`${uid} ${standingOf(pod)} ${textOf(pod.metadata.labels)}`];
  });
  const standing = ({ metadata, spec }: ReplicaSet, one: Standing): readonly Pod[] =>
    replicas(`${metadata.uid} ${one} ${textOf(spec?.template?.metadata?.labels)}`);
  const active = (replicaSet: ReplicaSet): readonly Pod[] => {
    const found = [...standing(replicaSet, 'starting'), ...standing(replicaSet, 'ready')];
    const others = standing(replicaSet, 'finished').length + standing(replicaSet, 'ending').length;
    const all = family.childrenOf(replicaSet);
    return found.length + others === all.length ? found : all.filter(isActive);
  };
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
      const pods = family.candidatesOf(replicaSet);
      const groups = {
        finished: standing(replicaSet, 'finished'),
        ending: standing(replicaSet, 'ending'),
        starting: standing(replicaSet, 'starting'),
        ready: standing(replicaSet, 'ready'),
      };
      const count = Object.values(groups).reduce((sum, group) => sum + group.length, 0);
      return {
        replicaSet,
        pods,
        // Others are there as well: of other labels, or that nobody controls.
        ...(count === pods.length ? { standing: groups } : {}),
        relatives() {
          const owner = controllerOf(replicaSet)?.uid;
          const siblings = owner === undefined ? [replicaSet] : siblingsOf(owner);
          return siblings.flatMap(active);
        },
      };
    },
    plan,
    conclude,
  };
}

type Labels = Pod['metadata']['labels'];

const texts = new WeakMap<object, string>();

/** The same for the same labels in the same order. Pods of one set share theirs. */
function textOf(labels: Labels): string {
  if (labels === undefined) return '';
  let text = texts.get(labels);
  if (text === undefined) {
    text = JSON.stringify(labels);
    texts.set(labels, text);
  }
  return text;
}
