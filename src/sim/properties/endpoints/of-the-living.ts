/** Endpoints of who is gone go too. */
import type { EndpointSlice, Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';

export const endpointsOfTheLiving: Property = {
  name: 'endpoints/of-the-living',
  source: 'Kubernetes: EndpointSlice, targetRef',
  statement:
    'When faults and users have stopped, soon every endpoint, ready or not, is of a pod that is there.',
  check({ truth }) {
    return {
      goal() {
        const pods = truth.objects<Pod>('pods');
        for (const [name, slice] of truth.objects<EndpointSlice>('endpointslices.discovery.k8s.io'))
          for (const { targetRef } of slice.endpoints ?? []) {
            if (targetRef?.kind !== 'Pod') continue;
            const pod = pods.get(`${targetRef.namespace}/${targetRef.name}`);
            if (pod?.metadata.uid !== targetRef.uid)
              return `${name} has an endpoint of ${targetRef.name}, which is gone`;
          }
        return undefined;
      },
    };
  },
};
