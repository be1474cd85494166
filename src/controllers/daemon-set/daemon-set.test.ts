import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ControllerRevision,
  DaemonSet,
  DaemonSetSpec,
  Event,
  KubeObject,
  Node,
  Pod,
  PodSpec,
  Taint,
} from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { isReady, isTerminating } from '../pod-state.ts';
import { controllerRevisionsRef, daemonSetsRef, nodesRef, podsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { daemonSetController } from './controller.ts';
import { HoldBack } from './hold-back.ts';
import { affinityTo, targetOf, tolerationsOf, verdictOf } from './placement.ts';

const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

interface NodeShape {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
}

const aNode = (name: string, { labels = {}, ...spec }: NodeShape = {}): Node =>
  ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec }) as Node;

function aDaemonSet(spec: Partial<DaemonSetSpec> = {}, pod: Partial<PodSpec> = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'log', namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'log' } },
      template: {
        metadata: { labels: { app: 'log' } },
        spec: { containers: [{ name: 'c', image: 'one' }], ...pod },
      },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
}

/** Binds pods to the nodes that they ask for, a moment later; so that they end slowly. */
function imagineScheduler({ client, clock }: TestCluster): void {
  const follow = (resourceVersion: string): unknown =>
    client.watch<Pod>(
      podsRef,
      { resourceVersion },
      {
        onEnd: () => void follow('0'),
        onEvent(event) {
          if (event.type !== 'ADDED' || event.object.spec?.nodeName) return;
          const { namespace, name } = event.object.metadata;
          const target = targetOf(event.object);
          if (target === undefined) return;
          clock.after(20, () => {
            const pod = client.peek<Pod>(podsRef, `${namespace}/${name}`);
            if (pod !== undefined)
              client.seed(podsRef, { ...pod, spec: { ...pod.spec, nodeName: target } } as KubeObject);
          });
        },
      },
    );
  follow('0');
}

interface Running {
  readonly cluster: TestCluster;
  set(): DaemonSet;
  patch(spec: object): Promise<unknown>;
  /** `a:one b:two`, by node. */
  pods(): string;
  isDone(): boolean;
  done(what: string): Promise<void>;
}

async function start(
  seed: number | string,
  daemonSet: DaemonSet,
  nodes: readonly Node[],
  lagMs?: () => number,
): Promise<Running> {
  const cluster = createTestCluster(seed, lagMs);
  cluster.client.seed(nodesRef, ...(nodes as readonly KubeObject[]));
  imagineScheduler(cluster);
  cluster.start((informers) => daemonSetController(informers, cluster.clock));
  await cluster.client.create(daemonSetsRef, daemonSet as KubeObject);
  const set = (): DaemonSet => cluster.client.objects<DaemonSet>(daemonSetsRef)[0] as DaemonSet;
  const isDone = (): boolean => {
    const { metadata, status } = set();
    return (
      status?.observedGeneration === metadata.generation &&
      status?.numberAvailable === status?.desiredNumberScheduled &&
      status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
      cluster.pods().length === status?.desiredNumberScheduled
    );
  };
  return {
    cluster,
    set,
    patch: (spec) => cluster.client.patch(daemonSetsRef, 'shop', 'log', 'merge', { spec }),
    pods: () =>
      cluster
        .pods()
        .map((pod) => `${targetOf(pod)}:${pod.spec?.containers[0]?.image}`)
        .sort()
        .join(' '),
    isDone,
    done: (what) => cluster.until(what, isDone),
  };
}

const three = [aNode('a'), aNode('b'), aNode('c')];
const image = (name: string) => ({ template: { spec: { containers: [{ name: 'c', image: name }] } } });
const messages = ({ cluster }: Running): readonly string[] =>
  cluster.client.objects<Event>(eventsRef).map(({ message }) => message ?? '');
const setNode = ({ cluster }: Running, node: Node): void => cluster.client.seed(nodesRef, node as KubeObject);

// conformance, partly (pods are imagined): [sig-apps] Daemon set [Serial] should run and stop simple daemon
test('a DaemonSet has a pod on each node, pinned and tolerant; one that is deleted is revived; and it is quiet at rest', async (t) => {
  const one = await start(1, aDaemonSet(), three);
  t.after(() => one.cluster.stop());
  await one.done('first');
  assert.equal(one.pods(), 'a:one b:one c:one');
  const [revision] = one.cluster.client.objects<ControllerRevision>(controllerRevisionsRef);
  const hash = revision?.metadata.labels?.['controller-revision-hash'] ?? '';
  assert.equal(revision?.metadata.name, `log-${hash}`);
  assert.equal(revision?.revision, 1);
  const [pod] = one.cluster.pods();
  assert.match(pod?.metadata.name ?? '', /^log-[a-z0-9]{5}$/);
  assert.deepEqual(pod?.metadata.labels, { app: 'log', 'controller-revision-hash': hash });
  assert.equal(pod?.spec?.tolerations?.length, 6);
  assert.deepEqual(one.set().status, {
    currentNumberScheduled: 3,
    desiredNumberScheduled: 3,
    numberAvailable: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    numberUnavailable: 0,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
  });
  assert.ok(messages(one).includes(`Created pod: ${pod?.metadata.name}`));
  await one.cluster.client.delete(podsRef, 'shop', pod?.metadata.name ?? '');
  await one.cluster.run(500);
  await one.done('revived');
  one.cluster.writes();
  await one.cluster.run(3_600_000);
  assert.equal(one.cluster.writes(), 0, 'nothing is written at rest');
});

