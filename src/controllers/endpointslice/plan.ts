/**
 * A Service's pods as EndpointSlices. Pure.
 *
 *   Service, pods ──▶ wanted endpoints by address family and ports ──▶ hints ──▶ put where they are, then where there is room ──▶ writes
 *
 * Invariants: at most 100 endpoints a slice; an endpoint stays in its slice for as long as it lives, so that a change of one pod
 * writes one slice; a Service without endpoints has one empty slice.
 */
import type { Endpoint, EndpointSlice, Pod, Service } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
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
import { controllerReference, isControlledBy } from '../ownership.ts';
import { endpointSlicesRef, referenceTo, servicesRef } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';
import { hintMode, ownHints, spreadOverZones } from './hints.ts';
import { idOf, managedByLabel } from './slice-id.ts';
import { triggerTime, withTriggerTime } from './trigger-time.ts';
import type { ZoneShares } from './zone-shares.ts';

export interface Observed {
  readonly service: Service;
  /** All that its selector matches. */
  readonly pods: readonly Pod[];
  /** Those of this controller. */
  readonly slices: readonly EndpointSlice[];
  zoneOf(nodeName: string): string | undefined;
  /** Pods of a node that is gone are gone too, told so or not. */
  hasNode(nodeName: string): boolean;
  readonly zoneShares: ZoneShares;
}

export const manager = 'endpointslice-controller.k8s.io';
export const endpointsMax = 100;

/** An endpoint as it shall be, and whose it is. */
interface Member {
  readonly endpoint: Endpoint;
  readonly pod: Pod;
}

/** Endpoints that share their ports, and so their slices. */
interface Group {
  readonly addressType: string;
  readonly ports: readonly ResolvedPort[];
  readonly members: Member[];
}

export function plan(observed: Observed): readonly Step[] {
  const { service } = observed;
  if (service.metadata.deletionTimestamp !== undefined || !hasSelector(service)) return [];
  const slices = observed.slices.filter((slice) => isControlledBy(slice, service));
  const groups = groupsOf(observed);
  const events = hintMode(service) === 'auto' ? spread({ ...observed, slices }, groups) : [];
  const writes: Write[] = [];
  const left = new Set(observed.slices);
  for (const [id, group] of groups) {
    const own = slices.filter((slice) => idOf(slice.addressType, slice.ports) === id);
    for (const slice of own) left.delete(slice);
    writes.push(...groupWrites(service, group, own, slices.length === 0));
  }
  for (const slice of left) writes.push(deletion(endpointSlicesRef, slice));
  if (writes.length === 0) return [];
  return [{ kind: 'together', writes }, ...events.map((event): Step => ({ kind: 'event', event }))];
}

function groupsOf(observed: Observed): Map<string, Group> {
  const { service, pods, hasNode } = observed;
  const groups = new Map<string, Group>();
  const families = service.spec?.ipFamilies ?? ['IPv4'];
  for (const addressType of families.length === 0 ? ['IPv4'] : families) {
    const isOurs = (ip: string): boolean => ip.includes(':') === (addressType === 'IPv6');
    for (const pod of pods) {
      if (!canServe(pod)) continue;
      const { nodeName } = pod.spec ?? {};
      if (nodeName && !hasNode(nodeName) && service.spec?.publishNotReadyAddresses !== true) continue;
      const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
      const address = ips.find(isOurs);
      if (address === undefined) continue;
      const ports = portsOf(service, pod);
      const id = idOf(addressType, ports);
      let group = groups.get(id);
      if (group === undefined) {
        group = { addressType, ports, members: [] };
        groups.set(id, group);
      }
      group.members.push({ pod, endpoint: endpointOf(observed, pod, address) });
    }
    if (![...groups.values()].some((group) => group.addressType === addressType))
      groups.set(idOf(addressType, []), { addressType, ports: [], members: [] });
  }
  return groups;
}

function endpointOf({ service, zoneOf }: Observed, pod: Pod, address: string): Endpoint {
  const { namespace, name, uid } = pod.metadata;
  const { nodeName } = pod.spec ?? {};
  const hostname = hostnameOf(service, pod);
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName);
  const endpoint: Endpoint = {
    addresses: [address],
    conditions: { ...stateOf(service, pod) },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
  const hints = ownHints(hintMode(service), endpoint);
  return hints === undefined ? endpoint : { ...endpoint, hints };
}

const identity = (endpoint: Endpoint): string =>
  `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses[0] ?? ''}`;

