/** All controllers, the scheduler and hollow nodes on the real API, in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ConfigMap,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  Namespace,
  Node,
  OwnerReference,
  Pod,
  ReplicaSet,
  Service,
} from '../api/index.ts';
import type { DeleteOptions, ResourceRef } from '../client/index.ts';
import {
  configMapsRef,
  deploymentsRef,
  endpointSlicesRef,
  endpointsRef,
  namespacesRef,
  nodesRef,
  podsRef,
  replicaSetsRef,
  servicesRef,
} from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';
import { aDeployment } from './test-cluster.ts';

const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

const inDefault = (deployment: Deployment, namespace = 'default'): Deployment => ({
  ...deployment,
  metadata: { ...deployment.metadata, namespace },
});

async function available(one: Cloud, count: number, namespace = 'default'): Promise<boolean> {
  const { status } = await one.client.get<Deployment>(deploymentsRef, namespace, 'web');
  return status?.availableReplicas === count && status.updatedReplicas === count && status.replicas === count;
}

// conformance: [sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service
// conformance: [sig-network] EndpointsController should create Endpoints for Pods matching a Service
test('a Deployment and its Service run, follow a rollout, and the cloud is quiet at rest', async (t) => {
  const one = await cloud(t, 1);
  await one.hollow({ count: 3, namePrefix: 'a' });
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  await one.client.create(servicesRef, service);
  await one.client.create(deploymentsRef, inDefault(aDeployment()));
  await one.until('available', () => available(one, 3));
  await one.client.patch(deploymentsRef, 'default', 'web', 'strategic', {
    spec: { template: { spec: { containers: [{ name: 'c', image: 'two' }] } } },
  });
  await one.run(100);
  await one.until('rolled out', () => available(one, 3));
  await one.run(5000);
  const [slice] = await one.list<EndpointSlice>(endpointSlicesRef, 'default');
  assert.equal(slice?.endpoints?.length, 3);
  assert.deepEqual(
    slice?.ports?.map(({ port, protocol }) => [port, protocol]),
    [[8080, 'TCP']],
  );
  assert.ok(slice?.endpoints?.every(({ conditions }) => conditions?.ready && !conditions.terminating));
  const endpoints = await one.client.get<Endpoints>(endpointsRef, 'default', 'web');
  assert.equal(endpoints.subsets?.[0]?.addresses?.length, 3);
  const scheduled = (await one.list<Event>(eventsRef, 'default')).filter(
    ({ reason }) => reason === 'Scheduled',
  );
  assert.match(scheduled[0]?.message ?? '', /^Successfully assigned default\/web-\S+ to a-\d$/);
  const before = one.revision();
  await one.run(60_000);
  const leases = (60_000 / 10_000) * 3;
  assert.ok(
    one.revision() - before <= leases + 3,
    `${one.revision() - before} writes at rest, ${leases} are leases`,
  );
});

for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
  test(`deletion of a Deployment with ${propagationPolicy} does what it says`, async (t) => {
    const one = await cloud(t, 2);
    await one.hollow({ count: 2, namePrefix: 'a', stopDelayMs: 3000 });
    await one.client.create(deploymentsRef, inDefault(aDeployment()));
    await one.until('available', () => available(one, 3));
    const options: DeleteOptions = { propagationPolicy };
    await one.client.delete(deploymentsRef, 'default', 'web', options);
    await one.run(1000);
    const isOwnerThere = !(await one.isGone(deploymentsRef, 'default', 'web'));
    assert.equal(isOwnerThere, propagationPolicy === 'Foreground', 'while pods are ending');
    await one.until('the Deployment is gone', () => one.isGone(deploymentsRef, 'default', 'web'));
    if (propagationPolicy === 'Orphan') {
      await one.run(10_000);
      const [replicaSet] = await one.list<ReplicaSet>(replicaSetsRef, 'default');
      assert.deepEqual(replicaSet?.metadata.ownerReferences ?? [], []);
      assert.equal((await one.list(podsRef, 'default')).length, 3);
      return;
    }
    await one.until('all is gone', async () => (await one.list(podsRef, 'default')).length === 0);
    assert.equal((await one.list(replicaSetsRef, 'default')).length, 0);
  });
}

test('garbage collection: an absent owner, one of two owners, an owner in another namespace', async (t) => {
  const one = await cloud(t, 3);
  const make = (name: string, ...ownerReferences: OwnerReference[]): Promise<ConfigMap> =>
    one.client.create<ConfigMap>(configMapsRef, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', ownerReferences },
    });
  const reference = (owner: ConfigMap): OwnerReference => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
  });
  const stays = await make('stays');
  const goes = await make('goes');
  await make('never', { apiVersion: 'v1', kind: 'ConfigMap', name: 'stays', uid: 'another-uid' });
  await make('both', reference(stays), reference(goes));
  await make('one', reference(goes));
  await make('unknown', { apiVersion: 'example.org/v1', kind: 'Widget', name: 'w', uid: 'w' });
  await one.until('the one of an absent owner is gone', () => one.isGone(configMapsRef, 'default', 'never'));
  assert.equal(await one.isGone(configMapsRef, 'default', 'one'), false);
  await one.client.delete(configMapsRef, 'default', 'goes');
  await one.until('the dependent is gone', () => one.isGone(configMapsRef, 'default', 'one'));
  await one.run(1000);
  const both = await one.client.get<ConfigMap>(configMapsRef, 'default', 'both');
  assert.deepEqual(
    both.metadata.ownerReferences?.map(({ name }) => name),
    ['stays'],
  );
  assert.equal(await one.isGone(configMapsRef, 'default', 'unknown'), false);
});

test('a namespace has its account and its certificate, and takes all with it when it goes', async (t) => {
  const one = await cloud(t, 4);
  await one.hollow({ count: 2, namePrefix: 'a' });
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } };
  await one.client.create(namespacesRef, namespace);
  await one.until('certificate', async () => !(await one.isGone(configMapsRef, 'team', 'kube-root-ca.crt')));
  await one.client.delete(configMapsRef, 'team', 'kube-root-ca.crt');
  await one.run(100);
  await one.until('made again', async () => !(await one.isGone(configMapsRef, 'team', 'kube-root-ca.crt')));
  await one.client.create(deploymentsRef, inDefault(aDeployment(), 'team'));
  await one.until('available', () => available(one, 3, 'team'));
  await one.client.delete(namespacesRef, undefined, 'team');
  await one.until('gone', () => one.isGone(namespacesRef, undefined, 'team'));
  for (const ref of [podsRef, deploymentsRef, replicaSetsRef, configMapsRef])
    assert.equal((await one.list(ref, 'team')).length, 0, `${ref.resource} are gone`);
});

test('a node that falls silent loses its pods to another, and they come back to life elsewhere', async (t) => {
  const one = await cloud(t, 5);
  await one.hollow({ count: 1, namePrefix: 'good' });
  const bad = await one.hollow({ count: 1, namePrefix: 'bad' });
  const deployment = aDeployment({ replicas: 4 });
  const spec = deployment.spec?.template.spec;
  assert.ok(deployment.spec !== undefined && spec !== undefined);
  const impatient = ['not-ready', 'unreachable'].map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 20,
  }));
  const template = { ...deployment.spec.template, spec: { ...spec, tolerations: impatient } };
  await one.client.create(
    deploymentsRef,
    inDefault({ ...deployment, spec: { ...deployment.spec, template } }),
  );
  await one.until('available', () => available(one, 4));
  const on = async (name: string): Promise<readonly Pod[]> =>
    (await one.list<Pod>(podsRef, 'default')).filter((pod) => pod.spec?.nodeName === name);
  assert.ok((await on('bad-0')).length > 0, 'spread over both');
  await bad.stop();
  await one.until('Ready is Unknown', async () => {
    const node = await one.client.get<Node>(nodesRef, undefined, 'bad-0');
    return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown';
  });
  const node = await one.client.get<Node>(nodesRef, undefined, 'bad-0');
  assert.deepEqual(node.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`).sort(), [
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ]);
  await one.until('replaced', async () => {
    const good = await on('good-0');
    return good.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length === 4;
  });
  assert.ok((await on('bad-0')).every(({ metadata }) => metadata.deletionTimestamp !== undefined));
  await one.client.delete(nodesRef, undefined, 'bad-0');
  await one.until('what was left there is gone', async () => (await on('bad-0')).length === 0);
  assert.ok(await available(one, 4));
});

test('when every node falls silent nobody is evicted: it may be us', async (t) => {
  const one = await cloud(t, 6);
  const nodes = await one.hollow({ count: 2, namePrefix: 'a' });
  await one.client.create(deploymentsRef, inDefault(aDeployment()));
  await one.until('available', () => available(one, 3));
  const before = await one.list<Pod>(podsRef, 'default');
  await nodes.stop();
  await one.run(60_000);
  await one.until('both Unknown', async () => {
    const all = await one.list<Node>(nodesRef);
    return all.every(
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown',
    );
  });
  await one.run(400_000);
  const after = (await one.list<Pod>(podsRef, 'default')).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  assert.deepEqual(
    after.map(({ metadata }) => metadata.uid),
    before.map(({ metadata }) => metadata.uid),
  );
});
