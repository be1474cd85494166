/**
 * A settled cloud is silent: with one of every kind that a controller keeps, and all controllers, an hour passes without a write, but for the signs of life of nodes.
 * Whoever is stuck (held by a finalizer, without a node, without room) is as silent as who is done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds, type Job, type KubeObject, type Pod } from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { configMapsRef, jobsRef, namespacesRef, podsRef, resourceOf, serviceCidrsRef } from './resources.ts';
import { type Cloud, cloud } from './test-cloud.ts';

const labels = { app: 'web' };
const podSpec = { containers: [{ name: 'c', image: 'i' }] };
const templateOf = (name: string, more: object = {}) => ({
  metadata: { labels: { app: name } },
  spec: { ...podSpec, ...more },
});
const selectorOf = (name: string) => ({ matchLabels: { app: name } });
const held = ['example.com/hold'];
const ports = [{ port: 80 }];

/** `[kind, name, the rest]`; `!`: deleted when it is there. */
const objects: readonly (readonly [kind: string, name: string, rest: object])[] = [
  ['Deployment', 'web', { spec: { replicas: 3, selector: selectorOf('web'), template: templateOf('web') } }],
  [
    'Deployment',
    'paused',
    { spec: { paused: true, selector: selectorOf('p'), template: templateOf('p'), replicas: 1 } },
  ],
  ['ReplicaSet', 'alone', { spec: { replicas: 2, selector: selectorOf('rs'), template: templateOf('rs') } }],
  [
    'ReplicationController',
    'old',
    { spec: { replicas: 1, selector: { app: 'rc' }, template: templateOf('rc') } },
  ],
  [
    'StatefulSet',
    'db',
    {
      spec: {
        replicas: 2,
        serviceName: 'headless',
        selector: selectorOf('db'),
        template: templateOf('db'),
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
      },
    },
  ],
  ['DaemonSet', 'each', { spec: { selector: selectorOf('ds'), template: templateOf('ds') } }],
  [
    'Job',
    'sums',
    { spec: { completions: 2, parallelism: 1, template: templateOf('job', { restartPolicy: 'Never' }) } },
  ],
  ['Job', 'waits', { spec: { suspend: true, template: templateOf('job', { restartPolicy: 'Never' }) } }],
  [
    'CronJob',
    'yearly',
    {
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: templateOf('cj', { restartPolicy: 'Never' }) } },
      },
    },
  ],
  ['PodDisruptionBudget', 'web', { spec: { minAvailable: '50%', selector: selectorOf('web') } }],
  ['Service', 'web', { spec: { type: 'NodePort', selector: labels, ports } }],
  [
    'Service',
    'near',
    {
      metadata: { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } },
      spec: { selector: labels, ports },
    },
  ],
  ['Service', 'headless', { spec: { clusterIP: 'None', selector: { app: 'db' }, ports } }],
  ['Service', 'outside', { spec: { ports } }],
  ['Service', 'nobody', { spec: { selector: { app: 'nobody' }, ports } }],
  ['Service', 'alias', { spec: { type: 'ExternalName', externalName: 'example.com' } }],
  ['Endpoints', 'outside', { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports }] }],
  ['ServiceCIDR', 'more', { spec: { cidrs: ['10.210.0.0/24'] } }],
  ['ResourceQuota', 'counts', { spec: { hard: { pods: '100', 'count/configmaps': '100' } } }],
  ['LimitRange', 'limits', { spec: { limits: [{ type: 'Container', max: { cpu: '8' } }] } }],
  ['ConfigMap', 'data', { data: { a: 'b' } }],
  ['ConfigMap', 'held!', { metadata: { finalizers: held } }],
  ['ServiceAccount', 'robot', {}],
  [
    'ClusterRole',
    'parts',
    {
      metadata: { labels: { part: 'x' } },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    },
  ],
  [
    'ClusterRole',
    'whole',
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'x' } }] }, rules: [] },
  ],
  [
    'HorizontalPodAutoscaler',
    'off',
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'zero' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
      },
    },
  ],
  ['Deployment', 'zero', { spec: { replicas: 0, selector: selectorOf('z'), template: templateOf('z') } }],
  ['ResourceClaimTemplate', 'gpus', { spec: { spec: { devices: {} } } }],
  [
    'Pod',
    'gated',
    {
      spec: {
        ...podSpec,
        schedulingGates: [{ name: 'example.com/wait' }],
        resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }],
      },
    },
  ],
  ['Pod', 'finishing!', { metadata: { finalizers: held }, spec: { ...podSpec, nodeName: 'a-0' } }],
  [
    'Lease',
    'lock',
    { spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' } },
  ],
];

