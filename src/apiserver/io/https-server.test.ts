import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { encodeProtobuf } from '../../api/index.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

const here = '/api/v1/namespaces/default';
const configMap = (name: string, data: Record<string, string> = { a: '1' }, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data,
});
const deployment = (name: string, replicas = 1): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
const pod = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});

test('serveApi() creates, reads, replaces, patches and deletes an object', async (t) => {
  const { call } = await startTestServer(t);
  const made = await call('POST', `${here}/configmaps`, { body: configMap('a') });
  assert.equal(made.status, 201);
  assert.equal(made.body.metadata.namespace, 'default');
  const read = await call('GET', `${here}/configmaps/a`);
  assert.equal(read.status, 200);
  assert.deepEqual(read.body, made.body);
  const replaced = await call('PUT', `${here}/configmaps/a`, { body: { ...read.body, data: { a: '2' } } });
  assert.equal(replaced.status, 200);
  assert.equal(replaced.body.data.a, '2');
  const stale = await call('PUT', `${here}/configmaps/a`, { body: { ...read.body, data: { a: '3' } } });
  assert.equal(stale.status, 409);
  assert.equal(stale.body.reason, 'Conflict');
  assert.match(
    stale.body.message,
    /^Operation cannot be fulfilled on configmaps "a": the object has been modified/,
  );
  for (const [type, patch] of [
    ['application/merge-patch+json', { data: { b: 'm' } }],
    ['application/strategic-merge-patch+json', { data: { c: 's' } }],
    ['application/json-patch+json', [{ op: 'add', path: '/data/d', value: 'j' }]],
  ] as const) {
    const patched = await call('PATCH', `${here}/configmaps/a`, {
      body: patch,
      headers: { 'content-type': type },
    });
    assert.equal(patched.status, 200, patched.text);
  }
  const last = await call('GET', `${here}/configmaps/a`);
  assert.deepEqual(last.body.data, { a: '2', b: 'm', c: 's', d: 'j' });
  const same = await call('PATCH', `${here}/configmaps/a`, {
    body: { data: { b: 'm' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(same.body.metadata.resourceVersion, last.body.metadata.resourceVersion);
  const deleted = await call('DELETE', `${here}/configmaps/a`);
  assert.equal(deleted.status, 200);
  assert.equal(deleted.body.status, 'Success');
  assert.deepEqual(deleted.body.details, { name: 'a', kind: 'configmaps', uid: made.body.metadata.uid });
  const gone = await call('GET', `${here}/configmaps/a`);
  assert.equal(gone.status, 404);
  assert.deepEqual(gone.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'configmaps "a" not found',
    reason: 'NotFound',
    details: { name: 'a', kind: 'configmaps' },
    code: 404,
  });
});

test('serveApi() reads YAML and protobuf bodies, and answers in them', async (t) => {
  const { call } = await startTestServer(t);
  const yaml = await call('POST', `${here}/configmaps`, {
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yam\ndata:\n  a: "1"\n',
    headers: { 'content-type': 'application/yaml' },
  });
  assert.equal(yaml.status, 201, yaml.text);
  const body = encodeProtobuf(configMap('p'), { group: '', version: 'v1', kind: 'ConfigMap' });
  const protobuf = await call('POST', `${here}/configmaps`, {
    body,
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
  });
  assert.equal(protobuf.status, 201, protobuf.text);
  assert.equal(protobuf.body.data.a, '1');
  const asYaml = await call('GET', `${here}/configmaps/yam`, { headers: { accept: 'application/yaml' } });
  assert.match(asYaml.text, /^kind: ConfigMap$/m);
  const asProtobuf = await call('GET', `${here}/configmaps/p`, {
    headers: { accept: 'application/vnd.kubernetes.protobuf' },
  });
  assert.equal(asProtobuf.bytes.subarray(0, 4).toString('latin1'), 'k8s\0');
  const list = await call('GET', `${here}/configmaps`, {
    headers: { accept: 'application/vnd.kubernetes.protobuf' },
  });
  assert.equal(list.bytes.subarray(0, 4).toString('latin1'), 'k8s\0');
  const pretty = await call('GET', `${here}/configmaps/yam?pretty=true`);
  assert.match(pretty.text, /^\{\n {2}"kind": "ConfigMap"/);
});

interface BadInput {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly status: number;
  readonly reason: string;
  readonly message: RegExp;
}

const badInputs: readonly BadInput[] = [
  {
    name: 'malformed JSON',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '{"kind":',
    status: 400,
    reason: 'BadRequest',
    message: /json parse error/,
  },
  {
    name: 'malformed YAML',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'a: [1',
    type: 'application/yaml',
    status: 400,
    reason: 'BadRequest',
    message: /error converting YAML to JSON/,
  },
  {
    name: 'malformed protobuf',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'nonsense',
    type: 'application/vnd.kubernetes.protobuf',
    status: 400,
    reason: 'BadRequest',
    message: /does not appear to be a protobuf message/,
  },
  {
    name: 'an empty body',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '',
    status: 400,
    reason: 'BadRequest',
    message: /./,
  },
  {
    name: 'a body that is no object',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '[]',
    status: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal array/,
  },
  {
    name: 'an unknown content type',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'x',
    type: 'text/plain',
    status: 415,
    reason: 'UnsupportedMediaType',
    message: /the body of the request was in an unknown format - accepted media types include/,
  },
  {
    name: 'an unknown patch type',
    method: 'PATCH',
    path: `${here}/services/kubernetes`,
    body: '{}',
    type: 'application/json',
    status: 415,
    reason: 'UnsupportedMediaType',
    message: /accepted media types include: application\/json-patch\+json/,
  },
  {
    name: 'a form that cannot be made',
    method: 'GET',
    path: `${here}/services/kubernetes`,
    accept: 'image/png',
    status: 406,
    reason: 'NotAcceptable',
    message: /only the following media types are accepted/,
  },
  {
    name: 'a wrong kind',
    method: 'POST',
    path: `${here}/configmaps`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    status: 400,
    reason: 'BadRequest',
    message: /Secret in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    name: 'a wrong version',
    method: 'POST',
    path: '/apis/apps/v1/namespaces/default/deployments',
    body: { ...deployment('x'), apiVersion: 'apps/v1beta1' },
    status: 400,
    reason: 'BadRequest',
    message:
      /the API version in the data \(apps\/v1beta1\) does not match the expected API version \(apps\/v1\)/,
  },
  {
    name: 'a wrong type',
    method: 'POST',
    path: '/apis/apps/v1/namespaces/default/deployments',
    body: { ...deployment('x'), spec: { replicas: 'two' } },
    status: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
  },
  {
    name: 'an unknown field, strictly',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Strict`,
    body: { ...configMap('x'), colour: 'red' },
    status: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "colour"/,
  },
  {
    name: 'a duplicate field, strictly',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
    status: 400,
    reason: 'BadRequest',
    message: /duplicate field "data\.a"/,
  },
  {
    name: 'a field validation that is none',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Maybe`,
    body: configMap('x'),
    status: 400,
    reason: 'BadRequest',
    message: /fieldValidation: Unsupported value: "Maybe"/,
  },
  {
    name: 'a dry run that is none',
    method: 'POST',
    path: `${here}/configmaps?dryRun=Some`,
    body: configMap('x'),
    status: 400,
    reason: 'BadRequest',
    message: /dryRun: Unsupported value: "Some"/,
  },
  {
    name: 'a bad name',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('Not_A_Name'),
    status: 422,
    reason: 'Invalid',
    message:
      /ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain/,
  },
  {
    name: 'no name',
    method: 'POST',
    path: `${here}/configmaps`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
    status: 422,
    reason: 'Invalid',
    message: /name or generateName is required/,
  },
  {
    name: 'a bad label',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { labels: { 'a b': 'c' } }),
    status: 422,
    reason: 'Invalid',
    message: /metadata\.labels: Invalid value: "a b"/,
  },
  {
    name: 'a resourceVersion on create',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { resourceVersion: '7' }),
    status: 400,
    reason: 'BadRequest',
    message: /resourceVersion should not be set on objects to be created/,
  },
  {
    name: 'another namespace in the body',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { namespace: 'kube-system' }),
    status: 400,
    reason: 'BadRequest',
    message: /the namespace of the provided object does not match the namespace sent on the request/,
  },
  {
    name: 'a namespace that is not there',
    method: 'POST',
    path: '/api/v1/namespaces/nowhere/configmaps',
    body: configMap('x'),
    status: 404,
    reason: 'NotFound',
    message: /^namespaces "nowhere" not found$/,
  },
  {
    name: 'another name in the body',
    method: 'PUT',
    path: `${here}/services/kubernetes`,
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other' }, spec: { ports: [{ port: 1 }] } },
    status: 400,
    reason: 'BadRequest',
    message: /^the name of the object \(other\) does not match the name on the URL \(kubernetes\)$/,
  },
  {
    name: 'a method that no collection takes',
    method: 'PUT',
    path: `${here}/configmaps`,
    body: configMap('x'),
    status: 405,
    reason: 'MethodNotAllowed',
    message: /^the server does not allow this method on the requested resource$/,
  },
  {
    name: 'creation outside of a namespace',
    method: 'POST',
    path: '/api/v1/configmaps',
    body: configMap('x'),
    status: 405,
    reason: 'MethodNotAllowed',
    message: /^the server does not allow this method on the requested resource$/,
  },
  {
    name: 'a resource that is not served',
    method: 'GET',
    path: '/api/v1/namespaces/default/unicorns',
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a path that is not served',
    method: 'GET',
    path: '/nowhere',
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a subresource that is not served',
    method: 'GET',
    path: `${here}/configmaps/a/status`,
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a cluster-wide resource in a namespace',
    method: 'GET',
    path: `${here}/nodes`,
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a label selector that is none',
    method: 'GET',
    path: `${here}/pods?labelSelector=${encodeURIComponent('a in (b')}`,
    status: 400,
    reason: 'BadRequest',
    message: /unable to parse requirement/,
  },
  {
    name: 'a field that cannot be selected by',
    method: 'GET',
    path: `${here}/pods?fieldSelector=spec.colour%3Dred`,
    status: 400,
    reason: 'BadRequest',
    message: /field label not supported: spec\.colour/,
  },
  {
    name: 'a continue token of somebody else',
    method: 'GET',
    path: `${here}/pods?limit=1&continue=abc`,
    status: 400,
    reason: 'BadRequest',
    message: /continue key is not valid/,
  },
  {
    name: 'a resourceVersion that is no number',
    method: 'GET',
    path: `${here}/pods?resourceVersion=x`,
    status: 400,
    reason: 'BadRequest',
    message: /^invalid resource version: "x"|resourceVersion: Invalid value/,
  },
  {
    name: 'a deletion of what may not go',
    method: 'DELETE',
    path: '/api/v1/namespaces/default',
    status: 403,
    reason: 'Forbidden',
    message: /^namespaces "default" is forbidden: this namespace may not be deleted$/,
  },
  {
    name: 'a propagation policy that is none',
    method: 'DELETE',
    path: `${here}/services/kubernetes?propagationPolicy=Sideways`,
    status: 422,
    reason: 'Invalid',
    message: /propagationPolicy: Unsupported value|Invalid value: "Sideways"/,
  },
  {
    name: 'broken percent-encoding',
    method: 'GET',
    path: '/api/v1/nodes/%zz',
    status: 400,
    reason: 'BadRequest',
    message: /percent-encoded/,
  },
];

test('serveApi() answers bad input with the Status that Kubernetes gives', async (t) => {
  const { call } = await startTestServer(t);
  for (const { name, method, path, body, type, accept, status, reason, message } of badInputs) {
    await t.test(name, async () => {
      const answer = await call(method, path, {
        body,
        headers: {
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(accept === undefined ? {} : { accept }),
        },
      });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.kind, 'Status');
      assert.equal(answer.body.code, status);
      assert.equal(answer.body.reason, reason);
      assert.match(answer.body.message, message);
    });
  }
});

