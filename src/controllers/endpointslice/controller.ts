/** The EndpointSlice controller. Decisions are in `plan.ts`. */
import type { EndpointSlice, Node, Pod, Service } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { ServicePods, serviceNameLabel } from '../endpoints/backends.ts';
import { endpointSlicesRef, nodesRef, podsRef, servicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { managedByLabel, manager, type Observed, plan } from './plan.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

export function endpointSliceController(informers: Informers): Controller<Observed> {
  const backends = new ServicePods(informers);
  const nodes = informers.informer<Node>(nodesRef);
  const serviceKeyOf = (slice: EndpointSlice): readonly string[] => {
    const { labels = {}, namespace } = slice.metadata;
    return labels[managedByLabel] === manager ? [`${namespace}/${labels[serviceNameLabel]}`] : [];
  };
  const slicesOf = informers.informer<EndpointSlice>(endpointSlicesRef).index('service', serviceKeyOf);
  return {
    name: 'endpointslice-controller',
    workers: 8,
    watches: [
      watch<Service>(informers, servicesRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => backends.servicesOf(change)),
      watch<EndpointSlice>(informers, endpointSlicesRef, (change) => serviceKeyOf(change.object)),
      watch<Node>(informers, nodesRef, (change) => {
        const zoneOf = (node: Node): string | undefined => node.metadata.labels?.[zoneLabel];
        if (change.kind !== 'updated' || zoneOf(change.object) === zoneOf(change.previous)) return [];
        // A machine changes its zone about never: looking at all Services is the simplest that is right.
        return [...backends.services.list()].map(keyOf);
      }),
    ],
    observe(key) {
      const service = backends.services.get(key);
      if (service === undefined) return undefined;
      return {
        service,
        pods: backends.podsOf(service),
        slices: slicesOf(key),
        zoneOf: (nodeName) => nodes.get(nodeName)?.metadata.labels?.[zoneLabel],
      };
    },
    plan,
  };
}
