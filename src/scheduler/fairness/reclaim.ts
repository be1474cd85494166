/**
 * Who may be put out of their places for a pod when tenants share the cloud. Pure.
 *
 *   in the same queue: those of less priority
 *   in others:         those that borrow, when the pod is within what its queue (or the one above it, where the two part) is guaranteed
 *
 * Nobody is put out who is within what his queue, or any above it, is guaranteed; nor who is kept by a disruption budget; nor the system's own. So what is
 * fulfilled of guarantees only grows by it, from the deepest level up, and reclaiming comes to an end: whoever was put out is not entitled to come back by
 * the same way.
 *
 * Priority counts within a queue. Across queues it would be worth what its owner says of it.
 */
import type { Pod, PodDisruptionBudget } from '../../api/index.ts';
import { demandOf } from '../demand.ts';
import type { Step, WaitingPod } from '../plan.ts';
import { byImportance, guardedByBudgets, priorityOf, type Victim, type VictimRule } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Ask, addTo } from './amounts.ts';
import { type FairOrder, systemPriorityMin } from './fair-order.ts';
import type { QueueNode } from './queue-node.ts';
import type { Tenants } from './tenants.ts';

/** What is known beside who has what. */
export interface Around {
  readonly budgets: Iterable<PodDisruptionBudget>;
  /** It waits for a node that others are leaving: it only stands there. */
  isNominated(key: string): boolean;
  /** Those that were told to go, wherever they are. */
  readonly going: readonly Victim[];
}

/** Of those on one node, by choices; the most important first. Without any of a choice, or all, nobody has less than is guaranteed who had that before. */
export function victimsFor(
  tenants: Tenants,
  { key, pod }: Victim,
  placed: Iterable<readonly [string, Pod]>,
  around: Around,
): readonly (readonly Victim[])[] {
  const leaf = tenants.leafOf(pod);
  const ask = tenants.askOf(pod);
  const priority = priorityOf(pod);
  // The system's own has its way, as without tenants.
  const isSystem = leaf.queue.parent === undefined && priority >= systemPriorityMin;
  const going = new Set(around.going.map((one) => one.key));
  const certain: Victim[] = [];
  const asked: Asked[] = [];
  const entitled = new Map<QueueNode, boolean>();
  for (const [otherKey, other] of placed) {
    if (otherKey === key || around.isNominated(otherKey)) continue;
    const victim = { key: otherKey, pod: other };
    // It goes anyway; what it leaves beyond what it goes for is for all.
    if (other.metadata.deletionTimestamp !== undefined || going.has(otherKey)) {
      certain.push(victim);
      continue;
    }
    const theirs = tenants.countOf(otherKey)?.leaf ?? tenants.leafOf(other);
    if (isSystem || theirs === leaf) {
      if (priorityOf(other) < priority) certain.push(victim);
      continue;
    }
    if (isProtected(other)) continue;
    const { reclaim } = leaf.queue.rules;
    if (reclaim === 'Never' || (reclaim === 'LowerPriority' && priorityOf(other) >= priority)) continue;
    if (isEntitled(leaf, theirs, ask, entitled))
      asked.push({ victim, leaf: theirs, ask: tenants.askOf(other) });
  }
  return borrowersOf(leaf, ask, asked).map((borrowers) => {
    if (borrowers.length === 0) return certain.sort(byImportance);
    const guarded = guardedByBudgets([...around.going, ...borrowers], around.budgets);
    return [...certain, ...borrowers.filter((one) => !guarded.has(one))].sort(byImportance);
  });
}

/** Of another queue, and might be put out. */
interface Asked {
  readonly victim: Victim;
  readonly leaf: QueueNode;
  readonly ask: Ask;
}

/** So many ways to choose are tried. */
const waysMax = 8;

/**
 * Who borrows can lose only so much: which of his pods go is chosen. The least important first, as many as can go; where that leaves some out, other choices,
 * each beginning with one of the largest: it may be one large pod that has to go.
 */
