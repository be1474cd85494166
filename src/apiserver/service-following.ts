/** Keeps account of virtual IPs, node ports and the ranges that they are from: all that is stored, and every change. */
import type { IPAddress, Service, ServiceCIDR } from '../api/index.ts';
import type { ApiContext } from './context.ts';

export function followServices(context: ApiContext): void {
  const { resources, services } = context;
  follow<Service>(context, resources.core('services').prefix, (key, service, previous) =>
    services.observe(key, service, previous),
  );
  const networking = (resource: string): string | undefined =>
    resources.find('networking.k8s.io', 'v1', resource)?.prefix;
  const claims = networking('ipaddresses');
  if (claims !== undefined)
    follow<IPAddress>(context, claims, (key, claim) =>
      services.observeClaim(key.slice(claims.length), claim),
    );
  const ranges = networking('servicecidrs');
  if (ranges !== undefined)
    follow<ServiceCIDR>(context, ranges, (key, range) => services.observeRange(key, range));
}

function follow<T>(
  { store, log }: ApiContext,
  prefix: string,
  note: (key: string, object: T | undefined, previous: T | undefined) => void,
): void {
  const listing = store.list(prefix);
  for (const stored of listing.items) note(stored.key, stored.object() as T, undefined);
  store.watch(prefix, listing.revision, {
    onEvents: (events) => {
      for (const { kind, key, current, previous } of events)
        note(
          key,
          kind === 'delete' ? undefined : (current.object() as T),
          previous?.object() as T | undefined,
        );
    },
    onEnd: (error) => {
      if (error !== undefined) log.error('the account of virtual IPs is no longer kept', { error });
    },
  });
}
