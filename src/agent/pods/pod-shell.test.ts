import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapsRef, podsRef } from '../objects.ts';
import { createWorld, phaseIs, podOf, ready, status } from './test-world.ts';

test('PodShell runs a pod and says so', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('Running', phaseIs(world, 'Running'), 2000);
  const pod = world.pod();
  assert.equal(pod?.status?.podIP, '10.44.0.2');
  assert.ok(ready(world));
  assert.match(status(world)?.containerID ?? '', /^fake:\/\/[0-9a-f]{64}$/);
  assert.deepEqual(
    world.events.map((line) => line.split(':')[0]),
    ['p Pulling', 'p Pulled', 'p Created', 'p Started'],
  );
  const [container] = [...world.host.containers.values()];
  const env = new Map(container?.spec.env);
  assert.equal(env.get('KUBERNETES_SERVICE_HOST'), '10.96.0.1');
  assert.equal(env.get('HOSTNAME'), 'p');
});

test('PodShell stops, cleans up and deletes a terminating pod', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('Running', phaseIs(world, 'Running'));
  await world.client.delete(podsRef, 'default', 'p');
  await world.until('gone', () => world.pod() === undefined, 3000);
  await world.until('forgotten', () => [...world.shell.workers()].length === 0, 1000);
  assert.equal(world.host.containers.size, 0);
  assert.equal(world.host.sandboxes.size, 0);
  assert.equal(world.images.roots.size, 0);
  assert.equal((await world.network.list()).length, 0);
  assert.equal((await world.disk.list()).length, 0);
});

// Found by simulation (seeds 16, 38): what failed was taken for not having been.
test('PodShell removes also what was made by a call that failed', async () => {
  const world = await createWorld();
  const { runtime, images } = world;
  const failAfter = async <T>(made: Promise<T>): Promise<T> => {
    await made;
    throw new Error('input/output error');
  };
  const createSandbox = runtime.createSandbox.bind(runtime);
  const mountRoot = images.mountRoot.bind(images);
  runtime.createSandbox = (spec) => failAfter(createSandbox(spec));
  images.mountRoot = (image, key) => failAfter(mountRoot(image, key));
  await world.client.create(podsRef, podOf());
  await world.until('made', () => world.host.sandboxes.size === 1 && images.roots.size === 1, 5000);
  await world.client.delete(podsRef, 'default', 'p');
  await world.until('gone', () => world.pod() === undefined, 120_000);
  await world.clock.advance(5000);
  assert.deepEqual([world.host.sandboxes.size, images.roots.size], [0, 0]);
});

test('PodShell kills what ignores SIGTERM when the grace period is over', async () => {
  const world = await createWorld();
  world.programs.set('c', { terminate: 'ignore' });
  await world.client.create(podsRef, podOf({ terminationGracePeriodSeconds: 5 }));
  await world.until('Running', phaseIs(world, 'Running'));
  const before = world.clock.nowMs();
  await world.client.delete(podsRef, 'default', 'p');
  await world.until('gone', () => world.pod() === undefined, 10_000);
  const took = world.clock.nowMs() - before;
  assert.ok(took >= 3900 && took <= 6000, `took ${took} ms`);
});

test('PodShell restarts a crashing container with growing back-off', async () => {
  const world = await createWorld();
  world.programs.set('c', { exitAfterMs: 100, exitCode: 3 });
  await world.client.create(podsRef, podOf());
  await world.until('back-off', () => status(world)?.state?.waiting?.reason === 'CrashLoopBackOff');
  const uid = world.pod()?.metadata.uid;
  assert.equal(
    status(world)?.state?.waiting?.message,
    `back-off 10s restarting failed container=c pod=p_default(${uid})`,
  );
  assert.equal(status(world)?.lastState?.terminated?.exitCode, 3);
  await world.until('restarts', () => status(world)?.restartCount === 3, 60_000);
  await world.until(
    'back-off 20s',
    () =>
      status(world)?.state?.waiting?.message?.startsWith('back-off 20s') === true ||
      status(world)?.state?.waiting?.message?.startsWith('back-off 40s') === true,
  );
  assert.ok(world.host.containers.size <= 2, 'old attempts are removed');
});

test('PodShell ends pods by restart policy', async () => {
  const world = await createWorld();
  world.programs.set('c', { exitAfterMs: 100, exitCode: 0 });
  world.programs.set('bad', { exitAfterMs: 100, exitCode: 1 });
  await world.client.create(podsRef, podOf({ restartPolicy: 'OnFailure' }, 'good'));
  const containers = [{ name: 'bad', image: 'host.local/busybox' }];
  await world.client.create(podsRef, podOf({ restartPolicy: 'Never', containers }, 'bad'));
  await world.until('Succeeded', phaseIs(world, 'Succeeded', 'good'), 5000);
  await world.until('Failed', phaseIs(world, 'Failed', 'bad'), 5000);
  assert.equal(world.pod('bad')?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 1);
  await world.until(
    'network returned',
    () => [...world.shell.workers()].every((worker) => worker.state.attachment === undefined),
    2000,
  );
  await world.client.delete(podsRef, 'default', 'bad');
  await world.until('gone', () => world.pod('bad') === undefined, 2000);
});

