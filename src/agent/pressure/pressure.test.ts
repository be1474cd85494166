/** When a node is under pressure, who makes room, what is said; all figures made up. A pod that fills its volume: `scenarios/pressure.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { SimulatedClock, silentLog } from '../../lib/index.ts';
import type { Image } from '../images/index.ts';
import { parseNodeConfig, type Threshold } from '../node/node-config.ts';
import type { Verdict } from '../pods/observed.ts';
import { Evictor } from './evictor.ts';
import { ImageCollector, surplusOf } from './image-collector.ts';
import { calmState, isMet, type MachineReading, observe } from './thresholds.ts';
import { brokenLimit, evictionMessage, isCritical, limitsDisk, type PodUse, rank } from './victims.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

function read(
  changes: { memory?: number; node?: number; images?: number; pids?: number } = {},
): MachineReading {
  const files = (bytes: number) => ({ bytes: { available: bytes, capacity: 100 * GiB }, inodes: undefined });
  return {
    memory: { available: changes.memory ?? 8 * GiB, capacity: 16 * GiB },
    nodeFiles: files(changes.node ?? 50 * GiB),
    imageFiles: files(changes.images ?? changes.node ?? 50 * GiB),
    hasImageFiles: false,
    pids: { available: changes.pids ?? 30_000, capacity: 32_768 },
  };
}

const pod = (name: string, spec: Partial<NonNullable<Pod['spec']>> = {}, memory?: string): Pod => ({
  metadata: { name, namespace: 'default', uid: name },
  spec: {
    containers: [{ name: 'c', ...(memory === undefined ? {} : { resources: { requests: { memory } } }) }],
    ...spec,
  },
});
const use = (memoryBytes: number, more: Partial<PodUse> & { root?: number; logs?: number } = {}): PodUse => ({
  memoryBytes,
  pids: 1,
  volumes: new Map(),
  containers: new Map([['c', { memoryBytes, rootBytes: more.root ?? 0, logBytes: more.logs ?? 0 }]]),
  ...more,
});

const hard: Threshold = {
  signal: 'memory.available',
  value: { amount: 100 * MiB },
  graceMs: 0,
  isHard: true,
  minReclaim: { amount: 50 * MiB },
};

test('observe() acts at once on a hard threshold, until the least reclaim is free too', () => {
  const at = (memory: number, nowMs: number, before = calmState) =>
    observe(before, [hard], read({ memory }), nowMs, 300_000);
  assert.equal(at(100 * MiB, 0).due, undefined);
  const first = at(99 * MiB, 0);
  assert.equal(first.due, hard);
  assert.deepEqual([...first.conditions], ['MemoryPressure']);
  const second = at(149 * MiB, 10_000, first.state);
  assert.equal(second.due, hard, 'not yet what shall be reclaimed');
  const third = at(150 * MiB, 20_000, second.state);
  assert.equal(third.due, undefined);
  assert.deepEqual([...third.conditions], ['MemoryPressure'], 'the condition stays a while');
  const later = at(GiB, 20_000 + 300_000, third.state);
  assert.deepEqual([...later.conditions], []);
});

test('observe() waits for the grace of a soft threshold, and begins anew when it was away', () => {
  const soft: Threshold = { ...hard, isHard: false, graceMs: 60_000, minReclaim: undefined };
  let state = calmState;
  const at = (memory: number, nowMs: number) => {
    const seen = observe(state, [soft], read({ memory }), nowMs, 0);
    state = seen.state;
    return seen;
  };
  assert.equal(at(50 * MiB, 0).due, undefined);
  assert.deepEqual([...at(50 * MiB, 30_000).conditions], ['MemoryPressure']);
  at(200 * MiB, 40_000);
  assert.equal(at(50 * MiB, 61_000).due, undefined);
  assert.equal(at(50 * MiB, 121_000).due, soft);
});

test('observe() takes memory before disk, and both disks as one condition', () => {
  const { thresholds } = parseNodeConfig({
    evictionHard: {
      'nodefs.available': '10%',
      'imagefs.available': '15%',
      'memory.available': '1Gi',
      'pid.available': '5%',
    },
  });
  const all = observe(calmState, thresholds, read({ node: GiB, memory: 1, pids: 5 }), 0, 0);
  assert.equal(all.due?.signal, 'memory.available');
  assert.deepEqual([...all.conditions].sort(), ['DiskPressure', 'MemoryPressure', 'PIDPressure']);
  const images = observe(calmState, thresholds, read({ images: 14 * GiB }), 0, 0);
  assert.equal(images.due?.signal, 'imagefs.available');
  assert.equal(
    isMet({ ...hard, signal: 'nodefs.inodesFree' }, read(), false),
    false,
    'a disk that counts none',
  );
});

test('rank(): beyond what was asked for, then priority, then how much', () => {
  const list = [
    { pod: pod('modest', {}, '100Mi'), use: use(90 * MiB) },
    { pod: pod('important', { priority: 9 }, '10Mi'), use: use(900 * MiB) },
    { pod: pod('large', {}, '100Mi'), use: use(300 * MiB) },
    { pod: pod('larger', {}), use: use(201 * MiB) },
  ];
  assert.deepEqual(
    rank(list, 'memory').map((one) => one.pod.metadata.name),
    ['larger', 'large', 'important', 'modest'],
  );
  const disk = [
    { pod: pod('a'), use: use(0, { root: 5, logs: 5 }) },
    { pod: pod('b'), use: use(0, { volumes: new Map([['v', 11]]) }) },
  ];
  assert.deepEqual(
    rank(disk, 'ephemeral-storage').map((one) => one.pod.metadata.name),
    ['b', 'a'],
  );
  const pids = [
    { pod: pod('few'), use: use(0, { pids: 3 }) },
    { pod: pod('many'), use: use(0, { pids: 30 }) },
  ];
  assert.equal(rank(pids, 'pids')[0]?.pod.metadata.name, 'many');
});

test('evictionMessage() is worded as the kubelet words it', () => {
  const candidate = { pod: pod('p', {}, '64Mi'), use: use(200 * MiB + 512) };
  assert.equal(
    evictionMessage(candidate, hard, read({ memory: 50 * MiB })),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 209715712, request is 64Mi, has larger consumption of memory. ',
  );
  const disk: Threshold = { ...hard, signal: 'nodefs.available', value: { part: 0.1 } };
  assert.equal(
    evictionMessage(
      { pod: pod('p'), use: use(0, { root: 2048, logs: 2048 }) },
      disk,
      read({ node: 3 * GiB }),
    ),
    'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 3Gi. Container c was using 4Ki, request is 0, has larger consumption of ephemeral-storage. ',
  );
});

test('brokenLimit() tells which of its own limits a pod has broken', () => {
  const volumes = [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }];
  const withVolume = pod('p', { volumes });
  assert.equal(brokenLimit(withVolume, use(0, { volumes: new Map([['v', MiB]]) })), undefined);
  assert.equal(
    brokenLimit(withVolume, use(0, { volumes: new Map([['v', MiB + 1]]) })),
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  );
  const limited = (limit: string) => ({ name: 'c', resources: { limits: { 'ephemeral-storage': limit } } });
  const one = pod('p', {
    containers: [limited('1Mi'), { name: 'd', resources: { limits: { 'ephemeral-storage': '9Mi' } } }],
  });
  assert.equal(
    brokenLimit(one, use(0, { root: MiB, logs: 1 })),
    'Container c exceeded its local ephemeral storage limit "1Mi". ',
  );
  const both = pod('p', { containers: [limited('1Mi')] });
  assert.equal(
    brokenLimit(both, use(0, { volumes: new Map([['v', 2 * MiB]]) })),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
  );
  assert.equal(brokenLimit(pod('p'), use(0, { root: GiB })), undefined);
  assert.deepEqual([withVolume, one, pod('p')].map(limitsDisk), [true, true, false]);
  assert.equal(
    limitsDisk(pod('p', { volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] })),
    false,
  );
});

test('isCritical() knows pods of this machine and the highest priorities', () => {
  assert.equal(isCritical(pod('p', { priority: 2_000_000_000 })), true);
  const annotations = { 'kubernetes.io/config.source': 'file' };
  assert.equal(isCritical({ ...pod('p'), metadata: { annotations } }), true);
  assert.equal(isCritical(pod('p', { priority: 5 })), false);
});

// ── the shell ──

function createScene(config: object = {}) {
  const clock = new SimulatedClock();
  const scene = {
    clock,
    reading: read(),
    pods: new Map<string, { pod: Pod; use: PodUse; ended: boolean }>(),
    evicted: [] as (readonly [string, Verdict])[],
    events: [] as string[],
    told: 0,
    collected: 0,
    onCollect: () => {},
    measured: [] as string[],
    evictor: undefined as unknown as Evictor,
  };
  scene.evictor = new Evictor({
    clock,
    log: silentLog,
    events: { record: ({ reason, message }) => void scene.events.push(`${reason}: ${message}`) },
    node: { kind: 'Node', name: 'n' },
    config: parseNodeConfig(config),
    gauge: async () => scene.reading,
    running: () => [...scene.pods.values()].filter(({ ended }) => !ended).map((one) => one.pod),
    measure: async ({ metadata }, disk) => {
      scene.measured.push(`${metadata.name}${disk ? ' disk' : ''}`);
      return scene.pods.get(metadata.uid ?? '')?.use;
    },
    evict: ({ metadata }, verdict) => void scene.evicted.push([metadata.name ?? '', verdict]),
    isEnded: (uid) => scene.pods.get(uid)?.ended !== false,
    collectImages: async () => {
      scene.collected++;
      scene.onCollect();
    },
    onConditions: () => void scene.told++,
  });
  return scene;
}

test('the Evictor evicts one pod after the other, each waited for, and says why', async () => {
  const scene = createScene();
  for (const [name, bytes] of [
    ['a', 100],
    ['b', 300],
    ['c', 200],
  ] as const)
    scene.pods.set(name, { pod: pod(name), use: use(bytes * MiB), ended: false });
  scene.pods.set('node', { pod: pod('node', { priority: 2_000_001_000 }), use: use(GiB), ended: false });
  await scene.evictor.start();
  assert.deepEqual([scene.evicted.length, scene.told, scene.measured.length], [0, 0, 0], 'calm');
  scene.reading = read({ memory: 50 * MiB });
  await scene.clock.advance(10_000);
  assert.deepEqual(
    scene.evicted.map(([name]) => name),
    ['b'],
  );
  const [, verdict] = scene.evicted[0] ?? [];
  assert.deepEqual([verdict?.reason, verdict?.graceMs, verdict?.isDisruption], ['Evicted', 1000, true]);
  assert.deepEqual(scene.events, ['EvictionThresholdMet: Attempting to reclaim memory']);
  assert.equal(scene.evictor.pressure.memory, true);
  assert.equal(scene.told, 1);
  await scene.clock.advance(20_000);
  assert.equal(scene.evicted.length, 1, 'the first has not ended yet');
  for (const name of ['b']) (scene.pods.get(name) as { ended: boolean }).ended = true;
  await scene.clock.advance(1000);
  assert.deepEqual(
    scene.evicted.map(([name]) => name),
    ['b', 'c'],
  );
  await scene.clock.advance(31_000);
  assert.deepEqual(
    scene.evicted.map(([name]) => name),
    ['b', 'c', 'c'],
    'patience has an end',
  );
  scene.reading = read();
  (scene.pods.get('c') as { ended: boolean }).ended = true;
  await scene.clock.advance(301_000);
  await scene.clock.advance(20_000);
  assert.equal(scene.evictor.pressure.memory, false);
  assert.equal(scene.told, 2);
  scene.evictor.stop();
});

test('the Evictor deletes images before it evicts for disk', async () => {
  const scene = createScene();
  scene.pods.set('a', { pod: pod('a'), use: use(0, { root: GiB }), ended: false });
  await scene.evictor.start();
  scene.reading = read({ node: 5 * GiB });
  scene.onCollect = () => {
    scene.reading = read();
  };
  await scene.clock.advance(10_000);
  assert.deepEqual([scene.collected, scene.evicted.length], [1, 0]);
  assert.equal(scene.evictor.pressure.disk, true);
  scene.onCollect = () => {};
  scene.reading = read({ node: 5 * GiB });
  await scene.clock.advance(10_000);
  assert.deepEqual(
    scene.evicted.map(([name]) => name),
    ['a'],
  );
  assert.match(scene.evicted[0]?.[1].message ?? '', /Container c was using 1Gi, request is 0/);
  scene.evictor.stop();
});

test('the Evictor holds pods to their own limits, measuring only those that have any', async () => {
  const scene = createScene();
  const volumes = [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }];
  scene.pods.set('free', { pod: pod('free'), use: use(0, { root: GiB }), ended: false });
  scene.pods.set('bound', { pod: pod('bound', { volumes }), use: use(0), ended: false });
  await scene.evictor.start();
  await scene.clock.advance(20_000);
  assert.deepEqual([...new Set(scene.measured)], ['bound disk']);
  (scene.pods.get('bound') as { use: PodUse }).use = use(0, { volumes: new Map([['v', 2 * MiB]]) });
  await scene.clock.advance(10_000);
  assert.deepEqual(
    scene.evicted.map(([name, { message, isDisruption }]) => [name, message, isDisruption]),
    [['bound', 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ', false]],
  );
  scene.evictor.stop();
});

test('rejection(): what comes under pressure is not begun', async () => {
  const scene = createScene();
  const rejects = (one: Pod, isBestEffort = true) => scene.evictor.rejection(one, isBestEffort)?.message;
  await scene.evictor.start();
  assert.equal(rejects(pod('p')), undefined);
  scene.reading = read({ memory: 1 });
  await scene.clock.advance(10_000);
  assert.equal(rejects(pod('p')), 'The node had condition: [MemoryPressure]. ');
  assert.equal(rejects(pod('p'), false), undefined, 'it has asked for what it needs');
  const tolerations = [
    { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  ];
  assert.equal(rejects(pod('p', { tolerations })), undefined);
  scene.reading = read({ memory: 1, node: 1 });
  await scene.clock.advance(60_000);
  assert.equal(
    rejects(pod('p', { tolerations }), false),
    'The node had condition: [DiskPressure MemoryPressure]. ',
  );
  assert.equal(rejects(pod('p', { priority: 2_000_000_000 })), undefined);
  scene.evictor.stop();
});

test('a gauge that fails changes nothing', async () => {
  const scene = createScene();
  Object.defineProperty(scene, 'reading', {
    get() {
      throw new Error('no /proc');
    },
  });
  await scene.evictor.start();
  await scene.clock.advance(30_000);
  assert.deepEqual(scene.evictor.pressure, { memory: false, disk: false, pids: false });
  scene.evictor.stop();
});

// ── images ──

test('surplusOf() is what lies between use and the low mark, above the high one only', () => {
  assert.equal(surplusOf({ available: 16, capacity: 100 }, 85, 80), 0);
  assert.equal(surplusOf({ available: 15, capacity: 100 }, 85, 80), 5);
  assert.equal(surplusOf({ available: 0, capacity: 100 }, 100, 80), 0, 'switched off');
  assert.equal(surplusOf({ available: 0, capacity: 0 }, 85, 80), 0);
});

test('the ImageCollector deletes what was used least recently, and only as much as it has to', async () => {
  const clock = new SimulatedClock();
  const image = (id: string, sizeBytes: number): Image =>
    ({ id, names: [`host.local/${id}:latest`], digests: [], sizeBytes }) as unknown as Image;
  const store = new Map(
    [image('old', 4), image('used', 4), image('recent', 4), image('unlucky', 4)].map((one) => [one.id, one]),
  );
  let available = 50;
  let used = new Set(['host.local/used:latest', 'host.local/recent:latest']);
  const events: string[] = [];
  const collector = new ImageCollector({
    clock,
    log: silentLog,
    events: { record: ({ reason, message }) => void events.push(`${reason}: ${message}`) },
    node: { kind: 'Node', name: 'n' },
    config: { imageHighPercent: 85, imageLowPercent: 80, imageMinimumAgeMs: 120_000 },
    images: {
      list: async () => [...store.values()],
      remove: async (id) => {
        available += store.get(id)?.sizeBytes ?? 0;
        store.delete(id);
      },
    },
    disk: async () => ({ available, capacity: 100 }),
    used: () => used,
  });
  collector.note([...store.values()]);
  await clock.advance(60_000);
  used = new Set(['host.local/used:latest']);
  collector.start();
  await clock.advance(300_000);
  assert.equal(store.size, 4, 'there is room');
  available = 15;
  store.set('new', image('new', 4));
  await clock.advance(300_000);
  assert.deepEqual(
    [...store.keys()].sort(),
    ['new', 'recent', 'used'],
    'recent was used once; new is too young',
  );
  assert.deepEqual(events, []);
  available = 2;
  await clock.advance(300_000);
  assert.deepEqual([...store.keys()].sort(), ['used']);
  assert.deepEqual(events, [
    'FreeDiskSpaceFailed: Failed to garbage collect required amount of images. Attempted to free 18 bytes, but only found 8 bytes eligible to free.',
  ]);
  collector.stop();
});
