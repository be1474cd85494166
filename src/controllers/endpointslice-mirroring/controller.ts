/** The EndpointSlice mirroring controller. Decisions are in `plan.ts`. Keys are those of Endpoints. */
import type { EndpointSlice, Endpoints, Service } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { serviceNameLabel } from '../endpoints/backends.ts';
import { managedByLabel } from '../endpointslice/slice-id.ts';
import { endpointSlicesRef, endpointsRef, servicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { manager, type Observed, plan } from './plan.ts';

export function endpointSliceMirroringController(informers: Informers): Controller<Observed> {
  const endpoints = informers.informer<Endpoints>(endpointsRef);
  const services = informers.informer<Service>(servicesRef);
  const keyOfSlice = ({ metadata: { labels = {}, namespace } }: EndpointSlice): readonly string[] =>
    labels[managedByLabel] === manager ? [`${namespace}/${labels[serviceNameLabel]}`] : [];
  const slicesOf = informers.informer<EndpointSlice>(endpointSlicesRef).index('mirrored', keyOfSlice);
  /** Nearly all Services have their slices made from pods: nothing to do for those. */
  const isOurs = (key: string): boolean =>
    services.get(key)?.spec?.selector === undefined || slicesOf(key).length > 0;
  return {
    name: 'endpoint-slice-mirroring-controller',
    workers: 4,
    watches: [
      watch<Endpoints>(informers, endpointsRef, ({ key }) => (isOurs(key) ? [key] : [])),
      watch<Service>(informers, servicesRef, ({ object }) => {
        const key = keyOf(object);
        return isOurs(key) ? [key] : [];
      }),
      watch<EndpointSlice>(informers, endpointSlicesRef, ({ object }) => keyOfSlice(object)),
    ],
    observe(key) {
      const slices = slicesOf(key);
      const present = endpoints.get(key);
      if (present === undefined && slices.length === 0) return undefined;
      return { endpoints: present, service: services.get(key), slices };
    },
    plan,
  };
}