test('serveApi() warns of unknown fields, or overlooks them', async (t) => {
  const { call } = await startTestServer(t);
  const body = { ...configMap('w'), colour: 'red' };
  const warned = await call('POST', `${here}/configmaps?fieldValidation=Warn`, { body });
  assert.equal(warned.status, 201);
  assert.equal(warned.headers['warning'], '299 - "unknown field \\"colour\\""');
  assert.equal(warned.body.colour, undefined);
  const overlooked = await call('POST', `${here}/configmaps?fieldValidation=Ignore`, {
    body: { ...body, metadata: { name: 'i' } },
  });
  assert.equal(overlooked.status, 201);
  assert.equal(overlooked.headers['warning'], undefined);
});

test('serveApi() refuses bodies of more than 3 MiB, announced or not, and goes on', async (t) => {
  const { call } = await startTestServer(t);
  const large = JSON.stringify(configMap('big', { a: 'x'.repeat(3 * 1024 * 1024) }));
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const answer = await call('POST', `${here}/configmaps`, { body: large, headers }).catch(
      (error: Error) => error,
    );
    // The server may close the connection while the client still writes.
    if (answer instanceof Error) continue;
    assert.equal(answer.status, 413);
    assert.equal(answer.body.reason, 'RequestEntityTooLarge');
    assert.equal(answer.body.message, 'Request entity too large: limit is 3145728');
  }
  assert.equal((await call('GET', '/healthz')).text, 'ok');
});

