/**
 * Which devices are somebody's, and how much of those that may be many's. Pure.
 * Invariant: it is the sum over the allocations that were put in and not taken out again, in whatever order they came.
 */
import { type DynamicResourceClaim, quantityNano } from '../../api/index.ts';
import type { Pool, PoolDevice } from './device-pools.ts';

export type Allocation = NonNullable<NonNullable<DynamicResourceClaim['status']>['allocation']>;
export type AllocatedDevice = NonNullable<NonNullable<Allocation['devices']>['results']>[number];

/** In 10^-9, by the name of a capacity or `set/counter`. */
export type Amounts = ReadonlyMap<string, bigint>;

interface Shared {
  count: number;
  readonly consumed: Map<string, bigint>;
}

const nothing: Amounts = new Map();

const poolIdOf = ({ driver, pool }: AllocatedDevice): string => `${driver}/${pool}`;

export class DeviceLedger {
  /** How often a device is allocated as a whole: more than once where two schedulers have given it. */
  readonly #taken = new Map<string, number>();
  readonly #shared = new Map<string, Shared>();
  readonly #versions = new Map<string, number>();
  /** What the allocated devices of a pool consume together. */
  readonly #counters = new Map<string, { readonly pool: Pool; readonly used: Amounts }>();

  add(allocation: Allocation, sign: 1 | -1): void {
    for (const one of allocation.devices?.results ?? []) {
      // Whoever looks after a device takes it from nobody.
      if (one.adminAccess === true) continue;
      const id = `${poolIdOf(one)}/${one.device}`;
      if (one.shareID !== undefined || one.consumedCapacity !== undefined) this.#share(id, one, sign);
      else {
        const count = (this.#taken.get(id) ?? 0) + sign;
        if (count > 0) this.#taken.set(id, count);
        else this.#taken.delete(id);
      }
      const poolId = poolIdOf(one);
      this.#counters.delete(poolId);
      this.#versions.set(poolId, (this.#versions.get(poolId) ?? 0) + 1);
    }
  }

  #share(id: string, { consumedCapacity = {} }: AllocatedDevice, sign: 1 | -1): void {
    let shared = this.#shared.get(id);
    if (shared === undefined) {
      shared = { count: 0, consumed: new Map() };
      this.#shared.set(id, shared);
    }
    shared.count += sign;
    for (const [name, amount] of Object.entries(consumedCapacity))
      shared.consumed.set(
        name,
        (shared.consumed.get(name) ?? 0n) + BigInt(sign) * (quantityNano(amount) ?? 0n),
      );
    if (shared.count <= 0) this.#shared.delete(id);
  }

  /** Changes whenever somebody gets or gives back a device of the pool. */
  version(poolId: string): number {
    return this.#versions.get(poolId) ?? 0;
  }

  isTaken(id: string): boolean {
    return this.#taken.has(id);
  }

  /** One of its devices is somebody else's too. */
  isContested(allocation: Allocation | undefined): boolean {
    return (allocation?.devices?.results ?? []).some(
      (one) => one.adminAccess !== true && (this.#taken.get(`${poolIdOf(one)}/${one.device}`) ?? 0) > 1,
    );
  }

  /** As a whole or in part. */
  isUsed(id: string): boolean {
    return this.#taken.has(id) || this.#shared.has(id);
  }

  /** By the names that the device has for its capacities. */
  consumed(id: string): Amounts {
    return this.#shared.get(id)?.consumed ?? nothing;
  }

  countersUsed(pool: Pool): Amounts {
    const known = this.#counters.get(pool.id);
    if (known !== undefined && known.pool === pool) return known.used;
    const used = new Map<string, bigint>();
    for (const one of pool.devices) if (this.isUsed(one.id)) addAmounts(used, countersOf(one), 1n);
    this.#counters.set(pool.id, { pool, used });
    return used;
  }
}

export function addAmounts(to: Map<string, bigint>, amounts: Amounts, sign: 1n | -1n): void {
  for (const [name, amount] of amounts) to.set(name, (to.get(name) ?? 0n) + sign * amount);
}

const known = new WeakMap<PoolDevice, Amounts>();

/** What a device takes of the counters of its pool. */
export function countersOf(one: PoolDevice): Amounts {
  const { consumesCounters = [] } = one.device;
  if (consumesCounters.length === 0) return nothing;
  let amounts = known.get(one);
  if (amounts === undefined) {
    const all = new Map<string, bigint>();
    for (const { counterSet, counters } of consumesCounters)
      for (const [name, { value }] of Object.entries(counters ?? {}))
        addAmounts(all, new Map([[`${counterSet}/${name}`, quantityNano(value) ?? 0n]]), 1n);
    amounts = all;
    known.set(one, amounts);
  }
  return amounts;
}
