/** The Endpoints controller. Decisions are in `plan.ts`. */
import type { Endpoints, Pod, Service } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { endpointsRef, podsRef, servicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { ServicePods } from './backends.ts';
import { type Observed, plan } from './plan.ts';

export function endpointsController(informers: Informers): Controller<Observed> {
  const backends = new ServicePods(informers);
  const endpoints = informers.informer<Endpoints>(endpointsRef);
  return {
    name: 'endpoint-controller',
    workers: 4,
    watches: [
      watch<Service>(informers, servicesRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => backends.servicesOf(change)),
      watch<Endpoints>(informers, endpointsRef, (change) => [keyOf(change.object)]),
    ],
    observe(key) {
      const service = backends.services.get(key);
      const present = endpoints.get(key);
      if (service === undefined && present === undefined) return undefined;
      const pods = service === undefined ? [] : backends.podsOf(service);
      return { service, pods, endpoints: present };
    },
    plan,
  };
}
