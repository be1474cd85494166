import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PodGroup, podGroups as podGroupsRef, pods as podsRef } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { groupLabel, minCountAnnotation } from './gang-book.ts';
import { desk } from './test-desk.ts';

test('startGangs() holds members until the group is there and has enough of them', async (t) => {
  const { run, addNode, addGroup, addMember, group, nodesOf, why } = desk(t);
  addNode('a', '8');
  addMember('x-0');
  await run(500);
  assert.equal(why('x-0'), 'waiting for PodGroup "g" to be created');
  addGroup('g', 3);
  await run(500);
  assert.equal(why('x-0'), 'waiting for 2 more pods of PodGroup "g"');
  addMember('x-1');
  await run(2000);
  assert.equal(why('x-0'), 'waiting for 1 more pod of PodGroup "g"');
  assert.equal(group('g'), 'False WaitingForPods: waiting for 1 more pod of PodGroup "g"');
  addMember('x-2');
  await run(500);
  assert.equal(nodesOf(), 'x-0=a x-1=a x-2=a');
  assert.equal(group('g'), 'True Scheduled: All required pods have been successfully scheduled');
});

test('startGangs() says how many fit, and places all when there is room', async (t) => {
  const { run, addNode, addGroup, addMember, group, nodesOf, why } = desk(t);
  addNode('a', '2');
  addGroup('g', 3);
  for (const name of ['x-0', 'x-1', 'x-2']) addMember(name);
  await run(1000);
  assert.equal(nodesOf(), 'x-0= x-1= x-2=');
  assert.equal(
    why('x-0'),
    '0/1 nodes are available: 1 Insufficient cpu. only 2 of 3 pods of PodGroup "g" fit.',
  );
  assert.equal(group('g'), 'False Unschedulable: only 2 of 3 pods of PodGroup "g" fit.');
  addNode('b', '1');
  await run(15_000);
  assert.equal(
    nodesOf()
      .split(' ')
      .filter((one) => one.endsWith('=')).length,
    0,
  );
});

test('startGangs() takes groups that pods form by a label', async (t) => {
  const { run, addNode, addPod, nodesOf, why } = desk(t);
  addNode('a', '2');
  const member = { labels: { [groupLabel]: 'ring' }, annotations: { [minCountAnnotation]: '2' } };
  addPod('x-0', {}, member);
  await run(500);
  assert.equal(why('x-0'), 'waiting for 1 more pod of PodGroup "ring"');
  addPod('x-1', {}, member);
  await run(500);
  assert.equal(nodesOf(), 'x-0=a x-1=a');
});

test('startGangs() binds a member later that could not be bound with the others', async (t) => {
  const { client, run, addNode, addGroup, addMember, nodesOf } = desk(t);
  addNode('a', '3');
  addGroup('g', 3);
  let failures = 1;
  client.intercept = ({ verb, name, subresource }) =>
    verb === 'create' && subresource === 'binding' && name === 'x-1' && failures-- > 0
      ? new CaelumError('conflict', 'another wrote it')
      : undefined;
  for (const name of ['x-0', 'x-1', 'x-2']) addMember(name);
  await run(300);
  assert.equal(nodesOf(), 'x-0=a x-1= x-2=a');
  await run(3000);
  assert.equal(nodesOf(), 'x-0=a x-1=a x-2=a');
});

test('startGangs() gives up half of a gang whose other half finds no room in time', async (t) => {
  const { client, run, addNode, addGroup, addPod, pod, nodesOf, events } = desk(t);
  addNode('a', '2');
  addGroup('g', 2);
  const owned = {
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }],
  };
  client.intercept = ({ verb, name, subresource }) => {
    if (verb !== 'create' || subresource !== 'binding' || name !== 'x-1') return undefined;
    // Somebody else takes the room meanwhile, whoever that is.
    client.intercept = undefined;
    addPod('thief', { nodeName: 'a' });
    return new CaelumError('conflict', 'another wrote it');
  };
  for (const name of ['x-0', 'x-1']) addPod(name, { schedulingGroup: { podGroupName: 'g' } }, owned);
  await run(5000);
  assert.equal(nodesOf(), 'thief=a x-0=a x-1=');
  await run(310_000);
  assert.notEqual(pod('x-0').metadata.deletionTimestamp, undefined);
  assert.match(events().join('\n'), /GangTimedOut: PodGroup "g" did not get all that it needs in 300 s/);
});

