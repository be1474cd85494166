import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fairCloud, podOf, queue } from './test-tenants.ts';

test('who is refused by a limit is asked about once, and again only when something has changed', () => {
  const { order, add, place, tenants } = fairCloud([queue('a', { max: { cpu: '3' } })], 99);
  for (const name of ['x', 'y', 'z']) place(podOf('a', name, { cpu: 1 }));
  for (let at = 0; at < 3; at++) add(podOf('a', `high${at}`, { cpu: 1, created: at, priority: 5 }));
  const asked = (): string =>
    order
      .takeLimited(9)
      .map((unit) => {
        order.unhelped(unit, 'nobody may go');
        return unit.pods.map(({ waiting }) => waiting.key).join();
      })
      .join();
  assert.deepEqual([order.take(9).length, order.size], [0, 1], 'it is to be found out');
  assert.deepEqual(order.takeUntold(), [], 'what they are told follows then');
  assert.equal(asked(), 'a/high0');
  assert.deepEqual(
    order.takeUntold().map(({ message }) => message),
    Array.from({ length: 3 }, () => 'queue a: 4 of at most 3 cpu; nobody may go'),
  );
  assert.deepEqual([asked(), order.size], ['', 0]);
  // One goes, the first has its place, the next is refused again: that is no reason to ask at once.
  tenants.uncount('a/x');
  assert.deepEqual(
    order.take(9).map(({ key }) => key),
    ['a/high0'],
  );
  assert.deepEqual([asked(), order.size, order.mayLookForRoom], ['', 0, true]);
  order.lookForRoom(9);
  assert.equal(asked(), 'a/high1');
});

test('nobody is asked about where there is nobody less important', () => {
  const { order, add, place } = fairCloud([queue('a', { max: { cpu: '1' } })], 99);
  place(podOf('a', 'there', { cpu: 1, priority: 5 }));
  add(podOf('a', 'same', { cpu: 1, priority: 5 }));
  assert.deepEqual([order.take(9).length, order.size], [0, 0]);
  order.lookForRoom(9);
  assert.equal(order.size, 0);
  place(podOf('a', 'low', { cpu: 0 }));
  order.lookForRoom(9);
  assert.equal(order.size, 1);
});
