/**
 * Nodes by what they cost: cheap ones first, those that are paid for anyway before all, and those that are in use before empty ones, which can be given back.
 * Pure.
 *
 * What a node costs is what its label says, else the first price of the profile that fits it. A node without a price is held to be as dear as the dearest.
 */
import type { NodePrice } from '../../api/index.ts';
import { quantityMilli } from '../../api/index.ts';
import type { Snapshot } from '../snapshot.ts';
import type { OwnScore, Question } from './strategy.ts';

export const priceLabel = 'scheduling.caelum.dev/hourly-price';
export const capacityTypeLabel = 'scheduling.caelum.dev/capacity-type';

export type CapacityType = 'OnDemand' | 'Reserved' | 'Spot';

/** As the clouds and their autoscalers label nodes. */
const typeLabels: readonly (readonly [string, Readonly<Record<string, CapacityType>>])[] = [
  [capacityTypeLabel, { ondemand: 'OnDemand', 'on-demand': 'OnDemand', reserved: 'Reserved', spot: 'Spot' }],
  ['karpenter.sh/capacity-type', { 'on-demand': 'OnDemand', reserved: 'Reserved', spot: 'Spot' }],
  ['eks.amazonaws.com/capacityType', { on_demand: 'OnDemand', capacity_block: 'Reserved', spot: 'Spot' }],
  ['cloud.google.com/gke-provisioning', { standard: 'OnDemand', spot: 'Spot', preemptible: 'Spot' }],
  ['cloud.google.com/gke-spot', { true: 'Spot' }],
  ['kubernetes.azure.com/scalesetpriority', { regular: 'OnDemand', spot: 'Spot' }],
];

export function capacityTypeOf(labels: Readonly<Record<string, string>>): CapacityType {
  for (const [label, types] of typeLabels) {
    const type = types[labels[label]?.toLowerCase() ?? ''];
    if (type !== undefined) return type;
  }
  return 'OnDemand';
}

/** Of an hour of a node with these labels. What is reserved is paid for, unless a price is said. */
export function hourlyPrice(
  labels: Readonly<Record<string, string>>,
  prices: readonly NodePrice[],
): number | undefined {
  const own = Number(labels[priceLabel] ?? Number.NaN);
  if (Number.isFinite(own) && own >= 0) return own;
  const type = capacityTypeOf(labels);
  const price = prices.find(
    ({ capacityType = type, instanceType, zone, nodeLabels = {} }) =>
      capacityType === type &&
      (instanceType === undefined || labels['node.kubernetes.io/instance-type'] === instanceType) &&
      (zone === undefined || labels['topology.kubernetes.io/zone'] === zone) &&
      Object.entries(nodeLabels).every(([key, value]) => labels[key] === value),
  );
  if (price !== undefined) return (quantityMilli(price.hourly) ?? 0) / 1000;
  return type === 'Reserved' ? 0 : undefined;
}

/** Where nothing is known, the usual order of the types. */
const usual: Readonly<Record<CapacityType, number>> = { Reserved: 0, Spot: 0.3, OnDemand: 1 };
/** Memory is about so much cheaper than a core. */
const gibibytesPerCore = 8;

/** Of a core and the memory beside it. */
function unitPrice(snapshot: Snapshot, row: number, prices: readonly NodePrice[]): number | undefined {
  const hourly = hourlyPrice(snapshot.facts(row)?.labels ?? {}, prices);
  const cores = (snapshot.cpuWhole[row] ?? 0) / 1000;
  const gibibytes = (snapshot.memoryWhole[row] ?? 0) / 2 ** 30;
  const size = cores + gibibytes / gibibytesPerCore;
  return hourly === undefined ? undefined : size > 0 ? hourly / size : hourly;
}

function isUsed(snapshot: Snapshot, row: number): boolean {
  for (const _ of snapshot.podsOn(row)) return true;
  return false;
}

export function byCost({ snapshot }: Question, prices: readonly NodePrice[]): OwnScore {
  const dearest = (): number => {
    let most = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < snapshot.rows; row++)
      if (snapshot.facts(row) !== undefined) most = Math.max(most, unitPrice(snapshot, row, prices) ?? most);
    return most;
  };
  let unknown: number | undefined;
  const costs = new Map<number, number>();
  const costOf = (row: number): number => {
    let cost = costs.get(row);
    if (cost === undefined) {
      cost = workOut(row);
      costs.set(row, cost);
    }
    return cost;
  };
  const workOut = (row: number): number => {
    const price = unitPrice(snapshot, row, prices);
    if (price !== undefined) return price;
    unknown ??= dearest();
    const type = capacityTypeOf(snapshot.facts(row)?.labels ?? {});
    return Number.isFinite(unknown) ? unknown : usual[type];
  };
  return {
    steadyKey: '',
    // From the cheapest, 100, to the dearest, 0.
    relative: [{ name: 'Price', weight: 1, how: 'range', raw: (row) => -costOf(row) }],
    // An empty node that costs something would have to be kept for the pod.
    value: (row) => (isUsed(snapshot, row) || costOf(row) === 0 ? 20 : 0),
  };
}
