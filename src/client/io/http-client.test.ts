import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { type CaelumError, type ErrorCode, isError } from '../../lib/index.ts';
import type { ResourceRef, WatchEvent } from '../client.ts';
import { createHttpClient, type HttpClientOptions } from './http-client.ts';

const pods: ResourceRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const deployments: ResourceRef = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };
const nodes: ResourceRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server that answers as told, and a client of it. */
async function withServer(
  answer: Answer,
  body: (client: ReturnType<typeof createHttpClient>, server: http.Server, seen: string[]) => Promise<void>,
  options: Partial<HttpClientOptions> = {},
): Promise<void> {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url}`);
      answer(request, response, Buffer.concat(chunks).toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient({ server: `http://127.0.0.1:${port}`, ...options });
  try {
    await body(client, server, seen);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
}

const json = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const object = (name: string, resourceVersion = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', resourceVersion },
});

/** Gathers a watch until it ends. */
function gather(): {
  events: WatchEvent<KubeObject>[];
  ended: Promise<Error | undefined>;
  onEvent: (event: WatchEvent<KubeObject>) => void;
  onEnd: (error: Error | undefined) => void;
} {
  const events: WatchEvent<KubeObject>[] = [];
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  return { events, ended: promise, onEvent: (event) => void events.push(event), onEnd: resolve };
}

test('requests go to the paths that Kubernetes has', async () => {
  const sent: string[] = [];
  await withServer(
    (request, response, body) => {
      sent.push(`${request.headers['content-type'] ?? ''} ${body}`);
      json(response, object('x'));
    },
    async (client, _server, seen) => {
      const deployment = { metadata: { name: 'web', namespace: 'a' } };
      await client.get(pods, 'a', 'x', { resourceVersion: '7' });
      await client.get(nodes, undefined, 'n/1');
      await client.list(deployments, { labelSelector: 'a in (b,c)', limit: 5, continue: 'q==' });
      await client.create(deployments, deployment, { dryRun: true });
      await client.createSubresource(pods, 'a', 'x', 'binding', { metadata: {} });
      await client.update(deployments, deployment, { subresource: 'status' });
      await client.patch(deployments, 'a', 'web', 'strategic', { spec: 1 }, { fieldManager: 'me' });
      await client.patch(deployments, 'a', 'web', 'apply', {});
      await client.delete(pods, 'a', 'x', { gracePeriodSeconds: 0, dryRun: true });
      assert.deepEqual(seen, [
        'GET /api/v1/namespaces/a/pods/x?resourceVersion=7',
        'GET /api/v1/nodes/n%2F1',
        'GET /apis/apps/v1/deployments?labelSelector=a%20in%20(b%2Cc)&limit=5&continue=q%3D%3D',
        'POST /apis/apps/v1/namespaces/a/deployments?dryRun=All',
        'POST /api/v1/namespaces/a/pods/x/binding',
        'PUT /apis/apps/v1/namespaces/a/deployments/web/status',
        'PATCH /apis/apps/v1/namespaces/a/deployments/web?fieldManager=me',
        'PATCH /apis/apps/v1/namespaces/a/deployments/web?fieldManager=caelum&force=true',
        'DELETE /api/v1/namespaces/a/pods/x',
      ]);
      assert.equal(sent[6], 'application/strategic-merge-patch+json {"spec":1}');
      const options = '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"dryRun":["All"]}';
      assert.equal(sent[8], `application/json ${options}`);
    },
  );
});

test('list() reads pages and names the kind of items', async () => {
  const items = [{ metadata: { name: 'x' } }];
  await withServer(
    (_, response) =>
      json(response, {
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '9', continue: 'c' },
        items,
      }),
    async (client) => {
      const list = await client.list(pods);
      assert.deepEqual(list, {
        resourceVersion: '9',
        continue: 'c',
        items: [{ metadata: { name: 'x' }, kind: 'Pod', apiVersion: 'v1' }],
      });
    },
  );
});

