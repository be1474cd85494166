import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { fairCloud, type PodWords, podOf, queue } from './test-tenants.ts';

const names = (taken: readonly { key: string }[]): string => taken.map(({ key }) => key).join(' ');
const some = (tenant: string, count: number, words: PodWords = {}, first = 0): Pod[] =>
  Array.from({ length: count }, (_, at) =>
    podOf(tenant, `g${first + at}`, { cpu: 2, created: first + at, ...words }),
  );
const untold = (order: { takeUntold(): readonly { readonly message: string }[] }): string[] => [
  ...new Set(order.takeUntold().map(({ message }) => message)),
];

test('a gang is taken as a whole, or not at all, and is told what it needs of what there is', () => {
  const { order, add, addGang, place, tenants } = fairCloud([queue('a', { max: { cpu: '10' } })], 99);
  place(podOf('a', 'there', { cpu: 4 }));
  addGang('g', 4, some('a', 4));
  add(podOf('a', 'late', { cpu: 1, created: 99 }));
  assert.equal(names(order.take(9)), 'a/late');
  assert.deepEqual(untold(order), [
    'queue a: PodGroup "g" needs 8 cpu for 4 pods, and 4 of at most 10 cpu are taken',
  ]);
  assert.equal(order.size, 0, 'it is not looked at any more');
  order.settle('a/late');
  tenants.uncount('a/there');
  assert.equal(order.size, 4);
  assert.equal(names(order.take(1)), 'a/g0 a/g1 a/g2 a/g3', 'together, however few are asked for');
});

test('a gang that can never be within a limit is told so, however little is taken', () => {
  const queues = [queue('org', { max: { cpu: '7' } }), queue('a', { parent: 'org' })];
  const { order, addGang } = fairCloud(queues, 99);
  addGang('g', 4, some('a', 5));
  assert.equal(names(order.take(9)), '');
  assert.deepEqual(untold(order), [
    'queue org: PodGroup "g" needs 8 cpu for 4 pods, and can never have that: the queue may have at most 7 cpu',
  ]);
  const borrowing = fairCloud([queue('a', { min: { cpu: '5' }, mayBorrow: false })], 99);
  borrowing.addGang('g', 3, some('a', 3));
  assert.equal(names(borrowing.order.take(9)), '');
  assert.match(
    untold(borrowing.order)[0] ?? '',
    /needs 6 cpu for 3 pods, and can never have that: .* at most 5 cpu/,
  );
});

test('those that are needed come at once, the others one by one, as far as the limit goes', () => {
  const { order, addGang } = fairCloud([queue('a', { max: { cpu: '7' } })], 99);
  addGang('g', 2, some('a', 5));
  assert.equal(names(order.take(9)), 'a/g0 a/g1 a/g2');
  assert.equal(order.size, 0);
  assert.deepEqual(untold(order), ['queue a: 8 of at most 7 cpu']);
});

test('the small ones of a gang go where the limit is too low for the first ones', () => {
  const { order, addGang } = fairCloud([queue('a', { max: { cpu: '5' } })], 99);
  addGang('g', 3, [...some('a', 2, { cpu: 4 }), ...some('a', 3, { cpu: 1 }, 2)]);
  assert.equal(names(order.take(9)), 'a/g2 a/g3 a/g4');
});

test('members in different queues: each counts where it is, and all of them above', () => {
  const queues = (max: string) => [
    queue('org', { max: { cpu: max } }),
    queue('a', { parent: 'org', max: { cpu: '4' } }),
    queue('b', { parent: 'org', max: { cpu: '4' } }),
  ];
  const members = () => [...some('a', 2), ...some('b', 2)];
  const fits = fairCloud(queues('8'), 99);
  fits.addGang('g', 4, members());
  assert.equal(names(fits.order.take(1)), 'a/g0 b/g0 a/g1 b/g1');
  const above = fairCloud(queues('7'), 99);
  above.addGang('g', 4, members());
  assert.equal(names(above.order.take(9)), '');
  assert.match(
    untold(above.order)[0] ?? '',
    /^queue org: PodGroup "g" needs 8 cpu for 4 pods, and can never/,
  );
  const beside = fairCloud(queues('8'), 99);
  beside.place(podOf('b', 'there', { cpu: 1 }));
  beside.addGang('g', 4, members());
  assert.equal(names(beside.order.take(9)), '');
  assert.equal(beside.order.size, 0, 'those in the queue with room wait for the others');
  beside.tenants.uncount('b/there');
  assert.equal(beside.order.take(9).length, 4);
});

