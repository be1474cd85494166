/** Custom resources as owners, as dependents, and as contents of namespaces: on the real API, in memory. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { createApi, createFirstObjects } from '../../apiserver/index.ts';
import { createInformers, type ResourceRef } from '../../client/index.ts';
import { isError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { startControllers } from '../index.ts';
import { configMapsRef, namespacesRef } from '../resources.ts';

const definitionsRef: ResourceRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
};
const widgetsRef: ResourceRef = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  namespaced: true,
};

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

async function cloud(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  const { registry } = api.context;
  const controllers = startControllers({
    client,
    informers,
    clock,
    random,
    log: silentLog,
    registry,
    rootCaPem: 'PEM',
  });
  t.after(async () => {
    controllers.stop();
    informers.stop();
    await store.close();
  });
  const isGone = async (ref: ResourceRef, namespace: string | undefined, name: string): Promise<boolean> => {
    try {
      await client.get(ref, namespace, name);
      return false;
    } catch (error) {
      if (isError(error, 'notFound')) return true;
      throw error;
    }
  };
  const until = async (what: string, check: () => Promise<boolean>): Promise<void> => {
    for (let passedMs = 0; !(await check()); passedMs += 50) {
      assert.ok(passedMs < 60_000, `not in time: ${what}`);
      await clock.advance(50);
    }
  };
  const define = async (): Promise<void> => {
    await client.create(definitionsRef, structuredClone(definition) as unknown as KubeObject);
    await until(
      'it is served',
      async () => registry.byResource('example.com', 'v1', 'widgets') !== undefined,
    );
  };
  return { client, clock, define, until, isGone };
}

const widget = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...more },
});
const ownedBy = ({ apiVersion = '', kind = '', metadata: { name = '', uid = '' } }: KubeObject) => ({
  ownerReferences: [{ apiVersion, kind, name, uid }],
});

test('garbageController() deletes what custom resources own, and custom resources that are owned', async (t) => {
  const { client, define, until, isGone } = await cloud(t);
  await define();
  const owner = await client.create(widgetsRef, widget('owner'));
  await client.create(widgetsRef, widget('child', ownedBy(owner)));
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'child', namespace: 'default', ...ownedBy(owner) },
  };
  await client.create(configMapsRef, config);
  await client.create(widgetsRef, widget('other'));
  await client.delete(widgetsRef, 'default', 'owner');
  await until('the child is gone', () => isGone(widgetsRef, 'default', 'child'));
  await until('the config map is gone', () => isGone(configMapsRef, 'default', 'child'));
  assert.equal(await isGone(widgetsRef, 'default', 'other'), false);
});

test('garbageController() deletes what objects of a deleted definition owned, and follows it when it is defined again', async (t) => {
  const { client, define, until, isGone } = await cloud(t);
  for (const round of ['first', 'second']) {
    await define();
    const owner = await client.create(widgetsRef, widget('owner'));
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: round, namespace: 'default', ...ownedBy(owner) },
    };
    await client.create(configMapsRef, config);
    await client.delete(definitionsRef, undefined, 'widgets.example.com');
    await until('the definition is gone', () => isGone(definitionsRef, undefined, 'widgets.example.com'));
    await until('the config map is gone', () => isGone(configMapsRef, 'default', round));
  }
});

test('namespaceController() deletes custom resources with their namespace', async (t) => {
  const { client, define, until, isGone } = await cloud(t);
  await define();
  await client.create(namespacesRef, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'short' } });
  await client.create(widgetsRef, widget('a', { namespace: 'short', finalizers: ['example.com/hold'] }));
  await client.delete(namespacesRef, undefined, 'short');
  await until('it is being deleted', async () => {
    const found = await client.get(widgetsRef, 'short', 'a');
    return found.metadata.deletionTimestamp !== undefined;
  });
  assert.equal(await isGone(namespacesRef, undefined, 'short'), false);
  await client.patch(widgetsRef, 'short', 'a', 'merge', { metadata: { finalizers: null } });
  await until('the namespace is gone', () => isGone(namespacesRef, undefined, 'short'));
});

test('garbageController() goes on in another version when the one it followed is served no longer', async (t) => {
  const { client, define, until, isGone } = await cloud(t);
  const schema = { openAPIV3Schema: { type: 'object' } };
  await define();
  const owner = await client.create(widgetsRef, widget('owner'));
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'child', namespace: 'default', ...ownedBy(owner) },
  };
  await client.create(configMapsRef, config);
  const versions = [
    { name: 'v1', served: false, storage: true, schema },
    { name: 'v1beta1', served: true, storage: false, schema },
  ];
  await client.patch(definitionsRef, undefined, 'widgets.example.com', 'merge', { spec: { versions } });
  const betaRef = { ...widgetsRef, version: 'v1beta1' };
  await until('it is served in the other version', async () => {
    try {
      return (await client.list(betaRef)).items.length === 1;
    } catch {
      return false;
    }
  });
  await client.create(betaRef, { ...widget('late', ownedBy(owner)), apiVersion: 'example.com/v1beta1' });
  assert.equal(await isGone(configMapsRef, 'default', 'child'), false, 'the owner is not taken for gone');
  await client.delete(betaRef, 'default', 'owner');
  await until('the config map is gone', () => isGone(configMapsRef, 'default', 'child'));
  await until('the widget is gone', () => isGone(betaRef, 'default', 'late'));
});
