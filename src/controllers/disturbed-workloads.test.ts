/**
 * StatefulSets and DaemonSets under chance: late copies, failing requests, controllers that end and begin again, templates and counts that change, pods
 * that fail or are deleted. When it is over each ends where the specification says, and is quiet. Seeds: `CAELUM_SEED` for one, else a few.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRevision, DaemonSet, KubeObject, Node, Pod, StatefulSet } from '../api/index.ts';
import { CaelumError, type Random, SeededRandom } from '../lib/index.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { targetOf } from './daemon-set/placement.ts';
import { isReady } from './pod-state.ts';
import { controllerRevisionsRef, daemonSetsRef, nodesRef, podsRef, statefulSetsRef } from './resources.ts';
import type { RunningController } from './shell.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import { createTestCluster, type TestCluster } from './test-cluster.ts';

const seeds =
  process.env['CAELUM_SEED'] === undefined
    ? Array.from({ length: 12 }, (_, at) => String(at + 1))
    : [process.env['CAELUM_SEED']];

const labels = { app: 'web' };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }], nodeName: '' },
});
const metadata = { name: 'web', namespace: 'shop' };
const images = ['one', 'two', 'bad'] as const;

/** Requests fail now and then. */
function trouble(cluster: TestCluster, random: Random): void {
  cluster.client.intercept = ({ verb }) => {
    if (['get', 'list', 'watch'].includes(verb) || random.float() > 0.1) return undefined;
    return new CaelumError('unavailable', 'not now');
  };
}

async function disturb(cluster: TestCluster, random: Random, change: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < 25; round++) {
    const pods = cluster.pods();
    const pod = pods[random.integer(Math.max(1, pods.length))];
    const chance = random.integer(5);
    if (chance === 0) await change().catch(() => undefined);
    else if (chance === 1 && pod !== undefined)
      await cluster.client.delete(podsRef, 'shop', pod.metadata.name ?? '').catch(() => undefined);
    else if (chance === 2 && pod?.metadata.deletionTimestamp === undefined && pod !== undefined)
      cluster.client.seed(podsRef, { ...pod, status: { phase: 'Failed' } } as KubeObject);
    else if (chance === 3) cluster.client.dropWatches();
    await cluster.clock.advance(random.integer(1500));
  }
  cluster.client.intercept = undefined;
}

for (const seed of seeds)
  test(`a StatefulSet finds its way, seed ${seed}`, async (t) => {
    const random = new SeededRandom(`stateful ${seed}`);
    const policy = random.integer(2) === 0 ? 'OrderedReady' : 'Parallel';
    const cluster = createTestCluster(seed, () => random.integer(300));
    t.after(() => cluster.stop());
    // In order a template that never becomes ready would stop it for good, as it does Kubernetes.
    cluster.agent.startMs = ({ spec }) =>
      spec?.containers[0]?.image === 'bad' && policy === 'Parallel' ? undefined : random.integer(800);
    cluster.agent.stopMs = 300;
    let running: RunningController = cluster.start(statefulSetController);
    await cluster.client.create(statefulSetsRef, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { ...template('one'), spec: { ...template('one').spec, nodeName: 'n' } },
        podManagementPolicy: policy,
        revisionHistoryLimit: 2,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } },
      },
    } as KubeObject);
    trouble(cluster, random);
    const patch = (spec: object): Promise<unknown> =>
      cluster.client.patch(statefulSetsRef, 'shop', 'web', 'merge', { spec });
    const image = (name: string) => ({ template: { spec: { containers: [{ name: 'c', image: name }] } } });
    await disturb(cluster, random, () => {
      const chance = random.integer(3);
      if (chance === 0) return patch({ replicas: random.integer(6) });
      if (chance === 1) return patch(image(images[random.integer(3)] ?? 'one'));
      running.stop();
      running = cluster.start(statefulSetController);
      return Promise.resolve();
    });
    const replicas = 1 + random.integer(4);
    await patch({ replicas, ...image('last') });
    const set = (): StatefulSet => cluster.client.objects<StatefulSet>(statefulSetsRef)[0] as StatefulSet;
    const isWell = (pod: Pod): boolean => isReady(pod) && pod.spec?.containers[0]?.image === 'last';
    await cluster.until(
      'all as wanted',
      () => {
        const { status, metadata: present } = set();
        return (
          cluster.pods().length === replicas &&
          cluster.pods().every(isWell) &&
          status?.observedGeneration === present.generation &&
          status?.currentRevision === status?.updateRevision &&
          status?.updatedReplicas === replicas &&
          status?.availableReplicas === replicas
        );
      },
      600_000,
    );
    assert.deepEqual(
      cluster.pods().map((pod) => pod.metadata.name),
      Array.from({ length: replicas }, (_, ordinal) => `web-${ordinal}`),
    );
    await cluster.run(60_000);
    assert.ok(cluster.client.objects<ControllerRevision>(controllerRevisionsRef).length <= 3);
    cluster.writes();
    await cluster.run(600_000);
    assert.equal(cluster.writes(), 0, 'quiet');
  });

