/**
 * What agents tell of the use of their pods, and what autoscalers hear of it.
 *
 *   load ─▶ agent (the product's counters) ─▶ /stats/summary, as its weather lets it tell ─▶ network ─▶ observation (in the controllers, or served by the API server
 *   as metrics.k8s.io) ─▶ autoscalers; what they are told is noted as a look, which properties ask about
 */
import { type NodeUsageNow, summaryOf } from '../agent/index.ts';
import { type ComputedApi, type Node, type Pod, quantityMilli } from '../api/index.ts';
import type { MetricsApis, MetricsQuestion, OwnUse } from '../controllers/index.ts';
import { CaelumError, type SimulatedClock } from '../lib/index.ts';
import type { ReadNode } from '../observe/index.ts';
import type { ApiHost } from './client.ts';
import type { Life } from './life.ts';
import { type Loads, scaledLabel } from './load.ts';
import type { Network } from './network.ts';
import type { NodeMachine } from './node-machine.ts';
import type { SimProcess } from './process.ts';

/** Once, what an autoscaler was told of a workload's pods. */
export interface Look {
  readonly atMs: number;
  /** Thousandths of a core, by the pod's name. Who is missing was not told of. */
  readonly told: Map<string, number>;
}

export interface Told {
  readonly workload: string;
  readonly pod: string;
  readonly cpuMilli: number;
}

export interface MeteringOptions {
  readonly clock: SimulatedClock;
  readonly network: Network;
  readonly loads: Loads;
  readonly process: (name: string) => SimProcess | undefined;
  readonly machine: (name: string) => NodeMachine | undefined;
  readonly onTold: (told: Told) => void;
}

type Usage = () => NodeUsageNow | undefined | Promise<NodeUsageNow | undefined>;

