import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ControllerRevision,
  Event,
  KubeObject,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  StatefulSetSpec,
} from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { isReady } from '../pod-state.ts';
import { controllerRevisionsRef, persistentVolumeClaimsRef, podsRef, statefulSetsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { statefulSetController } from './controller.ts';

const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };
const container = (image: string) => ({ spec: { containers: [{ name: 'c', image }] } });

function aSet(spec: Partial<StatefulSetSpec> = {}, image = 'one'): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      replicas: 3,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, ...container(image) },
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      ...spec,
    },
  };
}

interface Running {
  readonly cluster: TestCluster;
  set(): StatefulSet;
  patch(spec: object): Promise<unknown>;
  /** `web-0:one web-1:two`. */
  pods(): string;
  isDone(): boolean;
  done(what: string): Promise<void>;
  /** `+web-0`, `-web-2` in the order in which it happened, since the last call. */
  story(): string;
}

async function start(
  seed: number | string,
  set: StatefulSet,
  lagMs?: () => number,
  prepare: (cluster: TestCluster) => void = () => undefined,
): Promise<Running> {
  const cluster = createTestCluster(seed, lagMs);
  prepare(cluster);
  cluster.start(statefulSetController);
  await cluster.client.create(statefulSetsRef, set as KubeObject);
  const present = (): StatefulSet => cluster.client.objects<StatefulSet>(statefulSetsRef)[0] as StatefulSet;
  const isDone = (): boolean => {
    const { metadata, spec, status } = present();
    return (
      status?.observedGeneration === metadata.generation &&
      status?.availableReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas &&
      status?.updateRevision === status?.currentRevision &&
      status?.updatedReplicas === spec?.replicas
    );
  };
  let told = 0;
  return {
    cluster,
    set: present,
    patch: (spec) => cluster.client.patch(statefulSetsRef, 'shop', 'web', 'merge', { spec }),
    pods: () =>
      cluster
        .pods()
        .map(({ metadata, spec }) => `${metadata.name}:${spec?.containers[0]?.image}`)
        .join(' '),
    isDone,
    done: (what) => cluster.until(what, isDone),
    story() {
      const recent = cluster.client.requests.slice(told);
      told = cluster.client.requests.length;
      return recent
        .filter(({ resource, verb }) => resource === 'pods' && (verb === 'create' || verb === 'delete'))
        .map(({ verb, name }) => `${verb === 'create' ? '+' : '-'}${name?.slice(4)}`)
        .join(' ');
    },
  };
}

const revisionsOf = ({ cluster }: Running): readonly ControllerRevision[] =>
  cluster.client.objects<ControllerRevision>(controllerRevisionsRef);
const claimsOf = ({ cluster }: Running): readonly PersistentVolumeClaim[] =>
  cluster.client.objects<PersistentVolumeClaim>(persistentVolumeClaimsRef);
const messages = ({ cluster }: Running): readonly string[] =>
  cluster.client.objects<Event>(eventsRef).map(({ message }) => message ?? '');
const template = (image: string) => ({ template: container(image) });
/** Pods that run on a node end slowly, as the imagined agent ends them. */
const onNode = { nodeName: 'n1' };
const slow = (image = 'one') => ({
  template: {
    metadata: { labels: { app: 'web' } },
    spec: { ...container(image).spec, ...onNode },
  },
});

test('a StatefulSet becomes pods with names, labels, hosts and a revision, one after the other; and is quiet at rest', async (t) => {
  const one = await start(1, aSet());
  t.after(() => one.cluster.stop());
  let most = 0;
  await one.cluster.until('all available', () => {
    most = Math.max(most, one.cluster.pods().filter((pod) => !isReady(pod)).length);
    return one.isDone();
  });
  assert.equal(most, 1, 'one after the other');
  assert.equal(one.story(), '+0 +1 +2');
  const [revision] = revisionsOf(one);
  const { name = '', labels } = revision?.metadata ?? {};
  assert.match(name, /^web-[a-z0-9]{8,10}$/);
  assert.equal(revision?.revision, 1);
  assert.equal(labels?.['controller.kubernetes.io/hash'], name.slice(4));
  assert.equal(labels?.['app'], 'web');
  assert.deepEqual(revision?.data, {
    spec: { template: { ...aSet().spec?.template, $patch: 'replace' } },
  });
  const pod = one.cluster.pods()[1] as Pod;
  assert.deepEqual(pod.metadata.labels, {
    app: 'web',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': name,
    'statefulset.kubernetes.io/pod-name': 'web-1',
  });
  assert.equal(pod.metadata.generateName, 'web-');
  assert.deepEqual([pod.spec?.hostname, pod.spec?.subdomain], ['web-1', 'web']);
  assert.deepEqual(one.set().status, {
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: name,
    updateRevision: name,
    observedGeneration: 1,
    collisionCount: 0,
  });
  assert.ok(messages(one).includes('create Pod web-0 in StatefulSet web successful'));
  one.cluster.writes();
  await one.cluster.run(3_600_000);
  assert.equal(one.cluster.writes(), 0, 'nothing is written at rest');
});

