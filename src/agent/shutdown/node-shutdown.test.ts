/** Pods of a node that goes down: who ends when, and what is said of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { SimulatedClock, silentLog } from '../../lib/index.ts';
import { parseNodeConfig } from '../node/node-config.ts';
import { nodesRef, podsRef } from '../objects.ts';
import { createWorld, phaseIs, podOf, ready } from '../pods/test-world.ts';
import { groupPods, NodeShutdown, type ShutdownGroup } from './node-shutdown.ts';

const pod = (name: string, priority?: number): Pod => ({
  metadata: { name, uid: name },
  spec: { containers: [], ...(priority === undefined ? {} : { priority }) },
});

test('groupPods() puts each pod into the highest group that it reaches, lowest first', () => {
  const groups = [
    { priority: 1000, graceMs: 3 },
    { priority: 10, graceMs: 1 },
    { priority: 100, graceMs: 2 },
  ];
  const pods = [pod('none'), pod('ten', 10), pod('more', 99), pod('hundred', 100), pod('most', 2e9)];
  const names = groupPods(groups, [...pods, pod('negative', -5)]).map(
    ({ graceMs, pods: those }) => `${graceMs}: ${those.map(({ metadata }) => metadata.name).join()}`,
  );
  assert.deepEqual(names, ['1: none,ten,more,negative', '2: hundred', '3: most']);
});

test('parseNodeConfig() makes groups of shutdownGracePeriod, or takes those that it is given', () => {
  const of = (given: object): readonly ShutdownGroup[] => parseNodeConfig(given).shutdownGroups;
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ shutdownGracePeriod: '30s', shutdownGracePeriodCriticalPods: '10s' }), [
    { priority: 0, graceMs: 20_000 },
    { priority: 2_000_000_000, graceMs: 10_000 },
  ]);
  const shutdownGracePeriodByPodPriority = [{ priority: 5, shutdownGracePeriodSeconds: 7 }];
  assert.deepEqual(of({ shutdownGracePeriodByPodPriority }), [{ priority: 5, graceMs: 7000 }]);
  for (const [given, words] of [
    [{ shutdownGracePeriod: '500ms' }, /shutdownGracePeriod: it has to be 0 or at least 1s/],
    [{ shutdownGracePeriodCriticalPods: '1s' }, /at most as long/],
    [{ shutdownGracePeriod: '1s', shutdownGracePeriodByPodPriority }, /use one of them/],
    [{ shutdownGracePeriodByPodPriority: 5 }, /has to be a list/],
    [{ shutdownGracePeriodByPodPriority: [{ priority: 1 }] }, /shutdownGracePeriodSeconds, both integers/],
  ] as const)
    assert.throws(() => parseNodeConfig(given), words);
});

type World = Awaited<ReturnType<typeof createWorld>>;

function shutdownOf(world: World, groups: readonly ShutdownGroup[]) {
  const told = { conditions: 0, ended: [] as string[] };
  const shutdown = new NodeShutdown({
    clock: world.clock,
    log: silentLog,
    events: { record: ({ reason, message }) => void world.events.push(`node ${reason}: ${message}`) },
    node: { kind: 'Node', name: 'n1' },
    groups,
    pods: () => world.shell.unfinished(),
    end: ({ metadata }, verdict) => {
      told.ended.push(metadata.name ?? '');
      world.shell.evict(metadata.uid ?? '', verdict);
    },
    isDone: (uid) => world.shell.isLaidDown(uid),
    onCondition: async () => void told.conditions++,
  });
  return { shutdown, told };
}

const groups = [
  { priority: 0, graceMs: 20_000 },
  { priority: 2_000_000_000, graceMs: 10_000 },
];

test('NodeShutdown ends ordinary pods, then critical ones, and says why as the kubelet does', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf({}, 'web'));
  await world.client.create(podsRef, podOf({ priority: 2_000_001_000 }, 'dns'));
  await world.until('ready', () => ready(world, 'web') && ready(world, 'dns'));
  const { shutdown, told } = shutdownOf(world, groups);
  assert.deepEqual([shutdown.notReady, shutdown.rejection], [undefined, undefined]);
  let isOver = false;
  void shutdown.begin().then(() => {
    isOver = true;
  });
  assert.equal(shutdown.notReady, 'node is shutting down');
  assert.equal(shutdown.rejection?.reason, 'NodeShutdown');
  assert.deepEqual(told, { conditions: 1, ended: ['web'] });
  await world.until('web has ended', phaseIs(world, 'Failed', 'web'));
  await world.until('over', () => isOver);
  assert.deepEqual(told.ended, ['web', 'dns']);
  for (const name of ['web', 'dns']) {
    const { phase, reason, message, conditions = [] } = world.pod(name)?.status ?? {};
    const words = 'Pod was terminated in response to imminent node shutdown.';
    assert.deepEqual([phase, reason, message], ['Failed', 'Terminated', words]);
    const disruption = conditions.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual(
      [disruption?.status, disruption?.reason, disruption?.message],
      ['True', 'TerminationByKubelet', words],
    );
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'False');
  }
  assert.deepEqual(
    [...world.host.containers.values()].filter(({ state }) => state === 'running'),
    [],
  );
  assert.ok(world.events.includes('node Shutdown: Shutdown manager detected shutdown event'));
  assert.ok(!world.events.some((event) => event.includes('Terminated:')), 'no event of its own');
});

test('NodeShutdown gives a pod its own grace, and no pod more than its group has', async () => {
  const world = await createWorld();
  world.programs.set('stubborn', { terminate: 'ignore' });
  const containers = [{ name: 'stubborn', image: 'host.local/busybox' }];
  await world.client.create(podsRef, podOf({ containers, terminationGracePeriodSeconds: 2 }, 'short'));
  await world.client.create(podsRef, podOf({ containers, terminationGracePeriodSeconds: 600 }, 'long'));
  await world.until('ready', () => ready(world, 'short') && ready(world, 'long'));
  const { shutdown } = shutdownOf(world, [{ priority: 0, graceMs: 10_000 }]);
  const beganMs = world.clock.monotonicMs();
  const took = async (name: string): Promise<number> => {
    await world.until(`${name} has ended`, phaseIs(world, 'Failed', name));
    return (world.clock.monotonicMs() - beganMs) / 1000;
  };
  void shutdown.begin();
  const short = await took('short');
  assert.ok(short >= 2 && short < 4, `short: ${short}`);
  const long = await took('long');
  assert.ok(long >= 9.9 && long < 12, `long: ${long}`);
});

test('NodeShutdown goes on when time is over, and can be called off', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('ready', () => ready(world));
  const { shutdown, told } = shutdownOf(world, groups);
  const never = new NodeShutdown({
    clock: world.clock,
    log: silentLog,
    events: { record: () => {} },
    node: { kind: 'Node', name: 'n1' },
    groups,
    pods: () => [pod('a'), pod('b', 2_000_000_000)],
    end: () => {},
    isDone: () => false,
    onCondition: async () => {},
  });
  const beganMs = world.clock.monotonicMs();
  let endedMs = 0;
  void never.begin().then(() => {
    endedMs = world.clock.monotonicMs();
  });
  await world.until('time is over', () => endedMs > 0);
  assert.equal(endedMs - beganMs, 30_000);
  shutdown.cancel();
  assert.equal(told.conditions, 0, 'nothing to call off');
  void shutdown.begin();
  shutdown.cancel();
  assert.deepEqual([told.conditions, shutdown.notReady], [2, undefined]);
  assert.ok(world.events.includes('node Shutdown: Shutdown manager detected shutdown cancellation'));
  // What was begun ends.
  await world.until('ended', phaseIs(world, 'Failed'));
  assert.equal(ready(world), false);
});

test('NodeShutdown ends pods that have not begun, and leaves alone what is over', async () => {
  const world = await createWorld();
  world.programs.set('done', { exitAfterMs: 10, exitCode: 0 });
  const done = [{ name: 'done', image: 'host.local/busybox' }];
  await world.client.create(podsRef, podOf({ containers: done, restartPolicy: 'Never' }, 'job'));
  await world.client.create(podsRef, podOf({ containers: [{ name: 'c', image: 'nowhere/none' }] }, 'waits'));
  await world.until('over', phaseIs(world, 'Succeeded', 'job'));
  await world.until('waits', phaseIs(world, 'Pending', 'waits'));
  const { shutdown, told } = shutdownOf(world, groups);
  let isOver = false;
  void shutdown.begin().then(() => {
    isOver = true;
  });
  await world.until('over', () => isOver);
  assert.deepEqual(told.ended, ['waits']);
  assert.equal(world.pod('job')?.status?.phase, 'Succeeded');
  assert.equal(world.pod('waits')?.status?.reason, 'Terminated');
});

test('NodeShutdown ends pods of files too, and is silent where there is nothing left to end', async () => {
  const world = await createWorld();
  await world.client.create(nodesRef, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const metadata = { name: 'web' };
  const spec = { containers: [{ name: 'c', image: 'host.local/busybox' }] };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
  world.manifests = [{ file: '/etc/pods/web.yaml', hash: 'a'.repeat(64), object }];
  await world.restart();
  await world.until('ready', () => ready(world, 'web-n1'));
  const { shutdown, told } = shutdownOf(world, groups);
  const beganMs = world.clock.monotonicMs();
  let runs = 0;
  void shutdown
    .begin()
    .then(() => {
      runs++;
      return shutdown.begin();
    })
    .then(() => {
      runs++;
    });
  await world.until('over', () => runs === 2);
  assert.ok(world.clock.monotonicMs() - beganMs < 5000, 'nothing is waited for in vain');
  assert.equal(world.pod('web-n1')?.status?.reason, 'Terminated');
  assert.deepEqual(told.ended, ['web-n1']);
  assert.equal(world.events.filter((event) => event.startsWith('node Shutdown')).length, 1);
});

test('NodeShutdown does not wait for an API server that is away', async () => {
  const clock = new SimulatedClock();
  const shutdown = new NodeShutdown({
    clock,
    log: silentLog,
    events: { record: () => {} },
    node: { kind: 'Node', name: 'n1' },
    groups,
    pods: () => [],
    end: () => {},
    isDone: () => false,
    onCondition: () => new Promise(() => {}),
  });
  let isOver = false;
  void shutdown.begin().then(() => {
    isOver = true;
  });
  await clock.advance(2500);
  assert.ok(isOver);
});

test('NodeShutdown without groups leaves pods alone', async () => {
  const world = await createWorld();
  const { shutdown, told } = shutdownOf(world, []);
  await shutdown.begin();
  assert.deepEqual([shutdown.notReady, told.conditions], [undefined, 0]);
});
