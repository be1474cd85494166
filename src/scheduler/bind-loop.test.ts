import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Event, KubeObject, Namespace, Node, Pod } from '../api/index.ts';
import {
  type Client,
  createFakeClient,
  createInformers,
  type ResourceRef,
  type WatchHandler,
  type WatchOptions,
} from '../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { startScheduler } from './bind-loop.ts';

const podsRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
const namespacesRef = { group: '', version: 'v1', resource: 'namespaces', namespaced: false };
const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

/** `lagMs`: how late the scheduler hears of changes. */
function desk(t: TestContext, lagMs = 0) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  const late: Client = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'watch') return typeof value === 'function' ? value.bind(target) : value;
      return (ref: ResourceRef, options: WatchOptions, handler: WatchHandler<KubeObject>) =>
        client.watch(ref, options, {
          onEvent: (event) => void clock.after(lagMs, () => handler.onEvent(event)),
          onEnd: (error) => handler.onEnd(error),
        });
    },
  });
  const informers = createInformers({ client: lagMs === 0 ? client : late, clock, random, log: silentLog });
  const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
  t.after(() => {
    scheduler.stop();
    informers.stop();
  });
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const addNode = (name: string, cpu = '4'): void =>
    client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
    });
  const addPod = (name: string, cpu = '1', more: Partial<Pod['spec']> = {}): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more },
      status: { phase: 'Pending' },
    });
  const pod = (name: string): Pod => client.peek<Pod>(podsRef, `default/${name}`) as Pod;
  const events = (): string[] =>
    client.objects<Event>(eventsRef).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  return { clock, client, scheduler, run, addNode, addPod, pod, events };
}

test('startScheduler() binds, says so, and explains', async (t) => {
  const { run, addNode, addPod, pod, events, scheduler } = desk(t);
  addNode('a');
  addPod('x');
  await run(200);
  assert.equal(pod('x').spec?.nodeName, 'a');
  assert.deepEqual(events(), ['Normal Scheduled: Successfully assigned default/x to a']);
  assert.equal(scheduler.explain('default/x')?.decision, 'bound');
});

test('startScheduler() tells why a pod waits, and binds it when a node comes', async (t) => {
  const { run, addNode, addPod, pod, events, scheduler } = desk(t);
  addNode('a', '1');
  addPod('big', '3');
  await run(200);
  const condition = pod('big').status?.conditions?.[0];
  assert.equal(
    `${condition?.type} ${condition?.status} ${condition?.reason}`,
    'PodScheduled False Unschedulable',
  );
  assert.match(condition?.message ?? '', /^0\/1 nodes are available: 1 Insufficient cpu\./);
  assert.match(
    events()[0] ?? '',
    /^Warning FailedScheduling: 0\/1 nodes are available: 1 Insufficient cpu\./,
  );
  assert.equal(scheduler.explain('default/big')?.decision, 'waits');
  addNode('b', '8');
  await run(2000);
  assert.equal(pod('big').spec?.nodeName, 'b');
});

test('startScheduler() tells why a pod waits again when that could not be written', async (t) => {
  const { run, addNode, addPod, pod, client } = desk(t);
  addNode('a', '1');
  let failures = 1;
  client.intercept = ({ verb, subresource }) =>
    verb === 'patch' && subresource === 'status' && failures-- > 0
      ? new CaelumError('unavailable', 'the connection broke')
      : undefined;
  addPod('big', '3');
  await run(1000);
  assert.equal(pod('big').status?.conditions, undefined);
  await run(10_000);
  assert.equal(pod('big').status?.conditions?.[0]?.reason, 'Unschedulable');
});

test('startScheduler() leaves gated pods and those of other schedulers alone', async (t) => {
  const { run, addNode, addPod, pod, client } = desk(t);
  addNode('a');
  addPod('gated', '1', { schedulingGates: [{ name: 'wait' }] });
  addPod('foreign', '1', { schedulerName: 'another' });
  await run(500);
  assert.equal(pod('gated').spec?.nodeName, undefined);
  assert.equal(pod('foreign').spec?.nodeName, undefined);
  await client.patch(podsRef, 'default', 'gated', 'merge', { spec: { schedulingGates: null } });
  await run(500);
  assert.equal(pod('gated').spec?.nodeName, 'a');
});

