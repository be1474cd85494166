import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ConfigMap,
  configMaps,
  type Deployment,
  deployments,
  type KubeObject,
  type Namespace,
  namespaces,
  type Pod,
  pods,
  type Service,
  services,
} from '../api/index.ts';
import type { Client, WatchEvent } from '../client/index.ts';
import { CaelumError, isError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createMemoryStore, type Store } from '../store/index.ts';
import { createApi, createFirstObjects } from './index.ts';

async function start(t: TestContext): Promise<{ client: Client; clock: SimulatedClock; store: Store }> {
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
  return { client, clock, store };
}

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const podTemplate = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const pod = (name: string): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: podTemplate.spec,
  }) as Pod;
const deployment = (name: string): Deployment =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate },
  }) as Deployment;
const service = (name: string, spec: NonNullable<Service['spec']>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec,
});

test('create() gives identity, defaults and a revision; a second one is refused', async (t) => {
  const { client } = await start(t);
  const made = await client.create<Deployment>(deployments, deployment('web'));
  assert.match(made.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(made.metadata.generation, 1);
  assert.equal(made.spec?.replicas, 1);
  await assert.rejects(
    client.create(deployments, deployment('web')),
    (error) => isError(error, 'alreadyExists') && error.message === 'deployments.apps "web" already exists',
  );
  await assert.rejects(
    client.create(configMaps, { ...configMap('x'), metadata: { name: 'x', namespace: 'nowhere' } }),
    /namespaces "nowhere" not found/,
  );
});

test('update() succeeds only on the version it was based on; a change of spec raises the generation, nothing raises nothing', async (t) => {
  const { client } = await start(t);
  const made = await client.create<Deployment>(deployments, deployment('web'));
  const scaled = await client.update<Deployment>(deployments, {
    ...made,
    spec: { ...made.spec, replicas: 3 } as NonNullable<Deployment['spec']>,
  });
  assert.equal(scaled.metadata.generation, 2);
  await assert.rejects(
    client.update(deployments, { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } }),
    (error) => isError(error, 'conflict'),
  );
  const same = await client.update<Deployment>(deployments, scaled);
  assert.equal(same.metadata.resourceVersion, scaled.metadata.resourceVersion);
  const status = await client.update<Deployment>(
    deployments,
    {
      ...scaled,
      spec: { ...scaled.spec, replicas: 9 } as NonNullable<Deployment['spec']>,
      status: { replicas: 3 },
    },
    { subresource: 'status' },
  );
  assert.equal(status.spec?.replicas, 3, 'the status subresource takes only the status');
  assert.equal(status.metadata.generation, 2);
});

test('patch() works upon the newest state: a hundred at once all count', async (t) => {
  const { client } = await start(t);
  await client.create(configMaps, configMap('c'));
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      client.patch(configMaps, 'default', 'c', 'merge', { data: { [`k${n}`]: String(n) } }),
    ),
  );
  const found = await client.get<ConfigMap>(configMaps, 'default', 'c');
  assert.equal(Object.keys(found.data ?? {}).length, 100);
});

test('delete() of a bound pod is graceful: marked first, gone when its agent says so; preconditions are kept', async (t) => {
  const { client } = await start(t);
  await client.create(pods, pod('p'));
  await client.createSubresource(pods, 'default', 'p', 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'p' },
    target: { kind: 'Node', name: 'n' },
  } as never);
  await assert.rejects(
    client.createSubresource(pods, 'default', 'p', 'binding', {
      metadata: { name: 'p' },
      target: { kind: 'Node', name: 'm' },
    } as never),
    (error) => isError(error, 'conflict') && /already assigned to node "n"/.test(error.message),
  );
  await client.delete(pods, 'default', 'p');
  const marked = await client.get<Pod>(pods, 'default', 'p');
  assert.equal(marked.metadata.deletionGracePeriodSeconds, 30);
  await assert.rejects(client.delete(pods, 'default', 'p', { preconditions: { uid: 'other' } }), (error) =>
    isError(error, 'conflict'),
  );
  await client.delete(pods, 'default', 'p', { gracePeriodSeconds: 0 });
  await assert.rejects(
    client.get(pods, 'default', 'p'),
    (error) => isError(error, 'notFound') && error.message === 'pods "p" not found',
  );
});

