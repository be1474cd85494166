/**
 * Endpoints that somebody made by hand, as EndpointSlices: for those that read nothing else. Pure.
 *
 *   Endpoints of a Service without a selector ──▶ endpoints by address family and ports ──▶ one slice each
 *
 * Not mirrored: Endpoints of a Service that has a selector (its slices are made from its pods) or that is missing, locks of leaders of old, and what says
 * `skip-mirror`. Invariant: at most 1000 addresses of a subset; an Event says how many were left out, and why.
 */
import type {
  Endpoint,
  EndpointAddress,
  EndpointSlice,
  EndpointSubset,
  Endpoints,
  Service,
} from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { serviceNameLabel } from '../endpoints/backends.ts';
import { idOf, managedByLabel } from '../endpointslice/slice-id.ts';
import { lastChangeAnnotation } from '../endpointslice/trigger-time.ts';
import { controllerReference } from '../ownership.ts';
import { endpointSlicesRef, endpointsRef, referenceTo } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';

export interface Observed {
  readonly endpoints: Endpoints | undefined;
  /** Of the same name. */
  readonly service: Service | undefined;
  /** Those of this controller that mirror these Endpoints. */
  readonly slices: readonly EndpointSlice[];
}

export const manager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const appliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
const addressesMax = 1000;

interface Group {
  readonly addressType: string;
  readonly ports: NonNullable<EndpointSlice['ports']>;
  readonly endpoints: readonly Endpoint[];
}

export function plan({ endpoints, service, slices }: Observed): readonly Step[] {
  if (endpoints === undefined || service === undefined || !isMirrored(endpoints, service))
    return together(slices.map((slice) => deletion(endpointSlicesRef, slice)));
  const { groups, events } = groupsOf(endpoints);
  const writes: Write[] = [];
  const left = new Set(slices);
  for (const [id, group] of groups) {
    const present = slices.find((slice) => left.has(slice) && idOf(slice.addressType, slice.ports) === id);
    if (present !== undefined) left.delete(present);
    writes.push(...sliceWrites(endpoints, group, present));
  }
  for (const slice of left) writes.push(deletion(endpointSlicesRef, slice));
  // Told again only when something changes: a settled object is not spoken of.
  const told = writes.length === 0 ? [] : events.map((event): Step => ({ kind: 'event', event }));
  return [...told, ...together(writes)];
}

const together = (writes: readonly Write[]): readonly Step[] =>
  writes.length === 0 ? [] : [{ kind: 'together', writes }];

function isMirrored({ metadata }: Endpoints, service: Service): boolean {
  if (metadata.deletionTimestamp !== undefined || service.metadata.deletionTimestamp !== undefined)
    return false;
  if (metadata.labels?.[skipLabel] === 'true') return false;
  return metadata.annotations?.[leaderAnnotation] === undefined && service.spec?.selector === undefined;
}

function groupsOf(endpoints: Endpoints): {
  readonly groups: ReadonlyMap<string, Group>;
  readonly events: readonly EventDraft[];
} {
  const groups = new Map<
    string,
    { addressType: string; ports: NonNullable<EndpointSlice['ports']>; byAddress: Map<string, Endpoint> }
  >();
  let invalid = 0;
  let skipped = 0;
  for (const subset of endpoints.subsets ?? []) {
    const ports = portsOf(subset);
    let taken = 0;
    const take = (address: EndpointAddress, ready: boolean): void => {
      const addressType = familyOf(address.ip);
      if (addressType === undefined) invalid++;
      else if (taken === addressesMax) skipped++;
      else {
        taken++;
        const id = idOf(addressType, ports);
        const group = groups.get(id) ?? { addressType, ports, byAddress: new Map<string, Endpoint>() };
        groups.set(id, group);
        // Named twice: ready counts.
        if (!group.byAddress.has(address.ip)) group.byAddress.set(address.ip, endpointOf(address, ready));
      }
    };
    for (const address of subset.addresses ?? []) take(address, true);
    for (const address of subset.notReadyAddresses ?? []) take(address, false);
  }
  const warn = (reason: string, message: string): EventDraft => ({
    about: referenceTo(endpointsRef, endpoints),
    type: 'Warning',
    reason,
    message,
  });
  const events: EventDraft[] = [];
  if (invalid > 0)
    events.push(
      warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`),
    );
  if (skipped > 0)
    events.push(
      warn(
        'TooManyAddressesToMirror',
        `A max of ${addressesMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
      ),
    );
  const made = [...groups].map(([id, { byAddress, ...group }]): [string, Group] => [
    id,
    { ...group, endpoints: [...byAddress.values()] },
  ]);
  return { groups: new Map(made), events };
}

function portsOf({ ports = [] }: EndpointSubset): NonNullable<EndpointSlice['ports']> {
  return ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
}

function familyOf(ip: string): 'IPv4' | 'IPv6' | undefined {
  if (ip.includes(':')) return 'IPv6';
  const parts = ip.split('.');
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return isAddress ? 'IPv4' : undefined;
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName ? { nodeName } : {}),
  };
}

function sliceWrites(
  endpoints: Endpoints,
  group: Group,
  present: EndpointSlice | undefined,
): readonly Write[] {
  const { name = '', namespace } = endpoints.metadata;
  const labels = { ...endpoints.metadata.labels, [serviceNameLabel]: name, [managedByLabel]: manager };
  const {
    [lastChangeAnnotation]: _,
    [appliedAnnotation]: __,
    ...others
  } = endpoints.metadata.annotations ?? {};
  if (present === undefined) {
    const object: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${name}-`,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        ...(Object.keys(others).length === 0 ? {} : { annotations: others }),
        ownerReferences: [controllerReference(endpointsRef, endpoints)],
      },
      ...group,
    };
    return [{ kind: 'create', ref: endpointSlicesRef, object, accept: ['notFound'] }];
  }
  const { metadata } = present;
  const isKept =
    sameJson(present.endpoints ?? [], group.endpoints) &&
    sameJson(metadata.labels ?? {}, labels) &&
    sameJson(metadata.annotations ?? {}, others);
  if (isKept) return [];
  const object = {
    ...present,
    metadata: { ...metadata, labels, annotations: others },
    endpoints: group.endpoints,
  };
  return [{ kind: 'update', ref: endpointSlicesRef, object }];
}