// conformance, partly (pods are imagined): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow]
test('OrderedReady: scaling stops at a pod that is not ready, up and down, and goes down in reverse', async (t) => {
  const one = await start(2, aSet({ replicas: 1, ...slow() }));
  t.after(() => one.cluster.stop());
  await one.done('first');
  one.story();
  const ready = (status: string): void => {
    for (const pod of one.cluster.pods())
      one.cluster.client.seed(podsRef, {
        ...pod,
        status: { phase: 'Running', conditions: [{ type: 'Ready', status }] },
      } as KubeObject);
  };
  ready('False');
  await one.patch({ replicas: 3 });
  await one.cluster.run(5000);
  assert.equal(one.story(), '', 'halted');
  ready('True');
  await one.done('scaled up');
  assert.equal(one.story(), '+1 +2');
  ready('False');
  await one.patch({ replicas: 0 });
  await one.cluster.run(5000);
  assert.equal(one.story(), '', 'halted');
  ready('True');
  await one.done('scaled down');
  assert.equal(one.story(), '-2 -1 -0');
});

// conformance, partly (pods are imagined): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow]
test('Parallel: scaling waits for nobody', async (t) => {
  const one = await start(3, aSet({ podManagementPolicy: 'Parallel', ...slow() }), undefined, (cluster) => {
    cluster.agent.startMs = () => undefined;
  });
  t.after(() => one.cluster.stop());
  await one.cluster.until('up', () => one.set().status?.replicas === 3);
  assert.equal(one.set().status?.readyReplicas, 0);
  await one.patch({ replicas: 0 });
  await one.cluster.until('down', () => one.cluster.pods().length === 0);
});

// conformance, partly (pods are imagined): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications
test('a new template rolls out from the highest ordinal, one at a time; going back raises the old revision', async (t) => {
  const one = await start(4, aSet(slow()));
  t.after(() => one.cluster.stop());
  await one.done('first');
  const first = one.set().status?.currentRevision;
  one.story();
  await one.patch(template('two'));
  let unready = 0;
  await one.cluster.until('second', () => {
    unready = Math.max(unready, 3 - one.cluster.pods().filter(isReady).length);
    const { currentRevision, updateRevision } = one.set().status ?? {};
    return one.isDone() && currentRevision === updateRevision && currentRevision !== first;
  });
  assert.equal(unready, 1);
  assert.equal(one.story(), '-2 +2 -1 +1 -0 +0');
  assert.equal(one.pods(), 'web-0:two web-1:two web-2:two');
  await one.patch(template('one'));
  await one.cluster.until('back', () => one.isDone() && one.set().status?.currentRevision === first);
  assert.deepEqual(
    revisionsOf(one)
      .map(({ revision }) => revision)
      .sort(),
    [2, 3],
  );
});

// conformance, partly (pods are imagined): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications
test('below the partition pods keep their template, also when they are made anew', async (t) => {
  const one = await start(5, aSet(slow()));
  t.after(() => one.cluster.stop());
  const rolling = (partition: number) => ({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition, maxUnavailable: 1 } },
  });
  await one.done('first');
  const first = one.set().status?.currentRevision;
  await one.patch({ ...template('two'), ...rolling(3) });
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'web-0:one web-1:one web-2:one');
  assert.notEqual(one.set().status?.updateRevision, first);
  await one.patch(rolling(2));
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'web-0:one web-1:one web-2:two');
  assert.deepEqual([one.set().status?.currentReplicas, one.set().status?.updatedReplicas], [2, 1]);
  for (const name of ['web-0', 'web-2']) await one.cluster.client.delete(podsRef, 'shop', name);
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'web-0:one web-1:one web-2:two', 'as they were');
  await one.patch(rolling(0));
  await one.done('all');
  assert.equal(one.pods(), 'web-0:two web-1:two web-2:two');
});

