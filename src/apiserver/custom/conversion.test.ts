/** Several versions: without conversion, and by a webhook that works, lies, fails. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../../api/index.ts';
import { openLines, startTestServer, type TestServer } from '../io/test-server.ts';
import { aDefinition, define, definitionsPath, until } from './test-definition.ts';

interface Hook {
  readonly conversion: object;
  readonly counts: { calls: number };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into reviews freely
type Answer = (review: any) => unknown;

/** v1 has `spec.host` and `spec.port`, v2 has `spec.address`. */
const convertWell: Answer = ({ apiVersion, request }) => ({
  apiVersion,
  kind: 'ConversionReview',
  response: {
    uid: request.uid,
    result: { status: 'Success' },
    convertedObjects: request.objects.map(
      (object: { spec: { address?: string; host?: string; port?: number } }) => {
        const { address, host, port, ...rest } = object.spec;
        const [h, p] = (address ?? '').split(':');
        const spec = request.desiredAPIVersion.endsWith('v2')
          ? { ...rest, address: `${host}:${port}` }
          : { ...rest, host: h, port: Number(p) };
        return { ...object, apiVersion: request.desiredAPIVersion, spec };
      },
    ),
  },
});

async function startHook(t: TestContext, { pki }: TestServer, behaviour: { answer: Answer }): Promise<Hook> {
  const counts = { calls: 0 };
  const server = createServer({ cert: pki.apiserver.cert, key: pki.apiserver.key }, (request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => {
      text += part.toString();
    });
    request.on('end', () => {
      counts.calls++;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(behaviour.answer(JSON.parse(text))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/convert`;
  const clientConfig = { url, caBundle: Buffer.from(pki.ca.cert).toString('base64') };
  return {
    conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
    counts,
  };
}

const version = (
  name: string,
  storage: boolean,
  properties: Record<string, JSONSchemaProps>,
): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  subresources: { status: {} },
  selectableFields: Object.hasOwn(properties, 'host')
    ? [{ jsonPath: '.spec.host' }]
    : [{ jsonPath: '.spec.address' }],
});
const v1 = version('v1', true, { host: { type: 'string' }, port: { type: 'integer' } });
const v2 = version('v2', false, { address: { type: 'string' }, note: { type: 'string' } });
const merge = { 'content-type': 'application/merge-patch+json' };

async function migrateToV2(server: TestServer, conversion: object): Promise<void> {
  const path = `${definitionsPath}/widgets.example.com`;
  const found = (await server.call('GET', path)).body;
  const { spec } = aDefinition({
    versions: [
      { ...v1, storage: false },
      { ...v2, storage: true },
    ],
    conversion,
  });
  const answer = await server.call('PUT', path, { body: { ...found, spec } });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.body.status.storedVersions, ['v1', 'v2']);
}

// conformance: [sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able to convert a non homogeneous list of CRs
// conformance: [sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able to convert from CR v1 to CR v2
// conformance: [sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin] CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector
test('custom resources are read and written in each version through a webhook', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const behaviour = { answer: convertWell };
  const { conversion, counts } = await startHook(t, server, behaviour);
  const first = await define(server, { versions: [v1, v2], conversion });
  const second = first.replace('/v1/', '/v2/');
  const lines = await openLines({
    ...server.connection(),
    path: `${second}?watch=1&fieldSelector=spec.address%3Dh:1`,
  });
  const made = await call('POST', first, {
    body: {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a', labels: { l: '1' } },
      spec: { host: 'h', port: 1 },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual((await lines.next()) as object, {
    type: 'ADDED',
    object: { ...made.body, apiVersion: 'example.com/v2', spec: { address: 'h:1' } },
  });
  const other = await call('GET', `${second}/a`);
  assert.deepEqual(other.body, { ...made.body, apiVersion: 'example.com/v2', spec: { address: 'h:1' } });
  const calls = counts.calls;
  await call('GET', `${second}/a`);
  assert.equal(counts.calls, calls, 'what was converted is remembered');
  const written = await call('POST', second, {
    body: { apiVersion: 'example.com/v2', kind: 'Widget', metadata: { name: 'b' }, spec: { address: 'g:2' } },
  });
  assert.equal(written.status, 201, written.text);
  assert.equal(written.body.spec.address, 'g:2');
  assert.deepEqual((await call('GET', `${first}/b`)).body.spec, { host: 'g', port: 2 });
  const patched = await call('PATCH', `${second}/a`, { headers: merge, body: { spec: { address: 'i:3' } } });
  assert.equal(patched.body.metadata.generation, 2, patched.text);
  assert.deepEqual((await call('GET', `${first}/a`)).body.spec, { host: 'i', port: 3 });
  assert.equal(((await lines.next()) as { type: string }).type, 'DELETED', 'it left the selection');
  lines.close();
  const applied = await call('PATCH', `${second}/c?fieldManager=me`, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: { apiVersion: 'example.com/v2', kind: 'Widget', metadata: { name: 'c' }, spec: { address: 'j:4' } },
  });
  assert.equal(applied.status, 201, applied.text);
  const status = await call('PATCH', `${second}/c/status`, { headers: merge, body: { status: { x: 1 } } });
  assert.equal(status.status, 200, status.text);
  const chosen = await call('GET', `${first}?fieldSelector=spec.host%3Dg`);
  assert.deepEqual(
    chosen.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['b'],
  );

  await migrateToV2(server, conversion);
  await call('POST', second, {
    body: { apiVersion: 'example.com/v2', kind: 'Widget', metadata: { name: 'd' }, spec: { address: 'k:5' } },
  });
  const all = await call('GET', second);
  assert.deepEqual(
    all.body.items.map(({ spec }: { spec: { address: string } }) => spec.address),
    ['i:3', 'g:2', 'j:4', 'k:5'],
  );
  const again = await call('PUT', `${second}/b`, { body: all.body.items[1] });
  assert.notEqual(
    again.body.metadata.resourceVersion,
    all.body.items[1].metadata.resourceVersion,
    'stored anew, in the new version',
  );
  assert.equal(again.body.metadata.generation, 1);
  assert.equal((await call('DELETE', second)).status, 200);
  assert.equal((await call('GET', first)).body.items.length, 0);
});

const failures: readonly (readonly [what: string, answer: Answer, expected: RegExp])[] = [
  [
    'says that it failed',
    ({ request }) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid: request.uid, result: { status: 'Failed', message: 'no such host' } },
    }),
    /conversion webhook for example.com\/v1, Kind=Widget failed: no such host/,
  ],
  [
    'answers another request',
    () => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid: 'x', result: { status: 'Success' }, convertedObjects: [] },
    }),
    /failed: expected response.uid=".*", got "x"/,
  ],
  [
    'loses objects',
    ({ request }) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid: request.uid, result: { status: 'Success' }, convertedObjects: [] },
    }),
    /returned 0 objects, expected 1/,
  ],
  ['answers nonsense', () => 'x', /failed: invalid response/],
  [
    'keeps the version',
    ({ request }) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid: request.uid, result: { status: 'Success' }, convertedObjects: request.objects },
    }),
    /invalid converted object at index 0: invalid groupVersionKind: expected example.com\/v2/,
  ],
  [
    'renames',
    (review) => {
      const answer = convertWell(review) as {
        response: { convertedObjects: { metadata: { name: string } }[] };
      };
      for (const { metadata } of answer.response.convertedObjects) metadata.name = 'other';
      return answer;
    },
    /metadata.name: Invalid value: "other": must be the same/,
  ],
];

test('a conversion webhook that fails or lies is told of, and nothing is lost', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const behaviour = { answer: convertWell };
  const { conversion } = await startHook(t, server, behaviour);
  const first = await define(server, { versions: [v1, v2], conversion });
  const second = first.replace('/v1/', '/v2/');
  await call('POST', first, {
    body: {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a' },
      spec: { host: 'h', port: 1 },
    },
  });
  for (const [what, answer, expected] of failures) {
    behaviour.answer = answer;
    const read = await call('GET', `${second}/a`);
    assert.equal(read.status, 500, what);
    assert.match(read.body.message, expected, what);
    assert.equal((await call('GET', second)).status, 500);
    const written = await call('POST', second, {
      body: {
        apiVersion: 'example.com/v2',
        kind: 'Widget',
        metadata: { name: 'n' },
        spec: { address: 'x:1' },
      },
    });
    assert.equal(written.status, 500, what);
    assert.equal((await call('GET', `${first}/a`)).status, 200, 'the stored version needs nobody');
  }
  behaviour.answer = convertWell;
  assert.equal((await call('GET', `${second}/a`)).body.spec.address, 'h:1');
  assert.equal((await call('GET', first)).body.items.length, 1);
});

test('however many watch, each change is converted once', async (t) => {
  const server = await startTestServer(t);
  const { conversion, counts } = await startHook(t, server, { answer: convertWell });
  const first = await define(server, { versions: [v1, v2], conversion });
  const second = first.replace('/v1/', '/v2/');
  const watches = await Promise.all(
    Array.from({ length: 20 }, () => openLines({ ...server.connection(), path: `${second}?watch=1` })),
  );
  const body = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { host: 'h', port: 1 },
  };
  await server.call('POST', first, { body });
  const seen = await Promise.all(watches.map((lines) => lines.next()));
  for (const line of seen)
    assert.equal((line as { object: { spec: { address: string } } }).object.spec.address, 'h:1');
  assert.equal(counts.calls, 1);
  for (const lines of watches) lines.close();
});

test('webhooks that speak only v1beta1 are asked in it', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const { conversion } = await startHook(t, server, { answer: convertWell });
  const { webhook } = conversion as { webhook: object };
  const older = { strategy: 'Webhook', webhook: { ...webhook, conversionReviewVersions: ['v0', 'v1beta1'] } };
  const first = await define(server, { versions: [v1, v2], conversion: older });
  const body = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { host: 'h', port: 1 },
  };
  await call('POST', first, { body });
  assert.equal((await call('GET', `${first.replace('/v1/', '/v2/')}/a`)).body.spec.address, 'h:1');
});

test('without conversion only the version is another, and unserved versions are not there', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const old = { ...v1, name: 'v1beta1', storage: false, deprecated: true };
  const gone = { ...v1, name: 'v1alpha1', storage: false, served: false };
  const first = await define(server, { versions: [v1, old, gone] });
  const beta = first.replace('/v1/', '/v1beta1/');
  const made = await call('POST', beta, {
    body: {
      apiVersion: 'example.com/v1beta1',
      kind: 'Widget',
      metadata: { name: 'a' },
      spec: { host: 'h', port: 1 },
    },
  });
  assert.equal(made.body.apiVersion, 'example.com/v1beta1');
  assert.equal(
    made.headers['warning'],
    '299 - "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"',
  );
  assert.equal((await call('GET', `${first}/a`)).body.apiVersion, 'example.com/v1');
  assert.equal((await call('GET', `${first}/a`)).headers['warning'], undefined);
  assert.equal((await call('GET', first.replace('/v1/', '/v1alpha1/'))).status, 404);
  const group = (await call('GET', '/apis/example.com')).body;
  assert.deepEqual(
    group.versions.map(({ version: name }: { version: string }) => name),
    ['v1', 'v1beta1'],
  );
  assert.equal(group.preferredVersion.version, 'v1');
});

test('watches of a version end when it is served otherwise', async (t) => {
  const server = await startTestServer(t);
  const first = await define(server, { versions: [v1] });
  const lines = await openLines({ ...server.connection(), path: `${first}?watch=1` });
  await server.call('DELETE', `${definitionsPath}/widgets.example.com`);
  assert.equal(await lines.next(), undefined);
  await until(async () => (await server.call('GET', first)).status === 404);
});
