/**
 * What lacks on each row, and how many rows lack it. Pure. Each combination of reasons is kept once.
 * Invariant: a combination's count is the number of rows that have its number.
 */

const nothing = -1;

export class Lacks {
  /** By row. */
  readonly #of: Int16Array;
  readonly #reasons: (readonly string[])[] = [];
  readonly #counts: number[] = [];
  readonly #numbers = new Map<string, number>();
  #version = 0;

  constructor(rows: number) {
    this.#of = new Int16Array(rows).fill(nothing);
  }

  /** Changes whenever a count does. */
  get version(): number {
    return this.#version;
  }

  /** From the start; of as many rows. */
  copy(other: Lacks): void {
    this.#of.set(other.#of);
    this.#reasons.push(...other.#reasons);
    this.#counts.push(...other.#counts);
    for (const [key, number] of other.#numbers) this.#numbers.set(key, number);
  }

  /** Undefined: nothing lacks. */
  on(row: number): readonly string[] | undefined {
    return this.#reasons[this.#of[row] as number];
  }

  set(row: number, reasons: readonly string[] | undefined): void {
    const before = this.#of[row] as number;
    if (reasons === undefined && before < 0) return;
    const number = reasons === undefined ? nothing : this.#numberOf(reasons);
    if (number === before) return;
    if (before >= 0) this.#counts[before] = (this.#counts[before] as number) - 1;
    if (number >= 0) this.#counts[number] = (this.#counts[number] as number) + 1;
    this.#of[row] = number;
    this.#version++;
  }

  /** Every reason, for so many rows: one may come more than once. */
  each(tell: (reason: string, rows: number) => void): void {
    for (const [number, reasons] of this.#reasons.entries())
      for (const reason of reasons) tell(reason, this.#counts[number] as number);
  }

  #numberOf(reasons: readonly string[]): number {
    const key = reasons.length === 1 ? (reasons[0] as string) : reasons.join('\n');
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#reasons.push(reasons) - 1;
      this.#numbers.set(key, number);
      this.#counts[number] = 0;
    }
    return number;
  }
}
