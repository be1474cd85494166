import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Event,
  type Node,
  type Pod,
  type PodDisruptionBudget,
  type PodGroup,
  podGroups as podGroupsRef,
  type Queue,
  type QueueSpec,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { startGangs } from '../gangs/gang-part.ts';
import type { StartPart } from '../queue/part.ts';
import { startFairness } from './fair-part.ts';
import { type PodWords, podOf, queue as queueOf } from './test-tenants.ts';

const ref = (resource: string, group = '', namespaced = true) => ({
  group,
  version: 'v1',
  resource,
  namespaced,
});
const podsRef = ref('pods');
const nodesRef = ref('nodes', '', false);
const queuesRef = ref('queues', 'scheduling.caelum.dev', false);
const budgetsRef = ref('poddisruptionbudgets', 'policy');

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
  const run = async (ms = 3000): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      // The agents: who is to go has gone.
      for (const { metadata } of client.objects<Pod>(podsRef))
        if (metadata.deletionTimestamp !== undefined) {
          client.remove(podsRef, `${metadata.namespace}/${metadata.name}`);
          const { disruptionsAllowed: allowed } =
            client.peek<PodDisruptionBudget>(budgetsRef, `${metadata.namespace}/b`)?.status ?? {};
          if (allowed !== undefined) budget(metadata.namespace ?? '', allowed - 1);
        }
    }
  };
  const addNode = (name: string, cpu: number): void =>
    client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu: String(cpu), memory: '64Gi', pods: '110' } },
    });
  const queue = (name: string, spec: QueueSpec = {}): void =>
    client.seed<Queue>(queuesRef, queueOf(name, spec));
  const add = (tenant: string, name: string, words: PodWords = {}): void =>
    client.seed<Pod>(podsRef, { ...podOf(tenant, name, { cpu: 1, ...words }), status: { phase: 'Pending' } });
  const pods = (tenant: string): readonly Pod[] =>
    client.objects<Pod>(podsRef).filter(({ metadata }) => metadata.namespace === tenant);
  const bound = (tenant: string): number =>
    pods(tenant).filter(({ spec }) => spec?.nodeName !== undefined).length;
  const status = (name: string) => client.peek<Queue>(queuesRef, name)?.status;
  const message = (key: string): string =>
    client.peek<Pod>(podsRef, key)?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
      ?.message ?? '';
  const budget = (tenant: string, allowed: number): void =>
    client.seed<PodDisruptionBudget>(budgetsRef, {
      metadata: { name: 'b', namespace: tenant },
      spec: { selector: { matchLabels: { app: 'x' } } },
      status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    });
  const events = (reason: string): readonly string[] =>
    client
      .objects<Event>(ref('events'))
      .filter((one) => one.reason === reason)
      .map(({ message: text }) => text ?? '');
  return { client, clock, scheduler, run, addNode, queue, add, pods, bound, status, message, budget, events };
}

test('two tenants have half each, whoever came first', async (t) => {
  const { run, addNode, queue, add, bound, status } = desk(t);
  queue('a');
  queue('b');
  for (let i = 0; i < 10; i++) add('a', `p${i}`, { created: i });
  for (let i = 0; i < 10; i++) add('b', `p${i}`, { created: 100 + i });
  await run(100);
  addNode('n', 10);
  await run();
  assert.deepEqual([bound('a'), bound('b')], [5, 5]);
  const { pods, pendingPods, dominantResource, dominantShare, fairShare, used, pending } = status('a') ?? {};
  assert.deepEqual(
    { pods, pendingPods, dominantResource, dominantShare, fairShare, used, pending },
    {
      pods: 5,
      pendingPods: 5,
      dominantResource: 'cpu',
      dominantShare: '500m',
      fairShare: '500m',
      used: { cpu: '5' },
      pending: { cpu: '5' },
    },
  );
  assert.deepEqual(
    status('a')?.conditions?.map((one) => `${one.type} ${one.status} ${one.reason}`),
    ['Ready True InForce', 'GuaranteesHold True Covered'],
  );
});