test('serveApi() keeps dry runs out of the store', async (t) => {
  const { call, store } = await startTestServer(t);
  const before = store.revision();
  const made = await call('POST', `${here}/configmaps?dryRun=All`, { body: configMap('d') });
  assert.equal(made.status, 201);
  const deleted = await call('DELETE', `${here}/services/kubernetes?dryRun=All`);
  assert.equal(deleted.status, 200);
  assert.equal(store.revision(), before);
  assert.equal((await call('GET', `${here}/configmaps/d`)).status, 404);
});

test('serveApi() pages lists, and tells when a page is too old', async (t) => {
  const { call, store } = await startTestServer(t);
  for (let i = 0; i < 5; i++) await call('POST', `${here}/configmaps`, { body: configMap(`c${i}`) });
  const names: string[] = [];
  let token = '';
  const remaining: (number | undefined)[] = [];
  let revision: string | undefined;
  do {
    const page = await call('GET', `${here}/configmaps?limit=2&continue=${encodeURIComponent(token)}`);
    assert.equal(page.status, 200, page.text);
    assert.equal(page.body.kind, 'ConfigMapList');
    revision ??= page.body.metadata.resourceVersion;
    assert.equal(page.body.metadata.resourceVersion, revision);
    names.push(...page.body.items.map((item: { metadata: { name: string } }) => item.metadata.name));
    remaining.push(page.body.metadata.remainingItemCount);
    token = page.body.metadata.continue ?? '';
    // What comes meanwhile is not in the list that was begun.
    await call('POST', `${here}/configmaps`, { body: configMap(`z${names.length}`) });
  } while (token !== '');
  assert.deepEqual(names, ['c0', 'c1', 'c2', 'c3', 'c4']);
  assert.deepEqual(remaining, [3, 1, undefined]);
  const first = await call('GET', `${here}/configmaps?limit=2`);
  await call('POST', `${here}/configmaps`, { body: configMap('later') });
  store.compact(store.revision());
  const late = await call(
    'GET',
    `${here}/configmaps?limit=2&continue=${encodeURIComponent(first.body.metadata.continue)}`,
  );
  assert.equal(late.status, 410);
  assert.equal(late.body.reason, 'Expired');
});

