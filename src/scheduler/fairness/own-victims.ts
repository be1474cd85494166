/**
 * Who of a queue that is at its limit may go for more important pods of it. Pure: what it counts to try is as before when it returns.
 *
 *   pods of the queue with less priority, the least important first ─▶ as many as its limits need ─▶ those that need not go after all stay
 *
 * As Kueue's `withinClusterQueue: LowerPriority`. Nobody who is kept by a disruption budget, has a reserved place, or would be there again at once.
 * Invariant: with those that are going already and its victims gone, the pods are within all limits; with one victim less they are not.
 */
import type { PodDisruptionBudget } from '../../api/index.ts';
import { byImportance, guardedByBudgets, priorityOf, type Victim } from '../preemption.ts';
import type { Refusal } from './admission.ts';
import type { Ask } from './amounts.ts';
import type { QueueNode } from './queue-node.ts';
import { isProtected } from './reclaim.ts';
import type { Tenants } from './tenants.ts';

export interface Limited {
  /** What they ask, and where. */
  readonly asks: readonly { readonly leaf: QueueNode; readonly ask: Ask }[];
  /** Whoever has less may go. */
  readonly priority: number;
  readonly budgets: Iterable<PodDisruptionBudget>;
  /** Those that were told to go. */
  readonly going: readonly Victim[];
  /** It is to stay, whatever its priority: it only stands there, or its place is reserved. */
  isKept(key: string): boolean;
}

/** Beside `gone`, who are taken to have left. undefined: it would not be enough if all went. */
export function ownVictims(
  tenants: Tenants,
  limited: Limited,
  gone: readonly Victim[],
): readonly Victim[] | undefined {
  const away = new Set([...tenants.leaving, ...gone.map(({ key }) => key)]);
  for (const key of away) move(tenants, key, -1);
  const found = choose(tenants, limited, candidatesOf(tenants, limited, away));
  for (const key of away) move(tenants, key, 1);
  return found;
}

function move(tenants: Tenants, key: string, sign: 1 | -1): void {
  const count = tenants.countOf(key);
  if (count !== undefined) count.leaf.count(count.ask, sign);
}

/** The least important first. */
function candidatesOf(tenants: Tenants, limited: Limited, away: ReadonlySet<string>): readonly Victim[] {
  const candidates: Victim[] = [];
  for (const leaf of new Set(limited.asks.map((one) => one.leaf)))
    for (const key of tenants.lodgersOf(leaf)) {
      const count = tenants.countOf(key);
      if (count === undefined || !count.isPlaced || away.has(key) || limited.isKept(key)) continue;
      if (priorityOf(count.pod) < limited.priority && !isProtected(count.pod))
        candidates.push({ key, pod: count.pod });
    }
  candidates.sort((a, b) => byImportance(b, a));
  const guarded = guardedByBudgets([...limited.going, ...candidates], limited.budgets);
  return candidates.filter((one) => !guarded.has(one));
}

function choose(
  tenants: Tenants,
  { asks }: Limited,
  candidates: readonly Victim[],
): readonly Victim[] | undefined {
  const chosen = new Set<Victim>();
  let refusal = refusalOfAll(tenants, asks);
  for (let at = 0; refusal !== undefined && at < candidates.length; at++) {
    const one = candidates[at] as Victim;
    if (chosen.has(one) || !helps(tenants, one, refusal)) continue;
    move(tenants, one.key, -1);
    chosen.add(one);
    const next = refusalOfAll(tenants, asks);
    // It is another limit now: those that were passed over may help there.
    if (next !== undefined && (next.by !== refusal.by || next.at !== refusal.at)) at = -1;
    refusal = next;
  }
  if (refusal === undefined)
    for (const one of [...chosen].sort(byImportance)) {
      move(tenants, one.key, 1);
      if (refusalOfAll(tenants, asks) === undefined) chosen.delete(one);
      else move(tenants, one.key, -1);
    }
  for (const one of chosen) move(tenants, one.key, 1);
  return refusal === undefined ? [...chosen].sort(byImportance) : undefined;
}

function refusalOfAll(tenants: Tenants, asks: Limited['asks']): Refusal | undefined {
  let refusal: Refusal | undefined;
  let counted = 0;
  for (const { leaf, ask } of asks) {
    refusal = tenants.refusal(leaf, ask);
    if (refusal !== undefined) break;
    leaf.count(ask, 1);
    counted++;
  }
  for (const { leaf, ask } of asks.slice(0, counted)) leaf.count(ask, -1);
  return refusal;
}

/** Has it some of what lacks, below the queue that refuses? */
function helps(tenants: Tenants, { key }: Victim, { by, at }: Refusal): boolean {
  const count = tenants.countOf(key);
  if (count?.ask.some((one) => one.at === at) !== true) return false;
  for (let node: QueueNode | undefined = count.leaf; node !== undefined; node = node.parent)
    if (node === by) return true;
  return false;
}
