/**
 * How welcome a pod is at a place, by the pods around: spreading that is only wished for, affinity and anti-affinity that are preferred, its own and those of
 * the pods that are there. Pure.
 *
 * Invariant: after each `placed` the counts are those of the snapshot.
 * Source: the scores of kube-scheduler's PodTopologySpread and InterPodAffinity, which both are normalised over the nodes that are possible.
 */
import { type LabelSelector, labelPredicate, type Pod, type TopologySpreadConstraint } from '../api/index.ts';
import { type Demand, termSelects } from './demand.ts';
import { isSpreadOver } from './filters.ts';
import { type Attraction, attract, preferredTerms, type WeightedTerm, wishedTerms } from './seekers.ts';
import type { Snapshot } from './snapshot.ts';
import { normalised } from './standing.ts';

export const hostnameKey = 'kubernetes.io/hostname';

/** What the two are worth together with the other aspects. */
export interface AroundWeights {
  readonly spread: number;
  readonly pods: number;
}

/** Of one possible row, 0 to 100 each. */
export interface WelcomeScore {
  readonly spread: number;
  readonly pods: number;
}

interface SoftSpread {
  readonly constraint: TopologySpreadConstraint;
  /** By the value of its key; by row where the key is that of hosts. */
  readonly counts: Map<number | string, number>;
  readonly countsOwn: boolean;
}

const noScore: WelcomeScore = { spread: 0, pods: 0 };

export class Welcome {
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;
  readonly #spreads: readonly SoftSpread[];
  readonly #ownTerms: readonly WeightedTerm[];
  readonly #attraction: Attraction;

  /** `attraction`: what those that are there say about the pod. */
  constructor(snapshot: Snapshot, demand: Demand, attraction: Attraction | undefined) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    const soft = demand.spread.filter((one) => one.whenUnsatisfiable === 'ScheduleAnyway');
    this.#spreads = soft.map((one) => this.#countSpread(one, soft));
    this.#attraction = attraction ?? new Map();
    this.#ownTerms = demand.affinity === undefined ? [] : preferredTerms(demand.affinity);
    for (const own of this.#ownTerms) this.#countTerm(own);
  }

  get isIndifferent(): boolean {
    return this.#spreads.length === 0 && this.#attraction.size === 0 && this.#ownTerms.length === 0;
  }

  /** A pod of the same demand was placed there. */
  placed(row: number): void {
    const facts = this.#snapshot.facts(row);
    if (facts === undefined) return;
    for (const { constraint, counts, countsOwn } of this.#spreads) {
      const value = this.#valueAt(row, constraint.topologyKey);
      const count = value === undefined ? undefined : counts.get(value);
      if (countsOwn && value !== undefined && count !== undefined) counts.set(value, count + 1);
    }
    const { affinity, namespace, labels } = this.#demand;
    if (affinity === undefined) return;
    // What the one wishes of the next, and what it wishes of itself when it comes.
    for (const { term, weight } of [...this.#ownTerms, ...wishedTerms(affinity)])
      if (termSelects(term, namespace, namespace, labels, this.#snapshot.namespaceLabels))
        attract(this.#attraction, term.topologyKey, facts.labels[term.topologyKey], weight);
  }

  /** Of each possible row. */
  scores(possible: readonly number[]): (row: number) => WelcomeScore {
    if (this.isIndifferent || possible.length === 0) return () => noScore;
    const spread = this.#spreadScores(possible);
    const pods = new Map(possible.map((row) => [row, this.#attractionOf(row)]));
    const [low, high] = extremes(pods.values());
    return (row) => ({
      spread: spread.get(row) ?? 0,
      pods: normalised('range', pods.get(row) ?? 0, low, high),
    });
  }

  /** Rows that lack a key of a constraint have none. */
  #spreadScores(possible: readonly number[]): ReadonlyMap<number, number> {
    const scores = new Map<number, number>();
    if (this.#spreads.length === 0) return scores;
    const rows = possible.filter((row) => this.#hasKeys(row, this.#spreads));
    for (const { constraint, counts } of this.#spreads) {
      const { topologyKey, maxSkew } = constraint;
      const values = new Set(rows.map((row) => this.#valueAt(row, topologyKey)));
      // The more domains there are, the more one pod more of one of them counts.
      const weight = Math.log(values.size + 2);
      for (const row of rows) {
        const count = counts.get(this.#valueAt(row, topologyKey) ?? '') ?? 0;
        scores.set(row, (scores.get(row) ?? 0) + count * weight + (maxSkew - 1));
      }
    }
    const [low, high] = extremes(scores.values());
    for (const [row, score] of scores) scores.set(row, high <= 0 ? 100 : (100 * (high + low - score)) / high);
    return scores;
  }

  #attractionOf(row: number): number {
    const labels = this.#snapshot.facts(row)?.labels ?? {};
    let sum = 0;
    for (const [key, values] of this.#attraction) {
      const value = labels[key];
      if (value !== undefined) sum += values.get(value) ?? 0;
    }
    return sum;
  }

  /** Hosts are told apart though two of them had the same name. */
  #valueAt(row: number, key: string): number | string | undefined {
    const value = this.#snapshot.facts(row)?.labels[key];
    return value === undefined || key !== hostnameKey ? value : row;
  }

  #hasKeys(row: number, spreads: readonly { readonly constraint: TopologySpreadConstraint }[]): boolean {
    const labels = this.#snapshot.facts(row)?.labels ?? {};
    return spreads.every(({ constraint }) => labels[constraint.topologyKey] !== undefined);
  }

  #countSpread(constraint: TopologySpreadConstraint, soft: readonly TopologySpreadConstraint[]): SoftSpread {
    const { namespace, labels } = this.#demand;
    const selects = labelPredicate(constraint.labelSelector as LabelSelector | undefined);
    const counts = new Map<number | string, number>();
    const matches = ({ metadata }: Pod): boolean =>
      metadata.namespace === namespace &&
      metadata.deletionTimestamp === undefined &&
      selects(metadata.labels);
    const alike = soft.map((one) => ({ constraint: one }));
    for (let row = 0; row < this.#snapshot.rows; row++) {
      const facts = this.#snapshot.facts(row);
      if (facts === undefined || !this.#hasKeys(row, alike) || !isSpreadOver(constraint, this.#demand, facts))
        continue;
      const value = this.#valueAt(row, constraint.topologyKey) ?? '';
      let count = counts.get(value) ?? 0;
      for (const pod of this.#snapshot.podsOn(row)) if (matches(pod)) count++;
      counts.set(value, count);
    }
    return { constraint, counts, countsOwn: selects(labels) };
  }

  #countTerm({ term, weight }: WeightedTerm): void {
    const { namespace: own } = this.#demand;
    const { namespaceLabels } = this.#snapshot;
    for (let row = 0; row < this.#snapshot.rows; row++) {
      const value = this.#snapshot.facts(row)?.labels[term.topologyKey];
      if (value === undefined) continue;
      for (const { metadata } of this.#snapshot.podsOn(row))
        if (termSelects(term, own, metadata.namespace ?? '', metadata.labels ?? {}, namespaceLabels))
          attract(this.#attraction, term.topologyKey, value, weight);
    }
  }
}

function extremes(values: Iterable<number>): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
