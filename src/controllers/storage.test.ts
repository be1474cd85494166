/** Claims and volumes on the real API, in memory, under simulated time: bound, kept, released, grown. What binds with pods is in `storage-pods.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  persistentVolumeClaims as claimsRef,
  storageClasses as classesRef,
  type Event,
  events,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PersistentVolumeSpec,
  type StorageClass,
  persistentVolumes as volumesRef,
} from '../api/index.ts';
import { type Cloud, cloud } from './test-cloud.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const claim = (name: string, spec: ClaimSpec = {}, meta: object = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default', ...meta },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: '',
    ...spec,
  },
});

const volume = (name: string, spec: PersistentVolumeSpec = {}, meta: object = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, ...meta },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: `/srv/${name}` },
    ...spec,
  },
});

const storageClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'kubernetes.io/no-provisioner',
  ...more,
});

function tools(world: Cloud) {
  const { client } = world;
  const getClaim = (name: string) => client.get<PersistentVolumeClaim>(claimsRef, 'default', name);
  const getVolume = (name: string) => client.get<PersistentVolume>(volumesRef, undefined, name);
  return {
    getClaim,
    getVolume,
    make: (...objects: readonly KubeObject[]) =>
      Promise.all(
        objects.map((object) =>
          client.create(
            object.kind === 'PersistentVolume'
              ? volumesRef
              : object.kind === 'StorageClass'
                ? classesRef
                : claimsRef,
            object,
          ),
        ),
      ),
    claimIs: (name: string, phase: string) =>
      world.until(`claim ${name} is ${phase}`, async () => (await getClaim(name)).status?.phase === phase),
    volumeIs: (name: string, phase: string) =>
      world.until(`volume ${name} is ${phase}`, async () => (await getVolume(name)).status?.phase === phase),
    told: async (name: string) =>
      (await world.list<Event>(events))
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason}: ${message}`),
  };
}

test('a claim gets the smallest volume that fits, by class, size, access, mode and labels', async (t) => {
  const world = await cloud(t, 1);
  const { make, claimIs, getClaim, getVolume, volumeIs } = tools(world);
  await make(storageClass('disk'));
  await make(
    volume('small', { capacity: { storage: '1Gi' } }),
    volume('large', { capacity: { storage: '5Gi' } }),
    volume('larger', { capacity: { storage: '6Gi' } }, { labels: { kind: 'ssd' } }),
    volume('classed', { storageClassName: 'disk' }),
    volume('shared', { accessModes: ['ReadWriteMany', 'ReadWriteOnce'], capacity: { storage: '2Gi' } }),
    volume('device', { volumeMode: 'Block', capacity: { storage: '9Gi' } }),
  );
  for (const name of ['small', 'large', 'larger', 'classed', 'shared', 'device'])
    await volumeIs(name, 'Available');
  const cases: readonly (readonly [string, ClaimSpec, string])[] = [
    ['by-size', { resources: { requests: { storage: '3Gi' } } }, 'large'],
    ['by-label', { selector: { matchLabels: { kind: 'ssd' } } }, 'larger'],
    ['by-class', { storageClassName: 'disk' }, 'classed'],
    ['by-access', { accessModes: ['ReadWriteMany'] }, 'shared'],
    ['by-mode', { volumeMode: 'Block' }, 'device'],
    ['any', {}, 'small'],
  ];
  for (const [name, spec, wanted] of cases) {
    await make(claim(name, spec));
    await claimIs(name, 'Bound');
    const bound = await getClaim(name);
    assert.equal(bound.spec?.volumeName, wanted, name);
    const has = await getVolume(wanted);
    assert.deepEqual(bound.status?.capacity, has.spec?.capacity);
    assert.deepEqual(bound.status?.accessModes, has.spec?.accessModes);
    assert.equal(has.spec?.claimRef?.uid, bound.metadata.uid);
    assert.equal(has.status?.phase, 'Bound');
    assert.deepEqual(bound.metadata.annotations, {
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    });
    assert.deepEqual(has.metadata.annotations, { 'pv.kubernetes.io/bound-by-controller': 'yes' });
  }
});

test('many claims that fit the same volumes get one each', async (t) => {
  const world = await cloud(t, 2);
  const { make, claimIs, getClaim } = tools(world);
  const names = Array.from({ length: 30 }, (_, at) => `${at}`);
  await make(...names.map((name) => claim(`claim-${name}`)));
  await world.run(500);
  const before = world.revision();
  await make(...names.map((name) => volume(`volume-${name}`)));
  for (const name of names) await claimIs(`claim-${name}`, 'Bound');
  const bound = await Promise.all(names.map((name) => getClaim(`claim-${name}`)));
  assert.equal(new Set(bound.map(({ spec }) => spec?.volumeName)).size, names.length);
  // Each volume made, reserved, called available and bound; each claim pointed and bound. Some slack for volumes that were seen before they were available.
  assert.ok(world.revision() - before <= names.length * 7, `${world.revision() - before} writes`);
});

test('claims and volumes that name each other are bound as they say, or say why not', async (t) => {
  const world = await cloud(t, 3);
  const { make, claimIs, getClaim, getVolume, told, volumeIs } = tools(world);
  await make(
    volume('wanted'),
    volume('reserved', { claimRef: { namespace: 'default', name: 'heir' } }),
    volume('little', { capacity: { storage: '1Mi' } }),
  );
  await volumeIs('reserved', 'Available');
  await make(
    claim('asks', { volumeName: 'wanted' }),
    claim('heir'),
    claim('greedy', { volumeName: 'little' }),
  );
  await claimIs('asks', 'Bound');
  await claimIs('heir', 'Bound');
  assert.equal((await getClaim('heir')).spec?.volumeName, 'reserved');
  assert.equal((await getVolume('reserved')).metadata.annotations, undefined, 'bound by hand');
  assert.equal(
    (await getClaim('asks')).metadata.annotations?.['pv.kubernetes.io/bound-by-controller'],
    undefined,
  );
  await make(claim('late', { volumeName: 'wanted' }));
  await world.run(500);
  assert.deepEqual(await told('late'), [
    'Warning FailedBinding: volume "wanted" already bound to a different claim.',
  ]);
  assert.deepEqual(await told('greedy'), [
    'Warning VolumeMismatch: Cannot bind to requested volume "little": requested PV is too small',
  ]);
  await make(claim('early', { volumeName: 'to-come' }));
  await make(volume('to-come'));
  await claimIs('early', 'Bound');
});

test('a claim without volumes says what it waits for', async (t) => {
  const world = await cloud(t, 4);
  const { make, told, getClaim } = tools(world);
  await make(
    storageClass('waits', { volumeBindingMode: 'WaitForFirstConsumer' }),
    storageClass('foreign', { provisioner: 'example.com/disk' }),
    storageClass('by-hand'),
  );
  await make(
    claim('none'),
    claim('missing', { storageClassName: 'not-there' }),
    claim('waiting', { storageClassName: 'waits' }),
    claim('outside', { storageClassName: 'foreign' }),
    claim('hand', { storageClassName: 'by-hand' }),
  );
  await world.run(1000);
  const texts: Readonly<Record<string, string>> = {
    none: 'Normal FailedBinding: no persistent volumes available for this claim and no storage class is set',
    missing: 'Warning ProvisioningFailed: storageclass.storage.k8s.io "not-there" not found',
    waiting: 'Normal WaitForFirstConsumer: waiting for first consumer to be created before binding',
    outside:
      "Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/disk' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    hand: 'Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner',
  };
  for (const [name, text] of Object.entries(texts)) assert.deepEqual(await told(name), [text]);
  assert.equal(
    (await getClaim('outside')).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'],
    'example.com/disk',
  );
  const before = world.revision();
  await world.run(60_000);
  assert.equal(world.revision(), before, 'waiting is quiet');
});

test('a claim that came before there was a default class gets it', async (t) => {
  const world = await cloud(t, 5);
  const { make, getClaim, told } = tools(world);
  await world.client.delete(classesRef, undefined, 'local');
  const { storageClassName: _, ...spec } = claim('early').spec ?? {};
  await make({ ...claim('early'), spec } as KubeObject);
  await world.run(500);
  assert.equal((await getClaim('early')).spec?.storageClassName, undefined);
  const metadata = {
    name: 'late',
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  };
  await make({
    ...storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' }),
    metadata,
  } as KubeObject);
  await world.until('has the class', async () => (await getClaim('early')).spec?.storageClassName === 'late');
  await world.run(500);
  assert.match((await told('early')).join('\n'), /WaitForFirstConsumer/);
});

test('a claim that goes leaves its volume released, and that is kept, deleted or failed', async (t) => {
  const world = await cloud(t, 6);
  const { make, claimIs, getVolume, volumeIs, told } = tools(world);
  const policies = ['Retain', 'Delete', 'Recycle'] as const;
  for (const policy of policies) {
    const name = policy.toLowerCase();
    await make(volume(name, { persistentVolumeReclaimPolicy: policy }));
    await make(claim(name, { volumeName: name }));
    await claimIs(name, 'Bound');
    await world.client.delete(claimsRef, 'default', name);
    await world.until(`claim ${name} has gone`, () => world.isGone(claimsRef, 'default', name));
  }
  await volumeIs('retain', 'Released');
  await volumeIs('delete', 'Failed');
  await volumeIs('recycle', 'Failed');
  assert.match(
    (await told('delete')).join('\n'),
    /Warning VolumeFailedDelete: error getting deleter volume plugin for volume "delete": no deletable volume plugin matched/,
  );
  assert.match(
    (await told('recycle')).join('\n'),
    /VolumeFailedRecycle: No recycler plugin found for the volume!/,
  );
  // Another claim of the same name is another claim.
  await make(claim('retain', { volumeName: 'retain' }));
  await world.run(1000);
  assert.equal((await getVolume('retain')).status?.phase, 'Released');
  await world.client.patch(volumesRef, undefined, 'retain', 'merge', { spec: { claimRef: null } });
  await claimIs('retain', 'Bound');
});

test('a bound claim and its volume stay while they are needed; what is lost is called lost', async (t) => {
  const world = await cloud(t, 7);
  const { make, claimIs, getClaim, getVolume, told } = tools(world);
  await make(volume('disk'), claim('data', { volumeName: 'disk' }));
  await claimIs('data', 'Bound');
  await world.client.delete(volumesRef, undefined, 'disk');
  await world.run(1000);
  assert.notEqual((await getVolume('disk')).metadata.deletionTimestamp, undefined);
  await world.client.patch(volumesRef, undefined, 'disk', 'merge', { metadata: { finalizers: null } });
  await claimIs('data', 'Lost');
  await world.run(500);
  assert.deepEqual((await getClaim('data')).status, { phase: 'Lost' });
  assert.match(
    (await told('data')).join('\n'),
    /Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!/,
  );
});

test('a volume whose claim took another is free again, or stays reserved where somebody reserved it', async (t) => {
  const world = await cloud(t, 8);
  const { make, claimIs, getVolume, volumeIs, getClaim } = tools(world);
  await make(volume('taken'), claim('data', { volumeName: 'taken' }));
  await claimIs('data', 'Bound');
  const { uid = '' } = (await getClaim('data')).metadata;
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: 'default',
    name: 'data',
    uid,
  };
  await make(
    volume('ours', { claimRef }, { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }),
    volume('theirs', { claimRef }),
  );
  await volumeIs('ours', 'Available');
  await volumeIs('theirs', 'Available');
  assert.equal((await getVolume('ours')).spec?.claimRef, undefined);
  assert.deepEqual((await getVolume('theirs')).spec?.claimRef, { namespace: 'default', name: 'data' });
  await world.run(1000);
  const before = world.revision();
  await world.run(30_000);
  assert.equal(world.revision(), before, 'at rest nothing is written');
});
