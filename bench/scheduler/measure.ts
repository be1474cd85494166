/**
 * How fast the engine is, by the processor time of its thread: others on the machine do not count.
 *
 * A course is one cloud in which pods of one workload are placed, run after run. The first pods are for the compiler and for what the engine looks at once.
 * What the making of clouds and pods leaves behind is collected before each run; what the engine itself leaves is counted. The kernel counts time in ticks of
 * some milliseconds: of small clouds there are several at once, so that a run takes long enough.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { plan, type WaitingPod } from '../../src/scheduler/plan.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';
import { scan } from './full-scan.ts';
import { cloud, crowd, fullCloud, important, loners, pods, type Workload } from './workloads.ts';

/** As the shell does. */
const batchSize = 1000;

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

export function rate(count: number, work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (count * 1e6) / (user + system);
}

export function planAll(snapshot: Snapshot, waiting: readonly WaitingPod[]): number {
  let bound = 0;
  for (let at = 0; at < waiting.length; at += batchSize)
    for (const { kind } of plan(snapshot, waiting.slice(at, at + batchSize))) if (kind === 'bind') bound++;
  return bound;
}

/** A cloud stays as long as its process does: were the last one dropped, the compiler would forget what it knows of them. */
const kept: unknown[] = [];

export class Course {
  readonly #workload: Workload;
  readonly #nodes: number;
  readonly #snapshots: readonly Snapshot[];
  #pods = 0;

  constructor(workload: Workload, nodes: number, copies = 1) {
    this.#workload = workload;
    this.#nodes = nodes;
    this.#snapshots = Array.from({ length: copies }, () => cloud(nodes));
    if (workload === 'apart' || workload === 'shunned')
      for (const snapshot of this.#snapshots) plan(snapshot, loners());
    if (kept.length === 0) {
      const small = cloud(20);
      kept.push(small, plan(small, pods('plain', 20)));
    }
  }

  /** Pods of others, which are there already: they come until there are so many. */
  fill(count: number): void {
    for (const snapshot of this.#snapshots) crowd(snapshot, this.#nodes, count);
  }

  /** Placements a second, so many in each cloud. */
  placed(count: number): number {
    const waiting = this.#next(count);
    // As the informer's copy has them: by keys that have been looked up before.
    const copies = waiting.map((some) => new Map(some.map((one) => [one.key, one])));
    collectGarbage();
    let bound = 0;
    const all = count * copies.length;
    const result = rate(all, () => {
      for (const [at, some] of waiting.entries()) bound += planAll(this.#snapshots[at] as Snapshot, some);
    });
    if (bound !== all) throw new Error(`${this.#workload}: only ${bound} of ${all} pods were placed`);
    return result;
  }

  scanned(count: number): number {
    const [waiting = []] = this.#next(count);
    collectGarbage();
    return rate(count, () => {
      scan(this.#snapshots[0] as Snapshot, waiting);
    });
  }

  #next(count: number): readonly (readonly WaitingPod[])[] {
    // Of an owner that wants a node for each there are not more than there are nodes.
    const replicas = Math.min(500, Math.floor(this.#nodes / 4));
    const from = this.#pods;
    // Others are of other owners.
    this.#pods += Math.ceil(count / replicas) * replicas;
    return this.#snapshots.map(() => pods(this.#workload, count, from, replicas));
  }
}

/** Pods of high priority on a full cloud, each placed in the end: preempting, the victims' going, binding. */
export class FullCourse {
  readonly #snapshots: readonly Snapshot[];
  #pods = 0;

  constructor(nodes: number, copies = 1) {
    this.#snapshots = Array.from({ length: copies }, () => fullCloud(nodes));
  }

  preempted(count: number): number {
    const waiting = this.#snapshots.map(() => important(count, this.#pods));
    this.#pods += count;
    collectGarbage();
    return rate(count * waiting.length, () => {
      for (const [at, some] of waiting.entries()) preemptAll(this.#snapshots[at] as Snapshot, some);
    });
  }
}

function preemptAll(snapshot: Snapshot, all: readonly WaitingPod[]): void {
  const podOf = new Map(all.map((one) => [one.key, one]));
  let waiting = [...all];
  for (let turn = 0; waiting.length > 0 && turn < 10 + all.length / 100; turn++) {
    const again: WaitingPod[] = [];
    for (const step of plan(snapshot, waiting.splice(0, batchSize))) {
      if (step.kind === 'bind') continue;
      const victims = step.preemption?.kind === 'chosen' ? step.preemption.victims : [];
      for (const { key } of victims) {
        snapshot.removePod(key);
        snapshot.going.delete(key);
      }
      again.push(podOf.get(step.podKey) as WaitingPod);
    }
    waiting = [...again, ...waiting];
  }
  if (waiting.length > 0) throw new Error(`${waiting.length} pods have no place`);
}
