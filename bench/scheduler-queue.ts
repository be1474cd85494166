/**
 * A million pods that wait, in the queue and the engine alone: 5,000 nodes with room for 80,000 of them, a hundred different asks.
 *
 *   offer     how long, and how much memory beside the pods themselves
 *   drain     until each is placed or knows why it waits; the longest that nobody else had a turn (CPU)
 *   room      100 pods leave: who comes in their place, and how many are planned for that
 *
 * `CAELUM_BENCH_SCALE=0.1` makes it smaller.
 */
import type { Node, Pod } from '../src/api/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { plan } from '../src/scheduler/plan.ts';
import { PodQueue } from '../src/scheduler/queue/pod-queue.ts';
import { PriorityOrder } from '../src/scheduler/queue/priority-order.ts';
import { defaultPolicy } from '../src/scheduler/scores.ts';
import { Snapshot } from '../src/scheduler/snapshot.ts';
import { type Benchmark, type Figure, quantile } from './benchmark.ts';

const count = Math.round(1_000_000 * Number(process.env['CAELUM_BENCH_SCALE'] ?? 1));
const asks = 100;
const nodeCount = Math.round(count / 200);
const batch = 1000;

const heapMiB = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

function makePods(): readonly Pod[] {
  const specs = Array.from({ length: asks }, (_, i): Pod['spec'] => ({
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: `${100 + i}m`, memory: '1Gi' } } }],
    priority: i % 3,
  }));
  return Array.from({ length: count }, (_, i): Pod => {
    const spec = specs[i % asks];
    const metadata = { name: `p${i}`, namespace: 'default', uid: `u${i}`, labels: { app: `a${i % asks}` } };
    return { metadata, ...(spec === undefined ? {} : { spec }) } as Pod;
  });
}

class Floor {
  readonly snapshot = new Snapshot();
  readonly queue: PodQueue;
  planned = 0;
  bound = 0;
  readonly turnsMs: number[] = [];

  constructor() {
    const { snapshot } = this;
    const node = (name: string): Node => ({
      metadata: { name, labels: {} },
      status: { allocatable: { cpu: '4', memory: '16Gi', pods: '110' } },
    });
    for (let i = 0; i < nodeCount; i++) snapshot.setNode(node(`n${i}`));
    this.queue = new PodQueue({
      clock: realClock,
      snapshot,
      order: new PriorityOrder(),
      parts: [],
      onReady: () => {},
    });
  }

  /** Until nothing is to be planned, with turns for others in between. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 3; ) {
      const began = process.cpuUsage();
      const { pods, refused } = this.queue.take(batch);
      if (pods.length + refused.length === 0) {
        idle++;
        await new Promise((resolve) => setTimeout(resolve, 120));
        continue;
      }
      idle = 0;
      this.planned += pods.length;
      const podOf = new Map(pods.map(({ key, pod }) => [key, pod]));
      for (const step of plan(this.snapshot, pods, defaultPolicy)) {
        if (step.kind === 'bind') {
          this.bound++;
          this.queue.placed(step.podKey);
          this.queue.forget(step.podKey);
        } else this.queue.setAside(step.podKey, podOf.get(step.podKey) as Pod, step);
      }
      this.turnsMs.push(cpuMs(began));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  leave(row: number): void {
    const [key] = [...this.snapshot.placedOn(row)][0] ?? [];
    const placed = key === undefined ? undefined : this.snapshot.placed(key);
    if (key === undefined || placed === undefined) return;
    this.snapshot.removePod(key);
    this.queue.changed({ kind: 'left', row: placed.row, pod: placed.pod });
  }
}

const figure = (name: string, value: number, unit: string): Figure => ({
  name,
  value,
  unit,
  peer: undefined,
  ratio: undefined,
  runs: [value],
});

export const bench: Benchmark = {
  description: 'a million pods that wait: memory, time, and what room for a hundred costs then',
  seconds: 40,
  async run(say) {
    const pods = makePods();
    const floor = new Floor();
    const beforeMiB = heapMiB();
    let began = process.cpuUsage();
    for (const pod of pods) floor.queue.offer(`default/${pod.metadata.name}`, pod);
    const offerMs = cpuMs(began);
    began = process.cpuUsage();
    await floor.drain();
    const drainMs = cpuMs(began);
    const afterMiB = heapMiB();
    say(
      `${count} pods offered in ${offerMs.toFixed(0)} ms of CPU; ${floor.bound} placed, ${floor.queue.asideSize} told why not, ${floor.planned} planned for that, in ${drainMs.toFixed(0)} ms; turns p99 ${quantile(floor.turnsMs, 0.99).toFixed(1)} ms, longest ${Math.max(...floor.turnsMs).toFixed(1)} ms`,
    );
    const [planned, bound] = [floor.planned, floor.bound];
    began = process.cpuUsage();
    for (let row = 0; row < 100; row++) floor.leave(row);
    await floor.drain();
    const roomMs = cpuMs(began);
    say(
      `100 have left: ${floor.bound - bound} came, ${floor.planned - planned} were planned, ${roomMs.toFixed(0)} ms of CPU`,
    );
    return [
      figure(
        'memory of the queue and the engine for each pod that waits',
        ((afterMiB - beforeMiB) * 2 ** 20) / count,
        'bytes',
      ),
      figure(
        'pods planned for each for which 100 left room',
        (floor.planned - planned) / Math.max(1, floor.bound - bound),
        'pods',
      ),
      figure('turn of one batch, p99', quantile(floor.turnsMs, 0.99), 'ms of CPU'),
    ];
  },
};
