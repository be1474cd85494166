/**
 * A whole cloud in one process under simulated time: the real API server, store, controllers, scheduler, agents and service proxies, each a process
 * of its own on a simulated machine, with a simulated network and disk between them.
 *
 *   plan ─▶ world ─▶ clock steps, one timer at a time, all promises in between ─▶ durable changes ─▶ properties, history hash
 *
 * Deterministic: the same plan gives the same history, byte for byte. Nothing real is touched; the disk's thread comes from `io/`.
 */
import { startHollowNodes } from '../agent/index.ts';
import { builtinKinds, type ComputedApi, type KubeObject, type Pod, pods as podsRef } from '../api/index.ts';
import { createApi, createFirstObjects } from '../apiserver/index.ts';
import { type Client, createInformers, type Informers, keyOf, type ResourceRef } from '../client/index.ts';
import { type MetricsApis, startControllers } from '../controllers/index.ts';
import { CaelumError, createLog, isError, type Log, SeededRandom, SimulatedClock } from '../lib/index.ts';
import { createObservation, type Observation } from '../observe/index.ts';
import { startElectedScheduler, startRebalancer, startScheduler } from '../scheduler/index.ts';
import { defaultLimits, openThreadStore, type Store } from '../store/index.ts';
import { type ApiHost, createNetworkClient } from './client.ts';
import { type Copy, startCopies } from './copies.ts';
import { standbyName } from './generate-placement.ts';
import { SimDisk, startSimThread } from './io/disk.ts';
import { Life, LifeClock } from './life.ts';
import { Loads } from './load.ts';
import { Metering, type Told } from './metering.ts';
import { SimNetwork } from './network.ts';
import { NodeMachine } from './node-machine.ts';
import { explainWithPlace } from './place.ts';
import { type NodePlan, nodeName, rebalancerName, type SimPlan } from './plan.ts';
import { type Machine, SimProcess } from './process.ts';
import type { Witnessed, Written } from './property.ts';
import { runAgent, runProxy } from './real-node.ts';
import { Truth, type TruthEvent } from './truth.ts';

export interface WorldOptions {
  readonly plan: SimPlan;
  readonly onEvent: (event: TruthEvent, bytes: Uint8Array) => void;
  readonly onWrite: (write: Written) => void;
  readonly onWitness: (seen: Witnessed) => void;
  readonly onTold: (told: Told) => void;
  /** A process serves now, or no longer. */
  readonly onProcess: (name: string, isUp: boolean) => void;
  readonly onBroken: (property: string, message: string) => void;
}

const resourceName = ({ group, resource }: ResourceRef): string =>
  group === '' ? resource : `${resource}.${group}`;

export interface LogLine {
  readonly atMs: number;
  readonly process: string;
  readonly line: string;
}

const logLinesMax = 400;

interface Parts {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: LifeClock;
  readonly random: SeededRandom;
  readonly log: Log;
}

export class World {
  readonly plan: SimPlan;
  readonly clock = new SimulatedClock();
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly disk = new SimDisk();
  readonly truth: Truth;
  readonly processes = new Map<string, SimProcess>();
  /** By the name of the node. */
  readonly machines = new Map<string, NodeMachine>();
  /** Of the witness's present life. */
  copies: readonly Copy[] = [];
  readonly user: Client;
  readonly logs: LogLine[] = [];
  readonly facts: Record<string, number> = {};
  /** Where agents tell what their pods use. */
  readonly loads: Loads | undefined;
  readonly metering: Metering | undefined;
  readonly #options: WorldOptions;
  #served: ComputedApi | undefined;
  #store: Store | undefined;
  #api: Client | undefined;
  #calmSinceMs: number | undefined;
  /** Faults under way. */
  #troubles = 0;

