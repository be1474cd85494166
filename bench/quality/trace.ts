/**
 * The recorded GPU cluster, arrivals drawn from it, and traces made of it that ask for other things.
 *
 * Traces as the study has them: more of the GPUs asked by pods with several (`multigpu`), by pods that share one (`gpushare`), pods that name models (`gpuspec`).
 * They are drawn anew from the default list here; lists of the study that lie beside it are read as they are.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Random } from '../../src/lib/index.ts';

export interface TraceNode {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpus: number;
  readonly model: string;
}

export interface TracePod {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly gpus: number;
  /** Of each. */
  readonly milli: number;
  /** Any of these; empty: any at all. */
  readonly models: readonly string[];
}

const folder = new URL('../../../shared/data/scheduling/', import.meta.url);
const nodeList = 'openb_node_list_all_node.csv';
const podList = /^openb_pod_list_(\w+)\.csv$/;

export function isRecorded(): boolean {
  return existsSync(new URL(nodeList, folder));
}

/** Names of the pod lists that are there: `default`, and more where somebody has put them there. */
export function recordedLists(): readonly string[] {
  return readdirSync(folder)
    .flatMap((name) => podList.exec(name)?.[1] ?? [])
    .sort();
}

function lines(name: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...rest] = readFileSync(new URL(name, folder), 'utf8').trim().split(/\r?\n/);
  const columns = head.split(',');
  return rest.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(columns.map((column, at) => [column, values[at] ?? '']));
  });
}

export function recordedNodes(): readonly TraceNode[] {
  return lines(nodeList).map((line) => ({
    name: line['sn'] ?? '',
    cpuMilli: Number(line['cpu_milli']),
    memoryMib: Number(line['memory_mib']),
    gpus: Number(line['gpu']),
    model: line['model'] ?? '',
  }));
}

export function recordedPods(list: string): readonly TracePod[] {
  return lines(`openb_pod_list_${list}.csv`).map((line) => {
    const gpus = Number(line['num_gpu']);
    return {
      cpuMilli: Number(line['cpu_milli']),
      memoryMib: Number(line['memory_mib']),
      gpus,
      milli: gpus === 0 ? 0 : Number(line['gpu_milli']),
      models: (line['gpu_spec'] ?? '').split('|').filter((one) => one !== ''),
    };
  });
}

const askedBy = ({ gpus, milli }: TracePod): number => gpus * milli;

export function capacityMilli(nodes: readonly TraceNode[]): number {
  return 1000 * nodes.reduce((sum, { gpus }) => sum + gpus, 0);
}

/** Pods drawn from the list until they ask for `ratio` times what the cluster has. */
export function arrivals(
  pods: readonly TracePod[],
  capacity: number,
  ratio: number,
  random: Random,
): readonly TracePod[] {
  const drawn: TracePod[] = [];
  for (let asked = 0; asked < ratio * capacity; ) {
    const pod = pods[random.integer(pods.length)] as TracePod;
    drawn.push(pod);
    asked += askedBy(pod);
  }
  return drawn;
}
