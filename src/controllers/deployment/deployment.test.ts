import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, Event, Pod, ReplicaSet } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { isActive, isReady } from '../pod-state.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { deploymentsRef, podsRef, replicaSetsRef } from '../resources.ts';
import { aDeployment, createTestCluster, type TestCluster } from '../test-cluster.ts';
import { deploymentController } from './controller.ts';
import { fencepostsOf } from './facts.ts';
import { plan } from './plan.ts';

const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

async function rollout(seed: number | string, deployment: Deployment): Promise<TestCluster> {
  const cluster = createTestCluster(seed);
  cluster.start(deploymentController);
  cluster.start(replicaSetController);
  await cluster.client.create(deploymentsRef, deployment);
  return cluster;
}

const isDone = (cluster: TestCluster) => (): boolean => {
  const { metadata, spec, status } = cluster.deployment();
  const replicas = spec?.replicas ?? 1;
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas
  );
};

const patch = (cluster: TestCluster, spec: object): Promise<unknown> =>
  cluster.client.patch(deploymentsRef, 'shop', 'web', 'merge', { spec });
const image = (name: string) => ({ template: { spec: { containers: [{ name: 'c', image: name }] } } });
const conditions = (cluster: TestCluster): string[] =>
  (cluster.deployment().status?.conditions ?? []).map(
    ({ type, status, reason }) => `${type}=${status}/${reason}`,
  );
const messages = (cluster: TestCluster): string[] =>
  cluster.client.objects<Event>(eventsRef).map(({ message }) => message ?? '');

