import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fairCloud, podOf, queue, waitingOf } from './test-tenants.ts';

const names = (taken: readonly { key: string }[]): string => taken.map(({ key }) => key).join(' ');

test('take() gives each tenant their turn, the least share first', () => {
  const { order, add } = fairCloud([queue('a'), queue('b')], 10);
  for (let i = 0; i < 4; i++) add(podOf('a', `p${i}`, { cpu: 1, created: i }));
  for (let i = 0; i < 2; i++) add(podOf('b', `p${i}`, { cpu: 2, created: i }));
  assert.equal(names(order.take(9)), 'a/p0 b/p0 a/p1 a/p2 b/p1 a/p3');
});

test('take() gives twice the turns for twice the weight', () => {
  const { order, add } = fairCloud([queue('a', { weight: 2 }), queue('b')], 30);
  for (let i = 0; i < 20; i++) for (const tenant of ['a', 'b']) add(podOf(tenant, `p${i}`, { cpu: 1 }));
  const taken = order.take(12).map(({ pod }) => pod.metadata.namespace);
  assert.equal(taken.filter((tenant) => tenant === 'a').length, 8);
});

test('take() measures by the dominant resource', () => {
  // The example of the paper: 9 cpu, 18 of memory; <1, 4> and <3, 1>: 3 of the one, 2 of the other.
  const { order, add, tenants } = fairCloud([queue('a'), queue('b')], 9, 18);
  for (let i = 0; i < 9; i++) {
    add(podOf('a', `p${i}`, { cpu: 1, memory: 4, created: i }));
    add(podOf('b', `p${i}`, { cpu: 3, memory: 1, created: i }));
  }
  const left = [9000, 18];
  const placed: string[] = [];
  for (const { key, pod } of order.take(18)) {
    order.settle(key);
    const ask = tenants.askOf(pod);
    if (ask.some(({ at, amount }) => at < 2 && amount > (left[at] ?? 0))) continue;
    for (const { at, amount } of ask) left[at] = (left[at] ?? 0) - amount;
    placed.push(key);
  }
  assert.equal(placed.sort().join(' '), 'a/p0 a/p1 a/p2 b/p0 b/p1');
});

test('within a queue: priority, then age, then name', () => {
  const { order, add } = fairCloud([queue('a')], 100);
  add(podOf('a', 'young', { cpu: 1, created: 9 }));
  add(podOf('a', 'old', { cpu: 2, created: 1 }));
  add(podOf('a', 'important', { cpu: 3, created: 99, priority: 5 }));
  add(podOf('a', 'again', { cpu: 1, created: 9 }));
  assert.equal(names(order.take(9)), 'a/important a/old a/again a/young');
});

test('who has less than is guaranteed goes before who has least', () => {
  const { order, add, place } = fairCloud([queue('a', { min: { cpu: '6' } }), queue('b')], 10);
  for (let i = 0; i < 4; i++) place(podOf('a', `there${i}`, { cpu: 1 }));
  for (let i = 0; i < 4; i++)
    for (const tenant of ['a', 'b']) add(podOf(tenant, `p${i}`, { cpu: 1, created: i }));
  assert.equal(names(order.take(4)), 'a/p0 a/p1 b/p0 b/p1');
});

test('pods of the system that are in no queue go first, nominated ones before them', () => {
  const { order, add, nominated, tenants } = fairCloud([queue('a')], 10);
  add(podOf('a', 'p', { cpu: 1, priority: 9 }));
  add(podOf('kube-system', 'dns', { cpu: 1, priority: 2_000_000_000 }));
  const chosen = podOf('a', 'chosen', { cpu: 1 });
  nominated.add('a/chosen');
  tenants.count('a/chosen', chosen, false);
  add(chosen);
  assert.equal(names(order.take(9)), 'a/chosen kube-system/dns a/p');
});

test('a queue at its limit waits with a reason, and goes on when there is room', () => {
  const { order, add, place, tenants } = fairCloud([queue('a', { max: { cpu: '4' } })], 10);
  const there = podOf('a', 'there', { cpu: 3 });
  place(there);
  for (let i = 0; i < 3; i++) add(podOf('a', `p${i}`, { cpu: 2, created: i }));
  add(podOf('a', 'small', { cpu: 1, created: 9 }));
  assert.equal(names(order.take(9)), 'a/small');
  order.settle('a/small');
  assert.equal(order.size, 0);
  assert.deepEqual(
    order.takeUntold().map(({ waiting, message }) => `${waiting.key}: ${message}`),
    ['a/p0', 'a/p1', 'a/p2'].map((key) => `${key}: queue a: 5 of at most 4 cpu`),
  );
  let woken = 0;
  order.onReady = () => woken++;
  tenants.uncount('a/there');
  assert.equal(woken, 1);
  assert.equal(names(order.take(9)), 'a/p0 a/p1');
  assert.deepEqual(order.takeUntold(), [], 'what was told already is not told again');
});

