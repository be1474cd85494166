/** Calling webhooks: who is meant, by which name, and what goes wrong on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { createApi } from '../api.ts';
import { type Posting, webhookCaller } from '../webhook.ts';
import { allow, startHooks } from './test-webhooks.ts';
import { createWebhookClient } from './webhook-client.ts';

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
      timeoutMs: 5000,
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
  await assert.rejects(ask(), /^CaelumError: service "hook" not found$/);
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