test('a gang that waits costs no turns at rest, and is asked again only when its queue has something less', () => {
  const queues = [queue('a', { max: { cpu: '8' } }), queue('b')];
  const { order, add, addGang, place, tenants } = fairCloud(queues, 99);
  place(podOf('a', 'there', { cpu: 6 }));
  place(podOf('a', 'small', { cpu: 1 }));
  place(podOf('b', 'other', { cpu: 1 }));
  addGang('g', 2, some('a', 2));
  let [asked, woken] = [0, 0];
  const refusal = tenants.refusal.bind(tenants);
  tenants.refusal = (...args) => {
    asked++;
    return refusal(...args);
  };
  order.onReady = () => woken++;
  assert.equal(names(order.take(9)), '');
  assert.ok(asked > 0);
  asked = 0;
  for (let at = 0; at < 1000; at++) {
    tenants.uncount('b/other');
    place(podOf('b', 'other', { cpu: 1 }));
    tenants.setCapacity([99_000 + at, 0]);
    // What was written of them comes back, and others of the queue find no place.
    for (const pod of some('a', 2)) add(pod);
    order.returned(tenants.leafOf(podOf('a', 'there')));
    assert.equal(order.take(9).length, 0);
  }
  assert.deepEqual([asked, woken, order.size], [0, 0, 0]);
  tenants.uncount('a/small');
  assert.deepEqual([woken, asked], [0, 0], 'not enough: that is known without asking');
  tenants.uncount('a/there');
  assert.equal(woken, 1);
  assert.equal(order.take(9).length, 2);
});

test('a gang that was refused is looked at again when it needs less, or has more members', () => {
  const { order, add, addGang, gangs } = fairCloud([queue('a', { max: { cpu: '4' } })], 99);
  const members = some('a', 3);
  addGang('g', 3, members);
  assert.equal(order.take(9).length, 0);
  gangs.setRule('g', 'PodGroup "g"', 'pods', {
    minCount: 2,
    since: '',
    goesTogether: false,
    wasScheduled: false,
  });
  for (const pod of members) add(pod);
  assert.equal(names(order.take(9)), 'a/g0 a/g1');
});

test('a gang of which members are missing waits for them', () => {
  const { order, addGang, gangs, add } = fairCloud([queue('a')], 99);
  const members = some('a', 3);
  addGang('g', 3, members.slice(0, 2));
  assert.equal(order.take(9).length, 0);
  assert.deepEqual(untold(order), ['waiting for 1 more pod of PodGroup "g"']);
  gangs.join('g', 'a/g2', members[2] as Pod);
  add(members[2] as Pod);
  assert.equal(order.take(9).length, 3);
});

test('delete() of a member, and rebuild(), leave nothing behind', () => {
  const queues = [queue('a', { max: { cpu: '5' } })];
  const { order, addGang, tenants } = fairCloud(queues, 99);
  addGang('g', 3, some('a', 3));
  assert.equal(order.take(9).length, 0);
  order.delete('a/g0');
  assert.equal(order.all, 2);
  tenants.setQueues(queues, () => 'a');
  order.rebuild();
  assert.equal(order.size, 2);
  order.delete('a/g1');
  order.delete('a/g2');
  assert.deepEqual([order.all, order.size, tenants.tree.root.candidates], [0, 0, 0]);
});
