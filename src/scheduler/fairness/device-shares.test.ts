import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  DeviceClass,
  DynamicResourceClaim,
  Node,
  Pod,
  Queue,
  QueueSpec,
  ResourceSlice,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { DeviceClaimBook } from '../claims/claim-book.ts';
import { devicesName } from './device-shares.ts';
import { fairCloud, podOf, queue as queueOf, waitingOf } from './test-tenants.ts';

const gpus = devicesName('gpu');
const driver = 'gpu.example.com';

const claimOf = (namespace: string, name: string, count: number): DynamicResourceClaim =>
  ({
    metadata: { name, namespace, uid: `uid-of-${name}` },
    spec: {
      devices: {
        requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count } }],
      },
    },
  }) as DynamicResourceClaim;

/** `claim`: that it names; `made`: that was made for it. */
function claimant(name: string, { claim, made }: { readonly claim?: string; readonly made?: string }): Pod {
  const pod = podOf('a', name);
  return {
    ...pod,
    spec: {
      ...pod.spec,
      resourceClaims: [
        { name: 'x', ...(claim ? { resourceClaimName: claim } : { resourceClaimTemplateName: 't' }) },
      ],
    },
    status: {
      phase: 'Pending',
      ...(made && { resourceClaimStatuses: [{ name: 'x', resourceClaimName: made }] }),
    },
  } as Pod;
}

function cloud(most: number) {
  const made = fairCloud([queueOf('a', { max: { [gpus]: String(most) } })], 100);
  const claims = new Map<string, DynamicResourceClaim>();
  made.tenants.devices.claimOf = (key) => claims.get(key);
  const claim = (name: string, count = 1): void => void claims.set(`a/${name}`, claimOf('a', name, count));
  const leaf = made.tenants.tree.byName.get('a');
  const used = (): number => leaf?.used[made.tenants.resources.at(gpus)] ?? 0;
  const take = (): readonly string[] => made.order.take(100).map(({ pod }) => pod.metadata.name ?? '');
  /** As the part does when it is decided. */
  const bind = (pod: Pod): void => {
    made.order.settle(waitingOf(pod).key);
    made.tenants.count(waitingOf(pod).key, pod, true);
  };
  const leave = (pod: Pod): void => made.tenants.uncount(waitingOf(pod).key);
  const why = (pod: Pod): string | undefined => made.order.refused(waitingOf(pod).key)?.message;
  return { ...made, claim, used, take, bind, leave, why };
}

test('FairOrder counts devices that were claimed for each pod, up to the limit', () => {
  const { claim, add, take, bind, leave, why, used } = cloud(3);
  const pods = ['p0', 'p1', 'p2'].map((name) => claimant(name, { made: `${name}-x` }));
  for (const name of ['p0', 'p1']) claim(`${name}-x`, 2);
  claim('p2-x');
  for (const pod of pods) add(pod);
  const [p0, p1, p2] = pods as [Pod, Pod, Pod];
  assert.deepEqual(take(), ['p0', 'p2']);
  for (const pod of [p0, p2]) bind(pod);
  assert.equal(used(), 3);
  // What had its turn before it has 2.
  assert.equal(why(p1), `queue a: 4 of at most 3 ${gpus}`);
  leave(p0);
  assert.deepEqual(take(), ['p1']);
  bind(p1);
  assert.equal(used(), 3);
  for (const pod of [p1, p2]) leave(pod);
  assert.equal(used(), 0);
});

