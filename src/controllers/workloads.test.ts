/** StatefulSets, DaemonSets and ReplicationControllers on the real API, with the scheduler and hollow nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ControllerRevision,
  DaemonSet,
  Event,
  KubeObject,
  Node,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  StatefulSet,
} from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import {
  controllerRevisionsRef,
  daemonSetsRef,
  nodesRef,
  persistentVolumeClaimsRef,
  podsRef,
  replicationControllersRef,
  resourceQuotasRef,
  statefulSetsRef,
} from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';

const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };
const labels = { app: 'web' };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }], terminationGracePeriodSeconds: 1 },
});
const metadata = { name: 'web', namespace: 'default' };

const aStatefulSet = (spec: object = {}): StatefulSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      replicas: 3,
      serviceName: 'web',
      selector: { matchLabels: labels },
      template: template('one'),
      ...spec,
    },
  }) as StatefulSet;

const aDaemonSet = (spec: object = {}): DaemonSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: { selector: { matchLabels: labels }, template: template('one'), ...spec },
  }) as DaemonSet;

const aReplicationController = (spec: object = {}): ReplicationController =>
  ({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata,
    spec: { replicas: 2, selector: labels, template: template('one'), ...spec },
  }) as ReplicationController;

const pods = (one: Cloud): Promise<readonly Pod[]> => one.list<Pod>(podsRef, 'default');
const imageOf = ({ spec }: Pod): string => spec?.containers[0]?.image ?? '';
const patch = (one: Cloud, ref: ResourceRef, spec: object): Promise<unknown> =>
  one.client.patch(ref, 'default', 'web', 'strategic', { spec });

async function setDone(one: Cloud): Promise<boolean> {
  const {
    metadata: meta,
    spec,
    status,
  } = await one.client.get<StatefulSet>(statefulSetsRef, 'default', 'web');
  return (
    status?.observedGeneration === meta.generation &&
    status?.availableReplicas === spec?.replicas &&
    status?.replicas === spec?.replicas &&
    status?.updatedReplicas === spec?.replicas &&
    status?.currentRevision === status?.updateRevision
  );
}

async function daemonsDone(one: Cloud): Promise<boolean> {
  const { metadata: meta, status } = await one.client.get<DaemonSet>(daemonSetsRef, 'default', 'web');
  return (
    status?.observedGeneration === meta.generation &&
    status?.numberAvailable === status?.desiredNumberScheduled &&
    status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
    (await pods(one)).length === status?.desiredNumberScheduled
  );
}

async function isQuiet(one: Cloud, nodes: number): Promise<void> {
  await one.run(10_000);
  const before = one.revision();
  await one.run(60_000);
  const leases = 6 * nodes;
  assert.ok(
    one.revision() - before <= leases + nodes,
    `${one.revision() - before} writes, ${leases} are leases`,
  );
}

test('a StatefulSet with claims: made, updated, gone back, scaled, ended', async (t) => {
  const one = await cloud(t, 11);
  await one.hollow({ count: 2, namePrefix: 'a' });
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
  const spec = { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy };
  await one.client.create(statefulSetsRef, aStatefulSet(spec) as KubeObject);
  await one.until('made', () => setDone(one));
  const claims = (): Promise<readonly PersistentVolumeClaim[]> =>
    one.list<PersistentVolumeClaim>(persistentVolumeClaimsRef, 'default');
  assert.deepEqual(
    (await claims()).map((claim) => claim.metadata.name),
    ['data-web-0', 'data-web-1', 'data-web-2'],
  );
  const [first] = await pods(one);
  assert.equal(first?.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'web-0');
  assert.equal(first?.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName, 'data-web-0');
  await patch(one, statefulSetsRef, { template: template('two') });
  await one.run(100);
  await one.until('updated', () => setDone(one));
  assert.deepEqual((await pods(one)).map(imageOf), ['two', 'two', 'two']);
  await patch(one, statefulSetsRef, { template: template('one') });
  await one.run(100);
  await one.until('gone back', () => setDone(one));
  const revisions = await one.list<ControllerRevision>(controllerRevisionsRef, 'default');
  assert.deepEqual(revisions.map(({ revision }) => revision).sort(), [2, 3]);
  await patch(one, statefulSetsRef, { replicas: 1 });
  await one.until('scaled', () => setDone(one));
  await one.until('claims of those scaled away are gone', async () => (await claims()).length === 1);
  await isQuiet(one, 2);
  await one.client.delete(statefulSetsRef, 'default', 'web', { propagationPolicy: 'Background' });
  await one.until('all is gone', async () => {
    const left = await Promise.all([pods(one), claims(), one.list(controllerRevisionsRef, 'default')]);
    return left.every(({ length }) => length === 0);
  });
});

test('a StatefulSet made of pods that were left behind takes them over', async (t) => {
  const one = await cloud(t, 12);
  await one.hollow({ count: 2, namePrefix: 'a' });
  await one.client.create(statefulSetsRef, aStatefulSet() as KubeObject);
  await one.until('made', () => setDone(one));
  const before = (await pods(one)).map((pod) => pod.metadata.uid);
  await one.client.delete(statefulSetsRef, 'default', 'web', { propagationPolicy: 'Orphan' });
  await one.until('gone', () => one.isGone(statefulSetsRef, 'default', 'web'));
  await one.client.create(statefulSetsRef, aStatefulSet() as KubeObject);
  await one.until('adopted', () => setDone(one));
  await one.run(5000);
  assert.deepEqual(
    (await pods(one)).map((pod) => pod.metadata.uid),
    before,
  );
  assert.equal((await one.list(controllerRevisionsRef, 'default')).length, 1);
});

test('a DaemonSet: the scheduler binds each pod to its node; updates, surge, a cordoned and a new node', async (t) => {
  const one = await cloud(t, 13);
  await one.hollow({ count: 3, namePrefix: 'a' });
  await one.client.patch(nodesRef, undefined, 'a-1', 'strategic', { spec: { unschedulable: true } });
  await one.client.create(daemonSetsRef, aDaemonSet() as KubeObject);
  await one.until('made', () => daemonsDone(one));
  const places = async (): Promise<readonly string[]> =>
    (await pods(one)).map(({ spec }) => spec?.nodeName ?? '').sort();
  assert.deepEqual(await places(), ['a-0', 'a-1', 'a-2'], 'a cordoned node too');
  await patch(one, daemonSetsRef, { template: template('two') });
  await one.run(100);
  await one.until('updated', () => daemonsDone(one));
  assert.deepEqual((await pods(one)).map(imageOf), ['two', 'two', 'two']);
  const [pod] = await pods(one);
  assert.equal(pod?.metadata.labels?.['pod-template-generation'], '2');
  await patch(one, daemonSetsRef, {
    template: template('three'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  });
  let least = 3;
  await one.run(100);
  await one.until('surged', async () => {
    const ready = (await pods(one)).filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    least = Math.min(least, new Set(ready.map(({ spec }) => spec?.nodeName)).size);
    return daemonsDone(one);
  });
  assert.equal(least, 3, 'no node was without a ready pod');
  await one.hollow({ count: 1, namePrefix: 'new' });
  await one.until('on the new node', async () => (await places()).includes('new-0'));
  await one.until('settled', () => daemonsDone(one));
  await isQuiet(one, 4);
  await one.client.patch<Node>(nodesRef, undefined, 'new-0', 'strategic', {
    spec: { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] },
  });
  await one.until('away', async () => !(await places()).includes('new-0'));
  await one.client.delete(daemonSetsRef, 'default', 'web', { propagationPolicy: 'Foreground' });
  await one.until('gone', () => one.isGone(daemonSetsRef, 'default', 'web'));
  assert.equal((await pods(one)).length, 0);
});

async function controllerDone(one: Cloud, count: number): Promise<boolean> {
  const { metadata: meta, status } = await one.client.get<ReplicationController>(
    replicationControllersRef,
    'default',
    'web',
  );
  return (
    status?.observedGeneration === meta.generation &&
    status?.availableReplicas === count &&
    status?.replicas === count
  );
}

// conformance: [sig-apps] ReplicationController should adopt matching pods on creation
// conformance: [sig-apps] ReplicationController should release no longer matching pods
test('a ReplicationController adopts what matches, releases what no longer does, and scales', async (t) => {
  const one = await cloud(t, 14);
  await one.hollow({ count: 2, namePrefix: 'a' });
  const orphan = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'left', namespace: 'default', labels } };
  const { spec } = template('one');
  await one.client.create(podsRef, { ...orphan, spec } as KubeObject);
  await one.client.create(replicationControllersRef, aReplicationController() as KubeObject);
  await one.until('made', () => controllerDone(one, 2));
  const get = (): Promise<Pod> => one.client.get<Pod>(podsRef, 'default', 'left');
  const [owner] = (await get()).metadata.ownerReferences ?? [];
  assert.deepEqual([owner?.kind, owner?.name, owner?.controller], ['ReplicationController', 'web', true]);
  await one.client.patch(podsRef, 'default', 'left', 'merge', { metadata: { labels: { app: 'other' } } });
  await one.until('released', async () => (await get()).metadata.ownerReferences === undefined);
  await one.until('replaced', async () => (await pods(one)).length === 3 && controllerDone(one, 2));
  await patch(one, replicationControllersRef, { replicas: 1 });
  await one.until('scaled', () => controllerDone(one, 1));
  const { status } = await one.client.get<ReplicationController>(replicationControllersRef, 'default', 'web');
  assert.equal('terminatingReplicas' in (status ?? {}), false);
  await isQuiet(one, 2);
  await one.client.delete(replicationControllersRef, 'default', 'web', { propagationPolicy: 'Background' });
  await one.until('its pods are gone', async () => (await pods(one)).length === 1);
});

// conformance: [sig-apps] ReplicationController should surface a failure condition on a common issue like exceeded quota
test('a ReplicationController tells of a quota that stops it, until that no longer does', async (t) => {
  const one = await cloud(t, 15);
  await one.hollow({ count: 1, namePrefix: 'a' });
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' } };
  await one.client.create(resourceQuotasRef, { ...quota, spec: { hard: { pods: '2' } } } as KubeObject);
  await one.run(1000);
  await one.client.create(replicationControllersRef, aReplicationController({ replicas: 3 }) as KubeObject);
  const condition = async () => {
    const { status } = await one.client.get<ReplicationController>(
      replicationControllersRef,
      'default',
      'web',
    );
    return status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  };
  await one.until('told', async () => (await condition()) !== undefined);
  const told = await condition();
  assert.deepEqual([told?.status, told?.reason], ['True', 'FailedCreate']);
  assert.match(told?.message ?? '', /exceeded quota: q/);
  await patch(one, replicationControllersRef, { replicas: 2 });
  await one.until('told no more', async () => (await condition()) === undefined);
});

test('a quota stops a StatefulSet half-way, says why, and it goes on when that goes', async (t) => {
  const one = await cloud(t, 16);
  await one.hollow({ count: 2, namePrefix: 'a' });
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' } };
  await one.client.create(resourceQuotasRef, { ...quota, spec: { hard: { pods: '1' } } } as KubeObject);
  await one.run(1000);
  await one.client.create(statefulSetsRef, aStatefulSet() as KubeObject);
  await one.run(10_000);
  assert.equal((await pods(one)).length, 1);
  const events = await one.list<Event>(eventsRef, 'default');
  assert.ok(
    events.some(
      ({ reason, message = '' }) =>
        reason === 'FailedCreate' &&
        message.startsWith('create Pod web-1 in StatefulSet web failed error: pods "web-1" is forbidden:'),
    ),
  );
  await one.client.delete(resourceQuotasRef, 'default', 'q');
  await one.until('goes on', () => setDone(one), 120_000);
});
