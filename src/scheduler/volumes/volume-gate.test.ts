import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CSINode,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttachment,
} from '../../api/index.ts';
import { plan, type Step, waitMessage } from '../plan.ts';
import { Snapshot } from '../snapshot.ts';
import { volumeRefusals } from './storage-node.ts';

const driver = 'disk.example.com';

const node = (name: string, storage = '100Gi'): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': storage } },
  }) as Node;

const claim = (name: string, volumeName?: string): PersistentVolumeClaim =>
  ({
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      ...(volumeName && { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }),
    },
    spec: {
      accessModes: ['ReadWriteMany'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'later',
      ...(volumeName && { volumeName }),
    },
    status: { phase: 'Pending' },
  }) as PersistentVolumeClaim;

const volume = (name: string, spec: object): PersistentVolume =>
  ({
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteMany'],
      capacity: { storage: '1Gi' },
      storageClassName: 'later',
      ...spec,
    },
    status: { phase: 'Available' },
  }) as PersistentVolume;

const attachedBy = (handle: string, claimName: string): object => ({
  csi: { driver, volumeHandle: handle },
  claimRef: { namespace: 'default', name: claimName, uid: claimName },
});

const on = (name: string): object => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] },
      ],
    },
  },
});

const limited = (name: string, count: number): CSINode => ({
  metadata: { name },
  spec: { drivers: [{ name: driver, nodeID: name, allocatable: { count } }] },
});

const attachment = (nodeName: string, persistentVolumeName: string): VolumeAttachment =>
  ({
    metadata: { name: `${nodeName}-${persistentVolumeName}` },
    spec: { attacher: driver, nodeName, source: { persistentVolumeName } },
  }) as VolumeAttachment;

function cloud(provisioner: string, ...nodes: readonly Node[]): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  const storageClass = {
    metadata: { name: 'later' },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  snapshot.volumes.setClass(storageClass as StorageClass);
  return snapshot;
}

/** Node by node, or why it waits. */
function place(snapshot: Snapshot, name: string, ...claims: readonly string[]): string {
  const pod = {
    metadata: { name, namespace: 'default', uid: name },
    spec: {
      containers: [{ name: 'c' }],
      preemptionPolicy: 'Never',
      volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    },
  } as unknown as Pod;
  const [step] = plan(snapshot, [{ key: `default/${name}`, pod }]) as readonly [Step];
  if (step.kind === 'bind') return step.nodeName;
  return waitMessage(step.nodes, step.refused, step.unresolved).replace(/^0\/\d+ nodes are available: /, '');
}

test('VolumeGate counts volumes of a node up to its limit, and hears of another limit', () => {
  const snapshot = cloud(driver, node('a'));
  snapshot.volumes.limits.setNode(limited('a', 2));
  for (const name of ['c1', 'c2', 'c3', 'c4']) snapshot.volumes.setClaim(claim(name));
  assert.equal(place(snapshot, 'p1', 'c1'), 'a');
  assert.equal(place(snapshot, 'p2', 'c2'), 'a');
  assert.equal(place(snapshot, 'p3', 'c3'), `1 ${volumeRefusals.limit}.`);
  snapshot.volumes.limits.setNode(limited('a', 3));
  assert.equal(place(snapshot, 'p3', 'c3'), 'a');
  snapshot.volumes.limits.removeNode('a');
  assert.equal(place(snapshot, 'p4', 'c4'), 'a');
});

test('VolumeGate counts a volume once, whoever has it attached', () => {
  const snapshot = cloud(driver, node('a'), node('b'));
  for (const name of ['a', 'b']) snapshot.volumes.limits.setNode(limited(name, 1));
  const { volumes } = snapshot;
  volumes.setVolume(volume('v1', attachedBy('h1', 'c1')));
  volumes.setVolume(volume('v2', attachedBy('h2', 'c2')));
  volumes.setClaim(claim('c1', 'v1'));
  volumes.setClaim(claim('c2', 'v2'));
  volumes.limits.setAttachment(attachment('a', 'v2'));
  assert.equal(place(snapshot, 'p1', 'c1'), 'b');
  // Both have one already: this one on a, and that of the pod on b.
  assert.equal(place(snapshot, 'p2', 'c2'), 'a');
  assert.equal(place(snapshot, 'p3', 'c1'), 'b');
  volumes.setVolume(volume('v3', attachedBy('h3', 'c3')));
  volumes.setClaim(claim('c3', 'v3'));
  assert.equal(place(snapshot, 'p4', 'c3'), `2 ${volumeRefusals.limit}.`);
  // Another volume of the same disk.
  volumes.setVolume(volume('v4', attachedBy('h1', 'c4')));
  volumes.setClaim(claim('c4', 'v4'));
  assert.equal(place(snapshot, 'p5', 'c4'), 'b');
  snapshot.removePod('default/p2');
  volumes.limits.removeAttachment('a-v2');
  assert.equal(place(snapshot, 'p4', 'c3'), 'a');
});

test('VolumeGate hears that what is attached for a claim is another volume', () => {
  const snapshot = cloud(driver, node('a'));
  const { volumes } = snapshot;
  volumes.limits.setNode(limited('a', 2));
  for (const name of ['c1', 'c2', 'c3']) volumes.setClaim(claim(name));
  assert.equal(place(snapshot, 'p1', 'c1'), 'a');
  assert.equal(place(snapshot, 'p2', 'c2'), 'a');
  assert.equal(place(snapshot, 'p3', 'c3'), `1 ${volumeRefusals.limit}.`);
  // Both are the same disk, as it turns out.
  for (const name of ['c1', 'c2']) {
    volumes.setVolume(volume(`v-${name}`, attachedBy('same', name)));
    volumes.setClaim(claim(name, `v-${name}`));
  }
  for (const name of ['p1', 'p2']) volumes.release(`default/${name}`);
  assert.equal(place(snapshot, 'p3', 'c3'), 'a');
});

test('VolumeGate hears of volumes that come, are taken and are free again', () => {
  const snapshot = cloud('kubernetes.io/no-provisioner', node('a'), node('b'));
  const { volumes } = snapshot;
  for (const name of ['c1', 'c2', 'c3']) volumes.setClaim(claim(name));
  assert.equal(place(snapshot, 'p1', 'c1'), `2 ${volumeRefusals.bind}.`);
  volumes.setVolume(volume('v1', on('b')));
  assert.equal(place(snapshot, 'p1', 'c1'), 'b');
  assert.equal(place(snapshot, 'p2', 'c2'), `2 ${volumeRefusals.bind}.`);
  volumes.setVolume(volume('v2', on('a')));
  assert.equal(place(snapshot, 'p2', 'c2'), 'a');
  volumes.release('default/p1');
  snapshot.removePod('default/p1');
  assert.equal(place(snapshot, 'p3', 'c3'), 'b');
  volumes.removeVolume('v1');
  assert.equal(place(snapshot, 'p1', 'c1'), `2 ${volumeRefusals.bind}.`);
});

test('VolumeGate hears that a disk is of another size', () => {
  const snapshot = cloud('caelum.dev/local', node('a', '1Mi'));
  for (const name of ['c1', 'c2']) snapshot.volumes.setClaim(claim(name));
  assert.equal(place(snapshot, 'p1', 'c1'), `1 ${volumeRefusals.space}.`);
  snapshot.setNode(node('a', '10Gi'));
  assert.equal(place(snapshot, 'p2', 'c2'), 'a');
});