test('shares of GPUs count for tenants: turns, limits and what is told of a queue', async (t) => {
  const { client, run, queue, add, bound, status, message } = desk(t);
  const gpu = 'scheduling.caelum.dev/gpu-milli';
  client.seed<Node>(nodesRef, {
    metadata: { name: 'g', labels: { 'scheduling.caelum.dev/gpu-count': '2' } },
    status: { allocatable: { cpu: '64', memory: '64Gi', pods: '110' } },
  });
  queue('a', { max: { [gpu]: '1000' } });
  queue('b');
  for (let i = 0; i < 4; i++) {
    add('a', `p${i}`, { created: i, annotations: { [gpu]: '500' } });
    add('b', `p${i}`, { created: i, annotations: { [gpu]: '250' } });
  }
  await run();
  assert.deepEqual([bound('a'), bound('b')], [2, 4]);
  const { used, pending, dominantResource, dominantShare } = status('a') ?? {};
  assert.deepEqual(
    [used?.[gpu], pending?.[gpu], dominantResource, dominantShare],
    ['1000', '1000', gpu, '500m'],
  );
  assert.equal(message('a/p3'), `queue a: 1500 of at most 1000 ${gpu}`);
});

test('a queue at its limit: its pods wait with the reason, and go on when one has gone', async (t) => {
  const { run, addNode, queue, add, bound, message, scheduler, client } = desk(t);
  addNode('n', 10);
  queue('a', { max: { cpu: '2' } });
  for (let i = 0; i < 4; i++) add('a', `p${i}`, { created: i });
  await run();
  assert.equal(bound('a'), 2);
  assert.equal(message('a/p3'), 'queue a: 3 of at most 2 cpu');
  const { decision, message: explained } = (scheduler.explain('a/p3') ?? {}) as {
    decision?: string;
    message?: string;
  };
  assert.deepEqual([decision, explained], ['waits', 'queue a: 3 of at most 2 cpu']);
  client.remove(podsRef, 'a/p0');
  await run();
  assert.equal(bound('a'), 2);
  client.seed<Queue>(queuesRef, queueOf('a', { max: { cpu: '9' } }));
  await run();
  assert.equal(bound('a'), 3);
});

test('what is guaranteed is had back from those who borrow it, no more than that, the least important first', async (t) => {
  const { run, addNode, queue, add, bound, pods, events, status } = desk(t);
  addNode('n', 10);
  queue('a', { min: { cpu: '4' } });
  queue('b', { min: { cpu: '6' } });
  for (let i = 0; i < 12; i++) add('b', `p${i}`, { created: i, priority: i < 5 ? 0 : 5 });
  await run();
  assert.deepEqual([bound('b'), status('b')?.borrowed], [10, { cpu: '4' }]);
  for (let i = 0; i < 6; i++) add('a', `p${i}`, { created: 100 + i });
  await run(20_000);
  assert.deepEqual([bound('a'), bound('b')], [4, 6]);
  const left = pods('b').filter(({ spec }) => spec?.nodeName !== undefined);
  assert.equal(left.filter(({ spec }) => spec?.priority === 0).length, 0);
  assert.equal(events('Preempted').length, 4);
});

test('nobody is put out for a pod that is beyond what its queue is guaranteed, whatever its priority', async (t) => {
  const { run, addNode, queue, add, bound, events } = desk(t);
  addNode('n', 10);
  queue('a', { min: { cpu: '2' } });
  queue('b');
  for (let i = 0; i < 10; i++) add('b', `p${i}`, { created: i });
  await run();
  for (let i = 0; i < 5; i++) add('a', `p${i}`, { created: 100 + i, priority: 1000 });
  await run(20_000);
  assert.deepEqual([bound('a'), bound('b')], [2, 8]);
  assert.equal(events('Preempted').length, 2);
});

test('who was put out and comes again puts out nobody', async (t) => {
  const { run, addNode, queue, add, bound, events, pods } = desk(t);
  addNode('n', 4);
  addNode('m', 4);
  queue('a', { min: { cpu: '4' } });
  queue('b', { min: { cpu: '2' } });
  for (let i = 0; i < 8; i++) add('b', `p${i}`, { created: i, priority: 9 });
  await run();
  for (let i = 0; i < 3; i++) add('a', `p${i}`, { created: 100 + i, cpu: 2 });
  for (let round = 0; round < 20; round++) {
    await run(1000);
    for (let missing = pods('b').length; missing < 8; missing++)
      add('b', `again${round}-${missing}`, { created: 200 + round, priority: 9 });
  }
  assert.deepEqual([bound('a'), bound('b')], [2, 4]);
  assert.equal(events('Preempted').length, 4);
});