function borrowersOf(leaf: QueueNode, ask: Ask, asked: readonly Asked[]): readonly (readonly Victim[])[] {
  const usual = [...asked].sort((a, b) => byImportance(b.victim, a.victim));
  const first = thoseThatCanGo(leaf, usual);
  if (first.length === usual.length) return [first];
  const size = (one: Asked): number => {
    let most = 0;
    for (const { at, amount } of ask)
      most = Math.max(most, (one.ask.find((other) => other.at === at)?.amount ?? 0) / amount);
    return most;
  };
  const bySize = [...usual].sort((a, b) => size(b) - size(a));
  const ways = [first, thoseThatCanGo(leaf, bySize)];
  for (const large of bySize.slice(0, waysMax - 2))
    ways.push(thoseThatCanGo(leaf, [large, ...usual.filter((one) => one !== large)]));
  return ways;
}

/** In this order, as many as can go without anybody falling below what is guaranteed. */
function thoseThatCanGo(leaf: QueueNode, asked: readonly Asked[]): Victim[] {
  const away = new Map<QueueNode, number[]>();
  const borrowers: Victim[] = [];
  for (const one of asked) {
    const top = whereTheyPart(leaf, one.leaf);
    let isFree = true;
    for (let node = one.leaf; isFree && node !== top && node.parent !== undefined; node = node.parent)
      isFree = hasBeyond(node, one.ask, away.get(node));
    if (!isFree) continue;
    borrowers.push(one.victim);
    for (let node = one.leaf; node !== top && node.parent !== undefined; node = node.parent) {
      const amounts = away.get(node) ?? [];
      addTo(amounts, one.ask, 1);
      away.set(node, amounts);
    }
  }
  return borrowers;
}

/** So much can go, and it has what it is guaranteed all the same. */
function hasBeyond(node: QueueNode, ask: Ask, away: readonly number[] = []): boolean {
  return ask.every(({ at, amount }) => {
    const least = node.min[at];
    if (least === undefined) return true;
    return (node.used[at] ?? 0) - (node.leaving[at] ?? 0) - (away[at] ?? 0) - amount >= least;
  });
}

/** Where the two part, is it within its guarantee with the pod? */
function isEntitled(leaf: QueueNode, other: QueueNode, ask: Ask, known: Map<QueueNode, boolean>): boolean {
  const top = whereTheyPart(leaf, other);
  let side = leaf;
  while (side.parent !== undefined && side.parent !== top) side = side.parent;
  let is = known.get(side);
  if (is === undefined) {
    is = side.isEntitledTo(ask);
    known.set(side, is);
  }
  return is;
}

/** The lowest queue that both are in. */
function whereTheyPart(a: QueueNode, b: QueueNode): QueueNode {
  let [x, y] = [a, b];
  while (x !== y) {
    if (x.depth >= y.depth && x.parent !== undefined) x = x.parent;
    else if (y.parent !== undefined) y = y.parent;
    else break;
  }
  return x;
}

/** Gains nothing by being put out: it is there again at once, on the same node; or the cloud needs it. */
export function isProtected({ metadata, spec }: Pod): boolean {
  return (
    (spec?.priority ?? 0) >= systemPriorityMin ||
    metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined ||
    metadata.ownerReferences?.some(({ kind, controller }) => controller === true && kind === 'DaemonSet') ===
      true
  );
}

/** Of fewer the order is kept whatever is free. */
const fewPods = 32;
const plenty = 4;

/** While a plan is made: what it has come to so far counts, and nothing else of what was taken for it. */
export class TenantRule implements VictimRule {
  readonly #tenants: Tenants;
  readonly #order: FairOrder;
  readonly #snapshot: Snapshot;
  /** Told to go, as far as we know; some may stay after all. */
  readonly #going = new Set<string>();
  #steps: readonly Step[] = [];
  #seen = 0;

  constructor(tenants: Tenants, order: FairOrder, snapshot: Snapshot) {
    this.#tenants = tenants;
    this.#order = order;
    this.#snapshot = snapshot;
  }

