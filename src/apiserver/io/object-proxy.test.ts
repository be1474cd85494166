import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { splitProxyName } from '../proxy-target.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** An address of this machine that is not its own affair alone: loopback is refused. */
const here = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
const skip = here === undefined && 'this machine has no address but loopback';

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, here);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Says what it was asked. */
const echo: RequestListener = (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    if (pathname === '/moved') response.writeHead(302, { Location: '/there?a=1' }).end();
    else if (pathname === '/page' || pathname === '/packed') {
      const html = '<a href="/a">á</a><script>"<a href=/no>"</script>';
      const isPacked = pathname === '/packed';
      const body = isPacked ? gzipSync(html) : Buffer.from(html);
      response
        .writeHead(200, {
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Length': body.length,
          'Access-Control-Allow-Origin': '*',
          ...(isPacked && { 'Content-Encoding': 'gzip' }),
        })
        .end(body);
    } else if (pathname === '/elsewhere') response.writeHead(302, { Location: 'http://example.com/' }).end();
    else
      response
        .writeHead(pathname === '/teapot' ? 418 : 200, { 'Content-Type': 'application/json', 'X-Own': 'yes' })
        .end(
          JSON.stringify({
            method: request.method,
            url: request.url,
            body: Buffer.concat(parts).toString(),
            headers: request.headers,
          }),
        );
  });
};

async function withWorkload(t: TestContext): Promise<TestServer & { readonly port: number }> {
  const server = await startTestServer(t);
  const http = createServer(echo);
  http.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
    t.after(() => socket.destroy());
  });
  const port = await listening(t, http);
  const base = '/api/v1/namespaces/default';
  const container = { name: 'c', image: 'i', ports: [{ containerPort: port }] };
  for (const [name, podIP] of [
    ['web', here],
    ['loop', '127.0.0.1'],
    ['waiting', ''],
  ] as const) {
    const pod = { metadata: { name }, spec: { containers: [container] } };
    assert.equal((await server.call('POST', `${base}/pods`, { body: pod })).status, 201);
    const status = { status: podIP === '' ? {} : { podIP, podIPs: [{ ip: podIP }] } };
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    await server.call('PATCH', `${base}/pods/${name}/status`, { body: status, headers });
  }
  const service = { metadata: { name: 'front' }, spec: { ports: [{ name: 'web', port: 80 }] } };
  assert.equal((await server.call('POST', `${base}/services`, { body: service })).status, 201);
  const slice = {
    metadata: { name: 'front-1', labels: { 'kubernetes.io/service-name': 'front' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [here], conditions: { ready: true } }],
    ports: [{ name: 'web', port, protocol: 'TCP' }],
  };
  const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  assert.equal((await server.call('POST', slices, { body: slice })).status, 201);
  return { ...server, port };
}

test('proxy carries requests to pods and services as they are, and answers back', { skip }, async (t) => {
  const { call, port } = await withWorkload(t);
  const base = '/api/v1/namespaces/default';
  for (const target of [
    `pods/web`,
    `pods/web:${port}`,
    `pods/http:web:${port}`,
    'services/front:web',
    'services/front:80',
    'services/http:front:web',
  ])
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, body, headers } = await call(
        method,
        `${base}/${target}/proxy/a%20b/proxy/c?x=1&watch=1`,
        {
          headers: { Authorization: 'Bearer secret', 'X-Remote-User': 'root', 'X-Mine': 'kept' },
          ...(method === 'GET' || method === 'OPTIONS' ? {} : { body: 'some text' }),
        },
      );
      assert.equal(status, 200, `${method} ${target}: ${JSON.stringify(body)}`);
      assert.equal(headers['x-own'], 'yes');
      assert.equal(body.method, method);
      assert.equal(body.url, '/a%20b/proxy/c?x=1&watch=1');
      assert.equal(body.body, method === 'GET' || method === 'OPTIONS' ? '' : 'some text');
      assert.equal(body.headers['x-mine'], 'kept');
      assert.equal(body.headers.authorization, undefined, 'credentials stay here');
      assert.equal(body.headers['x-remote-user'], undefined);
      assert.equal(body.headers['x-forwarded-proto'], 'https');
    }
});

test('proxy tells places behind it, and asks for a slash where there is no path', { skip }, async (t) => {
  const { call } = await withWorkload(t);
  const base = '/api/v1/namespaces/default/services/front:web/proxy';
  const moved = await call('GET', `${base}/moved`);
  assert.deepEqual([moved.status, moved.headers.location], [302, `${base}/there?a=1`]);
  assert.equal((await call('GET', `${base}/elsewhere`)).headers.location, 'http://example.com/');
  assert.equal((await call('GET', `${base}/teapot`)).status, 418);
  const bare = await call('GET', `${base}?a=1`);
  assert.deepEqual([bare.status, bare.headers.location], [301, `${base}/?a=1`]);
  assert.equal((await call('POST', base, { body: 'x' })).body.url, '/');
});

