import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, KubeObject, Node, Pod, Taint } from '../../api/index.ts';
import { formatTime, SeededRandom } from '../../lib/index.ts';
import { eventsRef, leasesRef, nodesRef, podsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { nodeController } from './controller.ts';
import { nodesPerSecond, ZoneBook, zoneState } from './zones.ts';

interface World {
  readonly cluster: TestCluster;
  /** Renews the leases of all nodes but these. */
  readonly silent: Set<string>;
  nodes(): readonly Node[];
  tainted(key: string, effect: string): readonly string[];
}

const zoneLabel = 'topology.kubernetes.io/zone';

function world(t: { after(done: () => void): void }, zones: Readonly<Record<string, number>>): World {
  const cluster = createTestCluster();
  const { client, clock } = cluster;
  t.after(() => cluster.stop());
  // Pods are looked at as they stand: nobody ends them.
  cluster.agent.startMs = () => undefined;
  cluster.agent.stopMs = 1e9;
  cluster.start((informers) => nodeController(informers, clock));
  const silent = new Set<string>();
  const names: string[] = [];
  for (const [zone, count] of Object.entries(zones))
    for (let at = 0; at < count; at++) {
      const name = `${zone}-${at}`;
      names.push(name);
      client.seed(nodesRef, {
        metadata: { name, labels: { [zoneLabel]: zone } },
        status: { conditions: [condition('Ready', 'True')] },
      } as KubeObject);
    }
  const beat = (): void => {
    for (const name of names)
      if (!silent.has(name) && client.peek(nodesRef, name) !== undefined)
        client.seed(leasesRef, {
          metadata: { name, namespace: 'kube-node-lease' },
          spec: { renewTime: `${clock.nowMs()}` },
        } as KubeObject);
    clock.after(10_000, beat);
  };
  beat();
  const nodes = (): readonly Node[] => client.objects<Node>(nodesRef);
  return {
    cluster,
    silent,
    nodes,
    tainted: (key, effect) =>
      nodes()
        .filter(({ spec }) => spec?.taints?.some((taint) => taint.key === key && taint.effect === effect))
        .map(({ metadata }) => metadata.name ?? ''),
  };
}

const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: formatTime(0) });
const unreachable = 'node.kubernetes.io/unreachable';

function aPod(name: string, nodeName: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { nodeName, containers: [{ name: 'c', image: 'i' }], ...spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}
const tolerating = (key: string, tolerationSeconds?: number) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const eventsOf = (cluster: TestCluster): readonly string[] =>
  cluster.client.objects<Event>(eventsRef).map(({ reason, message }) => `${reason}: ${message}`);
const podsThere = (cluster: TestCluster): readonly string[] =>
  cluster
    .pods()
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name ?? '')
    .sort();

test('a node that is silent for 50 s is lost: conditions, taints, pods not ready; heard again it is well', async (t) => {
  const { cluster, silent, nodes, tainted } = world(t, { a: 3 });
  cluster.client.seed(podsRef, aPod('p', 'a-0', { tolerations: [tolerating(unreachable, 300)] }));
  await cluster.run(60_000);
  assert.deepEqual(nodes()[0]?.spec?.taints, undefined, 'a lease is enough');
  silent.add('a-0');
  await cluster.run(38_000);
  assert.deepEqual(tainted(unreachable, 'NoSchedule'), []);
  await cluster.until('lost', () => tainted(unreachable, 'NoExecute').join() === 'a-0', 15_000);
  const ready = nodes()[0]?.status?.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual(
    [ready?.status, ready?.reason, ready?.message],
    ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
  );
  assert.deepEqual(
    nodes()[0]?.status?.conditions?.map(({ type, status }) => `${type} ${status}`),
    ['Ready Unknown', 'MemoryPressure Unknown', 'DiskPressure Unknown', 'PIDPressure Unknown'],
  );
  assert.equal(cluster.pods()[0]?.status?.conditions?.[0]?.status, 'False');
  await cluster.run(1000);
  for (const event of [
    'RegisteredNode: Node a-0 event: Registered Node a-0 in Controller',
    'NodeNotReady: Node a-0 status is now: NodeNotReady',
    'NodeNotReady: Node is not ready',
  ])
    assert.ok(eventsOf(cluster).includes(event), event);
  silent.delete('a-0');
  cluster.client.seed(nodesRef, {
    ...(cluster.client.peek<Node>(nodesRef, 'a-0') as Node),
    status: { conditions: [condition('Ready', 'True')] },
  } as KubeObject);
  await cluster.until('well', () => tainted(unreachable, 'NoSchedule').length === 0);
  await cluster.run(1000);
  assert.deepEqual(nodes()[0]?.spec?.taints ?? [], []);
  assert.ok(eventsOf(cluster).includes('TaintManagerEviction: Cancelling deletion of Pod shop/p'));
  assert.deepEqual(podsThere(cluster), ['p']);
  cluster.writes();
  await cluster.run(3_600_000);
  assert.equal(cluster.writes(), 0, 'quiet at rest');
  await cluster.client.delete(nodesRef, undefined, 'a-2');
  await cluster.run(2000);
  assert.ok(eventsOf(cluster).includes('RemovingNode: Node a-2 event: Removing Node a-2 from Controller'));
});

