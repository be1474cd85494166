/** Old and new never run together where their user forbids it. */
import type { Deployment, KubeObject, Pod, ReplicaSet } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { beside, controlledBy, controllerOf, isTerminal, sinceMs } from '../facts.ts';

const isOver = (pod: KubeObject | undefined): boolean => pod === undefined || isTerminal(pod as Pod);

export const recreateApart: Property = {
  name: 'workload/recreate-apart',
  source: 'Kubernetes: Deployment, strategy Recreate',
  statement:
    'With strategy Recreate a pod is made only when no pod of another template has been there at all moments of which controllers may still be thinking.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner?.kind !== 'ReplicaSet') return;
        const own = truth.objects<ReplicaSet>('replicasets.apps').get(beside(object, owner.name));
        const head = own === undefined ? undefined : controllerOf(own);
        if (own === undefined || head?.kind !== 'Deployment') return;
        const deployment = truth.objects<Deployment>('deployments.apps').get(beside(own, head.name));
        if (deployment?.metadata.uid !== head.uid || deployment.spec?.strategy?.type !== 'Recreate') return;
        for (const set of controlledBy(deployment, truth.objects<ReplicaSet>('replicasets.apps').values())) {
          if (set === own) continue;
          for (const pod of controlledBy(set, truth.objects<Pod>('pods').values()))
            if (!truth.heldSince('pods', beside(pod, pod.metadata.name ?? ''), sinceMs(world), isOver))
              broken(`${name} was made while ${pod.metadata.name}, of another template, was still there`);
        }
      },
    };
  },
};
