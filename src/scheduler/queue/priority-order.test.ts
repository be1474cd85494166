import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import type { WaitingPod } from '../plan.ts';
import { PriorityOrder } from './priority-order.ts';

const waiting = (name: string, priority: number): WaitingPod => ({
  key: `default/${name}`,
  pod: { metadata: { name, namespace: 'default' }, spec: { containers: [], priority } } as Pod,
});
const names = (taken: readonly WaitingPod[]): string => taken.map(({ pod }) => pod.metadata.name).join(' ');

test('PriorityOrder takes the most important first, of the same priority who has waited longest', () => {
  const order = new PriorityOrder();
  for (const [name, priority] of [
    ['a', 0],
    ['b', 5],
    ['c', 0],
    ['d', 5],
    ['e', -1],
  ] as const)
    order.add(waiting(name, priority));
  assert.equal(names(order.take(3)), 'b d a');
  order.add(waiting('f', 7));
  order.add(waiting('b', 0));
  assert.equal(names(order.take(9)), 'f c b e');
  assert.equal(order.size, 0);
});

test('PriorityOrder keeps the place of a pod that changes, unless its priority does', () => {
  const order = new PriorityOrder();
  for (const name of ['a', 'b', 'c']) order.add(waiting(name, 0));
  order.add(waiting('a', 0));
  order.add(waiting('c', 3));
  assert.equal(order.delete('default/b')?.key, 'default/b');
  assert.equal(order.delete('default/b'), undefined);
  assert.equal(names(order.take(9)), 'c a');
});

test('PriorityOrder agrees with sorting, whatever comes and goes', () => {
  const seed = Math.floor(Math.random() * 1e9);
  const random = new SeededRandom(seed);
  const order = new PriorityOrder();
  let naive: WaitingPod[] = [];
  for (let step = 0; step < 3000; step++) {
    const one = waiting(`p${random.integer(60)}`, random.integer(4));
    const kind = random.integer(5);
    if (kind < 3) {
      const at = naive.findIndex(({ key }) => key === one.key);
      if (at >= 0 && naive[at]?.pod.spec?.priority === one.pod.spec?.priority) naive[at] = one;
      else naive = [...naive.filter(({ key }) => key !== one.key), one];
      order.add(one);
    } else if (kind === 3) {
      naive = naive.filter(({ key }) => key !== one.key);
      order.delete(one.key);
    } else {
      const most = random.integer(5);
      const sorted = naive.toSorted((a, b) => (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0));
      const taken = sorted.slice(0, most);
      naive = naive.filter((other) => !taken.includes(other));
      assert.equal(names(order.take(most)), names(taken), `seed ${seed}, step ${step}`);
    }
    assert.equal(order.size, naive.length, `seed ${seed}, step ${step}`);
  }
});
