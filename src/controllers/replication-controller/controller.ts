/**
 * The ReplicationController controller: a ReplicaSet of an older name, with a plain map of labels for a selector. Decisions are those of
 * `replicaset/plan.ts`.
 */
import type { LabelSelector, Pod, ReplicaSet, ReplicationController } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { Family } from '../ownership.ts';
import { isActive } from '../pod-state.ts';
import { conclude, type Observed, plan } from '../replicaset/plan.ts';
import { podsRef, replicationControllersRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';

const selectors = new WeakMap<object, LabelSelector>();

/** The same for the same map, so that what is compiled of it is found again. None at all selects nothing. */
function selectorOf({ spec }: ReplicationController): LabelSelector | undefined {
  const labels = spec?.selector;
  if (labels === undefined || Object.keys(labels).length === 0) return undefined;
  let selector = selectors.get(labels);
  if (selector === undefined) {
    selector = { matchLabels: labels };
    selectors.set(labels, selector);
  }
  return selector;
}

/** As ReplicaSets have it; undefined: it selects nothing. */
function asReplicaSet(object: ReplicationController): ReplicaSet | undefined {
  const selector = selectorOf(object);
  return selector === undefined
    ? undefined
    : ({ ...object, spec: { ...object.spec, selector } } as ReplicaSet);
}

export function replicationControllerController(informers: Informers): Controller<Observed> {
  const family = new Family<ReplicationController, Pod>(
    informers,
    replicationControllersRef,
    podsRef,
    selectorOf,
  );
  const replicationControllers = informers.informer<ReplicationController>(replicationControllersRef);
  return {
    name: 'replication-controller',
    watches: [
      watch<ReplicationController>(informers, replicationControllersRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => family.ownersOf(change)),
    ],
    observe(key) {
      const found = replicationControllers.get(key);
      const replicaSet = found === undefined ? undefined : asReplicaSet(found);
      if (found === undefined || replicaSet === undefined) return undefined;
      return {
        replicaSet,
        resource: replicationControllersRef,
        pods: family.candidatesOf(found),
        relatives: () => family.childrenOf(found).filter(isActive),
      };
    },
    plan,
    conclude,
  };
}
