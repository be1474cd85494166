/** What Kubernetes' conformance suite asks of the controllers, on a whole cloud with simulated nodes, over HTTPS. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ConfigMap,
  configMaps,
  type Deployment,
  deployments,
  type KubeObject,
  type Namespace,
  namespaces,
  type Pod,
  pods,
  type ReplicaSet,
  type ReplicationController,
  replicaSets,
  replicationControllers,
  type Service,
  services,
} from '../api/index.ts';
import type { DeleteOptions, ResourceRef } from '../client/index.ts';
import { TestCloud, until } from './test-cloud.ts';

const cloud = new TestCloud();

const labels = { app: 'web' };
const spec = { containers: [{ name: 'c', image: 'i' }] };
const aDeployment = (namespace: string, more: object = {}): Deployment =>
  ({
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
      ...more,
    },
  }) as Deployment;
const listOf = async <T extends KubeObject>(ref: ResourceRef, namespace: string): Promise<readonly T[]> =>
  (await cloud.client.list<T>(ref, { namespace })).items;
const areReady = (namespace: string, wanted: number) => async (): Promise<boolean> =>
  (await cloud.find<Deployment>(deployments, namespace, 'web'))?.status?.availableReplicas === wanted;

/** A controller with its pods. */
async function owner(namespace: string, name: string, replicas: number): Promise<ReplicationController> {
  const own = { owner: name };
  const made = await cloud.client.create<ReplicationController>(replicationControllers, {
    metadata: { name, namespace },
    spec: { replicas, selector: own, template: { metadata: { labels: own }, spec } },
  } as ReplicationController);
  await until('its pods run', async () => {
    const found = await cloud.client.list<Pod>(pods, { namespace, labelSelector: `owner=${name}` });
    return found.items.filter(({ status }) => status?.phase === 'Running').length === replicas;
  });
  return made;
}

describe('garbage collection', () => {
  // conformance: [sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning
  // conformance: [sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan
  test('a Deployment takes its ReplicaSet and pods along, or leaves them', async () => {
    for (const propagationPolicy of ['Background', 'Orphan'] as const) {
      const namespace = await cloud.namespace();
      await cloud.client.create(deployments, aDeployment(namespace));
      await until('pods', areReady(namespace, 2));
      await cloud.client.delete(deployments, namespace, 'web', { propagationPolicy });
      await until(
        'the Deployment is gone',
        async () => (await cloud.find(deployments, namespace, 'web')) === undefined,
      );
      if (propagationPolicy === 'Background') {
        await until('all is gone', async () => (await listOf(pods, namespace)).length === 0);
        assert.equal((await listOf(replicaSets, namespace)).length, 0);
      } else {
        const [left] = await listOf<ReplicaSet>(replicaSets, namespace);
        assert.equal((left?.metadata.ownerReferences ?? []).length, 0);
        assert.equal((await listOf(pods, namespace)).length, 2);
      }
    }
  });

  // conformance: [sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning
  // conformance: [sig-api-machinery] Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Serial]
  // conformance: [sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say so [Serial]
  test('a ReplicationController goes before, after, or without its pods', async () => {
    for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
      const namespace = await cloud.namespace();
      await owner(namespace, 'rc', 3);
      const options: DeleteOptions = { propagationPolicy };
      await cloud.client.delete(replicationControllers, namespace, 'rc', options);
      await until('it is gone', async () => {
        const found = await cloud.find<ReplicationController>(replicationControllers, namespace, 'rc');
        if (found === undefined) return true;
        assert.notEqual(
          propagationPolicy === 'Background' ? undefined : found.metadata.deletionTimestamp,
          undefined,
        );
        return false;
      });
      const left = await listOf<Pod>(pods, namespace);
      if (propagationPolicy === 'Foreground') assert.equal(left.length, 0, 'pods went before');
      else if (propagationPolicy === 'Orphan')
        assert.deepEqual(
          left.map(({ metadata }) => metadata.ownerReferences?.length ?? 0),
          [0, 0, 0],
        );
      else await until('pods are gone', async () => (await listOf(pods, namespace)).length === 0);
    }
  });

  // conformance: [sig-api-machinery] Garbage collector should not be blocked by dependency circle
  test('pods that own each other in a circle go together', async () => {
    const namespace = await cloud.namespace();
    const made = new Map<string, Pod>();
    for (const name of ['pod1', 'pod2', 'pod3'])
      made.set(name, await cloud.client.create<Pod>(pods, { metadata: { name, namespace }, spec } as Pod));
    for (const [name, by] of [
      ['pod1', 'pod3'],
      ['pod2', 'pod1'],
      ['pod3', 'pod2'],
    ] as const) {
      const { uid } = made.get(by)?.metadata ?? {};
      const reference = {
        apiVersion: 'v1',
        kind: 'Pod',
        name: by,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      };
      await cloud.client.patch(pods, namespace, name, 'merge', {
        metadata: { ownerReferences: [reference] },
      });
    }
    await cloud.client.delete(pods, namespace, 'pod1', { propagationPolicy: 'Foreground' });
    await until('all are gone', async () => (await listOf(pods, namespace)).length === 0);
  });

  // conformance: [sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial]
  test('who has another owner stays, and does not hold back the one that goes', async () => {
    const namespace = await cloud.namespace();
    await owner(namespace, 'goes', 6);
    const { metadata: stays } = await owner(namespace, 'stays', 0);
    const second = { apiVersion: 'v1', kind: 'ReplicationController', name: 'stays', uid: stays.uid };
    const both: string[] = [];
    for (const { metadata } of (await listOf<Pod>(pods, namespace)).slice(0, 3)) {
      const { name = '', ownerReferences = [] } = metadata;
      const all = { metadata: { ownerReferences: [...ownerReferences, second] } };
      await cloud.client.patch(pods, namespace, name, 'merge', all);
      both.push(name);
    }
    await cloud.client.delete(replicationControllers, namespace, 'goes', { propagationPolicy: 'Foreground' });
    await until(
      'the owner is gone',
      async () => (await cloud.find(replicationControllers, namespace, 'goes')) === undefined,
    );
    const left = await listOf<Pod>(pods, namespace);
    assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), both.sort());
    for (const { metadata } of left) assert.equal(metadata.deletionTimestamp, undefined);
  });
});

