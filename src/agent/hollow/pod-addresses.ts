/** Addresses for hollow pods, out of 10.64.0.0/10. Invariant: no address is given out twice while it is in use. */
const first = (10 << 24) + (64 << 16) + 2;
const count = 2 ** 22 - 4;

export class PodAddresses {
  readonly #used = new Set<string>();
  #next: number;

  /** `start`: how far into the range the first one is. */
  constructor(start = 0) {
    this.#next = start;
  }

  take(address: string): void {
    this.#used.add(address);
  }

  allocate(): string {
    for (let tries = 0; tries < count; tries++) {
      const value = first + (this.#next++ % count);
      const address = `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
      if (this.#used.has(address)) continue;
      this.#used.add(address);
      return address;
    }
    throw new Error('assertion failed: four million pod addresses in use');
  }

  release(address: string): void {
    this.#used.delete(address);
  }
}
