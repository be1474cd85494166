/**
 * Plans pods of one priority together, for strategies that pack: onto as few nodes as can be, and where not all fit, as much as can be. Pure.
 *
 *   run of pods ─▶ pack (sizes against what is free) ─▶ each pod is placed on its node by the engine, by all rules ─ refused ─▶ wherever the engine likes
 *
 * A packing is advice: no rule is asked by it but labels, taints and room. Runs that are too long for it are placed largest first.
 */
import { type Demand, demandOf } from '../demand.ts';
import type { WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import type { Policy, Scorer } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import { suitableNodes } from '../suitable.ts';
import { type Bin, type Item, type Packing, pack } from './pack.ts';

/** More pods, or more nodes, are not looked at together. */
const podsMax = 128;
const usedMax = 96;
const emptyMax = 64;

/** Carries the advice out. */
export interface Placing {
  /** On that row or not at all: whether it was. */
  at(waiting: WaitingPod, row: number): boolean;
  /** One after the other, wherever they are placed best. */
  anywhere(pods: readonly WaitingPod[]): void;
}

/** How many pods from there on can be looked at together: of one priority and scorer, and not all alike. */
export function packableFrom(
  snapshot: Snapshot,
  ordered: readonly WaitingPod[],
  from: number,
  policy: Policy,
): number {
  const first = ordered[from] as WaitingPod;
  const priority = priorityOf(first.pod);
  const scorer = policy.scorerOf(first.pod);
  const { key } = demandOf(first.pod);
  let isMixed = false;
  let end = from;
  for (; end < ordered.length; end++) {
    const { key: podKey, pod } = ordered[end] as WaitingPod;
    const demand = demandOf(pod);
    if (!isPackable(demand) || priorityOf(pod) !== priority || policy.scorerOf(pod) !== scorer) break;
    if (snapshot.nominations.size > 0 && snapshot.nominations.has(podKey)) break;
    isMixed ||= demand.key !== key;
  }
  return isMixed ? end - from : 0;
}

/** Whether what a pod asks is a matter of size, as far as others go. */
function isPackable(demand: Demand): boolean {
  return (
    demand.isPlain &&
    demand.gpus === undefined &&
    demand.impossible === undefined &&
    demand.extended.size === 0
  );
}

/** `run`: of one priority and scorer, all packable. */
export function planPacked(
  snapshot: Snapshot,
  run: readonly WaitingPod[],
  scorer: Scorer,
  placing: Placing,
): void {
  const size = ({ cpuMilli, memoryBytes }: Demand): number =>
    Math.max(
      cpuMilli / Math.max(1, most(snapshot.cpuWhole)),
      memoryBytes / Math.max(1, most(snapshot.memoryWhole)),
    );
  const sizes = new Map(run.map((one) => [one, size(demandOf(one.pod))]));
  const ordered = [...run].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0));
  if (run.length > podsMax) {
    placing.anywhere(ordered);
    return;
  }
  const rows = advise(snapshot, ordered, scorer);
  const left: WaitingPod[] = [];
  for (const [at, one] of ordered.entries()) {
    const row = rows[at] ?? -1;
    if (row < 0 || !placing.at(one, row)) left.push(one);
  }
  if (left.length > 0) placing.anywhere(left);
}

function most(column: Float64Array): number {
  let largest = 0;
  for (const one of column) if (one > largest) largest = one;
  return largest;
}

