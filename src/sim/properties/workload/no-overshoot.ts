/** A ReplicaSet makes no pod that nobody wants. */
import type { Pod, ReplicaSet } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { beside, controlledBy, controllerOf, isActive, isWhole, valuesSince, wanted } from '../facts.ts';

export const noOvershoot: Property = {
  name: 'workload/no-overshoot',
  source: 'Kubernetes: ReplicaSet; mission C3 (reconciliation)',
  statement:
    'Whenever a pod is made for a ReplicaSet, it has no more active pods than it wanted at some moment of which its controller may still be thinking.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous }) {
        if (kind === 'delete' || resource !== 'pods' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner?.kind !== 'ReplicaSet') return;
        const name = beside(object, owner.name);
        const set = world.truth.objects<ReplicaSet>('replicasets.apps').get(name);
        if (set?.metadata.uid !== owner.uid || !isWhole(world, 'replicasets.apps', name)) return;
        const active = [...controlledBy(set, world.truth.objects<Pod>('pods').values())].filter(
          isActive,
        ).length;
        const most = Math.max(...valuesSince<ReplicaSet, number>(world, 'replicasets.apps', name, wanted));
        if (active > most)
          broken(
            `${name} has ${active} active pods after ${object.metadata.name} was made, and wants ${most}`,
          );
      },
    };
  },
};
