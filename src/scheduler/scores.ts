/**
 * How good a node is for a pod, as kube-scheduler says it: 0 to 100 for each aspect, times its weight. Pure.
 *
 * The formulas are those of kube-scheduler's plugins, but not cut down to whole numbers. One differs: pods of one owner are spread over hosts and zones by
 * how many of them are there (`OwnerZones`, `spreadWorth`), in place of PodTopologySpread's default constraints: each more on a host or in a zone counts as
 * much relative to those that are there, but a placement changes the score of one host and of one zone only, so that a thousand replicas are one question.
 */
import { type PreferredSchedulingTerm, termHolds, tolerates } from '../api/index.ts';
import type { Demand } from './demand.ts';
import type { Aspect, Policy, Relative, Scorer, Scoring, ZoneSpread } from './scorer.ts';
import type { Snapshot } from './snapshot.ts';
import { hostnameKey } from './welcome.ts';

export type { Policy } from './scorer.ts';

/** By the names of kube-scheduler's plugins; 0: not at all. */
export interface Weights {
  readonly NodeResourcesFit: number;
  readonly NodeResourcesBalancedAllocation: number;
  readonly TaintToleration: number;
  readonly NodeAffinity: number;
  readonly PodTopologySpread: number;
  readonly InterPodAffinity: number;
  readonly ImageLocality: number;
}

export const defaultWeights: Weights = {
  NodeResourcesFit: 1,
  NodeResourcesBalancedAllocation: 1,
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
  ImageLocality: 1,
};

const zoneKey = 'topology.kubernetes.io/zone';
/** More than that are no zones. */
const zonesMax = 16;

const worths = Float64Array.from({ length: 256 }, (_, count) => 100 - 100 * Math.log(1 + count));

/** Of a host or zone that holds so many pods of the owner: one more counts the less the more there are. Below zero from the second on. */
export function spreadWorth(count: number): number {
  return count < worths.length ? (worths[count] as number) : 100 - 100 * Math.log(1 + count);
}

/** What is left and what is taken of a node, with the pod on it. */
export function leastAllocated(demand: Demand, snapshot: Snapshot, row: number): number {
  const cpuWhole = snapshot.cpuWhole[row] as number;
  const memoryWhole = snapshot.memoryWhole[row] as number;
  const cpu =
    (snapshot.cpuFree[row] as number) -
    (snapshot.cpuUnasked[row] as number) -
    (demand.cpuMilli + demand.cpuUnaskedMilli);
  const memory =
    (snapshot.memoryFree[row] as number) -
    (snapshot.memoryUnasked[row] as number) -
    (demand.memoryBytes + demand.memoryUnaskedBytes);
  const cpuLeft = cpuWhole > 0 && cpu > 0 ? (100 * cpu) / cpuWhole : 0;
  const memoryLeft = memoryWhole > 0 && memory > 0 ? (100 * memory) / memoryWhole : 0;
  if (cpuWhole > 0 && memoryWhole > 0) return 0.5 * (cpuLeft + memoryLeft);
  return cpuLeft + memoryLeft;
}

/** Whether the pod makes what is taken of processor and memory more alike. */
export function balanced(demand: Demand, snapshot: Snapshot, row: number): number {
  const cpuWhole = snapshot.cpuWhole[row] as number;
  const memoryWhole = snapshot.memoryWhole[row] as number;
  if (cpuWhole <= 0 || memoryWhole <= 0) return 75;
  const cpuTaken = cpuWhole - (snapshot.cpuFree[row] as number);
  const memoryTaken = memoryWhole - (snapshot.memoryFree[row] as number);
  const before = Math.abs(share(cpuTaken, cpuWhole) - share(memoryTaken, memoryWhole));
  if (demand.cpuMilli === 0 && demand.memoryBytes === 0) return 75;
  const after = Math.abs(
    share(cpuTaken + demand.cpuMilli, cpuWhole) - share(memoryTaken + demand.memoryBytes, memoryWhole),
  );
  // Of two values the standard deviation is half of their difference.
  return 75 + 25 * (before - after);
}

const share = (taken: number, whole: number): number => (taken >= whole ? 1 : taken / whole);