test('serveApi() keeps to resourceVersion when it reads', async (t) => {
  const { call } = await startTestServer(t);
  const made = await call('POST', `${here}/configmaps`, { body: configMap('r') });
  const at = made.body.metadata.resourceVersion as string;
  await call('POST', `${here}/configmaps`, { body: configMap('s') });
  const counted = async (query: string): Promise<number | string> => {
    const answer = await call('GET', `${here}/configmaps${query}`);
    return answer.status === 200 ? answer.body.items.length : `${answer.status} ${answer.body.message}`;
  };
  assert.equal(await counted(''), 2);
  assert.equal(await counted('?resourceVersion=0'), 2);
  assert.equal(await counted(`?resourceVersion=${at}&resourceVersionMatch=NotOlderThan`), 2);
  assert.equal(await counted(`?resourceVersion=${at}&resourceVersionMatch=Exact`), 1);
  const future = await call(
    'GET',
    `${here}/configmaps?resourceVersion=99999&resourceVersionMatch=NotOlderThan`,
  );
  assert.equal(future.status, 504);
  assert.equal(future.body.reason, 'Timeout');
  assert.match(future.body.message, /Too large resource version: 99999, current: \d+/);
});

test('serveApi() shows Tables and bare metadata to those who ask', async (t) => {
  const { call } = await startTestServer(t);
  await call('POST', `${here}/configmaps`, { body: configMap('t') });
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const table = await call('GET', `${here}/configmaps`, { headers: { accept } });
  assert.equal(table.body.kind, 'Table');
  assert.equal(table.body.apiVersion, 'meta.k8s.io/v1');
  assert.equal(table.body.columnDefinitions[0].name, 'Name');
  assert.equal(table.body.rows[0].cells[0], 't');
  assert.equal(table.body.rows[0].object.kind, 'PartialObjectMetadata');
  const one = await call('GET', `${here}/configmaps/t?includeObject=Object`, { headers: { accept } });
  assert.equal(one.body.rows[0].object.kind, 'ConfigMap');
  const missing = await call('GET', `${here}/configmaps/none`, { headers: { accept } });
  assert.equal(missing.body.kind, 'Status');
  const metadata = await call('GET', `${here}/configmaps`, {
    headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
  });
  assert.equal(metadata.body.kind, 'PartialObjectMetadataList');
  assert.equal(metadata.body.items[0].data, undefined);
});

