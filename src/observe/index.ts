/** The door of `observe`: what nodes, pods and programs tell of themselves, gathered while somebody wants to know it, and the APIs that tell it. */
import type { ComputedApi, ComputedResource, KindRegistry, Node, Pod } from '../api/index.ts';
import { nodes as nodesRef, pods as podsRef } from '../api/index.ts';
import type { Client, Informers } from '../client/index.ts';
import { assert, type Clock, type Log, type Random } from '../lib/index.ts';
import { Gatherer, type ReadNode } from './gatherer.ts';
import { type LaterApi, laterApi } from './later-api.ts';
import type { Programs } from './programs.ts';
import { createResourceApi } from './resource-api.ts';
import type { ReadPod } from './series-board.ts';
import type { PodUse } from './usage.ts';

export type { ReadNode } from './gatherer.ts';
export { createNodeReader } from './io/node-reader.ts';
export { createPodReader } from './io/pod-reader.ts';
export type { ReadPod } from './series-board.ts';

export interface ObservationOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly readNode: ReadNode;
  readonly readPod: ReadPod;
}

export interface Observation {
  /** To be served by the API server. */
  readonly apis: readonly ComputedApi[];
  /** What pods use, for parts of this process. */
  readonly use: {
    /** Resolves when there is something to tell. A promise only where it has to be waited for. */
    prepare(): Promise<void> | undefined;
    of(pod: Pod): PodUse | undefined;
  };
  stop(): void;
}

export function createObservation(options: ObservationOptions): Observation {
  const { client, informers, registry, clock, random, log } = options;
  const nodes = informers.informer<Node>(nodesRef);
  const pods = informers.informer<Pod>(podsRef);
  const gatherer = new Gatherer({
    clock,
    random: random.stream('observation'),
    log,
    nodes,
    read: options.readNode,
  });
  let programs: Promise<Programs> | undefined;
  const load = (): Promise<Programs> => {
    programs ??= import('./programs.ts').then(({ createPrograms }) =>
      createPrograms({
        client,
        registry,
        pods,
        clock,
        random: random.stream('series'),
        log,
        read: options.readPod,
      }),
    );
    return programs;
  };
  return {
    apis: [
      createResourceApi({ gatherer, pods, nodes, nowMs: () => clock.nowMs() }),
      ...laterApis.map((one) => laterApi(one, async () => apiOf((await load()).apis, one))),
    ],
    use: {
      prepare: () => gatherer.prepare(),
      of: ({ metadata, spec }) => gatherer.pod(spec?.nodeName ?? '', metadata.uid ?? ''),
    },
    stop: () => {
      gatherer.stop();
      void programs?.then((loaded) => loaded.stop());
    },
  };
}

const listed = (name: string, kind: string, verbs: readonly string[]): ComputedResource => ({
  name,
  singularName: '',
  namespaced: true,
  kind,
  verbs,
});
const custom = { group: 'custom.metrics.k8s.io', first: listed('pods/metrics', 'MetricValueList', ['get']) };
const laterApis: readonly LaterApi[] = [
  { ...custom, version: 'v1beta2' },
  { ...custom, version: 'v1beta1' },
  {
    group: 'external.metrics.k8s.io',
    version: 'v1beta1',
    first: listed('externalmetrics', 'ExternalMetricValueList', ['get', 'create']),
  },
];

function apiOf(apis: readonly ComputedApi[], { group, version }: LaterApi): ComputedApi {
  const found = apis.find((one) => one.group === group && one.version === version);
  assert(found !== undefined, `programs tell ${group}/${version}`);
  return found;
}
