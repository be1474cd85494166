/**
 * What waits for a node: to be planned (in order), set aside because it did not fit, or held by a part. Pure.
 *
 *   offer ─▶ held ◀─▶ active ─take─▶ out (planned, bound) ─▶ forget
 *                       ▲             └─ setAside ─▶ aside ─┐
 *                       └────────── wake, wakeOne ◀─────────┘
 *
 * Invariant: a pod is in one of these at most.
 */
import type { Pod } from '../../api/index.ts';
import type { WaitingPod } from '../plan.ts';
import type { Hold, PodOrder, SchedulerPart } from './part.ts';

export class PodQueue {
  readonly #parts: readonly SchedulerPart[];
  readonly #order: PodOrder;
  readonly #aside = new Map<string, Pod>();
  readonly #held = new Map<string, Pod>();

  constructor(order: PodOrder, parts: readonly SchedulerPart[]) {
    this.#order = order;
    this.#parts = parts;
  }

  /** How many are to be planned. */
  get size(): number {
    return this.#order.size;
  }

  get asideSize(): number {
    return this.#aside.size;
  }

  /** The pod as it was set aside. */
  aside(key: string): Pod | undefined {
    return this.#aside.get(key);
  }

  /** A pod set aside has changed in nothing that it asks. */
  keepAside(key: string, pod: Pod): void {
    this.#aside.set(key, pod);
  }

  /** A pod that is new or asks for something new. Answers why it is held, if it is. */
  offer(key: string, pod: Pod): Hold | undefined {
    this.#aside.delete(key);
    const hold = this.#holdOf({ key, pod });
    if (hold === undefined) {
      this.#held.delete(key);
      this.#order.add({ key, pod });
    } else {
      this.#order.delete(key);
      this.#held.set(key, pod);
    }
    return hold;
  }

  #holdOf(waiting: WaitingPod): Hold | undefined {
    for (const part of this.#parts) {
      const hold = part.admits?.(waiting);
      if (hold !== undefined) return hold;
    }
    return undefined;
  }

  /** The next to be planned, taken out; with each those that have to be planned with it. */
  take(most: number): readonly WaitingPod[] {
    const batch = this.#order.take(most);
    if (!this.#parts.some(({ companions }) => companions !== undefined)) return batch;
    const whole = [...batch];
    for (const waiting of batch)
      for (const part of this.#parts)
        for (const key of part.companions?.(waiting) ?? []) {
          const companion = this.#order.delete(key);
          if (companion !== undefined) whole.push(companion);
        }
    return whole;
  }

  setAside(key: string, pod: Pod): void {
    this.#aside.set(key, pod);
  }

  /** Those set aside that a change may help are to be planned again. */
  wake(mayHelp: (pod: Pod, key: string) => boolean): void {
    for (const [key, pod] of this.#aside) {
      if (!mayHelp(pod, key)) continue;
      this.#aside.delete(key);
      this.#order.add({ key, pod });
    }
  }

  /** Those held, or some of them, are asked again; answers who is held still, and why. */
  reconsider(keys: Iterable<string> = [...this.#held.keys()]): readonly (WaitingPod & { hold: Hold })[] {
    const still: (WaitingPod & { hold: Hold })[] = [];
    for (const key of keys) {
      const pod = this.#held.get(key);
      const hold = pod === undefined ? undefined : this.offer(key, pod);
      if (pod !== undefined && hold !== undefined) still.push({ key, pod, hold });
    }
    return still;
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  forget(key: string): void {
    this.#order.delete(key);
    this.#aside.delete(key);
    this.#held.delete(key);
  }
}
