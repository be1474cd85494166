/**
 * Which images the nodes have, as they report them. Pure. Empty while no node reports any.
 * Source: kube-scheduler's ImageLocality.
 */
import type { Node, Pod } from '../api/index.ts';

type Images = NonNullable<NonNullable<Node['status']>['images']>;

const mebibyte = 2 ** 20;
const leastBytes = 23 * mebibyte;
/** For pods of so many sorts scores are remembered. */
const knownMax = 256;
const mostBytesEach = 1000 * mebibyte;

export class ImageBook {
  /** Bytes by row, by the image's name. */
  readonly #sizes = new Map<string, Map<number, number>>();
  readonly #namesOf = new Map<number, Images>();
  /** By what pods need, until a node changes; each with a key that no other scores have. */
  readonly #known = new Map<string, ReadonlyMap<number, number> | undefined>();
  readonly #keys = new WeakMap<ReadonlyMap<number, number>, string>();
  #keyCount = 0;

  get isEmpty(): boolean {
    return this.#sizes.size === 0;
  }

  setNode(row: number, images: Images | undefined): void {
    const before = this.#namesOf.get(row);
    if (before === images || (images === undefined && before === undefined)) return;
    if (before !== undefined && images !== undefined && sameImages(before, images)) return;
    this.removeNode(row);
    this.#known.clear();
    if (images === undefined || images.length === 0) return;
    this.#namesOf.set(row, images);
    for (const { names = [], sizeBytes = 0 } of images)
      for (const name of names) {
        const rows = this.#sizes.get(name) ?? new Map<number, number>();
        rows.set(row, Number(sizeBytes));
        this.#sizes.set(name, rows);
      }
  }

  removeNode(row: number): void {
    for (const { names = [] } of this.#namesOf.get(row) ?? [])
      for (const name of names) {
        const rows = this.#sizes.get(name);
        rows?.delete(row);
        if (rows?.size === 0) this.#sizes.delete(name);
      }
    if (this.#namesOf.delete(row)) this.#known.clear();
  }

  /** 0 to 100 by row, of the rows that have enough of what the pod needs. Undefined: none has. */
  scores(pod: Pod, nodeCount: number): ReadonlyMap<number, number> | undefined {
    if (this.isEmpty) return undefined;
    const images = imagesOf(pod);
    const key = `${nodeCount} ${images.join(' ')}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const scores = this.#workOut(images, nodeCount);
    if (scores !== undefined) this.#keys.set(scores, String(++this.#keyCount));
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(key, scores);
    return scores;
  }

  /** Equal for the same scores, as long as no node changes. */
  keyOf(scores: ReadonlyMap<number, number> | undefined): string {
    return scores === undefined ? '' : (this.#keys.get(scores) ?? '');
  }

  #workOut(images: readonly string[], nodeCount: number): ReadonlyMap<number, number> | undefined {
    let bytes: Map<number, number> | undefined;
    for (const image of images) {
      const rows = this.#sizes.get(image);
      if (rows === undefined) continue;
      bytes ??= new Map();
      // What few nodes have counts for little, lest all pods of an image go to the first node that got it.
      for (const [row, size] of rows)
        bytes.set(row, (bytes.get(row) ?? 0) + Math.trunc((size * rows.size) / nodeCount));
    }
    if (bytes === undefined) return undefined;
    const most = mostBytesEach * images.length;
    const scores = new Map<number, number>();
    for (const [row, sum] of bytes) {
      const share = (Math.min(sum, most) - leastBytes) / (most - leastBytes);
      if (share > 0) scores.set(row, 100 * share);
    }
    return scores.size === 0 ? undefined : scores;
  }
}

function sameImages(a: Images, b: Images): boolean {
  return (
    a.length === b.length &&
    a.every((one, at) => one.sizeBytes === b[at]?.sizeBytes && one.names?.[0] === b[at]?.names?.[0])
  );
}

/** Of all containers, each as often as it is used; what names no tag means `latest`. */
function imagesOf({ spec }: Pod): readonly string[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ image = '' }) =>
    image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image,
  );
}
