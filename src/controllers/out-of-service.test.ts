/** A node that was switched off without a word, and one that is gone: what becomes of its pods and volumes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Node, VolumeAttachment } from '../api/index.ts';
import { nodeController } from './node/controller.ts';
import { podGarbageController } from './pod-garbage/controller.ts';
import { leasesRef, nodesRef, podsRef, volumeAttachmentsRef } from './resources.ts';
import { createTestCluster, type TestCluster } from './test-cluster.ts';
import { volumeAttachmentController } from './volume-attachment/controller.ts';

const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

function start(t: { after(done: () => void): void }): TestCluster {
  const cluster = createTestCluster();
  const { client, clock } = cluster;
  t.after(() => cluster.stop());
  // Nobody answers on the lost node.
  cluster.agent.startMs = () => undefined;
  cluster.agent.stopMs = 1e9;
  for (const name of ['a', 'b']) client.seed(nodesRef, { metadata: { name }, status: ready } as KubeObject);
  for (const name of ['p', 'q'])
    client.seed(podsRef, {
      metadata: { name, namespace: 'shop' },
      spec: { nodeName: 'a', containers: [{ name: 'c', image: 'i' }] },
      status: { phase: 'Running' },
    } as KubeObject);
  for (const nodeName of ['a', 'b'])
    client.seed(volumeAttachmentsRef, {
      metadata: { name: `csi-${nodeName}` },
      spec: { attacher: 'example.com', nodeName, source: { persistentVolumeName: 'v' } },
    } as KubeObject);
  cluster.start((informers) => nodeController(informers, clock));
  cluster.start((informers) => podGarbageController({ informers, client, clock }));
  cluster.start((informers) => volumeAttachmentController(informers));
  const beat = (): void => {
    client.seed(leasesRef, { metadata: { name: 'b', namespace: 'kube-node-lease' } });
    clock.after(10_000, beat);
  };
  beat();
  return cluster;
}

const attached = (cluster: TestCluster): string =>
  cluster.client
    .objects<VolumeAttachment>(volumeAttachmentsRef)
    .map(({ metadata }) => metadata.name)
    .join();

test('pods of a node that is out of service are taken away at once, and its volumes are let go', async (t) => {
  const cluster = start(t);
  await cluster.run(120_000);
  assert.equal(cluster.pods().length, 2, 'only lost: it may run on');
  const node = cluster.client.peek<Node>(nodesRef, 'a');
  assert.ok(node?.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/unreachable'));
  const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
  const patch = { spec: { taints: [...(node?.spec?.taints ?? []), taint] } };
  await cluster.client.patch(nodesRef, undefined, 'a', 'merge', patch);
  await cluster.until('taken away', () => cluster.pods().length === 0, 10_000);
  await cluster.until('let go', () => attached(cluster) === 'csi-b', 10_000);
});

test('the taint means nothing while the node is ready', async (t) => {
  const cluster = start(t);
  await cluster.client.patch(nodesRef, undefined, 'b', 'merge', {
    spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule' }] },
  });
  await cluster.run(30_000);
  assert.equal(attached(cluster), 'csi-a,csi-b');
});

test('pods of a node that is gone are taken away after a while, and its volumes are let go; one that comes back keeps them', async (t) => {
  const cluster = start(t);
  await cluster.run(1000);
  await cluster.client.delete(nodesRef, undefined, 'a');
  await cluster.run(30_000);
  assert.deepEqual([cluster.pods().length, attached(cluster)], [2, 'csi-a,csi-b']);
  cluster.client.seed(nodesRef, { metadata: { name: 'a' }, status: ready } as KubeObject);
  await cluster.run(30_000);
  assert.deepEqual([cluster.pods().length, attached(cluster)], [2, 'csi-a,csi-b']);
  await cluster.client.delete(nodesRef, undefined, 'a');
  await cluster.until('taken away', () => cluster.pods().length === 0, 50_000);
  await cluster.until('let go', () => attached(cluster) === 'csi-b', 10_000);
});
