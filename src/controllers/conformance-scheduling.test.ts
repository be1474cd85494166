/** Placing and preempting as conformance asks for it: the real API, all controllers, the scheduler and hollow nodes, under simulated time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Event, KubeObject, Node, Pod, ReplicaSet } from '../api/index.ts';
import { eventsRef, nodesRef, podDisruptionBudgetsRef, podsRef, replicaSetsRef } from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';

const classesRef = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  resource: 'priorityclasses',
  namespaced: false,
};
const resource = 'scheduling.k8s.io/foo';

/** Nodes of which each has so much of a resource of its own. */
async function started(t: TestContext, count: number, each: string): Promise<Cloud> {
  const one = await cloud(t, 7);
  await one.hollow({ count, namePrefix: 'n', stopDelayMs: 500 });
  for (const { metadata } of await one.list<Node>(nodesRef)) {
    const status = { capacity: { [resource]: each }, allocatable: { [resource]: each } };
    await one.client.patch(
      nodesRef,
      undefined,
      metadata.name ?? '',
      'merge',
      { status },
      { subresource: 'status' },
    );
  }
  for (const [name, value] of [
    ['low', 1],
    ['medium', 100],
    ['high', 1000],
    ['highest', 2000],
  ] as const)
    await one.client.create(classesRef, { metadata: { name }, value } as KubeObject);
  await one.run(1000);
  return one;
}

interface Asked {
  readonly foo?: string;
  readonly spec?: object;
  readonly metadata?: object;
  readonly namespace?: string;
}

const specOf = (priorityClassName: string, foo: string, more: object = {}) => ({
  priorityClassName,
  containers: [
    { name: 'c', image: 'i', resources: { requests: { [resource]: foo }, limits: { [resource]: foo } } },
  ],
  ...more,
});

async function make(one: Cloud, name: string, priorityClass: string, asked: Asked = {}): Promise<void> {
  const { foo = '3', spec, metadata, namespace = 'default' } = asked;
  await one.client.create(podsRef, {
    metadata: { name, namespace, ...metadata },
    spec: specOf(priorityClass, foo, spec),
  } as KubeObject);
}

const podOf = (one: Cloud, name: string, namespace = 'default'): Promise<Pod> =>
  one.client.get<Pod>(podsRef, namespace, name);

const untilOn = (one: Cloud, name: string, namespace = 'default'): Promise<void> =>
  one.until(
    `${name} is placed`,
    async () => (await podOf(one, name, namespace)).spec?.nodeName !== undefined,
  );

