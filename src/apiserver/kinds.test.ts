/** Kinds that ask more of the server than to be kept: subresources of pods, two versions of one object, identities in labels. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type AutoscalingV1Scale,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type Job,
  jobs,
  type KubeObject,
  type PersistentVolume,
  type Pod,
  persistentVolumes,
  pods,
  type ReplicationController,
  replicationControllers,
} from '../api/index.ts';
import type { Client } from '../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { createApi, createFirstObjects } from './index.ts';

async function start(t: TestContext): Promise<Client> {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24' });
  const client = api.client();
  await createFirstObjects(client, { address: '192.0.2.1', port: 6443, clusterIp: api.apiAddress });
  return client;
}

const metadata = (name: string) => ({ name, namespace: 'default' });
const container = { name: 'c', image: 'x:1', resources: { requests: { cpu: '500m' } } };
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata('p'),
  spec: { containers: [container] },
};

test('a Job finds its pods by its uid', async (t) => {
  const client = await start(t);
  const template = { spec: { containers: [container], restartPolicy: 'Never' } };
  const made = await client.create<Job>(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata('work'),
    spec: { template },
  });
  const { uid } = made.metadata;
  assert.deepEqual(made.spec?.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } });
  assert.equal(made.spec?.template.metadata?.labels?.['controller-uid'], uid);
  const again = await client.update<Job>(jobs, {
    ...made,
    spec: { ...made.spec, template: made.spec?.template ?? {}, parallelism: 2 },
  });
  assert.equal(again.metadata.generation, 2);
});

test('an ephemeral container comes through its subresource alone, and stays', async (t) => {
  const client = await start(t);
  await client.create(pods, pod);
  const ephemeralContainers = [{ name: 'debug', image: 'busybox:1' }];
  await assert.rejects(
    client.patch(pods, 'default', 'p', 'strategic', { spec: { ephemeralContainers } }),
    /pod updates may not change fields other than/,
  );
  const changed = await client.patch<Pod>(
    pods,
    'default',
    'p',
    'strategic',
    { metadata: { labels: { a: 'b' } }, spec: { ephemeralContainers } },
    { subresource: 'ephemeralcontainers' },
  );
  assert.equal(changed.spec?.ephemeralContainers?.[0]?.terminationMessagePolicy, 'File');
  assert.equal(changed.metadata.labels, undefined);
  assert.equal(changed.metadata.generation, 2);
  const labelled = await client.patch<Pod>(pods, 'default', 'p', 'merge', {
    metadata: { labels: { a: 'b' } },
  });
  assert.equal(labelled.spec?.ephemeralContainers?.length, 1);
  await assert.rejects(
    client.patch(
      pods,
      'default',
      'p',
      'merge',
      { spec: { ephemeralContainers: null } },
      { subresource: 'ephemeralcontainers' },
    ),
    /existing ephemeral containers "debug" may not be removed/,
  );
});

test('a pod is resized through its subresource, by its newest version alone', async (t) => {
  const client = await start(t);
  const made = await client.create<Pod>(pods, pod);
  const wanted = { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] } };
  await assert.rejects(
    client.patch(pods, 'default', 'p', 'strategic', wanted),
    /pod updates may not change fields other than/,
  );
  const resized = await client.patch<Pod>(pods, 'default', 'p', 'strategic', wanted, {
    subresource: 'resize',
  });
  assert.equal(resized.spec?.containers[0]?.resources?.requests?.['cpu'], '1');
  assert.equal(resized.metadata.generation, 2);
  await assert.rejects(client.update(pods, made, { subresource: 'resize' }), /the object has been modified/);
});

test('an autoscaler is one object in both versions', async (t) => {
  const client = await start(t);
  const first = { ...horizontalPodAutoscalers, version: 'v1' };
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  await client.create(first, {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata('web'),
    spec: { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 60 },
  } as KubeObject);
  const read = await client.get<HorizontalPodAutoscaler>(horizontalPodAutoscalers, 'default', 'web');
  assert.equal(read.apiVersion, 'autoscaling/v2');
  assert.equal(read.spec.metrics?.[0]?.resource?.target.averageUtilization, 60);
  const conditions = [{ type: 'AbleToScale', status: 'True' }];
  await client.update<HorizontalPodAutoscaler>(
    horizontalPodAutoscalers,
    { ...read, status: { currentReplicas: 2, desiredReplicas: 3, conditions } },
    { subresource: 'status' },
  );
  await client.patch(first, 'default', 'web', 'merge', {
    metadata: { annotations: null },
    spec: { maxReplicas: 9 },
  });
  const after = await client.get<HorizontalPodAutoscaler>(horizontalPodAutoscalers, 'default', 'web');
  assert.equal(after.spec.maxReplicas, 9);
  assert.equal(after.spec.metrics?.[0]?.resource?.target.averageUtilization, 60);
  assert.deepEqual(after.status, { currentReplicas: 2, desiredReplicas: 3, conditions });
  assert.equal(after.metadata.annotations, undefined);
});

test('a ReplicationController is scaled by its labels, and leaves its pods behind', async (t) => {
  const client = await start(t);
  const labels = { app: 'web' };
  await client.create<ReplicationController>(replicationControllers, {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: metadata('web'),
    spec: { template: { metadata: { labels }, spec: { containers: [container] } } },
  });
  const scale = await client.update<AutoscalingV1Scale & KubeObject>(
    replicationControllers,
    {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: metadata('web'),
      spec: { replicas: 3 },
    } as KubeObject,
    { subresource: 'scale' },
  );
  assert.deepEqual([scale.spec?.replicas, scale.status?.selector], [3, 'app=web']);
  await client.delete(replicationControllers, 'default', 'web');
  const going = await client.get<ReplicationController>(replicationControllers, 'default', 'web');
  assert.deepEqual(going.metadata.finalizers, ['orphan']);
  assert.equal(going.spec?.replicas, 3);
});

test('a volume says since when it is in its phase', async (t) => {
  const client = await start(t);
  const made = await client.create<PersistentVolume>(persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' } },
  });
  const bound = await client.update<PersistentVolume>(
    persistentVolumes,
    { ...made, status: { phase: 'Bound' } },
    { subresource: 'status' },
  );
  assert.equal(bound.status?.lastPhaseTransitionTime, made.status?.lastPhaseTransitionTime);
  assert.equal(bound.status?.phase, 'Bound');
});
