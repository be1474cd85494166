/**
 * What the pods around say about a place, for one question: constraints and terms as tallies by topology value, kept up as pods come and go. Pure.
 *
 *   a kin of pods ─▶ effects: which tallies its pods count in, and how much (asked once) ─▶ tallies ─▶ why a place is refused, how welcome a pod is there
 *
 * Source: kube-scheduler's PodTopologySpread and InterPodAffinity.
 * Invariant: after each `count` the tallies are those of the snapshot.
 */
import { type LabelSelector, labelPredicate, type TopologySpreadConstraint } from '../../api/index.ts';
import { type Demand, termSelects } from '../demand.ts';
import { isSpreadOver, refusals } from '../filters.ts';
import { preferredTerms } from '../seekers.ts';
import type { Snapshot } from '../snapshot.ts';
import { hostnameKey } from '../welcome.ts';
import type { Kin } from './pod-table.ts';
import type { Stance } from './stances.ts';
import { SpreadTally, Tally } from './tally.ts';
import { rowColumn, rowSet, valueColumn } from './value-column.ts';

interface Effect {
  readonly tally: Tally;
  readonly weight: number;
}

/** One tally, asked by a rule. */
interface Rule {
  readonly tally: Tally;
  /** Whether the pods in question count themselves. */
  readonly own: boolean;
}

interface SoftSpread extends Rule {
  readonly maxSkew: number;
}

type Matches = (kin: Kin) => boolean;

const nothing: readonly Effect[] = [];
const missing = -1;

/** What a rule reads of a place: the counts of its tallies there, by `index`. */
export type CountAt = (tally: Tally) => number;

export class Rules {
  readonly spreads: readonly (Rule & { readonly tally: SpreadTally })[];
  readonly soft: readonly SoftSpread[];
  readonly #wanted: readonly Rule[];
  /** The same without pods that only are to come: nobody may count on these. */
  readonly #bareSpreads: readonly (Rule & { readonly tally: SpreadTally })[];
  readonly #bareWanted: readonly Rule[];
  readonly #unwanted: readonly Rule[];
  readonly #guards = new Map<string, Tally>();
  readonly #attractions = new Map<string, Tally>();
  readonly #weights: ReadonlySet<Tally>;
  /** All of them. */
  readonly tallies: readonly Tally[];
  readonly #matching: { readonly tally: Tally; readonly matches: Matches; readonly weight: number }[] = [];
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;
  readonly #stances: ReadonlySet<Stance>;
  /** By number of the kin. */
  readonly #effects = new Map<number, readonly Effect[]>();

