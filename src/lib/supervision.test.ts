import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Closing, RestartPolicy } from './supervision.ts';

test('RestartPolicy starts again at once, then ever later, and forgives', () => {
  const policy = new RestartPolicy();
  let nowMs = 0;
  const delays: number[] = [];
  for (let i = 0; i < 9; i++) {
    policy.started(nowMs);
    nowMs += 10;
    delays.push(policy.ended(nowMs));
  }
  assert.deepEqual(delays, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  policy.started(nowMs);
  assert.equal(policy.ended(nowMs + 10_000), 0);
});

test('Closing closes in reverse order, once, and goes on after a failure', async () => {
  const closing = new Closing();
  const closed: string[] = [];
  closing.add('a', () => void closed.push('a'));
  closing.add('b', () => {
    throw new Error('stuck');
  });
  closing.add('c', async () => void closed.push('c'));
  const [first, second] = await Promise.all([closing.close(), closing.close()]);
  assert.deepEqual(closed, ['c', 'a']);
  assert.equal(first, second);
  assert.match(first[0]?.message ?? '', /Cannot close "b"/);
});