test('disruption budgets are kept, and policies too', async (t) => {
  const { run, addNode, queue, add, bound, budget } = desk(t);
  addNode('n', 4);
  queue('a', { min: { cpu: '4' } });
  queue('low', { min: { cpu: '4' }, reclaimPolicy: 'LowerPriority' });
  queue('never', { min: { cpu: '4' }, reclaimPolicy: 'Never' });
  queue('b');
  budget('b', 1);
  for (let i = 0; i < 4; i++) add('b', `p${i}`, { created: i, labels: { app: 'x' } });
  await run();
  add('low', 'p', { created: 9 });
  add('never', 'p', { created: 9, priority: 9 });
  await run(5000);
  assert.deepEqual([bound('low'), bound('never'), bound('b')], [0, 0, 4]);
  for (let i = 0; i < 3; i++) add('a', `p${i}`, { created: 10 + i });
  await run(5000);
  assert.deepEqual([bound('a'), bound('b')], [1, 3]);
});

test('a pod that names a queue is in that, if the queue takes its namespace', async (t) => {
  const { run, addNode, queue, add, bound, message, status } = desk(t);
  addNode('n', 10);
  queue('a', { max: { cpu: '1' } });
  queue('fast', { namespaces: ['a'], podSelection: 'ByLabel' });
  const named = (name: string) => ({ labels: { 'scheduling.caelum.dev/queue': name } });
  add('a', 'p0');
  add('a', 'p1', named('fast'));
  add('a', 'p2', named('nobody'));
  add('b', 'p3', named('fast'));
  await run();
  assert.deepEqual([bound('a'), bound('b')], [2, 0]);
  assert.deepEqual([status('a')?.pods, status('fast')?.pods], [1, 1]);
  assert.equal(message('a/p2'), 'queue nobody does not exist');
  assert.equal(message('b/p3'), 'queue fast takes no pods of namespace b');
  queue('nobody', { namespaces: ['a'] });
  await run();
  assert.equal(bound('a'), 3);
});

test('without queues any more, all is as ever', async (t) => {
  const { run, addNode, queue, add, bound, client } = desk(t);
  addNode('n', 10);
  queue('a', { max: { cpu: '1' } });
  for (let i = 0; i < 3; i++) add('a', `p${i}`);
  await run();
  assert.equal(bound('a'), 1);
  client.remove(queuesRef, 'a');
  await run();
  assert.equal(bound('a'), 3);
});

test('a queue whose parent is not there says so, and its pods wait', async (t) => {
  const { run, addNode, queue, add, bound, status, message } = desk(t);
  addNode('n', 10);
  queue('a', { parent: 'org' });
  add('a', 'p');
  await run();
  const [ready] = status('a')?.conditions ?? [];
  assert.equal(`${ready?.status} ${ready?.reason}`, 'False UnknownParent');
  assert.equal(ready?.message, 'its parent org does not exist; its pods wait until that is mended');
  assert.equal(message('a/p'), 'queue a: its parent org does not exist');
  queue('org');
  await run();
  assert.equal(bound('a'), 1);
  assert.equal(status('org')?.pods, 1);
});

const low = (
  tenant: string,
  count: number,
  add: (tenant: string, name: string, words: PodWords) => void,
): void => {
  for (let i = 0; i < count; i++) add(tenant, `low${i}`, { created: i, labels: { app: 'x' } });
};

test('in a queue at its limit less important pods go for a more important one, as few as will do', async (t) => {
  const { client, run, addNode, queue, add, bound, pods, status, message, events, scheduler } = desk(t);
  addNode('n', 20);
  queue('a', { max: { cpu: '4' } });
  queue('b');
  low('a', 4, add);
  add('b', 'other', { cpu: 2 });
  await run();
  add('a', 'high', { cpu: 2, created: 9, priority: 5 });
  add('a', 'same', { cpu: 1, created: 9 });
  await run(50);
  const reason = 'queue a: 6 of at most 4 cpu; less important a/low2, a/low3 go for it';
  assert.equal(message('a/high'), reason);
  const explained = scheduler.explain('a/high');
  assert.deepEqual(
    [
      explained?.decision,
      explained?.decision === 'waits' ? explained.message : '',
      explained?.preempted?.victims,
    ],
    ['waits', reason, ['a/low2', 'a/low3']],
  );
  assert.equal(client.peek<Pod>(podsRef, 'a/high')?.status?.nominatedNodeName, 'n');
  await run(20_000);
  const there = pods('a').filter(({ spec }) => spec?.nodeName !== undefined);
  assert.deepEqual(there.map(({ metadata }) => metadata.name).sort(), ['high', 'low0', 'low1']);
  assert.equal(bound('b'), 1, 'nobody else goes');
  assert.deepEqual(status('a')?.used, { cpu: '4' });
  assert.equal(events('Preempted').length, 2);
  assert.ok(events('FailedScheduling').includes(reason));
  assert.equal(message('a/same'), 'queue a: 5 of at most 4 cpu');
});

