/**
 * The whole control plane on simulated nodes, as many as fit into memory: how it carries tens of thousands of nodes and a million pods.
 *
 *   Deployments ─▶ API ─▶ store (memory) ─▶ informers ─▶ controllers, scheduler ─▶ hollow nodes ─▶ pods Running ─▶ Deployments say so
 *
 * Everything is the product's own, in one process and under simulated time; only sockets, TLS and disk are left out. Without faults: those are `world.ts`'s.
 * Pure: what lets promises run on (`settle`) is passed in. The same options give the same history.
 */
import { type HollowNodes, startHollowNodes } from '../agent/index.ts';
import { builtinKinds, type Deployment, type KubeObject, type Pod } from '../api/index.ts';
import { createApi, createFirstObjects } from '../apiserver/index.ts';
import { type Client, createInformers, type Informers, type ResourceRef } from '../client/index.ts';
import { type Controllers, startControllers } from '../controllers/index.ts';
import { assert, type Random, type SimulatedClock, silentLog } from '../lib/index.ts';
import { type Scheduler, startScheduler } from '../scheduler/index.ts';
import { createMemoryStore, type HistoryLimits, type Store } from '../store/index.ts';

export interface ScaleOptions {
  readonly clock: SimulatedClock;
  readonly random: Random;
  /** Resolves when every promise that was ready has run on, to the end of its chain. */
  readonly settle: () => Promise<void>;
  readonly nodes: number;
  /** How often each node renews its lease; default 10 s, as Kubernetes. */
  readonly leaseIntervalMs?: number;
  readonly limits?: HistoryLimits;
  /** Called now and then while something is waited for. */
  readonly onProgress?: (cloud: ScaleCloud) => void;
}

export interface Workload {
  readonly deployments: number;
  readonly replicas: number;
  readonly namespaces: number;
}

const ref = (group: string, resource: string, namespaced = true): ResourceRef => ({
  group,
  version: 'v1',
  resource,
  namespaced,
});
const podsRef = ref('', 'pods');
const namespacesRef = ref('', 'namespaces', false);
const deploymentsRef = ref('apps', 'deployments');

/** Requests at the same time, of the user who makes the workloads. */
const userLanes = 16;
/** Writes at the same time, of all hollow nodes: nothing is waited for here, so that many are one turn. */
const hollowLanes = 1000;
const progressSteps = 200;

/** A cloud without pods: its nodes are registered and Ready when this resolves. */
export async function startScaleCloud(options: ScaleOptions): Promise<ScaleCloud> {
  const { clock, random, limits } = options;
  const store = createMemoryStore({ clock, ...(limits === undefined ? {} : { limits }) });
  const common = { clock, random, log: silentLog };
  const api = createApi({ ...common, store, registry: builtinKinds, serviceCidr: '10.128.0.0/12' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ ...common, client });
  const parts = { ...common, client, informers };
  const controllers = startControllers({ ...parts, registry: builtinKinds, rootCaPem: 'PEM' });
  const scheduler = startScheduler(parts);
  const { nodes: count, leaseIntervalMs } = options;
  const starting = startHollowNodes({
    ...parts,
    count,
    concurrency: hollowLanes,
    ...(leaseIntervalMs === undefined ? {} : { leaseIntervalMs }),
  });
  let nodes: HollowNodes | undefined;
  void starting.then((started) => {
    nodes = started;
  });
  const follower = new DeploymentProgress(informers);
  for (let turns = 0; nodes === undefined; turns++) {
    assert(turns < 10_000, 'hollow nodes start');
    await turn(options);
  }
  return new ScaleCloud(options, { store, client, informers, controllers, scheduler, nodes, follower });
}

/** What was ready runs to its end, then the next timer fires. False when none is due until then. */
async function turn(
  { clock, settle }: Pick<ScaleOptions, 'clock' | 'settle'>,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  await settle();
  return clock.step(untilMs);
}

interface Parts {
  readonly store: Store;
  readonly client: Client;
  readonly informers: Informers;
  readonly controllers: Controllers;
  readonly scheduler: Scheduler;
  readonly nodes: HollowNodes;
  readonly follower: DeploymentProgress;
}

export class ScaleCloud {
  readonly #options: ScaleOptions;
  readonly #parts: Parts;

