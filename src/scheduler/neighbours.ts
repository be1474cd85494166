/**
 * What the pods around forbid: topology spreading, affinity and anti-affinity between pods. Pure. What they merely prefer is in welcome.ts.
 * Source: kube-scheduler's PodTopologySpread and InterPodAffinity.
 */
import {
  type Affinity,
  type LabelSelector,
  labelPredicate,
  type Pod,
  type PodAffinityTerm,
  type TopologySpreadConstraint,
} from '../api/index.ts';
import { type Demand, termSelects } from './demand.ts';
import { isSpreadOver, refusals } from './filters.ts';
import type { Snapshot } from './snapshot.ts';

export interface Neighbours {
  /** Why this row is refused; undefined: it is not. */
  refusal(row: number): string | undefined;

  /** A pod of the same demand was placed there: the counts follow. */
  placed(row: number): void;
  /** Any pod came to a row (1), or has left it (-1). */
  changed(pod: Pod, row: number, sign: 1 | -1): void;
}

/** Counts of matching pods by topology value. */
interface Domain {
  readonly key: string;
  readonly counts: Map<string, number>;
  /** Whether the pods that are being placed count themselves. */
  readonly countsOwn: boolean;
  /** Whether a pod counts, where it is on a row that counts. */
  matches(pod: Pod): boolean;
  /** Whether pods on this row count. */
  includes(row: number): boolean;
}

const everyRow = (): boolean => true;

interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly domain: Domain;
  least: number;
}

/** Where placed pods want this one kept out: values by topology key. */
export class Guard {
  readonly #values = new Map<string, Set<string>>();
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;

  constructor(snapshot: Snapshot, demand: Demand) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    for (const { pod, row } of snapshot.guarding)
      this.#add(pod.spec?.affinity, pod.metadata.namespace ?? '', row);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  refuses(row: number): boolean {
    const labels = this.#snapshot.facts(row)?.labels ?? {};
    for (const [key, values] of this.#values) {
      const value = labels[key];
      if (value !== undefined && values.has(value)) return true;
    }
    return false;
  }

  /** A pod of this demand was placed: it guards too. */
  placed(row: number): void {
    this.#add(this.#demand.affinity, this.#demand.namespace, row);
  }

  #add(affinity: Affinity | undefined, own: string, row: number): void {
    const { namespace, labels } = this.#demand;
    for (const term of affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const value = this.#snapshot.facts(row)?.labels[term.topologyKey];
      if (value === undefined || !termSelects(term, own, namespace, labels, this.#snapshot.namespaceLabels))
        continue;
      const values = this.#values.get(term.topologyKey);
      if (values === undefined) this.#values.set(term.topologyKey, new Set([value]));
      else values.add(value);
    }
  }
}

export function around(snapshot: Snapshot, demand: Demand): Neighbours {
  const { podAffinity, podAntiAffinity } = demand.affinity ?? {};
  const hard = demand.spread.filter((one) => one.whenUnsatisfiable !== 'ScheduleAnyway');
  const spreads = hard.map((one) => spreadOf(snapshot, demand, one, hard));

  const wanted = (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    domain: termDomain(snapshot, demand, term),
  }));
  const unwanted = (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    domain: termDomain(snapshot, demand, term),
  }));

  const valueAt = (row: number, key: string): string | undefined => snapshot.facts(row)?.labels[key];
  const countAt = (row: number, domain: Domain): number => {
    const value = valueAt(row, domain.key);
    return value === undefined ? 0 : (domain.counts.get(value) ?? 0);
  };
  const domains = [...wanted, ...unwanted, ...spreads].map(({ domain }) => domain);
  return {
    placed: (row) => {
      for (const domain of domains) {
        const value = valueAt(row, domain.key);
        if (domain.countsOwn && value !== undefined && domain.includes(row))
          domain.counts.set(value, (domain.counts.get(value) ?? 0) + 1);
      }
      for (const spread of spreads) spread.least = leastOf(spread.domain, spread.constraint);
    },
    changed: (pod, row, sign) => {
      for (const domain of domains) {
        const value = valueAt(row, domain.key);
        if (value !== undefined && domain.includes(row) && domain.matches(pod))
          domain.counts.set(value, (domain.counts.get(value) ?? 0) + sign);
      }
      for (const spread of spreads) spread.least = leastOf(spread.domain, spread.constraint);
    },

    refusal: (row) => {
      for (const { constraint, domain, least } of spreads) {
        const value = valueAt(row, domain.key);
        if (value === undefined) return refusals.spreadLabel;
        if ((domain.counts.get(value) ?? 0) + Number(domain.countsOwn) - least > constraint.maxSkew)
          return refusals.spread;
      }
      for (const { domain } of wanted) {
        if (valueAt(row, domain.key) === undefined) return refusals.podAffinity;
        // The first of a group that wants to be together may go anywhere.
        const first = domain.countsOwn && totalOf(domain) === 0;
        if (!first && countAt(row, domain) === 0) return refusals.podAffinity;
      }
      for (const { domain } of unwanted)
        if (valueAt(row, domain.key) !== undefined && countAt(row, domain) > 0)
          return refusals.podAntiAffinity;
      return undefined;
    },
  };
}

