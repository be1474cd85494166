import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../api/index.ts';
import { claimContent, claimReferencesOf } from './claim-content.ts';

const data: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'c' } };

const pod = (more: object = {}, volume: Volume = data): Pod =>
  ({
    metadata: { name: 'p', namespace: 'default', uid: 'pod' },
    spec: {
      containers: [{ name: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [volume],
    },
    ...more,
  }) as Pod;

const claim = (more: object = {}, metadata: object = {}): PersistentVolumeClaim =>
  ({
    metadata: { name: 'c', namespace: 'default', uid: 'claim', ...metadata },
    spec: { volumeName: 'v' },
    status: { phase: 'Bound' },
    ...more,
  }) as PersistentVolumeClaim;

const volume = (spec: object, metadata: object = {}): PersistentVolume =>
  ({
    metadata: { name: 'v', uid: 'volume', ...metadata },
    spec: { claimRef: { uid: 'claim' }, volumeMode: 'Filesystem', ...spec },
  }) as PersistentVolume;

const ours = { csi: { driver: 'local.caelum.dev', volumeHandle: 'pvc-1' } };
const content = (
  of: PersistentVolumeClaim | undefined,
  persistent: PersistentVolume | undefined,
  one: Pod = pod(),
  used: Volume = data,
) => claimContent(one, used, { claim: () => of, persistentVolume: () => persistent, nodeName: 'n' });

test('claimContent() is the folder, the path, or the path by type, of the volume', () => {
  const folder = { kind: 'volume', handle: 'pvc-1', volumeName: 'v', volumeUid: 'volume' };
  assert.deepEqual(content(claim(), volume(ours)), { ...folder, isMade: false, readOnly: false });
  const made = { annotations: { 'local.caelum.dev/made': 'true' }, labels: { 'local.caelum.dev/node': 'n' } };
  assert.deepEqual(content(claim(), volume(ours, made)), { ...folder, isMade: true, readOnly: false });
  const bounded = {
    capacity: { storage: '1Gi' },
    csi: { ...ours.csi, volumeAttributes: { enforce: 'true' } },
  };
  assert.deepEqual(content(claim(), volume(bounded)), {
    ...folder,
    isMade: false,
    readOnly: false,
    sizeBytes: 2 ** 30,
  });
  const readOnly: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'c', readOnly: true } };
  assert.deepEqual(content(claim(), volume({ local: { path: '/mnt/x' } }), pod({}, readOnly), readOnly), {
    kind: 'local',
    path: '/mnt/x',
    volumeName: 'v',
    readOnly: true,
  });
  assert.deepEqual(content(claim(), volume({ hostPath: { path: '/srv', type: 'Directory' } })), {
    kind: 'hostPath',
    path: '/srv',
    type: 'Directory',
    readOnly: false,
  });
  const own: Volume = { name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } };
  const owned = claim({}, { name: 'p-data', ownerReferences: [{ uid: 'pod', controller: true }] });
  assert.equal(content(owned, volume(ours), pod({}, own), own).kind, 'volume');
});

const unready = (why: string, name = 'c'): string =>
  `Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/${name}: ${why}`;
const failed = (why: string): string => `MountVolume.SetUp failed for volume "v" : ${why}`;
const going = claim({}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
const device = pod({
  spec: {
    containers: [{ name: 'main', volumeDevices: [{ name: 'data', devicePath: '/dev/x' }] }],
    volumes: [data],
  },
});

for (const [what, of, persistent, one, message] of [
  [
    'no claim',
    undefined,
    undefined,
    pod(),
    unready('failed to fetch PVC from API server: persistentvolumeclaims "c" not found'),
  ],
  [
    'a claim without a volume',
    claim({ spec: {}, status: { phase: 'Pending' } }),
    undefined,
    pod(),
    unready('PVC is not bound'),
  ],
  [
    'a claim that is not bound yet',
    claim({ status: { phase: 'Pending' } }),
    volume(ours),
    pod(),
    unready('PVC is not bound'),
  ],
  [
    'no volume',
    claim(),
    undefined,
    pod(),
    unready('failed to fetch PV v from API server: persistentvolumes "v" not found'),
  ],
  [
    'a volume of another',
    claim(),
    volume({ ...ours, claimRef: { uid: 'x' } }),
    pod(),
    unready('PV v spec.claimRef is not bound to the PVC'),
  ],
  ['a claim that goes', going, volume(ours), pod(), unready('PVC is being deleted')],
  [
    'a device that is mounted',
    claim(),
    volume({ ...ours, volumeMode: 'Block' }),
    pod(),
    unready('volume data has volumeMode Block, but is specified in volumeMounts'),
  ],
  [
    'files as a device',
    claim(),
    volume(ours),
    device,
    unready('volume data has volumeMode Filesystem, but is specified in volumeDevices'),
  ],
  [
    'a device',
    claim(),
    volume({ ...ours, volumeMode: 'Block' }),
    device,
    unready('block volumes are not supported by this node'),
  ],
  [
    'a folder of another node',
    claim(),
    volume(ours, { labels: { 'local.caelum.dev/node': 'far' } }),
    pod(),
    failed('its folder is on node "far", not on node "n"'),
  ],
  [
    'another driver',
    claim(),
    volume({ csi: { driver: 'd', volumeHandle: 'h' } }),
    pod(),
    failed(
      'kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name d not found in the list of registered CSI drivers',
    ),
  ],
  [
    'a network file system',
    claim(),
    volume({ accessModes: ['ReadWriteOnce'], capacity: { storage: '1' }, nfs: { server: 's', path: '/' } }),
    pod(),
    failed('volumes of type nfs are not supported by this node'),
  ],
] as const)
  test(`claimContent() says why there is none: ${what}`, () => {
    assert.throws(() => content(of, persistent, one), { code: 'invalid', message });
  });

test('claimContent() leaves a pod that has started what it has', () => {
  const running = pod({ status: { containerStatuses: [{ name: 'main', containerID: 'crun://x' }] } });
  assert.equal(content(going, volume(ours), running).kind, 'volume');
  const own: Volume = { name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } };
  assert.throws(() => content(claim({}, { name: 'p-data' }), volume(ours), pod({}, own), own), {
    message: unready('PVC default/p-data was not created for pod default/p (pod is not owner)', 'p-data'),
  });
});

test('claimReferencesOf() names claims, and their volumes as soon as these are known', () => {
  assert.deepEqual(
    claimReferencesOf(pod(), () => undefined),
    [{ kind: 'claim', name: 'c' }],
  );
  assert.deepEqual(
    claimReferencesOf(pod(), () => claim()),
    [
      { kind: 'claim', name: 'c' },
      { kind: 'persistentVolume', name: 'v' },
    ],
  );
});