describe('namespaces', () => {
  // conformance: [sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted
  // conformance: [sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted
  test('pods and services go with their namespace, and are not in one that is made anew', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create<Pod>(pods, { metadata: { name: 'p', namespace }, spec } as Pod);
    await cloud.client.create<Service>(services, {
      metadata: { name: 's', namespace },
      spec: { ports: [{ port: 80 }] },
    });
    await until(
      'the pod runs',
      async () => (await cloud.find<Pod>(pods, namespace, 'p'))?.status?.phase === 'Running',
    );
    await cloud.client.delete(namespaces, undefined, namespace);
    await until('it is gone', async () => (await cloud.find(namespaces, undefined, namespace)) === undefined);
    await cloud.client.create<Namespace>(namespaces, { metadata: { name: namespace } });
    assert.equal((await listOf(pods, namespace)).length, 0);
    assert.equal((await listOf(services, namespace)).length, 0);
  });

  // conformance: [sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first
  test('pods go before all else', async () => {
    const namespace = await cloud.namespace();
    const finalizers = ['e2e.example.com/finalizer'];
    await cloud.client.create<Pod>(pods, { metadata: { name: 'p', namespace, finalizers }, spec } as Pod);
    await cloud.client.create<ConfigMap>(configMaps, { metadata: { name: 'c', namespace, finalizers } });
    await cloud.client.delete(namespaces, undefined, namespace);
    const isGoing = async (ref: ResourceRef, name: string): Promise<boolean> =>
      (await cloud.find(ref, namespace, name))?.metadata.deletionTimestamp !== undefined;
    await until('the pod is going', () => isGoing(pods, 'p'));
    await until('it is said what remains', async () => {
      const found = await cloud.find<Namespace>(namespaces, undefined, namespace);
      return (
        found?.status?.conditions?.some(
          ({ type, status }) => type === 'NamespaceFinalizersRemaining' && status === 'True',
        ) === true
      );
    });
    assert.equal(await isGoing(configMaps, 'c'), false, 'the pod is still there');
    await cloud.client.patch(pods, namespace, 'p', 'merge', { metadata: { finalizers: null } });
    await until('then the config map is going', () => isGoing(configMaps, 'c'));
    await cloud.client.patch(configMaps, namespace, 'c', 'merge', { metadata: { finalizers: null } });
    await until(
      'the namespace is gone',
      async () => (await cloud.find(namespaces, undefined, namespace)) === undefined,
    );
  });

  // conformance: [sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace
  test('the certificate of the root is in every namespace, comes back, and is mended', async () => {
    const namespace = await cloud.namespace();
    const name = 'kube-root-ca.crt';
    const there = async (): Promise<boolean> =>
      (await cloud.find<ConfigMap>(configMaps, namespace, name))?.data?.['ca.crt']?.includes(
        'BEGIN CERTIFICATE',
      ) === true;
    await until('it is made', there);
    await cloud.client.delete(configMaps, namespace, name);
    await until('it is made again', there);
    await cloud.client.patch(configMaps, namespace, name, 'merge', { data: { 'ca.crt': 'x' } });
    await until('it is mended', there);
  });
});

