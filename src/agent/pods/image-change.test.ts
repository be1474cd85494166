import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podsRef } from '../objects.ts';
import { createWorld, podOf, status, type World } from './test-world.ts';

const setImage = (world: World, image: string) =>
  world.client.patch(podsRef, 'default', 'p', 'strategic', { spec: { containers: [{ name: 'c', image }] } });
const runs = (world: World, image: string, restartCount: number) => () =>
  status(world)?.state?.running !== undefined &&
  status(world)?.image === image &&
  status(world)?.restartCount === restartCount;

for (const restartPolicy of ['Always', 'Never'])
  test(`a container is started anew from the image that it is given, restart policy ${restartPolicy}`, async () => {
    const world = await createWorld();
    await world.client.create(podsRef, podOf({ restartPolicy, terminationGracePeriodSeconds: 1 }));
    await world.until('runs', runs(world, 'host.local/busybox', 0));
    await setImage(world, 'host.local/other');
    await world.until('told', () => world.pod()?.spec?.containers[0]?.image === 'host.local/other');
    assert.equal(status(world)?.image, 'host.local/busybox', 'as long as it runs it is what it was');
    const ends = new Set<string | undefined>();
    await world.until('stopped', () => {
      ends.add(Object.keys(status(world)?.state ?? {})[0]);
      return runs(world, 'host.local/other', 1)();
    });
    assert.ok(!ends.has('terminated'), 'with policy Never that would be final');
    await world.until('runs anew', runs(world, 'host.local/other', 1), 10_000);
    assert.ok(
      world.events.some((one) => one.includes('Container c definition changed, will be restarted')),
      world.events.join('\n'),
    );
    assert.equal(world.pod()?.status?.phase, 'Running');
  });

test('changes in a row make one restart; a change that is taken back makes none', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('runs', runs(world, 'host.local/busybox', 0));
  for (let n = 0; n < 5; n++) await setImage(world, `host.local/other${n}`);
  await world.until('runs anew', runs(world, 'host.local/other4', 1), 60_000);
  await setImage(world, 'host.local/wrong');
  await setImage(world, 'host.local/other4');
  await world.clock.advance(5000);
  assert.equal(status(world)?.restartCount, 1);
});

test('an agent that was away restarts what was changed meanwhile', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf({ terminationGracePeriodSeconds: 1 }));
  await world.until('runs', runs(world, 'host.local/busybox', 0));
  world.kill();
  await setImage(world, 'host.local/other');
  await world.restart();
  await world.until('runs anew', runs(world, 'host.local/other', 1), 10_000);
});

test('another image is tried at once, whatever the last one did', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf({ containers: [{ name: 'c', image: 'nowhere/x:1' }] }));
  await world.until('waits', () => status(world)?.state?.waiting?.reason === 'ImagePullBackOff', 60_000);
  await setImage(world, 'host.local/busybox');
  await world.until('runs', runs(world, 'host.local/busybox', 0), 2000);
  world.programs.set('c', { exitAfterMs: 100, exitCode: 1 });
  await setImage(world, 'host.local/crashes');
  await world.until('crashes', () => (status(world)?.restartCount ?? 0) >= 3, 120_000);
  world.programs.set('c', {});
  await setImage(world, 'host.local/good');
  const isGood = () =>
    status(world)?.state?.running !== undefined && status(world)?.image === 'host.local/good';
  await world.until('runs', isGood, 3000);
});
