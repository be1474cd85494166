/**
 * What the controllers cost: the whole chain in one process (API, SQLite store, controllers, scheduler, hollow nodes), each figure beside its floor.
 *
 *   rollout     a Deployment of 10,000 pods on 1,000 nodes         floor: the same writes alone
 *   update      its rolling update, pods taking 5 s to start       floor: the two waves that surge and unavailability allow
 *   restart     1,000 Deployments of 10 after a restart, a pod of each gone meanwhile       floor: the reading and the same writes alone
 *   job         a Job of 5,000 indexes                             floor: the same writes alone
 *   namespace   10,000 objects of several kinds go with it         floor: the same deletes alone
 *   idle        10,000 settled objects, nobody changing anything
 *
 * `CAELUM_BENCH_ONLY=rollout,job` runs some; `CAELUM_BENCH_SCALE=0.1` makes all of it smaller.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HollowNodes, startHollowNodes } from '../src/agent/index.ts';
import { builtinKinds, type Deployment, type KubeObject, type Pod } from '../src/api/index.ts';
import { createApi, createFirstObjects } from '../src/apiserver/index.ts';
import { type Client, createInformers, type ResourceRef } from '../src/client/index.ts';
import { startControllers } from '../src/controllers/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { startScheduler } from '../src/scheduler/index.ts';
import { openSqliteStore, type Store } from '../src/store/index.ts';
import { type Benchmark, costFigure, type Figure } from './benchmark.ts';

const only = process.env['CAELUM_BENCH_ONLY']?.split(',');
const scale = Number(process.env['CAELUM_BENCH_SCALE'] ?? 1);
const idleSeconds = Number(process.env['CAELUM_BENCH_IDLE_SECONDS'] ?? 60);
const scaled = (count: number): number => Math.max(1, Math.round(count * scale));

const ref = (group: string, resource: string, namespaced = true): ResourceRef => ({
  group,
  version: 'v1',
  resource,
  namespaced,
});
const podsRef = ref('', 'pods');
const configMapsRef = ref('', 'configmaps');
const secretsRef = ref('', 'secrets');
const servicesRef = ref('', 'services');
const namespacesRef = ref('', 'namespaces', false);
const deploymentsRef = ref('apps', 'deployments');
const jobsRef = ref('batch', 'jobs');

const common = { clock: realClock, random: realRandom, log: silentLog };
type Say = (line: string) => void;
const seconds = (fromMs: number): number => (performance.now() - fromMs) / 1000;

/** A cloud whose controllers can be stopped and started while its store goes on. */
class Plant {
  readonly client: Client;
  readonly store: Store;
  #stops: (() => void | Promise<void>)[] = [];
  #busy: () => number = () => 0;

  private constructor(client: Client, store: Store) {
    this.client = client;
    this.store = store;
  }

  static async on(store: Store): Promise<Plant> {
    const api = createApi({ ...common, store, registry: builtinKinds, serviceCidr: '10.131.0.0/16' });
    const client = api.client();
    await createFirstObjects(client, undefined);
    return new Plant(client, store);
  }

  async startNodes(
    count: number,
    options: { readonly startDelayMs?: number; readonly podsMax?: number } = {},
  ): Promise<HollowNodes> {
    const informers = createInformers({ client: this.client, ...common });
    const nodes = await startHollowNodes({ ...common, ...options, client: this.client, informers, count });
    this.#stops.push(
      () => nodes.stop(),
      () => informers.stop(),
    );
    return nodes;
  }

  /** Controllers and scheduler. Answers how to stop them. */
  startControl(): () => void {
    const { client } = this;
    const informers = createInformers({ client, ...common });
    const controllers = startControllers({
      ...common,
      client,
      informers,
      registry: builtinKinds,
      rootCaPem: 'PEM',
    });
    const scheduler = startScheduler({ ...common, client, informers });
    this.#busy = () => controllers.busy;
    const stop = (): void => {
      scheduler.stop();
      controllers.stop();
      informers.stop();
    };
    this.#stops.push(stop);
    return stop;
  }

  /** How many objects the controllers have before them. */
  get busy(): number {
    return this.#busy();
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
    this.#stops = [];
  }
}