test('one that found no place makes room for those that were refused on its account', () => {
  const { order, add, tenants } = fairCloud([queue('a', { max: { cpu: '4' } })], 10);
  add(podOf('a', 'p0', { cpu: 4, created: 0 }));
  add(podOf('a', 'p1', { cpu: 1, created: 1 }));
  assert.equal(names(order.take(9)), 'a/p0');
  assert.equal(order.size, 0);
  order.settle('a/p0');
  order.returned(tenants.leafOf(podOf('a', 'p0')));
  assert.equal(names(order.take(9)), 'a/p1');
});

test('delete() and add() keep the order and the counts', () => {
  const { order, add, tenants } = fairCloud([queue('a')], 10);
  for (let i = 0; i < 5; i++) add(podOf('a', `p${i}`, { cpu: 1, created: i }));
  assert.equal(order.delete('a/p0')?.key, 'a/p0');
  assert.equal(order.delete('a/p0'), undefined);
  assert.equal(order.delete('a/p3')?.key, 'a/p3');
  add(podOf('a', 'p1', { cpu: 2, created: 1 }));
  add(podOf('a', 'p2', { cpu: 1, created: 2, priority: -1 }));
  assert.equal(order.size, 3);
  assert.equal(names(order.take(9)), 'a/p1 a/p4 a/p2');
  assert.equal(order.size, 0);
  assert.equal(tenants.tree.root.candidates, 0);
});

test('rebuild() after queues have changed: nobody is lost', () => {
  const { order, add, tenants, place } = fairCloud([queue('a')], 10);
  place(podOf('a', 'there', { cpu: 2 }));
  for (let i = 0; i < 3; i++) add(podOf('a', `p${i}`, { cpu: 1, created: i }));
  const queues = [queue('b', { max: { cpu: '3' }, namespaces: ['a'] })];
  tenants.setQueues(queues, () => 'b');
  order.rebuild();
  assert.equal(tenants.tree.byName.get('b')?.used[0], 2000);
  assert.equal(names(order.take(9)), 'a/p0');
  assert.equal(order.all, 2);
});

test('a queue with queues below it shares with them by turns of its own pods', () => {
  const queues = [queue('org'), queue('a', { parent: 'org', weight: 3 }), queue('other', { weight: 1 })];
  const { order, add } = fairCloud(queues, 100);
  for (let i = 0; i < 20; i++)
    for (const tenant of ['org', 'a', 'other']) add(podOf(tenant, `p${i}`, { cpu: 1 }));
  const count = (tenant: string, all: readonly { key: string }[]): number =>
    all.filter(({ key }) => key.startsWith(`${tenant}/`)).length;
  const taken = order.take(16);
  assert.deepEqual(
    ['org', 'a', 'other'].map((one) => count(one, taken)),
    [2, 6, 8],
  );
});

test('nobody starves below a queue whose parts need different things (H-DRF)', () => {
  // n2 has two parts that need only cpu and only memory; beside it n1 needs cpu. Added up naively, what n2 has of memory would count against its cpu.
  const queues = [
    queue('n1'),
    queue('n2', { namespaces: [] }),
    queue('cpu', { parent: 'n2' }),
    queue('memory', { parent: 'n2' }),
  ];
  const { order, add, tenants } = fairCloud(queues, 100, 100);
  for (let i = 0; i < 200; i++) {
    add(podOf('n1', `p${i}`, { cpu: 1 }));
    add(podOf('cpu', `p${i}`, { cpu: 1 }));
    add(podOf('memory', `p${i}`, { memory: 1 }));
  }
  const left = [100_000, 100];
  for (let round = 0; round < 600; round++) {
    const [next] = order.take(1);
    if (next === undefined) break;
    order.settle(next.key);
    const ask = tenants.askOf(next.pod).filter(({ at }) => at < 2);
    if (ask.some(({ at, amount }) => amount > (left[at] ?? 0))) continue;
    for (const { at, amount } of ask) left[at] = (left[at] ?? 0) - amount;
    tenants.count(next.key, next.pod, true);
  }
  const used = (name: string, at: number): number => tenants.tree.byName.get(name)?.used[at] ?? 0;
  assert.deepEqual([used('n1', 0), used('cpu', 0), used('memory', 1)], [50_000, 50_000, 100]);
});

test('waitingOf() names pods as the queue does', () => {
  assert.equal(waitingOf(podOf('a', 'b')).key, 'a/b');
});
