/** Resource quotas at admission: refused in Kubernetes' words, and never exceeded, however many ask at once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type KubeObject,
  type Pod,
  pods,
  reservationAnnotation,
  reservations,
  resourceQuotas,
  services,
} from '../../../api/index.ts';
import type { Client, ResourceRef } from '../../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../../lib/index.ts';
import { createMemoryStore } from '../../../store/index.ts';
import { createApi, createFirstObjects } from '../../index.ts';

async function start(t: TestContext): Promise<{ readonly client: Client; readonly clock: SimulatedClock }> {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const api = createApi({
    store,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    serviceCidr: '10.131.0.0/24',
  });
  const client = api.client();
  await createFirstObjects(client, { address: '192.0.2.1', port: 6443, clusterIp: api.apiAddress });
  return { client, clock };
}

const namespace = 'default';

const limit = (client: Client, hard: Readonly<Record<string, string>>, more: object = {}, name = 'q') =>
  client.create(resourceQuotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace },
    spec: { hard, ...more },
  } as KubeObject);

const pod = (name: string, resources: object = {}, more: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'c', image: 'x', resources }], ...more },
  }) as Pod;

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
};

test('a quota refuses what is too much, with what was asked, used and allowed', async (t) => {
  const { client } = await start(t);
  await limit(client, { pods: '2', 'requests.memory': '100Mi', 'limits.cpu': '1' });
  const small = { requests: { memory: '40Mi', cpu: '100m' }, limits: { cpu: '300m' } };
  await client.create(pods, pod('a', small));
  assert.equal(
    await messageOf(client.create(pods, pod('b', { requests: { memory: '70Mi' }, limits: { cpu: '800m' } }))),
    'pods "b" is forbidden: exceeded quota: q, requested: limits.cpu=800m,requests.memory=70Mi, used: limits.cpu=300m,requests.memory=40Mi, limited: limits.cpu=1,requests.memory=100Mi',
  );
  assert.equal(
    await messageOf(client.create(pods, pod('b'))),
    'pods "b" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c',
  );
  await client.create(pods, pod('b', small));
  assert.equal(
    await messageOf(client.create(pods, pod('c', { requests: { memory: '1Mi' }, limits: { cpu: '1m' } }))),
    'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  );
  // What is gone, or has ended, may be used again.
  await client.delete(pods, namespace, 'a');
  await client.create(pods, pod('c', small));
  await client.patch(
    pods,
    namespace,
    'c',
    'merge',
    { status: { phase: 'Failed' } },
    { subresource: 'status' },
  );
  await client.create(pods, pod('d', small));
});

test('however many ask at once, a quota is never exceeded, and what fails is given back', async (t) => {
  const { client } = await start(t);
  await limit(client, { pods: '7', 'requests.cpu': '10' });
  await limit(client, { 'count/configmaps': '0' }, {}, 'none');
  const asked = Array.from({ length: 40 }, (_, index) => pod(`p${index % 25}`, { requests: { cpu: '1' } }));
  const outcomes = await Promise.allSettled(asked.map((one) => client.create(pods, one)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 7);
  assert.equal((await client.list(pods, { namespace })).items.length, 7);
  // Refused otherwise: nothing of it stays promised.
  await client.delete(pods, namespace, 'p0');
  for (let tries = 0; tries < 5; tries++) {
    assert.match(
      await messageOf(client.create(pods, pod('p1', { requests: { cpu: '1' } }))),
      /already exists/,
    );
    assert.match(
      await messageOf(client.create(pods, pod('Bad_Name', { requests: { cpu: '1' } }))),
      /is invalid/,
    );
    await client.create(pods, pod('dry', { requests: { cpu: '1' } }), { dryRun: true });
  }
  await client.create(pods, pod('again', { requests: { cpu: '1' } }));
  assert.match(
    await messageOf(client.create(pods, pod('more', { requests: { cpu: '1' } }))),
    /used: pods=7, limited: pods=7/,
  );
});

test('objects are counted by kind, services by type, claims by class; a change counts what it adds', async (t) => {
  const { client } = await start(t);
  const claims: ResourceRef = {
    group: '',
    version: 'v1',
    resource: 'persistentvolumeclaims',
    namespaced: true,
  };
  await limit(client, {
    'count/configmaps': '1',
    secrets: '1',
    'count/deployments.apps': '0',
    services: '2',
    'services.nodeports': '1',
    'gold.storageclass.storage.k8s.io/requests.storage': '3Gi',
  });
  const simple = (kind: string, name: string): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace },
  });
  const plain = (resource: string): ResourceRef => ({ group: '', version: 'v1', resource, namespaced: true });
  await client.create(plain('configmaps'), simple('ConfigMap', 'a'));
  assert.match(
    await messageOf(client.create(plain('configmaps'), simple('ConfigMap', 'b'))),
    /requested: count\/configmaps=1, used: count\/configmaps=1, limited: count\/configmaps=1$/,
  );
  await client.create(plain('secrets'), simple('Secret', 'a'));
  assert.match(
    await messageOf(client.create(plain('secrets'), simple('Secret', 'b'))),
    /requested: secrets=1, used: secrets=1, limited: secrets=1$/,
  );
  const service = (name: string, type: string) =>
    ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { type, ports: [{ port: 80 }] },
    }) as KubeObject;
  // The API's own Service is there already.
  await client.create(services, service('s', 'ClusterIP'));
  assert.match(
    await messageOf(client.create(services, service('t', 'ClusterIP'))),
    /requested: services=1, used: services=2, limited: services=2$/,
  );
  await client.patch(services, namespace, 's', 'merge', { spec: { type: 'NodePort' } });
  await client.patch(services, namespace, 's', 'merge', { metadata: { labels: { a: 'b' } } });
  assert.match(
    await messageOf(
      client.patch(services, namespace, 's', 'merge', {
        spec: {
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        },
      }),
    ),
    /requested: services\.nodeports=1, used: services\.nodeports=1, limited: services\.nodeports=1$/,
  );
  const claim = (name: string, size: string, storageClassName: string) =>
    ({
      ...simple('PersistentVolumeClaim', name),
      spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: size } } },
    }) as KubeObject;
  await client.create(claims, claim('a', '2Gi', 'gold'));
  await client.create(claims, claim('b', '20Gi', 'iron'));
  assert.match(
    await messageOf(client.create(claims, claim('c', '2Gi', 'gold'))),
    /requested: gold\.storageclass\.storage\.k8s\.io\/requests\.storage=2Gi, used: gold\.[a-z0-9.]+\/requests\.storage=2Gi/,
  );
});

test('a quota that comes later counts what was there, and other limits hold at once', async (t) => {
  const { client, clock } = await start(t);
  await client.create(pods, pod('a'));
  await limit(client, { pods: '1' });
  assert.match(await messageOf(client.create(pods, pod('b'))), /used: pods=1, limited: pods=1$/);
  await client.patch(resourceQuotas, namespace, 'q', 'merge', { spec: { hard: { pods: '2' } } });
  await client.create(pods, pod('b'));
  assert.match(await messageOf(client.create(pods, pod('c'))), /used: pods=2, limited: pods=2$/);
  // Bound to a node that never stops it: when its time is over it counts no more.
  await client.createSubresource(pods, namespace, 'b', 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'b' },
    target: { kind: 'Node', name: 'n' },
  } as KubeObject);
  await client.delete(pods, namespace, 'b');
  assert.match(await messageOf(client.create(pods, pod('c'))), /used: pods=2, limited: pods=2$/);
  await clock.advance(100_000);
  await client.create(pods, pod('c'));
  await client.delete(resourceQuotas, namespace, 'q');
  await client.create(pods, pod('d'));
});

test('scopes choose the pods that count', async (t) => {
  const { client } = await start(t);
  await limit(client, { pods: '0' }, { scopes: ['BestEffort'] });
  assert.match(await messageOf(client.create(pods, pod('a'))), /exceeded quota: q/);
  await client.create(pods, pod('a', { requests: { cpu: '1' } }));
  await limit(
    client,
    { pods: '0' },
    {
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }],
      },
    },
    'critical',
  );
  assert.match(
    await messageOf(
      client.create(
        pods,
        pod('b', { requests: { cpu: '1' } }, { priorityClassName: 'system-node-critical' }),
      ),
    ),
    /exceeded quota: critical/,
  );
});

test('a quota pays once for what a reservation holds and its pods use', async (t) => {
  const { client } = await start(t);
  await limit(client, { 'requests.cpu': '3', 'requests.memory': '3Gi' });
  const reservation = (name: string, count: number): KubeObject =>
    ({
      apiVersion: 'scheduling.caelum.dev/v1',
      kind: 'Reservation',
      metadata: { name, namespace },
      spec: { count, template: { requests: { cpu: '1', memory: '1Gi' } } },
    }) as KubeObject;
  assert.equal(
    await messageOf(client.create(reservations, reservation('r', 4))),
    'reservations.scheduling.caelum.dev "r" is forbidden: exceeded quota: q, requested: requests.cpu=4,requests.memory=4Gi, used: requests.cpu=0,requests.memory=0, limited: requests.cpu=3,requests.memory=3Gi',
  );
  await client.create(reservations, reservation('r', 3));
  const small = { requests: { cpu: '1', memory: '1Gi' } };
  const naming = (name: string): Pod => {
    const made = pod(name, small);
    return { ...made, metadata: { ...made.metadata, annotations: { [reservationAnnotation]: 'r' } } };
  };
  // It holds nothing yet.
  assert.match(await messageOf(client.create(pods, naming('a'))), /exceeded quota/);
  const stand = (status: object): Promise<unknown> =>
    client.patch(reservations, namespace, 'r', 'merge', { status }, { subresource: 'status' });
  await stand({ phase: 'Held', allocated: 3 });
  assert.match(await messageOf(client.create(pods, pod('other', small))), /exceeded quota/);
  for (const name of ['a', 'b', 'c']) await client.create(pods, naming(name));
  assert.match(await messageOf(client.create(pods, naming('d'))), /exceeded quota/);
  // They have their places: it pays for none of them any more.
  const binding = (name: string): Promise<unknown> =>
    client.createSubresource(pods, namespace, name, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target: { apiVersion: 'v1', kind: 'Node', name: 'n' },
    } as never);
  for (const name of ['a', 'b', 'c']) await binding(name);
  await stand({ used: 3 });
  assert.match(await messageOf(client.create(pods, naming('d'))), /exceeded quota/);
  await client.delete(pods, namespace, 'c', { gracePeriodSeconds: 0 });
  await stand({ used: 2 });
  await client.create(pods, naming('d'));
  // What holds nothing any more costs nothing.
  await stand({ phase: 'Expired', allocated: 0, used: 0 });
  assert.equal(
    await messageOf(client.patch(reservations, namespace, 'r', 'merge', { spec: { count: 9 } })),
    'no error',
  );
});
