/** Workloads as conformance asks for them, over HTTPS: with all controllers, the scheduler and hollow nodes, in real time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startHollowNodes } from '../agent/index.ts';
import { builtinKinds } from '../api/index.ts';
import { type Answer, startTestServer } from '../apiserver/io/test-server.ts';
import { createInformers } from '../client/index.ts';
import { silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { startScheduler } from '../scheduler/index.ts';
import { startControllers } from './index.ts';

type Body = Answer['body'];

interface Running {
  get(path: string): Promise<Body>;
  make(path: string, body: object): Promise<Body>;
  put(path: string, body: object): Promise<Body>;
  patch(path: string, body: object): Promise<Body>;
  remove(path: string): Promise<Body>;
  until(what: string, check: () => Promise<boolean>): Promise<void>;
}

async function start(t: TestContext): Promise<Running> {
  const { api, call } = await startTestServer(t);
  const client = api.client();
  const informers = createInformers({ client, clock: realClock, random: realRandom, log: silentLog });
  const shared = { client, informers, clock: realClock, random: realRandom, log: silentLog };
  const controllers = startControllers({ ...shared, registry: builtinKinds, rootCaPem: 'PEM' });
  const scheduler = startScheduler(shared);
  const nodes = await startHollowNodes({ ...shared, count: 2, namePrefix: 'a' });
  t.after(async () => {
    await nodes.stop();
    scheduler.stop();
    controllers.stop();
    informers.stop();
  });
  const ask = async (method: string, path: string, body?: object, type?: string): Promise<Body> => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await call(method, path, body === undefined ? {} : { body, headers });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body;
  };
  return {
    get: (path) => ask('GET', path),
    make: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    patch: (path, body) => ask('PATCH', path, body, 'application/merge-patch+json'),
    remove: (path) => ask('DELETE', path),
    async until(what, check) {
      const endMs = Date.now() + 60_000;
      while (!(await check())) {
        assert.ok(Date.now() < endMs, `not within a minute: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

const namespaced = '/apis/apps/v1/namespaces/default';
const template = (image: string) => ({
  metadata: { labels: { app: 'e2e' } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image }] },
});
const aWorkload = (kind: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'e2e', labels: { app: 'e2e' } },
  spec: { selector: { matchLabels: { app: 'e2e' } }, template: template('one'), ...spec },
});

/** Of whatever version: its status may be written meanwhile. */
function scaledTo(scale: Body, replicas: number): Body {
  const { resourceVersion: _, ...metadata } = scale.metadata;
  return { ...scale, metadata, spec: { replicas } };
}

/** Reads, patches and updates the status; what was set is seen, and the controller leaves it. */
async function keepsConditions(one: Running, path: string): Promise<void> {
  const typesOf = ({ status }: Body): readonly string[] =>
    (status.conditions ?? []).map(({ type }: { type: string }) => type);
  const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'by a test' });
  const before = await one.get(`${path}/status`);
  assert.deepEqual(typesOf(before), []);
  const patched = await one.patch(`${path}/status`, { status: { conditions: [condition('StatusPatched')] } });
  assert.deepEqual(typesOf(patched), ['StatusPatched']);
  await one.until('updated', async () => {
    const present = await one.get(path);
    present.status.conditions = [condition('StatusUpdate')];
    return one.put(`${path}/status`, present).then(
      () => true,
      () => false,
    );
  });
  assert.deepEqual(typesOf(await one.get(path)), ['StatusUpdate']);
}

test('StatefulSets, as conformance asks', async (t) => {
  const one = await start(t);
  const path = `${namespaced}/statefulsets/e2e`;
  await one.make(`${namespaced}/statefulsets`, aWorkload('StatefulSet', { replicas: 1, serviceName: 'e2e' }));
  const ready = async (count: number): Promise<boolean> => {
    const { status } = await one.get(path);
    return status.readyReplicas === count && status.replicas === count;
  };
  await one.until('ready', () => ready(1));
  // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource
  await t.test('its scale is read, updated and patched', async () => {
    const scale = await one.get(`${path}/scale`);
    assert.deepEqual([scale.spec.replicas, scale.status.replicas], [1, 1]);
    const updated = await one.put(`${path}/scale`, scaledTo(scale, 2));
    assert.equal(updated.spec.replicas, 2);
    await one.until('two', () => ready(2));
    const patched = await one.patch(`${path}/scale`, { spec: { replicas: 3 } });
    assert.equal(patched.spec.replicas, 3);
    await one.until('three', () => ready(3));
  });
  // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints
  await t.test('its status is read, updated and patched', () => keepsConditions(one, path));
  // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets
  await t.test('a collection is listed, one is patched, and all are deleted', async () => {
    const listed = await one.get('/apis/apps/v1/statefulsets?labelSelector=app%3De2e');
    assert.equal(listed.items.length, 1);
    const spec = { replicas: 1, template: { spec: { containers: [{ name: 'c', image: 'two' }] } } };
    const patched = await one.patch(path, { metadata: { labels: { test: 'patched' } }, spec });
    assert.equal(patched.metadata.labels.test, 'patched');
    await one.until('patched', async () => {
      const { status } = await one.get(path);
      return status.replicas === 1 && status.updatedReplicas === 1 && status.readyReplicas === 1;
    });
    await one.remove(`${namespaced}/statefulsets?labelSelector=test%3Dpatched`);
    await one.until('all gone', async () => {
      const sets = await one.get(`${namespaced}/statefulsets`);
      const pods = await one.get('/api/v1/namespaces/default/pods');
      return sets.items.length === 0 && pods.items.length === 0;
    });
  });
});