/** `leastAllocated` and `balanced` together, each with its weight: on the path of every node of every question. */
function fitAndBalance(demand: Demand, snapshot: Snapshot, row: number, weights: Weights): number {
  const cpuWhole = snapshot.cpuWhole[row] as number;
  const memoryWhole = snapshot.memoryWhole[row] as number;
  if (cpuWhole <= 0 || memoryWhole <= 0)
    return (
      weights.NodeResourcesFit * leastAllocated(demand, snapshot, row) +
      weights.NodeResourcesBalancedAllocation * balanced(demand, snapshot, row)
    );
  const perCpu = 1 / cpuWhole;
  const perMemory = 1 / memoryWhole;
  const cpuTaken = 1 - (snapshot.cpuFree[row] as number) * perCpu;
  const memoryTaken = 1 - (snapshot.memoryFree[row] as number) * perMemory;
  const cpuThen = cpuTaken + demand.cpuMilli * perCpu;
  const memoryThen = memoryTaken + demand.memoryBytes * perMemory;
  const before = Math.min(cpuTaken, 1) - Math.min(memoryTaken, 1);
  const after = Math.min(cpuThen, 1) - Math.min(memoryThen, 1);
  const cpuLeft = 1 - cpuThen - ((snapshot.cpuUnasked[row] as number) + demand.cpuUnaskedMilli) * perCpu;
  const memoryLeft =
    1 - memoryThen - ((snapshot.memoryUnasked[row] as number) + demand.memoryUnaskedBytes) * perMemory;
  return (
    weights.NodeResourcesFit * 50 * (Math.max(cpuLeft, 0) + Math.max(memoryLeft, 0)) +
    weights.NodeResourcesBalancedAllocation * (75 + 25 * (Math.abs(before) - Math.abs(after)))
  );
}

/** Weight of the preferred node affinity that a node has. */
export function preferredWeight(
  preferred: readonly PreferredSchedulingTerm[],
  snapshot: Snapshot,
  row: number,
): number {
  const facts = snapshot.facts(row);
  let weight = 0;
  if (facts !== undefined)
    for (const one of preferred) if (termHolds(one.preference, facts)) weight += one.weight;
  return weight;
}

/** How many taints the pod would rather avoid. */
export function unwantedTaints(demand: Demand, snapshot: Snapshot, row: number): number {
  const { taints } = snapshot.facts(row) ?? { taints: [] };
  let count = 0;
  for (const taint of taints)
    if (taint.effect === 'PreferNoSchedule' && !tolerates(demand.tolerations, taint)) count++;
  return count;
}

/** What the node's labels and taints are worth among the possible nodes. */
export function relativeParts(demand: Demand, snapshot: Snapshot, weights: Weights): readonly Relative[] {
  const preferred = demand.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    {
      name: 'TaintToleration',
      weight: weights.TaintToleration,
      how: 'shareReversed',
      raw: (row) => unwantedTaints(demand, snapshot, row),
    },
    {
      name: 'NodeAffinity',
      weight: weights.NodeAffinity,
      how: 'share',
      raw: preferred.length === 0 ? undefined : (row) => preferredWeight(preferred, snapshot, row),
    },
  ];
}

/** The pods of one owner, by zone. */
export class OwnerZones implements ZoneSpread {
  readonly #snapshot: Snapshot;
  readonly #weight: number;
  readonly #counts: number[];

  constructor(snapshot: Snapshot, owner: string, weight: number) {
    this.#snapshot = snapshot;
    this.#weight = weight;
    this.#counts = new Array<number>(snapshot.zoneCount).fill(0);
    snapshot.eachOwnedBy(owner, (row) => this.placed(row));
  }

  get count(): number {
    return this.#counts.length;
  }

  of(row: number): number {
    return this.#snapshot.zoneOf[row] as number;
  }

  score(zone: number): number {
    return this.#weight * spreadWorth(this.#counts[zone] as number);
  }

  placed(row: number): void {
    const zone = this.of(row);
    this.#counts[zone] = (this.#counts[zone] as number) + 1;
  }
}