// conformance, partly (pods are imagined): [sig-apps] Daemon set [Serial] should run and stop complex daemon
test('it follows the labels and taints of nodes, and its own selector', async (t) => {
  const one = await start(2, aDaemonSet({}, { nodeSelector: { color: 'blue' } }), three);
  t.after(() => one.cluster.stop());
  await one.cluster.run(1000);
  assert.equal(one.pods(), '');
  const blue = { color: 'blue' };
  setNode(one, aNode('b', { labels: blue }));
  await one.cluster.run(1000);
  assert.equal(one.pods(), 'b:one');
  const noSchedule = { key: 'k', effect: 'NoSchedule' };
  setNode(one, aNode('b', { labels: blue, taints: [noSchedule] }));
  await one.cluster.run(1000);
  assert.equal(one.pods(), 'b:one', 'it may go on');
  assert.equal(one.set().status?.numberMisscheduled, 1);
  setNode(one, aNode('b', { labels: { color: 'green' } }));
  await one.cluster.run(1000);
  assert.equal(one.pods(), '');
  await one.patch({ template: { spec: { nodeSelector: { color: 'green' } } } });
  await one.cluster.run(1000);
  assert.equal(one.pods(), 'b:one');
  setNode(one, aNode('d', { labels: { color: 'green' } }));
  await one.cluster.run(1000);
  assert.equal(one.pods(), 'b:one d:one');
  one.cluster.client.remove(nodesRef, 'd');
  await one.cluster.run(1000);
  assert.equal(one.set().status?.desiredNumberScheduled, 1);
});

// conformance, partly (pods are imagined): [sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate
for (const [what, rollingUpdate, unreadyMax, podsMax] of [
  ['one after the other', { maxUnavailable: 1, maxSurge: 0 }, 1, 3],
  ['as many as may be unavailable', { maxUnavailable: '50%', maxSurge: 0 }, 2, 3],
  ['with new ones beside old ones', { maxUnavailable: 0, maxSurge: 2 }, 0, 5],
] as const)
  test(`a new template replaces pods ${what}`, async (t) => {
    const one = await start(
      3,
      aDaemonSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } }),
      three,
    );
    t.after(() => one.cluster.stop());
    await one.done('first');
    await one.patch(image('two'));
    let [unready, most] = [0, 0];
    await one.cluster.until('second', () => {
      const pods = one.cluster.pods();
      const served = new Set(pods.filter((pod) => isReady(pod) && !isTerminating(pod)).map(targetOf));
      unready = Math.max(unready, 3 - served.size);
      most = Math.max(most, pods.filter((pod) => !isTerminating(pod)).length);
      return one.isDone();
    });
    assert.equal(one.pods(), 'a:two b:two c:two');
    assert.deepEqual([unready, most], [unreadyMax, podsMax]);
  });

// conformance, partly (pods are imagined): [sig-apps] Daemon set [Serial] should rollback without unnecessary restarts
test('a template that never becomes ready stops at what may be unavailable; going back restarts only those', async (t) => {
  const one = await start(4, aDaemonSet(), three);
  t.after(() => one.cluster.stop());
  one.cluster.agent.startMs = (pod) => (pod.spec?.containers[0]?.image === 'bad' ? undefined : 100);
  await one.done('first');
  const uids = one.cluster.pods().map(({ metadata }) => metadata.uid);
  await one.patch(image('bad'));
  await one.cluster.run(5000);
  assert.equal(one.pods().match(/bad/g)?.length, 1);
  await one.patch(image('one'));
  await one.done('back');
  const kept = one.cluster.pods().filter(({ metadata }) => uids.includes(metadata.uid));
  assert.equal(kept.length, 2);
  const revisions = one.cluster.client.objects<ControllerRevision>(controllerRevisionsRef);
  assert.deepEqual(revisions.map(({ revision }) => revision).sort(), [2, 3]);
});