test('OnDelete: a new template comes with the pods that somebody deletes', async (t) => {
  const one = await start(6, aSet({ ...slow(), updateStrategy: { type: 'OnDelete' } }));
  t.after(() => one.cluster.stop());
  await one.cluster.until('first', () => one.set().status?.availableReplicas === 3);
  one.story();
  await one.patch(template('two'));
  await one.cluster.run(3000);
  assert.equal(one.story(), '');
  await one.cluster.client.delete(podsRef, 'shop', 'web-1');
  await one.cluster.run(3000);
  assert.equal(one.pods(), 'web-0:one web-1:two web-2:one');
  assert.deepEqual([one.set().status?.currentReplicas, one.set().status?.updatedReplicas], [2, 1]);
});

for (const podManagementPolicy of ['OrderedReady', 'Parallel'])
  test(`maxUnavailable: ${podManagementPolicy} takes so many at once, never more`, async (t) => {
    const rollingUpdate = { partition: 0, maxUnavailable: '50%' };
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate };
    const one = await start(7, aSet({ replicas: 5, podManagementPolicy, updateStrategy, ...slow() }));
    t.after(() => one.cluster.stop());
    await one.done('first');
    const first = one.set().status?.currentRevision;
    one.story();
    await one.patch(template('two'));
    let unready = 0;
    await one.cluster.until('second', () => {
      unready = Math.max(unready, 5 - one.cluster.pods().filter(isReady).length);
      return one.isDone() && one.set().status?.currentRevision !== first;
    });
    assert.equal(unready, 2);
    assert.match(one.story(), /^-4 -3 /);
  });

test('a template that never becomes ready: OrderedReady waits for the pod to be deleted, Parallel rolls on', async (t) => {
  for (const podManagementPolicy of ['OrderedReady', 'Parallel']) {
    const one = await start(8, aSet({ podManagementPolicy, ...slow() }), undefined, (cluster) => {
      cluster.agent.startMs = (pod) => (pod.spec?.containers[0]?.image === 'bad' ? undefined : 100);
    });
    t.after(() => one.cluster.stop());
    await one.done('first');
    await one.patch(template('bad'));
    await one.cluster.run(5000);
    assert.equal(one.pods(), 'web-0:one web-1:one web-2:bad', 'no further');
    await one.patch(template('good'));
    await one.cluster.run(5000);
    if (podManagementPolicy === 'OrderedReady') {
      assert.equal(one.pods(), 'web-0:one web-1:one web-2:bad');
      await one.cluster.client.delete(podsRef, 'shop', 'web-2');
    }
    await one.done('good');
    assert.equal(one.pods(), 'web-0:good web-1:good web-2:good');
  }
});

// conformance, partly (pods are imagined): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset
test('pods that have failed or ended are made anew', async (t) => {
  const one = await start(9, aSet(slow()));
  t.after(() => one.cluster.stop());
  await one.done('first');
  for (const phase of ['Failed', 'Succeeded']) {
    one.story();
    const old = one.cluster.client.peek<Pod>(podsRef, 'shop/web-1') as Pod;
    one.cluster.client.seed(podsRef, { ...old, status: { phase } } as KubeObject);
    await one.cluster.run(500);
    await one.done(phase);
    assert.equal(one.story(), '-1 +1');
    assert.notEqual(one.cluster.pods()[1]?.metadata.uid, old.metadata.uid);
  }
});

test('a name that is taken is waited for, without a write', async (t) => {
  const other = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop' },
    ...container('other'),
  };
  const one = await start(10, aSet(), undefined, (cluster) => cluster.client.seed(podsRef, other));
  t.after(() => one.cluster.stop());
  await one.cluster.run(5000);
  one.cluster.writes();
  await one.cluster.run(3_600_000);
  assert.equal(one.cluster.writes(), 0);
  assert.equal(one.set().status?.replicas, 1);
  one.cluster.client.remove(podsRef, 'shop/web-1');
  await one.cluster.run(1000);
  await one.done('free');
});

