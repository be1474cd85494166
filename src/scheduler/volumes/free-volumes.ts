/**
 * Volumes of a class that are nobody's, found by the node that is to reach them. Pure.
 * Invariant: `near` leaves out only volumes that the node does not reach.
 */
import type { NodePlace, PersistentVolume } from '../../api/index.ts';
import { anchorsOf, nameAnchor } from './anchors.ts';

type Named = Map<string, PersistentVolume>;

export class FreeVolumes {
  readonly #all: Named = new Map();
  readonly #anywhere: Named = new Map();
  /** By label, by value. */
  readonly #anchored = new Map<string, Map<string, Named>>();

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(volume: PersistentVolume): void {
    const { name = '' } = volume.metadata;
    this.#all.set(name, volume);
    const anchors = anchorsOf(volume);
    if (anchors === undefined) this.#anywhere.set(name, volume);
    for (const [label, value] of anchors ?? []) {
      const values = entry(this.#anchored, label, () => new Map<string, Named>());
      entry(values, value, () => new Map<string, PersistentVolume>()).set(name, volume);
    }
  }

  /** As it was added. */
  remove(volume: PersistentVolume): void {
    const { name = '' } = volume.metadata;
    this.#all.delete(name);
    this.#anywhere.delete(name);
    for (const [label, value] of anchorsOf(volume) ?? []) {
      const values = this.#anchored.get(label);
      const there = values?.get(value);
      there?.delete(name);
      if (there?.size === 0) values?.delete(value);
      if (values?.size === 0) this.#anchored.delete(label);
    }
  }

  /** Those that the node may reach; one may come more than once. */
  *near({ labels, fields }: NodePlace): Iterable<PersistentVolume> {
    yield* this.#anywhere.values();
    for (const [label, values] of this.#anchored) {
      const own = label === nameAnchor ? fields['metadata.name'] : labels[label];
      if (own !== undefined) yield* values.get(own)?.values() ?? [];
    }
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let one = map.get(key);
  if (one === undefined) {
    one = make();
    map.set(key, one);
  }
  return one;
}
