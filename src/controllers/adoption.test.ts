import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Pod, ReplicaSet } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { claim } from './ownership.ts';
import { plan } from './replicaset/plan.ts';
import { podsRef, replicaSetsRef } from './resources.ts';
import { watch } from './shell.ts';
import { createTestCluster } from './test-cluster.ts';

const labels = { app: 'web' };
const aReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels } } },
} as ReplicaSet;
const anOrphan = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'left', namespace: 'shop', labels },
  spec: { containers: [{ name: 'c', image: 'one' }] },
} as Pod;

const cases: readonly {
  readonly what: string;
  readonly adopts: boolean;
  readonly change: object | undefined;
}[] = [
  { what: 'is there', adopts: true, change: {} },
  { what: 'is going', adopts: false, change: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
  { what: 'is another of that name', adopts: false, change: { uid: 'another' } },
  { what: 'is gone', adopts: false, change: undefined },
];

for (const { what, adopts, change } of cases)
  test(`startController() adopts ${adopts ? 'what matches' : 'nothing'} for an owner of old that ${what}`, async (t) => {
    const cluster = createTestCluster();
    t.after(() => cluster.stop());
    const { client } = cluster;
    const known = await client.create<ReplicaSet>(replicaSetsRef, aReplicaSet);
    if (change === undefined) client.remove(replicaSetsRef, 'shop/web');
    else client.seed(replicaSetsRef, { ...known, metadata: { ...known.metadata, ...change } } as KubeObject);
    client.seed(podsRef, anOrphan as KubeObject);
    cluster.start<Pod>((informers) => {
      const copies = informers.informer<Pod>(podsRef);
      return {
        name: 'adopter',
        watches: [watch<Pod>(informers, podsRef, ({ object }) => [keyOf(object)])],
        observe: (key) => copies.get(key),
        // It decides on the owner that it knows of.
        plan: (pod) => claim(known, replicaSetsRef, podsRef, [pod]).writes,
      };
    });
    await cluster.run(1000);
    const owners = client.peek<Pod>(podsRef, 'shop/left')?.metadata.ownerReferences ?? [];
    assert.equal(
      owners.some(({ uid }) => uid === known.metadata.uid),
      adopts,
    );
  });

for (const { what, adopts, change } of cases)
  test(`startController() makes ${adopts ? 'what is wanted' : 'nothing'} for an owner of old that ${what}`, async (t) => {
    const cluster = createTestCluster();
    t.after(() => cluster.stop());
    const { client } = cluster;
    const known = await client.create<ReplicaSet>(replicaSetsRef, aReplicaSet);
    if (change === undefined) client.remove(replicaSetsRef, 'shop/web');
    else client.seed(replicaSetsRef, { ...known, metadata: { ...known.metadata, ...change } } as KubeObject);
    client.seed(podsRef, { ...anOrphan, metadata: { ...anOrphan.metadata, labels: {} } } as KubeObject);
    cluster.start<Pod>((informers) => ({
      name: 'maker',
      watches: [watch<Pod>(informers, podsRef, () => ['shop/web'])],
      observe: () =>
        client.objects(podsRef).length > 1 ? undefined : informers.informer<Pod>(podsRef).get('shop/left'),
      plan: () => plan({ replicaSet: known, pods: [], relatives: () => [] }, { nowMs: 0 }),
    }));
    await cluster.run(1000);
    assert.equal(client.objects(podsRef).length > 1, adopts);
  });
