/** Where workloads meet bad luck, or each other: quotas half-way, selectors that overlap, pods that two want, changes that come before the last has ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonSet, Deployment, Event, Job, KubeObject, Pod, ReplicaSet } from '../api/index.ts';
import { replicaSetController } from './replicaset/controller.ts';
import {
  daemonSetsRef,
  deploymentsRef,
  eventsRef,
  jobsRef,
  podsRef,
  replicaSetsRef,
  resourceQuotasRef,
} from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';
import { createTestCluster } from './test-cluster.ts';

const labels = { app: 'web' };
const selector = { matchLabels: labels };
const template = (image: string, more: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }], terminationGracePeriodSeconds: 1, ...more },
});
const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: 'default' }, spec }) as KubeObject;
const quota = (pods: number): KubeObject =>
  object('v1', 'ResourceQuota', 'q', { hard: { pods: String(pods) } });
const pods = (one: Cloud): Promise<readonly Pod[]> => one.list<Pod>(podsRef, 'default');
const eventsOf = async (one: Cloud, kind: string): Promise<readonly string[]> =>
  (await one.list<Event>(eventsRef, 'default'))
    .filter(({ involvedObject }) => involvedObject.kind === kind)
    .map(({ type, reason, message }) => `${type} ${reason} ${message}`);

test('a quota stops the rollout of a Deployment half-way: its conditions and Events say so, and it goes on when there is room', async (t) => {
  const one = await cloud(t, 1);
  await one.hollow({ count: 2, namePrefix: 'a' });
  await one.client.create(resourceQuotasRef, quota(3));
  await one.run(1000);
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } };
  await one.client.create(
    deploymentsRef,
    object('apps/v1', 'Deployment', 'web', { replicas: 3, selector, template: template('one'), strategy }),
  );
  const status = async () => (await one.client.get<Deployment>(deploymentsRef, 'default', 'web')).status;
  await one.until('made', async () => (await status())?.availableReplicas === 3);
  await one.client.patch(deploymentsRef, 'default', 'web', 'merge', { spec: { template: template('two') } });
  const failure = async () => (await status())?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  await one.until('told', async () => (await failure()) !== undefined);
  assert.deepEqual([(await failure())?.status, (await failure())?.reason], ['True', 'FailedCreate']);
  assert.match((await failure())?.message ?? '', /^pods "web-\S+" is forbidden: exceeded quota: q, /);
  await one.run(30_000);
  assert.equal((await status())?.availableReplicas, 3, 'the old ones serve on');
  assert.ok(
    (await eventsOf(one, 'ReplicaSet')).some((event) =>
      /^Warning FailedCreate Error creating: pods "web-\S+" is forbidden: exceeded quota/.test(event),
    ),
  );
  await one.client.patch(resourceQuotasRef, 'default', 'q', 'merge', { spec: { hard: { pods: '4' } } });
  await one.until(
    'rolled out',
    async () => (await status())?.updatedReplicas === 3 && (await status())?.replicas === 3,
    120_000,
  );
  await one.until('told no more', async () => (await failure()) === undefined);
});

test('a quota stops a DaemonSet and a Job half-way, and they go on when there is room', async (t) => {
  const one = await cloud(t, 2);
  await one.hollow({ count: 3, namePrefix: 'a' });
  await one.client.create(resourceQuotasRef, quota(2));
  await one.run(1000);
  await one.client.create(
    daemonSetsRef,
    object('apps/v1', 'DaemonSet', 'web', { selector, template: template('one') }),
  );
  await one.run(10_000);
  assert.equal((await pods(one)).length, 2);
  assert.ok(
    (await eventsOf(one, 'DaemonSet')).some((event) =>
      event.startsWith('Warning FailedCreate Error creating'),
    ),
  );
  const daemons = async () => (await one.client.get<DaemonSet>(daemonSetsRef, 'default', 'web')).status;
  assert.equal((await daemons())?.numberAvailable, 2);
  const job = object('batch/v1', 'Job', 'sums', {
    completions: 2,
    parallelism: 2,
    template: { spec: { ...template('one').spec, restartPolicy: 'Never' } },
  });
  await one.client.create(jobsRef, job);
  await one.run(10_000);
  assert.ok(
    (await eventsOf(one, 'Job')).some((event) => event.startsWith('Warning FailedCreate Error creating')),
  );
  await one.client.delete(resourceQuotasRef, 'default', 'q');
  await one.until('a pod on each node', async () => (await daemons())?.numberAvailable === 3, 120_000);
  await one.until(
    'the job runs',
    async () => (await one.client.get<Job>(jobsRef, 'default', 'sums')).status?.active === 2,
    120_000,
  );
});

test('Deployments whose selectors overlap keep apart: each its own ReplicaSet and pods, in silence', async (t) => {
  const one = await cloud(t, 3);
  await one.hollow({ count: 2, namePrefix: 'a' });
  for (const name of ['web', 'bew'])
    await one.client.create(
      deploymentsRef,
      object('apps/v1', 'Deployment', name, { replicas: 2, selector, template: template(name) }),
    );
  const isThere = async (name: string): Promise<boolean> =>
    (await one.client.get<Deployment>(deploymentsRef, 'default', name)).status?.availableReplicas === 2;
  await one.until('both', async () => (await isThere('web')) && isThere('bew'));
  await one.run(10_000);
  const sets = await one.list<ReplicaSet>(replicaSetsRef, 'default');
  assert.deepEqual(sets.map(({ metadata }) => metadata.ownerReferences?.[0]?.name).sort(), ['bew', 'web']);
  assert.deepEqual((await pods(one)).map(({ spec }) => spec?.containers[0]?.image).sort(), [
    'bew',
    'bew',
    'web',
    'web',
  ]);
  const before = one.revision();
  await one.run(60_000);
  assert.ok(one.revision() - before <= 12 + 2, 'nobody fights');
  await one.client.delete(deploymentsRef, 'default', 'web', { propagationPolicy: 'Foreground' });
  await one.until('its own are gone', async () => (await pods(one)).length === 2);
  assert.ok(await isThere('bew'));
});

test('orphans that several ReplicaSets want go to one each, whatever they see late', async () => {
  for (const seed of [1, 2, 3, 4]) {
    let late = 0;
    const cluster = createTestCluster(seed, () => (late = (late * 31 + seed * 17) % 400));
    const { client } = cluster;
    try {
      for (let at = 0; at < 6; at++)
        client.seed(podsRef, {
          metadata: { name: `orphan-${at}`, namespace: 'shop', labels },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        } as KubeObject);
      for (const name of ['a', 'b', 'c'])
        client.seed(replicaSetsRef, {
          metadata: { name, namespace: 'shop', generation: 1 },
          spec: { replicas: 3, selector, template: template('one') },
        } as KubeObject);
      cluster.start((informers) => replicaSetController(informers));
      await cluster.until(
        'nine pods, three each',
        () =>
          ['a', 'b', 'c'].every((name) => {
            const set = client.peek<ReplicaSet>(replicaSetsRef, `shop/${name}`);
            return set?.status?.availableReplicas === 3;
          }) && cluster.pods().length === 9,
      );
      await cluster.run(5000);
      for (const { metadata } of cluster.pods())
        assert.equal(metadata.ownerReferences?.length, 1, `seed ${seed}: ${metadata.name}`);
      cluster.writes();
      await cluster.run(60_000);
      assert.equal(cluster.writes(), 0, `seed ${seed}: nobody fights`);
    } finally {
      cluster.stop();
    }
  }
});

// conformance: [sig-apps] Deployment deployment should support rollover
test('a Deployment takes over what is there, and goes on to the newest template before the one before has come', async (t) => {
  const one = await cloud(t, 4);
  await one.hollow({ count: 2, namePrefix: 'a' });
  const before = object('apps/v1', 'ReplicaSet', 'test-rollover-controller', {
    replicas: 1,
    selector,
    template: template('one'),
  });
  await one.client.create(replicaSetsRef, { ...before, metadata: { ...before.metadata, labels } });
  await one.until('there', async () => (await pods(one)).some(({ status }) => status?.phase === 'Running'));
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await one.client.create(
    deploymentsRef,
    object('apps/v1', 'Deployment', 'web', {
      replicas: 1,
      minReadySeconds: 10,
      selector,
      template: template('redis-slave:nonexistent', { nodeSelector: { not: 'there' } }),
      strategy,
    }),
  );
  await one.run(5000);
  const get = () => one.client.get<Deployment>(deploymentsRef, 'default', 'web');
  const images = async (): Promise<string> =>
    (await pods(one))
      .map(({ spec }) => spec?.containers[0]?.image)
      .sort()
      .join();
  assert.equal(await images(), 'one,redis-slave:nonexistent', 'the old one serves on');
  assert.equal((await get()).metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  // Before that has come to its end, the next.
  const next = { $patch: 'replace', ...template('two') };
  await one.client.patch(deploymentsRef, 'default', 'web', 'strategic', { spec: { template: next } });
  await one.until(
    'the newest',
    async () => {
      const { metadata, status } = await get();
      return (
        status?.observedGeneration === metadata.generation &&
        status?.availableReplicas === 1 &&
        status.updatedReplicas === 1 &&
        status.replicas === 1
      );
    },
    120_000,
  );
  await one.until('alone', async () => (await images()) === 'two');
  assert.equal((await get()).metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  const sets = await one.list<ReplicaSet>(replicaSetsRef, 'default');
  assert.equal(sets.length, 3);
  for (const { metadata, spec } of sets) {
    const isNewest = spec?.template?.spec?.containers[0]?.image === 'two';
    assert.equal(spec?.replicas, isNewest ? 1 : 0, metadata.name ?? '');
  }
});

test('a template that never becomes ready leaves the old pods, runs out of time, and an undo heals it', async (t) => {
  const one = await cloud(t, 5);
  await one.hollow({ count: 2, namePrefix: 'a' });
  await one.client.create(
    deploymentsRef,
    object('apps/v1', 'Deployment', 'web', {
      replicas: 4,
      progressDeadlineSeconds: 30,
      selector,
      template: template('one'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    }),
  );
  const get = () => one.client.get<Deployment>(deploymentsRef, 'default', 'web');
  const reason = async (): Promise<string | undefined> =>
    (await get()).status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
  await one.until('made', async () => (await get()).status?.availableReplicas === 4);
  const spec = (more: object) => ({ spec: { template: { ...template('one', more), $patch: 'replace' } } });
  await one.client.patch(
    deploymentsRef,
    'default',
    'web',
    'strategic',
    spec({ nodeSelector: { not: 'there' } }),
  );
  await one.until('out of time', async () => (await reason()) === 'ProgressDeadlineExceeded', 120_000);
  const { status } = await get();
  assert.equal(status?.availableReplicas, 3, 'one may be unavailable, no more');
  assert.equal(status.updatedReplicas, 2);
  await one.client.patch(deploymentsRef, 'default', 'web', 'strategic', spec({}));
  await one.until(
    'healed',
    async () =>
      (await get()).status?.availableReplicas === 4 && (await reason()) === 'NewReplicaSetAvailable',
    120_000,
  );
  assert.equal((await pods(one)).length, 4);
});
