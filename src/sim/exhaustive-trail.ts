/** A hash of a sequence of numbers, cheap to go on with: two lanes of 32 bits, mixed as MurmurHash3's finalizer does. */
export class Trail {
  readonly seed: number;
  #a: number;
  #b: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = 0x9e3779b9 | 0;
    this.#b = 0x85ebca6b | 0;
    this.mix(seed);
  }

  mix(...values: readonly number[]): void {
    for (const value of values) {
      this.#word(value | 0);
      this.#word(Math.floor(value / 2 ** 32) | 0);
      // Times have fractions.
      this.#word(((value % 1) * 2 ** 32) | 0);
    }
  }

  /** 53 bits. */
  value(): number {
    return (this.#a >>> 0) * 2 ** 21 + (this.#b >>> 11);
  }

  #word(word: number): void {
    this.#a = scramble(this.#a ^ word) + 0x27d4eb2f;
    this.#b = scramble(Math.imul(this.#b, 31) + word) ^ 0x165667b1;
  }
}

function scramble(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
