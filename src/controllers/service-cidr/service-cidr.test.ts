/** Virtual IPs, their ranges and the objects that stand for them, on the real API, in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, IPAddress, KubeObject, Service, ServiceCIDR } from '../../api/index.ts';
import { isError } from '../../lib/index.ts';
import { eventsRef, ipAddressesRef, serviceCidrsRef, servicesRef } from '../resources.ts';
import { type Cloud, cloud } from '../test-cloud.ts';

const service = (name: string, spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...spec },
});
const range = (name: string, ...cidrs: readonly string[]): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs },
});
const addressesIn = async (one: Cloud): Promise<readonly string[]> =>
  (await one.list<IPAddress>(ipAddressesRef))
    .map(({ metadata, spec }) => `${metadata.name} ${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`)
    .sort();
const make = (one: Cloud, name: string, spec?: Service['spec']): Promise<Service> =>
  one.client.create<Service>(servicesRef, service(name, spec));
const readyOf = async (one: Cloud, name: string): Promise<string> => {
  const { status } = await one.client.get<ServiceCIDR>(serviceCidrsRef, undefined, name);
  const { status: is, reason, message } = status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  return `${is} ${reason} ${message}`;
};
const eventsOf = async (one: Cloud): Promise<readonly string[]> =>
  (await one.list<Event>(eventsRef)).map(({ reason, message }) => `${reason}: ${message}`);

test('a Service and the IPAddress of its virtual IP come, change and go together', async (t) => {
  const one = await cloud(t, 1);
  const made = await make(one, 'web');
  const address = made.spec?.clusterIP ?? '';
  const [claim] = await one.list<IPAddress>(ipAddressesRef);
  assert.equal(claim?.metadata.name, address);
  assert.deepEqual(claim.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  });
  assert.deepEqual(claim.spec?.parentRef, { resource: 'services', namespace: 'default', name: 'web' });
  assert.equal(claim.metadata.resourceVersion, made.metadata.resourceVersion, 'in one transaction');
  await make(one, 'headless', { clusterIP: 'None' });
  assert.equal((await addressesIn(one)).length, 1);
  const external = { spec: { type: 'ExternalName', externalName: 'a.b', clusterIP: null, clusterIPs: null } };
  await one.client.patch(servicesRef, 'default', 'web', 'merge', external);
  assert.deepEqual(await addressesIn(one), []);
  const again = await one.client.patch<Service>(servicesRef, 'default', 'web', 'merge', {
    spec: { type: 'ClusterIP', externalName: null },
  });
  assert.deepEqual(await addressesIn(one), [`${again.spec?.clusterIP} default/web`]);
  await one.client.delete(servicesRef, 'default', 'web');
  assert.deepEqual(await addressesIn(one), []);
  await one.run(120_000);
  assert.deepEqual(await eventsOf(one), [], 'nothing had to be mended');
});

test('an address that somebody has claimed is not given', async (t) => {
  const one = await cloud(t, 2);
  const claim: KubeObject & { spec: unknown } = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.131.0.77' },
    spec: { parentRef: { group: 'example.com', resource: 'gateways', namespace: 'default', name: 'g' } },
  };
  await one.client.create(ipAddressesRef, claim);
  await assert.rejects(
    make(one, 'web', { clusterIP: '10.131.0.77' }),
    /failed to allocate IP 10\.131\.0\.77: provided IP is already allocated/,
  );
  await one.run(300_000);
  assert.equal((await addressesIn(one)).length, 1, 'it is theirs, and stays');
  await one.client.delete(ipAddressesRef, undefined, '10.131.0.77');
  await make(one, 'web', { clusterIP: '10.131.0.77' });
});

test('another ServiceCIDR widens the range; while its addresses are in use it stays', async (t) => {
  const one = await cloud(t, 3);
  await one.client.create(serviceCidrsRef, range('kubernetes', '10.131.0.0/16'));
  await one.until('ready', async () => (await readyOf(one, 'kubernetes')).startsWith('True'));
  assert.equal(await readyOf(one, 'kubernetes'), 'True  Kubernetes Service CIDR is ready');
  const outside = { clusterIP: '10.200.0.20' };
  await assert.rejects(
    make(one, 'far', outside),
    /failed to allocate IP 10\.200\.0\.20: the provided network does not match the current range/,
  );
  await one.client.create(serviceCidrsRef, range('more', '10.200.0.0/28'));
  // Usable at once; the finalizer comes soon.
  await assert.rejects(make(one, 'far', outside), /does not match/, 'beyond its end');
  await make(one, 'far', { clusterIP: '10.200.0.9' });
  await one.until('held', async () => {
    const { metadata } = await one.client.get(serviceCidrsRef, undefined, 'more');
    return metadata.finalizers?.includes('networking.k8s.io/service-cidr-finalizer') === true;
  });
  await one.client.delete(serviceCidrsRef, undefined, 'more');
  await one.until('told', async () => (await readyOf(one, 'more')).startsWith('False'));
  assert.equal(
    await readyOf(one, 'more'),
    'False Terminating There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
  );
  await assert.rejects(make(one, 'late', { clusterIP: '10.200.0.10' }), /does not match/, 'it is going');
  await one.run(60_000);
  const before = one.revision();
  await one.run(600_000);
  assert.equal(one.revision(), before, 'it waits in silence');
  // A range that holds its addresses lets it go.
  await one.client.create(serviceCidrsRef, range('all', '10.200.0.0/24'));
  await one.until('gone', () => one.isGone(serviceCidrsRef, undefined, 'more'), 60_000);
  assert.equal(await one.isGone(servicesRef, 'default', 'far'), false);
  await one.client.delete(serviceCidrsRef, undefined, 'all');
  await one.run(30_000);
  assert.equal(await one.isGone(serviceCidrsRef, undefined, 'all'), false);
  await one.client.delete(servicesRef, 'default', 'far');
  await one.until('gone', () => one.isGone(serviceCidrsRef, undefined, 'all'), 60_000);
});

test('a full range says so, and another one helps', async (t) => {
  const one = await cloud(t, 4);
  await one.client.create(serviceCidrsRef, range('kubernetes', '10.131.0.0/16'));
  // The configured range is closed, so that a small one can be filled.
  await one.until('held', async () => (await readyOf(one, 'kubernetes')).startsWith('True'));
  await one.client.delete(serviceCidrsRef, undefined, 'kubernetes');
  await one.client.create(serviceCidrsRef, range('small', '10.201.0.0/29'));
  const made: Service[] = [];
  for (let at = 0; at < 6; at++) made.push(await make(one, `s${at}`));
  assert.equal(new Set(made.map(({ spec }) => spec?.clusterIP)).size, 6);
  assert.ok(made.every(({ spec }) => spec?.clusterIP?.startsWith('10.201.0.')));
  await assert.rejects(
    make(one, 'late'),
    (error) =>
      isError(error, 'internal') &&
      error.message === 'Internal error occurred: failed to allocate a serviceIP: range is full',
  );
  await one.client.create(serviceCidrsRef, range('next', '10.202.0.0/29'));
  await make(one, 'late');
});

for (const [what, spec, expected] of [
  [
    'asks for both families',
    { ipFamilyPolicy: 'RequireDualStack' },
    /spec\.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services/,
  ],
  [
    'asks for the other family',
    { ipFamilies: ['IPv6'] },
    /spec\.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
  ],
  ['would like both families', { ipFamilyPolicy: 'PreferDualStack' }, undefined],
  [
    'is headless without a selector, and asks for both',
    { clusterIP: 'None', ipFamilyPolicy: 'RequireDualStack' },
    undefined,
  ],
] as const)
  test(`a Service that ${what} ${expected === undefined ? 'is made' : 'is refused'} where there is IPv4 alone`, async (t) => {
    const one = await cloud(t, 8);
    if (expected === undefined) await make(one, 'web', spec as Service['spec']);
    else await assert.rejects(make(one, 'web', spec as Service['spec']), expected);
  });

for (const [what, harm, reason] of [
  [
    'is deleted',
    (one: Cloud, address: string) => one.client.delete(ipAddressesRef, undefined, address),
    /^ClusterIPNotAllocated: Cluster IP \[IPv4\]: \S+ is not allocated; repairing$/,
  ],
  [
    'has lost its labels',
    (one: Cloud, address: string) =>
      one.client.patch(ipAddressesRef, undefined, address, 'merge', { metadata: { labels: null } }),
    undefined,
  ],
  [
    'is made anew for another',
    async (one: Cloud, address: string) => {
      const claim = await one.client.get<IPAddress>(ipAddressesRef, undefined, address);
      await one.client.delete(ipAddressesRef, undefined, address);
      const { uid: _, resourceVersion: __, creationTimestamp: ___, ...metadata } = claim.metadata;
      const spec = { parentRef: { resource: 'services', namespace: 'default', name: 'nobody' } };
      await one.client.create(ipAddressesRef, { ...claim, metadata, spec } as KubeObject).catch(() => {});
    },
    /^ClusterIPNotAllocated: /,
  ],
] as const)
  test(`an IPAddress that ${what} is mended`, async (t) => {
    const one = await cloud(t, 5);
    const { spec } = await make(one, 'web');
    const address = spec?.clusterIP ?? '';
    await one.run(5000);
    await harm(one, address);
    await one.until('mended', async () => {
      const claim = await one.client
        .get<IPAddress>(ipAddressesRef, undefined, address)
        .catch(() => undefined);
      return claim?.spec?.parentRef?.name === 'web' && Object.keys(claim.metadata.labels ?? {}).length === 2;
    });
    await one.run(5000);
    if (reason !== undefined)
      assert.ok(
        (await eventsOf(one)).some((event) => reason.test(event)),
        'it is told',
      );
    const before = one.revision();
    await one.run(600_000);
    assert.equal(one.revision(), before, 'quiet at rest');
  });

test('an IPAddress of a Service that is not there leaks no longer than a minute', async (t) => {
  const one = await cloud(t, 6);
  await one.client.create(ipAddressesRef, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: '10.131.9.9',
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'nobody' } },
  } as KubeObject);
  await one.run(50_000);
  assert.equal((await addressesIn(one)).length, 1);
  await one.until('cleaned up', async () => (await addressesIn(one)).length === 0, 20_000);
  await one.run(5000);
  assert.deepEqual(await eventsOf(one), [
    'IPAddressNotAllocated: IPAddress: 10.131.9.9 for Service default/nobody appears to have leaked: cleaning up',
  ]);
});
