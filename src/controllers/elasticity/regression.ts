/**
 * A linear regression that learns as it goes and forgets what is long ago (recursive least squares). Pure; as small as its count of features, squared.
 *
 * Innovations that are far greater than usual are clipped: one outlier teaches little.
 */

export interface RegressionState {
  readonly weights: readonly number[];
  readonly spread: readonly number[];
  readonly usual: number;
}

/** How sure it is at first of its weights, which are zero: not very. */
const firstSpread = 10;
const spreadMax = 1e4;
const clipTimes = 3;

export class Regression {
  readonly #count: number;
  readonly #weights: Float64Array;
  /** Row by row. */
  readonly #spread: Float64Array;
  #usual: number;

  constructor(count: number, state?: RegressionState) {
    this.#count = count;
    this.#weights = new Float64Array(count);
    this.#spread = new Float64Array(count * count);
    const isWhole = (values: readonly number[], length: number): boolean =>
      values.length === length && values.every(Number.isFinite);
    if (
      state !== undefined &&
      isWhole(state.weights, count) &&
      isWhole(state.spread, count * count) &&
      Number.isFinite(state.usual)
    ) {
      this.#weights.set(state.weights);
      this.#spread.set(state.spread);
      this.#usual = state.usual;
      return;
    }
    for (let i = 0; i < count; i++) this.#spread[i * count + i] = firstSpread;
    this.#usual = 0;
  }

  predict(features: readonly number[]): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += (this.#weights[i] ?? 0) * (features[i] ?? 0);
    return sum;
  }

  /** `keep`: the share of what was learnt that stays, in (0, 1]. */
  learn(features: readonly number[], truth: number, keep: number): void {
    const count = this.#count;
    const gains = new Float64Array(count);
    let known = keep;
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += (this.#spread[i * count + j] ?? 0) * (features[j] ?? 0);
      gains[i] = sum;
      known += (features[i] ?? 0) * sum;
    }
    if (!(known > 0) || !Number.isFinite(known)) return;
    const raw = truth - this.predict(features);
    if (!Number.isFinite(raw)) return;
    const most = this.#usual > 0 ? this.#usual * clipTimes : Number.POSITIVE_INFINITY;
    const innovation = Math.min(Math.max(raw, -most), most);
    this.#usual += (Math.abs(innovation) - this.#usual) * (this.#usual === 0 ? 1 : 0.01);
    let trace = 0;
    for (let i = 0; i < count; i++) trace += this.#spread[i * count + i] ?? 0;
    // Where nothing happens nothing is learnt, and doubt must not grow without end.
    const fading = trace > spreadMax ? 1 : keep;
    for (let i = 0; i < count; i++)
      this.#weights[i] = (this.#weights[i] ?? 0) + ((gains[i] ?? 0) / known) * innovation;
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) {
        const at = i * count + j;
        this.#spread[at] = ((this.#spread[at] ?? 0) - ((gains[i] ?? 0) * (gains[j] ?? 0)) / known) / fading;
      }
  }

  state(): RegressionState {
    const short = (value: number): number => Number(value.toPrecision(6));
    return {
      weights: [...this.#weights].map(short),
      spread: [...this.#spread].map(short),
      usual: short(this.#usual),
    };
  }
}
