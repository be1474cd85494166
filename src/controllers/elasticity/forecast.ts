/**
 * Forecasts a demand from its own past: how it goes over a season (a day), how it stands now, and how wrong each way of forecasting has been. Pure.
 *
 *   samples ─▶ smoothed `now` ─▶ steps ─▶ profile of the season (one figure a step, learnt from season to season)
 *                          └─▶ each minute every method says what it expects a horizon ahead; when that time comes it is held against what was
 *
 * Methods: `steady` (nothing changes), `scaled` (the profile, as much of it as of late), `learnt` (a regression on how it went in the last minutes and how
 * the profile goes on). The best of late is used, and how the truth has stood to it tells the demand at a percentile.
 *
 * Bounded: at most `stepsMax` figures of the profile, `ratioMax / ratioGrain` of each method. Outliers are clipped before they are learnt; gaps are skipped.
 */
import { type MethodState, Methods, type methodNames } from './forecast-methods.ts';
import { Regression, type RegressionState } from './regression.ts';

export interface ForecastState {
  readonly seasonMs: number;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Steps seen in all. */
  readonly steps: number;
  /** How the demand stands to the profile of late. */
  readonly level: number;
  /** How far it lies off the profile on average, as a share of it. */
  readonly spread: number;
  readonly profile: readonly number[];
  /** Seasons in which each step was seen. */
  readonly seen: readonly number[];
  readonly methods: readonly MethodState[];
  readonly regression: RegressionState;
}

/** The most of the demand between now and some time ahead. */
export interface Outlook {
  readonly expected: number;
  /** At the percentile asked for. */
  readonly demand: number;
}

export interface Forecast extends Outlook {
  /** Further ahead: what is needed then is not taken away now. */
  readonly later: Outlook;
  readonly method: (typeof methodNames)[number];
  /** Mean error of late as a share of the demand: of the best method with a profile, and of `steady`. */
  readonly error: number | undefined;
  readonly steadyError: number | undefined;
  /** Since the first step. */
  readonly historyMs: number;
}

const [stepsMin, stepsMax] = [48, 672];
const fineStepMs = 300_000;
/** Half-lives. */
const smoothMs = 30_000;
const levelMs = 1_800_000;
const [shortMs, longMs] = [240_000, 1_200_000];
/** Features of the regression. */
const featureCount = 4;
const regressionSeasons = 2;
/** After a gap as long, `now` begins anew. */
const gapMs = 300_000;
const askEveryMs = 60_000;
/** What was at a time: the mean of what was heard so long before and after. */
const aroundMs = 30_000;
const recentMax = 64;
/** Where a step is learnt anew: by so much of what was seen. */
const learnLeast = 0.3;
const clipSpreads = 4;

interface Now {
  readonly atMs: number;
  /** Smoothed over a minute, over some, over more. */
  readonly value: number;
  readonly short: number;
  readonly long: number;
}

/** As many minutes as a horizon has at most. */
const askedMax = 64;

const halved = (ms: number, halfLifeMs: number): number => 0.5 ** (ms / halfLifeMs);

