import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowCounts } from './row-counts.ts';

test('RowCounts.at() says 0 of rows that hold none, also of those beyond its column', () => {
  const counts = new RowCounts(100);
  for (let row = 0; row < 100; row++) counts.add(row, 1);
  counts.add(7, 1);
  assert.deepEqual(
    [0, 7, 99, 100, 5000].map((row) => counts.at(row)),
    [1, 2, 1, 0, 0],
  );
});
