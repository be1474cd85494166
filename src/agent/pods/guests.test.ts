/** Ephemeral containers: guests in a pod, of which nothing of the pod depends. On real containers: `scenarios/conformance-debug.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EphemeralContainer } from '../../api/index.ts';
import { podsRef } from '../objects.ts';
import { createWorld, phaseIs, podOf, ready } from './test-world.ts';

type World = Awaited<ReturnType<typeof createWorld>>;

async function add(world: World, name: string, more: Partial<EphemeralContainer> = {}): Promise<void> {
  const spec = { ephemeralContainers: [{ name, image: 'host.local/busybox', ...more }] };
  const options = { subresource: 'ephemeralcontainers' };
  await world.client.patch(podsRef, 'default', 'p', 'strategic', { spec }, options);
}

const guest = (world: World, name: string) =>
  world.pod()?.status?.ephemeralContainerStatuses?.find((status) => status.name === name);
const runs = (world: World, name: string) => () => guest(world, name)?.state?.running !== undefined;

test('a guest runs once, is not waited for, and is found again by the next agent', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('ready', () => ready(world));
  world.programs.set('once', { exitAfterMs: 100, exitCode: 1 });
  await add(world, 'once');
  await add(world, 'stays');
  await world.until('over', () => guest(world, 'once')?.state?.terminated?.exitCode === 1);
  await world.until('runs', runs(world, 'stays'));
  assert.ok(ready(world));
  assert.equal(guest(world, 'stays')?.ready, false);
  const before = guest(world, 'stays')?.containerID;
  await world.restart();
  await world.clock.advance(60_000);
  assert.equal(guest(world, 'stays')?.containerID, before);
  assert.deepEqual([guest(world, 'once')?.restartCount, guest(world, 'stays')?.restartCount], [0, 0]);
  assert.ok(world.events.includes('p Started: Started container stays'));
});

test('a guest starts though an init container fails', async () => {
  const world = await createWorld();
  world.programs.set('init', { exitAfterMs: 10, exitCode: 1 });
  const initContainers = [{ name: 'init', image: 'host.local/busybox' }];
  await world.client.create(podsRef, podOf({ initContainers }));
  await add(world, 'look');
  await world.until('runs', runs(world, 'look'));
  assert.equal(world.pod()?.status?.phase, 'Pending');
});

test('guests go when the pod is over', async () => {
  const world = await createWorld();
  world.programs.set('c', { exitAfterMs: 500, exitCode: 0 });
  await world.client.create(podsRef, podOf({ restartPolicy: 'Never' }));
  await world.until('Running', phaseIs(world, 'Running'));
  await add(world, 'look');
  await world.until('runs', runs(world, 'look'));
  await world.until('Succeeded', phaseIs(world, 'Succeeded'));
  await world.until('ended', () => guest(world, 'look')?.state?.terminated !== undefined);
});

test('a guest that has a target waits for it', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('ready', () => ready(world));
  await add(world, 'spy', { targetContainerName: 'c' });
  await world.until('runs', runs(world, 'spy'));
  const [main] = world.pod()?.status?.containerStatuses ?? [];
  const found = [...world.host.containers.values()].find(({ spec }) => spec.name === 'spy');
  assert.ok(main?.containerID?.endsWith(found?.spec.targetId ?? 'none'));
});

test('a guest whose target has not begun says so', async () => {
  const world = await createWorld();
  world.programs.set('init', {});
  const initContainers = [{ name: 'init', image: 'host.local/busybox' }];
  await world.client.create(podsRef, podOf({ initContainers }));
  await add(world, 'spy', { targetContainerName: 'c' });
  await world.until(
    'waits',
    () => guest(world, 'spy')?.state?.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.equal(guest(world, 'spy')?.state?.waiting?.message, 'unable to find target container c');
});
