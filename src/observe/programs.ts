/** Metrics that programs tell and that are pushed: their board, and the APIs that show it. Loaded when somebody first asks. */
import type { ComputedApi, KindRegistry, Pod } from '../api/index.ts';
import { type Client, type Informer, LabelIndex } from '../client/index.ts';
import type { Clock, Log, Random } from '../lib/index.ts';
import { createCustomApis } from './custom-api.ts';
import { createExternalApi } from './external-api.ts';
import { type ReadPod, SeriesBoard } from './series-board.ts';

export interface ProgramsOptions {
  readonly client: Client;
  readonly registry: KindRegistry;
  readonly pods: Informer<Pod>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly read: ReadPod;
}

export interface Programs {
  readonly apis: readonly ComputedApi[];
  stop(): void;
}

export function createPrograms({ client, registry, pods, ...options }: ProgramsOptions): Programs {
  const board = new SeriesBoard({ ...options, pods });
  const podIndex = new LabelIndex(pods);
  return {
    apis: [...createCustomApis({ board, client, registry, podIndex }), createExternalApi(board)],
    stop: () => {
      board.stop();
      podIndex.stop();
    },
  };
}
