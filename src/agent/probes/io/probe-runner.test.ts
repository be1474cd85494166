import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Container } from '../../../api/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { ProbeAction, ProbeOutcome } from '../prober.ts';
import { createProbeRunner } from './probe-runner.ts';

const runner = createProbeRunner({
  execSync: async (_id: string, args: readonly string[]) =>
    args[0] === 'slow'
      ? { exitCode: -1, output: '', timedOut: true }
      : { exitCode: Number(args[1] ?? 0), output: args.join(' '), timedOut: false },
} as unknown as Runtime);
const container: Container = { name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 1 }] };
const ask = (action: ProbeAction, timeoutMs = 30_000, address = '127.0.0.1'): Promise<ProbeOutcome> =>
  runner.run(action, { podUid: 'u', containerId: 'i', address, container }, timeoutMs);

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    (server as { closeAllConnections?: () => void }).closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

test('exec: the exit code decides, and time', async () => {
  assert.deepEqual(await ask({ exec: { command: ['true'] } }), { ok: true, output: 'true' });
  assert.deepEqual(await ask({ exec: { command: ['false', '1'] } }), { ok: false, output: 'false 1' });
  const slow = await ask({ exec: { command: ['slow', '9'] } }, 1000);
  assert.deepEqual(slow, { ok: false, output: 'command timed out: "slow 9" timed out after 1s' });
});

test('HTTP: the status decides; headers are as they are given', async (t) => {
  const heard: string[] = [];
  const answers: RequestListener = (request, response) => {
    heard.push(`${request.headers.host} ${request.headers['user-agent']} ${request.headers['x-own'] ?? ''}`);
    const code = Number(/\/(\d+)/.exec(request.url ?? '')?.[1] ?? 200);
    response.writeHead(code).end('words');
  };
  const port = await listen(t, createServer(answers));
  const get = (path: string, more: object = {}) => ask({ httpGet: { path, port, ...more } });
  assert.deepEqual(await get('/'), { ok: true, output: '' });
  assert.deepEqual(await get('204'), { ok: true, output: '' });
  for (const code of [400, 404, 500, 503])
    assert.deepEqual(await get(`/${code}`), {
      ok: false,
      output: `HTTP probe failed with statuscode: ${code}`,
    });
  await get('/', {
    httpHeaders: [
      { name: 'X-Own', value: 'yes' },
      { name: 'Host', value: 'example.com' },
    ],
  });
  assert.deepEqual(
    [heard[0], heard.at(-1)],
    [`127.0.0.1:${port} kube-probe/1.36 `, 'example.com kube-probe/1.36 yes'],
  );
  assert.match(
    (await ask({ httpGet: { port: 'web' } })).output,
    /^Get "http:\/\/127\.0\.0\.1:1\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  );
  assert.match((await ask({ httpGet: { port: 'none' } })).output, /couldn't find port: "none"/);
});

test('HTTP: redirects on the same host are followed, others are enough', async (t) => {
  let port = 0;
  const answers: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const to = searchParams.get('loc');
    if (pathname === '/loop') response.writeHead(302, { Location: '/loop' }).end();
    else if (to !== null) response.writeHead(302, { Location: to, 'Content-Length': 5 }).end('Found');
    else response.writeHead(pathname === '/bad' ? 500 : 200).end();
  };
  port = await listen(t, createServer(answers));
  const get = (loc: string) => ask({ httpGet: { path: `/redirect?loc=${encodeURIComponent(loc)}`, port } });
  assert.deepEqual(await get('/good'), { ok: true, output: '' });
  assert.deepEqual(await get('bad'), { ok: false, output: 'HTTP probe failed with statuscode: 500' });
  assert.deepEqual(await get(`http://127.0.0.1:${port}/bad`), {
    ok: false,
    output: 'HTTP probe failed with statuscode: 500',
  });
  const warning = 'Probe terminated redirects, Response body: Found';
  assert.deepEqual(await get('http://0.0.0.0/'), { ok: true, output: '', warning });
  assert.deepEqual(await get('ftp://127.0.0.1/'), { ok: true, output: '', warning });
  const loop = await ask({ httpGet: { path: '/loop', port } });
  assert.deepEqual(loop, { ok: false, output: 'Get "/loop": stopped after 10 redirects' });
});

test('HTTP: who says nothing, hangs up or speaks otherwise has failed', async (t) => {
  const mute = await listen(
    t,
    createTcpServer((socket) => t.after(() => socket.destroy())),
  );
  const silent = await ask({ httpGet: { port: mute } }, 100);
  assert.match(
    silent.output,
    /context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
  );
  const rude = await listen(
    t,
    createTcpServer((socket) => socket.end()),
  );
  assert.match((await ask({ httpGet: { port: rude } })).output, /: EOF$/);
  const odd = await listen(
    t,
    createTcpServer((socket) => socket.end('SSH-2.0-x\r\n\r\n')),
  );
  assert.equal((await ask({ httpGet: { port: odd } })).ok, false);
});

test('TCP: to be let in is enough', async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => socket.on('error', () => undefined)),
  );
  assert.deepEqual(await ask({ tcpSocket: { port } }), { ok: true, output: '' });
  assert.match((await ask({ tcpSocket: { port: 1 } })).output, /connection refused/);
});

test('gRPC: the health service decides, for the service that is named', async (t) => {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const service = Buffer.concat(parts).subarray(7).toString();
      const isKnown = headers[':path'] === '/grpc.health.v1.Health/Check' && service !== 'unknown';
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isKnown ? '0' : '5' }));
      const status = service === 'down' ? 2 : 1;
      stream.end(isKnown ? Buffer.from([0, 0, 0, 0, 2, 0x08, status]) : undefined);
    });
  });
  const port = await listen(t, server as unknown as Server);
  assert.deepEqual(await ask({ grpc: { port } }), { ok: true, output: '' });
  assert.equal(
    (await ask({ grpc: { port, service: 'down' } })).output,
    'service unhealthy (responded with status 2)',
  );
  assert.equal(
    (await ask({ grpc: { port, service: 'unknown' } })).output,
    'service unhealthy (responded with code 5)',
  );
  assert.equal((await ask({ grpc: { port: 1 } }, 1000)).ok, false);
});
