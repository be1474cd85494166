/**
 * A Service's pods as one Endpoints object, for clients that do not read EndpointSlices yet. Pure.
 *
 * Invariant: at most 1000 addresses, ready ones first; more are cut off and an annotation says so.
 */
import type { EndpointAddress, EndpointSubset, Endpoints, Pod, Service } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { triggerTime, withTriggerTime } from '../endpointslice/trigger-time.ts';
import { isTerminating } from '../pod-state.ts';
import { endpointsRef } from '../resources.ts';
import { deletion, type Step } from '../step.ts';
import {
  canServe,
  hasSelector,
  headlessLabel,
  hostnameOf,
  isHeadless,
  portsOf,
  type ResolvedPort,
  stateOf,
} from './backends.ts';

export interface Observed {
  /** Undefined: it is gone. */
  readonly service: Service | undefined;
  readonly pods: readonly Pod[];
  readonly endpoints: Endpoints | undefined;
}

export const managedByLabel = 'endpoints.kubernetes.io/managed-by';
export const manager = 'endpoint-controller';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const addressesMax = 1000;

export function plan({ service, pods, endpoints }: Observed): readonly Step[] {
  if (service === undefined) {
    const isOurs = endpoints?.metadata.labels?.[managedByLabel] === manager;
    return endpoints !== undefined && isOurs ? [deletion(endpointsRef, endpoints)] : [];
  }
  if (service.metadata.deletionTimestamp !== undefined || !hasSelector(service)) return [];
  const { subsets, isCut } = subsetsOf(service, pods);
  const labels = {
    ...service.metadata.labels,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    [managedByLabel]: manager,
  };
  const { [overCapacityAnnotation]: _, ...others } = endpoints?.metadata.annotations ?? {};
  const changedAt = (): string | undefined =>
    triggerTime(
      changedPods(endpoints?.subsets ?? [], subsets, pods),
      endpoints === undefined ? service.metadata.creationTimestamp : undefined,
    );
  const annotations = isCut ? { ...others, [overCapacityAnnotation]: 'truncated' } : others;
  if (endpoints === undefined) {
    const { name, namespace } = service.metadata;
    const place = { ...(name && { name }), ...(namespace && { namespace }) };
    const metadata = withTriggerTime({ ...place, labels, ...(isCut ? { annotations } : {}) }, changedAt());
    const object = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length > 0 && { subsets }) };
    return [{ kind: 'create', ref: endpointsRef, object, accept: ['notFound'] }];
  }
  const { metadata } = endpoints;
  const isKept =
    sameJson(endpoints.subsets ?? [], subsets) &&
    sameJson(metadata.labels ?? {}, labels) &&
    sameJson(metadata.annotations ?? {}, annotations);
  if (isKept) return [];
  const next = withTriggerTime({ ...metadata, labels, annotations }, changedAt());
  const object: Endpoints = { ...endpoints, metadata: next, subsets };
  return [{ kind: 'update', ref: endpointsRef, object }];
}

/** Those of which the subsets say something new. */
function changedPods(
  before: readonly EndpointSubset[],
  after: readonly EndpointSubset[],
  pods: readonly Pod[],
): readonly Pod[] {
  const lines = (subsets: readonly EndpointSubset[]): readonly (readonly [string, EndpointAddress])[] =>
    subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports }) =>
      [addresses, notReadyAddresses].flatMap((all, at) =>
        all.map((address) => [`${address.ip} ${at} ${JSON.stringify(ports)}`, address] as const),
      ),
    );
  const told = new Set(lines(before).map(([line]) => line));
  const changed = new Set(
    lines(after).flatMap(([line, address]) => (told.has(line) ? [] : [address.targetRef?.uid])),
  );
  return pods.filter(({ metadata }) => changed.has(metadata.uid));
}

interface Subset {
  readonly ports: readonly ResolvedPort[];
  readonly addresses: EndpointAddress[];
  readonly notReadyAddresses: EndpointAddress[];
}

function subsetsOf(
  service: Service,
  pods: readonly Pod[],
): { readonly subsets: readonly EndpointSubset[]; readonly isCut: boolean } {
  const wantsNotReady = service.spec?.publishNotReadyAddresses === true;
  const family = service.spec?.ipFamilies?.[0] ?? 'IPv4';
  const serving = pods.filter((pod) => canServe(pod) && (!isTerminating(pod) || wantsNotReady));
  const ready = serving.filter((pod) => stateOf(service, pod).ready);
  const others = serving.filter((pod) => !stateOf(service, pod).ready);
  const byPorts = new Map<string, Subset>();
  const isCut = serving.length > addressesMax;
  for (const [index, pod] of [...ready, ...others].entries()) {
    if (index === addressesMax) break;
    const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
    const ip = ips.find((candidate) => candidate.includes(':') === (family === 'IPv6'));
    if (ip === undefined) continue;
    const ports = portsOf(service, pod);
    const id = JSON.stringify(ports);
    const subset = byPorts.get(id) ?? { ports, addresses: [], notReadyAddresses: [] };
    byPorts.set(id, subset);
    (index < ready.length ? subset.addresses : subset.notReadyAddresses).push(addressOf(service, pod, ip));
  }
  const subsets = [...byPorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, addresses, notReadyAddresses }]) => ({
      ...(addresses.length > 0 && { addresses: addresses.sort(byIp) }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses: notReadyAddresses.sort(byIp) }),
      ...(ports.length > 0 && { ports: ports.map(withoutEmptyName) }),
    }));
  return { subsets, isCut };
}

const byIp = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : 1);

function withoutEmptyName({ name, ...port }: ResolvedPort): Omit<ResolvedPort, 'name'> & { name?: string } {
  return name === '' ? port : { name, ...port };
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { name, namespace, uid } = pod.metadata;
  const hostname = hostnameOf(service, pod);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) },
  };
}
