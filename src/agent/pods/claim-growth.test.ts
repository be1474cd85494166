/** Claims of volumes that are held to their size: what a node says of them when they have grown, and when they cannot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim, Volume } from '../../api/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, podsRef } from '../objects.ts';
import { createWorld, podOf, ready } from './test-world.ts';

type World = Awaited<ReturnType<typeof createWorld>>;

const handle = 'pvc-00000000-0000-4000-8000-000000000001';

async function begin(): Promise<World> {
  const world = await createWorld();
  const claim: PersistentVolumeClaim = {
    metadata: { name: 'data', namespace: 'default', uid: 'claim' },
    spec: { volumeName: handle },
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  };
  const volume: PersistentVolume = {
    metadata: { name: handle, uid: 'volume', labels: { 'local.caelum.dev/node': 'n1' } },
    spec: {
      capacity: { storage: '1Gi' },
      csi: { driver: 'local.caelum.dev', volumeHandle: handle, volumeAttributes: { enforce: 'true' } },
      claimRef: { namespace: 'default', name: 'data', uid: 'claim' },
    },
  };
  world.client.seed(persistentVolumeClaimsRef, claim);
  world.client.seed(persistentVolumesRef, volume);
  const volumes: Volume[] = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  await world.client.create(podsRef, podOf({ volumes }));
  await world.until('ready', () => ready(world));
  return world;
}

const claimIn = (world: World) =>
  world.client.peek<PersistentVolumeClaim>(persistentVolumeClaimsRef, 'default/data')?.status;

async function raise(world: World): Promise<void> {
  const conditions = [
    { type: 'FileSystemResizePending', status: 'True' },
    { type: 'Other', status: 'True' },
  ];
  const status = { conditions, allocatedResourceStatuses: { storage: 'NodeResizePending' } };
  const options = { subresource: 'status' };
  await world.client.patch(persistentVolumeClaimsRef, 'default', 'data', 'merge', { status }, options);
  const spec = { capacity: { storage: '2Gi' } };
  await world.client.patch(persistentVolumesRef, undefined, handle, 'merge', { spec });
}

test('a volume that was raised is grown while its pod runs, and its claim says so', async () => {
  const world = await begin();
  assert.equal(claimIn(world)?.capacity?.['storage'], '1Gi');
  await raise(world);
  await world.until('grown', () => claimIn(world)?.capacity?.['storage'] === '2Gi');
  assert.deepEqual(claimIn(world), {
    phase: 'Bound',
    capacity: { storage: '2Gi' },
    allocatedResources: { storage: '2Gi' },
    conditions: [{ type: 'Other', status: 'True' }],
  });
  const told = `p FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "${handle}" n1`;
  assert.ok(world.events.includes(told));
});

test('a volume that cannot grow leaves its pod alone, and is tried again', async () => {
  const world = await begin();
  world.disk.sizes.set(handle, { sizeBytes: 2 ** 30, problem: 'no room' });
  await raise(world);
  const failed = `p VolumeResizeFailed: NodeExpandVolume.NodeExpandVolume failed for volume "${handle}" : no room`;
  await world.until('told', () => world.events.includes(failed));
  assert.ok(ready(world));
  assert.equal(claimIn(world)?.capacity?.['storage'], '1Gi');
  world.disk.sizes.delete(handle);
  await world.until('grown', () => claimIn(world)?.capacity?.['storage'] === '2Gi');
});
