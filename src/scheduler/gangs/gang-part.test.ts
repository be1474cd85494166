import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Event,
  type Node,
  nodes as nodesRef,
  type Pod,
  type PodGroup,
  podGroups as podGroupsRef,
  pods as podsRef,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { groupLabel, minCountAnnotation } from './gang-book.ts';

const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
  t.after(() => {
    scheduler.stop();
    informers.stop();
  });
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const addNode = (name: string, cpu: string): void =>
    client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu, memory: '64Gi', pods: '110' } },
    });
  const addGroup = (name: string, minCount: number): void =>
    client.seed<PodGroup>(podGroupsRef, {
      metadata: { name, namespace: 'n' },
      spec: { schedulingPolicy: { gang: { minCount } } },
    });
  const addPod = (
    name: string,
    spec: Partial<NonNullable<Pod['spec']>> = {},
    metadata: Partial<Pod['metadata']> = {},
  ): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'n', ...metadata },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }], ...spec },
      status: { phase: 'Pending' },
    });
  const addMember = (name: string, group = 'g'): void =>
    addPod(name, { schedulingGroup: { podGroupName: group } });
  const pod = (name: string): Pod => client.peek<Pod>(podsRef, `n/${name}`) as Pod;
  const group = (name: string): string => {
    const found = client.peek<PodGroup>(podGroupsRef, `n/${name}`);
    const condition = found?.status?.conditions?.[0];
    return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
  };
  const nodesOf = (): string =>
    client
      .objects<Pod>(podsRef)
      .map((one) => `${one.metadata.name}=${one.spec?.nodeName ?? ''}`)
      .sort()
      .join(' ');
  const why = (name: string): string | undefined => pod(name).status?.conditions?.[0]?.message;
  const events = (): string[] =>
    client.objects<Event>(eventsRef).map(({ reason, message }) => `${reason}: ${message}`);
  return { clock, client, run, addNode, addGroup, addPod, addMember, pod, group, nodesOf, why, events };
}

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
