/** Which autoscalers' targets select a pod: found by the rarest label that each selector requires, so that a thousand autoscalers are not gone through for each of them. */
import { compileTerms, type LabelPredicate, type Pod, parseLabelTerms } from '../../api/index.ts';
import { pairsOf } from '../../client/index.ts';

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly selector: string;
  /** Where it is found: `namespace/key=value`, or `namespace/` where it requires no label. */
  readonly place: string;
  readonly matches: LabelPredicate;
}

export class AutoscalerSelectors {
  readonly #byUid = new Map<string, Known>();
  readonly #byPlace = new Map<string, Set<Known>>();

  /** What its target selects now; undefined: nothing that is known. */
  put(uid: string, namespace: string, name: string, selector: string | undefined): void {
    const known = this.#byUid.get(uid);
    if (known?.selector === selector) return;
    this.delete(uid);
    if (selector === undefined) return;
    const terms = parseLabelTerms(selector);
    const places = pairsOf(terms).map(([key, value]) => `${namespace}/${key}=${value}`);
    const crowd = (at: string): number => this.#byPlace.get(at)?.size ?? 0;
    const place = places.reduce(
      (best, one) => (crowd(one) < crowd(best) ? one : best),
      places[0] ?? `${namespace}/`,
    );
    const entry = { name, namespace, selector, place, matches: compileTerms(terms) };
    this.#byUid.set(uid, entry);
    const there = this.#byPlace.get(place);
    if (there === undefined) this.#byPlace.set(place, new Set([entry]));
    else there.add(entry);
  }

  delete(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    const there = this.#byPlace.get(known.place);
    there?.delete(known);
    if (there?.size === 0) this.#byPlace.delete(known.place);
  }

  /** Of a namespace, those that select one of these pods, by their names. */
  of(namespace: string, pods: readonly Pod[]): readonly string[] {
    const names = new Set<string>();
    const loose = this.#byPlace.get(`${namespace}/`);
    for (const { metadata } of pods) {
      const { labels } = metadata;
      const look = (entries: Iterable<Known> | undefined): void => {
        for (const { name, matches } of entries ?? []) if (matches(labels)) names.add(name);
      };
      look(loose);
      for (const key in labels) look(this.#byPlace.get(`${namespace}/${key}=${labels[key]}`));
    }
    return [...names].sort();
  }
}