async function make(one: Cloud, kind: string, name: string, rest: object): Promise<void> {
  const found = builtinKinds.kinds.find(
    (candidate) => candidate.kind === kind && !candidate.version.includes('beta'),
  );
  assert.ok(found !== undefined, kind);
  const { metadata = {}, ...body } = rest as { metadata?: object };
  const ref = resourceOf(found);
  const isDeleted = name.endsWith('!');
  const plain = name.replace('!', '');
  const namespace = found.namespaced ? 'default' : undefined;
  await one.client.create(ref, {
    apiVersion: found.group === '' ? found.version : `${found.group}/${found.version}`,
    kind,
    metadata: { ...metadata, name: plain, ...(namespace === undefined ? {} : { namespace }) },
    ...body,
  } as KubeObject);
  if (isDeleted) await one.client.delete(ref, namespace, plain);
}

/** Deleted in the foreground, it waits for one that is held. */
async function makeWaitingOwner(one: Cloud): Promise<void> {
  await make(one, 'ConfigMap', 'owner', {});
  const { metadata } = await one.client.get(configMapsRef, 'default', 'owner');
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid };
  await make(one, 'ConfigMap', 'owned', {
    metadata: { finalizers: held, ownerReferences: [{ ...reference, blockOwnerDeletion: true }] },
  });
  await one.client.delete(configMapsRef, 'default', 'owner', { propagationPolicy: 'Foreground' });
}

/** Every object and its version, but for those by which nodes show that they live. */
async function versions(one: Cloud): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const kind of builtinKinds.kinds) {
    if (!kind.verbs.includes('list') || kind.storedAs !== undefined || kind.resource === 'nodes') continue;
    const items = await one.list<KubeObject>(resourceOf(kind) as ResourceRef).catch((error: unknown) => {
      if (isError(error, 'notFound', 'methodNotAllowed')) return [];
      throw error;
    });
    for (const { metadata } of items) {
      if (metadata.namespace === 'kube-node-lease') continue;
      all.set(
        `${kind.resource} ${metadata.namespace ?? ''}/${metadata.name}`,
        metadata.resourceVersion ?? '',
      );
    }
  }
  return all;
}

test('a settled cloud with one of every kind writes nothing for an hour', async (t) => {
  const one = await cloud(t, 1);
  await one.hollow({ count: 3, namePrefix: 'a' });
  await one.client.create(serviceCidrsRef, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.131.0.0/16'] },
  } as KubeObject);
  for (const [kind, name, rest] of objects) await make(one, kind, name, rest);
  await makeWaitingOwner(one);
  await one.client.create(namespacesRef, { metadata: { name: 'stuck' } });
  await one.client.create(configMapsRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'held', namespace: 'stuck', finalizers: held },
  });
  await one.client.delete(namespacesRef, undefined, 'stuck');
  // The job's pods end by themselves.
  const endPods = async (): Promise<void> => {
    for (const pod of await one.list<Pod>(podsRef, 'default'))
      if (pod.metadata.labels?.['job-name'] === 'sums' && pod.status?.phase === 'Running')
        await one.client.patch(
          podsRef,
          'default',
          pod.metadata.name ?? '',
          'merge',
          { status: { phase: 'Succeeded' } },
          { subresource: 'status' },
        );
  };
  await one.until('the job is done', async () => {
    await endPods();
    const { status } = await one.client.get<Job>(jobsRef, 'default', 'sums');
    return status?.conditions?.some(({ type }) => type === 'Complete') === true;
  });
  await one.run(120_000);
  const before = await versions(one);
  for (let second = 0; second < 3600; second++) await one.clock.advance(1000);
  const after = await versions(one);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  assert.deepEqual(changed, []);
  assert.ok(before.size > 100, `${before.size} objects`);
});
