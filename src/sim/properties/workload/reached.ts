/** In the end there is what was asked for. */
import type { Deployment, Pod, ReplicaSet } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { controlledBy, isActive, isGoing, isReady, wanted } from '../facts.ts';

const isUnschedulable = (pod: Pod): boolean => !pod.spec?.nodeName;

export const replicaSetsReached: Property = {
  name: 'workload/replicasets-reached',
  source: 'Kubernetes: ReplicaSet; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, every ReplicaSet soon has as many active pods as it wants, and its status says so.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, set] of truth.objects<ReplicaSet>('replicasets.apps')) {
          if (isGoing(set)) return `${name} is still being deleted`;
          const pods = [...controlledBy(set, truth.objects<Pod>('pods').values())].filter(isActive);
          if (pods.length !== wanted(set)) return `${name} wants ${wanted(set)} pods and has ${pods.length}`;
          const ready = pods.filter(isReady).length;
          const {
            replicas = 0,
            readyReplicas = 0,
            availableReplicas = 0,
            observedGeneration,
          } = set.status ?? {};
          if (observedGeneration !== set.metadata.generation)
            return `${name}: its status is of an older generation`;
          if (replicas !== pods.length || readyReplicas !== ready || availableReplicas !== ready)
            return `${name}: its status says ${replicas}/${readyReplicas}/${availableReplicas}, it has ${pods.length} pods, ${ready} ready`;
        }
        return undefined;
      },
    };
  },
};

export const deploymentsReached: Property = {
  name: 'workload/deployments-reached',
  source: 'Kubernetes: Deployment; mission T1 (rolling update completes)',
  statement:
    'When faults and users have stopped, every Deployment that is not paused soon runs its newest template in the wanted number, as far as there is room for its pods.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, deployment] of truth.objects<Deployment>('deployments.apps')) {
          if (isGoing(deployment)) return `${name} is still being deleted`;
          const { status, spec, metadata } = deployment;
          if (status?.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          const sets = [...controlledBy(deployment, truth.objects<ReplicaSet>('replicasets.apps').values())];
          const pods = sets
            .flatMap((set) => [...controlledBy(set, truth.objects<Pod>('pods').values())])
            .filter(isActive);
          const ready = pods.filter(isReady).length;
          if ((status?.replicas ?? 0) !== pods.length || (status?.availableReplicas ?? 0) !== ready)
            return `${name}: its status says ${status?.replicas ?? 0} pods, ${status?.availableReplicas ?? 0} available; there are ${pods.length}, ${ready} ready`;
          if (spec?.paused === true || pods.some(isUnschedulable)) continue;
          if (
            pods.length !== wanted(deployment) ||
            ready !== pods.length ||
            (status?.updatedReplicas ?? 0) !== pods.length
          )
            return `${name} wants ${wanted(deployment)}, has ${pods.length} pods, ${ready} ready, ${status?.updatedReplicas ?? 0} of its newest template`;
        }
        return undefined;
      },
    };
  },
};
