/** Forecasts of demands that are known: what is learnt, what gaps, outliers and clocks do to it, and that it is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { Forecaster } from './forecast.ts';

const hour = 3_600_000;
const day = 24 * hour;
const horizon = 600_000;
const start = Date.UTC(2026, 0, 1);

const wave = (atMs: number): number => 1000 + 800 * Math.sin((2 * Math.PI * atMs) / day);

/** Fed for so long; `demand` undefined: nothing is heard. */
function feed(
  forecaster: Forecaster,
  fromMs: number,
  forMs: number,
  demand: (atMs: number) => number | undefined,
): void {
  for (let atMs = fromMs; atMs < fromMs + forMs; atMs += 30_000) {
    const value = demand(atMs);
    if (value !== undefined) forecaster.add(atMs, value, horizon);
  }
}

/** The worst that a forecast of the median was off by, over a day. */
function worstError(forecaster: Forecaster, fromMs: number, demand: (atMs: number) => number): number {
  let worst = 0;
  for (let atMs = fromMs; atMs < fromMs + day; atMs += 30_000) {
    forecaster.add(atMs, demand(atMs), horizon);
    if (atMs % hour !== 0) continue;
    const { demand: said = 0 } = forecaster.forecast(horizon, 50) ?? {};
    let most = 0;
    for (let ahead = 0; ahead <= horizon; ahead += 30_000) most = Math.max(most, wave(atMs + ahead));
    worst = Math.max(worst, Math.abs(said - most) / most);
  }
  return worst;
}

test('a season is learnt, and then used', () => {
  const random = new SeededRandom(7);
  const noisy = (atMs: number): number => wave(atMs) * (0.95 + random.float() * 0.1);
  const forecaster = new Forecaster(day);
  assert.equal(forecaster.forecast(horizon, 95), undefined);
  feed(forecaster, start, hour, noisy);
  assert.ok((forecaster.forecast(horizon, 95)?.historyMs ?? day) < 2 * hour, 'too short to be used');
  feed(forecaster, start + hour, 3 * day - hour, noisy);
  const now = forecaster.forecast(horizon, 95);
  assert.notEqual(now?.method, 'steady');
  assert.ok((now?.error ?? 1) < (now?.steadyError ?? 0), JSON.stringify(now));
  assert.equal(now?.historyMs, 3 * day - 300_000);
  assert.ok(worstError(forecaster, start + 3 * day, noisy) < 0.08);
});

test('gaps and outliers are got over', () => {
  const random = new SeededRandom(8);
  const forecaster = new Forecaster(day);
  feed(forecaster, start, 4 * day, (atMs) => {
    if ((atMs / hour) % 7 < 1) return undefined;
    if (random.integer(500) === 0) return wave(atMs) * 50;
    if (random.integer(500) === 0) return Number.NaN;
    if (random.integer(500) === 0) return -5;
    return wave(atMs);
  });
  assert.ok(worstError(forecaster, start + 4 * day, wave) < 0.12);
});

test('a demand that goes by no season is forecast as it is, within what it may become', () => {
  const random = new SeededRandom(9);
  const forecaster = new Forecaster(day);
  let walk = 1000;
  feed(forecaster, start, 4 * day, () => {
    walk = Math.max(100, walk + (random.float() - 0.5) * 20);
    return walk;
  });
  const { demand = 0, expected = 0 } = forecaster.forecast(horizon, 95) ?? {};
  assert.ok(Math.abs(expected - walk) < walk * 0.1, `${expected} of ${walk}`);
  // Steps of 10 at most: a hundred of them go about so far.
  assert.ok(demand > expected && demand < expected + 200, `${demand} of ${expected}`);
});

test('what was learnt is kept, is bounded, and of another season is nothing', () => {
  const forecaster = new Forecaster(day);
  feed(forecaster, start, 3 * day, wave);
  const state = forecaster.state();
  assert.equal(state.profile.length, 288);
  assert.ok(JSON.stringify(state).length < 8000, `${JSON.stringify(state).length} bytes`);
  const again = new Forecaster(day, JSON.parse(JSON.stringify(state)));
  feed(forecaster, start + 3 * day, hour, wave);
  feed(again, start + 3 * day, hour, wave);
  const [one, other] = [forecaster.forecast(horizon, 95), again.forecast(horizon, 95)];
  assert.equal(one?.method, other?.method);
  assert.ok(Math.abs((one?.demand ?? 0) - (other?.demand ?? 1)) < 20, `${one?.demand} ${other?.demand}`);
  assert.equal(new Forecaster(2 * day, state).steps, 0);
  assert.equal(new Forecaster(day, { ...state, profile: [Number.NaN] }).steps, 0);
  const week = new Forecaster(7 * day);
  feed(week, start, 8 * day, wave);
  assert.ok(JSON.stringify(week.state()).length < 20_000);
});

test('a clock that is set back is followed', () => {
  const forecaster = new Forecaster(day);
  feed(forecaster, start, 3 * day, wave);
  forecaster.add(start + 2 * day, wave(start), horizon);
  feed(forecaster, start + 2 * day + 30_000, hour, wave);
  const { demand = 0 } = forecaster.forecast(horizon, 50) ?? {};
  const now = start + 2 * day + hour;
  assert.ok(Math.abs(demand - wave(now + horizon)) / demand < 0.1, `${demand}`);
});