async function onPlant<T>(use: (plant: Plant) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-controllers-'));
  const store = await openSqliteStore({ file: join(folder, 'store.db'), ...common });
  const plant = await Plant.on(store);
  try {
    return await use(plant);
  } finally {
    await plant.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks every 20 ms. */
async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (seconds(startMs) > 300) throw new Error(`${what}: not within 300 s`);
    await realClock.sleep(20);
  }
}

async function inLanes(count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 128 }, lane));
}

const podSpec = (name: string): NonNullable<Pod['spec']> => ({
  containers: [{ name, image: 'example/web', resources: { requests: { cpu: '10m', memory: '16Mi' } } }],
});

function deployment(name: string, replicas: number): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec('web') },
    },
  };
}

const statusOf = async ({ client }: Plant, name: string): Promise<NonNullable<Deployment['status']>> =>
  (await client.get<Deployment>(deploymentsRef, 'default', name)).status ?? {};

/** Create, bind, say that it runs: what has to be written for each pod whoever decides it. */
async function writePods(plant: Plant, count: number): Promise<number> {
  const startMs = performance.now();
  await inLanes(count, async (number) => {
    const name = `alone-${number}`;
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: podSpec('web'),
    };
    await plant.client.create(podsRef, pod);
    const target = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { kind: 'Node', name: 'n' },
    };
    await plant.client.createSubresource(podsRef, 'default', name, 'binding', target);
    const patch = { status: { phase: 'Running', podIP: '10.64.0.1' } };
    await plant.client.patch(podsRef, 'default', name, 'strategic', patch, { subresource: 'status' });
  });
  return seconds(startMs);
}

async function measureRollout(say: Say): Promise<readonly Figure[]> {
  const pods = scaled(10_000);
  const took = await onPlant(async (plant) => {
    plant.startControl();
    await plant.startNodes(scaled(1000));
    const startMs = performance.now();
    await plant.client.create(deploymentsRef, deployment('web', pods));
    await until('all pods run', async () => (await statusOf(plant, 'web')).availableReplicas === pods);
    return seconds(startMs);
  });
  const floor = await onPlant((plant) => writePods(plant, pods));
  say(`${pods} pods run after ${took.toFixed(1)} s, the writes alone ${floor.toFixed(1)} s`);
  const peer = { name: 'the same writes alone', runs: [floor] };
  return [{ ...costFigure(`${pods} pods of one Deployment Running`, 's', [took], peer), goal: '≤ 20' }];
}

async function measureUpdate(say: Say): Promise<readonly Figure[]> {
  const pods = scaled(10_000);
  const startDelayMs = 5000;
  const took = await onPlant(async (plant) => {
    plant.startControl();
    await plant.startNodes(scaled(1000), { startDelayMs });
    await plant.client.create(deploymentsRef, deployment('web', pods));
    await until('all pods run', async () => (await statusOf(plant, 'web')).availableReplicas === pods);
    await until('rest', () => plant.busy === 0);
    const startMs = performance.now();
    const patch = { spec: { template: { spec: { containers: [{ name: 'web', image: 'example/web:2' }] } } } };
    const { metadata } = await plant.client.patch(deploymentsRef, 'default', 'web', 'strategic', patch);
    await until('all pods are new', async () => {
      const { status } = await plant.client.get<Deployment>(deploymentsRef, 'default', 'web');
      return (
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === pods &&
        status.availableReplicas === pods &&
        status.replicas === pods
      );
    });
    return seconds(startMs);
  });
  // A quarter more and a quarter less at once: half of the pods are new after one start, the others after the next.
  const bound = (2 * startDelayMs) / 1000;
  say(`rolling update of ${pods} pods: ${took.toFixed(1)} s, two starts one after the other take ${bound} s`);
  const peer = { name: 'two starts of a pod', runs: [bound] };
  return [
    {
      ...costFigure(`rolling update of ${pods} pods that take 5 s to start`, 's', [took], peer),
      goal: '≤ 1.5 × the bound (ratio ≥ 0.67)',
    },
  ];
}

