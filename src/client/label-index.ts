/**
 * Finds objects by label selectors among very many, without going through them: by one pair of key and value that each selector requires.
 *
 *   selector ─▶ a pair that it requires ─▶ the objects of the namespace with that pair, kept up to date from the first question on ─▶ those that match
 *
 * Only pairs that somebody asks for are kept, so that a cloud in which nobody does pays nothing; those that nobody has asked for in a long time are let go.
 * Selectors that require no pair go through the namespace.
 */
import { compileTerms, type KubeObject, type LabelTerm, parseLabelTerms } from '../api/index.ts';
import type { Change, Informer } from './client.ts';

/** Pairs that are kept; beyond them the one that was asked for longest ago goes. */
const pairsMax = 10_000;
const selectorsMax = 10_000;

interface Selector {
  /** `key=value`; undefined: it requires none. */
  readonly pair: string | undefined;
  readonly matches: (labels: KubeObject['metadata']['labels']) => boolean;
  /** The pair alone says all. */
  readonly isPair: boolean;
}

export class LabelIndex<T extends KubeObject> {
  readonly #informer: Informer<T>;
  /** By `namespace/key=value`; the one asked for last is last. */
  readonly #pairs = new Map<string, Map<string, T>>();
  readonly #selectors = new Map<string, Selector>();
  #byNamespace: ((namespace: string) => readonly T[]) | undefined;
  #subscription: { cancel(): void } | undefined;

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  /** Objects of the namespace that match. `selector` as clients write it; throws `badRequest`. */
  select(namespace: string, selector: string): readonly T[] {
    const { pair, matches, isPair } = this.#selector(selector);
    const candidates = pair === undefined ? this.#all(namespace) : [...this.#with(namespace, pair).values()];
    return isPair ? candidates : candidates.filter(({ metadata }) => matches(metadata.labels));
  }

  stop(): void {
    this.#subscription?.cancel();
    this.#pairs.clear();
  }

  #all(namespace: string): readonly T[] {
    this.#byNamespace ??= this.#informer.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
    return this.#byNamespace(namespace);
  }

  #with(namespace: string, pair: string): ReadonlyMap<string, T> {
    const id = `${namespace}/${pair}`;
    let found = this.#pairs.get(id);
    if (found === undefined) {
      this.#subscription ??= this.#informer.onChange((change) => this.#follow(change));
      found = new Map();
      const at = pair.indexOf('=');
      const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
      for (const object of this.#all(namespace))
        if (object.metadata.labels?.[key] === value) found.set(object.metadata.name ?? '', object);
    } else this.#pairs.delete(id);
    this.#pairs.set(id, found);
    if (this.#pairs.size > pairsMax)
      for (const oldest of this.#pairs.keys()) {
        this.#pairs.delete(oldest);
        break;
      }
    return found;
  }

  #follow(change: Change<T>): void {
    if (this.#pairs.size === 0) return;
    const { namespace = '', name = '', labels } = change.object.metadata;
    if (change.kind === 'updated') {
      const before = change.previous.metadata.labels ?? {};
      for (const key in before)
        if (labels?.[key] !== before[key])
          this.#pairs.get(`${namespace}/${key}=${before[key]}`)?.delete(name);
    }
    for (const key in labels) {
      const found = this.#pairs.get(`${namespace}/${key}=${labels[key]}`);
      if (found === undefined) continue;
      if (change.kind === 'deleted') found.delete(name);
      else found.set(name, change.object);
    }
  }

  #selector(text: string): Selector {
    let found = this.#selectors.get(text);
    if (found === undefined) {
      const terms = parseLabelTerms(text);
      const pair = pairOf(terms);
      found = { pair, matches: compileTerms(terms), isPair: pair !== undefined && terms.length === 1 };
      if (this.#selectors.size >= selectorsMax) this.#selectors.clear();
      this.#selectors.set(text, found);
    }
    return found;
  }
}

/** One that every match has. */
export function pairOf(terms: readonly LabelTerm[]): string | undefined {
  for (const { key, operator, values } of terms)
    if (operator === 'In' && values?.length === 1) return `${key}=${values[0]}`;
  return undefined;
}
