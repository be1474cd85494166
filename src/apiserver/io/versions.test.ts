/** Which version of an object a write is made upon: said, said to be any, not said where it must be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from './test-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const stale = /the object has been modified; please apply your changes to the latest version and try again/;

test('a write upon version "0" is made upon whatever is', async (t) => {
  const server = await startTestServer(t);
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '1' } };
  const { body } = await server.call('POST', path, { body: map });
  const { resourceVersion } = body.metadata;
  const put = (version: string) =>
    server.call('PUT', `${path}/a`, {
      body: { ...map, metadata: { name: 'a', resourceVersion: version }, data: { a: version } },
    });
  assert.equal((await put('0')).status, 200);
  assert.equal((await put('')).status, 200);
  const refused = await put(resourceVersion);
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, stale);
});

test('a JSON patch that says a version is made upon that one', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.call('POST', path, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
  });
  const patch = (version: string) =>
    server.call('PATCH', `${path}/a`, {
      headers: { 'content-type': 'application/json-patch+json' },
      body: [
        { op: 'replace', path: '/metadata/resourceVersion', value: version },
        { op: 'add', path: '/data', value: { at: version } },
      ],
    });
  assert.equal((await patch(body.metadata.resourceVersion)).status, 200);
  const refused = await patch(body.metadata.resourceVersion);
  assert.equal(refused.status, 409);
  assert.match(refused.body.message, stale);
});

test('leases are not replaced blindly', async (t) => {
  const server = await startTestServer(t);
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a' }, spec: {} };
  const made = await server.call('POST', leases, { body: lease });
  assert.equal(made.status, 201);
  for (const resourceVersion of [undefined, '', '0']) {
    const metadata = { name: 'a', ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    const refused = await server.call('PUT', `${leases}/a`, { body: { ...lease, metadata } });
    assert.equal(refused.status, 422);
    assert.match(refused.body.message, /metadata.resourceVersion: .*must be specified for an update$/);
  }
  const { status } = await server.call('PUT', `${leases}/a`, { body: made.body });
  assert.equal(status, 200);
});

test('a patch that leaves what cannot be is refused on the field patch', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', path, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
  });
  const patch = (type: string, body: unknown) =>
    server.call('PATCH', `${path}/a`, { headers: { 'content-type': `application/${type}+json` }, body });
  const strategic = await patch('strategic-merge-patch', { metadata: { labels: 'invalid' } });
  assert.equal(strategic.status, 422);
  assert.deepEqual(strategic.body.details.causes, [
    {
      reason: 'FieldValueInvalid',
      field: 'patch',
      message: 'Invalid value: "map[metadata:map[labels:invalid]]": cannot restore map from string',
    },
  ]);
  const merge = await patch('merge-patch', { data: { a: 1 } });
  assert.equal(merge.status, 422);
  assert.match(
    merge.body.message,
    /patch: Invalid value: ".*": json: cannot unmarshal number into Go struct field/,
  );
});