test('OnDelete: a new template comes with the pods that somebody deletes', async (t) => {
  const one = await start(5, aDaemonSet({ updateStrategy: { type: 'OnDelete' } }), three);
  t.after(() => one.cluster.stop());
  await one.done('first');
  await one.patch(image('two'));
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'a:one b:one c:one');
  const onB = one.cluster.pods().find((pod) => targetOf(pod) === 'b');
  await one.cluster.client.delete(podsRef, 'shop', onB?.metadata.name ?? '');
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'a:one b:two c:one');
  assert.equal(one.set().status?.updatedNumberScheduled, 1);
});

// conformance, partly (pods are imagined): [sig-apps] Daemon set [Serial] should retry creating failed daemon pods
test('failed pods are replaced, ever later while they go on failing; ended ones too', async (t) => {
  const one = await start(6, aDaemonSet(), [aNode('a')]);
  t.after(() => one.cluster.stop());
  await one.done('first');
  const end = (phase: string): string => {
    const pod = one.cluster.pods().find((each) => !isTerminating(each)) as Pod;
    one.cluster.client.seed(podsRef, { ...pod, status: { phase } } as KubeObject);
    return pod.metadata.name ?? '';
  };
  const name = end('Failed');
  await one.cluster.run(300);
  await one.done('replaced');
  assert.ok(messages(one).includes(`Found failed daemon pod shop/${name} on node a, will try to kill it`));
  const ended = end('Succeeded');
  await one.cluster.run(300);
  await one.done('again');
  assert.ok(
    messages(one).includes(`Found succeeded daemon pod shop/${ended} on node a, will try to delete it`),
  );
  let replaced = 0;
  const seen = new Set<string>();
  for (let passed = 0; passed < 60_000; passed += 100) {
    const pod = one.cluster.pods().find((each) => !isTerminating(each));
    if (pod !== undefined && !seen.has(pod.metadata.name ?? '')) {
      seen.add(pod.metadata.name ?? '');
      replaced++;
      end('Failed');
    }
    await one.cluster.clock.advance(100);
  }
  assert.ok(replaced >= 4 && replaced <= 8, `${replaced} in a minute`);
});

test('of two pods on a node the older stays; one that waits for a node that is gone goes', async (t) => {
  const one = await start(7, aDaemonSet(), [aNode('a')]);
  t.after(() => one.cluster.stop());
  await one.done('first');
  const [pod] = one.cluster.pods() as [Pod];
  const { spec = { containers: [] } } = pod;
  const { nodeName: _, ...unbound } = spec;
  const twin = (name: string, more: PodSpec): KubeObject =>
    ({
      ...pod,
      metadata: { ...pod.metadata, name, uid: name, creationTimestamp: '2040-01-01T00:00:00Z' },
      spec: more,
    }) as KubeObject;
  one.cluster.client.seed(
    podsRef,
    twin('younger', spec),
    twin('lost', { ...unbound, affinity: affinityTo('gone') }),
  );
  one.cluster.client.remove(podsRef, 'shop/none');
  await one.cluster.run(2000);
  assert.deepEqual(
    one.cluster.pods().map(({ metadata }) => metadata.name),
    [pod.metadata.name],
  );
});

test('old revisions beyond the limit go', async (t) => {
  const one = await start(8, aDaemonSet({ revisionHistoryLimit: 1 }), [aNode('a')]);
  t.after(() => one.cluster.stop());
  for (const name of ['two', 'three', 'four']) {
    await one.done(name);
    await one.patch(image(name));
    await one.cluster.run(1000);
  }
  await one.done('last');
  await one.cluster.run(1000);
  const revisions = one.cluster.client.objects<ControllerRevision>(controllerRevisionsRef);
  assert.deepEqual(revisions.map(({ revision }) => revision).sort(), [3, 4]);
});

test('two revisions of one template become one, and no pod begins anew', async (t) => {
  const one = await start(11, aDaemonSet(), three);
  t.after(() => one.cluster.stop());
  await one.done('made');
  const { client } = one.cluster;
  const [revision] = client.objects<ControllerRevision>(controllerRevisionsRef);
  assert.ok(revision !== undefined);
  const uids = one.cluster.pods().map(({ metadata }) => metadata.uid);
  const twin = { ...revision.metadata, name: 'log-twin', uid: 'twin' };
  const labels = { ...twin.labels, 'controller-revision-hash': 'twin' };
  const [pod] = one.cluster.pods();
  assert.ok(pod !== undefined);
  // Seen together.
  client.seed(podsRef, {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, 'controller-revision-hash': 'twin' } },
  } as KubeObject);
  client.seed(controllerRevisionsRef, {
    ...revision,
    metadata: { ...twin, labels },
    revision: 0,
  } as KubeObject);
  await one.cluster.until(
    'one',
    () => client.objects<ControllerRevision>(controllerRevisionsRef).length === 1,
  );
  await one.cluster.run(5000);
  assert.deepEqual(
    one.cluster.pods().map(({ metadata }) => metadata.uid),
    uids,
  );
  const hashes = one.cluster.pods().map(({ metadata }) => metadata.labels?.['controller-revision-hash']);
  assert.deepEqual([...new Set(hashes)], [revision.metadata.labels?.['controller-revision-hash']]);
});

