import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DeviceTaintRule,
  DynamicResourceClaim,
  Event,
  KubeObject,
  Pod,
  ResourceSlice,
} from '../../api/index.ts';
import {
  deviceTaintRulesRef,
  eventsRef,
  podsRef,
  resourceClaimsRef,
  resourceSlicesRef,
} from '../resources.ts';
import { type Cloud, cloud } from '../test-cloud.ts';

const driver = 'gpu.example.com';

async function holding(one: Cloud, tolerations: readonly object[]): Promise<void> {
  await one.client.create(resourceSlicesRef, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: 's' },
    spec: {
      driver,
      nodeName: 'n',
      pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'a' }, { name: 'b' }],
    },
  } as KubeObject);
  const pod = await one.client.create<Pod>(podsRef, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', image: 'i' }],
      resourceClaims: [{ name: 'x', resourceClaimName: 'c' }],
    },
  } as KubeObject as Pod);
  await one.client.create(resourceClaimsRef, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'c', namespace: 'default', finalizers: ['resource.kubernetes.io/delete-protection'] },
    spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } },
  } as KubeObject);
  const results = [
    { request: 'r', driver, pool: 'n', device: 'a', ...(tolerations.length > 0 && { tolerations }) },
  ];
  await one.client.patch<DynamicResourceClaim>(
    resourceClaimsRef,
    'default',
    'c',
    'merge',
    {
      status: {
        allocation: { devices: { results } },
        reservedFor: [{ resource: 'pods', name: 'p', uid: pod.metadata.uid }],
      },
    },
    { subresource: 'status' },
  );
}

const taint = (one: Cloud, device: string, effect: string) =>
  one.client.patch<ResourceSlice>(resourceSlicesRef, undefined, 's', 'merge', {
    spec: {
      devices: ['a', 'b'].map((name) => ({
        name,
        ...(name === device && { taints: [{ key: 'broken', effect }] }),
      })),
    },
  });
const isThere = async (one: Cloud): Promise<boolean> =>
  (await one.list<Pod>(podsRef, 'default')).some(({ metadata }) => metadata.deletionTimestamp === undefined);

test('a pod leaves a device that is tainted, and no other', async (t) => {
  const one = await cloud(t, 1);
  await holding(one, []);
  await one.run(2000);
  await taint(one, 'b', 'NoExecute');
  await one.run(2000);
  await taint(one, 'a', 'NoSchedule');
  await one.run(2000);
  assert.ok(await isThere(one));
  await taint(one, 'a', 'NoExecute');
  await one.until('gone', async () => !(await isThere(one)));
  const told = (await one.list<Event>(eventsRef, 'default')).filter(
    ({ reason }) => reason === 'DeviceTaintManagerEviction',
  );
  assert.deepEqual(
    told.map(({ message }) => message),
    ['Marking for deletion'],
  );
});

test('a pod stays as long as its claim tolerates the taint', async (t) => {
  const one = await cloud(t, 2);
  // Nobody else takes a pod of an unknown node away as soon.
  await holding(one, [{ key: 'broken', operator: 'Exists', tolerationSeconds: 20 }]);
  await one.run(2000);
  await taint(one, 'a', 'NoExecute');
  await one.run(15_000);
  assert.ok(await isThere(one));
  await one.run(7_000);
  assert.ok(!(await isThere(one)));
});

const rule = (effect: string, device: string): KubeObject =>
  ({
    apiVersion: 'resource.k8s.io/v1beta2',
    kind: 'DeviceTaintRule',
    metadata: { name: 'r' },
    spec: { deviceSelector: { driver, device }, taint: { key: 'broken', effect } },
  }) as KubeObject;
const told = async (one: Cloud): Promise<string> => {
  const [found] = await one.list<DeviceTaintRule>(deviceTaintRulesRef);
  const [condition] = found?.status?.conditions ?? [];
  return `${condition?.type} ${condition?.status} ${condition?.reason}: ${condition?.message}`;
};

test('a rule says what it would do, and does it when it is told to', async (t) => {
  const one = await cloud(t, 3);
  await holding(one, []);
  await one.run(2000);
  await one.client.create(deviceTaintRulesRef, rule('None', 'a'));
  await one.run(3000);
  assert.equal(
    await told(one),
    'EvictionInProgress False NoEffect: 1 published device selected. 1 allocated device selected. 1 pod would be evicted in 1 namespace if the effect was NoExecute. This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.',
  );
  assert.ok(await isThere(one));
  await one.client.patch<DeviceTaintRule>(deviceTaintRulesRef, undefined, 'r', 'merge', {
    spec: { taint: { effect: 'NoSchedule' } },
  });
  await one.run(3000);
  assert.equal(
    await told(one),
    'EvictionInProgress False OtherEffect: Eviction only happens for the NoExecute effect.',
  );
  assert.ok(await isThere(one));
  await one.client.patch<DeviceTaintRule>(deviceTaintRulesRef, undefined, 'r', 'merge', {
    spec: { taint: { effect: 'NoExecute' } },
  });
  await one.until('gone', async () => !(await isThere(one)));
  await one.until(
    'told',
    async () =>
      (await told(one)) ===
      'EvictionInProgress False Completed: 1 pod evicted since starting the controller.',
  );
});

test('a rule without a selector, or of another device, taints nothing', async (t) => {
  const one = await cloud(t, 4);
  await holding(one, []);
  await one.client.create(deviceTaintRulesRef, rule('NoExecute', 'b'));
  await one.client.create(deviceTaintRulesRef, {
    ...rule('NoExecute', 'a'),
    metadata: { name: 'all' },
    spec: { taint: { key: 'k', effect: 'NoExecute' } },
  } as KubeObject);
  await one.run(4000);
  assert.ok(await isThere(one));
  assert.equal(
    (await one.list<DeviceTaintRule>(deviceTaintRulesRef))
      .map(({ status }) => status?.conditions?.[0]?.reason)
      .join(),
    'NotStarted,NotStarted',
  );
});
