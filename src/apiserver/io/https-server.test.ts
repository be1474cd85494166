import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { encodeProtobuf } from '../../api/index.ts';
import { serveApi } from '../index.ts';
import { configMap, deployment, here, pod } from './test-objects.ts';
import { startTestServer } from './test-server.ts';

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

test('serveApi() indents what people read', async (t) => {
  const { call } = await startTestServer(t);
  await call('POST', `${here}/configmaps`, { body: configMap('read') });
  const paths = ['configmaps/read', 'configmaps', 'configmaps/none'].map((path) => `${here}/${path}`);
  for (const path of [...paths, '/version', '/api/v1', '/apis', '/'])
    for (const [agent, expected] of [
      ['curl/8.5.0', /^\{\n {2}"/],
      ['kubectl/v1.36.3', /^\{"/],
    ] as const)
      assert.match((await call('GET', path, { headers: { 'user-agent': agent } })).text, expected, path);
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
    const answer = await call('POST', `${here}/configmaps`, { body: large, headers });
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
  const unlimited = await call('GET', `${here}/configmaps?limit=-1`);
  assert.equal(unlimited.body.metadata.continue, undefined);
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
  const atOnce = await call('DELETE', `${here}/pods/p?dryRun=All`, { body: { gracePeriodSeconds: -5 } });
  assert.equal(atOnce.body.metadata.deletionGracePeriodSeconds, 1, 'a negative period is a second');
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
  const node = await call('GET', '/api/v1/services', { as: 'node' });
  assert.equal(node.status, 200);
  const stranger = await call('DELETE', '/api/v1/nodes/other', { as: 'node' });
  assert.equal(stranger.status, 403);
  assert.equal(
    stranger.body.message,
    'nodes "other" is forbidden: User "system:node:node-1" cannot delete resource "nodes" in API group "" at the cluster scope: a node may change only its own node',
  );
});

test('serveApi() lets administrators speak as somebody else, and nobody but them', async (t) => {
  const { call } = await startTestServer(t);
  const headers = { 'impersonate-user': 'eva', 'impersonate-group': 'readers' };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const whoami = await call('POST', path, { headers, body });
  assert.deepEqual(whoami.body.status.userInfo, {
    username: 'eva',
    groups: ['readers', 'system:authenticated'],
  });
  assert.equal((await call('GET', `${here}/services/kubernetes`, { headers })).status, 403);
  const refused = await call('GET', '/api/v1/nodes', { headers, as: 'node' });
  assert.equal(refused.status, 403);
  assert.equal(
    refused.body.message,
    'users "eva" is forbidden: User "system:node:node-1" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const several = { ...headers, 'impersonate-group': ['writers', 'readers', ',,,odd, too'] };
  const inGroups = await call('POST', path, { headers: several, body });
  assert.deepEqual(inGroups.body.status.userInfo.groups, [
    'writers',
    'readers',
    ',,,odd, too',
    'system:authenticated',
  ]);
  const nameless = await call('GET', '/api', { headers: { 'impersonate-group': 'system:masters' } });
  assert.equal(nameless.status, 400);
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

test('serveApi() knows a certificate again when a TLS session is resumed', async (t) => {
  const { connection, server } = await startTestServer(t);
  const { ca, cert, key } = connection('node');
  const options = { ca, cert, key, host: '127.0.0.1', port: server.port };
  const session = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect(options);
    socket.once('session', (ticket) => {
      resolve(ticket);
      socket.destroy();
    });
    socket.once('error', reject);
  });
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect({ ...options, session }, () => {
      assert.ok(socket.isSessionReused(), 'the session is resumed');
      socket.write('GET /api/v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      answer += part;
    });
    socket.on('close', () => resolve(answer));
    socket.once('error', reject);
  });
  assert.match(text, /^HTTP\/1\.1 200 /);
});

test('serveApi() says that a port is taken', async (t) => {
  const { server, api, pki } = await startTestServer(t);
  await assert.rejects(
    serveApi({
      api,
      host: '127.0.0.1',
      port: server.port,
      tls: { ca: pki.ca.cert, cert: pki.apiserver.cert, key: pki.apiserver.key },
    }),
    { code: 'EADDRINUSE' },
  );
});
