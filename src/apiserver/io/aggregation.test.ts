/** Servers that extend the API: found, watched over, asked in the name of whoever asks; their discovery beside ours. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clientBinary } from '../../../tools/kubectl.ts';
import type { APIService } from '../../api/index.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

const kubectl = clientBinary('kubectl');
const service = { metadata: { name: 'extension', namespace: 'default' } };
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices';
const here = '/apis/stars.example.com/v1';

interface Extension {
  readonly port: number;
  /** What it was asked: method, path, who. */
  readonly asked: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** Answers instead of what it would. */
  handler: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

const resources = [
  {
    name: 'stars',
    singularName: 'star',
    namespaced: true,
    kind: 'Star',
    verbs: ['get', 'list', 'watch', 'create'],
    shortNames: ['st'],
  },
  { name: 'stars/status', singularName: '', namespaced: true, kind: 'Star', verbs: ['get'] },
];

async function startExtension(t: TestContext, { pki }: TestServer): Promise<Extension> {
  const extension: { -readonly [K in keyof Extension]: Extension[K] } = {
    port: 0,
    asked: [],
    handler: undefined,
  };
  const server = createServer(
    {
      cert: pki.apiserver.cert,
      key: pki.apiserver.key,
      ca: pki.frontProxyCa.cert,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const { method = '', url = '', headers } = request;
      if (headers['x-remote-user'] !== 'system:kube-aggregator')
        extension.asked.push({ method, url, headers });
      if (extension.handler?.(request, response) === true) return;
      const json = (value: object): void => {
        response.writeHead(200, { 'content-type': 'application/json', 'x-of-the-extension': 'yes' });
        response.end(JSON.stringify(value));
      };
      if (url === here)
        json({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'stars.example.com/v1', resources });
      else if (url === '/openapi/v3')
        json({ paths: { 'apis/stars.example.com/v1': { serverRelativeURL: `/openapi/v3${here}?hash=1` } } });
      else if (url.startsWith(`/openapi/v3${here}`)) json({ openapi: '3.0.0', paths: { [here]: {} } });
      else if (url.includes('watch=true')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"type":"ADDED","object":{"kind":"Star"}}\n');
      } else if (request.method === 'POST') {
        let text = '';
        request.on('data', (part) => {
          text += part;
        });
        request.on('end', () => json({ received: JSON.parse(text) }));
      } else json({ kind: 'StarList', apiVersion: 'stars.example.com/v1', metadata: {}, items: [] });
    },
  );
  server.on('upgrade', (request, socket: Socket) => {
    extension.asked.push({ method: 'UPGRADE', url: request.url ?? '', headers: request.headers });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
    socket.on('error', () => {});
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  extension.port = (server.address() as AddressInfo).port;
  return extension;
}

async function start(t: TestContext, more: object = {}): Promise<TestServer & { extension: Extension }> {
  const { pki } = await startTestServer(t);
  const server = await startTestServer(t, { proxyClient: pki.frontProxyClient, ...more });
  return { ...server, extension: await startExtension(t, server) };
}

const spec = (port: number, more: object = {}): object => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.stars.example.com' },
  spec: {
    group: 'stars.example.com',
    version: 'v1',
    groupPriorityMinimum: 2000,
    versionPriority: 10,
    insecureSkipTLSVerify: true,
    service: { ...service.metadata, port },
    ...more,
  },
});

const external = {
  apiVersion: 'v1',
  kind: 'Service',
  ...service,
  spec: { type: 'ExternalName', externalName: 'localhost' },
};