test('ordinals begin where they are told to, and follow a change', async (t) => {
  const one = await start(11, aSet({ ordinals: { start: 5 }, replicas: 2 }));
  t.after(() => one.cluster.stop());
  await one.done('first');
  assert.equal(one.pods(), 'web-5:one web-6:one');
  await one.patch({ ordinals: { start: 4 } });
  await one.cluster.run(2000);
  assert.equal(one.pods(), 'web-4:one web-5:one');
});

test('minReadySeconds: the next begins when the one before has been ready for so long', async (t) => {
  const one = await start(12, aSet({ replicas: 2, minReadySeconds: 30 }));
  t.after(() => one.cluster.stop());
  await one.cluster.run(20_000);
  assert.deepEqual([one.set().status?.readyReplicas, one.set().status?.availableReplicas], [1, 0]);
  assert.equal(one.story(), '+0');
  await one.cluster.run(15_000);
  assert.equal(one.story(), '+1');
  await one.done('available');
});

test('old revisions beyond the limit go; those of pods and of now stay', async (t) => {
  const one = await start(13, aSet({ revisionHistoryLimit: 2, replicas: 1 }));
  t.after(() => one.cluster.stop());
  for (const image of ['two', 'three', 'four', 'five', 'six']) {
    await one.done(image);
    await one.patch(template(image));
    await one.cluster.run(1000);
  }
  await one.done('last');
  await one.cluster.run(1000);
  assert.deepEqual(
    revisionsOf(one)
      .map(({ revision }) => revision)
      .sort(),
    [4, 5, 6],
  );
});

test('a revision whose name is taken gets another, and the collision is counted', async (t) => {
  const first = await start(14, aSet({ replicas: 0 }));
  await first.cluster.run(1000);
  const [taken] = revisionsOf(first);
  first.cluster.stop();
  const stranger = {
    ...taken,
    metadata: { name: taken?.metadata.name, namespace: 'shop' },
    data: { other: true },
  };
  const one = await start(14, aSet({ replicas: 1 }), undefined, (cluster) =>
    cluster.client.seed(controllerRevisionsRef, stranger as unknown as KubeObject),
  );
  t.after(() => one.cluster.stop());
  await one.done('made');
  assert.equal(revisionsOf(one).length, 2);
  assert.equal(one.set().status?.collisionCount, 1);
  assert.notEqual(one.set().status?.updateRevision, taken?.metadata.name);
});

