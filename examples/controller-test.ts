/**
 * A controller of your own, tested against a real API in memory: `node examples/controller-test.ts`.
 *
 * The controller labels every Deployment that has more than two replicas with `size: large`. The test starts a cloud with three simulated nodes
 * in this process, creates a Deployment with the official client, and looks at what the controller did. No root, no containers, no network.
 */
import assert from 'node:assert/strict';
import { AppsV1Api, KubeConfig, PatchStrategy, setHeaderOptions, Watch } from '@kubernetes/client-node';
import { Cloud } from 'caelum';

const cloud = await Cloud.start({ store: 'memory', hollow: 3 });
try {
  const config = new KubeConfig();
  config.loadFromString(cloud.kubeconfig());
  const apps = config.makeApiClient(AppsV1Api);

  // The controller under test. A test of yours waits for what it has begun before it stops the cloud.
  const begun: Promise<unknown>[] = [];
  const controller = await new Watch(config).watch(
    '/apis/apps/v1/namespaces/default/deployments',
    {},
    (_phase, deployment) => {
      const { metadata, spec } = deployment as {
        metadata: { name: string; labels?: Record<string, string> };
        spec: { replicas: number };
      };
      if (spec.replicas <= 2 || metadata.labels?.['size'] === 'large') return;
      const patched = apps.patchNamespacedDeployment(
        { name: metadata.name, namespace: 'default', body: { metadata: { labels: { size: 'large' } } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      begun.push(patched);
    },
    () => {},
  );

  await apps.createNamespacedDeployment({
    namespace: 'default',
    body: {
      metadata: { name: 'web' },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'web', image: 'any' }] },
        },
      },
    },
  });

  // Three pods become ready on the simulated nodes, and the controller's label is there.
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const { metadata, status } = await apps.readNamespacedDeployment({ name: 'web', namespace: 'default' });
    if (status?.readyReplicas === 3 && metadata?.labels?.['size'] === 'large') break;
    assert.ok(
      performance.now() < deadlineMs,
      `not within a minute: ${JSON.stringify({ labels: metadata?.labels, status })}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  controller.abort();
  await Promise.all(begun);
  console.log('the controller labelled "web"; 3 of 3 pods are ready');
} finally {
  await cloud.stop();
}
