/**
 * What the snapshot of a large cloud takes, in a process of its own: `node --expose-gc bench/scheduler/memory.ts NODES PODS` prints bytes.
 * Replicas share an object here: a pod's object is the informer's, the snapshot refers to it. Keys are of their own.
 */
import { plan, type WaitingPod } from '../../src/scheduler/plan.ts';
import { Snapshot } from '../../src/scheduler/snapshot.ts';
import { node, pods } from './workloads.ts';

const [nodes = 50_000, count = 10_000_000] = process.argv.slice(2).map(Number);
const collect = (globalThis as { gc?: () => void }).gc ?? ((): void => {});
const used = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const before = used();
const snapshot = new Snapshot();
for (let index = 0; index < nodes; index++) snapshot.setNode(node(index));
const withNodes = used();
const each = 200;
for (let owner = 0; owner * each < count; owner++) {
  const pod = (pods('jobs', 1, owner)[0] as WaitingPod).pod;
  for (let at = 0; at < each && owner * each + at < count; at++)
    snapshot.addPod(
      `namespace-${owner % 1000}/web-${owner}-${at.toString(36)}x${owner.toString(36)}`,
      pod,
      `n-${(owner + at * 251) % nodes}`,
    );
}
const withPods = used();
plan(snapshot, pods('spread', 1000));
const { rss } = process.memoryUsage();
process.stdout.write(
  `${JSON.stringify({ nodeBytes: (withNodes - before) / nodes, podBytes: (withPods - withNodes) / count, totalBytes: used() - before, rss })}\n`,
);
