/** The door of `observe`: what nodes, pods and programs tell of themselves, gathered while somebody wants to know it, and the APIs that tell it. */
import type { ComputedApi, Node, Pod } from '../api/index.ts';
import { nodes as nodesRef, pods as podsRef } from '../api/index.ts';
import type { Informers } from '../client/index.ts';
import type { Clock, Log, Random } from '../lib/index.ts';
import { Gatherer, type ReadNode } from './gatherer.ts';
import { createResourceApi } from './resource-api.ts';
import type { PodUse } from './usage.ts';

export type { ReadNode } from './gatherer.ts';
export { createNodeReader } from './io/node-reader.ts';

export interface ObservationOptions {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly readNode: ReadNode;
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
  const { informers, clock, random, log } = options;
  const nodes = informers.informer<Node>(nodesRef);
  const pods = informers.informer<Pod>(podsRef);
  const gatherer = new Gatherer({
    clock,
    random: random.stream('observation'),
    log,
    nodes,
    read: options.readNode,
  });
  return {
    apis: [createResourceApi({ gatherer, pods, nodes, nowMs: () => clock.nowMs() })],
    use: {
      prepare: () => gatherer.prepare(),
      of: ({ metadata, spec }) => gatherer.pod(spec?.nodeName ?? '', metadata.uid ?? ''),
    },
    stop: () => gatherer.stop(),
  };
}