export class Forecaster {
  readonly #stepMs: number;
  readonly #seasonMs: number;
  readonly #count: number;
  readonly #profile: Float64Array;
  readonly #seen: Uint32Array;
  readonly #methods: Methods;
  #firstStep = -1;
  #lastStep = -1;
  #steps = 0;
  #level = 1;
  #spread = 0;
  readonly #regression: Regression;
  #now: Now | undefined;
  /** Samples of the last minutes. */
  #recent: { readonly atMs: number; readonly demand: number }[] = [];
  /** What the regression said from, until it can be told how it was. */
  #asked: {
    readonly dueMs: number;
    readonly features: readonly number[];
    readonly now: number;
    readonly scale: number;
  }[] = [];
  #open: { step: number; sum: number; count: number } | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(seasonMs: number, state?: ForecastState) {
    this.#seasonMs = seasonMs;
    this.#count = stepsOf(seasonMs);
    this.#stepMs = seasonMs / this.#count;
    this.#profile = new Float64Array(this.#count);
    this.#seen = new Uint32Array(this.#count);
    const fits =
      state !== undefined &&
      state.seasonMs === seasonMs &&
      state.profile.length === this.#count &&
      state.profile.every((value) => Number.isFinite(value) && value >= 0);
    this.#methods = new Methods(seasonMs, fits ? state.methods : []);
    this.#regression = new Regression(featureCount, fits ? state.regression : undefined);
    if (!fits) return;
    this.#profile.set(state.profile);
    this.#seen.set(state.seen.slice(0, this.#count));
    this.#firstStep = state.firstStep;
    this.#lastStep = state.lastStep;
    this.#steps = state.steps;
    this.#level = Number.isFinite(state.level) && state.level > 0 ? state.level : 1;
    this.#spread = Number.isFinite(state.spread) ? Math.max(0, state.spread) : 0;
  }

  get seasonMs(): number {
    return this.#seasonMs;
  }

  /** How much has been seen, in steps: changes when there is something to keep. */
  get steps(): number {
    return this.#steps;
  }

  /** A sample of the demand. `atMs`: of the wall clock, since seasons go by it. What is older than the newest is left out. */
  add(atMs: number, demand: number, horizonMs: number): void {
    if (!Number.isFinite(demand) || demand < 0 || !Number.isFinite(atMs)) return;
    const step = Math.floor(atMs / this.#stepMs);
    if (this.#now !== undefined && atMs <= this.#now.atMs) {
      // A clock that was set back by long: what comes now is the newest again.
      if (this.#now.atMs - atMs < this.#stepMs) return;
      this.#forgetNow();
    }
    const now = this.#now;
    const passedMs = now === undefined ? gapMs : atMs - now.atMs;
    const mixed = (before: number | undefined, halfLifeMs: number): number => {
      if (before === undefined || passedMs >= gapMs) return demand;
      const share = halved(passedMs, halfLifeMs);
      return before * share + demand * (1 - share);
    };
    const value = mixed(now?.value, smoothMs);
    const next: Now = { atMs, value, short: mixed(now?.short, shortMs), long: mixed(now?.long, longMs) };
    this.#recent.push({ atMs, demand });
    while ((this.#recent[0]?.atMs ?? atMs) < atMs - 4 * aroundMs || this.#recent.length > recentMax)
      this.#recent.shift();
    // What was said of a time is held against what was around it: a smoothed figure would come late.
    const settledMs = atMs - aroundMs;
    this.#methods.judge(settledMs, (dueMs) => this.#truthAt(dueMs));
    this.#teach(settledMs);
    this.#follow(now, atMs, value);
    if (this.#open !== undefined && this.#open.step !== step) this.#close(this.#open);
    this.#open ??= { step, sum: 0, count: 0 };
    this.#open.sum += demand;
    this.#open.count++;
    this.#now = next;
    if (atMs - this.#askedMs < askEveryMs) return;
    this.#askedMs = atMs;
    const dueMs = atMs + horizonMs;
    this.#methods.expect(dueMs, this.#say(dueMs, horizonMs));
    const features = this.#features(next, dueMs);
    if (features !== undefined) this.#asked.push({ dueMs, now: value, ...features });
    if (this.#asked.length > askedMax) this.#asked.shift();
  }

  /** `holdMs`: how much further ahead the later outlook goes. */
  forecast(horizonMs: number, percentile: number, holdMs = 0): Forecast | undefined {
    const now = this.#now;
    if (now === undefined) return undefined;
    const { best, error, steadyError } = this.#methods.compare();
    const reserve = this.#methods.reserve(best, percentile / 100);
    const outlook = (untilMs: number): Outlook => {
      let [expected, demand] = [now.value, now.value];
      const strideMs = Math.max(15_000, Math.min(this.#stepMs, untilMs / 4));
      for (let ahead = strideMs; ahead < untilMs + strideMs; ahead += strideMs) {
        const said = this.#say(now.atMs + Math.min(ahead, untilMs), horizonMs)[best];
        expected = Math.max(expected, said);
        demand = Math.max(demand, said + reserve);
      }
      return { expected, demand };
    };
    const historyMs = this.#firstStep < 0 ? 0 : (this.#lastStep + 1 - this.#firstStep) * this.#stepMs;
    return {
      ...outlook(horizonMs),
      later: outlook(horizonMs + holdMs),
      method: best,
      error,
      steadyError,
      historyMs,
    };
  }

  state(): ForecastState {
    return {
      seasonMs: this.#seasonMs,
      firstStep: this.#firstStep,
      lastStep: this.#lastStep,
      steps: this.#steps,
      level: rounded(this.#level),
      spread: rounded(this.#spread),
      profile: [...this.#profile].map(rounded),
      seen: [...this.#seen],
      methods: this.#methods.state(),
      regression: this.#regression.state(),
    };
  }

  #forgetNow(): void {
    this.#now = undefined;
    this.#open = undefined;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#methods.forgetExpected();
    this.#asked = [];
    this.#recent = [];
  }

  /** undefined: nothing was heard around that time. */
  #truthAt(dueMs: number): number | undefined {
    let [sum, count] = [0, 0];
    for (const { atMs, demand } of this.#recent)
      if (Math.abs(atMs - dueMs) <= aroundMs) {
        sum += demand;
        count++;
      }
    return count === 0 ? undefined : sum / count;
  }

  /** Of what the regression said from for the times up to now, what came of it. */
  #teach(settledMs: number): void {
    while (this.#asked[0] !== undefined && this.#asked[0].dueMs <= settledMs) {
      const asked = this.#asked.shift();
      const truth = asked === undefined ? undefined : this.#truthAt(asked.dueMs);
      if (asked === undefined || truth === undefined) continue;
      const keep = halved(askEveryMs, this.#seasonMs * regressionSeasons);
      this.#regression.learn(asked.features, (truth - asked.now) / asked.scale, keep);
    }
  }

  /** How it went in the last minutes, how the profile goes on, and where that would lead. As shares of the demand of late. */
  #features(
    now: Now,
    atMs: number,
  ): { readonly features: readonly number[]; readonly scale: number } | undefined {
    const scale = Math.max(now.long, now.value);
    if (scale <= 0) return undefined;
    const [then, usual] = [this.#usual(atMs), this.#usual(now.atMs)];
    const known = then !== undefined && usual !== undefined;
    return {
      scale,
      features: [
        (now.value - now.short) / scale,
        (now.value - now.long) / scale,
        known ? ((then - usual) * clip(this.#level, 0.2, 5)) / scale : 0,
        known ? clip((then * this.#level - now.value) / scale, -1, 1) : 0,
      ],
    };
  }

  /** How the demand stands to the profile. */
  #follow(before: { atMs: number } | undefined, atMs: number, value: number): void {
    const usual = this.#usual(atMs);
    if (usual === undefined || usual <= 0) return;
    const share = before === undefined ? 1 : halved(Math.min(gapMs, atMs - before.atMs), levelMs);
    this.#level = this.#level * share + clip(value / usual, 0.1, 10) * (1 - share);
  }

  #close({ step, sum, count }: { step: number; sum: number; count: number }): void {
    this.#open = undefined;
    const slot = step % this.#count;
    const seen = this.#seen[slot] ?? 0;
    const usual = this.#profile[slot] ?? 0;
    let mean = sum / count;
    if (seen >= 2) {
      const width = Math.max(this.#spread, 0.02) * clipSpreads * Math.max(usual, 1);
      mean = clip(mean, usual - width, usual + width);
    }
    if (seen > 0 && usual > 0) {
      const off = Math.min(1, Math.abs(mean - usual) / usual);
      this.#spread += (off - this.#spread) * 0.02;
    }
    const learnt = Math.max(learnLeast, 1 / (seen + 1));
    this.#profile[slot] = usual + (mean - usual) * learnt;
    this.#seen[slot] = Math.min(seen + 1, 1000);
    if (this.#firstStep < 0) this.#firstStep = step;
    this.#lastStep = Math.max(this.#lastStep, step);
    this.#steps++;
  }

  /** What each method expects at a time. The regression speaks of the horizon: before it, in proportion; after it, the profile goes on. */
  #say(atMs: number, horizonMs: number): Readonly<Record<(typeof methodNames)[number], number>> {
    const now = this.#now;
    if (now === undefined) return { steady: 0, scaled: 0, learnt: 0 };
    const then = this.#usual(atMs);
    const found = this.#features(now, now.atMs + horizonMs);
    const change = found === undefined ? 0 : this.#regression.predict(found.features) * found.scale;
    const share = Math.min(1, (atMs - now.atMs) / horizonMs);
    const atHorizon = this.#usual(now.atMs + horizonMs);
    const further =
      atMs <= now.atMs + horizonMs || then === undefined || atHorizon === undefined
        ? 0
        : (then - atHorizon) * clip(this.#level, 0.2, 5);
    return {
      steady: now.value,
      scaled: then === undefined ? now.value : then * this.#level,
      learnt: Math.max(0, now.value + clip(change, -now.value, 2 * now.value) * share + further),
    };
  }

  /** The profile at a time: neighbours weigh in, and between two steps it goes from one to the other. */
  #usual(atMs: number): number | undefined {
    const place = atMs / this.#stepMs - 0.5;
    const left = Math.floor(place);
    const [a, b] = [this.#smooth(left), this.#smooth(left + 1)];
    if (a === undefined || b === undefined) return a ?? b;
    return a + (b - a) * (place - left);
  }

  #smooth(step: number): number | undefined {
    let sum = 0;
    let weight = 0;
    for (let off = -2; off <= 2; off++) {
      const slot = (((step + off) % this.#count) + this.#count) % this.#count;
      if ((this.#seen[slot] ?? 0) === 0) {
        if (off === 0) return undefined;
        continue;
      }
      sum += (this.#profile[slot] ?? 0) * (3 - Math.abs(off));
      weight += 3 - Math.abs(off);
    }
    return weight === 0 ? undefined : sum / weight;
  }
}

/** Of five minutes for a day; no more than fit for a week, no fewer than a curve needs for an hour. */
const stepsOf = (seasonMs: number): number => clip(Math.ceil(seasonMs / fineStepMs), stepsMin, stepsMax);

const clip = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** Four figures are enough to remember. */
const rounded = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(4)));