const totalOf = (domain: Domain): number =>
  [...domain.counts.values()].reduce((sum, count) => sum + count, 0);

/** `alike`: all constraints of the pod that are as hard as this one; a node that lacks the key of one of them counts for none. */
function spreadOf(
  snapshot: Snapshot,
  demand: Demand,
  constraint: TopologySpreadConstraint,
  alike: readonly TopologySpreadConstraint[],
): Spread {
  const selects = labelPredicate(constraint.labelSelector as LabelSelector | undefined);
  const countsOwn = selects(demand.labels);
  const matches = ({ metadata }: Pod): boolean =>
    metadata.namespace === demand.namespace &&
    metadata.deletionTimestamp === undefined &&
    selects(metadata.labels);
  const includes = (row: number): boolean => {
    const facts = snapshot.facts(row);
    return (
      facts !== undefined &&
      alike.every(({ topologyKey }) => facts.labels[topologyKey] !== undefined) &&
      isSpreadOver(constraint, demand, facts)
    );
  };
  const domain: Domain = { key: constraint.topologyKey, counts: new Map(), countsOwn, matches, includes };
  for (let row = 0; row < snapshot.rows; row++) {
    const value = snapshot.facts(row)?.labels[constraint.topologyKey];
    if (value === undefined || !includes(row)) continue;
    let count = domain.counts.get(value) ?? 0;
    for (const pod of snapshot.podsOn(row)) if (matches(pod)) count++;
    domain.counts.set(value, count);
  }
  return { constraint, domain, least: leastOf(domain, constraint) };
}

function leastOf({ counts }: Domain, { minDomains = 1 }: TopologySpreadConstraint): number {
  if (counts.size < minDomains) return 0;
  let least = Number.POSITIVE_INFINITY;
  for (const count of counts.values()) if (count < least) least = count;
  return least;
}

function termDomain(snapshot: Snapshot, demand: Demand, term: PodAffinityTerm): Domain {
  const { namespace: own, labels } = demand;
  const matches = (pod: Pod): boolean =>
    termSelects(term, own, pod.metadata.namespace ?? '', pod.metadata.labels ?? {}, snapshot.namespaceLabels);
  const countsOwn = termSelects(term, own, own, labels, snapshot.namespaceLabels);
  const domain: Domain = { key: term.topologyKey, counts: new Map(), countsOwn, matches, includes: everyRow };
  for (let row = 0; row < snapshot.rows; row++) {
    const value = snapshot.facts(row)?.labels[term.topologyKey];
    if (value === undefined) continue;
    let count = 0;
    for (const pod of snapshot.podsOn(row)) if (matches(pod)) count++;
    if (count > 0) domain.counts.set(value, (domain.counts.get(value) ?? 0) + count);
  }
  return domain;
}
