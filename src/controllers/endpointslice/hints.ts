/**
 * Who shall use an endpoint: nodes and zones. Pure.
 *
 *   trafficDistribution                     each ready endpoint is for its own zone (PreferSameNode: and its own node)
 *   annotation topology-mode: Auto          as many endpoints for a zone as it has of the CPU, most of them its own; or no hints at all, and an Event says why
 *
 * The annotation goes before the field. Invariant of Auto: all ready endpoints of a family have a hint, or none has; one that fits is kept, so that a change of
 * one pod writes few slices. Source: KEP-2433, KEP-3015; texts as Kubernetes' endpointslice controller has them.
 */
import type { Endpoint, EndpointHints, Service } from '../../api/index.ts';
import type { ZoneShares } from './zone-shares.ts';

export type HintMode = 'none' | 'zone' | 'node' | 'auto';

export function hintMode({ metadata, spec }: Service): HintMode {
  const { annotations = {} } = metadata;
  const mode =
    annotations['service.kubernetes.io/topology-mode'] ??
    annotations['service.kubernetes.io/topology-aware-hints'];
  if (mode === 'Auto' || mode === 'auto') return 'auto';
  switch (spec?.trafficDistribution) {
    case 'PreferSameNode':
      return 'node';
    case 'PreferClose':
    case 'PreferSameZone':
      return 'zone';
    default:
      return 'none';
  }
}

/** Of one endpoint by itself. */
export function ownHints(
  mode: HintMode,
  { conditions, nodeName, zone }: Endpoint,
): EndpointHints | undefined {
  if ((mode !== 'zone' && mode !== 'node') || conditions?.ready !== true) return undefined;
  const forZones = zone ? [{ name: zone }] : undefined;
  const forNodes = mode === 'node' && nodeName ? [{ name: nodeName }] : undefined;
  if (forZones === undefined && forNodes === undefined) return undefined;
  return { ...(forZones && { forZones }), ...(forNodes && { forNodes }) };
}

interface Share {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/** How much more than its part an endpoint may be asked for. */
const overload = 0.2;

export type Spread =
  | { readonly kind: 'spread'; readonly zones: readonly (string | undefined)[] }
  | { readonly kind: 'impossible'; readonly why: string };

/** For which zone each endpoint shall be, in their order. `before`: for which it was. */
export function spreadOverZones(
  endpoints: readonly Endpoint[],
  before: (endpoint: Endpoint) => string | undefined,
  zoneShares: ZoneShares,
): Spread {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
  const shares = sharesOf(ready.length, zoneShares);
  if (typeof shares === 'string') return { kind: 'impossible', why: shares };
  if (ready.some(({ zone }) => !zone))
    return { kind: 'impossible', why: 'One or more endpoints do not have a zone specified' };
  const zoneOf = new Map(ready.map((endpoint) => [endpoint, before(endpoint) ?? endpoint.zone ?? '']));
  balance(zoneOf, shares);
  return { kind: 'spread', zones: endpoints.map((endpoint) => zoneOf.get(endpoint)) };
}

/** Or why there are none. */
function sharesOf(count: number, zoneShares: ZoneShares): ReadonlyMap<string, Share> | string {
  if (zoneShares === undefined)
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  const numbers = `(${count} endpoints, ${zoneShares.size} zones)`;
  if (zoneShares.size > count) return `Insufficient number of endpoints ${numbers}`;
  let spare = count;
  const minima = new Map<string, { readonly minimum: number; readonly desired: number }>();
  for (const [zone, share] of zoneShares) {
    const minimum = Math.ceil((share * count) / (1 + overload));
    minima.set(zone, { minimum, desired: Math.max(share * count, minimum) });
    spare -= minimum;
    if (spare < 0)
      return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${numbers}`;
  }
  return new Map([...minima].map(([zone, share]) => [zone, { ...share, maximum: share.minimum + spare }]));
}

/** Moves endpoints from zones with too many to zones with too few, until all have between minimum and maximum. */
function balance(zoneOf: Map<Endpoint, string>, shares: ReadonlyMap<string, Share>): void {
  const members = new Map<string, Endpoint[]>([...shares.keys()].map((zone) => [zone, []]));
  for (const [endpoint, zone] of zoneOf) {
    const others = members.get(zone);
    if (others === undefined) members.set(zone, [endpoint]);
    else others.push(endpoint);
  }
  const nobody: Share = { minimum: 0, maximum: 0, desired: 0 };
  for (;;) {
    const zones = [...members].map(([zone, { length }]) => {
      const share = shares.get(zone) ?? nobody;
      return { zone, share, surplus: length - share.desired, length };
    });
    if (zones.every(({ share, length }) => length >= share.minimum && length <= share.maximum)) return;
    zones.sort((a, b) => b.surplus - a.surplus || (a.zone < b.zone ? -1 : 1));
    const giving = zones.find(({ length, share }) => length > share.minimum);
    const receiving = zones.findLast(({ length, share }) => length < share.maximum);
    if (giving === undefined || receiving === undefined || giving === receiving) return;
    const given = members.get(giving.zone) ?? [];
    // Rather one that was not its own anyway.
    const at = given.findIndex(({ zone }) => zone === receiving.zone);
    const [endpoint] = given.splice(at < 0 ? given.length - 1 : at, 1);
    if (endpoint === undefined) return;
    members.get(receiving.zone)?.push(endpoint);
    zoneOf.set(endpoint, receiving.zone);
  }
}
