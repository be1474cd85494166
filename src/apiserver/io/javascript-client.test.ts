/** The JavaScript client as operators use it: informers that lose their connection, watches that go on, apply, election of a leader, custom objects. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  type V1ConfigMap,
  type V1Lease,
  V1MicroTime,
  Watch,
} from '@kubernetes/client-node';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { define } from '../custom/test-definition.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const namespace = 'default';

async function start(t: TestContext): Promise<{ readonly server: TestServer; readonly config: KubeConfig }> {
  const server = await startTestServer(t);
  const config = new KubeConfig();
  config.loadFromString(kubeconfigText(server.server.url, server.pki));
  return { server, config };
}

async function until(what: string, check: () => boolean): Promise<void> {
  for (let tries = 0; !check(); tries++) {
    assert.ok(tries < 3000, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const labelled = (name: string, n: string): V1ConfigMap => ({
  metadata: { name, labels: { of: 'test' } },
  data: { n },
});

test('an informer follows what is selected, and goes on after its watch ended', {
  timeout: 120_000,
}, async (t) => {
  const { config } = await start(t);
  const core = config.makeApiClient(CoreV1Api);
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'of=test' });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer<V1ConfigMap>(config, path, list, 'of=test');
  const seen: string[] = [];
  let connects = 0;
  informer.on('add', ({ metadata }) => seen.push(`add ${metadata?.name}`));
  informer.on('update', ({ data }) => seen.push(`update ${data?.['n']}`));
  informer.on('delete', ({ metadata }) => seen.push(`delete ${metadata?.name}`));
  informer.on('connect', () => connects++);
  await core.createNamespacedConfigMap({ namespace, body: labelled('a', '1') });
  await informer.start();
  t.after(() => informer.stop());
  await core.createNamespacedConfigMap({ namespace, body: labelled('b', '1') });
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'other' } } });
  await core.replaceNamespacedConfigMap({ namespace, name: 'b', body: labelled('b', '2') });
  await until('changes', () => seen.includes('update 2'));
  assert.deepEqual(seen, ['add a', 'add b', 'update 2']);
  // As after a lost connection: what happened meanwhile is made good.
  await informer.stop();
  await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
  await core.createNamespacedConfigMap({ namespace, body: labelled('c', '1') });
  await informer.start();
  await until('what was missed', () => seen.includes('delete a') && seen.includes('add c'));
  assert.deepEqual(
    informer
      .list(namespace)
      .map(({ metadata }) => metadata?.name)
      .sort(),
    ['b', 'c'],
  );
  assert.equal(informer.get('b', namespace)?.data?.['n'], '2');
  assert.ok(connects >= 2);
});

test('a watch goes on from the revision where it stopped', { timeout: 120_000 }, async (t) => {
  const { config } = await start(t);
  const core = config.makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({ namespace, body: labelled('w', '1') });
  const watch = new Watch(config);
  const follow = async (resourceVersion: string, count: number): Promise<readonly V1ConfigMap[]> => {
    const found: V1ConfigMap[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = await watch.watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion, allowWatchBookmarks: true, labelSelector: 'of=test' },
      (_type, object: V1ConfigMap) => {
        // More may come in the same piece.
        if (found.length < count) found.push(object);
        if (found.length === count) resolve();
      },
      () => {},
    );
    await promise;
    running.abort();
    return found;
  };
  for (const n of ['2', '3', '4', '5'])
    await core.replaceNamespacedConfigMap({ namespace, name: 'w', body: labelled('w', n) });
  const first = await follow(made.metadata?.resourceVersion ?? '', 2);
  const rest = await follow(first.at(-1)?.metadata?.resourceVersion ?? '', 2);
  assert.deepEqual(
    [...first, ...rest].map(({ data }) => data?.['n']),
    ['2', '3', '4', '5'],
  );
});

test('objects of any kind are made, read, applied by two managers, and deleted', {
  timeout: 120_000,
}, async (t) => {
  const { server, config } = await start(t);
  await define(server);
  const client = KubernetesObjectApi.makeApiClient(config);
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace } };
  const apply = (manager: string, data: Record<string, string>, force = false) =>
    client.patch(
      { ...configMap, data } as V1ConfigMap,
      undefined,
      undefined,
      manager,
      force,
      PatchStrategy.ServerSideApply,
    );
  await apply('one', { a: '1' });
  await apply('two', { b: '2' });
  await assert.rejects(apply('two', { a: '9', b: '2' }), /Apply failed with 1 conflict: conflict with/);
  const forced = (await apply('two', { a: '9', b: '2' }, true)) as V1ConfigMap;
  assert.deepEqual(forced.data, { a: '9', b: '2' });
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace },
    spec: { size: 1 },
  };
  await client.create(widget);
  const merged = await client.patch(
    { ...widget, spec: { size: 2 } },
    undefined,
    undefined,
    undefined,
    undefined,
    PatchStrategy.MergePatch,
  );
  assert.equal((merged as typeof widget).spec.size, 2);
  const custom = config.makeApiClient(CustomObjectsApi);
  const at = { group: 'example.com', version: 'v1', namespace, plural: 'widgets' };
  const { items } = (await custom.listNamespacedCustomObject(at)) as { items: readonly object[] };
  assert.equal(items.length, 1);
  await client.delete(widget);
  await assert.rejects(client.read({ ...widget, metadata: { name: 'w', namespace } }), /404|not found/);
});

test('of several candidates one holds the lease, and another takes it when it is let go', {
  timeout: 120_000,
}, async (t) => {
  const { config } = await start(t);
  const candidates = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    name,
    api: config.makeApiClient(CoordinationV1Api),
  }));
  const name = 'leader';
  const [first] = candidates;
  assert.ok(first !== undefined);
  const isConflict = (error: unknown): boolean => [409].includes((error as { code?: number }).code ?? 0);
  /** As client-go's elector does: read, and replace what was read. */
  const tryToLead = async ({ name: identity, api }: (typeof candidates)[number]): Promise<boolean> => {
    let lease: V1Lease | undefined;
    try {
      lease = await api.readNamespacedLease({ namespace, name });
    } catch (error) {
      assert.equal((error as { code?: number }).code, 404);
    }
    if (lease?.spec?.holderIdentity) return lease.spec.holderIdentity === identity;
    const now = new V1MicroTime();
    const spec = { holderIdentity: identity, leaseDurationSeconds: 15, acquireTime: now, renewTime: now };
    try {
      if (lease === undefined)
        await api.createNamespacedLease({ namespace, body: { metadata: { name }, spec } });
      else await api.replaceNamespacedLease({ namespace, name, body: { ...lease, spec } });
      return true;
    } catch (error) {
      assert.ok(isConflict(error), String(error));
      return false;
    }
  };
  for (let round = 0; round < 3; round++) {
    const won = await Promise.all(candidates.map(tryToLead));
    assert.equal(won.filter(Boolean).length, 1, `round ${round}: ${won.join()}`);
    const lease: V1Lease = await first.api.readNamespacedLease({ namespace, name });
    assert.equal(lease.spec?.holderIdentity, candidates[won.indexOf(true)]?.name);
    const stale = { ...lease, spec: { ...lease.spec, holderIdentity: 'late' } };
    await first.api.replaceNamespacedLease({
      namespace,
      name,
      body: { ...lease, spec: { holderIdentity: '' } },
    });
    await assert.rejects(first.api.replaceNamespacedLease({ namespace, name, body: stale }), isConflict);
  }
});