async function measureRestart(say: Say): Promise<readonly Figure[]> {
  const sets = scaled(1000);
  const each = 10;
  const runs = await onPlant(async (plant) => {
    const stop = plant.startControl();
    await plant.startNodes(scaled(1000));
    await inLanes(sets, (number) => plant.client.create(deploymentsRef, deployment(`web-${number}`, each)));
    const count = async (): Promise<number> => {
      const { items } = await plant.client.list<Pod>(podsRef);
      return items.filter(
        ({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
      ).length;
    };
    await until('all pods run', async () => (await count()) === sets * each);
    await until('rest', () => plant.busy === 0);
    stop();
    const { items } = await plant.client.list<Pod>(podsRef);
    const first = new Map(items.map((pod) => [pod.metadata.labels?.['app'], pod.metadata.name]));
    await inLanes(first.size, (number) =>
      plant.client.delete(podsRef, 'default', [...first.values()][number] as string, {
        gracePeriodSeconds: 0,
      }),
    );
    const startMs = performance.now();
    plant.startControl();
    await until('every pod is there again', async () => (await count()) === sets * each);
    const whole = seconds(startMs);
    await until('rest', () => plant.busy === 0);
    const rest = seconds(startMs);
    return { whole, rest };
  });
  const floor = await onPlant(async (plant) => {
    const startMs = performance.now();
    await writePods(plant, sets);
    return seconds(startMs);
  });
  say(
    `${sets} Deployments of ${each}: whole ${runs.whole.toFixed(2)} s after the start, at rest ${runs.rest.toFixed(2)} s; the writes alone ${floor.toFixed(2)} s`,
  );
  const peer = { name: 'the writes of the missing pods alone', runs: [floor] };
  return [
    {
      ...costFigure(`${sets} Deployments × ${each} reconciled after a restart`, 's', [runs.whole], peer),
      goal: '≤ 3',
    },
  ];
}

async function measureJob(say: Say): Promise<readonly Figure[]> {
  const indexes = scaled(5000);
  const took = await onPlant(async (plant) => {
    plant.startControl();
    await plant.startNodes(scaled(1000));
    const startMs = performance.now();
    const annotations = { 'hollow.caelum.dev/exit-after-ms': '0' };
    await plant.client.create(jobsRef, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'count', namespace: 'default' },
      spec: {
        completions: indexes,
        parallelism: indexes,
        completionMode: 'Indexed',
        template: { metadata: { annotations }, spec: { ...podSpec('one'), restartPolicy: 'Never' } },
      },
    } as KubeObject);
    await until('the job is complete', async () => {
      const job = await plant.client.get<KubeObject & { status?: { succeeded?: number } }>(
        jobsRef,
        'default',
        'count',
      );
      return job.status?.succeeded === indexes;
    });
    return seconds(startMs);
  });
  const floor = await onPlant((plant) => writePods(plant, indexes));
  say(`a Job of ${indexes} indexes: ${took.toFixed(1)} s, its pods' writes alone ${floor.toFixed(1)} s`);
  const peer = { name: 'create, bind and status of its pods alone', runs: [floor] };
  return [costFigure(`a Job of ${indexes} indexes, all at once`, 's', [took], peer)];
}

const ofNamespace = (kind: string, namespace: string, name: string, rest: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace },
  ...rest,
});

