/** The ServiceCIDR controller. Decisions are in `plan.ts`. */
import type { IPAddress, ServiceCIDR } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { ipAddressesRef, serviceCidrsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

export function serviceCidrController(informers: Informers): Controller<Observed> {
  const cidrs = informers.informer<ServiceCIDR>(serviceCidrsRef);
  const addresses = informers.informer<IPAddress>(ipAddressesRef);
  const ending = (): readonly string[] =>
    [...cidrs.list()]
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ metadata }) => metadata.name ?? '');
  return {
    name: 'service-cidr-controller',
    workers: 1,
    watches: [
      // Another range may hold what this one is still needed for.
      watch<ServiceCIDR>(informers, serviceCidrsRef, ({ key }) => [key, ...ending()]),
      watch<IPAddress>(informers, ipAddressesRef, ({ kind }) => (kind === 'deleted' ? ending() : [])),
    ],
    observe(name) {
      const cidr = cidrs.get(name);
      if (cidr === undefined) return undefined;
      const isEnding = cidr.metadata.deletionTimestamp !== undefined;
      return {
        cidr,
        cidrs: [...cidrs.list()],
        addresses: isEnding ? [...addresses.list()].map(({ metadata }) => metadata.name ?? '') : [],
      };
    },
    plan,
  };
}