async function toldOf(one: Cloud, name: string): Promise<readonly string[]> {
  await one.run(2000);
  const events = await one.list<Event>(eventsRef);
  return events
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

for (const [what, priorityClass, namespace] of [
  // conformance: [sig-scheduling] SchedulerPreemption [Serial] validates basic preemption works
  ['basic preemption', 'high', 'default'],
  // conformance: [sig-scheduling] SchedulerPreemption [Serial] validates lower priority pod preemption by critical pod
  ['preemption by a critical pod', 'system-cluster-critical', 'kube-system'],
] as const) {
  test(`${what}: the pod of lowest priority makes room, the others stay`, async (t) => {
    const one = await started(t, 2, '5');
    await make(one, 'low', 'low');
    await untilOn(one, 'low');
    await make(one, 'medium', 'medium');
    await untilOn(one, 'medium');
    const { nodeName } = (await podOf(one, 'low')).spec ?? {};
    await make(one, 'preemptor', priorityClass, { namespace });
    await untilOn(one, 'preemptor', namespace);
    const placed = await podOf(one, 'preemptor', namespace);
    assert.equal(placed.spec?.nodeName, nodeName);
    assert.equal(placed.status?.nominatedNodeName, undefined);
    assert.ok(await one.isGone(podsRef, 'default', 'low'));
    assert.equal((await podOf(one, 'medium')).metadata.deletionTimestamp, undefined);
    const { uid } = (await podOf(one, 'preemptor', namespace)).metadata;
    assert.ok(
      (await toldOf(one, 'low')).includes(`Normal Preempted: Preempted by pod ${uid} on node ${nodeName}`),
    );
    assert.ok(
      (await toldOf(one, 'preemptor')).includes(
        `Warning FailedScheduling: 0/2 nodes are available: 2 Insufficient ${resource}.`,
      ),
    );
  });
}

// conformance: [sig-scheduling] SchedulerPreemption [Serial] validates pod disruption condition is added to the preempted pod
test('a pod that is preempted says so, while it ends', async (t) => {
  const one = await started(t, 1, '1');
  await make(one, 'victim', 'low', { foo: '1', metadata: { finalizers: ['example.com/keep'] } });
  await untilOn(one, 'victim');
  await make(one, 'preemptor', 'high', { foo: '1' });
  await one.until('the victim ends', async () => {
    const { metadata } = await podOf(one, 'victim');
    return metadata.deletionTimestamp !== undefined;
  });
  const condition = (await podOf(one, 'victim')).status?.conditions?.find(
    ({ type }) => type === 'DisruptionTarget',
  );
  assert.equal(condition?.status, 'True');
  assert.equal(condition?.reason, 'PreemptionByScheduler');
  assert.equal(condition?.message, 'default-scheduler: preempting to accommodate a higher priority pod');
  assert.equal((await podOf(one, 'preemptor')).status?.nominatedNodeName, 'n-0');
  await one.client.patch(podsRef, 'default', 'victim', 'merge', { metadata: { finalizers: null } });
  await untilOn(one, 'preemptor');
});

// conformance: [sig-scheduling] SchedulerPreemption [Serial] PreemptionExecutionPath runs ReplicaSets to verify preemption running path
test('pods of ReplicaSets make room, no more of them than needed, and wait for their turn', async (t) => {
  const one = await started(t, 1, '1000');
  for (const [name, priorityClass, foo] of [
    ['rs-1', 'low', '200'],
    ['rs-2', 'medium', '300'],
    ['rs-3', 'high', '450'],
  ] as const)
    await one.client.create(replicaSetsRef, {
      metadata: { name, namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { name } },
        template: { metadata: { labels: { name } }, spec: specOf(priorityClass, foo) },
      },
    } as KubeObject);
  const available = async (): Promise<readonly number[]> =>
    (await one.list<ReplicaSet>(replicaSetsRef, 'default')).map(
      ({ status }) => status?.availableReplicas ?? 0,
    );
  await one.until('all run', async () => (await available()).join() === '1,1,1');
  const before = (await one.list<Pod>(podsRef, 'default')).map(({ metadata }) => metadata.uid);
  await make(one, 'preemptor', 'highest', { foo: '500' });
  await untilOn(one, 'preemptor');
  await one.until('the others are not there', async () => (await available()).join() === '0,0,1');
  await one.run(10_000);
  const after = await one.list<Pod>(podsRef, 'default');
  assert.equal(after.length, 4);
  assert.equal(after.filter(({ metadata }) => before.includes(metadata.uid)).length, 1);
  const told = after.find(({ metadata }) => metadata.labels?.['name'] === 'rs-1');
  assert.equal(
    told?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    `0/1 nodes are available: 1 Insufficient ${resource}. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`,
  );
  await one.client.delete(podsRef, 'default', 'preemptor');
  await one.until('all run again', async () => (await available()).join() === '1,1,1');
});

test('a disruption budget sends preemption elsewhere, and does not stop it', async (t) => {
  const one = await started(t, 2, '1');
  for (const name of ['kept', 'free'])
    await make(one, name, 'low', { foo: '1', metadata: { labels: { app: name } } });
  await one.client.create(podDisruptionBudgetsRef, {
    metadata: { name: 'kept', namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
  } as KubeObject);
  await untilOn(one, 'kept');
  await untilOn(one, 'free');
  await one.run(3000);
  await make(one, 'first', 'high', { foo: '1' });
  await untilOn(one, 'first');
  assert.ok(await one.isGone(podsRef, 'default', 'free'));
  await make(one, 'second', 'high', { foo: '1' });
  await untilOn(one, 'second');
  assert.ok(await one.isGone(podsRef, 'default', 'kept'));
});

test('a pod that never preempts waits for room, and is before those of less priority', async (t) => {
  const one = await started(t, 1, '1');
  await one.client.create(classesRef, {
    metadata: { name: 'patient' },
    value: 500,
    preemptionPolicy: 'Never',
  } as KubeObject);
  await make(one, 'there', 'low', { foo: '1' });
  await untilOn(one, 'there');
  await make(one, 'less', 'medium', { foo: '1', spec: { preemptionPolicy: undefined } });
  await one.until('less has it', async () => (await podOf(one, 'less')).spec?.nodeName !== undefined);
  await make(one, 'waits', 'low', { foo: '1' });
  await make(one, 'patient', 'patient', { foo: '1' });
  await one.run(5000);
  assert.equal((await podOf(one, 'patient')).spec?.nodeName, undefined);
  assert.ok(
    (await toldOf(one, 'patient')).includes(
      `Warning FailedScheduling: 0/1 nodes are available: 1 Insufficient ${resource}. preemption: not eligible due to preemptionPolicy=Never.`,
    ),
  );
  await one.client.delete(podsRef, 'default', 'less');
  await untilOn(one, 'patient');
  assert.equal((await podOf(one, 'waits')).spec?.nodeName, undefined);
});
