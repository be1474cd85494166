import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { here } from './test-objects.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const podsRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };

interface Agent {
  readonly asked: {
    readonly url: string;
    readonly caller: string;
    readonly headers: IncomingMessage['headers'];
  }[];
  readonly port: number;
}

/** An agent that echoes what it is sent after an upgrade, and whose logs are the words it was asked with. */
async function startAgent(t: TestContext, { pki }: TestServer): Promise<Agent> {
  const asked: Agent['asked'] = [];
  const note = (request: IncomingMessage): void => {
    const caller = String((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    asked.push({ url: request.url ?? '', caller, headers: request.headers });
  };
  const server = createServer(
    { ca: pki.ca.cert, ...pki.agent, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      note(request);
      if (request.url?.includes('/refused/')) {
        response.statusCode = 400;
        response.end('container "c" in pod "refused" is waiting to start: ErrImagePull');
        return;
      }
      response.write('first\n');
      response.end('second\n');
    },
  );
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket) => {
    note(request);
    sockets.add(socket);
    if (request.url?.includes('/refused/')) {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\ncontainer not found');
      return;
    }
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello ',
    );
    // Says back what it hears, and a last word when the other side has said "bye".
    socket.on('data', (data: Buffer) => {
      socket.write(data);
      if (data.includes('bye')) socket.end('!'.repeat(300_000));
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { asked, port: (server.address() as AddressInfo).port };
}

async function place(server: TestServer, port: number): Promise<void> {
  const client = server.api.client();
  await client.create(nodesRef, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await client.patch(nodesRef, undefined, 'node-1', 'merge', { status }, { subresource: 'status' });
}

async function addPod(
  server: TestServer,
  name: string,
  nodeName: string | undefined,
  containers: string[],
): Promise<void> {
  await server.api.client().create(podsRef, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      containers: containers.map((container) => ({ name: container, image: 'i' })),
    },
  } as never);
}

function upgrade(
  server: TestServer,
  path: string,
): Promise<{ status: number; socket?: Duplex; head: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      ...server.connection(),
      path,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        authorization: 'Bearer not-for-the-agent',
        'sec-websocket-protocol': 'v5.channel.k8s.io',
      },
    });
    request.on('upgrade', (answer, socket, head) =>
      resolve({ status: answer.statusCode ?? 0, socket, head: head.toString() }),
    );
    request.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, head: text }));
    });
    request.on('error', reject);
    request.end();
  });
}

test('logs come from the agent of the pod, as a stream', async (t) => {
  const server = await startTestServer(t);
  const agent = await startAgent(t, server);
  await place(server, agent.port);
  await addPod(server, 'web', 'node-1', ['c']);
  await addPod(server, 'two', 'node-1', ['a', 'b']);
  await addPod(server, 'refused', 'node-1', ['c']);
  await addPod(server, 'waiting', undefined, ['c']);
  const log = await server.call('GET', `${here}/pods/web/log?tailLines=5&timestamps=true&pretty=1`);
  assert.equal(log.status, 200);
  assert.equal(log.text, 'first\nsecond\n');
  assert.equal(agent.asked[0]?.caller, 'caelum-apiserver');
  assert.equal(agent.asked[0]?.url, '/containerLogs/default/web/c?tailLines=5&timestamps=true');
  const refusals: readonly [string, number, RegExp][] = [
    ['two/log', 400, /^a container name must be specified for pod two, choose one of: \[a b\]$/],
    ['two/log?container=x', 400, /^container x is not valid for pod two$/],
    ['waiting/log', 400, /^pod waiting does not have a host assigned$/],
    ['refused/log', 400, /^container "c" in pod "refused" is waiting to start: ErrImagePull$/],
    ['none/log', 404, /^pods "none" not found$/],
  ];
  for (const [path, status, message] of refusals) {
    const answer = await server.call('GET', `${here}/pods/${path}`);
    assert.equal(answer.status, status, path);
    assert.match(answer.body.message, message);
  }
});

test('exec goes through to the agent byte for byte, to the last one', async (t) => {
  const server = await startTestServer(t);
  const agent = await startAgent(t, server);
  await place(server, agent.port);
  await addPod(server, 'web', 'node-1', ['c']);
  const { status, socket, head } = await upgrade(
    server,
    `${here}/pods/web/exec?command=sh&command=-c&stdin=true&tty=true`,
  );
  assert.equal(status, 101);
  assert.ok(socket !== undefined);
  assert.equal(agent.asked[0]?.url, '/exec/default/web/c?command=sh&command=-c&stdin=true&tty=true');
  assert.equal(agent.asked[0]?.headers['sec-websocket-protocol'], 'v5.channel.k8s.io');
  assert.equal(agent.asked[0]?.headers.authorization, undefined, 'credentials stay here');
  let heard = head;
  socket.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  socket.write('one ');
  socket.write('bye');
  await once(socket, 'end');
  assert.equal(heard, `hello one bye${'!'.repeat(300_000)}`);
  socket.destroy();
});

test('streams that cannot be opened are refused with a Status', async (t) => {
  const server = await startTestServer(t);
  const agent = await startAgent(t, server);
  await place(server, agent.port);
  await addPod(server, 'refused', 'node-1', ['c']);
  await addPod(server, 'lost', 'gone', ['c']);
  const cases: readonly [string, number, RegExp][] = [
    ['refused/exec?command=x&stdout=1', 404, /container not found/],
    ['none/exec?command=x', 404, /pods "none" not found/],
    ['lost/attach', 404, /nodes "gone" not found/],
    ['refused/unicorn', 404, /the server could not find the requested resource/],
  ];
  for (const [path, status, message] of cases) {
    const answer = await upgrade(server, `${here}/pods/${path}`);
    assert.equal(answer.status, status, path);
    assert.match((JSON.parse(answer.head) as { message: string }).message, message);
  }
  const plain = await server.call('GET', `${here}/pods/refused/exec?command=x`);
  assert.equal(plain.status, 400);
  assert.match(plain.body.message, /[Uu]pgrade request required/);
});

test('an agent that is not there is told as such', async (t) => {
  const server = await startTestServer(t);
  await place(server, 1);
  await addPod(server, 'web', 'node-1', ['c']);
  const log = await server.call('GET', `${here}/pods/web/log`);
  assert.equal(log.status, 503);
  assert.match(log.body.message, /Cannot reach the agent of node "node-1" at 127\.0\.0\.1:1/);
  const exec = await upgrade(server, `${here}/pods/web/exec?command=x&stdout=1`);
  assert.equal(exec.status, 503);
});
