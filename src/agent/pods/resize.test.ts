/** Pods that get more or less while they run: on the fake machine, killed wherever it hurts. Real cgroups: `io/resize-real.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, ContainerStatus, Pod, ResourceRequirements } from '../../api/index.ts';
import { podsRef } from '../objects.ts';
import {
  allocationOf,
  allocationOfStatus,
  compareWaiting,
  parseAllocation,
  resizeRefusal,
  resizeSummary,
  shortageOf,
  withAllocation,
} from './allocation.ts';
import { largerLimits } from './resize.ts';
import { createWorld, phaseIs, podOf } from './test-world.ts';

const amounts = (cpu: string, memory: string, limits = true): ResourceRequirements => ({
  requests: { cpu, memory },
  ...(limits ? { limits: { cpu, memory } } : {}),
});
const container = (resources: ResourceRequirements, more: Partial<Container> = {}): Container => ({
  name: 'c',
  image: 'host.local/busybox',
  resources,
  ...more,
});

type World = Awaited<ReturnType<typeof createWorld>>;

async function resize(world: World, change: ResourceRequirements, name = 'p', of = 'c'): Promise<void> {
  const spec = { containers: [{ name: of, resources: change }] };
  await world.client.patch(podsRef, 'default', name, 'strategic', { spec }, { subresource: 'resize' });
}

const statusOf = (world: World, name = 'p'): ContainerStatus | undefined =>
  world.pod(name)?.status?.containerStatuses?.[0];
const conditionOf = (world: World, type: string, name = 'p') =>
  world.pod(name)?.status?.conditions?.find((one) => one.type === type);
const hasActual =
  (world: World, wanted: ResourceRequirements, name = 'p') =>
  () =>
    JSON.stringify(statusOf(world, name)?.resources) === JSON.stringify(wanted);
const eventsOf = (world: World, part: string): string[] => world.events.filter((line) => line.includes(part));

async function started(pod: Pod, capacity?: { cpuMilli: number; memoryBytes: number }): Promise<World> {
  const world = await createWorld(capacity);
  await world.client.create(podsRef, pod);
  await world.until('Running', phaseIs(world, 'Running', pod.metadata.name));
  return world;
}

test('a pod is resized in place: limits of the pod and the container, status, events', async () => {
  const before = amounts('100m', '64Mi');
  const world = await started(podOf({ containers: [container(before)] }));
  await world.until('said', hasActual(world, before));
  assert.deepEqual(statusOf(world)?.allocatedResources, before.requests);
  const after = amounts('200m', '128Mi');
  await resize(world, after);
  await world.until('resized', hasActual(world, after));
  await world.until('concluded', () => conditionOf(world, 'PodResizeInProgress') === undefined);
  assert.deepEqual(statusOf(world)?.allocatedResources, after.requests);
  assert.equal(statusOf(world)?.restartCount, 0);
  const [one] = [...world.host.containers.values()];
  assert.equal(one?.spec.memoryLimitBytes, 128 * 2 ** 20);
  assert.equal(one?.spec.cpuQuotaMicros, 20_000);
  const [sandbox] = [...world.host.sandboxes.values()];
  assert.equal(sandbox?.memoryLimitBytes, 128 * 2 ** 20);
  assert.deepEqual(
    world.events.filter((line) => line.includes('Resize')),
    ['ResizeStarted: Pod resize started', 'ResizeCompleted: Pod resize completed'].map(
      (words) =>
        `p ${words}: {"containers":[{"name":"c","resources":{"limits":{"cpu":"200m","memory":"128Mi"},"requests":{"cpu":"200m","memory":"128Mi"}}}],"generation":2}`,
    ),
  );
  assert.equal(world.pod()?.status?.observedGeneration, 2);
});

test('what has to be restarted to be resized is, whatever its restart policy', async () => {
  const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
  const one = container(amounts('100m', '64Mi'), { resizePolicy });
  const world = await started(podOf({ restartPolicy: 'OnFailure', containers: [one] }));
  world.programs.set('c', {});
  // Ends politely: code 0 would end a pod with OnFailure.
  for (const { id } of world.host.containers.values())
    Object.assign(world.host.containers.get(id)?.program ?? {}, { terminate: { afterMs: 500, exitCode: 0 } });
  await resize(world, amounts('150m', '64Mi'));
  await world.until('cpu changed', hasActual(world, amounts('150m', '64Mi')));
  assert.equal(statusOf(world)?.restartCount, 0, 'cpu is changed in place');
  await resize(world, amounts('150m', '96Mi'));
  await world.until('stopping', () => eventsOf(world, 'Container c resize requires restart').length === 1);
  assert.equal(conditionOf(world, 'PodResizeInProgress')?.status, 'True');
  await world.restart();
  await world.until('restarted', () => statusOf(world)?.restartCount === 1);
  await world.until('resized', hasActual(world, amounts('150m', '96Mi')));
  await world.until('concluded', () => eventsOf(world, 'ResizeCompleted').length === 2);
  assert.equal(world.pod()?.status?.phase, 'Running');
  assert.equal(statusOf(world)?.restartCount, 1);
});

test('what does not fit is Infeasible or Deferred, and let in when there is room, by priority', async () => {
  const capacity = { cpuMilli: 1000, memoryBytes: 2 ** 30 };
  const world = await started(podOf({ containers: [container(amounts('200m', '64Mi'))] }), capacity);
  for (const [name, priority] of [
    ['low', 1],
    ['high', 5],
    ['big', 0],
  ] as const) {
    const cpu = name === 'big' ? '300m' : '200m';
    await world.client.create(
      podsRef,
      podOf({ priority, containers: [container(amounts(cpu, '64Mi'))] }, name),
    );
    await world.until(name, phaseIs(world, 'Running', name));
  }
  await resize(world, amounts('1500m', '64Mi'));
  await world.until('infeasible', () => conditionOf(world, 'PodResizePending')?.reason === 'Infeasible');
  assert.deepEqual(
    conditionOf(world, 'PodResizePending')?.message,
    "Node didn't have enough capacity: cpu, requested: 1500, capacity: 1000",
  );
  assert.equal(conditionOf(world, 'PodResizePending')?.observedGeneration, 2);
  assert.deepEqual(statusOf(world)?.allocatedResources, { cpu: '200m', memory: '64Mi' });
  for (const name of ['low', 'high']) {
    await resize(world, amounts('450m', '64Mi'), name);
    await world.until('deferred', () => conditionOf(world, 'PodResizePending', name)?.reason === 'Deferred');
  }
  assert.equal(
    conditionOf(world, 'PodResizePending', 'low')?.message,
    "Node didn't have enough resource: cpu, requested: 450, used: 700, capacity: 1000",
  );
  assert.match(
    eventsOf(world, 'low ResizeDeferred')[0] ?? '',
    /^low ResizeDeferred: Pod resize Deferred: \{.*"error":"Node didn't/,
  );
  // The infeasible one is taken back, and is not pending any more.
  await resize(world, amounts('200m', '64Mi'));
  await world.until('taken back', () => conditionOf(world, 'PodResizePending') === undefined);
  await world.client.delete(podsRef, 'default', 'big');
  await world.until('first the important one', hasActual(world, amounts('450m', '64Mi'), 'high'));
  assert.equal(conditionOf(world, 'PodResizePending', 'low')?.reason, 'Deferred');
  await world.client.delete(podsRef, 'default', 'p');
  await world.until('then the other', hasActual(world, amounts('450m', '64Mi'), 'low'));
  await world.until('no more pending', () => conditionOf(world, 'PodResizePending', 'low') === undefined);
  assert.equal(eventsOf(world, 'ResizeInfeasible').length, 1);
});

test('a limit of memory below what is used waits, and says so', async () => {
  let used = 100 * 2 ** 20;
  const usage = () => ({ cpuNanoseconds: 1, memoryWorkingSetBytes: used, memoryRssBytes: used, pids: 1 });
  const world = await createWorld();
  world.programs.set('c', { usage });
  await world.client.create(podsRef, podOf({ containers: [container(amounts('100m', '128Mi'))] }));
  await world.until('Running', phaseIs(world, 'Running'));
  await resize(world, amounts('100m', '64Mi'));
  await world.until('refused', () => conditionOf(world, 'PodResizeInProgress')?.reason === 'Error');
  assert.equal(
    conditionOf(world, 'PodResizeInProgress')?.message,
    'cannot decrease memory limits: [attempting to set pod memory limit (67108864) below current usage (104857600), attempting to set container "c" memory limit (67108864) below current usage (104857600)]',
  );
  assert.equal(statusOf(world)?.resources?.limits?.['memory'], '128Mi', 'what it has');
  assert.equal(statusOf(world)?.allocatedResources?.['memory'], '64Mi', 'what it was granted');
  await world.restart();
  used = 2 ** 20;
  await world.until('less is used', hasActual(world, amounts('100m', '64Mi')));
  await world.until('concluded', () => conditionOf(world, 'PodResizeInProgress') === undefined);
  assert.equal(eventsOf(world, 'ResizeCompleted').length, 1);
});

test('a deferred resize survives the agent: what was granted is on the disk, not in the spec', async () => {
  const capacity = { cpuMilli: 1000, memoryBytes: 2 ** 30 };
  const world = await started(podOf({ containers: [container(amounts('400m', '64Mi'))] }), capacity);
  await world.client.create(podsRef, podOf({ containers: [container(amounts('400m', '64Mi'))] }, 'other'));
  await world.until('other', phaseIs(world, 'Running', 'other'));
  world.kill();
  await resize(world, amounts('800m', '64Mi'));
  await world.restart();
  await world.until('deferred', () => conditionOf(world, 'PodResizePending')?.reason === 'Deferred');
  assert.deepEqual(statusOf(world)?.allocatedResources, { cpu: '400m', memory: '64Mi' });
  // It restarts with what it was granted.
  const [one] = [...world.host.containers.values()];
  world.host.exit(one?.id ?? '', 1, world.clock.nowMs());
  await world.until('restarted', () => statusOf(world)?.restartCount === 1);
  assert.deepEqual(statusOf(world)?.resources, amounts('400m', '64Mi'));
});

// Each step of a resize, and of the resize after it, is where the agent may be killed.
test('a resize is carried out however often the agent is killed', async () => {
  for (let killAfterMs = 0; killAfterMs < 60; killAfterMs += 3) {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const two = [
      container(amounts('100m', '64Mi')),
      container(amounts('100m', '64Mi'), { name: 'd', resizePolicy }),
    ];
    const world = await started(podOf({ containers: two }));
    const spec = {
      containers: [
        { name: 'c', resources: amounts('50m', '96Mi') },
        { name: 'd', resources: amounts('200m', '32Mi') },
      ],
    };
    await world.client.patch(podsRef, 'default', 'p', 'strategic', { spec }, { subresource: 'resize' });
    await world.clock.advance(killAfterMs);
    await world.restart();
    await world.clock.advance(killAfterMs % 7);
    await world.restart();
    await world.until(`both (killed after ${killAfterMs} ms)`, () => {
      const [c, d] = world.pod()?.status?.containerStatuses ?? [];
      return c?.resources?.limits?.['memory'] === '96Mi' && d?.resources?.limits?.['memory'] === '32Mi';
    });
    await world.until('concluded', () => conditionOf(world, 'PodResizeInProgress') === undefined);
    const [c, d] = world.pod()?.status?.containerStatuses ?? [];
    // A start that the agent did not live to see counts as one.
    assert.equal(c?.restartCount, 0);
    assert.ok(d?.restartCount === 1 || d?.restartCount === 2, `${d?.restartCount} restarts`);
    const [sandbox] = [...world.host.sandboxes.values()];
    assert.equal(sandbox?.memoryLimitBytes, 128 * 2 ** 20);
    assert.equal(sandbox?.cpuQuotaMicros, 25_000);
    world.kill();
  }
});

test('a pod that comes and does not fit is rejected', async () => {
  const capacity = { cpuMilli: 1000, memoryBytes: 2 ** 30 };
  const world = await started(podOf({ containers: [container(amounts('400m', '64Mi'))] }), capacity);
  await world.client.create(podsRef, podOf({ containers: [container(amounts('700m', '64Mi'))] }, 'late'));
  await world.until('rejected', phaseIs(world, 'Failed', 'late'));
  assert.equal(world.pod('late')?.status?.reason, 'OutOfcpu');
  assert.equal(
    world.pod('late')?.status?.message,
    "Pod was rejected: Node didn't have enough resource: cpu, requested: 700, used: 400, capacity: 1000",
  );
  assert.equal(eventsOf(world, 'late OutOfcpu').length, 1);
  assert.equal(world.host.containers.size, 1);
  await world.client.delete(podsRef, 'default', 'late');
  await world.until('gone', () => world.pod('late') === undefined);
});

// ── the pure parts ──

const pod = (resources: ResourceRequirements, whole?: ResourceRequirements): Pod => ({
  metadata: { name: 'p', namespace: 'default' },
  spec: { containers: [container(resources)], ...(whole === undefined ? {} : { resources: whole }) },
});

test('withAllocation() gives the pod itself when it asks for what it has', () => {
  const one = pod(amounts('500m', '1Gi'));
  assert.equal(withAllocation(one, allocationOf(one)), one);
  assert.equal(
    withAllocation(one, allocationOf(pod(amounts('0.5', '1024Mi')))),
    one,
    'by value, not by text',
  );
  const granted = withAllocation(one, allocationOf(pod(amounts('250m', '1Gi'), amounts('1', '2Gi'))));
  assert.deepEqual(granted.spec?.containers[0]?.resources, amounts('250m', '1Gi'));
  assert.deepEqual(granted.spec?.resources, amounts('1', '2Gi'));
});

test('allocationOfStatus() believes what was said', () => {
  const one: Pod = {
    ...pod(amounts('500m', '1Gi')),
    status: {
      containerStatuses: [
        {
          name: 'c',
          ready: true,
          restartCount: 0,
          image: '',
          imageID: '',
          allocatedResources: { cpu: '300m', memory: '1Gi' },
          resources: amounts('200m', '1Gi'),
        },
      ],
    },
  };
  assert.deepEqual(allocationOfStatus(one)?.containers['c'], {
    requests: { cpu: '300m', memory: '1Gi' },
    limits: { cpu: '200m', memory: '1Gi' },
  });
  assert.equal(allocationOfStatus(pod(amounts('1', '1'))), undefined);
  assert.equal(parseAllocation('{"contai'), undefined);
  assert.equal(parseAllocation('{}'), undefined);
});

test('shortageOf() and resizeRefusal() count what others were granted', () => {
  const capacity = { cpuMilli: 1000, memoryBytes: 2 ** 30, ephemeralBytes: 2 ** 30, pods: 3 };
  const other = pod(amounts('600m', '512Mi'));
  assert.equal(shortageOf(capacity, [other], pod(amounts('400m', '512Mi'))), undefined);
  assert.equal(shortageOf(capacity, [other], pod(amounts('400m', '513Mi')))?.resource, 'memory');
  assert.equal(
    shortageOf(capacity, [other, other, other], pod({}))?.message,
    "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  );
  assert.equal(
    shortageOf({ ...capacity, cpuMilli: 100 }, [other], pod({})),
    undefined,
    'who asks for nothing fits',
  );
  assert.equal(resizeRefusal(capacity, [other], pod(amounts('400m', '1Mi'))), undefined);
  assert.equal(resizeRefusal(capacity, [other], pod(amounts('500m', '1Mi')))?.reason, 'Deferred');
  assert.equal(resizeRefusal(capacity, [other], pod(amounts('500m', '2Gi')))?.reason, 'Infeasible');
  const mirror = pod(amounts('1m', '1Mi'));
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  assert.equal(
    resizeRefusal(capacity, [], { ...mirror, metadata: { ...mirror.metadata, annotations } })?.reason,
    'Infeasible',
  );
});

test('compareWaiting() puts first what asks for no more, then priority, class, age', () => {
  const granted = pod(amounts('100m', '1Mi'));
  const waiting = (cpu: string, priority: number, isGuaranteed: boolean, sinceMs: number) => {
    const desired = pod(amounts(cpu, '1Mi'));
    return {
      granted,
      desired: { ...desired, spec: { containers: [], ...desired.spec, priority } },
      isGuaranteed,
      sinceMs,
    };
  };
  const list = [
    waiting('200m', 0, false, 1),
    waiting('200m', 0, false, 0),
    waiting('200m', 0, true, 5),
    waiting('200m', 9, false, 9),
    waiting('50m', 0, false, 9),
  ];
  assert.deepEqual(list.toSorted(compareWaiting), list.toReversed());
});

test('resizeSummary() tells sidecars apart and leaves out who asks for nothing', () => {
  const one: Pod = {
    metadata: {},
    spec: {
      initContainers: [
        { name: 'i', resources: amounts('1', '1') },
        { name: 's', restartPolicy: 'Always', resources: { requests: { memory: '1Mi', cpu: '1m' } } },
      ],
      containers: [{ name: 'c', resources: {} }],
    },
  };
  assert.equal(
    resizeSummary(one, 3, 'why'),
    '{"initContainers":[{"name":"s","resources":{"requests":{"cpu":"1m","memory":"1Mi"}}}],"generation":3,"error":"why"}',
  );
});

test('largerLimits() treats no limit as the largest', () => {
  const none = { cpuShares: 2, cpuQuotaMicros: undefined, memoryLimitBytes: 5 };
  const some = { cpuShares: 9, cpuQuotaMicros: 7, memoryLimitBytes: 6 };
  assert.deepEqual(largerLimits(none, some), {
    cpuShares: 9,
    cpuQuotaMicros: undefined,
    memoryLimitBytes: 6,
  });
});
