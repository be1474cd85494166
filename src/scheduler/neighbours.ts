/**
 * What the pods around say about a place: topology spreading, affinity and anti-affinity between pods. Pure.
 * Source: kube-scheduler's PodTopologySpread and InterPodAffinity.
 */
import {
  type LabelSelector,
  labelPredicate,
  type PodAffinityTerm,
  type TopologySpreadConstraint,
} from '../api/index.ts';
import { type Demand, termSelects } from './demand.ts';
import { type GuardedTerm, refusals, staticRefusal } from './filters.ts';
import type { Snapshot } from './snapshot.ts';

export interface Neighbours {
  /** Why this row is refused; undefined: it is not. */
  refusal(row: number): string | undefined;
  /** How welcome a pod is there, any scale; higher is better. */
  welcome(row: number): number;
  readonly isIndifferent: boolean;
}

/** Counts of matching pods by topology value. */
interface Domain {
  readonly key: string;
  readonly counts: Map<string, number>;
}

interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly domain: Domain;
  readonly least: number;
  readonly self: number;
}

/** All required anti-affinity terms of pods that are placed. Few pods have any: found once a change. */
export function guardedTerms(snapshot: Snapshot): readonly GuardedTerm[] {
  const found: GuardedTerm[] = [];
  for (const { pod, row } of snapshot.guarding) {
    const labels = snapshot.facts(row)?.labels ?? {};
    for (const term of pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ??
      []) {
      const value = labels[term.topologyKey];
      if (value !== undefined)
        found.push({ term, namespace: pod.metadata.namespace ?? '', topologyKey: term.topologyKey, value });
    }
  }
  return found;
}

export function around(snapshot: Snapshot, demand: Demand): Neighbours {
  const { podAffinity, podAntiAffinity } = demand.affinity ?? {};
  const hard = demand.spread.filter((one) => one.whenUnsatisfiable !== 'ScheduleAnyway');
  const soft = demand.spread.filter((one) => one.whenUnsatisfiable === 'ScheduleAnyway');
  const spreads = hard.map((one) => spreadOf(snapshot, demand, one));
  const softSpreads = soft.map((one) => spreadOf(snapshot, demand, one));
  const wanted = (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    term,
    domain: termDomain(snapshot, demand, term),
  }));
  const unwanted = (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    term,
    domain: termDomain(snapshot, demand, term),
  }));
  const preferred = [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => ({
      weight: one.weight,
      domain: termDomain(snapshot, demand, one.podAffinityTerm),
    })),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => ({
      weight: -one.weight,
      domain: termDomain(snapshot, demand, one.podAffinityTerm),
    })),
  ];
  const valueAt = (row: number, key: string): string | undefined => snapshot.facts(row)?.labels[key];
  const countAt = (row: number, domain: Domain): number =>
    domain.counts.get(valueAt(row, domain.key) ?? '') ?? 0;
  return {
    isIndifferent: softSpreads.length + preferred.length === 0,
    refusal: (row) => {
      for (const { constraint, domain, least, self } of spreads) {
        const value = valueAt(row, domain.key);
        if (value === undefined) return refusals.spreadLabel;
        if ((domain.counts.get(value) ?? 0) + self - least > constraint.maxSkew) return refusals.spread;
      }
      for (const { term, domain } of wanted) {
        if (valueAt(row, domain.key) === undefined) return refusals.podAffinity;
        // The first of a group that wants to be together may go anywhere.
        const first =
          totalOf(domain) === 0 && termSelects(term, demand.namespace, demand.namespace, demand.labels);
        if (!first && countAt(row, domain) === 0) return refusals.podAffinity;
      }
      for (const { domain } of unwanted)
        if (valueAt(row, domain.key) !== undefined && countAt(row, domain) > 0)
          return refusals.podAntiAffinity;
      return undefined;
    },
    welcome: (row) => {
      let score = 0;
      for (const { weight, domain } of preferred) score += weight * countAt(row, domain);
      for (const { domain } of softSpreads)
        score -= valueAt(row, domain.key) === undefined ? 1000 : 10 * countAt(row, domain);
      return score;
    },
  };
}

const totalOf = (domain: Domain): number =>
  [...domain.counts.values()].reduce((sum, count) => sum + count, 0);

/** Ranks possible rows by how welcome the pod is there, 0 to 200. */
export function placementAround(
  neighbours: Neighbours,
  possible: readonly number[],
): (row: number) => number {
  if (neighbours.isIndifferent || possible.length === 0) return () => 0;
  const scores = new Map(possible.map((row) => [row, neighbours.welcome(row)]));
  const values = [...scores.values()];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (row) => (high === low ? 0 : (200 * ((scores.get(row) ?? low) - low)) / (high - low));
}

function spreadOf(snapshot: Snapshot, demand: Demand, constraint: TopologySpreadConstraint): Spread {
  const matches = labelPredicate(constraint.labelSelector as LabelSelector | undefined);
  const domain: Domain = { key: constraint.topologyKey, counts: new Map() };
  const honoursTaints = constraint.nodeTaintsPolicy === 'Honor';
  for (let row = 0; row < snapshot.rows; row++) {
    const facts = snapshot.facts(row);
    const value = facts?.labels[constraint.topologyKey];
    if (value === undefined) continue;
    // Nodes that the pod could never go to do not count, as nodeAffinityPolicy Honor says.
    const refusal = staticRefusal(demand, snapshot, row);
    if (refusal === refusals.affinity && constraint.nodeAffinityPolicy !== 'Ignore') continue;
    if (refusal === refusals.taint && honoursTaints) continue;
    let count = domain.counts.get(value) ?? 0;
    for (const pod of snapshot.podsOn(row))
      if (
        pod.metadata.namespace === demand.namespace &&
        pod.metadata.deletionTimestamp === undefined &&
        matches(pod.metadata.labels)
      )
        count++;
    domain.counts.set(value, count);
  }
  const enough = domain.counts.size >= (constraint.minDomains ?? 1);
  return {
    constraint,
    domain,
    least: enough ? Math.min(...domain.counts.values()) : 0,
    self: matches(demand.labels) ? 1 : 0,
  };
}

function termDomain(snapshot: Snapshot, demand: Demand, term: PodAffinityTerm): Domain {
  const domain: Domain = { key: term.topologyKey, counts: new Map() };
  for (let row = 0; row < snapshot.rows; row++) {
    const value = snapshot.facts(row)?.labels[term.topologyKey];
    if (value === undefined) continue;
    let count = 0;
    for (const pod of snapshot.podsOn(row))
      if (termSelects(term, demand.namespace, pod.metadata.namespace ?? '', pod.metadata.labels ?? {}))
        count++;
    if (count > 0) domain.counts.set(value, (domain.counts.get(value) ?? 0) + count);
  }
  return domain;
}
