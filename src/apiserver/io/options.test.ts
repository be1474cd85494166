/** What requests say of themselves: options that are none, preconditions of many at once, names that differ, numbers that are applied. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestServer } from './test-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const apply = { 'content-type': 'application/apply-patch+yaml' };

test('options that are none are refused, each as what it is of', async (t) => {
  const server = await startTestServer(t);
  const metadata = { name: 'a' };
  for (const [method, path, body, expected] of [
    [
      'POST',
      `${maps}?dryRun=x`,
      { metadata },
      'CreateOptions.*dryRun: Unsupported value: \\["x"\\]: supported values: "All"',
    ],
    ['PUT', `${maps}/a?dryRun=x`, { metadata }, 'UpdateOptions.*dryRun'],
    ['PATCH', `${maps}/a?dryRun=x`, {}, 'PatchOptions.*dryRun'],
    ['DELETE', `${maps}/a?dryRun=x`, undefined, 'DeleteOptions.*dryRun'],
    ['DELETE', `${maps}/a`, { dryRun: ['x'] }, 'DeleteOptions.*dryRun'],
    [
      'POST',
      `${maps}?fieldManager=${'x'.repeat(129)}`,
      { metadata },
      'fieldManager: Too long: may not be more than 128 bytes',
    ],
    ['POST', `${maps}?fieldValidation=x`, { metadata }, 'fieldValidation: Unsupported value: "x"'],
    ['PATCH', `${maps}/a?force=true`, {}, 'force: Forbidden: may not be specified for non-apply patch'],
    ['DELETE', `${maps}?propagationPolicy=x`, undefined, 'propagationPolicy: Unsupported value: "x"'],
    [
      'DELETE',
      `${maps}/a?propagationPolicy=Orphan`,
      { orphanDependents: true },
      'orphanDependents and deletionPropagation cannot be both set',
    ],
  ] as const) {
    const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
    const { status, body: answer } = await server.call(method, path, { headers, body });
    assert.equal(status, 422, `${method} ${path}`);
    assert.match(answer.message, new RegExp(expected));
    assert.equal(answer.details.group, 'meta.k8s.io');
  }
});

test('deleting many at once keeps to the preconditions', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b']) await server.call('POST', maps, { body: { metadata: { name } } });
  const refused = await server.call('DELETE', maps, { body: { preconditions: { uid: 'other' } } });
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /Precondition failed: UID in precondition: other, UID in object meta: /);
  const { body } = await server.call('GET', maps);
  assert.equal(body.items.length, 2);
});

async function startScaled(t: TestContext) {
  const server = await startTestServer(t);
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await server.call('POST', `${deployments}?fieldManager=maker`, {
    body: { metadata: { name: 'web' }, spec },
  });
  const scale = (manager: string, replicas: number, query = '') =>
    server.call('PATCH', `${deployments}/web/scale?fieldManager=${manager}${query}`, {
      headers: apply,
      body: JSON.stringify({
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web' },
        spec: { replicas },
      }),
    });
  return { server, scale };
}

test('a scale is applied as any object is: with owners, conflicts and force', async (t) => {
  const { server, scale } = await startScaled(t);
  const refused = await scale('me', 3);
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, /conflict with "maker" using apps\/v1: .spec.replicas$/);
  const dry = await scale('me', 3, '&force=true&dryRun=All');
  assert.equal(dry.body.spec.replicas, 3);
  const forced = await scale('me', 3, '&force=true');
  assert.equal(forced.status, 200, forced.text);
  assert.deepEqual([forced.body.kind, forced.body.spec.replicas], ['Scale', 3]);
  const { body } = await server.call('GET', `${deployments}/web`);
  assert.equal(body.spec.replicas, 3);
  assert.equal(body.metadata.generation, 2, 'the dry run changed nothing');
  const [own] = body.metadata.managedFields.filter((one: { manager: string }) => one.manager === 'me');
  assert.deepEqual(
    [own.operation, own.subresource, own.apiVersion, own.fieldsV1],
    ['Apply', 'scale', 'apps/v1', { 'f:spec': { 'f:replicas': {} } }],
  );
  assert.equal((await scale('me', -1)).status, 422);
  const nobody = await server.call('PATCH', `${deployments}/none/scale?fieldManager=me`, {
    headers: apply,
    body: JSON.stringify({ apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 1 } }),
  });
  assert.equal(nobody.status, 404, 'nothing is made by scaling');
});

test('a scale of another name is refused', async (t) => {
  const { server } = await startScaled(t);
  const put = await server.call('PUT', `${deployments}/web/scale`, {
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'other' }, spec: { replicas: 2 } },
  });
  assert.equal(put.status, 400);
  assert.equal(put.body.message, 'the name of the object (other) does not match the name on the URL (web)');
});
