/**
 * What happened on nodes lately, for those who keep figures about them: each reads on from where it stopped. Pure.
 * Invariant: who is more than `kept` entries behind cannot read on, and counts anew.
 */
import type { Kin } from './pod-table.ts';

const kept = 1 << 15;

export class ChangeLog {
  readonly #rows = new Int32Array(kept);
  /** Undefined: something else of the node changed. */
  readonly #kins: (Kin | undefined)[] = new Array<Kin | undefined>(kept).fill(undefined);
  readonly #signs = new Int8Array(kept);
  /** Where the next entry will be. */
  end = 0;

  add(row: number, kin: Kin | undefined, sign: number): void {
    const at = this.end++ & (kept - 1);
    this.#rows[at] = row;
    this.#kins[at] = kin;
    this.#signs[at] = sign;
  }

  reaches(from: number): boolean {
    return this.end - from <= kept;
  }

  row(at: number): number {
    return this.#rows[at & (kept - 1)] as number;
  }

  kin(at: number): Kin | undefined {
    return this.#kins[at & (kept - 1)];
  }

  sign(at: number): number {
    return this.#signs[at & (kept - 1)] as number;
  }
}
