/**
 * What happened to pools of devices lately, for those who keep answers about them: each reads on from where it stopped. Pure.
 * Invariant: who is further behind than what is kept cannot read on, and asks anew.
 */
export interface PoolChange {
  readonly poolId: string;
  /** The nodes that see other devices of it than before; undefined: only who has which of them is another. */
  readonly nodes: readonly string[] | undefined;
}

const kept = 1 << 14;

export class PoolChanges {
  #entries: PoolChange[] = [];
  #start = 0;
  /** Changes when a pool that many nodes may reach is another. */
  wideVersion = 0;

  get end(): number {
    return this.#start + this.#entries.length;
  }

  add(change: PoolChange): void {
    if (this.#entries.length >= 2 * kept) {
      this.#start += kept;
      this.#entries = this.#entries.slice(kept);
    }
    this.#entries.push(change);
  }

  reaches(from: number): boolean {
    return from >= this.#start;
  }

  at(index: number): PoolChange {
    return this.#entries[index - this.#start] as PoolChange;
  }
}