async function available(
  { call }: TestServer,
  reason: string,
  name = 'v1.stars.example.com',
): Promise<APIService> {
  for (let tries = 0; tries < 2400; tries++) {
    const { body } = await call('GET', `${apiServices}/${name}`);
    const condition = (body as APIService).status?.conditions?.find(({ type }) => type === 'Available');
    if (condition?.reason === reason) return body;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(
    `${name} never said ${reason}: ${JSON.stringify((await call('GET', `${apiServices}/${name}`)).body.status)}`,
  );
}

// conformance, partly (an extension server of our own, not the sample of 1.17): [sig-api-machinery] Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator [LinuxOnly]
test('serveApi() sends what another server serves to it, in the name of whoever asks', async (t) => {
  const { call, extension, ...server } = await start(t);
  const at = { call, extension, ...server };
  assert.equal((await call('POST', apiServices, { body: spec(extension.port) })).status, 201);
  const missing = await available(at, 'ServiceNotFound');
  assert.equal(missing.status?.conditions?.[0]?.message, 'service/extension in "default" is not present');
  const refused = await call('GET', `${here}/stars`);
  assert.equal(refused.status, 503);
  assert.equal(refused.body.reason, 'ServiceUnavailable');
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  await available(at, 'Passed');
  const list = await call('GET', `${here}/namespaces/default/stars?limit=5`, {
    headers: {
      'Impersonate-User': 'ann',
      'Impersonate-Group': 'system:masters',
      'Impersonate-Extra-Scopes%2FX': 'read',
      'X-Remote-User': 'nobody-believes-this',
      'X-Remote-Group': 'nor-this',
      Cookie: 'stays=1',
    },
  });
  assert.equal(list.status, 200, list.text);
  assert.equal(list.body.kind, 'StarList');
  assert.equal(list.headers['x-of-the-extension'], 'yes');
  const { url, headers } = extension.asked.at(-1) ?? assert.fail('it was not asked');
  assert.equal(url, `${here}/namespaces/default/stars?limit=5`);
  assert.equal(headers['x-remote-user'], 'ann');
  assert.equal(headers['x-remote-group'], 'system:masters, system:authenticated');
  assert.equal(headers['x-remote-extra-scopes%2fx'], 'read');
  assert.equal(headers['impersonate-user'], undefined);
  assert.equal(headers['audit-id'], list.headers['audit-id']);
  assert.equal(headers['authorization'], undefined);
  assert.equal(headers.cookie, 'stays=1');
  assert.equal(headers.host, `extension.default.svc:${extension.port}`);
  const made = await call('POST', `${here}/namespaces/default/stars`, { body: { kind: 'Star', n: 1 } });
  assert.deepEqual(made.body.received, { kind: 'Star', n: 1 });
  // Another priority, or another way to know it, is no interruption.
  const patch = (changes: object) =>
    call('PATCH', `${apiServices}/v1.stars.example.com`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: changes },
    });
  const caBundle = Buffer.from(server.pki.ca.cert).toString('base64');
  for (const changes of [{ versionPriority: 400 }, { versionPriority: 300, caBundle: null }]) {
    assert.equal((await patch(changes)).status, 200);
    assert.equal((await call('GET', `${here}/stars`)).status, 200);
  }
  // Its certificate is for other names than its Service's: known by its authority alone it is not it.
  assert.equal((await patch({ insecureSkipTLSVerify: false, caBundle })).status, 200);
  await available(at, 'FailedDiscoveryCheck');
  assert.equal((await patch({ insecureSkipTLSVerify: true, caBundle: null })).status, 200);
  await available(at, 'Passed');
  const unknown = await call('GET', `${here}/stars`, { as: 'node' });
  assert.equal(unknown.status, 403);
});

test('discovery and OpenAPI show what other servers serve, also while they are away', async (t) => {
  const { call, extension, ...server } = await start(t);
  const at = { call, extension, ...server };
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  await call('POST', apiServices, { body: spec(extension.port) });
  await available(at, 'Passed');
  const v2 = { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } };
  const group = async () =>
    (await call('GET', '/apis', v2)).body.items.find(
      (one: { metadata: { name?: string } }) => one.metadata.name === 'stars.example.com',
    );
  const found = await group();
  assert.equal(found.versions[0].freshness, 'Current');
  assert.deepEqual(found.versions[0].resources[0], {
    resource: 'stars',
    responseKind: { group: 'stars.example.com', version: 'v1', kind: 'Star' },
    scope: 'Namespaced',
    singularResource: 'star',
    verbs: ['get', 'list', 'watch', 'create'],
    shortNames: ['st'],
    subresources: [
      {
        subresource: 'status',
        responseKind: { group: 'stars.example.com', version: 'v1', kind: 'Star' },
        verbs: ['get'],
      },
    ],
  });
  const plain = await call('GET', '/apis');
  assert.ok(plain.body.groups.some((one: { name: string }) => one.name === 'stars.example.com'));
  const alone = await call('GET', '/apis/stars.example.com');
  assert.equal(alone.body.preferredVersion.groupVersion, 'stars.example.com/v1');
  assert.deepEqual((await call('GET', here)).body.resources, resources);
  const index = await call('GET', '/openapi/v3');
  assert.equal(index.body.paths['apis/stars.example.com/v1'].serverRelativeURL, `/openapi/v3${here}?hash=1`);
  assert.deepEqual((await call('GET', `/openapi/v3${here}?hash=1`)).body.paths, { [here]: {} });
  // It goes away: what it served is still told, and marked.
  extension.handler = (_request, response) => {
    response.writeHead(500).end('broken');
    return true;
  };
  await call('PATCH', '/api/v1/namespaces/default/services/extension', {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { labels: { touched: 'yes' } } },
  });
  const failed = await available(at, 'FailedDiscoveryCheck');
  assert.match(
    failed.status?.conditions?.[0]?.message ?? '',
    /^failing or missing response from https:\/\/extension/,
  );
  const stale = await group();
  assert.equal(stale.versions[0].freshness, 'Stale');
  assert.equal(stale.versions[0].resources.length, 1);
  await call('DELETE', `${apiServices}/v1.stars.example.com`);
  assert.equal(await group(), undefined);
  assert.equal((await call('GET', `${here}/stars`)).status, 404);
});

