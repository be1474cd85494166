import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameJson } from './equal.ts';

for (const [a, b, same] of [
  [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
  [{ a: undefined, b: 1 }, { b: 1 }, true],
  [{ b: 1 }, { a: undefined, b: 1 }, true],
  [{ a: null }, {}, false],
  [[1, 2], [2, 1], false],
  [[1], { 0: 1 }, false],
  ['1', 1, false],
  [null, {}, false],
] as const) {
  test(`sameJson() says ${same} for ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () =>
    assert.equal(sameJson(a, b), same));
}