test('errors come back with their codes, messages and details', async () => {
  const details = {
    name: 'x',
    kind: 'pods',
    causes: [{ reason: 'FieldValueRequired', message: 'm', field: 'f' }],
  };
  const status = (code: number, reason: string) => ({
    kind: 'Status',
    code,
    reason,
    message: reason,
    details,
  });
  const table: [number, unknown, ErrorCode][] = [
    [404, status(404, 'NotFound'), 'notFound'],
    [409, status(409, 'AlreadyExists'), 'alreadyExists'],
    [409, status(409, 'Conflict'), 'conflict'],
    [410, status(410, 'Expired'), 'expired'],
    [422, status(422, 'Invalid'), 'invalid'],
    [507, status(507, 'InsufficientStorage'), 'storageFull'],
    [502, 'Bad Gateway', 'unavailable'],
    [418, '', 'badRequest'],
  ];
  let next = 0;
  await withServer(
    (_, response) => {
      const [code, body] = table[next++] as [number, unknown, ErrorCode];
      if (typeof body === 'string') response.writeHead(code).end(body);
      else json(response, body, code);
    },
    async (client) => {
      for (const [, body, code] of table) {
        await assert.rejects(client.get(pods, 'a', 'x'), (error: CaelumError) => {
          assert.equal(error.code, code);
          if (typeof body === 'object') assert.deepEqual(error.details, details);
          return true;
        });
      }
    },
  );
});

test('few sockets are opened, and kept', async () => {
  const sockets = new Set<unknown>();
  await withServer(
    (request, response) => {
      sockets.add(request.socket);
      setImmediate(() => json(response, object('x')));
    },
    async (client) => {
      for (let round = 0; round < 3; round++)
        await Promise.all(Array.from({ length: 20 }, () => client.get(pods, 'a', 'x')));
      assert.equal(sockets.size, 4);
    },
    { sockets: 4 },
  );
});

test('a server that is not there, is silent, or closes is told apart', async () => {
  await withServer(
    (_, response) => {
      response.on('error', () => {});
    },
    async (client, server) => {
      await assert.rejects(client.get(pods, 'a', 'x'), (error) => isError(error, 'timeout'));
      const stop = new AbortController();
      const waiting = client.get(pods, 'a', 'x', { signal: stop.signal });
      stop.abort();
      await assert.rejects(waiting, (error) => isError(error, 'unavailable'));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      // With time enough to be told.
      const patient = createHttpClient({ server: url });
      await assert.rejects(patient.get(pods, 'a', 'x'), (error: CaelumError) => {
        assert.equal(error.code, 'unavailable');
        assert.match(error.message, /Cannot reach "http:\/\/127\.0\.0\.1:\d+": connect ECONNREFUSED/);
        return true;
      });
      patient.close();
    },
    { timeoutMs: 50 },
  );
});

test('a read on a socket that the server has just closed is sent again', async () => {
  let requests = 0;
  await withServer(
    (request, response) => {
      if (++requests === 2) request.socket.destroy();
      else json(response, object('x'));
    },
    async (client) => {
      await client.get(pods, 'a', 'x');
      await client.get(pods, 'a', 'x');
      assert.equal(requests, 3);
    },
    { sockets: 1 },
  );
});