test('a Deployment becomes pods, tells of it as Kubernetes does, and is quiet at rest', async (t) => {
  const cluster = await rollout(1, aDeployment());
  t.after(() => cluster.stop());
  await cluster.until('rolled out', isDone(cluster));
  await cluster.run(2000);
  const [replicaSet] = cluster.replicaSets();
  assert.match(replicaSet?.metadata.name ?? '', /^web-[a-z0-9]{8,10}$/);
  const hash = replicaSet?.metadata.labels?.['pod-template-hash'];
  assert.equal(replicaSet?.spec?.selector.matchLabels?.['pod-template-hash'], hash);
  assert.equal(cluster.deployment().metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.equal(cluster.pods().length, 3);
  for (const pod of cluster.pods()) {
    assert.equal(pod.metadata.labels?.['pod-template-hash'], hash);
    assert.match(pod.metadata.name ?? '', new RegExp(`^${replicaSet?.metadata.name}-[a-z0-9]{5}$`));
  }
  assert.deepEqual(conditions(cluster).sort(), [
    'Available=True/MinimumReplicasAvailable',
    'Progressing=True/NewReplicaSetAvailable',
  ]);
  assert.ok(messages(cluster).includes(`Scaled up replica set ${replicaSet?.metadata.name} from 0 to 3`));
  assert.ok(messages(cluster).includes(`Created pod: ${cluster.pods()[0]?.metadata.name}`));
  cluster.writes();
  await cluster.run(3_600_000);
  assert.equal(cluster.writes(), 0, 'nothing is written at rest');
});

test('a scaling that comes again, after an undo, is refused', async (t) => {
  const cluster = await rollout(2, aDeployment());
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  await patch(cluster, image('two'));
  await cluster.until('second', isDone(cluster));
  const late = cluster.client.requests.filter(
    ({ verb, resource, body }) =>
      verb === 'patch' && resource === 'replicasets.apps' && (body as ReplicaSet).spec !== undefined,
  );
  assert.ok(late.length > 0);
  await patch(cluster, image('one'));
  await cluster.until('undone', isDone(cluster));
  for (const { namespace, name = '', body } of late)
    await assert.rejects(cluster.client.patch(replicaSetsRef, namespace, name, 'merge', body), {
      code: 'conflict',
    });
});

// conformance: [sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones
test('a new template rolls out; an undo raises the old ReplicaSet to the newest revision', async (t) => {
  const cluster = await rollout(2, aDeployment());
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  await patch(cluster, image('two'));
  await cluster.until('second', isDone(cluster));
  assert.equal(cluster.replicaSets().length, 2);
  assert.equal(cluster.deployment().metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  await patch(cluster, image('one'));
  await cluster.until('undone', isDone(cluster));
  await cluster.run(1000);
  assert.equal(cluster.replicaSets().length, 2);
  assert.equal(cluster.deployment().metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  const one = cluster.replicaSets().find(({ spec }) => spec?.replicas === 3);
  assert.equal(one?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(one?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  assert.ok(conditions(cluster).includes('Progressing=True/NewReplicaSetAvailable'));
});

// conformance: [sig-apps] Deployment RecreateDeployment should delete old pods and create new ones
test('Recreate waits until the old pods are gone', async (t) => {
  const cluster = await rollout(3, aDeployment({ strategy: { type: 'Recreate' } }));
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  await patch(cluster, image('two'));
  const images = (): Set<string> =>
    new Set(cluster.pods().map(({ spec }) => spec?.containers[0]?.image ?? ''));
  await cluster.until('second', () => {
    assert.ok(images().size <= 1, 'pods of both templates at once');
    return isDone(cluster)() && images().has('two');
  });
});

test('Recreate that is paused while old pods end begins nothing beside them', async (t) => {
  const cluster = await rollout(3, aDeployment({ strategy: { type: 'Recreate' } }));
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  await patch(cluster, image('two'));
  await cluster.until('second', isDone(cluster));
  const deployment = { ...cluster.deployment(), spec: { ...cluster.deployment().spec, paused: true } };
  const replicaSets = cluster.replicaSets().map((one) => ({ ...one, spec: { ...one.spec, replicas: 0 } }));
  const stepsWith = (areThere: boolean): number =>
    plan(
      {
        deployment: deployment as Deployment,
        replicaSets: replicaSets as ReplicaSet[],
        findReplicaSet: () => undefined,
        hasPods: () => areThere,
      },
      { nowMs: 0 },
    ).length;
  assert.equal(stepsWith(true), 0);
  assert.ok(stepsWith(false) > 0);
});

test('a rollout that never gets ready runs out of time, and says so', async (t) => {
  const cluster = await rollout(4, aDeployment({ progressDeadlineSeconds: 30 }));
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  cluster.agent.startMs = () => undefined;
  await patch(cluster, image('broken'));
  await cluster.until(
    'timed out',
    () => conditions(cluster).includes('Progressing=False/ProgressDeadlineExceeded'),
    40_000,
  );
  const ready = cluster.pods().filter(isReady).length;
  assert.ok(ready >= 3, `${ready} old pods serve on`);
  cluster.agent.startMs = () => 10;
  await patch(cluster, image('three'));
  await cluster.until('mended', isDone(cluster));
});

// conformance: [sig-apps] Deployment deployment should delete old replica sets
test('a paused Deployment scales but does not roll out; history is cut to its limit', async (t) => {
  const cluster = await rollout(5, aDeployment({ revisionHistoryLimit: 1 }));
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  await patch(cluster, { paused: true, replicas: 5, ...image('two') });
  await cluster.until('scaled', () => cluster.pods().filter(isReady).length === 5);
  assert.equal(cluster.replicaSets().length, 1);
  assert.ok(conditions(cluster).includes('Progressing=Unknown/DeploymentPaused'));
  await patch(cluster, { paused: false });
  await cluster.until('second', isDone(cluster));
  await patch(cluster, image('three'));
  await cluster.until('third', isDone(cluster));
  await cluster.run(1000);
  assert.equal(cluster.replicaSets().length, 2);
});

// conformance: [sig-apps] Deployment deployment should support proportional scaling
test('scaling in the middle of a rollout keeps the shares', async (t) => {
  const cluster = await rollout(
    6,
    aDeployment({
      replicas: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    }),
  );
  t.after(() => cluster.stop());
  await cluster.until('first', isDone(cluster));
  cluster.agent.startMs = () => undefined;
  await patch(cluster, image('two'));
  await cluster.run(5000);
  const sizes = (): number[] =>
    cluster
      .replicaSets()
      .map(({ spec }) => spec?.replicas ?? 0)
      .sort((a, b) => a - b);
  assert.deepEqual(sizes(), [5, 8]);
  await patch(cluster, { replicas: 15 });
  await cluster.run(5000);
  // The example of Kubernetes' documentation, "Proportional scaling".
  assert.deepEqual(sizes(), [7, 11]);
});

test('an existing ReplicaSet that matches is adopted, and so are its pods', async (t) => {
  const cluster = createTestCluster(7);
  t.after(() => cluster.stop());
  const deployment = aDeployment();
  const labels = { app: 'web', 'pod-template-hash': 'x' };
  const orphan: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'legacy', namespace: 'shop', labels },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { ...deployment.spec?.template, metadata: { labels } },
    },
  };
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stray', namespace: 'shop', labels },
    spec: { containers: [{ name: 'c', image: 'one' }] },
  };
  await cluster.client.create(podsRef, pod);
  await cluster.client.create(replicaSetsRef, orphan);
  cluster.start(deploymentController);
  cluster.start(replicaSetController);
  await cluster.client.create(deploymentsRef, deployment);
  await cluster.until('rolled out', isDone(cluster));
  assert.equal(cluster.replicaSets().length, 1);
  assert.equal(cluster.replicaSets()[0]?.metadata.ownerReferences?.[0]?.name, 'web');
  assert.equal(cluster.pods().length, 3);
  const stray = cluster.pods().find(({ metadata }) => metadata.name === 'stray');
  assert.equal(stray?.metadata.ownerReferences?.[0]?.name, 'legacy');
});

test('a creation that the API refuses is retried, with events and a condition that later goes', async (t) => {
  const cluster = createTestCluster(8);
  t.after(() => cluster.stop());
  let refuse = true;
  cluster.client.intercept = ({ verb, resource }) =>
    refuse && verb === 'create' && resource === 'pods'
      ? new Error('pods "x" is forbidden: exceeded quota')
      : undefined;
  cluster.start(deploymentController);
  cluster.start(replicaSetController);
  await cluster.client.create(deploymentsRef, aDeployment({ replicas: 50 }));
  await cluster.run(5000);
  const tries = cluster.client.requests.filter(
    ({ verb, resource }) => verb === 'create' && resource === 'pods',
  );
  assert.ok(tries.length < 60, `slow start: ${tries.length} tries`);
  assert.ok(conditions(cluster).includes('ReplicaFailure=True/FailedCreate'));
  assert.ok(messages(cluster).includes('Error creating: pods "x" is forbidden: exceeded quota'));
  refuse = false;
  await cluster.until('rolled out', isDone(cluster));
  await cluster.run(1000);
  assert.ok(!conditions(cluster).some((condition) => condition.startsWith('ReplicaFailure')));
});

test('a lost watch makes nobody create twice or delete too many', async (t) => {
  const cluster = createTestCluster(9);
  t.after(() => cluster.stop());
  cluster.start(deploymentController);
  cluster.start(replicaSetController);
  await cluster.client.create(deploymentsRef, aDeployment({ replicas: 20 }));
  const random = new SeededRandom(9);
  let most = 0;
  let drops = 6;
  await cluster.until('rolled out', () => {
    if (random.integer(3) === 0 && drops-- > 0) cluster.client.dropWatches();
    most = Math.max(most, cluster.pods().length);
    return isDone(cluster)();
  });
  assert.equal(most, 20);
  assert.equal(
    cluster.client.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'pods').length,
    20,
  );
});

