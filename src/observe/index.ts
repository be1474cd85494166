/** The door of `observe`: what nodes, pods and programs tell of themselves, gathered while somebody wants to know it, and the APIs that tell it. */
import type { ComputedApi, KindRegistry, Node, Pod } from '../api/index.ts';
import { nodes as nodesRef, pods as podsRef } from '../api/index.ts';
import { type Client, type Informers, LabelIndex } from '../client/index.ts';
import type { Clock, Log, Random } from '../lib/index.ts';
import { createCustomApis } from './custom-api.ts';
import { createExternalApi } from './external-api.ts';
import { Gatherer, type ReadNode } from './gatherer.ts';
import { createResourceApi } from './resource-api.ts';
import { type ReadPod, SeriesBoard } from './series-board.ts';
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
  const board = new SeriesBoard({
    clock,
    random: random.stream('series'),
    log,
    pods,
    read: options.readPod,
  });
  return {
    apis: [
      createResourceApi({ gatherer, pods, nodes, nowMs: () => clock.nowMs() }),
      ...createCustomApis({ board, client, registry, podIndex: new LabelIndex(pods) }),
      createExternalApi(board),
    ],
    use: {
      prepare: () => gatherer.prepare(),
      of: ({ metadata, spec }) => gatherer.pod(spec?.nodeName ?? '', metadata.uid ?? ''),
    },
    stop: () => {
      gatherer.stop();
      board.stop();
    },
  };
}