const withClaims = (policy?: StatefulSetSpec['persistentVolumeClaimRetentionPolicy']) => ({
  ...slow(),
  ...(policy === undefined ? {} : { persistentVolumeClaimRetentionPolicy: policy }),
  volumeClaimTemplates: [
    {
      metadata: { name: 'data', labels: { kept: 'yes' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ],
});
const owners = (one: Running): string =>
  claimsOf(one)
    .map(
      ({ metadata }) => `${metadata.name}:${metadata.ownerReferences?.map(({ kind }) => kind).join() ?? ''}`,
    )
    .join(' ');

test('each pod has its claims, made before it, kept when it goes, and mounted', async (t) => {
  const one = await start(15, aSet({ replicas: 2, ...withClaims() }));
  t.after(() => one.cluster.stop());
  await one.done('first');
  assert.equal(owners(one), 'data-web-0: data-web-1:');
  assert.deepEqual(claimsOf(one)[0]?.metadata.labels, { kept: 'yes', app: 'web' });
  assert.deepEqual(one.cluster.pods()[0]?.spec?.volumes, [
    { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
  ]);
  assert.ok(messages(one).includes('create Claim data-web-0 Pod web-0 in StatefulSet web success'));
  const uid = claimsOf(one)[1]?.metadata.uid;
  await one.patch({ replicas: 1 });
  await one.done('down');
  await one.patch({ replicas: 2 });
  await one.done('up');
  assert.equal(claimsOf(one)[1]?.metadata.uid, uid, 'the same claim');
});

for (const [policy, atFirst, condemned] of [
  [{ whenDeleted: 'Delete', whenScaled: 'Retain' }, 'StatefulSet', 'StatefulSet'],
  [{ whenDeleted: 'Retain', whenScaled: 'Delete' }, '', 'Pod'],
  [{ whenDeleted: 'Delete', whenScaled: 'Delete' }, 'StatefulSet', 'Pod'],
] as const)
  test(`claims whenDeleted ${policy.whenDeleted}, whenScaled ${policy.whenScaled}`, async (t) => {
    const one = await start(16, aSet({ replicas: 2, ...withClaims(policy) }));
    t.after(() => one.cluster.stop());
    await one.done('first');
    assert.equal(owners(one), `data-web-0:${atFirst} data-web-1:${atFirst}`);
    await one.patch({ replicas: 1 });
    await one.done('down');
    assert.equal(owners(one), `data-web-0:${atFirst} data-web-1:${condemned}`);
    await one.patch({
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    await one.cluster.run(1000);
    assert.equal(owners(one), `data-web-0: data-web-1:${condemned}`, 'those of its pods follow the policy');
  });

test('a claim that goes with the pod before is waited for', async (t) => {
  const policy = { whenDeleted: 'Retain', whenScaled: 'Delete' };
  const one = await start(17, aSet({ replicas: 2, ...withClaims(policy) }));
  t.after(() => one.cluster.stop());
  await one.done('first');
  await one.patch({ replicas: 1 });
  await one.done('down');
  one.story();
  await one.patch({ replicas: 2 });
  await one.cluster.run(5000);
  assert.equal(one.story(), '', 'it waits');
  one.cluster.client.remove(persistentVolumeClaimsRef, 'shop/data-web-1');
  await one.cluster.run(1000);
  await one.done('up');
  assert.equal(owners(one), 'data-web-0: data-web-1:');
});

test('pods that match and are nobody’s are adopted by their names; others are let go', async (t) => {
  const orphan = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web' } },
    ...container('old'),
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const one = await start(18, aSet({ replicas: 1 }), undefined, (cluster) =>
    cluster.client.seed(podsRef, orphan('web-0'), orphan('web-x'), orphan('web-01')),
  );
  t.after(() => one.cluster.stop());
  await one.cluster.run(5000);
  const owned = one.cluster
    .pods()
    .filter(({ metadata }) => metadata.ownerReferences !== undefined)
    .map(({ metadata }) => metadata.name);
  assert.deepEqual(owned, ['web-0']);
  assert.equal(one.pods(), 'web-0:one web-01:old web-x:old', 'of another template: replaced');
  const pod = one.cluster.pods()[0] as Pod;
  const labels = { ...pod.metadata.labels, app: 'other' };
  one.cluster.client.seed(podsRef, { ...pod, metadata: { ...pod.metadata, labels } } as KubeObject);
  await one.cluster.run(1000);
  assert.equal(one.cluster.pods()[0]?.metadata.ownerReferences?.length ?? 0, 0, 'released');
});

test('one that is going makes nothing and ends nothing', async (t) => {
  const one = await start(19, aSet(slow()));
  t.after(() => one.cluster.stop());
  await one.done('first');
  await one.cluster.client.delete(statefulSetsRef, 'shop', 'web', { propagationPolicy: 'Foreground' });
  one.story();
  await one.cluster.client.delete(podsRef, 'shop', 'web-1');
  await one.cluster.run(5000);
  assert.equal(one.story(), '-1');
  assert.equal(one.set().status?.replicas, 2, 'its status follows');
});

test('however late its copies are, it never has two of a name or more than one unready', async (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const random = new SeededRandom(seed).stream('lag');
    const one = await start(`late ${seed}`, aSet(slow()), () => random.integer(400));
    t.after(() => one.cluster.stop());
    await one.done('first');
    await one.patch(template('two'));
    await one.cluster.run(1000);
    let unready = 0;
    await one.cluster.until('second', () => {
      unready = Math.max(unready, 3 - one.cluster.pods().filter(isReady).length);
      return one.isDone();
    });
    assert.equal(unready, 1, `seed ${seed}`);
    await one.patch({ replicas: 1 });
    await one.cluster.run(3000);
    await one.done('down');
    await one.cluster.run(5000);
    one.cluster.writes();
    await one.cluster.run(600_000);
    assert.equal(one.cluster.writes(), 0, `seed ${seed}: quiet`);
  }
});

test('a huge number of replicas costs one burst at a time', async (t) => {
  const one = await start(
    20,
    aSet({ replicas: 2_000_000_000, podManagementPolicy: 'Parallel' }),
    undefined,
    (cluster) => {
      cluster.client.intercept = ({ verb, resource }) =>
        verb === 'create' && resource === 'pods' ? new Error('no more') : undefined;
    },
  );
  t.after(() => one.cluster.stop());
  await one.cluster.run(1000);
  assert.ok(one.cluster.client.requests.length < 5000);
});