test('copies that lag behind make nobody create twice or delete too many (property)', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new SeededRandom(seed);
    const cluster = createTestCluster(seed, () => random.integer(300));
    // A flood would not end by itself.
    let creations = 0;
    cluster.client.intercept = ({ verb, resource }) =>
      verb === 'create' && resource === 'pods' && ++creations > 50 ? new Error('flood') : undefined;
    cluster.start(deploymentController);
    cluster.start(replicaSetController);
    await cluster.client.create(deploymentsRef, aDeployment({ replicas: 12 }));
    let most = 0;
    await cluster.until('rolled out', () => {
      most = Math.max(most, cluster.pods().length);
      return isDone(cluster)();
    });
    assert.equal(most, 12, `seed ${seed}: ${most} pods for 12`);
    await patch(cluster, { replicas: 5 });
    await cluster.until('scaled down', () => {
      const active = cluster.pods().filter(isActive).length;
      assert.ok(active >= 5, `seed ${seed}: only ${active} left of 5`);
      return isDone(cluster)();
    });
    assert.equal(creations, 12, `seed ${seed}: ${creations} creations for 12 pods`);
    cluster.stop();
  }
});

test('no rollout leaves the bounds of maxSurge and maxUnavailable, and each reaches its goal (property)', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new SeededRandom(seed);
    const replicas = 1 + random.integer(12);
    const bound = (): number | string =>
      random.integer(2) === 0 ? random.integer(4) : `${random.integer(101)}%`;
    const rollingUpdate = { maxSurge: bound(), maxUnavailable: bound() };
    const cluster = await rollout(
      seed,
      aDeployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } }),
    );
    cluster.agent.startMs = () => 20 + random.integer(500);
    const { maxSurge, maxUnavailable } = fencepostsOf(cluster.deployment());
    const context = `seed ${seed}, ${replicas} replicas, ${JSON.stringify(rollingUpdate)}`;
    await cluster.until('first', isDone(cluster));
    for (let revision = 2; revision <= 4; revision++) {
      await patch(cluster, image(`v${revision}`));
      const isCalm = random.integer(2) === 0;
      const check = (): boolean => {
        const active = cluster.pods().filter(isActive);
        const ready = active.filter(isReady).length;
        assert.ok(active.length <= replicas + maxSurge, `${context}: ${active.length} pods`);
        assert.ok(ready >= replicas - maxUnavailable, `${context}: only ${ready} ready`);
        return isDone(cluster)();
      };
      if (isCalm) await cluster.until(`${context}: revision ${revision}`, check);
      else
        for (let i = 0; i < random.integer(20); i++) {
          await cluster.run(50);
          check();
        }
    }
    await cluster.until(`${context}: the last`, isDone(cluster));
    await cluster.run(5000);
    cluster.writes();
    await cluster.run(3_600_000);
    assert.equal(cluster.writes(), 0, `${context}: quiet at rest`);
    cluster.stop();
  }
});