  constructor(options: ScaleOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  get client(): Client {
    return this.#parts.client;
  }

  /** Writes so far: each put or deletion has a revision of its own. */
  get changes(): number {
    return this.#parts.store.revision();
  }

  get pods(): number {
    return this.#parts.informers.informer<Pod>(podsRef).size;
  }

  get available(): number {
    return this.#parts.follower.available;
  }

  get simulatedMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Bytes of the store's present objects. */
  get storedBytes(): number {
    return this.#parts.store.stats().bytes;
  }

  /** Creates the workload; resolves when every pod of it runs, its Deployment says so, and no controller has anything to do. */
  async rollOut(workload: Workload): Promise<void> {
    const { deployments, namespaces, replicas } = workload;
    await this.#inLanes(namespaces, (index) =>
      this.client.create(namespacesRef, namespaceObject(`team-${index}`)),
    );
    await this.#inLanes(deployments, (index) =>
      this.client.create(
        deploymentsRef,
        deploymentObject(`team-${index % namespaces}`, `app-${index}`, replicas),
      ),
    );
    await this.untilSettled(`${deployments} Deployments of ${replicas} have rolled out`);
  }

  /** A new image for `count` Deployments, spread over all; resolves when all pods of the old one are gone. */
  async update(workload: Workload, count: number): Promise<void> {
    const { deployments, namespaces } = workload;
    await this.#inLanes(count, (turn) => {
      const index = Math.floor((turn * deployments) / count);
      const containers = [{ name: 'app', image: 'example/app:2' }];
      const patch = { spec: { template: { spec: { containers } } } };
      return this.client.patch(
        deploymentsRef,
        `team-${index % namespaces}`,
        `app-${index}`,
        'strategic',
        patch,
      );
    });
    await this.untilSettled(`${count} Deployments have a new image`);
  }

  /** Lets simulated time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.simulatedMs + ms;
    for (let turns = 1; await turn(this.#options, untilMs); turns++) this.#tell(turns);
    await this.#options.clock.advance(untilMs - this.simulatedMs);
  }

  /** Until every Deployment is complete and controllers rest. */
  async untilSettled(what: string, withinMs = 3_600_000): Promise<void> {
    const { controllers, follower } = this.#parts;
    const untilMs = this.simulatedMs + withinMs;
    for (let turns = 1; ; turns++) {
      await this.#options.settle();
      if (follower.incomplete === 0 && controllers.busy === 0) return;
      const goesOn = await turn(this.#options, untilMs);
      assert(goesOn, `not within ${withinMs} ms: ${what}; ${follower.incomplete} incomplete`);
      this.#tell(turns);
    }
  }

  async stop(): Promise<void> {
    const { nodes, scheduler, controllers, informers, store } = this.#parts;
    await nodes.stop();
    scheduler.stop();
    controllers.stop();
    informers.stop();
    await store.close();
  }

  #tell(turns: number): void {
    if (turns % progressSteps === 0) this.#options.onProgress?.(this);
  }

  async #inLanes(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await act(next++);
    };
    await Promise.all(Array.from({ length: userLanes }, lane));
  }
}

/** Which Deployments are not what they shall be, from their own words. */
class DeploymentProgress {
  readonly #incomplete = new Set<string>();
  available = 0;

  constructor(informers: Informers) {
    informers.informer<Deployment>(deploymentsRef).onChange((change) => {
      const { kind, key, object } = change;
      if (kind !== 'deleted' && !isComplete(object)) this.#incomplete.add(key);
      else this.#incomplete.delete(key);
      if (kind !== 'added') this.available -= availableOf(kind === 'updated' ? change.previous : object);
      if (kind !== 'deleted') this.available += availableOf(object);
    });
  }

  get incomplete(): number {
    return this.#incomplete.size;
  }
}

const availableOf = ({ status }: Deployment): number => status?.availableReplicas ?? 0;

function isComplete({ metadata, spec, status }: Deployment): boolean {
  const wanted = spec?.replicas ?? 1;
  return (
    status?.observedGeneration === metadata.generation &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted
  );
}

const namespaceObject = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

export function deploymentObject(namespace: string, name: string, replicas: number): Deployment {
  const requests = { cpu: '100m', memory: '128Mi' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image: 'example/app:1', resources: { requests } }] },
      },
    },
  };
}
