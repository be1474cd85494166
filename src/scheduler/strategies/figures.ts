/** How busy nodes are, put together from what is measured and from what their annotations tell. Pure. */
import type { Node } from '../../api/index.ts';
import type { Snapshot } from '../snapshot.ts';
import { connectionsKey, loadOf, type NodeFigure, type NodeFigures, podCount, responseKey } from './load.ts';

/** By the node's name. */
export type NodeUsage = ReadonlyMap<string, NodeUse>;

export interface NodeUse {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Of the servers of its pods, where somebody counts them. */
  readonly connections?: number;
  readonly responseMs?: number;
}

export function figuresOf(
  snapshot: Snapshot,
  usage: NodeUsage | undefined,
  nodes: Iterable<Node>,
): NodeFigures {
  const figures = new Map<string, NodeFigure>();
  for (const { metadata } of nodes) {
    const name = metadata.name ?? '';
    const row = snapshot.rowOf(name);
    if (row === undefined) continue;
    const used = usage?.get(name);
    // What somebody says goes before what is measured.
    const connections = numberOf(metadata.annotations?.[connectionsKey]) ?? used?.connections;
    const responseMs = numberOf(metadata.annotations?.[responseKey]) ?? used?.responseMs;
    if (used === undefined && connections === undefined && responseMs === undefined) continue;
    const cpuAsked = (snapshot.cpuWhole[row] ?? 0) - (snapshot.cpuFree[row] ?? 0);
    const memoryAsked = (snapshot.memoryWhole[row] ?? 0) - (snapshot.memoryFree[row] ?? 0);
    figures.set(name, {
      ...(used === undefined
        ? {}
        : {
            cpuBeyondMilli: used.cpuMilli - cpuAsked,
            memoryBeyondBytes: used.memoryBytes - memoryAsked,
          }),
      ...(connections === undefined ? {} : { connections }),
      ...(responseMs === undefined ? {} : { responseMs }),
      pods: podCount(snapshot, row),
      load: loadOf(snapshot, row, undefined, 0, 0),
    });
  }
  return figures;
}

/** Undefined: it says nothing that makes sense. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
