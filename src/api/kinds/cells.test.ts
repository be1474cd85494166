import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, humanDuration, labelsCell } from './cells.ts';

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;
const y = 365 * d;

for (const [ms, text] of [
  [-2 * s, '<invalid>'],
  [-1 * s, '0s'],
  [0, '0s'],
  [999, '0s'],
  [59 * s, '59s'],
  [119 * s, '119s'],
  [2 * m, '2m'],
  [5 * m + 12 * s, '5m12s'],
  [10 * m + 30 * s, '10m'],
  [179 * m, '179m'],
  [3 * h, '3h'],
  [7 * h + 59 * m, '7h59m'],
  [8 * h + 30 * m, '8h'],
  [47 * h, '47h'],
  [2 * d, '2d'],
  [2 * d + 4 * h, '2d4h'],
  [7 * d + 23 * h, '7d23h'],
  [8 * d + h, '8d'],
  [729 * d, '729d'],
  [2 * y, '2y'],
  [3 * y + 12 * d, '3y12d'],
  [8 * y + 12 * d, '8y'],
] as const) {
  test(`humanDuration(${ms}) is ${text}`, () => assert.equal(humanDuration(ms), text));
}

test('ageOf() says when it does not know', () => {
  for (const time of [undefined, null, '', 'yesterday']) assert.equal(ageOf(time, 0), '<unknown>');
  assert.equal(ageOf('1970-01-01T00:00:00Z', 61_000), '61s');
  assert.equal(ageOf('1970-01-01T00:00:00.500000Z', 61_000), '60s');
});

test('labelsCell() sorts', () => {
  assert.equal(labelsCell({ b: '2', a: '1' }), 'a=1,b=2');
  assert.equal(labelsCell({}), '<none>');
  assert.equal(labelsCell(undefined), '<none>');
});
