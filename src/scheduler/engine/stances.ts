/**
 * What placed pods say about those that come: whom they keep away (required anti-affinity) and whom they would rather have near or far. Each sort of it once,
 * however many pods have it. Pure.
 * Invariant: numbers are never given twice; after `version` has changed, what was looked up before is looked up again.
 */
import type { Affinity, PodAffinityTerm } from '../../api/index.ts';
import { type NamespaceLabels, termSelects } from '../demand.ts';
import { type WeightedTerm, wishedTerms } from '../seekers.ts';
import type { Kin } from './pod-table.ts';

export interface Stance {
  readonly id: number;
  readonly namespace: string;
  readonly affinity: Affinity;
  /** Who comes under one of these is refused. */
  readonly guards: readonly PodAffinityTerm[];
  readonly wishes: readonly WeightedTerm[];
  readonly kins: Set<Kin>;
}

/** Who speaks of certain pods. */
export interface Concerning {
  readonly stances: readonly Stance[];
  /** Equal where the same terms of the same stances do. */
  readonly key: string;
}

export class Stances {
  readonly #byKey = new Map<string, Stance>();
  readonly #ofNamespace = new Map<string, Stance[]>();
  /** With terms that reach into other namespaces. */
  #far: Stance[] = [];
  #count = 0;
  #version = 0;

  get version(): number {
    return this.#version;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  all(): Iterable<Stance> {
    return this.#byKey.values();
  }

  intern(namespace: string, affinity: Affinity): Stance {
    const { podAffinity, podAntiAffinity } = affinity;
    const key = JSON.stringify([namespace, podAffinity, podAntiAffinity]);
    let one = this.#byKey.get(key);
    if (one === undefined) {
      const guards = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      one = {
        id: ++this.#count,
        namespace,
        affinity,
        guards,
        wishes: wishedTerms(affinity),
        kins: new Set(),
      };
      this.#byKey.set(key, one);
      this.#list(one);
      this.#version++;
    }
    return one;
  }

  /** Those with a term that speaks of such pods. */
  concerning(
    namespace: string,
    labels: Readonly<Record<string, string>>,
    namespaceLabels: NamespaceLabels,
  ): Concerning {
    const near = this.#ofNamespace.get(namespace);
    if (near === undefined && this.#far.length === 0) return nobody;
    const found: Stance[] = [];
    let key = '';
    for (const list of [near ?? none, this.#far])
      for (const one of list) {
        const selects = (term: PodAffinityTerm): boolean =>
          termSelects(term, one.namespace, namespace, labels, namespaceLabels);
        const which = [...one.guards, ...one.wishes.map(({ term }) => term)].map(selects);
        if (!which.includes(true)) continue;
        found.push(one);
        key += ` ${one.id}:${which.map(Number).join('')}`;
      }
    return found.length === 0 ? nobody : { stances: found, key };
  }

  /** Forgets those that no kin has any more. */
  sweep(): void {
    const left = [...this.#byKey].filter(([, { kins }]) => kins.size > 0);
    if (left.length === this.#byKey.size) return;
    this.#byKey.clear();
    this.#ofNamespace.clear();
    this.#far = [];
    for (const [key, one] of left) {
      this.#byKey.set(key, one);
      this.#list(one);
    }
    this.#version++;
  }

  #list(one: Stance): void {
    const isFar = [...one.guards, ...one.wishes.map(({ term }) => term)].some(
      ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
    );
    if (isFar) {
      this.#far.push(one);
      return;
    }
    const near = this.#ofNamespace.get(one.namespace);
    if (near === undefined) this.#ofNamespace.set(one.namespace, [one]);
    else near.push(one);
  }
}

const none: readonly Stance[] = [];
const nobody: Concerning = { stances: none, key: '' };