const hasConstraint = ({ spread }: Demand, key: string): boolean =>
  spread.some(({ topologyKey }) => topologyKey === key);

/** Spreading over zones, for replicas that say nothing about it themselves. Undefined: none. */
export function ownerZones(demand: Demand, snapshot: Snapshot, weight: number): ZoneSpread | undefined {
  const { zoneCount } = snapshot;
  if (demand.owner === '' || weight === 0 || zoneCount < 2 || zoneCount > zonesMax) return undefined;
  return hasConstraint(demand, zoneKey) ? undefined : new OwnerZones(snapshot, demand.owner, weight);
}

/** So over hosts. */
export function isHostSpread(demand: Demand): boolean {
  return demand.owner !== '' && !hasConstraint(demand, hostnameKey);
}

class WeightedScoring implements Scoring {
  readonly zones: ZoneSpread | undefined;
  readonly around: Scoring['around'];
  readonly #demand: Demand;
  readonly #snapshot: Snapshot;
  readonly #weights: Weights;
  readonly #isSpread: boolean;
  readonly #images: ReadonlyMap<number, number> | undefined;

  constructor(
    demand: Demand,
    snapshot: Snapshot,
    weights: Weights,
    images: ReadonlyMap<number, number> | undefined,
  ) {
    this.#demand = demand;
    this.#snapshot = snapshot;
    this.#weights = weights;
    this.#isSpread = isHostSpread(demand);
    this.#images = images;
    this.around = { spread: weights.PodTopologySpread, pods: weights.InterPodAffinity };
    this.zones = ownerZones(demand, snapshot, weights.PodTopologySpread);
  }

  get relative(): readonly Relative[] {
    return relativeParts(this.#demand, this.#snapshot, this.#weights);
  }

  /** Images are what else counts. */
  get steadyKey(): string | undefined {
    return this.#snapshot.images.keyOf(this.#images);
  }

  fixed(): number {
    return 0;
  }

  score(row: number, fixed: number): number {
    const demand = this.#demand;
    const snapshot = this.#snapshot;
    const weights = this.#weights;
    let score = fitAndBalance(demand, snapshot, row, weights) + fixed;
    if (this.#isSpread) score += weights.PodTopologySpread * spreadWorth(snapshot.ownedOn(row, demand.owner));
    if (this.#images !== undefined) score += weights.ImageLocality * (this.#images.get(row) ?? 0);
    return score;
  }

  aspects(row: number): readonly Aspect[] {
    const demand = this.#demand;
    const snapshot = this.#snapshot;
    const weights = this.#weights;
    const host = this.#isSpread ? spreadWorth(snapshot.ownedOn(row, demand.owner)) : undefined;
    const image = this.#images?.get(row) ?? 0;
    return [
      {
        name: 'NodeResourcesFit',
        weight: weights.NodeResourcesFit,
        value: leastAllocated(demand, snapshot, row),
      },
      {
        name: 'NodeResourcesBalancedAllocation',
        weight: weights.NodeResourcesBalancedAllocation,
        value: balanced(demand, snapshot, row),
      },
      ...(host === undefined
        ? []
        : [{ name: 'OwnerSpread (host)', weight: weights.PodTopologySpread, value: host }]),
      ...(image === 0 ? [] : [{ name: 'ImageLocality', weight: weights.ImageLocality, value: image }]),
    ];
  }
}

/** As kube-scheduler scores, by weights. */
export class WeightedScorer implements Scorer {
  readonly name: string;
  readonly #weights: Weights;

  constructor(name: string, weights: Weights) {
    this.name = name;
    this.#weights = weights;
  }

  begin(demand: Demand, snapshot: Snapshot, pod: Parameters<Scorer['begin']>[2]): Scoring {
    const images = snapshot.images.scores(pod, snapshot.nodeCount);
    return new WeightedScoring(demand, snapshot, this.#weights, images);
  }
}

const defaultScorer: Scorer = new WeightedScorer('LeastAllocated', defaultWeights);

/** All pods alike, as kube-scheduler without a configuration. */
export const defaultPolicy: Policy = { scorerOf: () => defaultScorer };
