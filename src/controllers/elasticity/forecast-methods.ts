/**
 * How good each way of forecasting has been: its mean error, and how far the truth lay from what it said. Pure; bounded.
 *
 * Errors come in calm and in restless hours: each is held against the mean of the last hour before it is counted, so that what is said of a percentile is
 * wide when it was restless and narrow when it was calm.
 */

export const methodNames = ['steady', 'scaled', 'learnt'] as const;
type Name = (typeof methodNames)[number];

export interface MethodState {
  readonly name: string;
  readonly error: number;
  readonly weight: number;
  /** Mean error of the last hour. */
  readonly recent: number;
  /** Bin of how many times `recent` the truth lay above ─▶ weight. */
  readonly ratios: Readonly<Record<string, number>>;
}

interface Method {
  readonly name: Name;
  /** Sum of errors and of truths, both fading: their quotient is the mean error as a share. */
  error: number;
  weight: number;
  recent: number;
  readonly ratios: Float64Array;
}

interface Expected {
  readonly dueMs: number;
  readonly said: Readonly<Record<Name, number>>;
}

const grain = 0.1;
const [timesMin, timesMax] = [-4, 12];
const bins = Math.round((timesMax - timesMin) / grain) + 1;
const recentMs = 3_600_000;
/** What is expected for no longer than an hour, once a minute. */
const expectedMax = 64;
/** A method is left for one that is so much better: they do not take turns. `steady` is left for any that is better, since those tell what may come. */
const better = 0.97;

export class Methods {
  readonly #halfLifeMs: number;
  readonly #methods: readonly Method[];
  #expected: Expected[] = [];
  #judgedMs: number | undefined;
  #best: Name = 'steady';

  constructor(seasonMs: number, states: readonly MethodState[]) {
    this.#halfLifeMs = seasonMs;
    this.#methods = methodNames.map((name) => {
      const state = states.find((one) => one.name === name);
      const ratios = new Float64Array(bins);
      for (const [bin, weight] of Object.entries(state?.ratios ?? {}))
        if (Number(bin) < bins && Number.isFinite(weight)) ratios[Number(bin)] = Math.max(0, weight);
      const { error = 0, weight = 0, recent = 0 } = state ?? {};
      return { name, error, weight, recent, ratios };
    });
  }

  expect(dueMs: number, said: Readonly<Record<Name, number>>): void {
    this.#expected.push({ dueMs, said });
    if (this.#expected.length > expectedMax) this.#expected.shift();
  }

  forgetExpected(): void {
    this.#expected = [];
    this.#judgedMs = undefined;
  }

  /** Holds what was said of the times up to now against what was. `truthAt` undefined: it was not seen. */
  judge(settledMs: number, truthAt: (dueMs: number) => number | undefined): void {
    const due = this.#expected.filter(({ dueMs }) => dueMs <= settledMs);
    if (due.length === 0) return;
    this.#expected = this.#expected.filter(({ dueMs }) => dueMs > settledMs);
    const judged = due.flatMap(({ dueMs, said }) => {
      const truth = truthAt(dueMs);
      return truth === undefined ? [] : [{ truth, said }];
    });
    if (judged.length === 0) return;
    const atMs = settledMs;
    const passedMs = this.#judgedMs === undefined ? 0 : atMs - this.#judgedMs;
    this.#judgedMs = atMs;
    const faded = 0.5 ** (Math.max(0, passedMs) / this.#halfLifeMs);
    for (const method of this.#methods) {
      method.error *= faded;
      method.weight *= faded;
      for (let bin = 0; bin < bins; bin++) method.ratios[bin] = (method.ratios[bin] ?? 0) * faded;
      for (const { said, truth } of judged) {
        const value = said[method.name];
        const off = truth - value;
        method.error += Math.abs(off);
        method.weight += truth;
        if (method.recent > 0) {
          const times = Math.min(Math.max(off / method.recent, timesMin), timesMax);
          const bin = Math.round((times - timesMin) / grain);
          method.ratios[bin] = (method.ratios[bin] ?? 0) + 1;
        }
        const share = method.recent === 0 ? 1 : 1 - 0.5 ** (60_000 / recentMs);
        method.recent += (Math.abs(off) - method.recent) * share;
      }
    }
    this.#choose();
  }

  compare(): { best: Name; error: number | undefined; steadyError: number | undefined } {
    const [steady, ...others] = this.#methods.map(errorOf);
    const known = others.filter((error) => error !== undefined);
    return {
      best: this.#best,
      error: known.length === 0 ? undefined : Math.min(...known),
      steadyError: steady,
    };
  }

  /** How much more than a method says is enough, in so large a share of cases. */
  reserve(name: Name, share: number): number {
    const method = this.#methods.find((one) => one.name === name);
    if (method === undefined) return 0;
    const total = method.ratios.reduce((sum, weight) => sum + weight, 0);
    if (total < 10) return 0;
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) {
      sum += method.ratios[bin] ?? 0;
      if (sum >= share * total) return Math.max(0, timesMin + bin * grain) * method.recent;
    }
    return timesMax * method.recent;
  }

  state(): readonly MethodState[] {
    return this.#methods.map(({ name, error, weight, recent, ratios }) => {
      const kept: Record<string, number> = {};
      ratios.forEach((value, bin) => {
        if (value >= 0.05) kept[bin] = Number(value.toPrecision(3));
      });
      return {
        name,
        error: Number(error.toPrecision(4)),
        weight: Number(weight.toPrecision(4)),
        recent: Number(recent.toPrecision(4)),
        ratios: kept,
      };
    });
  }

  #choose(): void {
    const present = this.#methods.find(({ name }) => name === this.#best);
    let least = present === undefined ? undefined : errorOf(present);
    for (const method of this.#methods) {
      const error = errorOf(method);
      if (error === undefined || method.name === this.#best) continue;
      if (least !== undefined && error >= least * (this.#best === 'steady' ? 1 : better)) continue;
      least = error;
      this.#best = method.name;
    }
  }
}

const errorOf = ({ error, weight }: Method): number | undefined => (weight > 0 ? error / weight : undefined);