  /** `isCareful`: some pods only are to come. */
  constructor(snapshot: Snapshot, demand: Demand, stances: readonly Stance[], isCareful = false) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#stances = new Set(stances);
    const { podAffinity, podAntiAffinity } = demand.affinity ?? {};
    const hard = demand.spread.filter((one) => one.whenUnsatisfiable !== 'ScheduleAnyway');
    const soft = demand.spread.filter((one) => one.whenUnsatisfiable === 'ScheduleAnyway');
    const spreadRule = (one: TopologySpreadConstraint, isBare: boolean) => {
      const includes = this.#spreadOver(one, hard);
      const tally = new SpreadTally(valueColumn(snapshot, one.topologyKey), includes, one);
      return { tally, own: this.#countSpread(tally, one, isBare) };
    };
    this.spreads = hard.map((one) => spreadRule(one, false));
    this.#bareSpreads = isCareful ? hard.map((one) => spreadRule(one, true)) : [];
    this.soft = soft.map((one) => {
      // Hosts are told apart though two of them had the same name.
      const column = (one.topologyKey === hostnameKey ? rowColumn : valueColumn)(snapshot, one.topologyKey);
      const tally = new Tally(column, this.#spreadOver(one, soft));
      return { tally, own: this.#countSpread(tally, one), maxSkew: one.maxSkew };
    });
    const { namespace: own, labels } = demand;
    const { namespaceLabels } = snapshot;
    const termRule = (term: Parameters<typeof termSelects>[0], isBare: boolean): Rule => {
      const tally = new Tally(valueColumn(snapshot, term.topologyKey));
      const matches = (kin: Kin): boolean =>
        !(isBare && kin.isNominated) && termSelects(term, own, kin.namespace, kin.labels, namespaceLabels);
      this.#matching.push({ tally, matches, weight: 1 });
      return { tally, own: termSelects(term, own, own, labels, namespaceLabels) };
    };
    const wanted = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const unwanted = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    this.#wanted = wanted.map((term) => termRule(term, false));
    this.#bareWanted = isCareful ? wanted.map((term) => termRule(term, true)) : [];
    this.#unwanted = unwanted.map((term) => termRule(term, false));
    for (const { term, weight } of demand.affinity === undefined ? [] : preferredTerms(demand.affinity)) {
      const tally = this.#byKey(this.#attractions, term.topologyKey);
      const matches = (kin: Kin): boolean =>
        termSelects(term, own, kin.namespace, kin.labels, namespaceLabels);
      this.#matching.push({ tally, matches, weight });
    }
    for (const stance of stances) this.#heed(stance);
    this.tallies = [
      ...this.spreads.map(({ tally }) => tally),
      ...this.soft.map(({ tally }) => tally),
      ...this.#bareSpreads.map(({ tally }) => tally),
      ...this.#wanted.map(({ tally }) => tally),
      ...this.#bareWanted.map(({ tally }) => tally),
      ...this.#unwanted.map(({ tally }) => tally),
      ...this.#guards.values(),
      ...this.#attractions.values(),
    ];
    this.#weights = new Set(this.#attractions.values());
    this.#countAll();
  }

  get isIndifferent(): boolean {
    return this.soft.length === 0 && this.#attractions.size === 0;
  }

  /** A pod came to the row (1) or has left it (-1). */
  count(kin: Kin, row: number, sign: number): void {
    for (const { tally, weight } of this.#effectsOf(kin)) tally.add(row, sign * weight);
  }

  /** Why a place is refused; undefined: it is not. `countAt` is -1 where the key is missing. */
  refusal(countAt: CountAt): string | undefined {
    const counted = refusedBy(this.spreads, this.#wanted, countAt);
    if (counted !== undefined) return counted;
    for (const { tally } of this.#unwanted) if (countAt(tally) > 0) return refusals.podAntiAffinity;
    for (const tally of this.#guards.values()) if (countAt(tally) > 0) return refusals.existingAntiAffinity;
    return refusedBy(this.#bareSpreads, this.#bareWanted, countAt);
  }

  /** What the pods that are there, and those that this one prefers, weigh at a place. */
  attraction(weightAt: CountAt): number {
    let sum = 0;
    for (const tally of this.#attractions.values()) sum += weightAt(tally);
    return sum;
  }

  /** Of weights, which may be below zero. */
  isWeight(tally: Tally): boolean {
    return this.#weights.has(tally);
  }

  #byKey(tallies: Map<string, Tally>, key: string): Tally {
    let tally = tallies.get(key);
    if (tally === undefined) {
      tally = new Tally(valueColumn(this.#snapshot, key));
      tallies.set(key, tally);
    }
    return tally;
  }

  /** Keys that some stance speaks of; which of its terms speak of the pod is asked with the kins. */
  #heed(stance: Stance): void {
    for (const term of stance.guards)
      if (this.#concerns(stance, term)) this.#byKey(this.#guards, term.topologyKey);
    for (const { term } of stance.wishes)
      if (this.#concerns(stance, term)) this.#byKey(this.#attractions, term.topologyKey);
  }

  #concerns({ namespace }: Stance, term: Parameters<typeof termSelects>[0]): boolean {
    const { namespace: own, labels } = this.#demand;
    return termSelects(term, namespace, own, labels, this.#snapshot.namespaceLabels);
  }

  #countSpread(tally: Tally, { labelSelector }: TopologySpreadConstraint, isBare = false): boolean {
    const { namespace, labels } = this.#demand;
    const selects = labelPredicate(labelSelector as LabelSelector | undefined);
    const matches = (kin: Kin): boolean =>
      kin.namespace === namespace && !kin.isEnding && !(isBare && kin.isNominated) && selects(kin.labels);
    this.#matching.push({ tally, matches, weight: 1 });
    return selects(labels);
  }

  /** Rows that have the keys of all constraints that are as hard as this one, as far as its policies look at them. */
  #spreadOver(constraint: TopologySpreadConstraint, alike: readonly TopologySpreadConstraint[]): Uint8Array {
    const { nodesKey } = this.#demand;
    const { nodeAffinityPolicy, nodeTaintsPolicy } = constraint;
    const keys = alike.map(({ topologyKey }) => topologyKey);
    const key = JSON.stringify([nodesKey, keys, nodeAffinityPolicy, nodeTaintsPolicy]);
    return rowSet(this.#snapshot, key, (facts) => {
      for (const one of keys) if (facts.labels[one] === undefined) return false;
      return isSpreadOver(constraint, this.#demand, facts);
    });
  }

  #effectsOf(kin: Kin): readonly Effect[] {
    let effects = this.#effects.get(kin.id);
    if (effects === undefined) {
      effects = this.#workOut(kin);
      this.#effects.set(kin.id, effects);
    }
    return effects;
  }

  #workOut(kin: Kin): readonly Effect[] {
    const effects: Effect[] = [];
    for (const { tally, matches, weight } of this.#matching)
      if (matches(kin)) effects.push({ tally, weight });
    const { stance } = kin;
    if (stance !== undefined && this.#stances.has(stance)) {
      for (const term of stance.guards) {
        const tally = this.#guards.get(term.topologyKey);
        if (tally !== undefined && this.#concerns(stance, term)) effects.push({ tally, weight: 1 });
      }
      for (const { term, weight } of stance.wishes) {
        const tally = this.#attractions.get(term.topologyKey);
        if (tally !== undefined && this.#concerns(stance, term)) effects.push({ tally, weight });
      }
    }
    return effects.length === 0 ? nothing : effects;
  }

  #countAll(): void {
    if (this.tallies.length === 0) return;
    const { table } = this.#snapshot;
    for (const kin of this.#kinsInReach()) {
      if (kin.count === 0) continue;
      const effects = this.#effectsOf(kin);
      if (effects === nothing) continue;
      for (let slot = kin.first; slot >= 0; slot = table.nextOfKin(slot)) {
        const row = table.row(slot);
        for (const { tally, weight } of effects) tally.add(row, weight);
      }
    }
  }

  /** Kins that the rules can speak of: as a rule those of one namespace. */
  #kinsInReach(): Iterable<Kin> {
    const { table } = this.#snapshot;
    const { affinity, namespace } = this.#demand;
    const { podAffinity, podAntiAffinity } = affinity ?? {};
    const terms = [
      ...(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity === undefined ? [] : preferredTerms(affinity).map(({ term }) => term)),
    ];
    const isFar =
      terms.some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector) ||
      [...this.#stances].some((stance) => stance.namespace !== namespace);
    return isFar ? table.kins() : table.kinsIn(namespace);
  }
}

/** By rules that more pods elsewhere or there may fulfil. */
function refusedBy(
  spreads: readonly (Rule & { readonly tally: SpreadTally })[],
  wanted: readonly Rule[],
  countAt: CountAt,
): string | undefined {
  for (const { tally, own } of spreads) {
    const count = countAt(tally);
    if (count === missing) return refusals.spreadLabel;
    if (count + (own ? 1 : 0) - tally.least > tally.maxSkew) return refusals.spread;
  }
  for (const { tally, own } of wanted) {
    const count = countAt(tally);
    if (count === missing) return refusals.podAffinity;
    // The first of a group that wants to be together may go anywhere.
    if (count === 0 && !(own && tally.total === 0)) return refusals.podAffinity;
  }
  return undefined;
}

/** Whether pods that only are to come could make a place possible: others may not count on these. */
export function countsOnOthers({ spread, affinity }: Demand): boolean {
  return (
    (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0 ||
    spread.some(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway')
  );
}

/** Which of its own constraints and terms speak of the pods themselves: where this is the same, labels make no difference. */
export function ownMatches(demand: Demand, snapshot: Snapshot): string {
  const { affinity, labels, namespace, spread } = demand;
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  const terms = [
    ...(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
  return [
    ...spread.map(({ labelSelector }) => labelPredicate(labelSelector as LabelSelector | undefined)(labels)),
    ...terms.map((term) => termSelects(term, namespace, namespace, labels, snapshot.namespaceLabels)),
  ]
    .map(Number)
    .join('');
}
