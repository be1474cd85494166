/** Claims with pods, on the real API in memory: binding with the scheduler, provisioning, StatefulSets, ephemeral volumes, growing, erasing (by hollow nodes). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  persistentVolumeClaims as claimsRef,
  storageClasses as classesRef,
  type Event,
  events,
  type KubeObject,
  nodes as nodesRef,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  pods as podsRef,
  type StatefulSet,
  type StorageClass,
  statefulSets as setsRef,
  persistentVolumes as volumesRef,
} from '../api/index.ts';
import { isError } from '../lib/index.ts';
import { type Cloud, cloud } from './test-cloud.ts';

const claim = (name: string, spec: object = {}, size = '1Gi'): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, ...spec },
});

const podWith = (name: string, claims: readonly string[], spec: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image: 'x' }],
    volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    ...spec,
  },
});

function tools(world: Cloud) {
  const { client } = world;
  const pod = (name: string) => client.get<Pod>(podsRef, 'default', name);
  const getClaim = (name: string) => client.get<PersistentVolumeClaim>(claimsRef, 'default', name);
  return {
    pod,
    getClaim,
    volumes: () => world.list<PersistentVolume>(volumesRef),
    runs: (name: string) =>
      world.until(`pod ${name} runs`, async () => {
        if (await world.isGone(podsRef, 'default', name)) return false;
        return (await pod(name)).status?.phase === 'Running';
      }),
    gone: (ref: typeof podsRef | typeof claimsRef, name: string) =>
      world.until(`${name} has gone`, () => world.isGone(ref, 'default', name)),
    told: async (name: string) =>
      (await world.list<Event>(events))
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
  };
}

test('a claim of the default class gets a volume on the node of its first pod, and goes with all that is its own', async (t) => {
  const world = await cloud(t, 1);
  const { client, run } = world;
  const { pod, getClaim, volumes, runs, gone, told } = tools(world);
  await world.hollow({ count: 3, namePrefix: 'node' });
  await client.create(claimsRef, claim('data'));
  await run(1000);
  assert.equal((await getClaim('data')).status?.phase, 'Pending');
  await client.create(podsRef, podWith('one', ['data']));
  await runs('one');
  const bound = await getClaim('data');
  const [volume] = await volumes();
  const node = (await pod('one')).spec?.nodeName;
  assert.equal(bound.spec?.volumeName, `pvc-${bound.metadata.uid}`);
  assert.equal(bound.metadata.annotations?.['volume.kubernetes.io/selected-node'], node);
  assert.deepEqual(bound.status?.capacity, { storage: '1Gi' });
  assert.deepEqual(volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
    { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
  ]);
  assert.equal(volume?.spec?.storageClassName, 'local');
  assert.equal(volume?.status?.phase, 'Bound');
  await run(500);
  assert.deepEqual(await told('data'), [
    'Normal WaitForFirstConsumer: waiting for first consumer to be created before binding',
    `Normal ProvisioningSucceeded: Successfully provisioned volume pvc-${bound.metadata.uid} using caelum.dev/local`,
  ]);
  // The next pods go where the volume is.
  for (const name of ['two', 'three', 'four']) {
    await client.create(podsRef, podWith(name, ['data']));
    await runs(name);
    assert.equal((await pod(name)).spec?.nodeName, node);
  }
  await client.delete(claimsRef, 'default', 'data');
  await run(2000);
  assert.notEqual((await getClaim('data')).metadata.deletionTimestamp, undefined, 'it is in use');
  await client.create(podsRef, podWith('late', ['data']));
  await run(2000);
  assert.equal((await pod('late')).spec?.nodeName, undefined);
  assert.match(
    (await pod('late')).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '',
    /^0\/3 nodes are available: persistentvolumeclaim "data" is being deleted\. preemption: /,
  );
  for (const name of ['one', 'two', 'three', 'four']) await client.delete(podsRef, 'default', name);
  await gone(claimsRef, 'data');
  await world.until('the volume is erased', async () => (await volumes()).length === 0);
});

test('pods say why their claims keep them waiting', async (t) => {
  const world = await cloud(t, 2);
  const { client, run } = world;
  const { pod, told } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  await client.create(classesRef, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'by-hand' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  } as StorageClass);
  await client.create(claimsRef, claim('immediate', { storageClassName: '' }));
  await client.create(claimsRef, claim('hand', { storageClassName: 'by-hand' }));
  await client.create(claimsRef, claim('huge', {}, '100Ti'));
  const cases: readonly (readonly [string, string])[] = [
    [
      'missing',
      '0/2 nodes are available: persistentvolumeclaim "missing" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    ],
    [
      'immediate',
      '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    ],
    [
      'hand',
      "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    ],
    [
      'huge',
      '0/2 nodes are available: 2 node(s) did not have enough free storage. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    ],
  ];
  for (const [name] of cases) await client.create(podsRef, podWith(name, [name]));
  await run(3000);
  for (const [name, text] of cases) {
    const condition = (await pod(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');
    assert.equal(condition?.message, text);
    assert.equal(condition?.reason, 'Unschedulable');
    assert.ok((await told(name)).includes(`Warning FailedScheduling: ${text}`), name);
  }
  const before = world.revision();
  await run(5000);
  assert.equal(world.revision() - before <= 2, true, 'waiting is quiet but for leases');
  // Each goes on as soon as what it waits for is there.
  const volume = (name: string, className: string, node?: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
      storageClassName: className,
      local: { path: '/mnt/x' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                node === undefined
                  ? { key: 'kubernetes.io/os', operator: 'Exists' }
                  : { key: 'kubernetes.io/hostname', operator: 'In', values: [node] },
              ],
            },
          ],
        },
      },
    },
  });
  await client.create(volumesRef, volume('disk-1', '') as KubeObject);
  await client.create(volumesRef, volume('disk-2', 'by-hand', 'node-1') as KubeObject);
  await client.create(claimsRef, claim('missing'));
  for (const name of ['missing', 'immediate', 'hand'])
    await world.until(`${name} runs`, async () => (await pod(name)).status?.phase === 'Running');
  assert.equal((await pod('hand')).spec?.nodeName, 'node-1');
});

test('a pod on a cordoned node leaves its volume there: the next waits for that node', async (t) => {
  const world = await cloud(t, 3);
  const { client, run } = world;
  const { pod, runs, gone } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  await client.create(claimsRef, claim('data'));
  await client.create(podsRef, podWith('one', ['data']));
  await runs('one');
  const node = (await pod('one')).spec?.nodeName ?? '';
  await client.delete(podsRef, 'default', 'one');
  await gone(podsRef, 'one');
  await client.patch(nodesRef, undefined, node, 'merge', { spec: { unschedulable: true } });
  await client.create(podsRef, podWith('two', ['data']));
  await run(3000);
  assert.equal(
    (await pod('two')).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  await client.patch(nodesRef, undefined, node, 'merge', { spec: { unschedulable: null } });
  await runs('two');
});

test('of pods that use a claim that is for one pod only, one runs at a time', async (t) => {
  const world = await cloud(t, 4);
  const { client, run } = world;
  const { pod, runs } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  await client.create(claimsRef, claim('own', { accessModes: ['ReadWriteOncePod'] }));
  await client.create(podsRef, podWith('a', ['own']));
  await runs('a');
  await client.create(podsRef, podWith('b', ['own']));
  await run(2000);
  assert.equal(
    (await pod('b')).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    '0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  );
  await client.delete(podsRef, 'default', 'a');
  await runs('b');
});

const set = (name: string, more: object = {}): StatefulSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      ...more,
    },
  }) as unknown as StatefulSet;

test('a StatefulSet has its claims again when it comes back, and its pods go where they were', async (t) => {
  const world = await cloud(t, 5);
  const { client } = world;
  const { runs, gone, pod, volumes, getClaim } = tools(world);
  await world.hollow({ count: 4, namePrefix: 'node' });
  await client.create(setsRef, set('web'));
  for (const at of [0, 1, 2]) await runs(`web-${at}`);
  const places = await Promise.all([0, 1, 2].map(async (at) => (await pod(`web-${at}`)).spec?.nodeName));
  await client.delete(setsRef, 'default', 'web', { propagationPolicy: 'Foreground' });
  for (const at of [0, 1, 2]) await gone(podsRef, `web-${at}`);
  await gone(setsRef, 'web');
  assert.equal((await volumes()).length, 3);
  await client.create(setsRef, set('web', { podManagementPolicy: 'Parallel' }));
  for (const at of [0, 1, 2]) {
    await runs(`web-${at}`);
    assert.equal((await pod(`web-${at}`)).spec?.nodeName, places[at]);
    assert.equal((await getClaim(`data-web-${at}`)).status?.phase, 'Bound');
  }
});

test('claims of a StatefulSet go with it, or with what is scaled away, as its policy says', async (t) => {
  const world = await cloud(t, 6);
  const { client } = world;
  const { runs, gone, volumes, getClaim } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  const policy = (whenDeleted: string, whenScaled: string) => ({
    persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
  });
  await client.create(setsRef, set('both', policy('Delete', 'Delete')));
  await client.create(setsRef, set('scaled', policy('Retain', 'Delete')));
  for (const name of ['both', 'scaled']) for (const at of [0, 1, 2]) await runs(`${name}-${at}`);
  assert.equal((await volumes()).length, 6);
  for (const name of ['both', 'scaled']) {
    await client.patch(setsRef, 'default', name, 'merge', { spec: { replicas: 1 } });
    for (const at of [1, 2]) await gone(claimsRef, `data-${name}-${at}`);
  }
  await world.until('volumes are erased', async () => (await volumes()).length === 2);
  // Scaled up again each pod has a claim of its own again.
  await client.patch(setsRef, 'default', 'both', 'merge', { spec: { replicas: 2 } });
  await runs('both-1');
  for (const name of ['both', 'scaled']) await client.delete(setsRef, 'default', name);
  for (const at of [0, 1]) await gone(claimsRef, `data-both-${at}`);
  await gone(podsRef, 'scaled-0');
  await world.run(3000);
  assert.equal((await getClaim('data-scaled-0')).status?.phase, 'Bound');
  assert.equal((await volumes()).length, 1);
});

test("a pod's own volume has a claim that is made for it and goes with it", async (t) => {
  const world = await cloud(t, 7);
  const { client, run } = world;
  const { pod, runs, gone, getClaim, volumes, told } = tools(world);
  await world.hollow({ count: 1, namePrefix: 'node' });
  const own = {
    volumes: [
      {
        name: 'scratch',
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { labels: { kind: 'scratch' } },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        },
      },
    ],
  };
  await client.create(podsRef, podWith('box', [], own));
  await runs('box');
  const made = await getClaim('box-scratch');
  assert.equal(made.metadata.labels?.['kind'], 'scratch');
  const [owner] = made.metadata.ownerReferences ?? [];
  assert.deepEqual(
    [owner?.kind, owner?.uid, owner?.controller],
    ['Pod', (await pod('box')).metadata.uid, true],
  );
  await client.delete(podsRef, 'default', 'box');
  await gone(claimsRef, 'box-scratch');
  await world.until('the volume is erased', async () => (await volumes()).length === 0);
  // Somebody else's claim of that name is not taken.
  await client.create(claimsRef, claim('second-scratch'));
  await client.create(podsRef, podWith('second', [], own));
  await run(3000);
  const why = 'PVC default/second-scratch was not created for pod default/second (pod is not owner)';
  assert.ok((await told('second')).includes(`Warning FailedBinding: ephemeral volume scratch: ${why}`));
  assert.equal(
    (await pod('second')).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    `0/1 nodes are available: ${why}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`,
  );
});

test('a bound claim grows where its class allows it, as far as its node goes', async (t) => {
  const world = await cloud(t, 8);
  const { client, run } = world;
  const { runs, getClaim, volumes, told } = tools(world);
  await world.hollow({ count: 1, namePrefix: 'node' });
  await client.create(claimsRef, claim('data'));
  await client.create(podsRef, podWith('one', ['data']));
  await runs('one');
  const ask = (storage: string) =>
    client.patch(claimsRef, 'default', 'data', 'merge', { spec: { resources: { requests: { storage } } } });
  await ask('3Gi');
  await world.until(
    'it has grown',
    async () => (await getClaim('data')).status?.capacity?.['storage'] === '3Gi',
  );
  assert.equal((await volumes())[0]?.spec?.capacity?.['storage'], '3Gi');
  assert.equal((await getClaim('data')).status?.allocatedResources?.['storage'], '3Gi');
  await run(500);
  const texts = await told('data');
  assert.ok(
    texts.some((text) => text.startsWith('Normal Resizing: External resizer is resizing volume pvc-')),
  );
  assert.ok(texts.includes('Normal VolumeResizeSuccessful: Resize volume succeeded'));
  await ask('900Ti');
  await run(1000);
  const stuck = (await getClaim('data')).status;
  assert.equal(stuck?.allocatedResourceStatuses?.['storage'], 'ControllerResizeInfeasible');
  assert.equal(stuck?.conditions?.[0]?.type, 'ControllerResizeError');
  assert.ok(
    (await told('data')).some((text) => text.startsWith('Warning VolumeResizeFailed: resize volume "pvc-')),
  );
  await ask('4Gi');
  await world.until(
    'it has grown',
    async () => (await getClaim('data')).status?.capacity?.['storage'] === '4Gi',
  );
  const settled = (await getClaim('data')).status;
  assert.deepEqual([settled?.conditions, settled?.allocatedResourceStatuses], [undefined, undefined]);
  await assert.rejects(ask('1Gi'), (error) => isError(error, 'invalid'));
  await client.patch(classesRef, undefined, 'local', 'merge', { allowVolumeExpansion: false });
  await assert.rejects(ask('9Gi'), /only dynamically provisioned pvc can be resized/);
});

test('a volume that is held to its size grows on its node: until then its claim waits', async (t) => {
  const world = await cloud(t, 18);
  const { client, run } = world;
  const { getClaim, volumes, told, runs } = tools(world);
  await world.hollow({ count: 1, namePrefix: 'node' });
  await client.create(classesRef, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'bounded' },
    provisioner: 'caelum.dev/local',
    allowVolumeExpansion: true,
    parameters: { enforce: 'true' },
  });
  await client.create(claimsRef, claim('data', { storageClassName: 'bounded' }));
  await client.create(podsRef, podWith('one', ['data']));
  await runs('one');
  const csi = async () => (await volumes())[0]?.spec?.csi;
  assert.deepEqual([(await csi())?.fsType, (await csi())?.volumeAttributes], ['ext4', { enforce: 'true' }]);
  const ask = (storage: string) =>
    client.patch(claimsRef, 'default', 'data', 'merge', { spec: { resources: { requests: { storage } } } });
  await ask('2Gi');
  const pending = async () => (await getClaim('data')).status?.allocatedResourceStatuses?.['storage'];
  await world.until('it is left to the node', async () => (await pending()) === 'NodeResizePending');
  const { status } = await getClaim('data');
  assert.deepEqual([status?.capacity?.['storage'], status?.allocatedResources?.['storage']], ['1Gi', '2Gi']);
  assert.deepEqual(
    status?.conditions?.map(({ type, message }) => `${type}: ${message}`),
    [
      'FileSystemResizePending: Waiting for user to (re-)start a pod to finish file system resize of volume on node.',
    ],
  );
  assert.equal((await volumes())[0]?.spec?.capacity?.['storage'], '2Gi');
  await run(500);
  assert.ok(
    (await told('data')).includes(
      'Normal FileSystemResizeRequired: Require file system resize of volume on node',
    ),
  );
  const { resourceVersion } = (await getClaim('data')).metadata;
  await run(60_000);
  assert.equal((await getClaim('data')).metadata.resourceVersion, resourceVersion, 'nothing is said twice');
  // What the node says of it ends it.
  const grown = { capacity: { storage: '2Gi' } };
  await client.patch(claimsRef, 'default', 'data', 'merge', { status: grown }, { subresource: 'status' });
  await world.until('it has grown', async () => (await getClaim('data')).status?.conditions === undefined);
  const settled = (await getClaim('data')).status;
  assert.deepEqual([settled?.capacity, settled?.allocatedResourceStatuses], [{ storage: '2Gi' }, undefined]);
});

test('what the built-in provisioner cannot make it refuses, and says why', async (t) => {
  const world = await cloud(t, 9);
  const { client, run } = world;
  const { told, getClaim } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  const immediate = (name: string, more: object = {}): StorageClass =>
    ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name },
      provisioner: 'caelum.dev/local',
      ...more,
    }) as StorageClass;
  await client.create(classesRef, immediate('now'));
  await client.create(classesRef, immediate('odd', { parameters: { speed: 'high' } }));
  await client.create(
    classesRef,
    immediate('nowhere', {
      allowedTopologies: [
        { matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['mars'] }] },
      ],
    }),
  );
  await client.create(classesRef, immediate('unsure', { parameters: { enforce: 'yes' } }));
  await client.create(classesRef, immediate('bounded', { parameters: { enforce: 'true' } }));
  await client.create(claimsRef, claim('unsure', { storageClassName: 'unsure' }));
  await client.create(claimsRef, claim('small', { storageClassName: 'bounded' }, '15Mi'));
  await client.create(claimsRef, claim('block', { storageClassName: 'now', volumeMode: 'Block' }));
  await client.create(claimsRef, claim('option', { storageClassName: 'odd' }));
  await client.create(claimsRef, claim('mars', { storageClassName: 'nowhere' }));
  await client.create(claimsRef, claim('plain', { storageClassName: 'now' }));
  await world.until('bound', async () => (await getClaim('plain')).status?.phase === 'Bound');
  await run(20_000);
  const failed = (name: string, why: string): string =>
    `Warning ProvisioningFailed: failed to provision volume with StorageClass "${name}": ${why}`;
  assert.deepEqual(await told('block'), [
    failed('now', 'block volumes are not supported, only file systems'),
  ]);
  assert.deepEqual(await told('option'), [
    failed('odd', 'invalid option "speed" for volume plugin caelum.dev/local'),
  ]);
  assert.deepEqual(await told('unsure'), [
    failed(
      'unsure',
      'invalid value "yes" of option "enforce" for volume plugin caelum.dev/local: it is "true" or "false"',
    ),
  ]);
  assert.deepEqual(await told('small'), [
    failed('bounded', 'a volume that is held to its size has at least 16Mi'),
  ]);
  assert.deepEqual(await told('mars'), [failed('nowhere', 'no node is ready for it')]);
});

test('a claim whose node goes before its volume is made gets another', async (t) => {
  const world = await cloud(t, 10);
  const { client } = world;
  const { runs, pod, getClaim } = tools(world);
  await world.hollow({ count: 2, namePrefix: 'node' });
  const chosen = claim('data');
  await client.create(claimsRef, {
    ...chosen,
    metadata: { ...chosen.metadata, annotations: { 'volume.kubernetes.io/selected-node': 'gone' } },
  });
  await client.create(podsRef, podWith('one', ['data']));
  await runs('one');
  const { nodeName } = (await pod('one')).spec ?? {};
  assert.equal(
    (await getClaim('data')).metadata.annotations?.['volume.kubernetes.io/selected-node'],
    nodeName,
  );
});
