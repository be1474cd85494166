/**
 * The order in which the pods of a plan are placed: higher priority first, then older, then by name; pods that ask the same stand together where these allow. Pure.
 * What each asks is worked out on the way, and kept beside the list for who places them.
 */
import { type Demand, freshDemandOf } from './demand.ts';
import type { WaitingPod } from './plan.ts';
import { priorityOf } from './preemption.ts';

const demandsBeside = new WeakMap<readonly WaitingPod[], readonly Demand[]>();

/** Of each pod of a list that `inOrder` has made; undefined: it has not. */
export function demandsOf(ordered: readonly WaitingPod[]): readonly Demand[] | undefined {
  return demandsBeside.get(ordered);
}

export function inOrder(pods: readonly WaitingPod[]): readonly WaitingPod[] {
  const demands = pods.map(({ pod }) => freshDemandOf(pod));
  // As a rule they come so.
  for (let at = 1; at < pods.length; at++) {
    const one = pods[at - 1] as WaitingPod;
    const next = pods[at] as WaitingPod;
    if (compareTurns(one, demands[at - 1] as Demand, next, demands[at] as Demand) >= 0)
      return sorted(pods, demands);
  }
  demandsBeside.set(pods, demands);
  return pods;
}

function sorted(pods: readonly WaitingPod[], demands: readonly Demand[]): readonly WaitingPod[] {
  const turns = pods.map((waiting, at) => ({ waiting, demand: demands[at] as Demand }));
  turns.sort((a, b) => compareTurns(a.waiting, a.demand, b.waiting, b.demand));
  const ordered = turns.map(({ waiting }) => waiting);
  demandsBeside.set(
    ordered,
    turns.map(({ demand }) => demand),
  );
  return ordered;
}

function compareTurns(a: WaitingPod, p: Demand, b: WaitingPod, q: Demand): number {
  const priority = priorityOf(b.pod) - priorityOf(a.pod);
  if (priority !== 0) return priority;
  const x = a.pod.metadata.creationTimestamp ?? '';
  const y = b.pod.metadata.creationTimestamp ?? '';
  if (x !== y) return x < y ? -1 : 1;
  if (p !== q && p.key !== q.key) return p.key < q.key ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
