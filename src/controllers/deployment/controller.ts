/** The Deployment controller: ReplicaSets to the present template. Decisions are in `plan.ts`. */
import type { Deployment, Pod, ReplicaSet } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { controllerOf, Family } from '../ownership.ts';
import { isFinished } from '../pod-state.ts';
import { deploymentsRef, podsRef, replicaSetsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { isRolling } from './facts.ts';
import { conclude, type Observed, plan } from './plan.ts';

export function deploymentController(informers: Informers): Controller<Observed> {
  const family = new Family<Deployment, ReplicaSet>(informers, deploymentsRef, replicaSetsRef);
  const podFamily = new Family<ReplicaSet, Pod>(informers, replicaSetsRef, podsRef);
  const deployments = informers.informer<Deployment>(deploymentsRef);
  const replicaSets = informers.informer<ReplicaSet>(replicaSetsRef);
  return {
    name: 'deployment-controller',
    workers: 8,
    watches: [
      watch<Deployment>(informers, deploymentsRef, (change) => [keyOf(change.object)]),
      watch<ReplicaSet>(informers, replicaSetsRef, (change) => family.ownersOf(change)),
      // Only a Recreate that waits for the end of old pods has to know of single pods.
      watch<Pod>(informers, podsRef, (change) => {
        if (change.kind === 'added' || (change.kind === 'updated' && !isFinished(change.object))) return [];
        const { namespace } = change.object.metadata;
        const replicaSet = replicaSets.get(`${namespace}/${controllerOf(change.object)?.name}`);
        const deployment = deployments.get(
          `${namespace}/${(replicaSet && controllerOf(replicaSet)?.name) ?? ''}`,
        );
        return deployment === undefined || isRolling(deployment) ? [] : [keyOf(deployment)];
      }),
    ],
    observe(key) {
      const deployment = deployments.get(key);
      if (deployment === undefined) return undefined;
      const { namespace } = deployment.metadata;
      return {
        deployment,
        replicaSets: family.candidatesOf(deployment),
        findReplicaSet: (name) => replicaSets.get(`${namespace}/${name}`),
        hasPods: (owners) =>
          owners.some((owner) => podFamily.childrenOf(owner).some((pod) => !isFinished(pod))),
      };
    },
    plan,
    conclude,
  };
}