test('serveApi() scales, binds, evicts and hands out tokens', async (t) => {
  const { call, api } = await startTestServer(t);
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  await call('POST', deployments, { body: deployment('web', 2) });
  const scale = await call('GET', `${deployments}/web/scale`);
  assert.equal(scale.body.kind, 'Scale');
  assert.equal(scale.body.spec.replicas, 2);
  assert.equal(scale.body.status.selector, 'app=web');
  const scaled = await call('PATCH', `${deployments}/web/scale`, {
    body: { spec: { replicas: 5 } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(scaled.body.spec.replicas, 5, scaled.text);
  const put = await call('PUT', `${deployments}/web/scale`, {
    body: { ...scaled.body, spec: { replicas: 3 } },
  });
  assert.equal(put.status, 200, put.text);
  assert.equal((await call('GET', `${deployments}/web`)).body.spec.replicas, 3);

  assert.equal((await call('POST', `${here}/pods`, { body: pod('p') })).status, 201);
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'p' },
    target: { kind: 'Node', name: 'n' },
  };
  assert.equal((await call('POST', `${here}/pods/p/binding`, { body: binding })).status, 201);
  const again = await call('POST', `${here}/pods/p/binding`, { body: binding });
  assert.equal(again.status, 409);
  assert.match(again.body.message, /pod p is already assigned to node "n"/);
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: 'p' },
    deleteOptions: { gracePeriodSeconds: 7 },
  };
  assert.equal((await call('POST', `${here}/pods/p/eviction`, { body: eviction })).status, 201);
  const dying = await call('GET', `${here}/pods/p`);
  assert.equal(dying.body.metadata.deletionGracePeriodSeconds, 7);
  assert.ok(dying.body.metadata.deletionTimestamp);

  await api.client().create(
    { group: '', version: 'v1', resource: 'serviceaccounts', namespaced: true },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot', namespace: 'default' },
    },
  );
  const token = await call('POST', `${here}/serviceaccounts/robot/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
  });
  assert.equal(token.status, 201, token.text);
  const headers = { authorization: `Bearer ${token.body.status.token}` };
  const whoami = await call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    as: 'nobody',
    headers,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  assert.equal(whoami.status, 201, whoami.text);
  assert.equal(whoami.body.status.userInfo.username, 'system:serviceaccount:default:robot');
  const review = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: token.body.status.token },
    },
  });
  assert.equal(review.body.status.authenticated, true, review.text);
  assert.equal(review.body.status.user.username, 'system:serviceaccount:default:robot');
  const forged = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x.y.z' } },
  });
  assert.equal(forged.body.status.authenticated ?? false, false);
  const refused = await call('GET', `${here}/pods`, { as: 'nobody', headers });
  assert.equal(refused.status, 403);
  assert.equal(
    refused.body.message,
    'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  const canI = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    as: 'nobody',
    headers,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' } },
    },
  });
  assert.equal(canI.body.status.allowed, false);
  await call('DELETE', `${here}/serviceaccounts/robot`);
  const orphaned = await call('GET', '/api', { as: 'nobody', headers });
  assert.equal(orphaned.status, 401, 'a token ends with its account');
});

test('serveApi() knows who calls', async (t) => {
  const staticTokens = [{ token: 'open-sesame', identity: { user: 'ali', groups: ['system:masters'] } }];
  const { call } = await startTestServer(t, { staticTokens });
  for (const path of ['/healthz', '/livez', '/readyz', '/version'])
    assert.equal((await call('GET', path, { as: 'nobody' })).status, 200, path);
  for (const path of ['/api', '/metrics', `${here}/pods`]) {
    const answer = await call('GET', path, { as: 'nobody' });
    assert.ok([401, 403].includes(answer.status), `${path}: ${answer.status}`);
    assert.equal(answer.body.kind, 'Status');
  }
  const wrong = await call('GET', '/api', { as: 'nobody', headers: { authorization: 'Bearer nonsense' } });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.body.message, 'Unauthorized');
  const known = await call('GET', `${here}/pods`, {
    as: 'nobody',
    headers: { authorization: 'Bearer open-sesame' },
  });
  assert.equal(known.status, 200);
  const node = await call('GET', '/api/v1/nodes', { as: 'node' });
  assert.equal(node.status, 200);
  const stranger = await call('DELETE', '/api/v1/nodes/other', { as: 'node' });
  assert.equal(stranger.status, 403);
  assert.equal(
    stranger.body.message,
    'nodes "other" is forbidden: User "system:node:node-1" cannot delete resource "nodes" in API group "" at the cluster scope',
  );
});

test('serveApi() tells what it serves, in every form', async (t) => {
  const { call } = await startTestServer(t);
  const aggregated = (v: string): string =>
    `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`;
  const v2 = await call('GET', '/apis', {
    headers: { accept: `${aggregated('v2')},${aggregated('v2beta1')},application/json` },
  });
  assert.equal(v2.headers['content-type'], aggregated('v2'));
  assert.equal(v2.body.apiVersion, 'apidiscovery.k8s.io/v2');
  const v2beta1 = await call('GET', '/api', {
    headers: { accept: `${aggregated('v2beta1')},application/json` },
  });
  assert.equal(v2beta1.headers['content-type'], aggregated('v2beta1'));
  const [core] = v2beta1.body.items;
  const pods = core.versions[0].resources.find((one: { resource: string }) => one.resource === 'pods');
  assert.deepEqual(pods.shortNames, ['po']);
  assert.ok(pods.subresources.some((one: { subresource: string }) => one.subresource === 'log'));
  assert.equal((await call('GET', '/api')).body.kind, 'APIVersions');
  assert.equal((await call('GET', '/apis')).body.kind, 'APIGroupList');
  assert.equal((await call('GET', '/apis/apps')).body.kind, 'APIGroup');
  assert.equal((await call('GET', '/api/v1')).body.kind, 'APIResourceList');
  assert.equal((await call('GET', '/apis/apps/v1')).body.groupVersion, 'apps/v1');
  assert.equal((await call('GET', '/apis/nothing')).status, 404);
  assert.equal((await call('GET', '/apis/apps/v9')).status, 404);
  const version = await call('GET', '/version');
  assert.match(version.body.gitVersion, /^v1\.36\.0/);
  const index = await call('GET', '/openapi/v3');
  const url = index.body.paths['apis/apps/v1'].serverRelativeURL;
  const document = await call('GET', url);
  assert.equal(document.body.openapi, '3.0.0');
  assert.ok(document.headers['etag']);
  const known = await call('GET', '/openapi/v3/apis/apps/v1', {
    headers: { 'if-none-match': document.headers['etag'] as string },
  });
  assert.equal(known.status, 304);
  assert.equal((await call('GET', '/openapi/v2')).body.swagger, '2.0');
  const gnostic = await call('GET', '/openapi/v2', {
    headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
  });
  assert.match(gnostic.headers['content-type'] ?? '', /proto-openapi/);
  assert.match((await call('GET', '/metrics')).text, /^# TYPE \w+ counter$/m);
});

test('serveApi() survives clients that are broken, slow or rude', async (t) => {
  const { call, server, connection } = await startTestServer(t);
  await new Promise<void>((resolve) => {
    const raw = connectTcp(server.port, '127.0.0.1', () => raw.end('no TLS at all\r\n\r\n'));
    raw.on('close', () => resolve());
    raw.on('error', () => {});
    raw.resume();
  });
  await new Promise<void>((resolve) => {
    const tls = connect({ host: '127.0.0.1', port: server.port, ca: connection().ca }, () =>
      tls.write('BROKEN\r\n\r\n'),
    );
    tls.on('close', () => resolve());
    tls.on('error', () => {});
    tls.resume();
  });
  // A body that never ends, left in the middle.
  await new Promise<void>((resolve) => {
    const tls = connect({ ...(connection() as object), port: server.port, host: '127.0.0.1' }, () => {
      tls.write(
        `POST ${here}/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
      );
      tls.destroy();
    });
    tls.on('close', () => resolve());
    tls.on('error', () => {});
  });
  assert.equal((await call('GET', '/healthz')).status, 200);
});