test('minReadySeconds: available later than ready', async (t) => {
  const one = await start(9, aDaemonSet({ minReadySeconds: 30 }), [aNode('a')]);
  t.after(() => one.cluster.stop());
  await one.cluster.run(20_000);
  assert.deepEqual([one.set().status?.numberReady, one.set().status?.numberAvailable], [1, 0]);
  assert.equal(one.set().status?.numberUnavailable, 1);
  await one.cluster.run(15_000);
  assert.equal(one.set().status?.numberAvailable, 1);
});

test('however late its copies are, it never has two pods on a node', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new SeededRandom(seed).stream('lag');
    const one = await start(`late ${seed}`, aDaemonSet(), three, () => random.integer(400));
    t.after(() => one.cluster.stop());
    let most = 0;
    const isWell = (): boolean => {
      most = Math.max(most, one.cluster.pods().length);
      return one.isDone();
    };
    await one.cluster.until('first', isWell);
    await one.patch(image('two'));
    await one.cluster.until('second', () => isWell() && one.pods() === 'a:two b:two c:two');
    assert.equal(most, 3, `seed ${seed}`);
    await one.cluster.run(5000);
    one.cluster.writes();
    await one.cluster.run(600_000);
    assert.equal(one.cluster.writes(), 0, `seed ${seed}: quiet`);
  }
});

const template = (spec: Partial<PodSpec>) => ({ spec: { containers: [], ...spec } });
const nameIn = (...values: string[]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values }] }],
    },
  },
});
const taint = (key: string, effect: string): NodeShape => ({ taints: [{ key, effect }] });
for (const [what, spec, node, shouldRun, mayGoOn] of [
  ['any node', {}, aNode('a'), true, true],
  ['another named node', { nodeName: 'b' }, aNode('a'), false, false],
  ['labels', { nodeSelector: { x: 'y' } }, aNode('a', { labels: { x: 'y' } }), true, true],
  ['other labels', { nodeSelector: { x: 'y' } }, aNode('a', { labels: { x: 'z' } }), false, false],
  ['affinity', { affinity: nameIn('a') }, aNode('a'), true, true],
  ['another affinity', { affinity: nameIn('b') }, aNode('a'), false, false],
  ['NoSchedule', {}, aNode('a', taint('k', 'NoSchedule')), false, true],
  ['NoExecute', {}, aNode('a', taint('k', 'NoExecute')), false, false],
  ['PreferNoSchedule', {}, aNode('a', taint('k', 'PreferNoSchedule')), true, true],
  ['tolerated', { tolerations: [{ operator: 'Exists' }] }, aNode('a', taint('k', 'NoExecute')), true, true],
  ['not ready', {}, aNode('a', taint('node.kubernetes.io/not-ready', 'NoExecute')), true, true],
  [
    'not ready for new ones',
    {},
    aNode('a', taint('node.kubernetes.io/not-ready', 'NoSchedule')),
    false,
    true,
  ],
  [
    'cordoned',
    {},
    aNode('a', { unschedulable: true, ...taint('node.kubernetes.io/unschedulable', 'NoSchedule') }),
    true,
    true,
  ],
  ['no network', {}, aNode('a', taint('node.kubernetes.io/network-unavailable', 'NoSchedule')), false, true],
  [
    'no network, none needed',
    { hostNetwork: true },
    aNode('a', taint('node.kubernetes.io/network-unavailable', 'NoSchedule')),
    true,
    true,
  ],
] as const)
  test(`verdictOf(): ${what}`, () => {
    assert.deepEqual(verdictOf(template(spec), node), { shouldRun, mayGoOn });
  });

test('tolerationsOf() keeps the own ones and names none twice', () => {
  const own = [
    { key: 'mine', operator: 'Exists' },
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  ];
  const all = tolerationsOf({ containers: [], tolerations: own });
  assert.equal(all.length, 7);
  assert.deepEqual(all[0], own[0]);
});

test('HoldBack doubles while failures follow each other, and forgives', () => {
  const holdBack = new HoldBack();
  assert.equal(holdBack.waitMs('u', 'n', 0), 0);
  const waits = [0, 5000, 10_000].map((nowMs) => {
    holdBack.failed('u', 'n', nowMs);
    return holdBack.waitMs('u', 'n', nowMs);
  });
  assert.deepEqual(waits, [1000, 2000, 4000]);
  assert.equal(holdBack.waitMs('u', 'other', 10_000), 0);
  holdBack.failed('u', 'n', 10_000_000);
  assert.equal(holdBack.waitMs('u', 'n', 10_000_000), 1000);
});
