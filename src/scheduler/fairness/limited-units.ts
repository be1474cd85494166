/**
 * Units that a limit refuses: for which of them may less important pods of their queues have to go? Pure.
 *
 *   refused by a limit ─▶ are there less important pods? ─▶ to be found out ─▶ take ─ they go ─▶ promised
 *                              └─ no ─▶ still ◀───────────────────────────────── would not help
 *                                        └─ something has changed (`lookAgain`) ─▶ to be found out
 *
 * Invariant: a unit is in one of these at most, and only while it is refused. Who was denied is not asked about again before `lookAgain`.
 */
import type { Refusal } from './admission.ts';
import { firstOf, type Unit } from './lines.ts';
import type { Tenants } from './tenants.ts';

const limits: readonly Refusal['sort'][] = ['max', 'min', 'kept'];

export class LimitedUnits {
  readonly #tenants: Tenants;
  readonly #open = new Set<Unit>();
  readonly #still = new Set<Unit>();
  readonly #denied = new Set<Unit['of']>();

  constructor(tenants: Tenants) {
    this.#tenants = tenants;
  }

  /** How many there are to be found out about. */
  get size(): number {
    return this.#open.size;
  }

  /** Is there anybody for whom a change may make a difference? */
  get mayChange(): boolean {
    return this.#still.size + this.#denied.size > 0;
  }

  /** It was refused. True: it is to be found out whether others can go for it; what it is told follows then. */
  add(unit: Unit): boolean {
    this.#still.delete(unit);
    if (!this.#denied.has(unit.of) && this.#mayMakeRoom(unit)) {
      this.#open.add(unit);
      return true;
    }
    this.#open.delete(unit);
    if (isLimit(unit.refusal)) this.#still.add(unit);
    return false;
  }

  /** That others go would not help, or is not needed. */
  deny(unit: Unit): void {
    this.#open.delete(unit);
    this.#still.add(unit);
    this.#denied.add(unit.of);
  }

  /** It is refused no more. */
  delete(unit: Unit): void {
    this.#open.delete(unit);
    this.#still.delete(unit);
  }

  clear(): void {
    for (const some of [this.#open, this.#still, this.#denied]) some.clear();
  }

  /** Each is given once. */
  *take(most: number): Iterable<Unit> {
    for (const unit of this.#open) {
      if (most-- <= 0) return;
      this.#open.delete(unit);
      yield unit;
    }
  }

  /** Something is otherwise: at most so many. */
  lookAgain(most: number): void {
    this.#denied.clear();
    for (const unit of this.#still) {
      if (!this.#mayMakeRoom(unit)) continue;
      this.#still.delete(unit);
      this.#open.add(unit);
      if (--most <= 0) return;
    }
  }

  /** A limit refuses it, and in its queue there are pods that are less important. */
  #mayMakeRoom({ groups, refusal }: Unit): boolean {
    if (!isLimit(refusal)) return false;
    for (const group of groups) {
      const first = firstOf(group);
      if (first === undefined || first.waiting.pod.spec?.preemptionPolicy === 'Never') continue;
      if (this.#tenants.hasBelow(group.leaf, first.priority)) return true;
    }
    return false;
  }
}

const isLimit = (refusal: Refusal | undefined): boolean =>
  refusal !== undefined && limits.includes(refusal.sort);
