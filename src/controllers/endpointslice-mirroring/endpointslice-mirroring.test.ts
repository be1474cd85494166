import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, EndpointSubset, Endpoints, Service } from '../../api/index.ts';
import { endpointSlicesRef, endpointsRef, servicesRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { endpointSliceMirroringController } from './controller.ts';
import { type Observed, plan } from './plan.ts';

const place = { name: 'outside', namespace: 'shop' };
const service: Service = { metadata: place, spec: { ports: [{ port: 80 }] } };
const endpoints = (
  subsets: readonly EndpointSubset[],
  metadata: Partial<Endpoints['metadata']> = {},
): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { ...place, ...metadata },
  subsets,
});
const at = (...ips: readonly string[]): EndpointSubset => ({
  addresses: ips.map((ip) => ({ ip })),
  ports: [{ port: 80, protocol: 'TCP' }],
});

async function start(): Promise<TestCluster> {
  const cluster = createTestCluster();
  cluster.start((informers) => endpointSliceMirroringController(informers));
  await cluster.client.create(servicesRef, service);
  return cluster;
}
const slicesOf = (cluster: TestCluster): readonly EndpointSlice[] =>
  cluster.client.objects<EndpointSlice>(endpointSlicesRef);
const addressesOf = (cluster: TestCluster): readonly string[] =>
  slicesOf(cluster)
    .flatMap((slice) => (slice.endpoints ?? []).flatMap(({ addresses }) => addresses))
    .sort();

// conformance: [sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete
test('Endpoints made by hand are mirrored: made, changed, deleted; quiet at rest', async (t) => {
  const cluster = await start();
  t.after(() => cluster.stop());
  await cluster.client.create(endpointsRef, endpoints([at('10.1.2.3')]));
  await cluster.until('mirrored', () => addressesOf(cluster).join() === '10.1.2.3');
  const [slice] = slicesOf(cluster);
  assert.equal(slicesOf(cluster).length, 1);
  assert.equal(slice?.addressType, 'IPv4');
  assert.deepEqual(slice?.ports, [{ name: '', port: 80, protocol: 'TCP' }]);
  assert.deepEqual(slice?.endpoints, [{ addresses: ['10.1.2.3'], conditions: { ready: true } }]);
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'outside');
  assert.equal(
    slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  );
  assert.deepEqual(
    slice?.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [['Endpoints', 'outside', true]],
  );
  await cluster.client.patch(endpointsRef, 'shop', 'outside', 'merge', { subsets: [at('10.2.3.4')] });
  await cluster.until('changed', () => addressesOf(cluster).join() === '10.2.3.4');
  assert.equal(slicesOf(cluster)[0]?.metadata.uid, slice?.metadata.uid, 'the same slice');
  cluster.writes();
  await cluster.run(3_600_000);
  assert.equal(cluster.writes(), 0);
  await cluster.client.delete(endpointsRef, 'shop', 'outside');
  await cluster.until('gone', () => slicesOf(cluster).length === 0);
});

for (const [what, change, undo] of [
  [
    'the Service gets a selector',
    (cluster: TestCluster) =>
      cluster.client.patch(servicesRef, 'shop', 'outside', 'merge', { spec: { selector: { app: 'a' } } }),
    (cluster: TestCluster) =>
      cluster.client.patch(servicesRef, 'shop', 'outside', 'merge', { spec: { selector: null } }),
  ],
  [
    'the Service is gone',
    (cluster: TestCluster) => cluster.client.delete(servicesRef, 'shop', 'outside'),
    (cluster: TestCluster) => cluster.client.create(servicesRef, service),
  ],
  [
    'they say so',
    (cluster: TestCluster) =>
      cluster.client.patch(endpointsRef, 'shop', 'outside', 'merge', {
        metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      }),
    (cluster: TestCluster) =>
      cluster.client.patch(endpointsRef, 'shop', 'outside', 'merge', {
        metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } },
      }),
  ],
  [
    'they are the lock of a leader',
    (cluster: TestCluster) =>
      cluster.client.patch(endpointsRef, 'shop', 'outside', 'merge', {
        metadata: { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } },
      }),
    (cluster: TestCluster) =>
      cluster.client.patch(endpointsRef, 'shop', 'outside', 'merge', {
        metadata: { annotations: { 'control-plane.alpha.kubernetes.io/leader': null } },
      }),
  ],
] as const)
  test(`Endpoints are no longer mirrored when ${what}, and are again when not`, async (t) => {
    const cluster = await start();
    t.after(() => cluster.stop());
    await cluster.client.create(endpointsRef, endpoints([at('10.1.2.3')]));
    await cluster.until('mirrored', () => slicesOf(cluster).length === 1);
    await change(cluster);
    await cluster.until('no longer', () => slicesOf(cluster).length === 0);
    await undo(cluster);
    await cluster.until('again', () => slicesOf(cluster).length === 1);
  });

function madeBy(observed: Observed): readonly EndpointSlice[] {
  return plan(observed).flatMap((step) =>
    step.kind === 'together'
      ? step.writes.flatMap((write) => (write.kind === 'create' ? [write.object as EndpointSlice] : []))
      : [],
  );
}
const eventsOf = (observed: Observed): readonly string[] =>
  plan(observed).flatMap((step) =>
    step.kind === 'event' ? [`${step.event.type} ${step.event.reason} ${step.event.message}`] : [],
  );

test('mirroring plan() has a slice for each family and ports; labels and annotations go along, kubectl\u2019s own not', () => {
  const subsets: EndpointSubset[] = [
    { ...at('10.0.0.1', 'fd00::1'), notReadyAddresses: [{ ip: '10.0.0.2', nodeName: 'n', hostname: 'h' }] },
    { addresses: [{ ip: '10.0.0.3' }], ports: [{ name: 'x', port: 9 }] },
    at('10.0.0.4', '10.0.0.1'),
  ];
  const made = madeBy({
    endpoints: endpoints(subsets, {
      labels: { team: 'a' },
      annotations: {
        note: 'b',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
        'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
      },
    }),
    service,
    slices: [],
  });
  assert.deepEqual(
    made.map(({ addressType, ports, endpoints: all }) => [
      addressType,
      ports?.[0]?.port,
      all?.map(({ addresses, conditions }) => `${addresses[0]} ${conditions?.ready}`),
    ]),
    [
      ['IPv4', 80, ['10.0.0.1 true', '10.0.0.2 false', '10.0.0.4 true']],
      ['IPv6', 80, ['fd00::1 true']],
      ['IPv4', 9, ['10.0.0.3 true']],
    ],
  );
  assert.deepEqual(made[0]?.metadata.annotations, { note: 'b' });
  assert.equal(made[0]?.metadata.labels?.['team'], 'a');
  assert.deepEqual(made[0]?.endpoints?.[1], {
    addresses: ['10.0.0.2'],
    conditions: { ready: false },
    hostname: 'h',
    nodeName: 'n',
  });
});

test('mirroring plan() leaves out what is too much or no address, and says so', () => {
  const ips = Array.from({ length: 1005 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const observed = { endpoints: endpoints([at('nonsense', ...ips)]), service, slices: [] };
  assert.equal(madeBy(observed)[0]?.endpoints?.length, 1000);
  assert.deepEqual(eventsOf(observed), [
    'Warning InvalidIPAddress Skipped 1 invalid IP addresses when mirroring to EndpointSlices',
    'Warning TooManyAddressesToMirror A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 5 addresses were skipped',
  ]);
});
