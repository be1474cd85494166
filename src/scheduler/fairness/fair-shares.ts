/**
 * What each queue's dominant share would be if everything could be divided: guarantees first, then weighted dominant-resource fairness, level by level. Pure.
 *
 *   all grow at once, each by its weight beside its siblings, in the proportions of what it asks for ─▶ one has all that it asks for or may have,
 *   or something that it needs is used up ─▶ it stops, the others go on
 *
 * Invariant: the shares never use more than there is, and nobody stops who could go on.
 * Source: A. Ghodsi and others, Dominant Resource Fairness, NSDI 2011.
 */
import { podsAt, type Vector } from './amounts.ts';
import type { QueueNode } from './queue-node.ts';

/** What a leaf asks for in all: what it has, and what waits. */
export type DemandOf = (leaf: QueueNode) => Vector;

/** Of a leaf, while it grows. */
interface Growing {
  readonly node: QueueNode;
  /** Parts of the cloud of each resource when it has all that it asks for. */
  readonly demand: readonly number[];
  /** The largest of them: the dominant share with which it has all. */
  readonly whole: number;
  share: number;
  speed: number;
  isDone: boolean;
}

const hair = 1e-9;

/** Dominant shares by queue, those above included. */
export function fairShares(
  root: QueueNode,
  capacity: Vector,
  demandOf: DemandOf,
): ReadonlyMap<QueueNode, number> {
  const leaves: Growing[] = [];
  collect(root, capacity, demandOf, leaves);
  const state: State = { leaves, free: [], limits: limitsOf(root, capacity, leaves) };
  for (const { demand } of leaves)
    demand.forEach((_, at) => {
      state.free[at] = 1;
    });
  // What is guaranteed comes first, and is filled evenly.
  for (const phase of ['guarantees', 'weights'] as const) grow(root, state, phase, capacity);
  return sharesAbove(root, leaves);
}

interface State {
  readonly leaves: readonly Growing[];
  /** What is left of each resource, of 1. */
  readonly free: number[];
  readonly limits: readonly Limit[];
}

/** What a queue may have of one resource, as a part of the cloud. */
interface Limit {
  readonly at: number;
  readonly members: readonly Growing[];
  readonly most: number;
}

function collect(node: QueueNode, capacity: Vector, demandOf: DemandOf, leaves: Growing[]): void {
  if (!node.isLeaf) {
    for (const child of node.children) collect(child, capacity, demandOf, leaves);
    return;
  }
  if (node.parent === undefined) return;
  const demand: number[] = [];
  demandOf(node).forEach((amount = 0, at) => {
    const there = capacity[at] ?? 0;
    demand[at] = at === podsAt || amount <= 0 ? 0 : there > 0 ? amount / there : Number.POSITIVE_INFINITY;
  });
  const whole = demand.reduce((most, part) => Math.max(most, part ?? 0), 0);
  // Nothing is asked for, or something that is not there.
  const isDone = whole === 0 || whole === Number.POSITIVE_INFINITY;
  leaves.push({ node, demand, whole, share: 0, speed: 0, isDone });
}

function limitsOf(root: QueueNode, capacity: Vector, leaves: readonly Growing[]): Limit[] {
  const limits: Limit[] = [];
  const visit = (node: QueueNode): void => {
    for (const child of node.children) visit(child);
    if (node === root) return;
    const members = leaves.filter((one) => isBelow(one.node, node));
    node.rules.max.forEach((most, at) => {
      const there = capacity[at] ?? 0;
      if (most !== undefined && at !== podsAt && there > 0) limits.push({ at, members, most: most / there });
    });
    if (node.rules.mayBorrow) return;
    node.min.forEach((most, at) => {
      const there = capacity[at] ?? 0;
      if (most !== undefined && at !== podsAt && there > 0) limits.push({ at, members, most: most / there });
    });
  };
  visit(root);
  return limits;
}

function isBelow(node: QueueNode, above: QueueNode): boolean {
  for (let at: QueueNode | undefined = node; at !== undefined; at = at.parent) if (at === above) return true;
  return false;
}

/** How far it goes in the phase: all that it asks for, or what it is guaranteed of that. */
function goalOf({ node, demand, whole }: Growing, phase: 'guarantees' | 'weights', capacity: Vector): number {
  if (phase === 'weights') return whole;
  let goal = Number.POSITIVE_INFINITY;
  let speaks = false;
  demand.forEach((part, at) => {
    const least = node.min[at];
    const there = capacity[at] ?? 0;
    if (part === 0 || least === undefined || there === 0) return;
    speaks = true;
    goal = Math.min(goal, (least / there / part) * whole);
  });
  return speaks ? Math.min(whole, goal) : 0;
}

