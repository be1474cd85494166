/**
 * Mends virtual IPs and their IPAddresses. Decisions are in `plan.ts`. Keys: `service/NAMESPACE/NAME`, `address/NAME`.
 *
 * Service and IPAddress come by two watches, so that one is often seen without the other for a moment: where something seems to be missing, the API itself is asked.
 */
import type { IPAddress, KubeObject, Service, ServiceCIDR } from '../../api/index.ts';
import type { Client, Informer, Informers } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { ipAddressesRef, type Resource, serviceCidrsRef, servicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { isInRange, isManaged, type Observed, parentOf, plan, virtualIpsOf } from './plan.ts';

export function ipAddressController(informers: Informers, client: Client): Controller<Observed> {
  const services = informers.informer<Service>(servicesRef);
  const claims = informers.informer<IPAddress>(ipAddressesRef);
  const cidrs = informers.informer<ServiceCIDR>(serviceCidrsRef);

  const find = async <T extends KubeObject>(ref: Resource, key: string): Promise<T | undefined> => {
    const slash = key.indexOf('/');
    try {
      return await client.get<T>(ref, slash < 0 ? undefined : key.slice(0, slash), key.slice(slash + 1));
    } catch (error) {
      if (isError(error, 'notFound')) return undefined;
      throw error;
    }
  };
  const isHeldBy = (claim: IPAddress | undefined, serviceKey: string): boolean =>
    claim !== undefined && isManaged(claim) && parentOf(claim) === serviceKey;
  const known = <T extends KubeObject>(informer: Informer<T>, key: string | undefined): T | undefined =>
    key === undefined ? undefined : informer.get(key);

  const ofService = async (key: string): Promise<Observed | undefined> => {
    const copy = services.get(key);
    if (copy === undefined) return undefined;
    const addresses = virtualIpsOf(copy);
    // Nearly always: as it should be.
    const ranges = [...cidrs.list()];
    if (addresses.every((address) => isHeldBy(claims.get(address), key) && isInRange(address, ranges)))
      return undefined;
    const service = await find<Service>(servicesRef, key);
    if (service === undefined) return undefined;
    const found = new Map<string, IPAddress>();
    const parents = new Map<string, Service>();
    for (const address of virtualIpsOf(service)) {
      const claim = await find<IPAddress>(ipAddressesRef, address);
      if (claim === undefined) continue;
      found.set(address, claim);
      const parent = parentOf(claim);
      const other =
        parent === undefined || parent === key ? undefined : await find<Service>(servicesRef, parent);
      if (parent !== undefined && other !== undefined) parents.set(parent, other);
    }
    return { kind: 'service', service, claims: found, parents, cidrs: ranges };
  };
  const ofAddress = async (name: string): Promise<Observed | undefined> => {
    const copy = claims.get(name);
    if (copy === undefined || !isManaged(copy)) return undefined;
    const holder = known(services, parentOf(copy));
    if (holder !== undefined && virtualIpsOf(holder).includes(name)) return undefined;
    const claim = await find<IPAddress>(ipAddressesRef, name);
    if (claim === undefined) return undefined;
    const parent = parentOf(claim);
    const service = parent === undefined ? undefined : await find<Service>(servicesRef, parent);
    return { kind: 'address', claim, service };
  };
  return {
    name: 'ipallocator-repair-controller',
    workers: 2,
    watches: [
      watch<Service>(informers, servicesRef, (change) => {
        const ips = virtualIpsOf(change.object);
        if (change.kind === 'updated' && virtualIpsOf(change.previous).join() === ips.join()) return [];
        const before = change.kind === 'updated' ? virtualIpsOf(change.previous) : [];
        const gone = change.kind === 'deleted' ? ips : before.filter((one) => !ips.includes(one));
        return [`service/${change.key}`, ...gone.map((address) => `address/${address}`)];
      }),
      watch<IPAddress>(informers, ipAddressesRef, ({ kind, key, object }) => {
        const parent = parentOf(object);
        const service = parent === undefined ? [] : [`service/${parent}`];
        return kind === 'deleted' ? service : [`address/${key}`, ...service];
      }),
      watch<ServiceCIDR>(informers, serviceCidrsRef, () => []),
    ],
    observe(key) {
      const name = key.slice(key.indexOf('/') + 1);
      return key.startsWith('service/') ? ofService(name) : ofAddress(name);
    },
    plan,
  };
}