test('createSubresource() binds a pod for the scheduler that leads, not for one that was deposed', async (t) => {
  const { client } = await start(t);
  const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespaced: true };
  const lease = await client.create(leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'kube-scheduler', namespace: 'kube-system' },
    spec: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 3 },
  } as KubeObject);
  const bind = (name: string, transitions: number) =>
    client.createSubresource(pods, 'default', name, 'binding', {
      metadata: {
        name,
        annotations: {
          'scheduling.caelum.dev/term': `kube-system/kube-scheduler/${lease.metadata.uid}/${transitions}`,
        },
      },
      target: { kind: 'Node', name: 'n' },
    } as never);
  await client.create(pods, pod('p'));
  await client.create(pods, pod('q'));
  await bind('p', 3);
  const bound = await client.get<Pod>(pods, 'default', 'p');
  assert.deepEqual([bound.spec?.nodeName, bound.metadata.annotations], ['n', undefined]);
  await client.patch(leases, 'kube-system', 'kube-scheduler', 'merge', {
    spec: { holderIdentity: 'b', leaseTransitions: 4 },
  });
  await assert.rejects(
    bind('q', 3),
    (error) =>
      isError(error, 'conflict') && /not the holder of lease kube-system\/kube-scheduler/.test(error.message),
  );
  await bind('q', 4);
});

test('finalizers hold an object until the last is taken away', async (t) => {
  const { client } = await start(t);
  await client.create(configMaps, {
    ...configMap('held'),
    metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/hold'] },
  });
  await client.delete(configMaps, 'default', 'held');
  const held = await client.get<ConfigMap>(configMaps, 'default', 'held');
  assert.ok(held.metadata.deletionTimestamp);
  await client.patch(configMaps, 'default', 'held', 'merge', { metadata: { finalizers: null } });
  await assert.rejects(client.get(configMaps, 'default', 'held'), (error) => isError(error, 'notFound'));
});

test('a namespace goes when its finalizer has gone, and takes nothing new meanwhile', async (t) => {
  const { client } = await start(t);
  const made = await client.create<Namespace>(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team' },
  });
  assert.deepEqual(made.spec?.finalizers, ['kubernetes']);
  await client.delete(namespaces, undefined, 'team');
  await assert.rejects(
    client.create(configMaps, { ...configMap('late'), metadata: { name: 'late', namespace: 'team' } }),
    (error) => isError(error, 'forbidden') && /is being terminated/.test(error.message),
  );
  const going = await client.get<Namespace>(namespaces, undefined, 'team');
  assert.equal(going.status?.phase, 'Terminating');
  await client.update(namespaces, { ...going, spec: { finalizers: [] } }, { subresource: 'finalize' });
  await assert.rejects(client.get(namespaces, undefined, 'team'), (error) => isError(error, 'notFound'));
  await assert.rejects(client.delete(namespaces, undefined, 'default'), /this namespace may not be deleted/);
});

test('Services get virtual IPs and node ports that nobody else has, also at once', async (t) => {
  const { client } = await start(t);
  const ports = [{ port: 80 }];
  const made = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      client.create<Service>(services, service(`s${n}`, { type: 'NodePort', ports })),
    ),
  );
  assert.equal(new Set(made.map((one) => one.spec?.clusterIP)).size, 50);
  assert.equal(new Set(made.map((one) => one.spec?.ports?.[0]?.nodePort)).size, 50);
  const taken = made[0]?.spec?.ports?.[0]?.nodePort as number;
  await assert.rejects(
    client.create(services, service('late', { type: 'NodePort', ports: [{ port: 80, nodePort: taken }] })),
    (error) => isError(error, 'invalid') && error.message.includes('provided port is already allocated'),
  );
  await client.delete(services, 'default', 's0');
  await client.create(
    services,
    service('late', { type: 'NodePort', ports: [{ port: 80, nodePort: taken }] }),
  );
  const headless = await client.create<Service>(services, service('headless', { clusterIP: 'None', ports }));
  assert.equal(headless.spec?.clusterIP, 'None');
  await assert.rejects(
    client.create(services, service('far', { clusterIP: '10.9.9.9', ports })),
    /does not match the current range/,
  );
});

