import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, KeyedBackoff } from './backoff.ts';
import { SeededRandom } from './random.ts';

test('Backoff.next() doubles up to its maximum and starts anew after reset()', () => {
  const backoff = new Backoff({ firstMs: 10, maxMs: 100 });
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => backoff.next()),
    [10, 20, 40, 80, 100, 100],
  );
  assert.equal(backoff.failures, 6);
  backoff.reset();
  assert.equal(backoff.next(), 10);
});

test('Backoff.next() forgives after a good stretch', () => {
  const backoff = new Backoff({ firstMs: 10, maxMs: 100, forgiveAfterMs: 1000 });
  assert.equal(backoff.next(0), 10);
  assert.equal(backoff.next(1000), 20);
  assert.equal(backoff.next(2001), 10);
});

test('KeyedBackoff keeps keys apart, jitters downwards only, and forgets what is reset', () => {
  const backoff = new KeyedBackoff<string>({
    firstMs: 100,
    maxMs: 1e6,
    jitter: 0.5,
    random: new SeededRandom(3),
  });
  for (let i = 0; i < 10; i++) {
    const whole = 100 * 2 ** i;
    const delay = backoff.next('a');
    assert.ok(delay > whole / 2 && delay <= whole, `${delay} is in (${whole / 2}, ${whole}]`);
  }
  assert.ok(backoff.next('b') <= 100);
  backoff.reset('a');
  assert.equal(backoff.size, 1);
  assert.equal(backoff.failures('a'), 0);
});
