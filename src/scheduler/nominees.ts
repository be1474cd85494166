/**
 * Keeps the room of nominated pods from pods of the same or less priority while a plan is made: they stand in the snapshot as if they were placed,
 * with their devices. Pure.
 * Invariant: after `end` none of them does.
 */
import type { Pod } from '../api/index.ts';
import { mayHoldDevices } from './claims/claim-book.ts';
import { isMakingRoom, priorityOf } from './preemption.ts';
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
    const row = this.#snapshot.rowOf(nomination.nodeName);
    if (row === undefined) return;
    this.#held.add(key);
    if (this.#snapshot.deviceClaims.asksForDevices(nomination.pod))
      this.#keepDevices(key, nomination.pod, row);
    const shape = this.#snapshot.table.shapeOf(nomination.pod, true);
    this.#snapshot.addPod(key, nomination.pod, nomination.nodeName, shape);
  }

  /** Those also that the others give back who go for it. */
  #keepDevices(key: string, pod: Pod, row: number): void {
    const facts = this.#snapshot.facts(row);
    const leaving: Pod[] = [];
    for (const [other, one] of this.#snapshot.placedOn(row))
      if (mayHoldDevices(one) && isMakingRoom(this.#snapshot, other, one)) leaving.push(one);
    if (facts !== undefined) this.#snapshot.deviceClaims.keepFor(key, pod, facts, leaving);
  }

  /** It is planned itself. */
  release(key: string): void {
    if (!this.#held.delete(key)) return;
    this.#snapshot.removePod(key);
    this.#snapshot.deviceClaims.release(key);
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
