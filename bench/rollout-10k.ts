/**
 * A Deployment of 10,000 replicas on 1,000 hollow nodes: from its creation until every pod is Running and it says so itself.
 * The whole chain in one process: API, store, controllers, scheduler, hollow agents. Floor: the same number of pods written three
 * times each (create, bind, status) through the same API and store, with nobody watching and nothing decided.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHollowNodes } from '../src/agent/index.ts';
import { builtinKinds, type Deployment, type Pod } from '../src/api/index.ts';
import { createApi, createFirstObjects } from '../src/apiserver/index.ts';
import { type Client, createInformers } from '../src/client/index.ts';
import { startControllers } from '../src/controllers/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { startScheduler } from '../src/scheduler/index.ts';
import { createMemoryStore, openSqliteStore, type Store } from '../src/store/index.ts';
import type { Benchmark, Figure } from './benchmark.ts';

const podsRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const deploymentsRef = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };
const common = { clock: realClock, random: realRandom, log: silentLog };

const nodeCount = Number(process.env['ROLLOUT_NODES'] ?? 1000);
const podCount = Number(process.env['ROLLOUT_PODS'] ?? 10_000);

function template(): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: podCount,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'web', image: 'example/web', resources: { requests: { cpu: '10m', memory: '16Mi' } } },
          ],
        },
      },
    },
  };
}

async function apiOn(store: Store): Promise<Client> {
  const api = createApi({ ...common, store, registry: builtinKinds, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  return client;
}

/** Seconds until all run. */
async function rollOut(store: Store, say: (line: string) => void): Promise<number> {
  const client = await apiOn(store);
  const informers = createInformers({ client, ...common });
  const controllers = startControllers({
    ...common,
    client,
    informers,
    registry: builtinKinds,
    rootCaPem: 'PEM',
  });
  const scheduler = startScheduler({ ...common, client, informers });
  const nodes = await startHollowNodes({ ...common, client, informers, count: nodeCount });
  try {
    const startMs = performance.now();
    await client.create<Deployment>(deploymentsRef, template());
    for (let saidMs = startMs; ; ) {
      await realClock.sleep(50);
      const { status } = await client.get<Deployment>(deploymentsRef, 'default', 'web');
      const nowMs = performance.now();
      if (nowMs - saidMs > 5000) {
        saidMs = nowMs;
        say(
          `${((nowMs - startMs) / 1000).toFixed(0)} s: ${status?.replicas ?? 0} made, ${status?.availableReplicas ?? 0} running`,
        );
      }
      if (status?.availableReplicas === podCount) return (nowMs - startMs) / 1000;
      if (nowMs - startMs > 300_000) throw new Error(`not within 300 s: ${JSON.stringify(status)}`);
    }
  } finally {
    await nodes.stop();
    scheduler.stop();
    controllers.stop();
    informers.stop();
  }
}

/** Seconds for the writes alone. */
async function floor(store: Store): Promise<number> {
  const client = await apiOn(store);
  const spec = template().spec?.template.spec;
  const startMs = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < podCount) {
      const name = `web-${next++}`;
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec };
      await client.create<Pod>(podsRef, pod as Pod);
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name },
        target: { kind: 'Node', name: 'n' },
      };
      await client.createSubresource(podsRef, 'default', name, 'binding', binding);
      const patch = { status: { phase: 'Running', podIP: '10.64.0.1' } };
      await client.patch(podsRef, 'default', name, 'strategic', patch, { subresource: 'status' });
    }
  };
  await Promise.all(Array.from({ length: 128 }, lane));
  return (performance.now() - startMs) / 1000;
}

async function onStore<T>(kind: 'memory' | 'sqlite', use: (store: Store) => Promise<T>): Promise<T> {
  if (kind === 'memory') {
    const store = createMemoryStore({ clock: realClock });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'caelum-rollout-'));
  const store = await openSqliteStore({ file: join(folder, 'store.db'), ...common });
  try {
    return await use(store);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Benchmark = {
  description: `a Deployment of ${podCount} replicas on ${nodeCount} hollow nodes, until all are Running`,
  seconds: 120,
  async run(say) {
    const figures: Figure[] = [];
    for (const kind of ['memory', 'sqlite'] as const) {
      const value = await onStore(kind, (store) => rollOut(store, say));
      const peer = await onStore(kind, floor);
      say(`${kind}: ${value.toFixed(1)} s, the writes alone ${peer.toFixed(1)} s`);
      figures.push({
        name: `${podCount} pods Running, ${kind} store`,
        value,
        unit: 's',
        peer: { name: 'the same writes alone', value: peer },
        ratio: peer / value,
        runs: [value],
        goal: '≤ 60 s',
      });
    }
    return figures;
  },
};