test('PodShell runs init containers in order, then sidecars beside the main ones', async () => {
  const world = await createWorld();
  const order: string[] = [];
  const starts = world.host;
  for (const name of ['one', 'two']) world.programs.set(name, { exitAfterMs: 100 });
  await world.client.create(
    podsRef,
    podOf({
      initContainers: [
        { name: 'one', image: 'host.local/busybox' },
        { name: 'side', image: 'host.local/busybox', restartPolicy: 'Always' },
        { name: 'two', image: 'host.local/busybox' },
      ],
    }),
  );
  await world.until('ready', () => {
    for (const { spec } of starts.containers.values()) if (!order.includes(spec.name)) order.push(spec.name);
    return ready(world);
  });
  assert.deepEqual(order, ['one', 'side', 'two', 'c']);
  assert.equal(world.pod()?.status?.initContainerStatuses?.[1]?.ready, true);
});

test('PodShell finds its containers again after kill -9, and reports what ended meanwhile', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.client.create(podsRef, podOf({}, 'q'));
  await world.client.create(podsRef, podOf({}, 'r'));
  for (const name of ['p', 'q', 'r']) await world.until('Running', phaseIs(world, 'Running', name));
  const ids = [...world.host.containers.keys()];
  const idOf = (name: string) =>
    world.pod(name)?.status?.containerStatuses?.[0]?.containerID?.replace('fake://', '') ?? '';
  const crashed = idOf('q');
  world.kill();
  world.runtime.exitContainer(crashed, 9);
  world.client.remove(podsRef, 'default/r');
  await world.restart();
  await world.until(
    'q restarted',
    () => world.pod('q')?.status?.containerStatuses?.[0]?.restartCount === 1,
    5000,
  );
  await world.until('r cleaned', () => [...world.shell.workers()].length === 2, 5000);
  assert.equal(world.pod('q')?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 9);
  assert.equal(idOf('p'), ids[0]);
  assert.equal(status(world)?.restartCount, 0);
  assert.ok(ready(world));
});

test('PodShell makes the network anew after the machine was restarted, and starts the pods again', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('Running', phaseIs(world, 'Running'));
  const address = world.pod()?.status?.podIP;
  world.kill();
  world.host.powerCut(world.clock.nowMs(), false);
  world.network.powerCut();
  await world.restart();
  await world.until('restarted', () => status(world)?.restartCount === 1 && ready(world), 60_000);
  assert.equal(world.pod()?.status?.podIP, address);
  assert.deepEqual(
    [...world.network.attachments.values()].map(({ isWhole }) => isWhole),
    [true],
  );
  assert.equal(world.host.sandboxes.size, 1);
});

test('PodShell waits with ErrImagePull, then ImagePullBackOff, then pulls again', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf({ containers: [{ name: 'c', image: 'nowhere/x:1' }] }));
  await world.until('ErrImagePull', () => status(world)?.state?.waiting?.reason === 'ErrImagePull', 2000);
  await world.until(
    'ImagePullBackOff',
    () => status(world)?.state?.waiting?.reason === 'ImagePullBackOff',
    5000,
  );
  world.images.offer('nowhere/x:1', { command: ['run'] });
  await world.until('Running', phaseIs(world, 'Running'), 30_000);
});

test('PodShell waits with CreateContainerConfigError until the ConfigMap is there', async () => {
  const world = await createWorld();
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'm', key: 'k' } } }];
  await world.client.create(
    podsRef,
    podOf({ containers: [{ name: 'c', image: 'host.local/busybox', env }] }),
  );
  await world.until(
    'waiting',
    () => status(world)?.state?.waiting?.reason === 'CreateContainerConfigError',
    3000,
  );
  assert.equal(status(world)?.state?.waiting?.message, 'configmap "m" not found');
  await world.client.create(configMapsRef, {
    metadata: { name: 'm', namespace: 'default' },
    data: { k: 'v' },
  } as never);
  await world.until('Running', phaseIs(world, 'Running'), 2000);
  const [container] = [...world.host.containers.values()];
  assert.equal(new Map(container?.spec.env).get('A'), 'v');
});

