import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Lease } from '../../api/index.ts';
import { leasesRef, nodesRef } from '../resources.ts';
import { createTestCluster } from '../test-cluster.ts';
import { leaseController } from './controller.ts';

test('leases of nodes and API servers that are gone go when they have run out; locks stay', async (t) => {
  const cluster = createTestCluster();
  t.after(() => cluster.stop());
  const { client, clock } = cluster;
  const renewed = (namespace: string, name: string, seconds: number, labels = {}): KubeObject =>
    ({
      metadata: { namespace, name, labels },
      spec: { renewTime: new Date(clock.nowMs()).toISOString(), leaseDurationSeconds: seconds },
    }) as KubeObject;
  client.seed(nodesRef, { metadata: { name: 'here' } }, { metadata: { name: 'away' } });
  client.seed(
    leasesRef,
    renewed('kube-node-lease', 'here', 40),
    renewed('kube-node-lease', 'away', 40),
    renewed('kube-node-lease', 'never', 40),
    renewed('kube-system', 'apiserver-old', 3600, { 'apiserver.kubernetes.io/identity': 'kube-apiserver' }),
    renewed('kube-system', 'some-lock', 15),
    renewed('default', 'other', 15),
  );
  cluster.start((informers) => leaseController(informers, client));
  const names = (): string =>
    client
      .objects<Lease>(leasesRef)
      .map(({ metadata }) => metadata.name)
      .join(' ');
  await cluster.run(1000);
  await client.delete(nodesRef, undefined, 'away');
  await cluster.run(30_000);
  assert.equal(names(), 'other away here never apiserver-old some-lock', 'they might be renewed yet');
  client.seed(leasesRef, renewed('kube-node-lease', 'never', 40));
  await cluster.run(15_000);
  assert.equal(names(), 'other here never apiserver-old some-lock');
  await cluster.run(60_000);
  assert.equal(names(), 'other here apiserver-old some-lock');
  await cluster.run(3_600_000);
  assert.equal(names(), 'other here some-lock');
  cluster.writes();
  await cluster.run(3_600_000);
  assert.equal(cluster.writes(), 0);
});
