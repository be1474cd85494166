/**
 * The possible nodes of one question by their scores: a heap for each zone, where zones have a part of the score of their own, else a single one. Pure.
 * Invariant: the best of all is the best of its zone.
 */
import { NodeHeap } from './node-heap.ts';
import type { Scoring, ZoneSpread } from './scorer.ts';

/** Used again by the next question: one is answered after the other. */
const heaps: NodeHeap[] = [new NodeHeap()];

export class Ranking {
  readonly #zones: ZoneSpread | undefined;
  readonly #count: number;
  #size = 0;

  constructor({ zones }: Scoring) {
    this.#zones = zones;
    this.#count = zones?.count ?? 1;
    while (heaps.length < this.#count) heaps.push(new NodeHeap());
  }

  get size(): number {
    return this.#size;
  }

  begin(max: number): void {
    this.#size = 0;
    for (let zone = 0; zone < this.#count; zone++) heaps[zone]?.begin(max);
  }

  /** In no order: `order` comes after the last. */
  add(row: number, fixed: number, score: number): void {
    this.#size++;
    (heaps[this.#zones === undefined ? 0 : this.#zones.of(row)] as NodeHeap).add(row, fixed, score);
  }

  order(): void {
    for (let zone = 0; zone < this.#count; zone++) heaps[zone]?.order();
  }

  /** Whose top is the best of all; of equals the lower row. Undefined: there is none. */
  best(): NodeHeap | undefined {
    const zones = this.#zones;
    if (zones === undefined) return this.#size === 0 ? undefined : heaps[0];
    let best: NodeHeap | undefined;
    let most = 0;
    for (let zone = 0; zone < this.#count; zone++) {
      const heap = heaps[zone] as NodeHeap;
      if (heap.size === 0) continue;
      const score = heap.score + zones.score(zone);
      if (best !== undefined && (score < most || (score === most && heap.row > best.row))) continue;
      best = heap;
      most = score;
    }
    return best;
  }

  /** Of what `best` gave. */
  scoreOf(heap: NodeHeap): number {
    const zones = this.#zones;
    return zones === undefined ? heap.score : heap.score + zones.score(zones.of(heap.row));
  }

  remove(heap: NodeHeap): void {
    this.#size--;
    heap.removeBest();
  }
}
