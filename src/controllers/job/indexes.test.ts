import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import {
  countOf,
  firstFree,
  formatIndexes,
  hasIndex,
  overlapOf,
  readIndexes,
  union,
  withIndexes,
} from './indexes.ts';

for (const [text, completions, written] of [
  ['', 5, ''],
  ['0-2,4', 5, '0-2,4'],
  ['0,1,2', 5, '0-2'],
  ['0,1', 5, '0,1'],
  ['3-9', 5, '3,4'],
  ['1,7', 5, '1'],
  ['a,1,2-b,4', 5, '1,4'],
  [undefined, 5, ''],
] as const)
  test(`readIndexes() of "${text}" below ${completions} is ${written}`, () => {
    assert.equal(formatIndexes(readIndexes(text, completions)), written);
  });

/** Sets of numbers, one by one: what intervals must agree with. */
test('indexes agree with sets', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const completions = 1 + Math.floor(random.float() * 30);
    const some = (): Set<number> =>
      new Set(Array.from({ length: completions }, (_, at) => at).filter(() => random.float() < 0.5));
    const [a, b] = [some(), some()];
    const sorted = (set: Iterable<number>) => [...set].sort((x, y) => x - y);
    const [left, right] = [withIndexes([], sorted(a).reverse()), withIndexes([], b)];
    const members = (indexes: typeof left) =>
      indexes.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
    assert.deepEqual(members(left), sorted(a), `seed ${seed}`);
    assert.deepEqual(readIndexes(formatIndexes(left), completions), left, `seed ${seed}`);
    assert.equal(countOf(left), a.size, `seed ${seed}`);
    assert.deepEqual(members(union(left, right)), sorted(a.union(b)), `seed ${seed}`);
    assert.equal(overlapOf(left, right), a.intersection(b).size, `seed ${seed}`);
    for (let index = 0; index <= completions; index++)
      assert.equal(hasIndex(left, index), a.has(index), `seed ${seed}, index ${index}`);
    const count = Math.floor(random.float() * 10);
    const free = Array.from({ length: completions }, (_, at) => at).filter((at) => !a.has(at));
    assert.deepEqual(firstFree(left, count, completions), free.slice(0, count), `seed ${seed}`);
  }
});
