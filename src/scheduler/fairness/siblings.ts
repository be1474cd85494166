/**
 * The queues below one, kept in the order of their turns, and what they have in all. Pure.
 *
 * Each change costs O(log n), however many there are: who has changed is looked at again when somebody asks, and what was said of him before is passed over.
 */
import { podsAt, type Vector } from './amounts.ts';
import { Heap } from './heap.ts';
import type { QueueNode } from './queue-node.ts';

/** Parts of the whole cloud, by number of the resource, and the largest of them. */
export interface Standing {
  readonly parts: readonly number[];
  readonly share: number;
  /** Of which resource that is. */
  readonly dominant: number;
}

/** What was said of a queue when it was looked at last. */
interface Said {
  readonly node: QueueNode;
  /** Less than 1: it has less than is guaranteed. */
  readonly fulfilment: number;
  /** For its weight. */
  readonly share: number;
  readonly parts: readonly number[];
  /** It can go on: it has candidates, and something already. */
  readonly goesOn: boolean;
}

/** After so many changes sums are made anew: nothing is lost by rounding. */
const changesMax = 4096;

export class Siblings {
  readonly #changed = new Set<QueueNode>();
  readonly #said = new Map<QueueNode, Said>();
  #turns = new Heap<Said>(isBefore);
  #least = new Heap<Said>((a, b) => a.share < b.share);
  /** Of those that cannot go on. */
  #still: number[] = [];
  /** Of those that can, as if each had a share of 1 for its weight. */
  #going: number[] = [];
  #changes = 0;

  changed(node: QueueNode): void {
    this.#changed.add(node);
  }

  next(all: readonly QueueNode[], capacity: Vector): QueueNode | undefined {
    this.#refresh(all, capacity);
    return this.#top(this.#turns)?.node;
  }

  addedUp(all: readonly QueueNode[], capacity: Vector): number[] {
    this.#refresh(all, capacity);
    const least = this.#top(this.#least)?.share ?? 0;
    const sum: number[] = [];
    for (let at = 0; at < Math.max(this.#still.length, this.#going.length); at++)
      sum[at] = (this.#still[at] ?? 0) + (this.#going[at] ?? 0) * least;
    return sum;
  }

  #top(heap: Heap<Said>): Said | undefined {
    while (heap.first !== undefined && this.#said.get(heap.first.node) !== heap.first) heap.pop();
    return heap.first;
  }

  #refresh(all: readonly QueueNode[], capacity: Vector): void {
    if (this.#changed.size === 0) return;
    this.#changes += this.#changed.size;
    if (this.#changes > changesMax + 4 * all.length) {
      this.#changes = 0;
      this.#turns = new Heap<Said>(isBefore);
      this.#least = new Heap<Said>((a, b) => a.share < b.share);
      this.#still = [];
      this.#going = [];
      this.#said.clear();
      for (const node of all) this.#changed.add(node);
    }
    for (const node of this.#changed) this.#say(node, capacity);
    this.#changed.clear();
  }

  #say(node: QueueNode, capacity: Vector): void {
    const before = this.#said.get(node);
    if (before !== undefined) this.#add(before, -1);
    const { share, parts } = node.standing(capacity);
    const { weight } = node.rules;
    const said: Said = {
      node,
      fulfilment: Math.min(1, node.fulfilment),
      share: share / weight,
      parts,
      goesOn: node.candidates > 0 && share > 0,
    };
    this.#said.set(node, said);
    this.#add(said, 1);
    if (node.candidates > 0) this.#turns.push(said);
    if (said.goesOn) this.#least.push(said);
  }

  #add({ parts, share, goesOn }: Said, sign: 1 | -1): void {
    const sum = goesOn ? this.#going : this.#still;
    const scale = sign / (goesOn ? share : 1);
    for (let at = 0; at < parts.length; at++) sum[at] = (sum[at] ?? 0) + (parts[at] ?? 0) * scale;
  }
}

function isBefore(a: Said, b: Said): boolean {
  if (a.fulfilment !== b.fulfilment) return a.fulfilment < b.fulfilment;
  if (a.share !== b.share) return a.share < b.share;
  return a.node.name < b.node.name;
}

/** What it really has. */
export const measuredUse = (used: Vector, capacity: Vector): Standing => measured(partsOf(used, capacity));

export function partsOf(used: Vector, capacity: Vector): number[] {
  const parts: number[] = [];
  for (let at = 0; at < used.length; at++) {
    const amount = used[at] ?? 0;
    const whole = capacity[at] ?? 0;
    // Of what is not there (any more) whoever has some has all.
    parts[at] = at === podsAt || amount === 0 ? 0 : whole > 0 ? amount / whole : 1;
  }
  return parts;
}

export function measured(parts: readonly number[]): Standing {
  let [share, dominant] = [0, 0];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? 0;
    if (part > share) [share, dominant] = [part, at];
  }
  return { parts, share, dominant };
}