test('a node that never says how it is has a minute; status alone is a sign of life too', async (t) => {
  const { cluster, nodes } = world(t, { a: 1 });
  await cluster.client.create(nodesRef, { metadata: { name: 'mute' } });
  const alive = (heartbeat: string): KubeObject =>
    ({
      metadata: { name: 'old' },
      status: { conditions: [{ ...condition('Ready', 'True'), lastHeartbeatTime: heartbeat }] },
    }) as KubeObject;
  cluster.client.seed(nodesRef, alive('0'));
  const statusOf = (name: string) =>
    nodes()
      .find(({ metadata }) => metadata.name === name)
      ?.status?.conditions?.find(({ type }) => type === 'Ready');
  for (let at = 1; at <= 11; at++) {
    await cluster.run(5000);
    cluster.client.seed(nodesRef, {
      ...(cluster.client.peek(nodesRef, 'old') as Node),
      status: (alive(`${at}`) as Node).status,
    } as KubeObject);
  }
  assert.equal(statusOf('mute'), undefined);
  await cluster.run(10_000);
  const { status, reason, message } = statusOf('mute') ?? {};
  assert.deepEqual(
    [status, reason, message],
    ['Unknown', 'NodeStatusNeverUpdated', 'Kubelet never posted node status.'],
  );
  assert.equal(statusOf('old')?.status, 'True');
});

