/**
 * The most important first; of the same priority who has waited longest. O(1) for each pod, however many there are.
 * Source: kube-scheduler's PrioritySort.
 */
import type { WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import type { PodOrder } from './part.ts';

/** Of one priority. What was taken lies before the iterator, so that it never steps over holes again. */
interface Rank {
  readonly priority: number;
  readonly pods: Map<string, WaitingPod>;
  next: Iterator<WaitingPod> | undefined;
}

export class PriorityOrder implements PodOrder {
  readonly #rankOf = new Map<string, Rank>();
  readonly #byPriority = new Map<number, Rank>();
  /** The highest first. */
  #ranks: Rank[] = [];

  get size(): number {
    return this.#rankOf.size;
  }

  has(key: string): boolean {
    return this.#rankOf.has(key);
  }

  keys(): Iterable<string> {
    return this.#rankOf.keys();
  }

  add(waiting: WaitingPod): void {
    const priority = priorityOf(waiting.pod);
    const before = this.#rankOf.get(waiting.key);
    if (before !== undefined && before.priority !== priority) this.delete(waiting.key);
    let rank = this.#byPriority.get(priority);
    if (rank === undefined) {
      rank = { priority, pods: new Map(), next: undefined };
      this.#byPriority.set(priority, rank);
      this.#ranks.push(rank);
      this.#ranks.sort((a, b) => b.priority - a.priority);
    }
    rank.pods.set(waiting.key, waiting);
    this.#rankOf.set(waiting.key, rank);
  }

  delete(key: string): WaitingPod | undefined {
    const rank = this.#rankOf.get(key);
    const waiting = rank?.pods.get(key);
    if (rank === undefined || waiting === undefined) return undefined;
    this.#rankOf.delete(key);
    rank.pods.delete(key);
    if (rank.pods.size === 0) {
      this.#byPriority.delete(rank.priority);
      this.#ranks = this.#ranks.filter((one) => one !== rank);
    }
    return waiting;
  }

  take(most: number): readonly WaitingPod[] {
    const taken: WaitingPod[] = [];
    while (taken.length < most) {
      const [rank] = this.#ranks;
      if (rank === undefined) break;
      rank.next ??= rank.pods.values();
      const { value, done } = rank.next.next();
      if (done === true) {
        rank.next = undefined;
        continue;
      }
      taken.push(value);
      this.delete(value.key);
    }
    return taken;
  }
}