function grow(root: QueueNode, state: State, phase: 'guarantees' | 'weights', capacity: Vector): void {
  const { leaves, free, limits } = state;
  const goals = new Map(leaves.map((one) => [one, goalOf(one, phase, capacity)]));
  const active = new Set(leaves.filter((one) => !one.isDone && one.share < (goals.get(one) ?? 0) - hair));
  while (active.size > 0) {
    if (phase === 'guarantees') for (const one of active) one.speed = goals.get(one) ?? 0;
    else setSpeeds(root, active, 1);
    const step = longestStep(active, goals, free, limits);
    for (const one of active) {
      one.share += one.speed * step;
      one.demand.forEach((part, at) => {
        free[at] = (free[at] ?? 0) - one.speed * step * (part / one.whole);
      });
    }
    let stopped = 0;
    for (const one of active) {
      if (one.share < (goals.get(one) ?? 0) - hair && !isStuck(one, active, free, limits)) continue;
      active.delete(one);
      stopped++;
    }
    if (stopped === 0) break;
  }
}

/** By weight among those below each queue that still grow. */
function setSpeeds(root: QueueNode, active: ReadonlySet<Growing>, speed: number): void {
  const growing = new Map<QueueNode, Growing>();
  const counts = new Map<QueueNode, number>();
  for (const one of active) {
    growing.set(one.node, one);
    for (let at: QueueNode | undefined = one.node; at !== undefined; at = at.parent)
      counts.set(at, (counts.get(at) ?? 0) + 1);
  }
  const visit = (node: QueueNode, its: number): void => {
    const leaf = growing.get(node);
    if (leaf !== undefined) leaf.speed = its;
    const below = node.children.filter((child) => counts.has(child));
    const weights = below.reduce((sum, { rules }) => sum + rules.weight, 0);
    for (const child of below) visit(child, (its * child.rules.weight) / weights);
  };
  visit(root, speed);
}

function longestStep(
  active: ReadonlySet<Growing>,
  goals: ReadonlyMap<Growing, number>,
  free: readonly number[],
  limits: readonly Limit[],
): number {
  let step = Number.POSITIVE_INFINITY;
  const rates: number[] = [];
  for (const one of active) {
    step = Math.min(step, ((goals.get(one) ?? 0) - one.share) / one.speed);
    one.demand.forEach((part, at) => {
      rates[at] = (rates[at] ?? 0) + one.speed * (part / one.whole);
    });
  }
  rates.forEach((rate, at) => {
    if (rate > 0) step = Math.min(step, Math.max(0, free[at] ?? 0) / rate);
  });
  for (const { at, members, most } of limits) {
    const [has, rate] = hasAndRate(at, members, active);
    if (rate > 0) step = Math.min(step, Math.max(0, most - has) / rate);
  }
  return step;
}

function hasAndRate(
  at: number,
  members: readonly Growing[],
  active: ReadonlySet<Growing>,
): readonly [number, number] {
  let [has, rate] = [0, 0];
  for (const one of members) {
    if (one.whole === 0 || one.whole === Number.POSITIVE_INFINITY) continue;
    const part = (one.demand[at] ?? 0) / one.whole;
    has += one.share * part;
    if (active.has(one)) rate += one.speed * part;
  }
  return [has, rate];
}

function isStuck(
  one: Growing,
  active: ReadonlySet<Growing>,
  free: readonly number[],
  limits: readonly Limit[],
): boolean {
  if (one.demand.some((part, at) => part > 0 && (free[at] ?? 0) <= hair)) return true;
  return limits.some(
    ({ at, members, most }) =>
      (one.demand[at] ?? 0) > 0 && members.includes(one) && most - hasAndRate(at, members, active)[0] <= hair,
  );
}

function sharesAbove(root: QueueNode, leaves: readonly Growing[]): ReadonlyMap<QueueNode, number> {
  const parts = new Map<QueueNode, number[]>();
  for (const { node, demand, whole, share } of leaves) {
    if (share === 0) continue;
    for (let at: QueueNode | undefined = node; at !== undefined; at = at.parent) {
      const sum = parts.get(at) ?? [];
      parts.set(at, sum);
      demand.forEach((part, resource) => {
        sum[resource] = (sum[resource] ?? 0) + (part / whole) * share;
      });
    }
  }
  const shares = new Map<QueueNode, number>();
  const visit = (node: QueueNode): void => {
    shares.set(
      node,
      (parts.get(node) ?? []).reduce((most, part) => Math.max(most, part), 0),
    );
    for (const child of node.children) visit(child);
  };
  visit(root);
  return shares;
}
