/** Who is paused waits. */
import type { Deployment, KubeObject } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { beside, controllerOf, sinceMs } from '../facts.ts';

const isFree = (deployment: KubeObject | undefined): boolean =>
  (deployment as Deployment | undefined)?.spec?.paused !== true;

export const pauseKept: Property = {
  name: 'workload/pause-kept',
  source: 'Kubernetes: Deployment, paused',
  statement:
    'A Deployment gets no new ReplicaSet while it is paused, and has been so at all moments of which its controller may still be thinking.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'replicasets.apps' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner?.kind !== 'Deployment') return;
        const deployment = beside(object, owner.name);
        if (!world.truth.heldSince('deployments.apps', deployment, sinceMs(world), isFree))
          broken(`${name} was made while ${deployment} was paused`);
      },
    };
  },
};
