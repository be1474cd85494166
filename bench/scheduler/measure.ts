/** How fast the engine is, by the processor time of its thread: others on the machine do not count. */
import { plan, type WaitingPod } from '../../src/scheduler/plan.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';
import { scan } from './full-scan.ts';
import { cloud, fullCloud, important, loners, pods, type Workload } from './workloads.ts';

/** As the shell does. */
const batchSize = 1000;

export function rate(count: number, work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (count * 1e6) / (user + system);
}

function prepared(workload: Workload, nodes: number): Snapshot {
  const snapshot = cloud(nodes);
  if (workload === 'apart' || workload === 'shunned') plan(snapshot, loners());
  return snapshot;
}

export function planAll(snapshot: Snapshot, waiting: readonly WaitingPod[]): number {
  let bound = 0;
  for (let at = 0; at < waiting.length; at += batchSize)
    for (const { kind } of plan(snapshot, waiting.slice(at, at + batchSize))) if (kind === 'bind') bound++;
  return bound;
}

/** Placements a second; `before`: pods of others that are there already. */
export function placed(workload: Workload, nodes: number, count: number, before = 0): number {
  const snapshot = prepared(workload, nodes);
  if (before > 0) planAll(snapshot, pods('plain', before, 1_000_000));
  // Of an owner that wants a node for each there are not more than there are nodes.
  const waiting = pods(workload, count, 0, Math.min(500, Math.floor(nodes / 4)));
  // As the informer's copy has them: by keys that have been looked up before.
  const copy = new Map(waiting.map((one) => [one.key, one]));
  let bound = 0;
  const result = rate(count, () => {
    bound = planAll(snapshot, waiting);
  });
  if (bound !== copy.size) throw new Error(`${workload}: only ${bound} of ${count} pods were placed`);
  return result;
}

export function scanned(workload: Workload, nodes: number, count: number): number {
  const snapshot = prepared(workload, nodes);
  const waiting = pods(workload, count);
  return rate(count, () => {
    scan(snapshot, waiting);
  });
}

/** Pods of high priority on a full cloud, each placed in the end: preempting, the victims' going, binding. */
export function preempted(nodes: number, count: number): number {
  const snapshot = fullCloud(nodes);
  const podOf = new Map(important(count).map((one) => [one.key, one]));
  return rate(count, () => {
    let waiting = [...podOf.values()];
    for (let turn = 0; waiting.length > 0 && turn < 10 + count / 100; turn++) {
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
  });
}