/** Config maps, secrets, services and pods on nodes. */
async function fillNamespace({ client }: Plant, namespace: string, count: number): Promise<void> {
  await client.create(namespacesRef, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await inLanes(count, (number) => {
    const name = `one-${number}`;
    switch (number % 10) {
      case 0:
      case 1:
      case 2:
        return client.create(podsRef, ofNamespace('Pod', namespace, name, { spec: podSpec('web') }));
      case 3:
        return client.create(
          servicesRef,
          ofNamespace('Service', namespace, name, { spec: { clusterIP: 'None', ports: [{ port: 80 }] } }),
        );
      case 4:
      case 5:
      case 6:
        return client.create(secretsRef, ofNamespace('Secret', namespace, name));
      default:
        return client.create(configMapsRef, ofNamespace('ConfigMap', namespace, name));
    }
  });
}

async function measureNamespace(say: Say): Promise<readonly Figure[]> {
  const count = scaled(10_000);
  const took = await onPlant(async (plant) => {
    plant.startControl();
    await plant.startNodes(scaled(100));
    await fillNamespace(plant, 'big', count);
    await until('rest', () => plant.busy === 0);
    const startMs = performance.now();
    await plant.client.delete(namespacesRef, '', 'big');
    await until('the namespace is gone', async () =>
      plant.client.get(namespacesRef, '', 'big').then(
        () => false,
        () => true,
      ),
    );
    return seconds(startMs);
  });
  const floor = await onPlant(async (plant) => {
    await fillNamespace(plant, 'big', count);
    const startMs = performance.now();
    for (const resource of [podsRef, servicesRef, secretsRef, configMapsRef]) {
      const { items } = await plant.client.list(resource, { namespace: 'big' });
      await inLanes(items.length, (number) =>
        plant.client.delete(resource, 'big', items[number]?.metadata.name ?? '', { gracePeriodSeconds: 0 }),
      );
    }
    return seconds(startMs);
  });
  say(`a namespace of ${count} objects: ${took.toFixed(1)} s, the deletes alone ${floor.toFixed(1)} s`);
  const peer = { name: 'the deletes alone', runs: [floor] };
  return [{ ...costFigure(`a namespace of ${count} objects deleted`, 's', [took], peer), goal: '≤ 10' }];
}

async function measureIdle(say: Say): Promise<readonly Figure[]> {
  const sets = scaled(1000);
  const percent = await onPlant(async (plant) => {
    plant.startControl();
    // Few nodes: what their leases cost is another figure.
    await plant.startNodes(10, { podsMax: 2000 });
    await inLanes(sets, (number) => plant.client.create(deploymentsRef, deployment(`web-${number}`, 8)));
    await until('all run', async () => {
      const { items } = await plant.client.list<Deployment>(deploymentsRef);
      return items.every(({ status }) => status?.availableReplicas === 8);
    });
    await until('rest', () => plant.busy === 0);
    await realClock.sleep(10_000);
    const before = process.cpuUsage();
    const revision = plant.store.revision();
    const startMs = performance.now();
    await realClock.sleep(idleSeconds * 1000);
    const { user, system } = process.cpuUsage(before);
    const used = ((user + system) / 1e6 / seconds(startMs)) * 100;
    say(
      `${sets * 10} settled objects: ${used.toFixed(2)} % of a core, ${plant.store.revision() - revision} writes in ${idleSeconds} s (leases of ten nodes)`,
    );
    return used;
  });
  return [
    { ...costFigure(`idle with ${sets * 10} settled objects`, '% of a core', [percent]), goal: '≤ 0.5' },
  ];
}

const parts: Readonly<Record<string, (say: Say) => Promise<readonly Figure[]>>> = {
  rollout: measureRollout,
  update: measureUpdate,
  restart: measureRestart,
  job: measureJob,
  namespace: measureNamespace,
  idle: measureIdle,
};

export const bench: Benchmark = {
  description: 'controllers: rollout, update, restart, a large Job, a namespace that goes, rest',
  seconds: 240,
  async run(say) {
    const figures: Figure[] = [];
    for (const [name, measure] of Object.entries(parts))
      if (only === undefined || only.includes(name)) figures.push(...(await measure(say)));
    return figures;
  },
};
