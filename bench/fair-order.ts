/**
 * What fairness between tenants costs: pods a second that are put in line, picked by turns of their queues and counted, with 100,000 that wait in 1,000 queues:
 * all side by side, and in a tree of three levels. Peer in the same run: the same pods by priority and age alone.
 */
import type { Pod, Queue } from '../src/api/index.ts';
import { FairOrder } from '../src/scheduler/fairness/fair-order.ts';
import { Tenants } from '../src/scheduler/fairness/tenants.ts';
import type { WaitingPod } from '../src/scheduler/plan.ts';
import { PriorityOrder } from '../src/scheduler/queue/priority-order.ts';
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';

const rounds = 3;
const queueCount = 1000;
const podCount = 100_000;
const batchSize = 1000;

function queues(isTree: boolean): readonly Queue[] {
  const all: Queue[] = [];
  if (isTree)
    for (let i = 0; i < 10; i++) {
      all.push({ metadata: { name: `org-${i}` }, spec: { weight: 1 + (i % 3) } });
      for (let j = 0; j < 10; j++)
        all.push({ metadata: { name: `unit-${i}${j}` }, spec: { parent: `org-${i}`, weight: 1 + (j % 2) } });
    }
  for (let i = 0; i < queueCount; i++)
    all.push({
      metadata: { name: `team-${i}` },
      spec: {
        weight: 1 + (i % 4),
        min: { cpu: String(i % 3) },
        max: { cpu: '1000' },
        ...(isTree ? { parent: `unit-${String(i % 100).padStart(2, '0')}` } : {}),
      },
    });
  return all;
}

/** A few sorts of pods in each namespace; each team has one namespace. */
function pods(): readonly WaitingPod[] {
  const sorts = Array.from({ length: 10 }, (_, sort) => ({
    containers: [
      {
        name: 'c',
        image: 'i',
        resources: { requests: { cpu: `${(1 + (sort % 5)) * 100}m`, memory: `${1 + (sort % 7)}Gi` } },
      },
    ],
  }));
  return Array.from({ length: podCount }, (_, index) => {
    const namespace = `team-${index % queueCount}`;
    const name = `p-${index}`;
    const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + (index >> 4) * 1000).toISOString();
    const spec = sorts[(index * 7) % sorts.length];
    return {
      key: `${namespace}/${name}`,
      pod: { metadata: { namespace, name, creationTimestamp }, spec } as Pod,
    };
  });
}

/** Seconds to put all in line, and to pick and count all of them. */
function fair(isTree: boolean, waiting: readonly WaitingPod[]): readonly [number, number] {
  const tenants = new Tenants();
  const order = new FairOrder(tenants, () => false);
  tenants.setQueues(queues(isTree), ({ metadata }) => metadata.namespace);
  tenants.setCapacity([50_000_000, 400_000 * 2 ** 30]);
  const began = performance.now();
  for (const one of waiting) order.add(one);
  const added = performance.now();
  for (let left = waiting.length; left > 0; ) {
    const batch = order.take(batchSize);
    if (batch.length === 0) throw new Error(`${left} pods were not picked`);
    left -= batch.length;
    for (const { key, pod } of batch) {
      order.settle(key);
      tenants.count(key, pod, false);
    }
  }
  return [(added - began) / 1000, (performance.now() - added) / 1000];
}

function byPriority(waiting: readonly WaitingPod[]): number {
  const order = new PriorityOrder();
  const began = performance.now();
  for (const one of waiting) order.add(one);
  while (order.size > 0) order.take(batchSize);
  return (performance.now() - began) / 1000;
}

export const bench: Benchmark = {
  description: 'Turns of tenants: 100,000 pods in 1,000 queues, picked by weighted dominant share.',
  seconds: 15,
  async run(say) {
    const waiting = pods();
    const figures: Figure[] = [];
    for (const isTree of [false, true]) {
      const line: number[] = [];
      const picks: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const [adding, picking] = fair(isTree, waiting);
        line.push(podCount / adding);
        picks.push(podCount / picking);
        peer.push(podCount / byPriority(waiting));
      }
      const what = isTree ? 'in three levels' : 'side by side';
      const priority = { name: 'by priority and age', runs: peer };
      figures.push(rateFigure(`put in line, 1,000 queues ${what}`, 'pods/s', line));
      figures.push({
        ...rateFigure(`picked, 1,000 queues ${what}`, 'pods/s', picks, priority),
        goal: '30,000',
      });
      say(`${what}: ${Math.round(figures.at(-1)?.value ?? 0)} picked a second`);
    }
    return figures;
  },
};