  constructor(options: WorldOptions) {
    const { plan } = options;
    this.#options = options;
    this.plan = plan;
    this.random = new SeededRandom(`world/${plan.seed}`);
    this.network = new SimNetwork(this.clock, this.random.stream('network'));
    const loads = plan.metrics === undefined ? undefined : new Loads(() => this.clock.monotonicMs());
    this.loads = loads;
    this.metering =
      loads &&
      new Metering({
        clock: this.clock,
        network: this.network,
        loads,
        process: (name) => this.processes.get(name),
        machine: (name) => this.machines.get(name),
        onTold: options.onTold,
      });
    const { onEvent } = options;
    this.truth = new Truth({
      nowMs: () => this.clock.monotonicMs(),
      onEvent:
        loads === undefined
          ? onEvent
          : (event, bytes) => {
              loads.onEvent(event);
              onEvent(event, bytes);
            },
      onBroken: options.onBroken,
      unheard: () => this.disk.unheard,
      diskRevision: () => this.disk.state.revision,
    });
    this.#add('api', (machine) => this.#runApi(machine));
    this.#add('controllers', (machine) => this.#runControllers(machine));
    this.#add('scheduler', (machine) => this.#runScheduler(machine));
    if (plan.schedulers === 2) this.#add(standbyName, (machine) => this.#runScheduler(machine));
    for (const [index, node] of plan.nodes.entries()) this.#addNode(node, index);
    if (plan.actions.some(({ kind }) => kind === 'rebalance'))
      this.#add(rebalancerName, async (machine) => void startRebalancer(this.#parts(machine)));
    this.#add('witness', (machine) => this.#runWitness(machine));
    const userLife = new Life('user');
    this.user = this.#clientOf({
      name: 'user',
      life: userLife,
      clock: new LifeClock(this.clock, userLife, { offsetMs: 0, drift: 0 }),
    });
  }

  start(): void {
    for (const one of this.processes.values()) one.start();
  }

  process(name: string): SimProcess | undefined {
    return this.processes.get(name);
  }

  get store(): Store | undefined {
    return this.#store;
  }

  count(fact: string): void {
    this.facts[fact] = (this.facts[fact] ?? 0) + 1;
  }

  trouble(delta: 1 | 0 | -1): void {
    this.#troubles += delta;
    this.#lookAround();
  }

  calmSinceMs(): number | undefined {
    return this.#calmSinceMs;
  }

  #lookAround(): void {
    const isCalm = this.#troubles === 0 && [...this.processes.values()].every((one) => one.isUp);
    if (!isCalm) this.#calmSinceMs = undefined;
    else this.#calmSinceMs ??= this.clock.monotonicMs();
  }

  #add(name: string, program: (machine: Machine) => Promise<void>): SimProcess {
    let wasUp = false;
    const onChange = (): void => {
      this.#lookAround();
      if (added.isUp === wasUp) return;
      wasUp = added.isUp;
      this.#options.onProcess(name, wasUp);
    };
    const onCrash = (error: unknown): void =>
      this.#options.onBroken('process/no-crash', `${name} cannot start: ${explainWithPlace(error)}`);
    const added: SimProcess = new SimProcess(this.clock, name, program, onChange, onCrash);
    this.processes.set(name, added);
    return added;
  }

  #addNode(node: NodePlan, index: number): void {
    const agent = this.#add(nodeName(index), (process) => this.#runNode(process, index));
    const machine = new NodeMachine({
      world: this.clock,
      index,
      isReal: node.agent === 'real',
      random: this.random.stream(`machine/${index}`),
      skew: agent.skew,
      startDelayMs: this.plan.startDelayMs,
      stopDelayMs: this.plan.stopDelayMs,
      ...this.#use(),
    });
    this.machines.set(machine.name, machine);
    this.#add(machine.proxy, (process) => runProxy(process, machine, this.#parts(process)));
  }

  #use() {
    const { loads } = this;
    return loads === undefined ? {} : { use: (podUid: string) => loads.now(podUid) };
  }

  #logOf({ name, clock }: Machine): Log {
    return createLog({
      clock,
      level: 'warn',
      sink: (line) => {
        this.logs.push({ atMs: this.clock.monotonicMs(), process: name, line });
        if (this.logs.length > logLinesMax) this.logs.shift();
      },
    });
  }

  #randomOf(machine: Machine): SeededRandom {
    const starts = this.processes.get(machine.name)?.starts ?? 0;
    return this.random.stream(`${machine.name}/${starts}`) as SeededRandom;
  }

  #host(): ApiHost {
    const api = this.processes.get('api') as SimProcess;
    return {
      name: 'api',
      life: () => api.life(),
      api: () => {
        if (this.#api === undefined) throw new CaelumError('unavailable', 'no API server runs');
        return this.#api;
      },
    };
  }

  #clientOf(machine: Machine): Client {
    return createNetworkClient(
      this.network,
      machine.life,
      this.#host(),
      (state, by, verb, ref, name, result, uid) => {
        this.#options.onWrite({ state, by, verb, resource: resourceName(ref), name, uid });
        this.#onAnswered(ref, result);
      },
    );
  }

  /** The API server has answered: what it said must never be lost. */
  #onAnswered(ref: ResourceRef, result: KubeObject | undefined): void {
    const metadata = result?.metadata as KubeObject['metadata'] | undefined;
    if (metadata?.name === undefined || metadata.resourceVersion === undefined) return;
    const name = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
    this.truth.acknowledge(`${resourceName(ref)}/${name}`, Number(metadata.resourceVersion));
  }

  async #runApi(machine: Machine): Promise<void> {
    const { life, clock } = machine;
    const log = this.#logOf(machine);
    const random = this.#randomOf(machine);
    let store: Store;
    try {
      store = await openThreadStore({
        thread: startSimThread(this.disk, life, this.clock, random.stream('disk')),
        file: 'store.db',
        clock,
        log,
        limits: {
          ...defaultLimits,
          keepEvents: this.plan.historyEvents,
          keepMs: this.plan.historyEvents < 1000 ? 0 : defaultLimits.keepMs,
        },
        save: () => Promise.reject(new CaelumError('unavailable', 'there are no files here')),
        schedule: (flush) => void clock.after(0, flush),
        onFatal: () => {
          this.count('store stopped');
          life.end();
        },
      });
    } catch (error) {
      this.#onUnopened(error);
      throw error;
    }
    if (this.disk.isDamaged)
      this.#options.onBroken('store/damage-is-noticed', 'the store opened a file in which a bit was turned');
    this.#store = store;
    life.onEnd(() => {
      this.#store = undefined;
      this.#api = undefined;
      this.#served = undefined;
    });
    this.truth.attach(store);
    this.disk.unheard.clear();
    const api = createApi({
      store,
      clock,
      random: random.stream('api'),
      log,
      serviceCidr: '10.96.0.0/16',
      issueToken: async (claims) => JSON.stringify(claims),
    });
    const client = api.client();
    await createFirstObjects(client, undefined);
    if (this.plan.metrics === 'served') {
      const informers = createInformers({ client, clock, log, random: random.stream('informers') });
      [this.#served] = this.#observe(machine, { client, informers, clock, random, log }).apis;
    }
    this.#api = client;
  }

  /** A damaged file is refused: its operator restores it. */
  #onUnopened(error: unknown): void {
    if (!isError(error, 'corrupt')) return;
    if (!this.disk.isDamaged)
      this.#options.onBroken('store/damage-is-noticed', `an undamaged file was refused: ${error.message}`);
    this.count('damage noticed');
    this.disk.repair();
  }

  #parts(machine: Machine): Parts {
    const { clock } = machine;
    const random = this.#randomOf(machine);
    const log = this.#logOf(machine);
    const client = this.#clientOf(machine);
    const informers = createInformers({ client, clock, log, random: random.stream('informers') });
    return { client, informers, clock, random, log };
  }

  async #runControllers(machine: Machine): Promise<void> {
    const parts = this.#parts(machine);
    const metrics = this.#metricsFor(machine, parts);
    startControllers({ ...parts, ...metrics, registry: builtinKinds, rootCaPem: 'a certificate' });
  }

  #metricsFor(machine: Machine, parts: Parts): { readonly metrics?: MetricsApis } {
    const { metering, plan } = this;
    if (metering === undefined) return {};
    return {
      metrics:
        plan.metrics === 'near'
          ? metering.near(this.#observe(machine, parts).use)
          : metering.served(machine.life, this.#host(), () => this.#served),
    };
  }

  #observe({ life }: Machine, parts: Parts): Observation {
    return createObservation({
      ...parts,
      registry: builtinKinds,
      readNode: this.metering?.reader(life) ?? (() => Promise.reject(new Error('nobody tells'))),
      readPod: () => Promise.reject(new Error('nobody tells')),
    });
  }

  async #runScheduler(machine: Machine): Promise<void> {
    const parts = this.#parts(machine);
    if (this.plan.schedulers !== 2) startScheduler(parts);
    else startElectedScheduler({ ...parts, identity: machine.name, ownCopies: true });
  }

  /** Follows all pods by list and watch and nothing else, as a client of somebody's own would. */
  async #runWitness(machine: Machine): Promise<void> {
    const parts = this.#parts(machine);
    const { client } = parts;
    const { onWitness } = this.#options;
    this.copies = startCopies(parts);
    const list = async (): Promise<void> => {
      try {
        const { items, resourceVersion } = await client.list<KubeObject>(podsRef, { limit: 7 });
        // A page says nothing of the rest: only a whole list is a state.
        const whole = await client.list<KubeObject>(podsRef);
        const ofPage = new Set(items.map(keyOf));
        if (
          resourceVersion === whole.resourceVersion &&
          whole.items.slice(0, items.length).some((one) => !ofPage.has(keyOf(one)))
        )
          this.#options.onBroken('store/lists-are-states', 'the first page is not the beginning of the list');
        onWitness({ kind: 'list', revision: Number(whole.resourceVersion), objects: whole.items });
        watch(whole.resourceVersion);
      } catch {
        machine.clock.after(500, () => void list());
      }
    };
    const watch = (from: string): void => {
      let revision = from;
      client.watch<KubeObject>(
        podsRef,
        { resourceVersion: from },
        {
          onEvent: (event) => {
            if (event.type === 'BOOKMARK') revision = event.resourceVersion;
            else {
              revision = event.object.metadata.resourceVersion ?? revision;
              onWitness({ kind: 'event', type: event.type, object: event.object });
            }
          },
          onEnd: (error) => {
            const again = isError(error, 'expired') ? () => void list() : () => watch(revision);
            machine.clock.after(100, again);
          },
        },
      );
    };
    void list();
  }

  async #runNode(machine: Machine, index: number): Promise<void> {
    const node = this.plan.nodes[index];
    const own = this.machines.get(nodeName(index));
    if (node === undefined || own === undefined) return;
    const { metering } = this;
    const { life } = machine;
    if (own.isReal) {
      const usage = await runAgent(machine, own, node, this.#parts(machine));
      metering?.serve(own.name, life, usage);
      return;
    }
    const { use } = this.#use();
    const hollow = await startHollowNodes({
      ...this.#parts(machine),
      count: 1,
      namePrefix: 'node',
      firstIndex: index,
      cpuCount: node.cpuCount,
      memoryBytes: node.memoryGiB * 2 ** 30,
      startDelayMs: this.plan.startDelayMs,
      stopDelayMs: this.plan.stopDelayMs,
      labels: { 'topology.kubernetes.io/zone': node.zone },
      ...(use === undefined ? {} : { use: ({ metadata }: Pod) => use(metadata.uid ?? '') }),
    });
    metering?.serve(own.name, life, () => hollow.usage(own.name));
  }
}
