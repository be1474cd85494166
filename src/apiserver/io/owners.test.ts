/** Who owns the fields of an object: its maker what was asked for, admission nothing; and the way from client-side apply to server-side apply. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SimulatedClock } from '../../lib/index.ts';
import { startTestServer } from './test-server.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
const maps = '/api/v1/namespaces/default/configmaps';

interface Owner {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: { readonly [field: string]: { readonly [field: string]: object } };
}

const ownersOf = (body: { readonly metadata: { readonly managedFields?: readonly Owner[] } }) =>
  new Map((body.metadata.managedFields ?? []).map((owner) => [`${owner.manager} ${owner.operation}`, owner]));

test('what admission adds to an object belongs to nobody', async (t) => {
  const server = await startTestServer(t);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  };
  const path = '/api/v1/namespaces/default/pods';
  const { body } = await server.call('POST', `${path}?fieldManager=ann`, { body: pod });
  assert.equal(body.spec.serviceAccountName, 'default');
  assert.equal(body.spec.volumes.length, 1);
  const owned = Object.keys(ownersOf(body).get('ann Update')?.fieldsV1['f:spec'] ?? {});
  assert.ok(owned.includes('f:restartPolicy'), 'defaults belong to the maker');
  for (const field of ['f:serviceAccountName', 'f:volumes', 'f:tolerations', 'f:priority'])
    assert.ok(!owned.includes(field), field);
  const patched = await server.call('PATCH', `${path}/a?fieldManager=ben`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { labels: { a: 'b' } } },
  });
  assert.deepEqual(ownersOf(patched.body).get('ben Update')?.fieldsV1, {
    'f:metadata': { 'f:labels': { 'f:a': {} } },
  });
});

async function startMap(t: TestContext, manager: string, data: object) {
  const server = await startTestServer(t);
  const configuration = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
  const body = {
    ...configuration,
    metadata: { name: 'a', annotations: { [annotation]: JSON.stringify(configuration) } },
  };
  await server.call('POST', `${maps}?fieldManager=${manager}`, { body });
  const apply = (as: string, wanted: object) =>
    server.call('PATCH', `${maps}/a?fieldManager=${as}`, {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify({ ...configuration, data: wanted }),
    });
  return { server, apply };
}

test('kubectl takes over what it applied from its own side and still stands, whoever wrote it', async (t) => {
  const { server, apply } = await startMap(t, 'kubectl-create', { a: '1', b: '1' });
  const refused = await apply('other', { a: '2' });
  assert.equal(refused.status, 409, 'another manager');
  const applied = await apply('kubectl', { a: '2', b: '1' });
  assert.equal(applied.status, 200, applied.text);
  assert.deepEqual(applied.body.data, { a: '2', b: '1' });
  await server.call('PATCH', `${maps}/a?fieldManager=cas`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { data: { b: 'changed' } },
  });
  const contested = await apply('kubectl', { a: '2', b: '3' });
  assert.equal(contested.status, 409);
  assert.match(
    contested.body.message,
    /^Apply failed with 1 conflict: conflict with "cas" using v1: .data.b$/,
  );
});

test('kubectl finds what was applied last, from whichever side', async (t) => {
  const { apply } = await startMap(t, 'kubectl-client-side-apply', { a: '1' });
  const applied = await apply('kubectl', { z: '1', a: '1' });
  assert.equal(
    applied.body.metadata.annotations[annotation],
    '{"apiVersion":"v1","data":{"a":"1","z":"1"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
  );
  const big = await apply('kubectl', { a: 'x'.repeat(300_000) });
  assert.equal(big.status, 200);
  assert.equal(big.body.metadata.annotations?.[annotation], undefined, 'too big for an annotation');
});

test('to apply the same again changes nothing, also where what is asked for is completed', async (t) => {
  const clock = new SimulatedClock(Date.now());
  const server = await startTestServer(t, { clock });
  const path = '/apis/apps/v1/namespaces/default/deployments/web?fieldManager=helm';
  const selector = { matchLabels: { app: 'web' } };
  const from = { fieldRef: { fieldPath: 'metadata.name' } };
  const container = { name: 'c', image: 'i', env: [{ name: 'POD', valueFrom: from }] };
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
  const apply = () =>
    server.call('PATCH', path, {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { selector, template },
      }),
    });
  const { body: made } = await apply();
  assert.equal(made.spec.template.spec.containers[0].env[0].valueFrom.fieldRef.apiVersion, 'v1');
  await clock.advance(5000);
  const { body: again } = await apply();
  assert.deepEqual(again, made);
});

test('when somebody changed what is theirs is noted', async (t) => {
  const clock = new SimulatedClock(Date.now());
  const server = await startTestServer(t, { clock });
  const patch = (data: object) =>
    server.call('PATCH', `${maps}/a?fieldManager=ann`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { data },
    });
  const timeOf = (body: { metadata: { managedFields: readonly { time: string }[] } }) =>
    body.metadata.managedFields[0]?.time;
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '1' } };
  const made = await server.call('POST', `${maps}?fieldManager=ann`, { body });
  await clock.advance(5000);
  const same = await patch({ a: '1' });
  assert.deepEqual(same.body, made.body);
  const changed = await patch({ a: '2' });
  assert.notEqual(timeOf(changed.body), timeOf(made.body));
});

test('a status that comes along with what is applied is passed over', async (t) => {
  const server = await startTestServer(t);
  const path = '/apis/apps/v1/namespaces/default/deployments/web';
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const apply = () =>
    server.call('PATCH', `${path}?fieldManager=me`, {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { selector: { matchLabels: labels }, template },
        status: { replicas: 0, conditions: [] },
      }),
    });
  assert.equal((await apply()).status, 201);
  const status = await server.call('PATCH', `${path}/status?fieldManager=them`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { status: { replicas: 3 } },
  });
  assert.equal(status.body.status.replicas, 3);
  const again = await apply();
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.status.replicas, 3);
});
