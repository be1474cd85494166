/** Containers with policies and rules of their own; pods that begin anew in place, killed wherever it hurts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '../../api/index.ts';
import { podsRef } from '../objects.ts';
import { createWorld, phaseIs, podOf } from './test-world.ts';

type World = Awaited<ReturnType<typeof createWorld>>;

const image = 'host.local/busybox';
const statusOf = (world: World, name: string) =>
  [
    ...(world.pod()?.status?.initContainerStatuses ?? []),
    ...(world.pod()?.status?.containerStatuses ?? []),
  ].find((status) => status.name === name);
const restartsOf = (world: World, name: string): number => statusOf(world, name)?.restartCount ?? 0;
const rule = (action: string, ...values: number[]): Partial<Container> => ({
  restartPolicy: 'Never',
  restartPolicyRules: [{ action, exitCodes: { operator: 'In', values } }],
});

test('a rule restarts its container, though all policies say Never; another code ends it', async () => {
  const world = await createWorld();
  world.programs.set('c', { exitAfterMs: 50, exitCode: 42 });
  const containers = [{ name: 'c', image, ...rule('Restart', 42) }];
  await world.client.create(podsRef, podOf({ restartPolicy: 'Never', containers }));
  await world.until('restarted', () => restartsOf(world, 'c') === 2);
  assert.equal(world.pod()?.status?.phase, 'Running');
  world.programs.set('c', { exitAfterMs: 50, exitCode: 7 });
  await world.until('ended', phaseIs(world, 'Failed'));
});

test('rules of a container without a policy of its own do not count; NotIn turns them round', async () => {
  const world = await createWorld();
  world.programs.set('c', { exitAfterMs: 50, exitCode: 42 });
  world.programs.set('d', { exitAfterMs: 50, exitCode: 0 });
  const { restartPolicyRules = [] } = rule('Restart', 42);
  const notIn = { action: 'Restart', exitCodes: { operator: 'NotIn', values: [1, 2] } };
  const containers = [
    { name: 'c', image, restartPolicyRules },
    { name: 'd', image, restartPolicy: 'Never', restartPolicyRules: [notIn] },
  ];
  await world.client.create(podsRef, podOf({ restartPolicy: 'Never', containers }));
  await world.until('d again', () => restartsOf(world, 'd') === 1);
  assert.equal(restartsOf(world, 'c'), 0);
  assert.equal(statusOf(world, 'c')?.state?.terminated?.exitCode, 42);
});

const gang = () =>
  podOf({
    restartPolicy: 'Never',
    initContainers: [
      { name: 'setup', image },
      { name: 'helper', image, restartPolicy: 'Always' },
    ],
    containers: [
      { name: 'worker', image },
      { name: 'done', image },
      { name: 'watcher', image, ...rule('RestartAllContainers', 88) },
    ],
  });

function gangPrograms(world: World): void {
  world.programs.set('setup', { exitAfterMs: 20, exitCode: 0 });
  world.programs.set('done', { exitAfterMs: 20, exitCode: 0 });
  // Would take its time: it is not asked.
  world.programs.set('worker', { terminate: { afterMs: 20_000, exitCode: 143 } });
}

const watcherOf = (world: World) =>
  [...world.host.containers.values()].find(
    ({ spec, state }) => spec.name === 'watcher' && state === 'running',
  );
const condition = (world: World) =>
  world.pod()?.status?.conditions?.find(({ type }) => type === 'AllContainersRestarting');
const runsAnew = (world: World, count: number) => () =>
  ['setup', 'helper', 'worker', 'done', 'watcher'].every((name) => restartsOf(world, name) >= count) &&
  statusOf(world, 'worker')?.state?.running !== undefined &&
  watcherOf(world) !== undefined &&
  condition(world)?.status === 'False';

test('RestartAllContainers begins the pod anew: init containers too, and what had ended well', async () => {
  const world = await createWorld();
  gangPrograms(world);
  await world.client.create(podsRef, gang());
  await world.until('runs', () => watcherOf(world) !== undefined);
  await world.until('done', () => statusOf(world, 'done')?.state?.terminated !== undefined);
  assert.equal(condition(world)?.status, 'False');
  const address = world.pod()?.status?.podIP;
  world.host.exit(watcherOf(world)?.id ?? '', 88, world.clock.nowMs());
  await world.until('anew', runsAnew(world, 1), 5000);
  assert.equal(world.pod()?.status?.podIP, address);
  assert.equal(world.pod()?.status?.phase, 'Running');
  assert.equal(statusOf(world, 'watcher')?.lastState?.terminated?.exitCode, 88);
  // And once more.
  world.host.exit(watcherOf(world)?.id ?? '', 88, world.clock.nowMs());
  await world.until('again', runsAnew(world, 2), 20_000);
});

test('RestartAllContainers is carried out however often the agent is killed', async () => {
  for (let killAfterMs = 0; killAfterMs < 120; killAfterMs += 8) {
    const world = await createWorld();
    gangPrograms(world);
    await world.client.create(podsRef, gang());
    await world.until('runs', () => watcherOf(world) !== undefined);
    await world.clock.advance(100);
    world.host.exit(watcherOf(world)?.id ?? '', 88, world.clock.nowMs());
    await world.clock.advance(killAfterMs);
    await world.restart();
    await world.clock.advance(killAfterMs % 11);
    await world.restart();
    await world.until(`anew (killed after ${killAfterMs} ms)`, runsAnew(world, 1), 60_000);
    await world.clock.advance(30_000);
    assert.ok(restartsOf(world, 'worker') <= 2, `${restartsOf(world, 'worker')} restarts`);
    assert.equal(world.pod()?.status?.phase, 'Running');
    world.kill();
  }
});