test('watch() tells what enters, changes and leaves a selection, from the revision that a list gave', async (t) => {
  const { client } = await start(t);
  await client.create(configMaps, configMap('before'));
  const list = await client.list<ConfigMap>(configMaps, {
    namespace: 'default',
    labelSelector: 'tier=front',
  });
  const told: string[] = [];
  const watch = client.watch<ConfigMap>(
    configMaps,
    { namespace: 'default', labelSelector: 'tier=front', resourceVersion: list.resourceVersion },
    {
      onEvent: (event: WatchEvent<ConfigMap>) =>
        event.type !== 'BOOKMARK' && told.push(`${event.type} ${event.object.metadata.name}`),
      onEnd: () => told.push('end'),
    },
  );
  t.after(() => watch.cancel());
  await client.create(configMaps, {
    ...configMap('a'),
    metadata: { name: 'a', namespace: 'default', labels: { tier: 'front' } },
  });
  await client.create(configMaps, configMap('other'));
  await client.patch(configMaps, 'default', 'other', 'merge', { metadata: { labels: { tier: 'front' } } });
  await client.patch(configMaps, 'default', 'a', 'merge', { data: { x: 'y' } });
  await client.patch(configMaps, 'default', 'a', 'merge', { metadata: { labels: { tier: 'back' } } });
  await client.delete(configMaps, 'default', 'other');
  await client.delete(configMaps, 'default', 'a');
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assert.deepEqual(told, ['ADDED a', 'ADDED other', 'MODIFIED a', 'DELETED a', 'DELETED other']);
});

test('list() in pages is the list as it was when the first page was read', async (t) => {
  const { client } = await start(t);
  for (let n = 0; n < 25; n++) await client.create(configMaps, configMap(`c${String(n).padStart(2, '0')}`));
  const first = await client.list<ConfigMap>(configMaps, { namespace: 'default', limit: 10 });
  await client.delete(configMaps, 'default', 'c15');
  await client.create(configMaps, configMap('c12a'));
  const names = first.items.map((item) => item.metadata.name);
  for (let next = first.continue; next !== undefined; ) {
    const page = await client.list<ConfigMap>(configMaps, {
      namespace: 'default',
      limit: 10,
      continue: next,
    });
    assert.equal(page.resourceVersion, first.resourceVersion);
    names.push(...page.items.map((item) => item.metadata.name));
    next = page.continue;
  }
  assert.equal(names.length, 25);
  assert.ok(names.includes('c15') && !names.includes('c12a'));
  await assert.rejects(client.list(configMaps, { continue: 'garbage', limit: 1 }), (error) =>
    isError(error, 'badRequest'),
  );
});

/** A store whose writes are accepted, and refused when the test says so. */
function refusing(store: Store) {
  const refused = new CaelumError('storageFull', 'full');
  const pending: (() => void)[] = [];
  let accepted: { readonly key: string; readonly version: ReturnType<Store['get']> } | undefined;
  const latest: Store['latest'] = (key) => (accepted?.key === key ? accepted.version : store.latest(key));
  const transact: Store['transact'] = async (writes) => {
    const [write] = writes;
    const current = write === undefined ? undefined : store.get(write.key);
    if (write?.kind === 'put' && current !== undefined) {
      const bytes = write.encode(999);
      const object = (): unknown => JSON.parse(bytes.toString());
      accepted = { key: write.key, version: { ...current, key: write.key, revision: 999, bytes, object } };
    }
    return new Promise((_resolve, reject) => pending.push(() => reject(refused)));
  };
  const refuse = (): void => {
    accepted = undefined;
    for (const one of pending.splice(0)) one();
  };
  const other = new Proxy(store, {
    get(target, name) {
      if (name === 'latest') return latest;
      if (name === 'transact') return transact;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { refuse, store: other };
}

// Found by simulation: a full disk, and a request that repeated what another had just asked.
test('a write that changes nothing is not confirmed on the grounds of one that is refused', async (t) => {
  const { client, clock, store } = await start(t);
  await client.create(configMaps, configMap('a', { text: 'old' }));
  const { refuse, store: full } = refusing(store);
  const api = createApi({
    store: full,
    clock,
    random: new SeededRandom(2),
    log: silentLog,
    serviceCidr: '10.131.0.0/24',
  });
  const patch = () => api.client().patch(configMaps, 'default', 'a', 'merge', { data: { text: 'new' } });
  const outcomes = Promise.allSettled([patch(), patch()]);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  refuse();
  const states = (await outcomes).map((one) => (one.status === 'rejected' ? one.reason : 'confirmed'));
  assert.ok(
    states.every((one) => isError(one, 'storageFull')),
    String(states),
  );
});
