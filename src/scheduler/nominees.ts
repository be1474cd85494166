/**
 * Keeps the room of nominated pods from pods of the same or less priority while a plan is made: they stand in the snapshot as if they were placed. Pure.
 * Invariant: after `end` none of them does.
 */
import { priorityOf } from './preemption.ts';
import type { Snapshot } from './snapshot.ts';

export class Nominees {
  readonly #snapshot: Snapshot;
  readonly #held = new Set<string>();
  /** Those of this priority and more are held, but for the released. */
  #heldFrom = Number.POSITIVE_INFINITY;
  readonly #released = new Set<string>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  holds(key: string): boolean {
    return this.#held.has(key);
  }

  /** Before pods of this priority are planned. */
  holdFrom(priority: number): void {
    for (const key of this.#released) this.hold(key);
    this.#released.clear();
    if (priority >= this.#heldFrom) return;
    this.#heldFrom = this.#snapshot.tenants === undefined ? priority : Number.NEGATIVE_INFINITY;
    // Among tenants priority says nothing of who may have a place that was made for another.
    const isForAll = this.#snapshot.tenants !== undefined;
    for (const [key, { pod }] of this.#snapshot.nominations)
      if (isForAll || priorityOf(pod) >= priority) this.hold(key);
  }

  hold(key: string): void {
    const nomination = this.#snapshot.nominations.get(key);
    if (nomination === undefined || this.#held.has(key) || this.#snapshot.placed(key) !== undefined) return;
    if (this.#snapshot.rowOf(nomination.nodeName) === undefined) return;
    this.#held.add(key);
    this.#snapshot.addPod(key, nomination.pod, nomination.nodeName);
  }

  /** It is planned itself. */
  release(key: string): void {
    if (!this.#held.delete(key)) return;
    this.#snapshot.removePod(key);
    this.#released.add(key);
  }

  /** What is there without them: nobody may count on one that has not come yet. */
  without<T>(look: () => T): T {
    const keys = [...this.#held];
    for (const key of keys) this.release(key);
    const seen = look();
    for (const key of keys) this.hold(key);
    return seen;
  }

  end(): void {
    for (const key of [...this.#held]) this.release(key);
  }
}