  /** Where there is plenty for all of them it makes no difference who is first: those that ask the same stand together, which is planned faster. */
  readonly inTurn = (pods: readonly WaitingPod[]): readonly WaitingPod[] => {
    if (pods.length < fewPods || !this.#isPlenty(pods)) return pods;
    const alike = new Map<string, WaitingPod[]>();
    for (const waiting of pods) {
      const key = `${priorityOf(waiting.pod)} ${demandOf(waiting.pod).key}`;
      const there = alike.get(key);
      if (there === undefined) alike.set(key, [waiting]);
      else there.push(waiting);
    }
    return [...alike.values()].flat();
  };

  /** Several times what they ask for is free. */
  #isPlenty(pods: readonly WaitingPod[]): boolean {
    const { nominations, cpuFree, memoryFree, rows } = this.#snapshot;
    if (nominations.size > 0) return false;
    let [cpu, memory] = [0, 0];
    for (const { pod } of pods) {
      const demand = demandOf(pod);
      // What else there is less of may be short for some.
      if (!demand.isPlain || demand.extended.size > 0 || demand.gpus !== undefined) return false;
      if (demand.nodeSelector !== undefined) return false;
      if (demand.affinity !== undefined || demand.ephemeralBytes > 0) return false;
      cpu += demand.cpuMilli;
      memory += demand.memoryBytes;
    }
    for (let row = 0; row < rows; row++) {
      if (this.#snapshot.facts(row) === undefined || this.#snapshot.facts(row)?.unschedulable === true)
        continue;
      cpu -= (cpuFree[row] ?? 0) / plenty;
      memory -= (memoryFree[row] ?? 0) / plenty;
    }
    return cpu <= 0 && memory <= 0;
  }

  catchUp(steps: readonly Step[]): void {
    this.#order.suspend();
    if (steps !== this.#steps) this.#seen = 0;
    this.#steps = steps;
    for (; this.#seen < steps.length; this.#seen++) {
      const step = steps[this.#seen] as Step;
      const pod =
        step.kind === 'bind'
          ? this.#snapshot.placed(step.podKey)?.pod
          : this.#snapshot.nominations.get(step.podKey)?.pod;
      if (pod !== undefined) this.#tenants.count(step.podKey, pod, false);
      this.note(step);
    }
  }

  /** Who is to go for it. */
  note(step: Step): void {
    if (step.kind !== 'wait' || step.preemption?.kind !== 'chosen') return;
    for (const { key } of step.preemption.victims) {
      this.#going.add(key);
      this.#tenants.leave(key);
    }
  }

  victims(preemptor: Victim, placed: Iterable<readonly [string, Pod]>): readonly (readonly Victim[])[] {
    const { nominations, budgets, holds } = this.#snapshot;
    const going = this.stillGoing();
    const around: Around = {
      budgets: budgets.values(),
      // Room that is reserved is nobody else's.
      isNominated: (key) => nominations.has(key) || holds.hasPlace(key),
      going,
    };
    return victimsFor(this.#tenants, preemptor, placed, around);
  }

  /** Without those that have gone, and those that could not be told to. */
  stillGoing(): readonly Victim[] {
    const going: Victim[] = [];
    for (const key of this.#going) {
      const pod = this.#snapshot.placed(key)?.pod;
      const isGoing = pod?.metadata.deletionTimestamp !== undefined || this.#snapshot.going.has(key);
      if (pod !== undefined && isGoing) going.push({ key, pod });
      else {
        this.#going.delete(key);
        this.#tenants.leave(key, false);
      }
    }
    return going;
  }

  because({ pod }: Victim, victims: readonly Victim[]): string | undefined {
    const leaf = this.#tenants.leafOf(pod);
    const isReclaimed = victims.some(({ pod: one }) => this.#tenants.leafOf(one) !== leaf);
    return isReclaimed && leaf.queue.parent !== undefined
      ? `reclaiming what queue ${leaf.queue.name} is guaranteed`
      : undefined;
  }
}