for (const [what, taints, spec, leavesAfterMs] of [
  ['tolerates nothing', ['x'], {}, 0],
  ['tolerates it for ever', ['x'], { tolerations: [tolerating('x')] }, undefined],
  ['tolerates it for a while', ['x'], { tolerations: [tolerating('x', 60)] }, 60_000],
  ['tolerates it for no time', ['x'], { tolerations: [tolerating('x', 0)] }, 0],
  ['tolerates it for less than none', ['x'], { tolerations: [tolerating('x', -5)] }, 0],
  ['tolerates one of two', ['x', 'y'], { tolerations: [tolerating('x')] }, 0],
  [
    'tolerates both for a while',
    ['x', 'y'],
    { tolerations: [tolerating('x', 90), tolerating('y', 40)] },
    40_000,
  ],
  [
    'says it twice: the first counts',
    ['x'],
    { tolerations: [tolerating('x'), tolerating('x', 10)] },
    undefined,
  ],
  [
    'says another effect',
    ['x'],
    { tolerations: [{ key: 'x', operator: 'Exists', effect: 'NoSchedule' }] },
    0,
  ],
  ['says another value', ['x'], { tolerations: [{ key: 'x', value: 'other', effect: 'NoExecute' }] }, 0],
  ['tolerates everything', ['x', 'y'], { tolerations: [{ operator: 'Exists' }] }, undefined],
] as const)
  test(`a pod that ${what} leaves ${leavesAfterMs === undefined ? 'never' : `after ${leavesAfterMs / 1000} s`}`, async (t) => {
    const { cluster } = world(t, { a: 1 });
    cluster.client.seed(podsRef, aPod('p', 'a-0', spec as Partial<Pod['spec']>));
    await cluster.run(5000);
    const timeAdded = formatTime(cluster.clock.nowMs());
    const patch = { spec: { taints: taints.map((key): Taint => ({ key, effect: 'NoExecute', timeAdded })) } };
    await cluster.client.patch(nodesRef, undefined, 'a-0', 'merge', patch);
    if (leavesAfterMs === undefined) {
      await cluster.run(3_600_000);
      assert.deepEqual(podsThere(cluster), ['p']);
      return;
    }
    if (leavesAfterMs > 0) {
      await cluster.run(leavesAfterMs - 2000);
      assert.deepEqual(podsThere(cluster), ['p']);
    }
    await cluster.until('leaves', () => podsThere(cluster).length === 0, 4000);
    const target = cluster.pods()[0]?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual(
      [target?.status, target?.reason, target?.message],
      ['True', 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'],
    );
    await cluster.run(1000);
    assert.ok(eventsOf(cluster).includes('TaintManagerEviction: Marking for deletion Pod shop/p'));
  });

test('who comes to a tainted node late has all its time before it', async (t) => {
  const { cluster } = world(t, { a: 1 });
  const taint: Taint = { key: 'x', effect: 'NoExecute', timeAdded: formatTime(cluster.clock.nowMs()) };
  await cluster.client.patch(nodesRef, undefined, 'a-0', 'merge', { spec: { taints: [taint] } });
  await cluster.run(600_000);
  cluster.client.seed(podsRef, aPod('p', 'a-0', { tolerations: [tolerating('x', 60)] }));
  await cluster.run(55_000);
  assert.deepEqual(podsThere(cluster), ['p']);
  await cluster.until('leaves', () => podsThere(cluster).length === 0, 10_000);
});

test('a taint that does not say since when counts from when it was seen', async (t) => {
  const { cluster } = world(t, { a: 1 });
  cluster.client.seed(podsRef, aPod('p', 'a-0', { tolerations: [tolerating('x', 60)] }));
  await cluster.run(600_000);
  const taint: Taint = { key: 'x', effect: 'NoExecute' };
  await cluster.client.patch(nodesRef, undefined, 'a-0', 'merge', { spec: { taints: [taint] } });
  await cluster.run(55_000);
  assert.deepEqual(podsThere(cluster), ['p']);
  await cluster.until('leaves', () => podsThere(cluster).length === 0, 10_000);
});

test('a taint of others stays, and is nobody\u2019s business but the scheduler\u2019s', async (t) => {
  const { cluster, nodes } = world(t, { a: 1 });
  const taints: Taint[] = [
    { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' },
    { key: 'mine', effect: 'PreferNoSchedule' },
  ];
  await cluster.client.patch(nodesRef, undefined, 'a-0', 'merge', { spec: { taints } });
  await cluster.run(60_000);
  assert.deepEqual(nodes()[0]?.spec?.taints, taints);
  const unschedulable = { spec: { unschedulable: true } };
  await cluster.client.patch(nodesRef, undefined, 'a-0', 'merge', unschedulable);
  await cluster.run(1000);
  assert.deepEqual(
    nodes()[0]?.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`),
    [
      'node.cloudprovider.kubernetes.io/uninitialized:NoSchedule',
      'mine:PreferNoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ],
  );
});

for (const [type, status, key] of [
  ['MemoryPressure', 'True', 'memory-pressure'],
  ['DiskPressure', 'True', 'disk-pressure'],
  ['PIDPressure', 'True', 'pid-pressure'],
  ['NetworkUnavailable', 'True', 'network-unavailable'],
] as const)
  test(`${type} keeps new pods away and evicts nobody`, async (t) => {
    const { cluster, nodes } = world(t, { a: 2 });
    cluster.client.seed(podsRef, aPod('p', 'a-0'));
    const tell = (conditions: readonly object[]): void =>
      cluster.client.seed(nodesRef, {
        ...(cluster.client.peek(nodesRef, 'a-0') as Node),
        status: { conditions },
      } as KubeObject);
    tell([condition('Ready', 'True'), condition(type, status)]);
    await cluster.run(1000);
    assert.deepEqual(nodes()[0]?.spec?.taints, [{ key: `node.kubernetes.io/${key}`, effect: 'NoSchedule' }]);
    assert.deepEqual(podsThere(cluster), ['p']);
    tell([condition('Ready', 'True'), condition(type, 'False')]);
    await cluster.run(1000);
    assert.deepEqual(nodes()[0]?.spec?.taints ?? [], []);
  });

test('nodes of a zone are given up one in ten seconds', async (t) => {
  const { cluster, silent, tainted } = world(t, { a: 10, b: 3 });
  await cluster.run(20_000);
  for (let at = 0; at < 4; at++) silent.add(`a-${at}`);
  await cluster.until('the first', () => tainted(unreachable, 'NoExecute').length === 1, 70_000);
  await cluster.run(3000);
  assert.equal(tainted(unreachable, 'NoSchedule').length, 4, 'all are known to be lost');
  assert.equal(tainted(unreachable, 'NoExecute').length, 1);
  for (let count = 2; count <= 4; count++) {
    await cluster.run(10_000);
    assert.equal(tainted(unreachable, 'NoExecute').length, count);
  }
});

test('in a small zone of which most is lost nobody is given up until it is better; other zones go on', async (t) => {
  const { cluster, silent, tainted } = world(t, { a: 5, b: 3 });
  await cluster.run(20_000);
  for (const name of ['a-0', 'a-1', 'a-2', 'a-3', 'b-0']) silent.add(name);
  await cluster.run(300_000);
  const given = tainted(unreachable, 'NoExecute');
  assert.ok(given.includes('b-0'));
  // The first was given up before the third was known to be lost.
  assert.equal(given.filter((name) => name.startsWith('a-')).length, 1);
  silent.add('a-4');
  await cluster.run(120_000);
  assert.equal(
    tainted(unreachable, 'NoExecute').filter((name) => name.startsWith('a-')).length,
    5,
    'all of it is gone: others take over',
  );
});

test('when nobody is heard nobody is evicted, and taints are taken back; afterwards all wait anew', async (t) => {
  const { cluster, silent, tainted } = world(t, { a: 4, b: 1 });
  cluster.client.seed(podsRef, aPod('p', 'a-0', { tolerations: [tolerating(unreachable, 300)] }));
  await cluster.run(20_000);
  silent.add('a-0');
  await cluster.until('given up', () => tainted(unreachable, 'NoExecute').length === 1, 70_000);
  for (const name of ['a-1', 'a-2', 'a-3', 'b-0']) silent.add(name);
  await cluster.run(120_000);
  assert.deepEqual(tainted(unreachable, 'NoExecute'), [], 'it is we who are cut off');
  assert.equal(tainted(unreachable, 'NoSchedule').length, 5);
  await cluster.run(3_600_000);
  assert.deepEqual(podsThere(cluster), ['p']);
  silent.delete('b-0');
  cluster.client.seed(nodesRef, {
    ...(cluster.client.peek<Node>(nodesRef, 'b-0') as Node),
    status: { conditions: [condition('Ready', 'True')] },
  } as KubeObject);
  await cluster.until('one again', () => tainted(unreachable, 'NoExecute').length === 1, 5000);
  await cluster.run(5000);
  assert.equal(tainted(unreachable, 'NoExecute').length, 1, 'not all at once');
});

test('zoneState() and nodesPerSecond() are as Kubernetes has them', () => {
  for (const [ready, lost, state, rate] of [
    [3, 0, 'normal', 0.1],
    [0, 0, 'normal', 0.1],
    [0, 1, 'full', 0.1],
    [1, 2, 'normal', 0.1],
    [2, 3, 'partial', 0],
    [9, 11, 'partial', 0],
    [10, 11, 'normal', 0.1],
    [20, 40, 'partial', 0.01],
    [0, 60, 'full', 0.1],
  ] as const) {
    assert.equal(zoneState(ready, lost), state, `${ready} ${lost}`);
    assert.equal(nodesPerSecond(state, ready + lost), rate, `${ready} ${lost}`);
  }
});

test('ZoneBook keeps its pace whatever happens, and forgets nobody (property)', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new SeededRandom(seed);
    const book = new ZoneBook();
    const names = Array.from({ length: 40 }, (_, at) => `n${at}`);
    const granted: { name: string; zone: string; atMs: number }[] = [];
    const lost = new Set<string>();
    const has = new Set<string>();
    const zone = (name: string): string => (Number(name.slice(1)) % 2 === 0 ? 'even' : 'odd');
    book.note('always', 'third', true);
    for (const name of names) book.note(name, zone(name), true);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 1000) {
      const name = names[random.integer(names.length)] as string;
      if (random.integer(3) === 0) {
        const isReady = random.integer(2) === 0;
        book.note(name, zone(name), isReady);
        if (isReady) {
          lost.delete(name);
          has.delete(name);
        } else lost.add(name);
      }
      for (const one of lost) {
        if (book.turn(one, nowMs) !== 'now' || has.has(one)) continue;
        has.add(one);
        granted.push({ name: one, zone: zone(one), atMs: nowMs });
      }
    }
    for (const half of ['even', 'odd']) {
      const times = granted.filter((one) => one.zone === half).map(({ atMs }) => atMs);
      for (const [at, atMs] of times.entries())
        assert.ok(at === 0 || atMs - (times[at - 1] ?? 0) >= 10_000, `seed ${seed}: two within ten seconds`);
      assert.ok(times.length > 5, `seed ${seed}: ${times.length} turns`);
    }
  }
});