describe('workloads', () => {
  // conformance: [sig-apps] Deployment Deployment should have a working scale subresource
  // conformance: [sig-apps] Deployment should run the lifecycle of a Deployment
  test('a Deployment is made, patched, scaled, asked for its status, and deleted by label', async () => {
    const namespace = await cloud.namespace();
    const made = aDeployment(namespace, { replicas: 1 });
    await cloud.client.create(deployments, {
      ...made,
      metadata: { ...made.metadata, labels: { static: 'yes' } },
    });
    await until('it runs', areReady(namespace, 1));
    type Scale = KubeObject & { readonly spec: { readonly replicas?: number } };
    const at = { subresource: 'scale' };
    const scale = await cloud.client.patch<Scale>(deployments, namespace, 'web', 'merge', {}, at);
    assert.equal(scale.spec?.replicas, 1);
    // Of whatever version: its status may be written meanwhile.
    const { resourceVersion: _, ...metadata } = scale.metadata;
    await cloud.client.update(deployments, { ...scale, metadata, spec: { replicas: 2 } } as KubeObject, at);
    await until('it is scaled', areReady(namespace, 2));
    await cloud.client.patch(
      deployments,
      namespace,
      'web',
      'merge',
      { spec: { replicas: 4 } },
      { subresource: 'scale' },
    );
    await until('it is scaled by a patch', areReady(namespace, 4));
    await cloud.client.patch(deployments, namespace, 'web', 'strategic', {
      metadata: { labels: { patched: 'yes' } },
      spec: { replicas: 2, template: { spec: { containers: [{ name: 'c', image: 'two' }] } } },
    });
    await until('it is rolled out', async () => {
      const { status, metadata } = (await cloud.find<Deployment>(deployments, namespace, 'web')) ?? {};
      return (
        status?.observedGeneration === metadata?.generation &&
        status?.updatedReplicas === 2 &&
        status.availableReplicas === 2
      );
    });
    const { items } = await cloud.client.list<Deployment>(deployments, {
      labelSelector: 'patched=yes,static=yes',
    });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['web'],
    );
    await cloud.client.delete(deployments, namespace, 'web', { propagationPolicy: 'Background' });
    await until('its pods are gone', async () => (await listOf(pods, namespace)).length === 0);
  });

  // conformance: [sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods
  test('a ReplicaSet adopts what matches, and lets go what does not any more', async () => {
    const namespace = await cloud.namespace();
    const [own] = [{ name: 'pod-adoption-release' }];
    await cloud.client.create<Pod>(pods, { metadata: { name: 'p', namespace, labels: own }, spec } as Pod);
    await cloud.client.create<ReplicaSet>(replicaSets, {
      metadata: { name: 'rs', namespace },
      spec: { replicas: 1, selector: { matchLabels: own }, template: { metadata: { labels: own }, spec } },
    } as ReplicaSet);
    const isOwned = async (): Promise<boolean> =>
      (await cloud.find<Pod>(pods, namespace, 'p'))?.metadata.ownerReferences?.some(
        ({ kind, name }) => kind === 'ReplicaSet' && name === 'rs',
      ) === true;
    await until('it is adopted', isOwned);
    await cloud.client.patch(pods, namespace, 'p', 'merge', { metadata: { labels: { name: 'other' } } });
    await until('it is let go', async () => !(await isOwned()));
    await until('another is in its place', async () => (await listOf(pods, namespace)).length === 2);
  });

  // conformance: [sig-apps] ReplicaSet Replace and Patch tests
  test('a ReplicaSet is scaled, and patched', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create<ReplicaSet>(replicaSets, {
      metadata: { name: 'rs', namespace },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    } as ReplicaSet);
    const ready = (wanted: number) => async (): Promise<boolean> =>
      (await cloud.find<ReplicaSet>(replicaSets, namespace, 'rs'))?.status?.readyReplicas === wanted;
    await until('one', ready(1));
    const found = await cloud.client.get<ReplicaSet>(replicaSets, namespace, 'rs');
    await cloud.client.patch(replicaSets, namespace, 'rs', 'merge', {
      spec: { replicas: (found.spec?.replicas ?? 0) + 1 },
    });
    await until('two', ready(2));
    const image = 'patched';
    const grace = {
      template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image }] } },
    };
    await cloud.client.patch(replicaSets, namespace, 'rs', 'strategic', {
      metadata: { labels: { patched: 'yes' } },
      spec: { replicas: 3, ...grace },
    });
    await until('three', ready(3));
    const after_ = await cloud.client.get<ReplicaSet>(replicaSets, namespace, 'rs');
    assert.deepEqual(
      [after_.metadata.labels?.['patched'], after_.spec?.template?.spec?.containers[0]?.image],
      ['yes', image],
    );
  });
});
