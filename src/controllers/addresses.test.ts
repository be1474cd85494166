/** Services' endpoints and addresses, with all controllers on the real API, in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Endpoints, Service } from '../api/index.ts';
import { endpointSlicesRef, endpointsRef, servicesRef } from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';

const service = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ name: 'example', port: 80, protocol: 'TCP' }], ...spec },
});

const slicesOf = async (one: Cloud, name: string): Promise<readonly EndpointSlice[]> =>
  (await one.list<EndpointSlice>(endpointSlicesRef, 'default')).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  );

// conformance: [sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods
// conformance: [sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods
test('a Service whose selector matches no pods has empty Endpoints and one empty slice, as long as it lives', async (t) => {
  const one = await cloud(t, 1);
  await one.client.create(servicesRef, service('nobody', { selector: { 'does-not-match-anything': 'x' } }));
  await one.until('a slice', async () => (await slicesOf(one, 'nobody')).length > 0);
  await one.until('Endpoints', async () => !(await one.isGone(endpointsRef, 'default', 'nobody')));
  const endpoints = await one.client.get<Endpoints>(endpointsRef, 'default', 'nobody');
  assert.deepEqual(endpoints.subsets ?? [], []);
  await one.run(5000);
  const [slice, ...others] = await slicesOf(one, 'nobody');
  assert.deepEqual([slice?.endpoints ?? [], others], [[], []]);
  assert.equal(slice?.metadata.ownerReferences?.[0]?.name, 'nobody');
  await one.client.delete(servicesRef, 'default', 'nobody');
  await one.until('no slice', async () => (await slicesOf(one, 'nobody')).length === 0);
  await one.until('no Endpoints', () => one.isGone(endpointsRef, 'default', 'nobody'));
});

test('Endpoints made by hand for a Service without a selector are mirrored by the API\u2019s rules', async (t) => {
  const one = await cloud(t, 2);
  await one.client.create(servicesRef, service('outside', {}));
  const endpoints: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'outside', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'example', port: 8080 }] }],
  };
  await one.client.create(endpointsRef, endpoints);
  await one.until('mirrored', async () => (await slicesOf(one, 'outside')).length === 1);
  const [slice] = await slicesOf(one, 'outside');
  assert.deepEqual(slice?.ports, [{ name: 'example', port: 8080, protocol: 'TCP' }]);
  await one.run(5000);
  const before = one.revision();
  await one.run(600_000);
  assert.equal(one.revision(), before, 'quiet at rest');
  await one.client.delete(endpointsRef, 'default', 'outside');
  await one.until('gone', async () => (await slicesOf(one, 'outside')).length === 0);
});