test('DaemonSets, as conformance asks', async (t) => {
  const one = await start(t);
  const path = `${namespaced}/daemonsets/e2e`;
  const revisionsPath = `${namespaced}/controllerrevisions`;
  await one.make(`${namespaced}/daemonsets`, aWorkload('DaemonSet'));
  const ready = async (): Promise<boolean> => {
    const { metadata, status } = await one.get(path);
    return (
      status.observedGeneration === metadata.generation &&
      status.numberAvailable === 2 &&
      status.updatedNumberScheduled === 2
    );
  };
  await one.until('ready', ready);
  // conformance: [sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision
  await t.test('its revisions are listed, patched, made by hand, deleted, and counted on', async () => {
    const list = async (selector: string): Promise<Body[]> =>
      (await one.get(`${revisionsPath}?labelSelector=${encodeURIComponent(selector)}`)).items;
    const [first, ...others] = await list('app=e2e');
    assert.deepEqual([first.revision, others.length], [1, 0]);
    const pods = await one.get('/api/v1/namespaces/default/pods');
    const patched = await one.patch(`${revisionsPath}/${first.metadata.name}`, {
      metadata: { labels: { patched: 'yes' } },
    });
    assert.equal(patched.metadata.labels.patched, 'yes');
    const { ownerReferences } = first.metadata;
    await one.make(revisionsPath, {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: 'e2e-another',
        ownerReferences,
        labels: { app: 'e2e', 'controller-revision-hash': 'another' },
      },
      data: first.data,
      revision: 2,
    });
    // Of two that say the same the controller keeps the newer: it may have been faster.
    const made = (await list('app=e2e')).map(({ metadata }) => metadata.name);
    assert.ok(made.includes('e2e-another'), made.join());
    await one.remove(`${revisionsPath}/${first.metadata.name}`).catch((error: unknown) => {
      assert.match(String(error), /NotFound/);
    });
    await one.until('one', async () => (await list('app=e2e')).length === 1);
    const [second] = await list('app=e2e');
    second.metadata.labels.updated = 'yes';
    await one.put(`${revisionsPath}/${second.metadata.name}`, second);
    assert.equal((await list('updated=yes')).length, 1);
    const after = await one.get('/api/v1/namespaces/default/pods');
    const uids = ({ items }: Body): readonly string[] => items.map(({ metadata }: Body) => metadata.uid);
    assert.deepEqual(uids(after), uids(pods), 'no pod was replaced');
    await one.patch(path, {
      spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } },
    });
    await one.until('two', async () => (await list('app=e2e')).length === 2);
    await one.remove(`${revisionsPath}?labelSelector=updated%3Dyes`);
    await one.until('one again', async () => (await list('app=e2e')).length === 1);
    assert.equal((await list('app=e2e'))[0].revision, 3);
    await one.until('rolled out', ready);
  });
  // conformance: [sig-apps] Daemon set [Serial] should verify changes to a daemon set status
  await t.test('its status is read, updated and patched', () => keepsConditions(one, path));
  // conformance: [sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets
  await t.test('a collection is listed and deleted', async () => {
    const listed = await one.get('/apis/apps/v1/daemonsets?labelSelector=app%3De2e');
    assert.equal(listed.items.length, 1);
    await one.remove(`${namespaced}/daemonsets?labelSelector=app%3De2e`);
    await one.until('gone', async () => (await one.get(`${namespaced}/daemonsets`)).items.length === 0);
  });
});

test('ReplicationControllers, as conformance asks', async (t) => {
  const one = await start(t);
  const collection = '/api/v1/namespaces/default/replicationcontrollers';
  const path = `${collection}/e2e`;
  const ready = async (count: number): Promise<boolean> =>
    ((await one.get(path)).status.availableReplicas ?? 0) === count;
  // conformance: [sig-apps] ReplicationController should test the lifecycle of a ReplicationController
  await t.test('it is made, patched, updated, its status too, and deleted', async () => {
    await one.make(collection, {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'e2e', labels: { static: 'yes' } },
      spec: { replicas: 1, selector: { app: 'e2e' }, template: template('one') },
    });
    await one.until('ready', () => ready(1));
    const patched = await one.patch(path, { metadata: { labels: { patched: 'yes' } } });
    assert.equal(patched.metadata.labels.patched, 'yes');
    await one.patch(`${path}/status`, { status: { conditions: [{ type: 'E2E', status: 'True' }] } });
    assert.equal((await one.get(`${path}/status`)).status.conditions[0].type, 'E2E');
    await one.until('all ready', () => ready(1));
  });
  // conformance: [sig-apps] ReplicationController should get and update a ReplicationController scale
  await t.test('its scale is read and updated', async () => {
    const scale = await one.get(`${path}/scale`);
    assert.equal(scale.spec.replicas, 1);
    const updated = await one.put(`${path}/scale`, scaledTo(scale, 2));
    assert.equal(updated.spec.replicas, 2);
    await one.until('two', () => ready(2));
  });
  await t.test('a collection is listed and deleted', async () => {
    assert.equal(
      (await one.get('/api/v1/replicationcontrollers?labelSelector=static%3Dyes')).items.length,
      1,
    );
    await one.remove(`${collection}?labelSelector=static%3Dyes&propagationPolicy=Background`);
    await one.until('gone', async () => (await one.get(collection)).items.length === 0);
  });
});
