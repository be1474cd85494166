/** The order of pods: by priority and age, and from the first queue on by turns of tenants. Pure. */
import type { WaitingPod } from '../plan.ts';
import type { PodOrder } from '../queue/part.ts';
import { PriorityOrder } from '../queue/priority-order.ts';
import type { FairOrder } from './fair-order.ts';

export class TenantOrder implements PodOrder {
  readonly #plain = new PriorityOrder();
  readonly #fair: FairOrder;
  #now: PodOrder = this.#plain;

  constructor(fair: FairOrder) {
    this.#fair = fair;
  }

  get isFair(): boolean {
    return this.#now === this.#fair;
  }

  /** Everybody who waits changes over. */
  useFair(isFair: boolean): void {
    const [from, to] = isFair ? [this.#plain, this.#fair] : [this.#fair, this.#plain];
    if (this.#now === to) return;
    this.#now = to;
    for (const key of [...from.keys()]) {
      const waiting = from.delete(key);
      if (waiting !== undefined) to.add(waiting);
    }
  }

  /** By turns members of gangs are given out together. */
  get takesTogether(): boolean {
    return this.isFair;
  }

  get size(): number {
    return this.#now.size;
  }

  has(key: string): boolean {
    return this.#now.has(key);
  }

  add(waiting: WaitingPod): void {
    this.#now.add(waiting);
  }

  delete(key: string): WaitingPod | undefined {
    return this.#now.delete(key);
  }

  take(most: number): readonly WaitingPod[] {
    return this.#now.take(most);
  }

  keys(): Iterable<string> {
    return this.#now.keys();
  }

  refused(key: string): ReturnType<FairOrder['refused']> {
    return this.isFair ? this.#fair.refused(key) : undefined;
  }
}
