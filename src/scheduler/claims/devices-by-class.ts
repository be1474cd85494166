/** How many devices there are of each class, whoever has them; kept current pool by pool. Pure. */
import type { DeviceClass } from '../../api/index.ts';
import type { Selections } from './claim-form.ts';
import type { DevicePools, Pool } from './device-pools.ts';

export class DevicesByClass {
  readonly #changed = new Set<string>();
  readonly #ofPools = new Map<string, ReadonlyMap<string, number>>();
  #classVersion = -1;
  #counts: ReadonlyMap<string, number> = new Map();

  poolChanged(poolId: string): void {
    this.#changed.add(poolId);
  }

  /** The same object while it says the same. */
  counts(
    pools: DevicePools,
    classes: ReadonlyMap<string, DeviceClass>,
    classVersion: number,
    selections: Selections,
  ): ReadonlyMap<string, number> {
    if (this.#classVersion !== classVersion) {
      this.#classVersion = classVersion;
      for (const poolId of this.#ofPools.keys()) this.#changed.add(poolId);
    }
    if (this.#changed.size === 0) return this.#counts;
    const counts = new Map(this.#counts);
    const add = (own: ReadonlyMap<string, number> | undefined, sign: 1 | -1): void => {
      for (const [name, count] of own ?? []) {
        const now = (counts.get(name) ?? 0) + sign * count;
        if (now > 0) counts.set(name, now);
        else counts.delete(name);
      }
    };
    for (const poolId of this.#changed) {
      add(this.#ofPools.get(poolId), -1);
      const pool = pools.pool(poolId);
      const own = pool === undefined ? undefined : ofPool(pool, classes, selections);
      add(own, 1);
      if (own === undefined) this.#ofPools.delete(poolId);
      else this.#ofPools.set(poolId, own);
    }
    this.#changed.clear();
    const isSame = [...counts].every(([name, count]) => this.#counts.get(name) === count);
    if (!isSame || counts.size !== this.#counts.size) this.#counts = counts;
    return this.#counts;
  }
}

function ofPool(
  { devices }: Pool,
  classes: ReadonlyMap<string, DeviceClass>,
  selections: Selections,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [name, { spec }] of classes) {
    const selectors = (spec?.selectors ?? []).map(({ cel }) => ({
      expression: cel?.expression ?? '',
      whose: `class ${name}`,
    }));
    const own = devices.filter((one) => selections.ask({ selectors }, one) === true).length;
    if (own > 0) counts.set(name, own);
  }
  return counts;
}