test('watches and upgrades go through to the other server', async (t) => {
  const { call, extension, connection, ...server } = await start(t);
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  await call('POST', apiServices, { body: spec(extension.port) });
  await available({ call, connection, ...server }, 'Passed');
  const watch = await openLines({ ...connection(), path: `${here}/stars?watch=true` });
  assert.deepEqual(await watch.next(), { type: 'ADDED', object: { kind: 'Star' } });
  watch.close();
  const echoed = await new Promise<string>((resolve, reject) => {
    const request = httpsRequest({
      ...connection(),
      agent: false,
      path: `${here}/namespaces/default/stars/a/console`,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
    });
    request.on('upgrade', (_answer, socket) => {
      socket.write('hello');
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
    });
    request.on('response', (answer) => reject(new Error(`answered ${answer.statusCode}`)));
    request.on('error', reject);
    request.end();
  });
  assert.equal(echoed, 'hello');
  assert.equal(extension.asked.at(-1)?.headers['x-remote-user'], 'kubernetes-admin');
  // Its paths may be longer than a resource's: who may ask is decided by the resource all the same.
  const deep = `${here}/namespaces/default/stars/a/portforward/22/tcp`;
  assert.equal((await call('GET', deep)).status, 200);
  assert.equal(extension.asked.at(-1)?.url, deep);
  const stranger = await call('GET', deep, { headers: { 'Impersonate-User': 'ann' } });
  assert.match(
    stranger.body.message,
    /User "ann" cannot get resource "stars\/portforward" in API group "stars\.example\.com"/,
  );
});

test('the slowness of another server is bounded', async (t) => {
  const { call, extension, ...server } = await start(t, { extensionAnswerMsMax: 300 });
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  await call('POST', apiServices, { body: spec(extension.port) });
  await available({ call, ...server }, 'Passed');
  extension.handler = () => true;
  const slow = await call('GET', `${here}/stars`);
  assert.equal(slow.status, 503);
  assert.equal(slow.body.message, 'error trying to reach service: no answer in time');
});

test('a server with another certificate than its authority signed is not asked', async (t) => {
  const { call, extension, pki, ...server } = await start(t);
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  const caBundle = Buffer.from(pki.frontProxyCa.cert).toString('base64');
  await call('POST', apiServices, { body: spec(extension.port, { insecureSkipTLSVerify: false, caBundle }) });
  await available({ call, extension, pki, ...server } as TestServer, 'FailedDiscoveryCheck');
  assert.equal(extension.asked.length, 0);
  assert.equal((await call('GET', `${here}/stars`)).status, 503);
});

test('what this server serves itself has APIServices, and they come back', async (t) => {
  const { call, ...server } = await start(t);
  const at = { call, ...server } as TestServer;
  const found = await available(at, 'Local', 'v1.apps');
  assert.equal(found.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'], 'onstart');
  assert.equal(found.spec?.groupPriorityMinimum, 17_800);
  await available(at, 'Local', 'v1.');
  await call('DELETE', `${apiServices}/v1.apps`);
  const again = await available(at, 'Local', 'v1.apps');
  assert.notEqual(again.metadata.uid, found.metadata.uid);
});

test('kubectl finds and reads what other servers serve', {
  skip: kubectl === undefined ? 'kubectl is not here' : false,
}, async (t) => {
  const { call, extension, ...server } = await start(t);
  await call('POST', '/api/v1/namespaces/default/services', { body: external });
  await call('POST', apiServices, { body: spec(extension.port) });
  await available({ call, ...server }, 'Passed');
  extension.handler = (request, response) => {
    if (!request.url?.startsWith(`${here}/namespaces/default/stars`)) return false;
    const items = [
      {
        kind: 'Star',
        apiVersion: 'stars.example.com/v1',
        metadata: { name: 'sirius', namespace: 'default' },
      },
    ];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ kind: 'StarList', apiVersion: 'stars.example.com/v1', metadata: {}, items }),
    );
    return true;
  };
  const folder = mkdtempSync(join(tmpdir(), 'caelum-aggregation-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'config'), kubeconfigText(server.server.url, server.pki));
  const run = (...words: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, KUBECONFIG: join(folder, 'config'), HOME: folder };
      execFile(kubectl ?? '', words, { env, timeout: 120_000 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${words.join(' ')}: ${stderr}`)),
      );
    });
  assert.match(await run('api-resources'), /^stars\s+st\s+stars\.example\.com\/v1\s+true\s+Star/m);
  assert.match(await run('get', 'st'), /^sirius/m);
  assert.match(await run('get', 'apiservice', 'v1.stars.example.com'), /default\/extension\s+True/);
});
