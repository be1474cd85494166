/**
 * Nodes by how busy they are: by what is used where that is known, by what is asked for where it is not; by connections and by response times. Pure.
 *
 * A figure is true when it is measured; pods that came since then are added to it by what they ask for, so that a burst of pods does not go to the one node
 * that was idle a moment ago.
 */
import type { Snapshot } from '../snapshot.ts';
import type { OwnScore, Question } from './strategy.ts';

/** Annotations of a node, and names in what metrics tell that it uses. */
export const connectionsKey = 'scheduling.caelum.dev/connections';
export const responseKey = 'scheduling.caelum.dev/response-ms';

export interface NodeFigure {
  /** What is used beyond what was asked for by the pods that were there: below zero as a rule. */
  readonly cpuBeyondMilli?: number;
  readonly memoryBeyondBytes?: number;
  readonly connections?: number;
  readonly responseMs?: number;
  /** How many pods it had, and how loaded it was by what they asked for. */
  readonly pods?: number;
  readonly load?: number;
}

/** By the node's name. */
export type NodeFigures = ReadonlyMap<string, NodeFigure>;

/** 0 to 1, with so much more; by what is asked for where it is not known what is used. */
export function loadOf(
  snapshot: Snapshot,
  row: number,
  figure: NodeFigure | undefined,
  cpuMore: number,
  memoryMore: number,
): number {
  const cpuWhole = snapshot.cpuWhole[row] ?? 0;
  const memoryWhole = snapshot.memoryWhole[row] ?? 0;
  const cpuBeyond = figure?.cpuBeyondMilli ?? snapshot.cpuUnasked[row] ?? 0;
  const memoryBeyond = figure?.memoryBeyondBytes ?? snapshot.memoryUnasked[row] ?? 0;
  const cpu = (cpuWhole - (snapshot.cpuFree[row] ?? 0) + cpuBeyond + cpuMore) / cpuWhole;
  const memory = (memoryWhole - (snapshot.memoryFree[row] ?? 0) + memoryBeyond + memoryMore) / memoryWhole;
  return Math.max(cpuWhole > 0 ? cpu : 0, memoryWhole > 0 ? memory : 0, 0);
}

export function leastLoaded({ demand, snapshot }: Question, figures: NodeFigures): OwnScore {
  const cpu = demand.cpuMilli + demand.cpuUnaskedMilli;
  const memory = demand.memoryBytes + demand.memoryUnaskedBytes;
  const figureOf = (row: number) => figures.get(snapshot.facts(row)?.name ?? '');
  return { steadyKey: '', value: (row) => 100 * (1 - loadOf(snapshot, row, figureOf(row), cpu, memory)) };
}

/** A pod that came since then is held to have as many connections as those of its node have; where none are known, each pod counts as one. */
export function leastConnections({ snapshot }: Question, figures: NodeFigures): OwnScore {
  const told = [...figures.values()].filter(({ connections }) => connections !== undefined);
  const all = told.reduce((sum, { connections = 0 }) => sum + connections, 0);
  const pods = told.reduce((sum, one) => sum + (one.pods ?? 0), 0);
  const each = told.length === 0 || pods === 0 ? 1 : Math.max(all / pods, 0.01);
  return {
    steadyKey: '',
    value: (row) => {
      const { connections, pods: before = 0 } = figures.get(snapshot.facts(row)?.name ?? '') ?? {};
      const now = podCount(snapshot, row);
      return 100 - (connections === undefined ? now * each : connections + (now - before) * each);
    },
  };
}

/** As a queue at a server behaves: twice as close to full, twice as slow. Nodes that are not measured are held to be as fast as the others are on average. */
export function leastResponseTime(question: Question, figures: NodeFigures): OwnScore {
  const { snapshot } = question;
  const told = [...figures.values()].flatMap(({ responseMs }) => responseMs ?? []);
  if (told.length === 0) return leastLoaded(question, figures);
  const usual = told.reduce((sum, one) => sum + one, 0) / told.length;
  const left = (load: number): number => Math.max(1 - load, 0.01);
  return {
    steadyKey: '',
    value: (row) => {
      const figure = figures.get(snapshot.facts(row)?.name ?? '');
      const now = loadOf(snapshot, row, undefined, 0, 0);
      return 100 - ((figure?.responseMs ?? usual) * left(figure?.load ?? now)) / left(now);
    },
  };
}

export function podCount(snapshot: Snapshot, row: number): number {
  let count = 0;
  for (const _ of snapshot.podsOn(row)) count++;
  return count;
}