test('startScheduler() tells of a pod that had gates why it waits now, with a time', async (t) => {
  const { run, addNode, addPod, pod, client } = desk(t);
  addNode('a', '1');
  addPod('gated', '3', { schedulingGates: [{ name: 'wait' }] });
  // As the API server makes it: without a time.
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'gates' }];
  await client.patch(
    podsRef,
    'default',
    'gated',
    'merge',
    { status: { conditions } },
    { subresource: 'status' },
  );
  await client.patch(podsRef, 'default', 'gated', 'merge', { spec: { schedulingGates: null } });
  await run(2000);
  const told = pod('gated').status?.conditions?.[0];
  assert.equal(told?.reason, 'Unschedulable');
  assert.ok(told?.lastTransitionTime !== undefined);
});

test('startScheduler() gives back what a refused binding had assumed, and tries again', async (t) => {
  const { run, addNode, addPod, pod, client } = desk(t);
  addNode('a', '1');
  let refusals = 2;
  client.intercept = ({ subresource }) =>
    subresource === 'binding' && refusals-- > 0 ? new CaelumError('conflict', 'not now') : undefined;
  addPod('x', '1');
  await run(10_000);
  assert.equal(pod('x').spec?.nodeName, 'a');
});

test('startScheduler() keeps the place of a pod whose binding was carried out though it failed', async (t) => {
  const { client, run, addNode, addPod, pod } = desk(t, 400);
  addNode('a', '1');
  await run(1000);
  const bind = client.createSubresource.bind(client);
  let isRepeated = true;
  client.createSubresource = async (...call) => {
    const answer = await bind(...call);
    if (!isRepeated) return answer;
    isRepeated = false;
    throw new CaelumError('conflict', 'pod first is already assigned to node "a"');
  };
  addPod('first', '1');
  await run(200);
  // Heard of before it is heard where the first has gone.
  addPod('second', '1');
  await run(5000);
  assert.equal(pod('first').spec?.nodeName, 'a');
  assert.equal(pod('second').spec?.nodeName, undefined, 'there is room for one');
});

test('startScheduler() does not overcommit while bindings are under way', async (t) => {
  const { run, addNode, addPod, client } = desk(t);
  addNode('a', '3');
  for (let i = 0; i < 6; i++) {
    addPod(`p${i}`);
    await run(50);
  }
  await run(1000);
  const bound = client.objects<Pod>(podsRef).filter(({ spec }) => spec?.nodeName === 'a');
  assert.equal(bound.length, 3);
  client.remove(podsRef, `default/${bound[0]?.metadata.name}`);
  await run(3000);
  assert.equal(client.objects<Pod>(podsRef).filter(({ spec }) => spec?.nodeName === 'a').length, 3);
});

test('startScheduler() tries pods set aside at most once a second, however much changes', async (t) => {
  const { run, addNode, addPod, clock, client } = desk(t);
  addNode('a', '1');
  addPod('big', '3');
  await run(1000);
  const before = client.requests.length;
  for (let i = 0; i < 60; i++) {
    client.seed<Node>(nodesRef, {
      metadata: { name: 'a', labels: { change: `${i}` } },
      status: { allocatable: { cpu: '1', memory: '8Gi', pods: '110' } },
    });
    await clock.advance(50);
  }
  assert.ok(
    client.requests.length - before <= 5,
    `${client.requests.length - before} requests in three seconds`,
  );
});

test('startScheduler() follows the labels of namespaces for pods that choose by them', async (t) => {
  const { client, run, addNode, addPod, pod } = desk(t);
  const setTeam = (team: string): void =>
    client.seed<Namespace>(namespacesRef, { metadata: { name: 'default', labels: { team } } });
  setTeam('b');
  addNode('a');
  addPod('seeker', '1', {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: {},
            namespaceSelector: { matchLabels: { team: 'a' } },
          },
        ],
      },
    },
  });
  await run(3000);
  assert.equal(pod('seeker').spec?.nodeName, undefined);
  setTeam('a');
  client.seed<Node>(nodesRef, {
    metadata: { name: 'b', labels: { 'kubernetes.io/hostname': 'b' } },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
  });
  await run(3000);
  assert.equal(pod('seeker').spec?.nodeName, 'b', 'the first of its kind may go anywhere');
});