test('watch() gives events, whatever the pieces in which they come', async () => {
  const lines = [
    { type: 'ADDED', object: object('ü€😀', '2') },
    { type: 'MODIFIED', object: object('b', '3') },
    { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
    { type: 'DELETED', object: object('b', '10') },
  ];
  const bytes = Buffer.from(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n\n`);
  await withServer(
    async (_, response) => {
      response.writeHead(200);
      for (let at = 0; at < bytes.length; at += 7) {
        response.write(bytes.subarray(at, at + 7));
        if (at % 5 === 0) await new Promise(setImmediate);
      }
      response.end();
    },
    async (client, _server, seen) => {
      const watch = gather();
      client.watch(pods, { namespace: 'a', resourceVersion: '1', labelSelector: 'x=y' }, watch);
      assert.equal(await watch.ended, undefined);
      assert.deepEqual(watch.events, [
        lines[0],
        lines[1],
        { type: 'BOOKMARK', resourceVersion: '9' },
        lines[3],
      ]);
      assert.match(
        seen[0] ?? '',
        /pods\?watch=true&allowWatchBookmarks=true&timeoutSeconds=\d+&resourceVersion=1&labelSelector=x%3Dy$/,
      );
    },
  );
});

test('watch() ends with the error that the server sends, early or late', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  let requests = 0;
  await withServer(
    (request, response) => {
      requests++;
      if (requests === 1) json(response, status, 410);
      else if (requests === 2)
        response.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object: status })}\n{"type":"ADDED"}`);
      else if (requests === 3) response.writeHead(200).end('<html>\n');
      else {
        response.writeHead(200).write(`${JSON.stringify({ type: 'ADDED', object: object('x') })}\n`);
        setImmediate(() => request.socket.destroy());
      }
    },
    async (client) => {
      const expected: ErrorCode[] = ['expired', 'expired', 'unavailable', 'unavailable'];
      for (const code of expected) {
        const watch = gather();
        client.watch(pods, { resourceVersion: '1' }, watch);
        const error = await watch.ended;
        assert.ok(isError(error, code), `${code}: ${String(error)}`);
      }
    },
  );
});

test('watch() is silent after cancel and abort', async () => {
  await withServer(
    (_, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ type: 'ADDED', object: object('x') })}\n`);
    },
    async (client, server) => {
      const stop = new AbortController();
      const closed = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
      let connections = 0;
      server.on('connection', (socket) => {
        const mine = closed[connections++];
        socket.on('close', () => mine?.resolve());
      });
      const seen: string[] = [];
      for (const how of ['cancel', 'abort']) {
        await new Promise<void>((resolve) => {
          const handler = {
            onEvent: () => {
              seen.push(how);
              if (how === 'cancel') watch.cancel();
              else stop.abort();
              resolve();
            },
            onEnd: () => void seen.push('end'),
          };
          const watch = client.watch(pods, { resourceVersion: '1', signal: stop.signal }, handler);
        });
      }
      await Promise.all(closed.map(({ promise }) => promise));
      assert.deepEqual(seen, ['cancel', 'abort']);
    },
  );
});

test('over TLS 1.3 it trusts the given authority only, and sends its token', async () => {
  const { cert, key } = await selfSigned();
  const server = https.createServer({ cert, key }, (request, response) => {
    const socket = request.socket as import('node:tls').TLSSocket;
    json(response, { ...object('x'), seen: [socket.getProtocol(), request.headers.authorization] });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let token = 'one';
  const client = createHttpClient({ server: url, ca: cert, token: () => token });
  const stranger = createHttpClient({ server: url });
  try {
    const seenBy = async (): Promise<unknown> =>
      ((await client.get(pods, 'a', 'x')) as unknown as { seen: unknown }).seen;
    assert.deepEqual(await seenBy(), ['TLSv1.3', 'Bearer one']);
    token = 'two';
    assert.deepEqual(await seenBy(), ['TLSv1.3', 'Bearer two']);
    await assert.rejects(stranger.get(pods, 'a', 'x'), (error) => isError(error, 'unavailable'));
  } finally {
    client.close();
    stranger.close();
    server.closeAllConnections();
    server.close();
  }
});

async function selfSigned(): Promise<{ cert: string; key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=127.0.0.1',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey as never));
  const body =
    der
      .toString('base64')
      .match(/.{1,64}/g)
      ?.join('\n') ?? '';
  const key = ['PRIVATE KEY'].map((label) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`);
  return { cert: certificate.toString('pem'), key: key.join('') };
}