/** By pod: the row that it should have, or -1. */
function advise(snapshot: Snapshot, pods: readonly WaitingPod[], scorer: Scorer): readonly number[] {
  const demands = pods.map(({ pod }) => demandOf(pod));
  const suitable = pods.map(({ pod }, at) => {
    const demand = demands[at] as Demand;
    return suitableNodes(demand, snapshot, scorer, scorer.begin(demand, snapshot, pod)).rows;
  });
  const rows = candidates(snapshot, demands, suitable);
  if (rows.length === 0) return pods.map(() => -1);
  const largest = { cpu: most(snapshot.cpuWhole), memory: most(snapshot.memoryWhole) };
  const bins = rows.map((row): Bin => {
    const cpu = (snapshot.cpuWhole[row] as number) / Math.max(1, largest.cpu);
    const memory = (snapshot.memoryWhole[row] as number) / Math.max(1, largest.memory);
    return {
      free: [
        snapshot.cpuFree[row] as number,
        snapshot.memoryFree[row] as number,
        snapshot.podsFree[row] as number,
      ],
      cost: isUsed(snapshot, row) ? 0 : (cpu + memory) / 2,
    };
  });
  const allowed = new Map<Int32Array, Uint8Array | undefined>();
  const items = demands.map(({ cpuMilli, memoryBytes }, at): Item => {
    const those = suitable[at] as Int32Array;
    if (!allowed.has(those)) allowed.set(those, allowedOf(rows, those));
    return { size: [cpuMilli, memoryBytes, 1], allowed: allowed.get(those) };
  });
  return Array.from(packAgain(snapshot, bins, items), (bin) => (bin < 0 ? -1 : (rows[bin] as number)));
}

const known = new WeakMap<Snapshot, Map<string, Packing>>();
const knownMax = 8;

/** Pods that wait are tried again and again, often where nothing has changed. */
function packAgain(snapshot: Snapshot, bins: readonly Bin[], items: readonly Item[]): Packing {
  let packings = known.get(snapshot);
  if (packings === undefined) {
    packings = new Map();
    known.set(snapshot, packings);
  }
  const key = JSON.stringify([
    bins.map(({ free, cost }) => [...free, cost]),
    items.map(({ size, allowed }) => [size, allowed?.join('')]),
  ]);
  let packing = packings.get(key);
  if (packing === undefined) {
    packing = pack(bins, items);
    if (packings.size >= knownMax) packings.clear();
    packings.set(key, packing);
  }
  return packing;
}

function allowedOf(rows: readonly number[], suitable: Int32Array): Uint8Array | undefined {
  const those = new Set(suitable);
  return rows.every((row) => those.has(row))
    ? undefined
    : Uint8Array.from(rows, (row) => Number(those.has(row)));
}

/** Pods that every node has do not count. */
function isUsed(snapshot: Snapshot, row: number): boolean {
  for (const { metadata } of snapshot.podsOn(row))
    if (metadata.ownerReferences?.some((one) => one.controller === true && one.kind === 'DaemonSet') !== true)
      return true;
  return false;
}

/** Rows that take at least one of the pods: those in use with the least room, and of the empty ones the largest. */
function candidates(
  snapshot: Snapshot,
  demands: readonly Demand[],
  suitable: readonly Int32Array[],
): readonly number[] {
  const used = new Set<number>();
  const empty = new Set<number>();
  const seen = new Map<Int32Array, Demand[]>();
  for (const [at, rows] of suitable.entries()) {
    const there = seen.get(rows);
    if (there === undefined) seen.set(rows, [demands[at] as Demand]);
    else there.push(demands[at] as Demand);
  }
  for (const [rows, those] of seen) {
    const cpu = Math.min(...those.map(({ cpuMilli }) => cpuMilli));
    const memory = Math.min(...those.map(({ memoryBytes }) => memoryBytes));
    for (const row of rows) {
      const hasRoom =
        (snapshot.cpuFree[row] as number) >= cpu &&
        (snapshot.memoryFree[row] as number) >= memory &&
        (snapshot.podsFree[row] as number) >= 1;
      if (hasRoom) (isUsed(snapshot, row) ? used : empty).add(row);
    }
  }
  const room = (row: number): number =>
    (snapshot.cpuFree[row] as number) / Math.max(1, snapshot.cpuWhole[row] as number);
  const byRoom = [...used].sort((a, b) => room(a) - room(b) || a - b).slice(0, usedMax);
  const bySize = [...empty].sort(
    (a, b) => (snapshot.cpuWhole[b] as number) - (snapshot.cpuWhole[a] as number) || a - b,
  );
  return [...byRoom, ...bySize.slice(0, emptyMax)];
}