/** Puts hints into all groups, family by family, and says what there is to say of them. */
function spread({ service, slices, zoneShares }: Observed, groups: Map<string, Group>): EventDraft[] {
  const events: EventDraft[] = [];
  for (const addressType of new Set([...groups.values()].map((group) => group.addressType))) {
    const before = new Map<string, string>();
    for (const slice of slices)
      for (const endpoint of slice.addressType === addressType ? (slice.endpoints ?? []) : []) {
        const zone = endpoint.hints?.forZones?.[0]?.name;
        if (zone !== undefined) before.set(identity(endpoint), zone);
      }
    const own = [...groups].filter(([, group]) => group.addressType === addressType);
    const endpoints = own.flatMap(([, { members }]) => members.map(({ endpoint }) => endpoint));
    const outcome = spreadOverZones(endpoints, (endpoint) => before.get(identity(endpoint)), zoneShares);
    const say = (type: 'Normal' | 'Warning', reason: string, what: string): void =>
      void events.push({
        about: referenceTo(servicesRef, service),
        type,
        reason,
        message: `${what}, addressType: ${addressType}`,
      });
    if (outcome.kind === 'impossible') {
      say('Warning', 'TopologyAwareHintsDisabled', outcome.why);
      continue;
    }
    if (before.size === 0)
      say('Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled');
    const zones = new Map(endpoints.map((endpoint, index) => [endpoint, outcome.zones[index]]));
    for (const [id, group] of own)
      groups.set(id, {
        ...group,
        members: group.members.map(({ pod, endpoint }) => {
          const zone = zones.get(endpoint);
          return {
            pod,
            endpoint: zone === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name: zone }] } },
          };
        }),
      });
  }
  return events;
}

interface Filled {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  /** Those that are new in it or have changed. */
  readonly changed: Pod[];
}

function groupWrites(
  service: Service,
  group: Group,
  slices: readonly EndpointSlice[],
  isFirst: boolean,
): readonly Write[] {
  const wanted = new Map(group.members.map((member) => [identity(member.endpoint), member]));
  const kept = slices.map((slice): Filled => {
    const endpoints: Endpoint[] = [];
    const changed: Pod[] = [];
    for (const present of slice.endpoints ?? []) {
      const member = wanted.get(identity(present));
      if (member === undefined || endpoints.length === endpointsMax) continue;
      wanted.delete(identity(present));
      endpoints.push(member.endpoint);
      if (!sameJson(present, member.endpoint)) changed.push(member.pod);
    }
    return { slice, endpoints, changed };
  });
  const homeless = [...wanted.values()];
  // The fullest first, so that slices with few endpoints empty out over time.
  const byFill = [...kept].sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const { endpoints, changed } of byFill)
    for (const { endpoint, pod } of homeless.splice(0, endpointsMax - endpoints.length)) {
      endpoints.push(endpoint);
      changed.push(pod);
    }
  const writes: Write[] = [];
  const filled = kept.filter(({ endpoints }) => endpoints.length > 0);
  const placeholder = filled.length === 0 && homeless.length === 0 ? kept[0] : undefined;
  for (const one of kept) {
    if (one.endpoints.length === 0 && one !== placeholder)
      writes.push(deletion(endpointSlicesRef, one.slice));
    else writes.push(...updateOf(service, one));
  }
  const isBare = kept.length === 0 && homeless.length === 0;
  const since = isFirst ? service.metadata.creationTimestamp : undefined;
  while (homeless.length > 0)
    writes.push(creationOf(service, group, homeless.splice(0, endpointsMax), since));
  if (isBare) writes.push(creationOf(service, group, [], since));
  return writes;
}

function updateOf(service: Service, { slice, endpoints, changed }: Filled): readonly Write[] {
  const labels = { ...labelsOf(service) };
  const isKept = sameJson(slice.endpoints ?? [], endpoints) && sameJson(slice.metadata.labels ?? {}, labels);
  if (isKept) return [];
  const metadata = withTriggerTime({ ...slice.metadata, labels }, triggerTime(changed));
  const object: EndpointSlice = { ...slice, metadata, endpoints };
  return [{ kind: 'update', ref: endpointSlicesRef, object }];
}

function creationOf(
  service: Service,
  group: Group,
  members: readonly Member[],
  since: string | undefined,
): Write {
  const { name = '', namespace } = service.metadata;
  const metadata = {
    generateName: `${name}-`,
    ...(namespace === undefined ? {} : { namespace }),
    labels: labelsOf(service),
    ownerReferences: [controllerReference(servicesRef, service)],
  };
  const time = triggerTime(
    members.map(({ pod }) => pod),
    since,
  );
  const object: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: withTriggerTime(metadata, time),
    addressType: group.addressType,
    endpoints: members.map(({ endpoint }) => endpoint),
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
