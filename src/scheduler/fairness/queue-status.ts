/** What is told of a queue: what it has, waits for, borrows; its share and its fair share; what is wrong with it. Pure. */
import type { Queue, QueueStatus } from '../../api/index.ts';
import { podsAt, type Resources, type Vector } from './amounts.ts';
import { fairShares } from './fair-shares.ts';
import type { QueueNode } from './queue-node.ts';
import { overcommitment, type QueueProblem } from './queue-tree.ts';
import { measuredUse } from './siblings.ts';
import type { Tenants } from './tenants.ts';

/** By name of the queue. Times of conditions stay where nothing has changed. */
export function statusesOf(
  tenants: Tenants,
  queues: ReadonlyMap<string, Queue>,
  now: string,
): ReadonlyMap<string, QueueStatus> {
  const { tree, capacity, resources } = tenants;
  const shares = fairShares(tree.root, capacity, (leaf) => sum(leaf.used, leaf.waiting));
  const tooMuch = overcommitment(tree, capacity, resources);
  const statuses = new Map<string, QueueStatus>();
  for (const [name, queue] of queues) {
    const node = tree.byName.get(name);
    if (node === undefined) continue;
    const isTop = node.parent?.parent === undefined && node.min.length > 0;
    const problem = tree.problems.get(name) ?? (isTop ? tooMuch : undefined);
    statuses.set(name, {
      ...figures(node, capacity, resources, shares.get(node) ?? 0),
      ...(queue.metadata.generation === undefined ? {} : { observedGeneration: queue.metadata.generation }),
      conditions: conditionsOf(node, problem, queue, now),
    });
  }
  return statuses;
}

function figures(node: QueueNode, capacity: Vector, resources: Resources, fair: number): QueueStatus {
  const named = sum(node.min, node.rules.max);
  // What is promised to pods is still others', who are going.
  const has = node.used.map((amount, at) => amount - (node.promised[at] ?? 0));
  const { share, dominant } = measuredUse(has, capacity);
  const borrowed = node.min.map((least, at) =>
    least === undefined ? undefined : Math.max(0, (has[at] ?? 0) - least),
  );
  const [used, waiting] = [without(has, podsAt), without(node.waiting, podsAt)];
  return {
    used: resources.texts(used, without(named, podsAt)),
    pending: resources.texts(waiting),
    borrowed: resources.texts(borrowed),
    pods: has[podsAt] ?? 0,
    pendingPods: node.waiting[podsAt] ?? 0,
    ...(share > 0 ? { dominantResource: resources.names[dominant] ?? '' } : {}),
    dominantShare: milli(share),
    fairShare: milli(fair),
  };
}

const milli = (share: number): string => {
  const thousandths = Math.round(share * 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
};

function sum(a: Vector, b: Vector): number[] {
  const all: number[] = [];
  for (const one of [a, b])
    one.forEach((amount, at) => {
      if (amount !== undefined) all[at] = (all[at] ?? 0) + amount;
    });
  return all;
}

const without = (vector: Vector, left: number): Vector =>
  vector.map((amount, at) => (at === left ? undefined : amount));

type Condition = NonNullable<QueueStatus['conditions']>[number];

function conditionsOf(
  node: QueueNode,
  problem: QueueProblem | undefined,
  { metadata, status }: Queue,
  now: string,
): readonly Condition[] {
  const isBroken = node.broken !== undefined;
  const said = (type: string, isTrue: boolean, reason: string, message: string): Condition => {
    const state = isTrue ? 'True' : 'False';
    const known = status?.conditions?.find((one) => one.type === type);
    return {
      type,
      status: state,
      reason,
      message,
      lastTransitionTime: known?.status === state ? known.lastTransitionTime : now,
      ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    };
  };
  return [
    isBroken && problem !== undefined
      ? said('Ready', false, problem.reason, `${problem.message}; its pods wait until that is mended`)
      : said('Ready', true, 'InForce', ''),
    problem === undefined || isBroken
      ? said('GuaranteesHold', !isBroken, isBroken ? 'NotReady' : 'Covered', '')
      : said('GuaranteesHold', false, problem.reason, problem.message),
  ];
}
