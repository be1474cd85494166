/**
 * Placed pods that would rather have certain others beside them, or away from them. Pure. Replicas are counted together, so that a question costs as much as
 * there are different wishes.
 *
 * Invariant: a group's counts by row are those of the placed pods that wish alike.
 * Source: kube-scheduler's InterPodAffinity, which heeds the preferred terms of existing pods, and their required affinity with a weight of its own.
 */
import type { Affinity, Pod, PodAffinityTerm } from '../api/index.ts';
import { type Demand, termSelects } from './demand.ts';
import type { Snapshot } from './snapshot.ts';

interface Seeker {
  readonly namespace: string;
  readonly terms: readonly WeightedTerm[];
  readonly counts: Map<number, number>;
}

export interface WeightedTerm {
  readonly term: PodAffinityTerm;
  readonly weight: number;
}

/** Of a required affinity of an existing pod, as `hardPodAffinityWeight` is by default. */
const requiredWeight = 1;

/** What each value of each topology key is worth. */
export type Attraction = Map<string, Map<string, number>>;

export class Seekers {
  readonly #groups = new Map<string, Seeker>();

  /** A pod with an affinity came to a row, or has left it. */
  count({ spec, metadata }: Pod, row: number, sign: 1 | -1): void {
    const affinity = spec?.affinity;
    if (affinity?.podAffinity === undefined && affinity?.podAntiAffinity === undefined) return;
    const text = wishes(affinity);
    if (text === '') return;
    const namespace = metadata.namespace ?? '';
    const key = `${namespace} ${text}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { namespace, terms: wishedTerms(affinity), counts: new Map() };
      this.#groups.set(key, group);
    }
    const count = (group.counts.get(row) ?? 0) + sign;
    if (count > 0) group.counts.set(row, count);
    else if (group.counts.delete(row) && group.counts.size === 0) this.#groups.delete(key);
  }

  /** What places are worth to a pod, by the wishes of those that are there. Undefined: none speaks of it. */
  attraction({ namespace, labels }: Demand, snapshot: Snapshot): Attraction | undefined {
    let attraction: Attraction | undefined;
    for (const group of this.#groups.values())
      for (const { term, weight } of group.terms) {
        if (!termSelects(term, group.namespace, namespace, labels, snapshot.namespaceLabels)) continue;
        attraction ??= new Map();
        for (const [row, count] of group.counts)
          attract(
            attraction,
            term.topologyKey,
            snapshot.facts(row)?.labels[term.topologyKey],
            count * weight,
          );
      }
    return attraction;
  }
}

export function attract(
  attraction: Attraction,
  key: string,
  value: string | undefined,
  weight: number,
): void {
  if (value === undefined) return;
  let values = attraction.get(key);
  if (values === undefined) {
    values = new Map();
    attraction.set(key, values);
  }
  values.set(value, (values.get(value) ?? 0) + weight);
}

/** What a pod that is there says about those that come. */
export function wishedTerms({ podAffinity, podAntiAffinity }: Affinity): readonly WeightedTerm[] {
  const required = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.map((term) => ({ term, weight: requiredWeight })),
    ...preferredTerms({ ...(podAffinity && { podAffinity }), ...(podAntiAffinity && { podAntiAffinity }) }),
  ];
}

export function preferredTerms({ podAffinity, podAntiAffinity }: Affinity): readonly WeightedTerm[] {
  const liked = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const disliked = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...liked.map(({ podAffinityTerm: term, weight }) => ({ term, weight })),
    ...disliked.map(({ podAffinityTerm: term, weight }) => ({ term, weight: -weight })),
  ];
}

const texts = new WeakMap<Affinity, string>();

/** Equal for pods that wish alike; empty: it wishes nothing. */
function wishes(affinity: Affinity): string {
  let text = texts.get(affinity);
  if (text === undefined) {
    const terms = wishedTerms(affinity);
    text = terms.length === 0 ? '' : JSON.stringify(terms);
    texts.set(affinity, text);
  }
  return text;
}
