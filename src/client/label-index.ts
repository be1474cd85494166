/**
 * Finds objects by label selectors among very many, without going through them.
 *
 *   selector ─▶ values that it requires of some keys ─▶ of the namespace, the objects with the rarest of them ─▶ those that match
 *
 * The objects of a namespace are kept by a label's key from the first question for it on, so that a cloud in which nobody asks pays nothing; keys that nobody
 * has asked for in a long time are let go. Selectors that require no value go through the namespace.
 */
import { compileTerms, type KubeObject, type LabelTerm, parseLabelTerms } from '../api/index.ts';
import type { Change, Informer } from './client.ts';

/** Keys of namespaces that are kept; beyond them the one that was asked for longest ago goes. */
const keysMax = 1_000;
const selectorsMax = 10_000;

interface Selector {
  readonly pairs: readonly (readonly [key: string, value: string])[];
  readonly matches: (labels: KubeObject['metadata']['labels']) => boolean;
  /** One pair says all. */
  readonly isPair: boolean;
}

type ByName<T> = Map<string, T>;

export class LabelIndex<T extends KubeObject> {
  readonly #informer: Informer<T>;
  /** By `namespace/key`, then by the label's value; the one asked for last is last. */
  readonly #keys = new Map<string, Map<string, ByName<T>>>();
  readonly #selectors = new Map<string, Selector>();
  #byNamespace: ((namespace: string) => readonly T[]) | undefined;
  #subscription: { cancel(): void } | undefined;

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  /** Objects of the namespace that match. `selector` as clients write it; throws `badRequest`. */
  select(namespace: string, selector: string): readonly T[] {
    const { pairs, matches, isPair } = this.#selector(selector);
    let rarest: ByName<T> | undefined;
    for (const [key, value] of pairs) {
      const found = this.#with(namespace, key).get(value);
      if (found === undefined) return [];
      if (rarest === undefined || found.size < rarest.size) rarest = found;
    }
    const candidates = rarest === undefined ? this.#all(namespace) : [...rarest.values()];
    return isPair ? candidates : candidates.filter(({ metadata }) => matches(metadata.labels));
  }

  stop(): void {
    this.#subscription?.cancel();
    this.#keys.clear();
  }

  #all(namespace: string): readonly T[] {
    this.#byNamespace ??= this.#informer.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
    return this.#byNamespace(namespace);
  }

  #with(namespace: string, key: string): ReadonlyMap<string, ByName<T>> {
    const id = `${namespace}/${key}`;
    let found = this.#keys.get(id);
    if (found === undefined) {
      this.#subscription ??= this.#informer.onChange((change) => this.#follow(change));
      found = new Map();
      for (const object of this.#all(namespace)) put(found, object.metadata.labels?.[key], object);
    } else this.#keys.delete(id);
    this.#keys.set(id, found);
    if (this.#keys.size > keysMax)
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    return found;
  }

  #follow(change: Change<T>): void {
    if (this.#keys.size === 0) return;
    const { namespace = '', name = '', labels } = change.object.metadata;
    if (change.kind === 'updated') {
      const before = change.previous.metadata.labels ?? {};
      for (const key in before)
        if (labels?.[key] !== before[key]) take(this.#keys.get(`${namespace}/${key}`), before[key], name);
    }
    for (const key in labels) {
      const values = this.#keys.get(`${namespace}/${key}`);
      if (values === undefined) continue;
      if (change.kind === 'deleted') take(values, labels[key], name);
      else put(values, labels[key], change.object);
    }
  }

  #selector(text: string): Selector {
    let found = this.#selectors.get(text);
    if (found === undefined) {
      const terms = parseLabelTerms(text);
      const pairs = pairsOf(terms);
      found = { pairs, matches: compileTerms(terms), isPair: pairs.length === 1 && terms.length === 1 };
      if (this.#selectors.size >= selectorsMax) this.#selectors.clear();
      this.#selectors.set(text, found);
    }
    return found;
  }
}

function put<T extends KubeObject>(
  values: Map<string, ByName<T>>,
  value: string | undefined,
  object: T,
): void {
  if (value === undefined) return;
  const { name = '' } = object.metadata;
  const found = values.get(value);
  if (found === undefined) values.set(value, new Map([[name, object]]));
  else found.set(name, object);
}

function take<T>(values: Map<string, ByName<T>> | undefined, value: string | undefined, name: string): void {
  if (values === undefined || value === undefined) return;
  const found = values.get(value);
  found?.delete(name);
  if (found?.size === 0) values.delete(value);
}

/** Those that every match has. */
export function pairsOf(terms: readonly LabelTerm[]): readonly (readonly [key: string, value: string])[] {
  return terms.flatMap(({ key, operator, values = [] }) =>
    operator === 'In' && values.length === 1 ? [[key, values[0] ?? ''] as const] : [],
  );
}
