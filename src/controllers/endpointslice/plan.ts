/**
 * A Service's pods as EndpointSlices. Pure.
 *
 *   Service, pods ──▶ wanted endpoints by address family and ports ──▶ put where they are, then where there is room ──▶ writes
 *
 * Invariants: at most 100 endpoints a slice; an endpoint stays in its slice for as long as it lives, so that a change of one pod
 * writes one slice; a Service without endpoints has one empty slice.
 */
import type { Endpoint, EndpointSlice, Pod, Service } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import {
  canServe,
  hasSelector,
  headlessLabel,
  hostnameOf,
  isHeadless,
  portsOf,
  type ResolvedPort,
  serviceNameLabel,
  stateOf,
} from '../endpoints/backends.ts';
import { controllerReference } from '../ownership.ts';
import { endpointSlicesRef, servicesRef } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';

export interface Observed {
  readonly service: Service;
  /** All that its selector matches. */
  readonly pods: readonly Pod[];
  /** Those of this controller. */
  readonly slices: readonly EndpointSlice[];
  zoneOf(nodeName: string): string | undefined;
}

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const manager = 'endpointslice-controller.k8s.io';
export const endpointsMax = 100;

/** Endpoints that share their ports, and so their slices. */
interface Group {
  readonly addressType: string;
  readonly ports: readonly ResolvedPort[];
  readonly endpoints: Endpoint[];
}

export function plan(observed: Observed): readonly Step[] {
  const { service, slices } = observed;
  if (service.metadata.deletionTimestamp !== undefined || !hasSelector(service)) return [];
  const groups = groupsOf(observed);
  const writes: Write[] = [];
  const left = new Set(slices);
  for (const [id, group] of groups) {
    const own = slices.filter((slice) => idOfSlice(slice) === id);
    for (const slice of own) left.delete(slice);
    writes.push(...groupWrites(service, group, own));
  }
  for (const slice of left) writes.push(deletion(endpointSlicesRef, slice));
  return writes.length === 0 ? [] : [{ kind: 'together', writes }];
}

function groupsOf({ service, pods, zoneOf }: Observed): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  const families = service.spec?.ipFamilies ?? ['IPv4'];
  for (const addressType of families.length === 0 ? ['IPv4'] : families) {
    const isOurs = (ip: string): boolean => ip.includes(':') === (addressType === 'IPv6');
    for (const pod of pods) {
      if (!canServe(pod)) continue;
      const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
      const address = ips.find(isOurs);
      if (address === undefined) continue;
      const ports = portsOf(service, pod);
      const id = idOf(addressType, ports);
      let group = groups.get(id);
      if (group === undefined) {
        group = { addressType, ports, endpoints: [] };
        groups.set(id, group);
      }
      group.endpoints.push(endpointOf(service, pod, address, zoneOf));
    }
    if (![...groups.values()].some((group) => group.addressType === addressType))
      groups.set(idOf(addressType, []), { addressType, ports: [], endpoints: [] });
  }
  return groups;
}

function endpointOf(service: Service, pod: Pod, address: string, zoneOf: Observed['zoneOf']): Endpoint {
  const { namespace, name, uid } = pod.metadata;
  const { nodeName } = pod.spec ?? {};
  const hostname = hostnameOf(service, pod);
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName);
  return {
    addresses: [address],
    conditions: { ...stateOf(service, pod) },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}

const identity = (endpoint: Endpoint): string =>
  `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses[0] ?? ''}`;

function groupWrites(service: Service, group: Group, slices: readonly EndpointSlice[]): readonly Write[] {
  const wanted = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const kept = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    for (const present of slice.endpoints ?? []) {
      const endpoint = wanted.get(identity(present));
      if (endpoint === undefined || endpoints.length === endpointsMax) continue;
      wanted.delete(identity(present));
      endpoints.push(endpoint);
    }
    return { slice, endpoints };
  });
  const homeless = [...wanted.values()];
  // The fullest first, so that slices with few endpoints empty out over time.
  const byFill = [...kept].sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const { endpoints } of byFill) endpoints.push(...homeless.splice(0, endpointsMax - endpoints.length));
  const writes: Write[] = [];
  const filled = kept.filter(({ endpoints }) => endpoints.length > 0);
  const placeholder = filled.length === 0 && homeless.length === 0 ? kept[0] : undefined;
  for (const { slice, endpoints } of kept) {
    if (endpoints.length === 0 && slice !== placeholder?.slice)
      writes.push(deletion(endpointSlicesRef, slice));
    else writes.push(...updateOf(service, slice, endpoints));
  }
  const isBare = kept.length === 0 && homeless.length === 0;
  while (homeless.length > 0) writes.push(creationOf(service, group, homeless.splice(0, endpointsMax)));
  if (isBare) writes.push(creationOf(service, group, []));
  return writes;
}

function updateOf(service: Service, slice: EndpointSlice, endpoints: readonly Endpoint[]): readonly Write[] {
  const labels = { ...labelsOf(service) };
  const isKept = sameJson(slice.endpoints ?? [], endpoints) && sameJson(slice.metadata.labels ?? {}, labels);
  if (isKept) return [];
  const object: EndpointSlice = { ...slice, metadata: { ...slice.metadata, labels }, endpoints };
  return [{ kind: 'update', ref: endpointSlicesRef, object }];
}

function creationOf(service: Service, group: Group, endpoints: readonly Endpoint[]): Write {
  const { name = '', namespace } = service.metadata;
  const object: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsOf(service),
      ownerReferences: [controllerReference(servicesRef, service)],
    },
    addressType: group.addressType,
    endpoints,
    ports: group.ports,
  };
  // Into a namespace that is going, or of a Service that is gone: nobody needs it.
  return { kind: 'create', ref: endpointSlicesRef, object, accept: ['notFound'] };
}

function labelsOf(service: Service): Readonly<Record<string, string>> {
  return {
    ...service.metadata.labels,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: service.metadata.name ?? '',
    [managedByLabel]: manager,
  };
}

function idOf(
  addressType: string,
  ports: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[],
): string {
  const texts = ports.map(
    ({ name = '', port, protocol = 'TCP', appProtocol = '' }) => `${name}/${port}/${protocol}/${appProtocol}`,
  );
  return `${addressType} ${texts.sort().join(' ')}`;
}

const idOfSlice = (slice: EndpointSlice): string => idOf(slice.addressType, slice.ports ?? []);
