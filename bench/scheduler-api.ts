/**
 * Scheduling end to end: API server and SQLite store with durable binds, scheduler and its Events, 5,000 nodes as objects of the API.
 *
 *   backlog   20,000 pods wait when the scheduler starts: pods/s until the last is bound     floor: the same bindings alone, by nobody's plan
 *   stream    1,000 pods/s for ten seconds: from create to bound, as a watch sees it         floor: the creates alone
 *
 * `CAELUM_BENCH_ONLY=backlog`; `CAELUM_BENCH_SCALE=0.1` makes all of it smaller.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinKinds, type Node, nodes as nodesRef, type Pod, pods as podsRef } from '../src/api/index.ts';
import { createApi, createFirstObjects } from '../src/apiserver/index.ts';
import { type Client, createInformers } from '../src/client/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { startElectedScheduler } from '../src/scheduler/index.ts';
import { openSqliteStore } from '../src/store/index.ts';
import { type Benchmark, costFigure, type Figure, quantile, rateFigure } from './benchmark.ts';

const only = process.env['CAELUM_BENCH_ONLY']?.split(',');
const scale = Number(process.env['CAELUM_BENCH_SCALE'] ?? 1);
const nodeCount = 5000;
const rounds = Number(process.env['CAELUM_BENCH_ROUNDS'] ?? 3);
const backlog = Math.round(20_000 * scale);
const perSecond = 1000;
const streamSeconds = Math.max(2, Math.round(10 * scale));
const common = { clock: realClock, random: realRandom, log: silentLog };

async function onCloud<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-scheduler-'));
  const store = await openSqliteStore({ file: join(folder, 'store.db'), ...common });
  try {
    const api = createApi({ ...common, store, registry: builtinKinds, serviceCidr: '10.131.0.0/16' });
    const client = api.client();
    await createFirstObjects(client, undefined);
    await inChunks(nodeCount, async (index) => {
      await client.create<Node>(nodesRef, nodeOf(index));
      // Each is created with a taint until its agent reports.
      await client.patch(nodesRef, undefined, `node-${index}`, 'merge', { spec: { taints: null } });
    });
    return await use(client);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const nodeOf = (index: number): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: `node-${index}`,
    labels: { 'kubernetes.io/hostname': `node-${index}`, 'topology.kubernetes.io/zone': `zone-${index % 3}` },
  },
  status: {
    allocatable: { cpu: '32', memory: '128Gi', pods: '110' },
    capacity: { cpu: '32', memory: '128Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True' }],
  },
});

const podOf = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: `app-${name.length}` } },
  spec: {
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
  },
});

async function inChunks(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += 500)
    await Promise.all(Array.from({ length: Math.min(500, count - from) }, (_, i) => make(from + i)));
}

/** Tells when each pod is bound, by name. */
async function followBindings(client: Client, onBound: (name: string) => void): Promise<{ cancel(): void }> {
  const { resourceVersion } = await client.list<Pod>(podsRef, { limit: 1 });
  return client.watch<Pod>(
    podsRef,
    { resourceVersion },
    {
      onEvent: (event) => {
        if (event.type !== 'MODIFIED') return;
        const { metadata, spec } = event.object;
        if (spec?.nodeName !== undefined) onBound(metadata.name ?? '');
      },
      onEnd: () => {},
    },
  );
}

function startScheduler(client: Client): () => Promise<void> {
  const informers = createInformers({ client, ...common });
  const scheduler = startElectedScheduler({ ...common, client, informers, identity: 'bench' });
  return async () => {
    await scheduler.stop();
    informers.stop();
  };
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function measureBacklog(say: (line: string) => void): Promise<readonly Figure[]> {
  const rate = async (isPlanned: boolean): Promise<number> =>
    onCloud(async (client) => {
      await inChunks(backlog, (index) => client.create(podsRef, podOf(`p-${index}`)));
      const done = Promise.withResolvers<void>();
      const bound = new Set<string>();
      const watch = await followBindings(client, (name) => {
        bound.add(name);
        if (bound.size === backlog) done.resolve();
      });
      const startedMs = performance.now();
      const startedCpu = cpuSeconds();
      const stop = isPlanned ? startScheduler(client) : async () => {};
      if (!isPlanned)
        void inChunks(backlog, (index) =>
          client.createSubresource(podsRef, 'default', `p-${index}`, 'binding', {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name: `p-${index}`, namespace: 'default' },
            target: { apiVersion: 'v1', kind: 'Node', name: `node-${index % nodeCount}` },
          } as never),
        );
      await done.promise;
      const seconds = (performance.now() - startedMs) / 1000;
      const cpu = cpuSeconds() - startedCpu;
      say(
        `${isPlanned ? 'scheduled' : 'bindings alone'}: ${Math.round(backlog / seconds)} pods/s; ${((cpu * 1e6) / backlog).toFixed(0)} µs of CPU each`,
      );
      watch.cancel();
      await stop();
      return backlog / seconds;
    });
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floor.push(await rate(false));
    ours.push(await rate(true));
  }
  const figure = rateFigure('pods bound, 5,000 nodes, durable', 'pods/s', ours, {
    name: 'the bindings alone',
    runs: floor,
  });
  return [{ ...figure, goal: '≥ 5,000' }];
}

async function measureStream(say: (line: string) => void): Promise<readonly Figure[]> {
  const create: number[] = [];
  const whole: number[] = [];
  await onCloud(async (client) => {
    const startedMs = new Map<string, number>();
    const total = perSecond * streamSeconds;
    const done = Promise.withResolvers<void>();
    const watch = await followBindings(client, (name) => {
      const atMs = startedMs.get(name);
      if (atMs === undefined) return;
      startedMs.delete(name);
      whole.push(performance.now() - atMs);
      if (whole.length === total) done.resolve();
    });
    const stop = startScheduler(client);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const beganMs = performance.now();
    const beganCpu = cpuSeconds();
    for (let made = 0; made < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - beganMs) / 1000) * perSecond));
      for (; made < due; made++) {
        const name = `s-${made}`;
        const atMs = performance.now();
        startedMs.set(name, atMs);
        void client.create(podsRef, podOf(name)).then(() => create.push(performance.now() - atMs));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await done.promise;
    const cpu = ((cpuSeconds() - beganCpu) * 1e6) / total;
    say(
      `created ${quantile(create, 0.5).toFixed(1)} ms (p99 ${quantile(create, 0.99).toFixed(1)}); bound ${quantile(whole, 0.5).toFixed(1)} ms (p99 ${quantile(whole, 0.99).toFixed(1)}); ${cpu.toFixed(0)} µs of CPU a pod`,
    );
    watch.cancel();
    await stop();
  });
  const peer = { name: 'the create alone', runs: [quantile(create, 0.99)] };
  return [
    {
      ...costFigure('create to bound at 1,000 pods/s, p99', 'ms', [quantile(whole, 0.99)], peer),
      goal: '≤ 200',
    },
  ];
}

export const bench: Benchmark = {
  description: 'pods a second through API server, durable store and scheduler, and how long one takes',
  seconds: 60,
  async run(say) {
    const figures: Figure[] = [];
    if (only === undefined || only.includes('backlog')) figures.push(...(await measureBacklog(say)));
    if (only === undefined || only.includes('stream')) figures.push(...(await measureStream(say)));
    return figures;
  },
};