test('FairOrder counts a claim that pods share once, for one of those who have a place', () => {
  const { claim, add, take, bind, leave, why, used } = cloud(1);
  claim('shared');
  claim('other');
  const [p0, p1, p2] = ['p0', 'p1', 'p2'].map((name) => claimant(name, { claim: 'shared' })) as [
    Pod,
    Pod,
    Pod,
  ];
  for (const pod of [p0, p1, p2]) add(pod);
  // Until it is known that the first one has it each counts for it.
  assert.deepEqual(take(), ['p0']);
  assert.equal(why(p1), `queue a: 2 of at most 1 ${gpus}`);
  bind(p0);
  assert.deepEqual(take(), ['p1', 'p2']);
  for (const pod of [p1, p2]) bind(pod);
  assert.equal(used(), 1);
  const q = claimant('q', { claim: 'other' });
  add(q);
  assert.deepEqual(take(), []);
  // Whoever had it first: the others still have it.
  leave(p0);
  assert.equal(used(), 1);
  leave(p2);
  assert.equal(used(), 1);
  assert.deepEqual(take(), []);
  leave(p1);
  assert.equal(used(), 0);
  assert.deepEqual(take(), ['q']);
});

test('FairOrder asks anew when a claim is known, before the pod has its turn', () => {
  const { claim, add, take, bind, tenants, used, why } = cloud(1);
  const [p0, p1] = ['p0', 'p1'].map((name) => claimant(name, { made: `${name}-x` })) as [Pod, Pod];
  add(p0);
  add(p1);
  for (const name of ['p0', 'p1']) claim(`${name}-x`);
  assert.deepEqual(take(), ['p0']);
  assert.equal(why(p1), `queue a: 2 of at most 1 ${gpus}`);
  bind(p0);
  // One that was there before its claim was known, as after a restart.
  const old = claimant('old', { made: 'old-x' });
  tenants.count('a/old', old, true);
  assert.equal(used(), 1);
  claim('old-x', 2);
  tenants.recountClaims();
  assert.equal(used(), 3);
});

test('FairOrder counts the devices of a gang as a whole', () => {
  const { claim, addGang, take, why } = cloud(3);
  const pods = ['g0', 'g1'].map((name) => claimant(name, { made: `${name}-x` }));
  for (const name of ['g0', 'g1']) claim(`${name}-x`, 2);
  addGang('g', 2, pods);
  assert.deepEqual(take(), []);
  assert.match(
    why(pods[0] as Pod) ?? '',
    /can never have that: the queue may have at most 3 gpu\.deviceclass/,
  );
  for (const name of ['g0', 'g1']) claim(`${name}-x`, 1);
  addGang('g', 2, pods);
  assert.deepEqual(take(), ['g0', 'g1']);
});

const slice = (name: string, count: number, generation = 1): ResourceSlice =>
  ({
    metadata: { name },
    spec: {
      driver,
      nodeName: name,
      pool: { name, generation, resourceSliceCount: 1 },
      devices: Array.from({ length: count }, (_, at) => ({ name: `gpu-${at}` })),
    },
  }) as ResourceSlice;

const classOf = (name: string, expression: string): DeviceClass => ({
  metadata: { name },
  spec: { selectors: [{ cel: { expression } }] },
});

test('DeviceClaimBook.devicesByClass() counts what there is, and hears of what comes and goes', () => {
  const book = new DeviceClaimBook();
  book.setSlice(slice('a', 4));
  assert.deepEqual([...book.devicesByClass()], []);
  book.setClass(classOf('gpu', `device.driver == "${driver}"`));
  book.setClass(classOf('none', 'device.driver == "other"'));
  assert.deepEqual([...book.devicesByClass()], [['gpu', 4]]);
  book.setSlice(slice('b', 2));
  assert.deepEqual([...book.devicesByClass()], [['gpu', 6]]);
  assert.equal(book.devicesByClass(), book.devicesByClass());
  book.setSlice(slice('a', 1, 2));
  assert.deepEqual([...book.devicesByClass()], [['gpu', 3]]);
  book.removeSlice('b');
  book.setClass(classOf('none', `device.driver == "${driver}"`));
  assert.deepEqual(Object.fromEntries(book.devicesByClass()), { gpu: 1, none: 1 });
  book.removeClass('gpu');
  assert.deepEqual([...book.devicesByClass()], [['none', 1]]);
});

