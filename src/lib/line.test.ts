import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, NewestMap } from './line.ts';
import { SeededRandom } from './random.ts';

test('Line does what a Set does from which the first is taken', () => {
  const random = new SeededRandom(3);
  const line = new Line<number>();
  const set = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const key = random.integer(500);
    if (random.float() < 0.52) {
      line.add(key);
      set.add(key);
    } else if (set.size > 0) {
      const [first] = set;
      set.delete(first as number);
      assert.equal(line.take(), first);
    }
    assert.deepEqual([line.size, line.has(key)], [set.size, set.has(key)]);
  }
  line.clear();
  assert.deepEqual([line.size, line.has(1)], [0, false]);
  line.add(1);
  assert.equal(line.take(), 1);
});

test('NewestMap keeps what was set last', () => {
  const random = new SeededRandom(4);
  const newest = new NewestMap<number, number>(50);
  const map = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = random.integer(100);
    map.delete(key);
    if (random.float() < 0.2) newest.delete(key);
    else {
      newest.set(key, i);
      map.set(key, i);
      const [oldest] = map.keys();
      if (map.size > 50) map.delete(oldest as number);
    }
    assert.equal(newest.size, map.size);
    const asked = random.integer(100);
    assert.equal(newest.get(asked), map.get(asked));
  }
});
