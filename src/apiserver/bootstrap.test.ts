import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CertificateSigningRequest,
  certificateSigningRequests,
  endpointSlices,
  type PriorityClass,
  priorityClasses,
  type Service,
  services,
} from '../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { createApi, createFirstObjects, keepFirstObjects } from './index.ts';

const start = () => {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24' });
  return { api, clock, store };
};

test('createFirstObjects() makes the priority classes of the system, once', async (t) => {
  const { api, store } = start();
  t.after(() => store.close());
  const client = api.client();
  await createFirstObjects(client, undefined);
  await createFirstObjects(client, undefined);
  const { items } = await client.list<PriorityClass>(priorityClasses, {});
  assert.deepEqual(
    items.map(({ metadata, value, preemptionPolicy }) => [metadata.name, value, preemptionPolicy]).sort(),
    [
      ['system-cluster-critical', 2_000_000_000, 'PreemptLowerPriority'],
      ['system-node-critical', 2_000_001_000, 'PreemptLowerPriority'],
    ],
  );
});

test('keepFirstObjects() brings back what every cloud has, and writes nothing else', async (t) => {
  const { api, clock, store } = start();
  t.after(() => store.close());
  const client = api.client();
  const address = { address: '192.0.2.1', port: 6443, clusterIp: api.apiAddress };
  await createFirstObjects(client, address);
  const kept = keepFirstObjects(client, { clock, log: silentLog }, address);
  const revision = store.revision;
  await clock.advance(60_000);
  assert.equal(store.revision, revision, 'at rest');
  await client.delete(services, 'default', 'kubernetes');
  await client.delete(endpointSlices, 'default', 'kubernetes');
  await clock.advance(11_000);
  const service = await client.get<Service>(services, 'default', 'kubernetes');
  assert.equal(service.spec?.clusterIP, api.apiAddress);
  await client.get(endpointSlices, 'default', 'kubernetes');
  kept.stop();
  await client.delete(services, 'default', 'kubernetes');
  await clock.advance(60_000);
  await assert.rejects(client.get(services, 'default', 'kubernetes'), /not found/);
});

test('a request for a certificate bears the name of who made it', async (t) => {
  const { api, store } = start();
  t.after(() => store.close());
  const client = api.client({ user: 'ann', groups: ['ops', 'system:masters'] });
  const der = Buffer.from([0x30, 7, 0x30, 0, 0x30, 0, 0x03, 1, 0]).toString('base64');
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der}\n-----END CERTIFICATE REQUEST-----\n`;
  const made = await client.create<CertificateSigningRequest>(certificateSigningRequests, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'a' },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: 'example.com/a',
      usages: ['client auth'],
      username: 'root',
    },
  });
  assert.equal(made.spec.username, 'ann');
  assert.deepEqual(made.spec.groups, ['ops', 'system:masters']);
});