test('of those that might go for a queue at its limit, whoever need not go after all stays', async (t) => {
  const { run, addNode, queue, add, pods } = desk(t);
  addNode('n', 20);
  queue('a', { max: { cpu: '4' } });
  add('a', 'low0', { cpu: 3 });
  add('a', 'low1', { cpu: 1 });
  await run();
  add('a', 'high', { cpu: 3, created: 9, priority: 5 });
  await run(10_000);
  assert.deepEqual(
    pods('a')
      .map(({ metadata }) => metadata.name)
      .sort(),
    ['high', 'low1'],
  );
});

test('one that was refused when there was nobody less important takes the place of those that came since', async (t) => {
  const { client, run, addNode, queue, add, pods } = desk(t);
  addNode('n', 20);
  queue('a', { max: { cpu: '4' } });
  add('a', 'first', { cpu: 2, priority: 5 });
  await run();
  add('a', 'high', { cpu: 3, created: 5, priority: 5 });
  await run();
  add('a', 'small', { cpu: 2, created: 9 });
  await run();
  client.remove(podsRef, 'a/first');
  await run(10_000);
  assert.deepEqual(
    pods('a').map(({ metadata, spec }) => `${metadata.name} ${spec?.nodeName}`),
    ['high n'],
  );
});

test('budgets keep less important pods of a queue at its limit; when one allows it they go', async (t) => {
  const { run, addNode, queue, add, pods, message, budget, events } = desk(t);
  addNode('n', 20);
  queue('a', { max: { cpu: '3' } });
  budget('a', 0);
  low('a', 3, add);
  await run();
  add('a', 'high', { created: 9, priority: 5 });
  await run(10_000);
  assert.equal(
    message('a/high'),
    'queue a: 4 of at most 3 cpu; those less important pods of it that may go are not enough',
  );
  assert.equal(events('Preempted').length, 0);
  budget('a', 1);
  await run(10_000);
  assert.equal(pods('a').find(({ metadata }) => metadata.name === 'high')?.spec?.nodeName, 'n');
  assert.equal(events('Preempted').length, 1);
});

test('nobody of a queue at its limit goes where that would not help, nor for who may not preempt', async (t) => {
  const { client, run, addNode, queue, add, message, events, bound } = desk(t);
  addNode('small', 2);
  addNode('other', 2);
  queue('a', { max: { cpu: '4' } });
  low('a', 4, add);
  await run();
  add('a', 'large', { cpu: 4, created: 9, priority: 5 });
  const meek = podOf('a', 'meek', { cpu: 1, created: 9, priority: 5 });
  client.seed<Pod>(podsRef, {
    ...meek,
    spec: { containers: meek.spec?.containers ?? [], priority: 5, preemptionPolicy: 'Never' },
    status: { phase: 'Pending' },
  });
  add('a', 'vast', { cpu: 5, created: 9, priority: 5 });
  await run(20_000);
  assert.equal(events('Preempted').length, 0);
  assert.equal(bound('a'), 4);
  assert.equal(
    message('a/large'),
    'queue a: 8 of at most 4 cpu; it would fit on no node if less important pods of it went',
  );
  assert.equal(message('a/meek'), 'queue a: 5 of at most 4 cpu');
});

test('one that goes for its queue is on the node that is needed, where there is no room elsewhere', async (t) => {
  const { run, addNode, queue, add, pods, events } = desk(t);
  addNode('n', 2);
  addNode('m', 2);
  queue('a', { max: { cpu: '4' } });
  low('a', 4, add);
  await run();
  add('a', 'high', { cpu: 2, created: 9, priority: 5 });
  await run(20_000);
  assert.ok(pods('a').find(({ metadata }) => metadata.name === 'high')?.spec?.nodeName !== undefined);
  assert.equal(events('Preempted').length, 2, 'both of one node');
});

