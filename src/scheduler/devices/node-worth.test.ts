import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { NodeWorth, type PodKind } from './node-worth.ts';
import { shareValues } from './share-values.ts';

const seed = process.env['CAELUM_SEED'] ?? '1';

test('shareValues() prices shares by what fits beside them', () => {
  const values = shareValues([
    { milli: 810, weight: 100 },
    { milli: 470, weight: 50 },
    { milli: 160, weight: 10 },
  ]);
  assert.equal(values[1000], 1);
  assert.equal(values[810], 1, 'nothing but small shares fits beside 810: it costs the whole');
  assert.equal(values[470], 0.5);
  assert.equal(values[190], 0, 'there is more room beside 810 than there are shares of 160');
  assert.equal(values[939], 1, 'room for 810');
});

test('shareValues() knows no better than amounts where nothing is asked', () => {
  const values = shareValues([]);
  assert.equal(values[1000], 1);
  assert.equal(values[250], 0.25);
});

test('shareValues() tells thirds from what is a little more', () => {
  const values = shareValues([{ milli: 333, weight: 7 }]);
  assert.ok(Math.abs((values[333] ?? 0) - 1 / 3) < 1e-9);
  assert.ok(Math.abs((values[999] ?? 0) - 1) < 1e-9);
  assert.equal(shareValues([{ milli: 334, weight: 7 }])[334], 0.5);
});

test('shareValues() is worth no less for more, and parts are worth no more than the whole of them', () => {
  const random = new SeededRandom(`share-values ${seed}`);
  for (let round = 0; round < 40; round++) {
    const sizes = Array.from({ length: 1 + random.integer(12) }, () => ({
      milli: 10 * (1 + random.integer(100)),
      weight: 1 + random.integer(50),
    }));
    const values = shareValues(sizes);
    const told = `CAELUM_SEED=${seed}, round ${round}`;
    assert.equal(values[0], 0, told);
    assert.ok(Math.abs((values[1000] ?? 0) - 1) < 1e-9, told);
    for (let part = 1; part <= 1000; part++)
      assert.ok((values[part] ?? 0) >= (values[part - 1] ?? 0), `${part} of ${told}`);
    for (let tries = 0; tries < 100; tries++) {
      const a = random.integer(1001);
      const b = random.integer(1001 - a);
      assert.ok((values[a] ?? 0) + (values[b] ?? 0) <= (values[a + b] ?? 0) + 1e-6, `${a} + ${b} of ${told}`);
    }
  }
});

const kinds: readonly PodKind[] = [
  { cpuMilli: 3000, memoryBytes: 2 ** 30, count: 1, milli: 810, models: [], weight: 30 },
  { cpuMilli: 8000, memoryBytes: 2 ** 31, count: 1, milli: 470, models: ['T4'], weight: 20 },
  { cpuMilli: 4000, memoryBytes: 2 ** 31, count: 1, milli: 1000, models: [], weight: 50 },
  { cpuMilli: 16_000, memoryBytes: 2 ** 33, count: 2, milli: 1000, models: [], weight: 5 },
  { cpuMilli: 1000, memoryBytes: 2 ** 30, count: 2, milli: 300, models: ['T4', 'A10'], weight: 3 },
];

test('NodeWorth.bestOf() is the best of what each GPU by itself would leave', () => {
  const random = new SeededRandom(`node-worth ${seed}`);
  const worth = new NodeWorth(kinds);
  for (let round = 0; round < 500; round++) {
    const free = Int32Array.from({ length: 1 + random.integer(5) }, () => 10 * random.integer(101));
    const milli = 10 * (1 + random.integer(100));
    if (!free.some((one) => one >= milli)) continue;
    const cpu = 500 * random.integer(60);
    const memory = 2 ** 29 * random.integer(40);
    const model = random.float() < 0.5 ? 'T4' : 'P100';
    const found = worth.bestOf(cpu, memory, free, model, milli);
    const { chosen } = worth;
    const each = Array.from(free, (part, at) => {
      const left = free.slice();
      left[at] = part - milli;
      return part < milli ? Number.NEGATIVE_INFINITY : worth.of(cpu, memory, left, model);
    });
    const told = `CAELUM_SEED=${seed}, round ${round}`;
    assert.ok(Math.abs(found - Math.max(...each)) < 1e-6, told);
    assert.ok(Math.abs((each[chosen] ?? 0) - found) < 1e-6, told);
  }
});

test('NodeWorth holds a node without processors for less than one that has some', () => {
  const worth = new NodeWorth(kinds);
  const free = Int32Array.of(1000, 1000);
  assert.ok(worth.of(1000, 2 ** 33, free, 'T4') < worth.of(16_000, 2 ** 33, free, 'T4'));
  assert.ok(worth.of(16_000, 2 ** 20, free, 'T4') < worth.of(16_000, 2 ** 33, free, 'T4'));
  assert.equal(worth.of(16_000, 2 ** 33, Int32Array.of(0, 0), 'T4'), 0);
});