const ref = (group: string, resource: string, namespaced: boolean, version = 'v1') => ({
  group,
  version,
  resource,
  namespaced,
});
const podsRef = ref('', 'pods', true);
const claimsRef = ref('resource.k8s.io', 'resourceclaims', true);
const queuesRef = ref('scheduling.caelum.dev', 'queues', false);

function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  let running: { stop(): void } | undefined;
  const start = (): void => {
    const informers = createInformers({ client, clock, random, log: silentLog });
    const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
    running = {
      stop: () => {
        scheduler.stop();
        informers.stop();
      },
    };
  };
  const stop = (): void => running?.stop();
  t.after(stop);
  const run = async (ms = 3000): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  client.seed<DeviceClass>(
    ref('resource.k8s.io', 'deviceclasses', false),
    classOf('gpu', `device.driver == "${driver}"`),
  );
  client.seed<Node>(ref('', 'nodes', false), {
    metadata: { name: 'n' },
    status: { allocatable: { cpu: '64', memory: '64Gi', pods: '110' } },
  });
  client.seed<ResourceSlice>(ref('resource.k8s.io', 'resourceslices', false), slice('n', 4));
  const add = (tenant: string, name: string, claim: string, created = 0): void =>
    client.seed<Pod>(podsRef, {
      ...podOf(tenant, name, { created }),
      spec: { ...podOf(tenant, name).spec, resourceClaims: [{ name: 'x', resourceClaimName: claim }] },
      status: { phase: 'Pending' },
    } as Pod);
  const claim = (tenant: string, name: string, count = 1): void =>
    client.seed<DynamicResourceClaim>(claimsRef, claimOf(tenant, name, count));
  const queue = (name: string, spec: QueueSpec = {}): void =>
    client.seed<Queue>(queuesRef, queueOf(name, spec));
  const bound = (tenant: string): number =>
    client
      .objects<Pod>(podsRef)
      .filter(({ metadata, spec }) => metadata.namespace === tenant && spec?.nodeName !== undefined).length;
  const status = (name: string) => client.peek<Queue>(queuesRef, name)?.status;
  const why = (key: string): string =>
    client.peek<Pod>(podsRef, key)?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
      ?.message ?? '';
  return { client, start, stop, run, add, claim, queue, bound, status, why };
}

test('devices that are claimed count for queues: limits, what is told of them, and after a restart', async (t) => {
  const { client, start, stop, run, add, claim, queue, bound, status, why } = desk(t);
  queue('a', { max: { [gpus]: '2' } });
  queue('b');
  start();
  for (const name of ['c0', 'c1', 'c2']) claim('a', name);
  for (const name of ['c0', 'c1', 'c2']) add('a', `p-${name}`, name);
  await run();
  assert.equal(bound('a'), 2);
  const { used, dominantResource, dominantShare } = status('a') ?? {};
  assert.deepEqual([used?.[gpus], dominantResource, dominantShare], ['2', gpus, '500m']);
  assert.equal(why('a/p-c2'), `queue a: 3 of at most 2 ${gpus}`);
  // Others of the first claim.
  add('a', 'p-also', 'c0');
  await run();
  assert.equal(bound('a'), 3);
  assert.equal(status('a')?.used?.[gpus], '2');
  stop();
  start();
  claim('a', 'c3');
  add('a', 'p-c3', 'c3');
  await run();
  assert.equal(bound('a'), 3);
  assert.equal(status('a')?.used?.[gpus], '2');
  client.remove(podsRef, 'a/p-c1');
  await run(15_000);
  assert.equal(bound('a'), 3);
});

test('tenants take turns by the devices that they claim', async (t) => {
  const { start, run, add, claim, queue, bound } = desk(t);
  queue('a');
  queue('b');
  for (const tenant of ['a', 'b'])
    for (let at = 0; at < 4; at++) {
      claim(tenant, `c${at}`);
      add(tenant, `p${at}`, `c${at}`, tenant === 'a' ? 0 : 100);
    }
  start();
  await run();
  assert.deepEqual([bound('a'), bound('b')], [2, 2]);
});