test('a queue above is at its limit: only the own queue gives way', async (t) => {
  const { run, addNode, queue, add, bound, events } = desk(t);
  addNode('n', 20);
  queue('org', { max: { cpu: '4' } });
  queue('a', { parent: 'org' });
  queue('b', { parent: 'org' });
  low('a', 2, add);
  low('b', 2, add);
  await run();
  add('a', 'high', { cpu: 1, created: 9, priority: 5 });
  await run(20_000);
  assert.deepEqual([bound('a'), bound('b')], [2, 2]);
  assert.equal(events('Preempted').length, 1);
  add('b', 'vast', { cpu: 3, created: 9, priority: 5 });
  await run(20_000);
  assert.deepEqual([bound('a'), bound('b')], [2, 2], 'all of its own would not be enough');
});

test('a gang of a queue at its limit has less important pods go for all of it, or none', async (t) => {
  const { client, run, addNode, queue, pods, add, events, message } = desk(t);
  addNode('n', 20);
  queue('a', { max: { cpu: '4' } });
  low('a', 4, add);
  await run();
  const gang = (name: string, count: number): void => {
    client.seed<PodGroup>(podGroupsRef, {
      metadata: { name, namespace: 'a' },
      spec: { schedulingPolicy: { gang: { minCount: count } } },
    });
    for (let i = 0; i < count; i++) {
      const { spec, ...pod } = podOf('a', `${name}${i}`, { cpu: 1, created: 9, priority: 5 });
      const more = { ...spec, containers: spec?.containers ?? [], schedulingGroup: { podGroupName: name } };
      client.seed<Pod>(podsRef, { ...pod, spec: more, status: { phase: 'Pending' } });
    }
  };
  gang('five', 5);
  gang('three', 3);
  await run(20_000);
  const there = pods('a').filter(({ spec }) => spec?.nodeName !== undefined);
  assert.deepEqual(there.map(({ metadata }) => metadata.name).sort(), ['low0', 'three0', 'three1', 'three2']);
  assert.equal(events('Preempted').length, 3);
  const never =
    'queue a: PodGroup "five" needs 5 cpu for 5 pods, and can never have that: the queue may have at most 4 cpu';
  assert.equal(message('a/five0'), never);
  const told = client.peek<PodGroup>(podGroupsRef, 'a/five')?.status?.conditions?.[0];
  assert.deepEqual([told?.reason, told?.message], ['Unschedulable', never]);
});

test('gangs that wait for a limit cost nothing at rest', async (t) => {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  const informers = createInformers({ client, clock, random, log: silentLog });
  let [taken, decided] = [0, 0];
  const counting: StartPart = (host) => {
    const part = startFairness(host);
    const { order } = part;
    assert.ok(order !== undefined);
    const take = order.take.bind(order);
    order.take = (most) => {
      taken++;
      return take(most);
    };
    return part;
  };
  const spy: StartPart = () => ({ name: 'spy', decided: () => void decided++ });
  const parts = [startGangs, counting, spy];
  const scheduler = startScheduler({ client, informers, clock, random, log: silentLog, parts });
  t.after(() => {
    scheduler.stop();
    informers.stop();
  });
  client.seed<Node>(nodesRef, {
    metadata: { name: 'n' },
    status: { allocatable: { cpu: '64', memory: '64Gi', pods: '110' } },
  });
  client.seed<Queue>(queuesRef, queueOf('a', { max: { cpu: '9' } }));
  for (let group = 0; group < 20; group++) {
    const name = `g${group}`;
    client.seed<PodGroup>(podGroupsRef, {
      metadata: { name, namespace: 'a' },
      spec: { schedulingPolicy: { gang: { minCount: 5 } } },
    });
    for (let i = 0; i < 5; i++) {
      const { spec, ...pod } = podOf('a', `${name}-${i}`, { cpu: 1, created: group });
      const more = { ...spec, containers: spec?.containers ?? [], schedulingGroup: { podGroupName: name } };
      client.seed<Pod>(podsRef, { ...pod, spec: more, status: { phase: 'Pending' } });
    }
  }
  for (let passed = 0; passed < 10_000; passed += 50) await clock.advance(50);
  const bound = client.objects<Pod>(podsRef).filter(({ spec }) => spec?.nodeName !== undefined);
  assert.equal(bound.length, 5);
  [taken, decided] = [0, 0];
  for (let passed = 0; passed < 600_000; passed += 1000) await clock.advance(1000);
  assert.deepEqual([taken, decided], [0, 0]);
});
