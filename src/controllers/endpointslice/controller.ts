/** The EndpointSlice controller. Decisions are in `plan.ts`. */
import type { EndpointSlice, Node, Pod, Service } from '../../api/index.ts';
import { type Change, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { hasSelector, ServicePods, serviceNameLabel } from '../endpoints/backends.ts';
import { endpointSlicesRef, nodesRef, podsRef, servicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { hintMode } from './hints.ts';
import { manager, type Observed, plan } from './plan.ts';
import { managedByLabel } from './slice-id.ts';
import { type ZoneShares, zoneLabel, zoneShares } from './zone-shares.ts';

export function endpointSliceController(informers: Informers): Controller<Observed> {
  const backends = new ServicePods(informers);
  const nodes = informers.informer<Node>(nodesRef);
  const podsOn = informers
    .informer<Pod>(podsRef)
    .index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const serviceKeyOf = (slice: EndpointSlice): readonly string[] => {
    const { labels = {}, namespace } = slice.metadata;
    return labels[managedByLabel] === manager ? [`${namespace}/${labels[serviceNameLabel]}`] : [];
  };
  const slicesOf = informers.informer<EndpointSlice>(endpointSlicesRef).index('service', serviceKeyOf);
  const zoneOf = (nodeName: string): string | undefined => nodes.get(nodeName)?.metadata.labels?.[zoneLabel];
  /** Services that have pods on nodes that were not there when they were looked at. */
  const waiting = new Map<string, Set<string>>();
  /** Counted when it is asked for: nearly nobody does. undefined: not counted. */
  let shares: { readonly of: ZoneShares } | undefined;

  const hasNode = (nodeName: string, serviceKey: string): boolean => {
    if (nodes.get(nodeName) !== undefined) return true;
    const others = waiting.get(nodeName);
    if (others === undefined) waiting.set(nodeName, new Set([serviceKey]));
    else others.add(serviceKey);
    return false;
  };
  const spreading = (): Service[] =>
    shares === undefined ? [] : [...backends.services.list()].filter((one) => hintMode(one) === 'auto');
  const onNode = (change: Change<Node>): Iterable<string> => {
    const { kind, key, object } = change;
    const keys = new Set<string>();
    const zone = object.metadata.labels?.[zoneLabel];
    if (kind === 'deleted' || (kind === 'updated' && change.previous.metadata.labels?.[zoneLabel] !== zone))
      for (const pod of podsOn(key))
        for (const one of backends.servicesOf({ kind: 'added', key: keyOf(pod), object: pod })) keys.add(one);
    for (const one of (kind === 'added' ? waiting.get(key) : undefined) ?? []) keys.add(one);
    if (kind === 'added') waiting.delete(key);
    if (kind === 'updated' && sameJson(capacityOf(object), capacityOf(change.previous))) return keys;
    const services = spreading();
    if (services.length === 0) {
      shares = undefined;
      return keys;
    }
    const next = zoneShares(nodes.list());
    if (sameJson([...(next ?? [])], [...(shares?.of ?? [])])) return keys;
    shares = { of: next };
    for (const service of services) keys.add(keyOf(service));
    return keys;
  };
  return {
    name: 'endpointslice-controller',
    workers: 8,
    watches: [
      watch<Service>(informers, servicesRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => backends.servicesOf(change)),
      watch<EndpointSlice>(informers, endpointSlicesRef, (change) => serviceKeyOf(change.object)),
      watch<Node>(informers, nodesRef, onNode),
    ],
    observe(key) {
      const service = backends.services.get(key);
      if (service === undefined) return undefined;
      const isSpread = hasSelector(service) && hintMode(service) === 'auto';
      if (isSpread) shares ??= { of: zoneShares(nodes.list()) };
      return {
        service,
        pods: backends.podsOf(service),
        slices: slicesOf(key),
        zoneOf,
        hasNode: (nodeName) => hasNode(nodeName, key),
        zoneShares: isSpread ? shares?.of : undefined,
      };
    },
    plan,
  };
}

/** What of a node counts for how endpoints are spread. */
const capacityOf = ({ metadata, status }: Node): unknown => [
  metadata.labels,
  status?.allocatable?.['cpu'],
  status?.conditions?.find(({ type }) => type === 'Ready')?.status,
];
