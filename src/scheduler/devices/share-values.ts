/**
 * What a free part of a GPU is worth, for the shares that are asked here. Pure.
 *
 *   sizes and how often each is asked ─▶ cutting-stock linear program, by column generation ─▶ price of each size ─▶ worth of each free part
 *
 * The program packs all that is asked into as few GPUs as can be. Its dual prices say what a share really costs in GPUs: 810 thousandths that nothing else fits
 * beside cost a whole one, and 160 that fit there cost nothing. A free part is worth the dearest shares that fit into it together.
 * Invariants: a whole GPU is worth 1; of two parts the larger is worth no less.
 * Source: Gilmore and Gomory, "A linear programming approach to the cutting-stock problem" (1961).
 */
import { wholeMilli } from './gpu-ask.ts';

export interface ShareSize {
  readonly milli: number;
  readonly weight: number;
}

/** More sizes than these are told apart nowhere that it would matter. */
const sizesMax = 32;
const roundsMax = 400;
const epsilon = 1e-9;

/** Worth in GPUs, by free thousandths, 0 to 1000. Where nothing is known every thousandth is worth the same. */
export function shareValues(asked: readonly ShareSize[]): Float64Array {
  const sizes = [...asked]
    .filter(({ milli, weight }) => milli > 0 && milli <= wholeMilli && weight > 0)
    .sort((a, b) => b.weight * b.milli - a.weight * a.milli || b.milli - a.milli)
    .slice(0, sizesMax);
  if (sizes.length === 0) return Float64Array.from({ length: wholeMilli + 1 }, (_, at) => at / wholeMilli);
  const values = new Float64Array(wholeMilli + 1);
  const last = new Int16Array(wholeMilli + 1);
  const basis = new Basis(sizes);
  for (let round = 0; round < roundsMax; round++) {
    fill(sizes, basis.prices, values, last);
    if ((values[wholeMilli] ?? 0) <= 1 + epsilon) break;
    basis.enter(patternOf(sizes, last));
  }
  const whole = values[wholeMilli] ?? 1;
  return whole > 0 ? values.map((one) => one / whole) : values;
}

/** The dearest shares that fit into each part: an unbounded knapsack. `last`: one of them, or -1 where the part is worth what a smaller one is. */
function fill(
  sizes: readonly ShareSize[],
  prices: Float64Array,
  values: Float64Array,
  last: Int16Array,
): void {
  values[0] = 0;
  for (let part = 1; part <= wholeMilli; part++) {
    let best = values[part - 1] as number;
    let chosen = -1;
    for (let at = 0; at < sizes.length; at++) {
      const { milli } = sizes[at] as ShareSize;
      if (milli > part) continue;
      const worth = (values[part - milli] as number) + (prices[at] as number);
      if (worth > best + epsilon) {
        best = worth;
        chosen = at;
      }
    }
    values[part] = best;
    last[part] = chosen;
  }
}

function patternOf(sizes: readonly ShareSize[], last: Int16Array): Float64Array {
  const pattern = new Float64Array(sizes.length);
  for (let part = wholeMilli; part > 0; ) {
    const at = last[part] as number;
    if (at < 0) part--;
    else {
      pattern[at] = (pattern[at] as number) + 1;
      part -= (sizes[at] as ShareSize).milli;
    }
  }
  return pattern;
}

/** The patterns in use: as many as there are sizes. `inverse` is that of the matrix whose columns they are. */
class Basis {
  readonly #size: number;
  readonly #inverse: Float64Array[];
  /** How often each pattern is cut. */
  readonly #uses: Float64Array;
  readonly prices: Float64Array;

  constructor(sizes: readonly ShareSize[]) {
    this.#size = sizes.length;
    const fits = sizes.map(({ milli }) => Math.floor(wholeMilli / milli));
    this.#inverse = fits.map((fit, at) => {
      const line = new Float64Array(fits.length);
      line[at] = 1 / fit;
      return line;
    });
    this.#uses = Float64Array.from(sizes, ({ weight }, at) => weight / (fits[at] ?? 1));
    this.prices = new Float64Array(this.#size);
    this.#price();
  }

  /** A better pattern takes the place of the one that is used up first. */
  enter(pattern: Float64Array): void {
    const share = this.#inverse.map((line) => dot(line, pattern));
    let leaves = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.#size; at++) {
      const part = share[at] as number;
      const ratio = part > epsilon ? (this.#uses[at] as number) / part : Number.POSITIVE_INFINITY;
      if (ratio < least) {
        least = ratio;
        leaves = at;
      }
    }
    if (leaves < 0) return;
    const pivot = share[leaves] as number;
    const line = (this.#inverse[leaves] as Float64Array).map((one) => one / pivot);
    for (let at = 0; at < this.#size; at++) {
      const factor = share[at] as number;
      if (at === leaves || factor === 0) continue;
      const other = this.#inverse[at] as Float64Array;
      for (let k = 0; k < other.length; k++) other[k] = (other[k] as number) - factor * (line[k] as number);
      this.#uses[at] = Math.max(0, (this.#uses[at] as number) - factor * least);
    }
    this.#inverse[leaves] = line;
    this.#uses[leaves] = least;
    this.#price();
  }

  /** Every pattern costs one GPU: the prices of its shares add up to 1. */
  #price(): void {
    this.prices.fill(0);
    for (const line of this.#inverse)
      for (let at = 0; at < line.length; at++)
        this.prices[at] = (this.prices[at] as number) + (line[at] as number);
    for (let at = 0; at < this.prices.length; at++) this.prices[at] = Math.max(0, this.prices[at] as number);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