for (const seed of seeds)
  test(`a DaemonSet finds its way, seed ${seed}`, async (t) => {
    const random = new SeededRandom(`daemon ${seed}`);
    const surge = random.integer(2);
    const cluster = createTestCluster(seed, () => random.integer(300));
    t.after(() => cluster.stop());
    const names = ['a', 'b', 'c', 'd'];
    const node = (name: string, more: object = {}): KubeObject =>
      ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, ...more }) as KubeObject;
    cluster.client.seed(nodesRef, ...names.map((name) => node(name)));
    cluster.agent.startMs = ({ spec }) =>
      spec?.containers[0]?.image === 'bad' ? undefined : random.integer(800);
    const start = (): RunningController =>
      cluster.start((informers) => daemonSetController(informers, cluster.clock));
    let running = start();
    await cluster.client.create(daemonSetsRef, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: template('one'),
        revisionHistoryLimit: 2,
        updateStrategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: surge * 2, maxUnavailable: surge === 0 ? 2 : 0 },
        },
      },
    } as KubeObject);
    trouble(cluster, random);
    const image = (name: string): Promise<unknown> =>
      cluster.client.patch(daemonSetsRef, 'shop', 'web', 'merge', {
        spec: { template: { spec: { containers: [{ name: 'c', image: name }] } } },
      });
    await disturb(cluster, random, () => {
      const chance = random.integer(4);
      const name = names[random.integer(4)] ?? 'a';
      if (chance === 0) return image(images[random.integer(3)] ?? 'one');
      if (chance === 1) {
        running.stop();
        running = start();
      } else if (chance === 2) cluster.client.remove(nodesRef, name);
      else {
        const taints = random.integer(2) === 0 ? [] : [{ key: 'k', effect: 'NoExecute' }];
        cluster.client.seed(nodesRef, node(name, { spec: { taints } }));
      }
      return Promise.resolve();
    });
    cluster.client.seed(nodesRef, node('a', { spec: { taints: [] } }));
    await image('last');
    const shall = (): readonly string[] =>
      cluster.client
        .objects<Node>(nodesRef)
        .filter(({ spec }) => (spec?.taints ?? []).length === 0)
        .map((one) => one.metadata.name ?? '');
    await cluster.until(
      'all as wanted',
      () => {
        const { status, metadata: present } = cluster.client.objects<DaemonSet>(
          daemonSetsRef,
        )[0] as DaemonSet;
        const places = cluster.pods().map(targetOf).sort();
        return (
          places.join() === shall().join() &&
          cluster.pods().every((pod) => isReady(pod) && pod.spec?.containers[0]?.image === 'last') &&
          status?.observedGeneration === present.generation &&
          status?.numberAvailable === places.length &&
          status?.updatedNumberScheduled === places.length
        );
      },
      3_600_000,
    );
    await cluster.run(60_000);
    assert.ok(cluster.client.objects<ControllerRevision>(controllerRevisionsRef).length <= 3);
    cluster.writes();
    await cluster.run(600_000);
    assert.equal(cluster.writes(), 0, 'quiet');
  });