test('startGangs() lets what comes to a gang at work in by itself', async (t) => {
  const { client, run, addNode, addGroup, addMember, nodesOf } = desk(t);
  addNode('a', '3');
  addGroup('g', 3);
  for (const name of ['x-0', 'x-1', 'x-2']) addMember(name);
  await run(1000);
  await client.delete(podsRef, 'n', 'x-0', { gracePeriodSeconds: 0 });
  await client.delete(podsRef, 'n', 'x-1', { gracePeriodSeconds: 0 });
  await run(1000);
  addMember('x-3');
  await run(2000);
  assert.equal(nodesOf(), 'x-2=a x-3=a');
});

test('startGangs() takes all of a group away that is disrupted as a whole', async (t) => {
  const { client, run, addNode, addPod, addMember, pod } = desk(t);
  addNode('a', '2');
  addNode('b', '2');
  client.seed(podGroupsRef, {
    metadata: { name: 'g', namespace: 'n' },
    spec: { schedulingPolicy: { gang: { minCount: 4 } }, disruptionMode: 'PodGroup' },
  } as PodGroup);
  for (const name of ['x-0', 'x-1', 'x-2', 'x-3']) addMember(name);
  await run(1000);
  addPod('urgent', { priority: 10 });
  await run(1000);
  const going = ['x-0', 'x-1', 'x-2', 'x-3'].filter(
    (name) => pod(name).metadata.deletionTimestamp !== undefined,
  );
  assert.equal(going.length, 4);
});

// Found by seed 36 of the simulator.
test('startGangs() takes nobody of a group away because one of it is ending by itself', async (t) => {
  const { client, run, addNode, addPod, addMember, pod } = desk(t);
  addNode('a', '4');
  client.seed(podGroupsRef, {
    metadata: { name: 'g', namespace: 'n' },
    spec: { schedulingPolicy: { gang: { minCount: 4 } }, disruptionMode: 'PodGroup' },
  } as PodGroup);
  for (const name of ['x-0', 'x-1', 'x-2', 'x-3']) addMember(name);
  await run(1000);
  client.seed(podsRef, {
    ...pod('x-3'),
    metadata: { ...pod('x-3').metadata, deletionTimestamp: '2026-01-01T00:10:00Z' },
  });
  addPod('urgent', { priority: 10 });
  await run(1000);
  assert.equal(pod('urgent').status?.nominatedNodeName, 'a');
  for (const name of ['x-0', 'x-1', 'x-2']) assert.equal(pod(name).metadata.deletionTimestamp, undefined);
});

test('startGangs() has a gang preempt as a whole, and gives up what it waits for in vain', async (t) => {
  const { client, run, addNode, addGroup, addPod, pod, nodesOf, why } = desk(t);
  addNode('a', '2');
  addNode('b', '1');
  addGroup('g', 3);
  addPod('low', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '2' } } }] });
  await run(500);
  assert.equal(nodesOf(), 'low=a');
  const members = ['x-0', 'x-1', 'x-2'];
  for (const name of members) addPod(name, { priority: 10, schedulingGroup: { podGroupName: 'g' } });
  await run(1000);
  assert.notEqual(pod('low').metadata.deletionTimestamp, undefined);
  const nominated = (): string =>
    members
      .map((name) => pod(name).status?.nominatedNodeName ?? '')
      .sort()
      .join(' ');
  assert.equal(nominated(), 'a a b');
  // A finalizer, or a process that does not end: in five minutes the room on b is for others.
  await run(290_000);
  assert.equal(nominated(), 'a a b');
  await run(15_000);
  assert.match(why('x-0') ?? '', /gave up the room that was kept for it/);
  addPod('other');
  await run(2000);
  assert.equal(pod('other').spec?.nodeName, 'b');
  client.remove(podsRef, 'n/low');
  client.remove(podsRef, 'n/other');
  await run(120_000);
  assert.match(nodesOf(), /^x-0=[ab] x-1=[ab] x-2=[ab]$/);
});