test('proxy leads the links of a page back through itself, packed or not', { skip }, async (t) => {
  const { connection } = await withWorkload(t);
  const base = '/api/v1/namespaces/default/services/front:web/proxy';
  const fetched = (path: string, method = 'GET') =>
    new Promise<{ headers: IncomingMessage['headers']; body: Buffer }>((resolve, reject) => {
      const request = httpsRequest({ ...connection(), path, method }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
      });
      request.on('error', reject);
      request.end();
    });
  const html = `<a href="${base}/a">á</a><script>"<a href=/no>"</script>`;
  const plain = await fetched(`${base}/page`);
  assert.equal(plain.body.toString(), html);
  assert.equal(plain.headers['access-control-allow-origin'], undefined);
  const packed = await fetched(`${base}/packed`);
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(packed.body).toString(), html);
  assert.equal((await fetched(`${base}/packed`, 'HEAD')).body.length, 0);
});

test('proxy refuses what it may not or cannot reach, with a Status', { skip }, async (t) => {
  const { call } = await withWorkload(t);
  const base = '/api/v1/namespaces/default';
  const table: readonly (readonly [path: string, status: number, message: RegExp])[] = [
    ['pods/loop/proxy/', 400, /address not allowed/],
    ['pods/waiting/proxy/', 400, /address not allowed/],
    ['pods/nobody/proxy/', 404, /pods "nobody" not found/],
    ['pods/web:0/proxy/', 400, /invalid port "0"/],
    ['pods/ftp:web:1/proxy/', 400, /invalid pod request "ftp:web:1"/],
    ['pods/web:1/proxy/', 503, /error trying to reach service: .*ECONNREFUSED/],
    ['services/front/proxy/', 503, /no endpoints available for service "front"/],
    ['services/front:81/proxy/', 503, /no service port 81 found for service "front"/],
    ['services/nobody/proxy/', 404, /services "nobody" not found/],
  ];
  for (const [path, status, message] of table) {
    const answer = await call('GET', `${base}/${path}`);
    assert.equal(answer.status, status, path);
    assert.equal(answer.body.kind, 'Status');
    assert.match(answer.body.message, message);
  }
  const denied = await call('GET', `${base}/services/front:web/proxy/`, { as: 'nobody' });
  assert.equal(denied.status, 403);
  assert.match(denied.body.message, /cannot get resource "services\/proxy" in API group ""/);
});

test('proxy speaks TLS where it is asked to, and upgrades', { skip }, async (t) => {
  const { call, pki, connection, server } = await withWorkload(t);
  const secure = await listening(t, createSecureServer({ ...pki.agent }, echo));
  const base = '/api/v1/namespaces/default';
  assert.equal((await call('GET', `${base}/pods/https:web:${secure}/proxy/x`)).body.url, '/x');
  const request = httpsRequest({
    ...connection(),
    host: '127.0.0.1',
    port: server.port,
    path: `${base}/services/front:web/proxy/socket`,
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  });
  request.end();
  const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex];
  socket.write('hello');
  const [data] = (await once(socket, 'data')) as [Buffer];
  assert.equal(data.toString(), 'hello');
  socket.destroy();
});

test('proxy of a node reaches its agent with our certificate', { skip }, async (t) => {
  const { call, pki } = await withWorkload(t);
  const agent = createSecureServer(
    { ca: pki.ca.cert, ...pki.agent, requestCert: true, rejectUnauthorized: true },
    echo,
  );
  const port = await listening(t, agent);
  await call('POST', '/api/v1/nodes', { body: { metadata: { name: 'n' } } });
  const status = {
    addresses: [{ type: 'InternalIP', address: here }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  await call('PATCH', '/api/v1/nodes/n/status', { body: { status }, headers });
  for (const name of ['n', `n:${port}`, `https:n:${port}`])
    assert.equal((await call('GET', `/api/v1/nodes/${name}/proxy/healthz`)).body.url, '/healthz', name);
  assert.equal((await call('GET', '/api/v1/nodes/other/proxy/healthz')).status, 404);
});

test('splitProxyName() takes names apart', () => {
  const table: readonly (readonly [string, ReturnType<typeof splitProxyName>])[] = [
    ['a', { scheme: '', name: 'a', port: '' }],
    ['a:80', { scheme: '', name: 'a', port: '80' }],
    ['a:web', { scheme: '', name: 'a', port: 'web' }],
    ['https:a:', { scheme: 'https', name: 'a', port: '' }],
    ['http:a:80', { scheme: 'http', name: 'a', port: '80' }],
    [':a:80', { scheme: '', name: 'a', port: '80' }],
    ['ftp:a:80', undefined],
    ['a:b:c:d', undefined],
    [':80', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of table) assert.deepEqual(splitProxyName(text), expected, text);
});