const keptMs = 400_000;
const lateMs: readonly [number, number] = [2000, 9000];
const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
const metricsRef = { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods', namespaced: true };

export class Metering {
  readonly #options: MeteringOptions;
  /** Of the agents that run. */
  readonly #agents = new Map<string, Usage>();
  readonly #looks = new Map<string, Look[]>();
  /** What an agent that has stopped looking tells for ever. */
  readonly #frozen = new Map<string, object>();

  constructor(options: MeteringOptions) {
    this.#options = options;
  }

  looks(workload: string): readonly Look[] {
    return this.#looks.get(workload) ?? [];
  }

  /** Called by the life of an agent. */
  serve(nodeName: string, life: Life, usage: Usage): void {
    this.#agents.set(nodeName, usage);
    life.onEnd(() => {
      if (this.#agents.get(nodeName) === usage) this.#agents.delete(nodeName);
    });
  }

  /** For an observation that lives there. */
  reader(caller: Life): ReadNode {
    const { network, process } = this.#options;
    return (node: Node, signal) => {
      const { name = '' } = node.metadata;
      const agent = process(name);
      if (agent === undefined) throw new CaelumError('unavailable', `there is no node "${name}"`);
      const about = { verb: 'stats', ref: nodesRef, name };
      const answer = network.call(caller, agent, () => this.#tell(name), true, about);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      answer.then(resolve, reject);
      return promise;
    };
  }

  async #tell(nodeName: string): Promise<object> {
    const { clock, machine, loads } = this.#options;
    const now = await this.#agents.get(nodeName)?.();
    if (now === undefined) throw new CaelumError('unavailable', `${nodeName}: its agent does not answer yet`);
    const own = machine(nodeName);
    const tells = own?.weather.tells ?? 'all';
    const pods = now.pods.filter(({ uid }) => loads.workloadOf(uid) !== undefined);
    const document = overTheWire<Summary>(summaryOf({ ...now, pods }));
    if (tells !== 'frozen') this.#frozen.delete(nodeName);
    switch (tells) {
      case 'silent':
        return new Promise(() => {});
      case 'late':
        await clock.sleep(lateMs[0] + (own?.random.float() ?? 0) * (lateMs[1] - lateMs[0]));
        return document;
      case 'frozen': {
        const first = this.#frozen.get(nodeName) ?? document;
        this.#frozen.set(nodeName, first);
        return first;
      }
      case 'none':
        return { ...document, pods: [] };
      case 'some':
        return { ...document, pods: document.pods.filter(({ podRef }) => !isChosen(podRef.uid)) };
      case 'nonsense':
        return { ...document, pods: document.pods.map(nonsense) };
      default:
        return document;
    }
  }

  /** What they gather themselves. */
  near(use: OwnUse): MetricsApis {
    return {
      ask: async () => undefined,
      ownUse: () => ({
        prepare: () => use.prepare(),
        of: (pod) => {
          const found = use.of(pod);
          this.#note(pod, found && sumMilli(found.containers.values()));
          return found;
        },
      }),
    };
  }

  /** What the API server serves. */
  served(caller: Life, host: ApiHost, api: () => ComputedApi | undefined): MetricsApis {
    const { network } = this.#options;
    return {
      ownUse: () => undefined,
      ask: async (group, versions, question) => {
        if (group !== metricsRef.group || !versions.includes(metricsRef.version)) return undefined;
        const about = { verb: 'list', ref: metricsRef, name: '' };
        const answer = await network.call(
          caller,
          host,
          async () => overTheWire<PodMetricsList>(await answerOf(api(), question)),
          true,
          about,
        );
        this.#noteList(question, answer);
        return answer;
      },
    };
  }

  #note({ metadata }: Pod, cpuMilli: number | undefined): void {
    const workload = metadata.labels?.[scaledLabel];
    if (workload === undefined) return;
    const look = this.#lookOf(workload);
    if (cpuMilli === undefined) return;
    const { name: pod = '' } = metadata;
    look.told.set(pod, cpuMilli);
    this.#options.onTold({ workload, pod, cpuMilli });
  }

  #noteList({ parameters }: MetricsQuestion, { items }: PodMetricsList): void {
    const [, workload] = new RegExp(`^${scaledLabel}=(.*)$`).exec(parameters['labelSelector'] ?? '') ?? [];
    if (workload === undefined) return;
    const look = this.#lookOf(workload);
    for (const { metadata, containers } of items) {
      const cpuMilli = containers.reduce((sum, { usage }) => sum + (quantityMilli(usage['cpu']) ?? 0), 0);
      look.told.set(metadata.name, cpuMilli);
      this.#options.onTold({ workload, pod: metadata.name, cpuMilli });
    }
  }

  #lookOf(workload: string): Look {
    const atMs = this.#options.clock.monotonicMs();
    let looks = this.#looks.get(workload);
    if (looks === undefined) {
      looks = [];
      this.#looks.set(workload, looks);
    }
    const last = looks.at(-1);
    if (last?.atMs === atMs) return last;
    const look: Look = { atMs, told: new Map() };
    looks.push(look);
    while ((looks[0]?.atMs ?? atMs) < atMs - keptMs) looks.shift();
    return look;
  }
}

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly uid: string };
    readonly containers: readonly object[];
  }[];
}

interface PodMetricsList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly containers: readonly { readonly usage: Readonly<Record<string, string>> }[];
  }[];
}

/** What is no JSON does not arrive as what it was. */
const overTheWire = <T>(document: object): T => JSON.parse(JSON.stringify(document)) as T;

/** Half of them, and always the same. */
const isChosen = (uid: string): boolean => Number.parseInt(uid.at(-1) ?? '0', 16) % 2 === 0;

const wrong = [null, 'NaN', -1] as const;

function nonsense(pod: Summary['pods'][number]): Summary['pods'][number] {
  const { uid } = pod.podRef;
  if (!isChosen(uid)) return pod;
  const value = wrong[Number.parseInt(uid.at(-2) ?? '0', 16) % wrong.length] ?? null;
  return {
    ...pod,
    containers: pod.containers.map((one) => ({
      ...one,
      cpu: { ...(one as { cpu?: object }).cpu, usageCoreNanoSeconds: value },
    })),
  };
}

function sumMilli(uses: Iterable<{ readonly cpuNanocores: number }>): number {
  let sum = 0;
  for (const { cpuNanocores } of uses) sum += cpuNanocores / 1_000_000;
  return sum;
}

async function answerOf(api: ComputedApi | undefined, question: MetricsQuestion): Promise<object> {
  if (api === undefined) throw new CaelumError('unavailable', 'nobody serves metrics');
  const { parameters, ...place } = question;
  const answer = await api.answer({ ...place, verb: 'list', parameter: (name) => parameters[name] });
  if (answer.kind !== 'list') throw new CaelumError('internal', 'a list was asked for');
  return { items: answer.items };
}
