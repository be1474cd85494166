/**
 * What happened to storage lately, for those who keep answers about it: each reads on from where it stopped. Pure.
 * Invariant: who is further behind than what is kept cannot read on, and asks anew.
 */
import type { PersistentVolume } from '../../api/index.ts';

export type StorageChange =
  /** One that may be taken, or might be until now. */
  | { readonly kind: 'volume'; readonly className: string; readonly volume: PersistentVolume }
  /** What is attached for a claim is another. */
  | { readonly kind: 'claim'; readonly key: string }
  /** How many volumes a node may have, or has, is another. */
  | { readonly kind: 'node'; readonly name: string };

const kept = 1 << 14;

export class StorageChanges {
  #entries: StorageChange[] = [];
  #start = 0;
  /** Changes when what many nodes say may be another. */
  wideVersion = 0;

  get end(): number {
    return this.#start + this.#entries.length;
  }

  add(change: StorageChange): void {
    if (this.#entries.length >= 2 * kept) {
      this.#start += kept;
      this.#entries = this.#entries.slice(kept);
    }
    this.#entries.push(change);
  }

  reaches(from: number): boolean {
    return from >= this.#start;
  }

  at(index: number): StorageChange {
    return this.#entries[index - this.#start] as StorageChange;
  }
}
