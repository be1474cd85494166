/**
 * Nominated pods, which go before all others: those whose victims make room on a node, and those that were promised what others of their queue leave. Pure.
 *
 *   add ─▶ ready ─▶ take
 *    └─▶ promised, until their queue (and those above) is within its limits with them ─▶ ready
 *
 * Those of a gang become ready together and are taken together.
 */
import type { Gang, GangBook } from '../gangs/gang-book.ts';
import type { WaitingPod } from '../plan.ts';
import type { Tenants } from './tenants.ts';

export interface Refused {
  readonly waiting: WaitingPod;
  readonly message: string;
}

export class Front {
  readonly #tenants: Tenants;
  readonly #gangs: GangBook;
  readonly #ready = new Map<string, WaitingPod>();
  readonly #promised = new Map<string, Refused>();

  constructor(tenants: Tenants, gangs: GangBook) {
    this.#tenants = tenants;
    this.#gangs = gangs;
  }

  /** Those that can be planned. */
  get size(): number {
    return this.#ready.size;
  }

  get all(): number {
    return this.#ready.size + this.#promised.size;
  }

  has(key: string): boolean {
    return this.#ready.has(key) || this.#promised.has(key);
  }

  *keys(): Iterable<string> {
    yield* this.#ready.keys();
    yield* this.#promised.keys();
  }

  /** One whose place is promised, and in what words that was told. */
  promised(key: string): Refused | undefined {
    return this.#promised.get(key);
  }

  promiseOf(key: string): string | undefined {
    return this.#promised.get(key)?.message;
  }

  add(waiting: WaitingPod, message: string): void {
    const { key } = waiting;
    if (this.#tenants.countOf(key)?.isPromised === true) this.#promised.set(key, { waiting, message });
    else this.#ready.set(key, waiting);
  }

  delete(key: string): WaitingPod | undefined {
    const waiting = this.#ready.get(key) ?? this.#promised.get(key)?.waiting;
    this.#ready.delete(key);
    this.#promised.delete(key);
    return waiting;
  }

  hasAnyOf({ members }: Gang): boolean {
    if (this.all === 0) return false;
    for (const key of members.keys()) if (this.has(key)) return true;
    return false;
  }

  /** Others have gone: whose promise can be kept now? Some, or none. */
  redeem(): boolean {
    if (this.#promised.size === 0) return false;
    let some = false;
    for (const key of [...this.#promised.keys()]) some = this.#redeemAll(this.#matesOf(key)) || some;
    return some;
  }

  /** Itself, and those of its gang that were promised their places, too. */
  #matesOf(key: string): readonly string[] {
    if (!this.#promised.has(key)) return [];
    const gang = this.#gangs.isEmpty ? undefined : this.#gangs.gangOf(key);
    if (gang === undefined) return [key];
    return [...gang.members.keys()].filter((one) => this.#promised.has(one));
  }

  #redeemAll(keys: readonly string[]): boolean {
    const done: string[] = [];
    for (const key of keys) {
      if (!this.#tenants.redeem(key)) {
        for (const one of done) this.#tenants.promiseAgain(one);
        return false;
      }
      done.push(key);
    }
    for (const key of done) {
      const waiting = this.#promised.get(key)?.waiting;
      this.#promised.delete(key);
      if (waiting !== undefined) this.#ready.set(key, waiting);
    }
    return done.length > 0;
  }

  take(most: number): WaitingPod[] {
    const taken: WaitingPod[] = [];
    const give = (key: string): void => {
      const waiting = this.#ready.get(key);
      if (waiting === undefined) return;
      this.#ready.delete(key);
      taken.push(waiting);
    };
    for (const key of this.#ready.keys()) {
      if (taken.length >= most) break;
      give(key);
      if (!this.#gangs.isEmpty) for (const one of this.#gangs.gangOf(key)?.members.keys() ?? []) give(one);
    }
    return taken;
  }
}
