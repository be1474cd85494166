/** Calling webhooks: who is meant, by which name, and what goes wrong on the way. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { createApi } from '../api.ts';
import { type Posting, webhookCaller } from '../webhook.ts';
import { allow, hookPki, startHooks } from './test-webhooks.ts';
import { createWebhookClient } from './webhook-client.ts';

/** Servers that answer every request in one way. */
async function startServer(t: TestContext) {
  const pki = await hookPki();
  const serve = async (answer: (response: ServerResponse) => void): Promise<number> => {
    const server = createServer(
      { cert: pki.apiserver.cert, key: pki.apiserver.key },
      (_request, response) => {
        response.on('error', () => {});
        answer(response);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  return { pki, serve };
}

test('createWebhookClient() checks the name of the service on the certificate, and tries the next endpoint', async (t) => {
  const hooks = await startHooks(t, { allow });
  const client = createWebhookClient();
  t.after(() => client.close());
  const post = (serverName: string) =>
    client.post({
      url: `https://${serverName}:443/allow`,
      addresses: [
        { host: '127.0.0.1', port: 1 },
        { host: '127.0.0.1', port: hooks.port },
      ],
      path: '/allow',
      serverName,
      ca: atob(hooks.caBundle),
      body: JSON.stringify({ apiVersion: 'v', request: {} }),
      timeoutMs: 30_000,
    });
  assert.deepEqual(await post('hook.default.svc'), {
    apiVersion: 'v',
    kind: 'AdmissionReview',
    response: { allowed: true },
  });
  await assert.rejects(
    post('other.default.svc'),
    /certificate is not valid for any names, but wanted to match other\.default\.svc/,
  );
});

test('an answer that never ends, or is too long, or leads elsewhere, is given up', async (t) => {
  const { pki, serve } = await startServer(t);
  const client = createWebhookClient();
  t.after(() => client.close());
  /** Whoever is to be given up for another reason than time has time enough. */
  const post = (port: number, timeoutMs = 30_000) =>
    client.post({
      url: 'https://127.0.0.1/x',
      addresses: [{ host: '127.0.0.1', port }],
      path: '/x',
      serverName: '127.0.0.1',
      ca: pki.ca.cert,
      body: '{}',
      timeoutMs,
    });
  const drip = await serve((response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(timer));
  });
  await assert.rejects(post(drip, 400), /Post "https:\/\/127\.0\.0\.1\/x": context deadline exceeded$/);
  const flood = await serve((response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, 32)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(post(flood), /the answer is longer than 8388608 bytes/);
  const elsewhere = await serve((response) =>
    response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(),
  );
  await assert.rejects(post(elsewhere), /rejected our request for an unknown reason \(status 302\)/);
  const broken = await serve((response) => response.socket?.destroy());
  await assert.rejects(post(broken), /Post "https:\/\/127\.0\.0\.1\/x": EOF$/);
});

test('a Service means its ready endpoints, at the port behind the one that is asked for', async (t) => {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24' });
  const client = api.client();
  const ref = (group: string, resource: string, namespaced = true) => ({
    group,
    version: 'v1',
    resource,
    namespaced,
  });
  await client.create(ref('', 'namespaces', false), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
  });
  const postings: Posting[] = [];
  const call = webhookCaller({ ...api.context, random }, async (posting) => {
    postings.push(posting);
    return {};
  });
  const ask = (port?: number, path?: string) =>
    call({
      target: {
        service: { namespace: 'default', name: 'hook', ...(port ? { port } : {}), ...(path ? { path } : {}) },
      },
      body: {},
      timeoutMs: 2000,
      tellsTimeout: true,
    });
  await assert.rejects(
    ask(undefined, 'check'),
    /^CaelumError: Post "https:\/\/hook.default.svc:443\/check\?timeout=2s": service "hook" not found$/,
  );
  const metadata = { name: 'hook', namespace: 'default' };
  await client.create(ref('', 'services'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
  } as KubeObject);
  await assert.rejects(ask(), /no endpoints available for service "hook"$/);
  await assert.rejects(ask(80), /no service port 80 found for service "hook"$/);
  await client.create(ref('discovery.k8s.io', 'endpointslices'), {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['192.0.2.7'], conditions: { ready: true } },
      { addresses: ['192.0.2.8'], conditions: { ready: false } },
    ],
    ports: [{ name: 'https', port: 8443 }],
  } as KubeObject);
  await ask(443, '/mutate?a=b');
  await ask();
  assert.deepEqual(
    postings.map(({ url, path, serverName, addresses }) => ({ url, path, serverName, addresses })),
    ['/mutate?a=b&timeout=2s', '/?timeout=2s'].map((path) => ({
      url: `https://hook.default.svc:443${path}`,
      path,
      serverName: 'hook.default.svc',
      addresses: [{ host: '192.0.2.7', port: 8443 }],
    })),
  );
});
