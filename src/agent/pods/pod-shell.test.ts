import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Pod, Service } from '../../api/index.ts';
import { createFakeClient, createInformers, type FakeClient } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createFakeImageStore } from '../images/index.ts';
import { createFakePodNetwork } from '../network/index.ts';
import { configMapsRef, podsRef, servicesRef } from '../objects.ts';
import type { ProbeOutcome } from '../probes/prober.ts';
import { createFakeRuntime, FakeHost, type FakeProgram } from '../runtime/index.ts';
import { createFakeDisk } from './fake-disk.ts';
import { PodShell } from './pod-shell.ts';

interface World {
  readonly clock: SimulatedClock;
  readonly client: FakeClient;
  readonly host: FakeHost;
  readonly images: ReturnType<typeof createFakeImageStore>;
  readonly network: ReturnType<typeof createFakePodNetwork>;
  readonly disk: ReturnType<typeof createFakeDisk>;
  readonly events: string[];
  readonly programs: Map<string, FakeProgram>;
  probe: (address: string) => ProbeOutcome;
  shell: PodShell;
  runtime: ReturnType<typeof createFakeRuntime>;
  informers: ReturnType<typeof createInformers>;
  /** The agent dies and a new one starts on the same machine. */
  restart(): Promise<void>;
  kill(): void;
  until(what: string, is: () => boolean, limitMs?: number): Promise<void>;
  pod(name?: string): Pod | undefined;
}

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.kill();
});

async function createWorld(): Promise<World> {
  const clock = new SimulatedClock();
  const random = new SeededRandom(7);
  const client = createFakeClient({ clock, random: random.stream('api') });
  const service: Service = {
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] },
  };
  client.seed(servicesRef, service);
  client.onSubresource = () => ({ status: { token: 'token-text' } });
  const host = new FakeHost();
  const programs = new Map<string, FakeProgram>();
  const parts = {
    clock,
    client,
    host,
    programs,
    images: createFakeImageStore({ clock, pullDelayMs: 50 }),
    network: createFakePodNetwork({ podCidr: '10.44.0.0/24' }),
    disk: createFakeDisk(),
    events: [] as string[],
  };
  const world: World = {
    ...parts,
    probe: () => ({ ok: true, output: '' }),
    shell: undefined as unknown as PodShell,
    runtime: undefined as unknown as World['runtime'],
    informers: undefined as unknown as World['informers'],
    kill() {
      world.shell?.stop();
      world.informers?.stop();
      void world.runtime?.close();
    },
    async restart() {
      world.kill();
      world.runtime = createFakeRuntime({
        clock,
        random,
        host,
        program: (spec) => programs.get(spec.name) ?? {},
      });
      world.informers = createInformers({ client, clock, log: silentLog, random });
      world.shell = new PodShell({
        ...parts,
        random,
        log: silentLog,
        runtime: world.runtime,
        informers: world.informers,
        events: {
          record: ({ about, reason, message }) =>
            void parts.events.push(`${about.name} ${reason}: ${message}`),
        },
        probeRunner: { run: async (_action, target) => world.probe(target.address) },
        nodeName: 'n1',
        nodeAddress: '192.0.2.1',
        dns: { servers: ['10.96.0.10'], domain: 'cluster.local' },
        allocatable: { cpuMilli: 2000, memoryBytes: 2 ** 32 },
      });
      const started = world.shell.start();
      await clock.advance(10);
      await started;
    },
    async until(what, is, limitMs = 600_000) {
      for (let passed = 0; !is(); passed += 20) {
        assert.ok(passed < limitMs, `${what}: ${JSON.stringify(client.objects(podsRef), undefined, 1)}`);
        await clock.advance(20);
      }
    },
    pod: (name = 'p') => client.peek<Pod>(podsRef, `default/${name}`),
  };
  worlds.push(world);
  await world.restart();
  return world;
}

function podOf(change: Partial<NonNullable<Pod['spec']>> = {}, name = 'p'): Pod {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'c', image: 'host.local/busybox' }],
      ...change,
    },
  };
}

const phaseIs = (world: World, phase: string, name?: string) => () =>
  world.pod(name)?.status?.phase === phase;
const ready = (world: World, name?: string): boolean =>
  world.pod(name)?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
const status = (world: World, index = 0) => world.pod()?.status?.containerStatuses?.[index];

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