test('PodShell follows readiness and restarts on failed liveness', async () => {
  const world = await createWorld();
  world.probe = () => ({ ok: false, output: 'HTTP probe failed with statuscode: 500' });
  const probe = { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 3 };
  const containers = [
    { name: 'c', image: 'host.local/busybox', readinessProbe: probe, livenessProbe: probe },
  ];
  await world.client.create(podsRef, podOf({ containers }));
  await world.until('Running', phaseIs(world, 'Running'));
  assert.equal(ready(world), false);
  await world.until('restarted', () => (status(world)?.restartCount ?? 0) >= 1, 20_000);
  assert.ok(
    world.events.some((line) =>
      line.includes('Killing: Container c failed liveness probe, will be restarted'),
    ),
  );
  assert.ok(
    world.events.some((line) => line.includes('Unhealthy: Readiness probe failed: HTTP probe failed')),
  );
  world.probe = () => ({ ok: true, output: '' });
  await world.until('ready', () => ready(world), 20_000);
});

test('PodShell fails a start that the runtime refuses, by policy', async () => {
  const world = await createWorld();
  world.programs.set('c', { failToStart: 'exec: "nope": executable file not found in $PATH' });
  await world.client.create(podsRef, podOf({ restartPolicy: 'Never' }));
  await world.until('Failed', phaseIs(world, 'Failed'), 3000);
  assert.equal(status(world)?.state?.terminated?.reason, 'StartError');
  assert.equal(status(world)?.state?.terminated?.exitCode, 128);
});

test('PodShell goes on while the API server is away', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf());
  await world.until('Running', phaseIs(world, 'Running'));
  world.client.intercept = () => new Error('connection refused');
  world.client.dropWatches(new Error('connection refused'));
  const [id = ''] = [...world.host.containers.keys()];
  world.runtime.exitContainer(id, 1);
  await world.until(
    'restarted',
    () =>
      [...world.host.containers.values()].some((item) => item.spec.attempt === 1 && item.state === 'running'),
    5000,
  );
  world.client.intercept = undefined;
  await world.until('reported', () => status(world)?.restartCount === 1, 60_000);
});

test('PodShell fails a pod whose deadline is over', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, podOf({ activeDeadlineSeconds: 5 }));
  await world.until('Failed', phaseIs(world, 'Failed'), 8000);
  assert.equal(world.pod()?.status?.reason, 'DeadlineExceeded');
  await world.until(
    'stopped',
    () => [...world.host.containers.values()].every((item) => item.state === 'exited'),
    5000,
  );
  await world.until('terminated', () => status(world)?.state?.terminated !== undefined, 2000);
});

// Found on a real machine: a container that was being started when the cloud was taken down stayed behind.
test('settled() waits for what was begun before stop()', async () => {
  const world = await createWorld();
  const { runtime } = world;
  const gate = Promise.withResolvers<void>();
  const startContainer = runtime.startContainer.bind(runtime);
  let started = 0;
  runtime.startContainer = async (spec) => {
    await gate.promise;
    const status = await startContainer(spec);
    started++;
    return status;
  };
  await world.client.create(podsRef, podOf());
  await world.until('begins', () => world.host.sandboxes.size === 1, 5000);
  await world.clock.advance(100);
  world.shell.stop();
  let isSettled = false;
  const settled = world.shell.settled().then(() => {
    isSettled = true;
  });
  await world.clock.advance(1000);
  assert.deepEqual([isSettled, started], [false, 0]);
  gate.resolve();
  await world.clock.advance(1000);
  await settled;
  assert.equal(started, 1);
});

// Found on a real machine: three ConfigMaps that changed at once, of which a pod saw one.
test('volumes follow what changes while they are made', async () => {
  const world = await createWorld();
  const { disk } = world;
  const setUpVolumes = disk.setUpVolumes.bind(disk);
  disk.setUpVolumes = async (pod, contents) => {
    await world.clock.sleep(100);
    return setUpVolumes(pod, contents);
  };
  const map = (name: string, text: string) => ({ metadata: { name, namespace: 'default' }, data: { text } });
  await world.client.create(configMapsRef, map('a', 'old'));
  const volumes = ['a', 'b'].map((name) => ({ name, configMap: { name, optional: true } }));
  await world.client.create(podsRef, podOf({ volumes }));
  const textOf = (name: string): string | undefined => {
    const content = disk.volumes.get(world.pod()?.metadata.uid ?? '')?.get(name);
    return content?.kind === 'files' ? Buffer.from(content.files[0]?.data ?? []).toString() : undefined;
  };
  const write = (name: string, text: string) =>
    world.client.patch(configMapsRef, 'default', name, 'merge', { data: { text } });
  // While they are made for the first time, and while they are made anew.
  await world.clock.advance(60);
  await write('a', 'new');
  await world.until('new', () => textOf('a') === 'new', 2000);
  await world.client.create(configMapsRef, map('b', 'one'));
  await world.clock.advance(50);
  await write('b', 'two');
  await write('a', 'newer');
  await world.until('all', () => textOf('a') === 'newer' && textOf('b') === 'two', 2000);
});