interface Event {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Record<string, string>;
    };
    readonly rows?: readonly { readonly cells: readonly unknown[] }[];
    readonly columnDefinitions?: unknown;
  };
}

const watch = async (server: TestServer, path: string, headers: Record<string, string> = {}) => {
  const lines = await openLines({ ...server.connection(), method: 'GET', path, headers });
  const next = async (): Promise<Event> => (await lines.next()) as Event;
  return { ...lines, next };
};

const nameOf = ({ type, object }: Event): string => `${type} ${object.metadata.name}`;

test('watches deliver changes from a revision, in order, as selected', async (t) => {
  const server = await startTestServer(t);
  const { call, store } = server;
  const from = store.revision();
  const all = await watch(server, `${here}/configmaps?watch=true&resourceVersion=${from}`);
  const red = await watch(
    server,
    `${here}/configmaps?watch=1&resourceVersion=${from}&labelSelector=colour%3Dred`,
  );
  const one = await watch(
    server,
    `${here}/configmaps?watch=1&resourceVersion=${from}&fieldSelector=metadata.name%3Db`,
  );
  t.after(() => {
    for (const each of [all, red, one]) each.close();
  });
  await call('POST', `${here}/configmaps`, { body: configMap('a', {}, { labels: { colour: 'red' } }) });
  await call('POST', `${here}/configmaps`, { body: configMap('b') });
  const label = (name: string, colour: string) =>
    call('PATCH', `${here}/configmaps/${name}`, {
      body: { metadata: { labels: { colour } } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  await label('a', 'blue');
  await label('b', 'red');
  await call('DELETE', `${here}/configmaps/b`);
  const take = async (from: { next(): Promise<Event> }, count: number): Promise<string[]> => {
    const taken: string[] = [];
    for (let i = 0; i < count; i++) taken.push(nameOf(await from.next()));
    return taken;
  };
  assert.deepEqual(await take(all, 5), ['ADDED a', 'ADDED b', 'MODIFIED a', 'MODIFIED b', 'DELETED b']);
  assert.deepEqual(await take(red, 4), ['ADDED a', 'DELETED a', 'ADDED b', 'DELETED b']);
  assert.deepEqual(await take(one, 3), ['ADDED b', 'MODIFIED b', 'DELETED b']);
});

test('watches begin with what is there when asked without a revision, and end in time', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  const lines = await watch(server, `${here}/configmaps?watch=1&timeoutSeconds=1`);
  assert.equal(nameOf(await lines.next()), 'ADDED a');
  assert.equal(await lines.next(), undefined, 'ends after its time');
  const zero = await watch(server, `${here}/configmaps?watch=1&resourceVersion=0&timeoutSeconds=1`);
  assert.equal(nameOf(await zero.next()), 'ADDED a');
  zero.close();
});

test('streaming lists end their first part with an annotated bookmark', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  const lines = await watch(
    server,
    `${here}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  t.after(() => lines.close());
  assert.equal(nameOf(await lines.next()), 'ADDED a');
  const bookmark = await lines.next();
  assert.equal(bookmark.type, 'BOOKMARK');
  assert.equal(bookmark.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  assert.equal(bookmark.object.metadata.resourceVersion, String(server.store.revision()));
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  assert.equal(nameOf(await lines.next()), 'ADDED b');
  const wrong = await server.call('GET', `${here}/configmaps?watch=1&sendInitialEvents=true`);
  assert.ok(wrong.status === 400 || wrong.status === 422, wrong.text);
});

test('watches from a forgotten revision are told so in the stream', async (t) => {
  const server = await startTestServer(t);
  const from = server.store.revision();
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  server.store.compact(server.store.revision());
  const lines = await watch(server, `${here}/configmaps?watch=1&resourceVersion=${from}`);
  const event = await lines.next();
  assert.equal(event.type, 'ERROR');
  assert.equal(event.object.code, 410);
  assert.equal(await lines.next(), undefined);
});

test('watches show Tables, naming their columns once', async (t) => {
  const server = await startTestServer(t);
  const lines = await watch(server, `${here}/configmaps?watch=1&resourceVersion=${server.store.revision()}`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  t.after(() => lines.close());
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  const [first, second] = [await lines.next(), await lines.next()];
  assert.equal(first.object.kind, 'Table');
  assert.equal(first.object.rows?.[0]?.cells[0], 'a');
  assert.ok(Array.isArray(first.object.columnDefinitions));
  assert.equal(second.object.columnDefinitions, null);
});
