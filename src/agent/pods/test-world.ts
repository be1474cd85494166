/** A node in memory for tests of pods: the real shell over a fake machine, on simulated time. */
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import type { Pod, Service } from '../../api/index.ts';
import { createFakeClient, createInformers, type FakeClient } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createFakeImageStore } from '../images/index.ts';
import { createFakePodNetwork } from '../network/index.ts';
import { podsRef, servicesRef } from '../objects.ts';
import type { ProbeOutcome } from '../probes/prober.ts';
import { createFakeRuntime, FakeHost, type FakeProgram } from '../runtime/index.ts';
import { createFakeDisk } from './fake-disk.ts';
import { PodShell } from './pod-shell.ts';
import type { StaticManifest } from './static-pods.ts';

export interface World {
  readonly clock: SimulatedClock;
  readonly client: FakeClient;
  readonly host: FakeHost;
  readonly images: ReturnType<typeof createFakeImageStore>;
  readonly network: ReturnType<typeof createFakePodNetwork>;
  readonly disk: ReturnType<typeof createFakeDisk>;
  readonly events: string[];
  readonly programs: Map<string, FakeProgram>;
  /** Of files on the machine. */
  manifests: StaticManifest[];
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

export async function createWorld(allocatable = { cpuMilli: 2000, memoryBytes: 2 ** 32 }): Promise<World> {
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
    manifests: [],
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
        allocatable,
        staticPods: async () => world.manifests,
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

export function podOf(change: Partial<NonNullable<Pod['spec']>> = {}, name = 'p'): Pod {
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

export const phaseIs = (world: World, phase: string, name?: string) => () =>
  world.pod(name)?.status?.phase === phase;
export const ready = (world: World, name?: string): boolean =>
  world.pod(name)?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
export const status = (world: World, index = 0) => world.pod()?.status?.containerStatuses?.[index];
