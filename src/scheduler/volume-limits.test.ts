import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CSINode,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../api/index.ts';
import { SeededRandom } from '../lib/index.ts';
import { plan, waitMessage } from './plan.ts';
import { Snapshot } from './snapshot.ts';

const drivers = ['fast.example.com', 'slow.example.com'];
const node = (name: string): Node => ({
  metadata: { name },
  status: { allocatable: { cpu: '64', memory: '64Gi', pods: '110' } },
});
const csiNode = (name: string, counts: readonly (number | undefined)[]): CSINode => ({
  metadata: { name },
  spec: {
    drivers: counts.map((count, at) => ({
      name: drivers[at] ?? '',
      nodeID: name,
      ...(count !== undefined && { allocatable: { count } }),
    })),
  },
});
const storageClass = (at: number): StorageClass => ({
  metadata: { name: `class-${at}` },
  provisioner: drivers[at] ?? '',
  volumeBindingMode: 'WaitForFirstConsumer',
});
const claim = (name: string, at: number, volumeName?: string): PersistentVolumeClaim => ({
  metadata: {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    resourceVersion: '1',
    ...(volumeName !== undefined && { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }),
  },
  spec: {
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: `class-${at}`,
    ...(volumeName !== undefined && { volumeName }),
  },
  status: { phase: volumeName === undefined ? 'Pending' : 'Bound' },
});
const volume = (name: string, at: number, handle: string): PersistentVolume => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteMany'],
    capacity: { storage: '1Gi' },
    storageClassName: `class-${at}`,
    csi: { driver: drivers[at] ?? '', volumeHandle: handle },
  },
  status: { phase: 'Bound' },
});
const pod = (name: string, claims: readonly string[]): Pod => ({
  metadata: { name, namespace: 'default', uid: `pod-${name}` },
  spec: {
    containers: [{ name: 'c', image: 'i' }],
    volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  },
});

function snapshotOf(limits: readonly (readonly (number | undefined)[])[]): Snapshot {
  const snapshot = new Snapshot();
  for (const [at, counts] of limits.entries()) {
    snapshot.setNode(node(`n${at}`));
    snapshot.volumes.limits.setNode(csiNode(`n${at}`, counts));
  }
  for (const at of drivers.keys()) snapshot.volumes.setClass(storageClass(at));
  return snapshot;
}

function place(snapshot: Snapshot, one: Pod): string {
  const [step] = plan(snapshot, [{ key: `default/${one.metadata.name}`, pod: one }]);
  if (step?.kind !== 'wait') return step?.nodeName ?? '';
  return waitMessage(step.nodes, step.refused, step.unresolved);
}

test('plan() attaches no more volumes to a node than its driver allows', () => {
  const snapshot = snapshotOf([[2, undefined]]);
  for (const [name, at] of [
    ['a', 0],
    ['b', 0],
    ['c', 0],
    ['d', 1],
  ] as const)
    snapshot.volumes.setClaim(claim(name, at));
  assert.equal(place(snapshot, pod('p', ['a', 'b'])), 'n0');
  assert.equal(
    place(snapshot, pod('q', ['c'])),
    '0/1 nodes are available: 1 node(s) exceed max volume count.',
  );
  assert.equal(
    place(snapshot, pod('r', ['a', 'd'])),
    'n0',
    'one that is there already is attached once; another driver has no limit',
  );
  snapshot.volumes.limits.setNode(csiNode('n0', [3]));
  assert.equal(place(snapshot, pod('q', ['c'])), 'n0');
});

test('plan() counts a volume under two claims once, and what is attached for nobody that is known', () => {
  const snapshot = snapshotOf([[2]]);
  snapshot.volumes.setVolume(volume('v1', 0, 'h1'));
  snapshot.volumes.setVolume(volume('v2', 0, 'h1'));
  snapshot.volumes.setVolume(volume('v3', 0, 'h3'));
  for (const [name, of] of [
    ['a', 'v1'],
    ['b', 'v2'],
    ['c', 'v3'],
  ] as const)
    snapshot.volumes.setClaim(claim(name, 0, of));
  const attachment = (name: string, persistentVolumeName: string) => ({
    metadata: { name },
    spec: { attacher: drivers[0] ?? '', nodeName: 'n0', source: { persistentVolumeName } },
  });
  snapshot.volumes.limits.setAttachment(attachment('known', 'v1'));
  snapshot.volumes.limits.setAttachment(attachment('old', 'gone'));
  assert.equal(place(snapshot, pod('p', ['a', 'b'])), 'n0');
  assert.match(place(snapshot, pod('q', ['c'])), /node\(s\) exceed max volume count/);
  snapshot.volumes.limits.removeAttachment('old');
  assert.equal(place(snapshot, pod('q', ['c'])), 'n0');
});

test('plan() keeps to the limits of volumes as a count of all pods would have it', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(`limits/${seed}`);
    const limits = Array.from({ length: 1 + random.integer(3) }, () =>
      drivers.map(() => (random.float() < 0.2 ? undefined : random.integer(4))),
    );
    const snapshot = snapshotOf(limits);
    const driverOf = new Map<string, number>();
    for (let at = 0; at < 8; at++) {
      driverOf.set(`c${at}`, random.integer(2));
      snapshot.volumes.setClaim(claim(`c${at}`, driverOf.get(`c${at}`) ?? 0));
    }
    const on: Set<string>[] = limits.map(() => new Set());
    const fits = (names: readonly string[], row: number): boolean => {
      const all = new Set([...(on[row] ?? []), ...names]);
      return drivers.every((_, driver) => {
        const ofDriver = (list: Iterable<string>): number =>
          [...list].filter((name) => driverOf.get(name) === driver).length;
        const isMore = ofDriver(all) > ofDriver(on[row] ?? []);
        return !isMore || ofDriver(all) <= (limits[row]?.[driver] ?? Number.POSITIVE_INFINITY);
      });
    };
    for (let at = 0; at < 10; at++) {
      const names = [
        ...new Set(Array.from({ length: 1 + random.integer(3) }, () => `c${random.integer(8)}`)),
      ];
      // Those that a volume is being made for elsewhere go there.
      const free = names.filter((name) => !on.some((one) => one.has(name)));
      if (free.length === 0) continue;
      const placed = place(snapshot, pod(`p${at}`, free));
      const row = Number(placed.slice(1));
      if (placed.startsWith('n')) {
        assert.ok(fits(free, row), `seed ${seed}: ${free} on ${placed}`);
        for (const name of free) on[row]?.add(name);
      } else assert.ok(!limits.some((_, each) => fits(free, each)), `seed ${seed}: ${free}: ${placed}`);
    }
  }
});
