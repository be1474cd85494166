/** Kubernetes' conformance tests of resource quotas and limit ranges, asked in our own words: a server with the controllers that keep quotas' status. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { builtinKinds } from '../../api/index.ts';
import { createInformers } from '../../client/index.ts';
import { startControllers } from '../../controllers/index.ts';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import { type Answer, startTestServer } from './test-server.ts';

type Amounts = Readonly<Record<string, string>>;

interface Setting {
  call(method: string, path: string, body?: unknown, type?: string): Promise<Answer>;
  /** Creates in namespace `team`; must succeed. */
  make(resource: string, kind: string, name: string, more?: object): Promise<Answer>;
  remove(resource: string, name: string): Promise<void>;
  limit(name: string, hard: Amounts, more?: object): Promise<void>;
  /** Waits until the status says so. */
  used(name: string, wanted: Amounts): Promise<void>;
}

const groups: Readonly<Record<string, string>> = { replicasets: '/apis/apps/v1' };
const pathOf = (resource: string, name = '', namespace = 'team'): string =>
  `${groups[resource] ?? '/api/v1'}/namespaces/${namespace}/${resource}${name === '' ? '' : `/${name}`}`;
const merge = 'application/merge-patch+json';

async function start(t: TestContext): Promise<Setting> {
  const server = await startTestServer(t);
  const client = server.api.client();
  const common = { client, clock: realClock, random: realRandom, log: silentLog };
  const informers = createInformers(common);
  const controllers = startControllers({ ...common, informers, registry: builtinKinds, rootCaPem: 'pem' });
  t.after(() => {
    controllers.stop();
    informers.stop();
  });
  const call: Setting['call'] = (method, path, body, type) =>
    server.call(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });
  const make: Setting['make'] = async (resource, kind, name, more = {}) => {
    const apiVersion = resource === 'replicasets' ? 'apps/v1' : 'v1';
    const answer = await call('POST', pathOf(resource), { apiVersion, kind, metadata: { name }, ...more });
    assert.equal(answer.status, 201, answer.text);
    return answer;
  };
  await call('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team' },
  });
  return {
    call,
    make,
    async remove(resource, name) {
      const { status, text } = await call('DELETE', pathOf(resource, name));
      assert.equal(status, 200, text);
    },
    async limit(name, hard, more = {}) {
      await make('resourcequotas', 'ResourceQuota', name, { spec: { hard, ...more } });
      await until(call, name, 'hard', hard);
    },
    used: (name, wanted) => until(call, name, 'used', wanted),
  };
}

async function until(
  call: Setting['call'],
  name: string,
  part: 'hard' | 'used',
  wanted: Amounts,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  let said: Amounts = {};
  do {
    const { body } = await call('GET', pathOf('resourcequotas', name));
    said = body.status?.[part] ?? {};
    if (Object.entries(wanted).every(([key, amount]) => said[key] === amount)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  } while (Date.now() < deadline);
  assert.deepEqual(said, wanted, `status.${part} of ${name}`);
}

const podSpec = (resources: object = {}, more: object = {}) => ({
  spec: { containers: [{ name: 'c', image: 'x', resources }], ...more },
});

const asking = (cpu: string, memory: string) => ({
  requests: { cpu, memory, 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' },
  limits: { 'example.com/dongle': '2' },
});

// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated.
// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a configMap.
// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a secret.
// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replication controller.
// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set.
test('objects are counted while they are there', async (t) => {
  const { make, remove, limit, used, call } = await start(t);
  const template = { metadata: { labels: { a: 'b' } }, ...podSpec() };
  // The certificate of the authority is there soon.
  for (let tries = 0; (await call('GET', pathOf('configmaps', 'kube-root-ca.crt'))).status !== 200; tries++) {
    assert.ok(tries < 3000, 'the certificate of the authority is there');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await limit('q', {
    configmaps: '3',
    secrets: '2',
    replicationcontrollers: '1',
    'count/replicasets.apps': '1',
    resourcequotas: '1',
  });
  const none = {
    configmaps: '1',
    secrets: '0',
    replicationcontrollers: '0',
    'count/replicasets.apps': '0',
    resourcequotas: '1',
  };
  await used('q', none);
  await make('configmaps', 'ConfigMap', 'a');
  await make('secrets', 'Secret', 'a');
  await make('replicationcontrollers', 'ReplicationController', 'a', {
    spec: { replicas: 0, selector: { a: 'b' }, template },
  });
  await make('replicasets', 'ReplicaSet', 'a', {
    spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template },
  });
  await used('q', {
    ...none,
    configmaps: '2',
    secrets: '1',
    replicationcontrollers: '1',
    'count/replicasets.apps': '1',
  });
  for (const resource of ['configmaps', 'secrets', 'replicationcontrollers', 'replicasets'])
    await remove(resource, 'a');
  await used('q', none);
});

// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod.
test('what a pod asks for is counted while it is there, and cannot be more than is left', async (t) => {
  const { make, remove, limit, used, call } = await start(t);
  const hard = {
    pods: '5',
    cpu: '1',
    memory: '500Mi',
    'requests.ephemeral-storage': '50Gi',
    'requests.example.com/dongle': '3',
  };
  await limit('q', hard);
  const none = {
    pods: '0',
    cpu: '0',
    memory: '0',
    'requests.ephemeral-storage': '0',
    'requests.example.com/dongle': '0',
  };
  await used('q', none);
  await make('pods', 'Pod', 'a', podSpec(asking('500m', '252Mi')));
  const some = {
    pods: '1',
    cpu: '500m',
    memory: '252Mi',
    'requests.ephemeral-storage': '30Gi',
    'requests.example.com/dongle': '2',
  };
  await used('q', some);
  const refused = async (resources: object) => {
    const { status, body } = await call('POST', pathOf('pods'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'b' },
      ...podSpec(resources),
    });
    assert.equal(status, 403);
    return body.message as string;
  };
  assert.match(
    await refused(asking('600m', '100Mi')),
    /exceeded quota: q, requested: cpu=600m,requests.ephemeral-storage=30Gi,requests.example.com\/dongle=2, used: cpu=500m/,
  );
  assert.match(
    await refused({
      requests: { cpu: '100m', memory: '10Mi', 'example.com/dongle': '2' },
      limits: { 'example.com/dongle': '2' },
    }),
    /requested: requests\.example\.com\/dongle=2, used: requests\.example\.com\/dongle=2, limited: requests\.example\.com\/dongle=3$/,
  );
  const changed = await call(
    'PATCH',
    pathOf('pods', 'a'),
    { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }] } },
    'application/strategic-merge-patch+json',
  );
  assert.equal(changed.status, 422, changed.text);
  await used('q', some);
  await remove('pods', 'a');
  await used('q', none);
});

// conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a service.
test('services are counted by their type', async (t) => {
  const { make, remove, limit, used, call } = await start(t);
  await limit('q', { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' });
  const service = (type: string) => ({ spec: { type, ports: [{ port: 80 }] } });
  await make('services', 'Service', 'a', service('ClusterIP'));
  await make('services', 'Service', 'b', service('NodePort'));
  await used('q', { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' });
  const balanced = await call('POST', pathOf('services'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'c' },
    ...service('LoadBalancer'),
  });
  assert.match(
    balanced.body.message,
    /exceeded quota: q, requested: services=1,services.loadbalancers=1,services.nodeports=1/,
  );
  await remove('services', 'a');
  await remove('services', 'b');
  await used('q', { services: '0', 'services.nodeports': '0', 'services.loadbalancers': '0' });
});

// conformance: [sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota.
// conformance: [sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota
// conformance: [sig-api-machinery] ResourceQuota should apply changes to a resourcequota status
test('quotas are updated, patched and deleted, and their status is what their spec asks', async (t) => {
  const { call, limit, used } = await start(t);
  const path = pathOf('resourcequotas', 'q');
  await limit('q', { cpu: '1', memory: '500Mi' });
  const { body } = await call('GET', path);
  body.spec.hard = { cpu: '2', memory: '1Gi' };
  const updated = await call('PUT', path, { ...body, metadata: { name: 'q', labels: { of: 'life' } } });
  assert.deepEqual(updated.body.spec.hard, { cpu: '2', memory: '1Gi' });
  await used('q', { cpu: '0', memory: '0' });
  await until(call, 'q', 'hard', { cpu: '2', memory: '1Gi' });
  const written = await call('PUT', `${path}/status`, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', labels: { of: 'life' } },
    status: { hard: { cpu: '3', memory: '2Gi' } },
  });
  assert.equal(written.status, 200, written.text);
  assert.deepEqual(
    [written.body.status.hard, written.body.spec.hard],
    [
      { cpu: '3', memory: '2Gi' },
      { cpu: '2', memory: '1Gi' },
    ],
  );
  await until(call, 'q', 'hard', { cpu: '2', memory: '1Gi' });
  const patched = await call('PATCH', path, { spec: { hard: { cpu: '4' } } }, merge);
  assert.deepEqual(patched.body.spec.hard, { cpu: '4', memory: '1Gi' });
  await until(call, 'q', 'hard', { cpu: '4', memory: '1Gi' });
  const status = await call(
    'PATCH',
    `${path}/status`,
    { status: { hard: { cpu: '9' } }, spec: { hard: { cpu: '9' } } },
    merge,
  );
  assert.deepEqual([status.body.status.hard.cpu, status.body.spec.hard.cpu], ['9', '4']);
  assert.equal((await call('GET', `${path}/status`)).body.kind, 'ResourceQuota');
  await until(call, 'q', 'hard', { cpu: '4', memory: '1Gi' });
  const listed = await call('GET', '/api/v1/resourcequotas?labelSelector=of=life');
  assert.equal(listed.body.items.length, 1);
  assert.equal((await call('DELETE', `${pathOf('resourcequotas')}?labelSelector=of=life`)).status, 200);
  assert.equal((await call('GET', path)).status, 404);
});

// conformance: [sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope.
// conformance: [sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes.
test('a quota with a scope counts only the pods in it', async (t) => {
  const { make, remove, limit, used } = await start(t);
  const scopes = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating'];
  for (const scope of scopes) await limit(scope.toLowerCase(), { pods: '5' }, { scopes: [scope] });
  const counts = async (...wanted: readonly string[]) => {
    for (const scope of scopes) await used(scope.toLowerCase(), { pods: wanted.includes(scope) ? '1' : '0' });
  };
  const resources = { requests: { cpu: '100m', memory: '10Mi' }, limits: { cpu: '100m', memory: '10Mi' } };
  const table: readonly (readonly [spec: object, scopes: readonly string[]])[] = [
    [podSpec(), ['BestEffort', 'NotTerminating']],
    [podSpec(resources), ['NotBestEffort', 'NotTerminating']],
    [podSpec(resources, { activeDeadlineSeconds: 3600 }), ['NotBestEffort', 'Terminating']],
  ];
  await counts();
  for (const [spec, wanted] of table) {
    await make('pods', 'Pod', 'p', spec);
    await counts(...wanted);
    await remove('pods', 'p');
    await counts();
  }
});

// conformance: [sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.
// conformance: [sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection
test('limit ranges give and refuse, hold at once when changed, and are deleted by label', async (t) => {
  const { call, make } = await start(t);
  const amounts = (cpu: string, memory: string, disk: string) => ({ cpu, memory, 'ephemeral-storage': disk });
  const range = {
    type: 'Container',
    min: amounts('50m', '100Mi', '100Gi'),
    max: amounts('500m', '500Mi', '500Gi'),
    default: amounts('500m', '500Mi', '500Gi'),
    defaultRequest: amounts('100m', '200Mi', '200Gi'),
  };
  const limitRange = { spec: { limits: [range] } };
  const made = await make('limitranges', 'LimitRange', 'l', {
    metadata: { name: 'l', labels: { of: 'one' } },
    ...limitRange,
  });
  assert.deepEqual(made.body.spec.limits, [range]);
  const resourcesOf = (answer: Answer) => answer.body.spec.containers[0].resources;
  assert.deepEqual(resourcesOf(await make('pods', 'Pod', 'bare', podSpec())), {
    requests: range.defaultRequest,
    limits: range.default,
  });
  const partial = {
    requests: amounts('150m', '150Mi', '150Gi'),
    limits: { cpu: '300m', 'ephemeral-storage': '400Gi' },
  };
  assert.deepEqual(resourcesOf(await make('pods', 'Pod', 'partial', podSpec(partial))), {
    requests: partial.requests,
    limits: amounts('300m', '500Mi', '400Gi'),
  });
  const refused = async (resources: object): Promise<void> => {
    const { status, body } = await call('POST', pathOf('pods'), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      ...podSpec(resources),
    });
    assert.equal(status, 403);
    assert.match(body.message, /usage per Container is/);
  };
  const small = { requests: amounts('10m', '50Mi', '50Gi') };
  await refused(small);
  await refused({ requests: amounts('600m', '600Mi', '600Gi'), limits: amounts('600m', '600Mi', '600Gi') });
  const lower = { ...range, min: amounts('9m', '49Mi', '49Gi') };
  const patched = await call('PATCH', pathOf('limitranges', 'l'), { spec: { limits: [lower] } }, merge);
  assert.deepEqual(patched.body.spec.limits, [lower]);
  await make('pods', 'Pod', 'small', podSpec(small));
  await call('POST', pathOf('limitranges', '', 'default'), {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'l', labels: { of: 'two', all: 'both' } },
    ...limitRange,
  });
  await call('PATCH', pathOf('limitranges', 'l'), { metadata: { labels: { all: 'both' } } }, merge);
  assert.equal((await call('GET', '/api/v1/limitranges?labelSelector=all=both')).body.items.length, 2);
  assert.equal((await call('DELETE', `${pathOf('limitranges')}?labelSelector=all=both`)).status, 200);
  assert.equal((await call('GET', '/api/v1/limitranges?labelSelector=all=both')).body.items.length, 1);
});
