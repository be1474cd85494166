/**
 * How good a node is for a pod, among those that are possible: 0 to 100 for each aspect, weighted. Pure.
 * Source: kube-scheduler's NodeResourcesFit (LeastAllocated), BalancedAllocation, TaintToleration, NodeAffinity, and spreading of an owner's pods.
 */
import { type PreferredSchedulingTerm, termHolds, tolerates } from '../api/index.ts';
import { type Demand, unaskedCpuMilli, unaskedMemoryBytes } from './demand.ts';
import type { Aspect, Policy, Relative, Scorer, Scoring } from './scorer.ts';
import type { Snapshot } from './snapshot.ts';

export type { Policy } from './scorer.ts';

export interface Weights {
  readonly leastAllocated: number;
  readonly balanced: number;
  readonly ownerSpread: number;
  readonly preferredAffinity: number;
  readonly preferNoSchedule: number;
}

export const defaultWeights: Weights = {
  leastAllocated: 1,
  balanced: 1,
  ownerSpread: 3,
  preferredAffinity: 2,
  preferNoSchedule: 3,
};

/** Depends on the node alone and what is on it: placing a pod changes only that node's score. */
export function nodeScore(
  demand: Demand,
  snapshot: Snapshot,
  row: number,
  weights: Weights,
  fixed: number,
): number {
  const cpuWhole = snapshot.cpuWhole[row] ?? 0;
  const memoryWhole = snapshot.memoryWhole[row] ?? 0;
  const cpu = demand.cpuMilli > 0 ? demand.cpuMilli : unaskedCpuMilli;
  const memory = demand.memoryBytes > 0 ? demand.memoryBytes : unaskedMemoryBytes;
  const cpuLeft = cpuWhole > 0 ? Math.max(0, ((snapshot.cpuFree[row] ?? 0) - cpu) / cpuWhole) : 0;
  const memoryLeft =
    memoryWhole > 0 ? Math.max(0, ((snapshot.memoryFree[row] ?? 0) - memory) / memoryWhole) : 0;
  const least = 50 * (cpuLeft + memoryLeft);
  const balanced = 100 * (1 - Math.abs(cpuLeft - memoryLeft));
  const owned = demand.owner === '' ? 0 : snapshot.ownedOn(row, demand.owner);
  return (
    weights.leastAllocated * least +
    weights.balanced * balanced +
    weights.ownerSpread * (100 / (1 + owned)) +
    fixed
  );
}

/** The part that the node's labels and taints decide. */
export function fixedScore(demand: Demand, snapshot: Snapshot, row: number, weights: Weights): number {
  const facts = snapshot.facts(row);
  if (facts === undefined) return 0;
  const preferred: readonly PreferredSchedulingTerm[] =
    demand.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (preferred.length === 0 && facts.taints.length === 0) return weights.preferNoSchedule * 100;
  let weight = 0;
  let most = 0;
  for (const one of preferred) {
    most += one.weight;
    if (termHolds(one.preference, facts)) weight += one.weight;
  }
  const unwanted = facts.taints.filter(
    (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(demand.tolerations, taint),
  ).length;
  return (
    weights.preferredAffinity * (most > 0 ? (100 * weight) / most : 0) +
    weights.preferNoSchedule * (100 / (1 + unwanted))
  );
}

const nothingRelative: readonly Relative[] = [];

class WeightedScoring implements Scoring {
  readonly relative = nothingRelative;
  readonly #demand: Demand;
  readonly #snapshot: Snapshot;
  readonly #weights: Weights;

  constructor(demand: Demand, snapshot: Snapshot, weights: Weights) {
    this.#demand = demand;
    this.#snapshot = snapshot;
    this.#weights = weights;
  }

  fixed(row: number): number {
    return fixedScore(this.#demand, this.#snapshot, row, this.#weights);
  }

  score(row: number, fixed: number): number {
    return nodeScore(this.#demand, this.#snapshot, row, this.#weights, fixed);
  }

  aspects(_row: number): readonly Aspect[] {
    return [];
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

  begin(demand: Demand, snapshot: Snapshot): Scoring {
    return new WeightedScoring(demand, snapshot, this.#weights);
  }
}

const defaultScorer: Scorer = new WeightedScorer('Default', defaultWeights);

/** All pods alike, as kube-scheduler without a configuration. */
export const defaultPolicy: Policy = { scorerOf: () => defaultScorer };
