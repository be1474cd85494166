/**
 * Chooses a node for every waiting pod. Pure: the same snapshot gives the same plan.
 *
 *   snapshot ──▶ feasible (filters) ──▶ scored ──▶ steps: bind, or wait with the reason for each node
 *
 * Pods that ask the same are planned together: what nodes are possible is worked out once, and the best node is taken from a heap whose top alone changes
 * with each placement. Pods that look at other pods (affinity, spreading) or at host ports are planned one by one over all nodes.
 *
 * Owns the order of placement: priority, then age. Does not own retries, binding or clocks.
 * Invariant: a plan never overcommits a node. What it binds is in the snapshot when it returns.
 */
import type { Pod } from '../api/index.ts';
import { type Demand, demandOf } from './demand.ts';
import { hasRoom, portsRefusal, refusals, roomRefusals, staticRefusal } from './filters.ts';
import { around, Guard, placementAround } from './neighbours.ts';
import { defaultPolicy, fixedScore, nodeScore, type Policy } from './scores.ts';
import type { Snapshot } from './snapshot.ts';

/** How many nodes were refused, by reason. */
export type Refusals = ReadonlyMap<string, number>;

export type Step =
  | {
      readonly kind: 'bind';
      readonly podKey: string;
      readonly nodeName: string;
      readonly score: number;
      readonly possible: number;
      readonly refused: Refusals;
    }
  | { readonly kind: 'wait'; readonly podKey: string; readonly nodes: number; readonly refused: Refusals };

export interface WaitingPod {
  readonly key: string;
  readonly pod: Pod;
}

export function plan(
  snapshot: Snapshot,
  pods: readonly WaitingPod[],
  policy: Policy = defaultPolicy,
): readonly Step[] {
  const steps: Step[] = [];
  const ordered = inOrder(pods);
  for (let at = 0; at < ordered.length; ) {
    const demand = demandOf((ordered[at] as WaitingPod).pod);
    let end = at + 1;
    while (end < ordered.length && demandOf((ordered[end] as WaitingPod).pod).key === demand.key) end++;
    const group = ordered.slice(at, end);
    const guard = new Guard(snapshot, demand);
    if (demand.isPlain && guard.isEmpty) planAlike(snapshot, demand, group, policy, steps);
    else planAmongOthers(snapshot, demand, group, policy, guard, steps);
    at = end;
  }
  return steps;
}

/** Higher priority first, then older, then by name; pods that ask the same stand together where these allow. */
function inOrder(pods: readonly WaitingPod[]): readonly WaitingPod[] {
  return [...pods].sort((a, b) => {
    const priority = (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0);
    if (priority !== 0) return priority;
    const x = a.pod.metadata.creationTimestamp ?? '';
    const y = b.pod.metadata.creationTimestamp ?? '';
    if (x !== y) return x < y ? -1 : 1;
    const p = demandOf(a.pod).key;
    const q = demandOf(b.pod).key;
    if (p !== q) return p < q ? -1 : 1;
    return a.key < b.key ? -1 : 1;
  });
}

interface Candidate {
  readonly row: number;
  readonly fixed: number;
  score: number;
}

function planAlike(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  policy: Policy,
  steps: Step[],
): void {
  const refused = new Map<string, number>();
  const heap: Candidate[] = [];
  for (let row = 0; row < snapshot.rows; row++) {
    if (snapshot.facts(row) === undefined) continue;
    const reason = staticRefusal(demand, snapshot, row);
    if (reason !== undefined) count(refused, reason);
    else if (hasRoom(demand, snapshot, row)) {
      const fixed = fixedScore(demand, snapshot, row, policy);
      heap.push({ row, fixed, score: nodeScore(demand, snapshot, row, policy, fixed) });
    } else for (const lacking of roomRefusals(demand, snapshot, row)) count(refused, lacking);
  }
  heapify(heap);
  for (const { key, pod } of group) {
    const best = heap[0];
    if (best === undefined) {
      steps.push({ kind: 'wait', podKey: key, nodes: snapshot.nodeCount, refused: new Map(refused) });
      continue;
    }
    const nodeName = snapshot.facts(best.row)?.name ?? '';
    steps.push({ kind: 'bind', podKey: key, nodeName, score: best.score, possible: heap.length, refused });
    snapshot.addPod(key, pod, nodeName);
    if (hasRoom(demand, snapshot, best.row)) {
      best.score = nodeScore(demand, snapshot, best.row, policy, best.fixed);
      sink(heap, 0);
    } else {
      for (const lacking of roomRefusals(demand, snapshot, best.row)) count(refused, lacking);
      const last = heap.pop() as Candidate;
      if (heap.length > 0 && last !== best) {
        heap[0] = last;
        sink(heap, 0);
      }
    }
  }
}

/** One by one over all nodes, since each placement changes what the others are worth; what others say is counted once and then kept up. */
function planAmongOthers(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  policy: Policy,
  guard: Guard,
  steps: Step[],
): void {
  const refusedAlways = new Map<string, number>();
  const candidates: { readonly row: number; readonly fixed: number }[] = [];
  for (let row = 0; row < snapshot.rows; row++) {
    if (snapshot.facts(row) === undefined) continue;
    const reason = staticRefusal(demand, snapshot, row);
    if (reason !== undefined) count(refusedAlways, reason);
    else candidates.push({ row, fixed: fixedScore(demand, snapshot, row, policy) });
  }
  const neighbours = around(snapshot, demand);
  for (const { key, pod } of group) {
    const refused = new Map(refusedAlways);
    const possible: { readonly row: number; readonly fixed: number }[] = [];
    for (const candidate of candidates) {
      const { row } = candidate;
      const lacking = hasRoom(demand, snapshot, row) ? [] : roomRefusals(demand, snapshot, row);
      const reason =
        portsRefusal(demand, snapshot, row) ??
        lacking[0] ??
        neighbours.refusal(row) ??
        (guard.refuses(row) ? refusals.existingAntiAffinity : undefined);
      if (reason === undefined) possible.push(candidate);
      else if (reason !== lacking[0]) count(refused, reason);
      else for (const one of lacking) count(refused, one);
    }
    const rank = placementAround(
      neighbours,
      possible.map(({ row }) => row),
    );
    let best: { row: number; score: number } | undefined;
    for (const { row, fixed } of possible) {
      const score = nodeScore(demand, snapshot, row, policy, fixed) + rank(row);
      if (best === undefined || score > best.score) best = { row, score };
    }
    if (best === undefined) {
      steps.push({ kind: 'wait', podKey: key, nodes: snapshot.nodeCount, refused });
      continue;
    }
    const nodeName = snapshot.facts(best.row)?.name ?? '';
    snapshot.addPod(key, pod, nodeName);
    neighbours.placed(best.row);
    guard.placed(best.row);
    const { score } = best;
    steps.push({ kind: 'bind', podKey: key, nodeName, score, possible: possible.length, refused });
  }
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

/** Better first; among equals the lower row, so that the plan is the same every time. */
const better = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.row < b.row);

function heapify(heap: Candidate[]): void {
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at);
}

function sink(heap: Candidate[], from: number): void {
  let at = from;
  const moving = heap[at] as Candidate;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && better(heap[child + 1] as Candidate, heap[child] as Candidate)) child++;
    if (!better(heap[child] as Candidate, moving)) break;
    heap[at] = heap[child] as Candidate;
    at = child;
  }
  heap[at] = moving;
}

/** As kube-scheduler says it: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function waitMessage(nodes: number, refused: Refusals): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const reasons = [...refused].map(([reason, number]) => `${number} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${reasons.join(', ')}.`;
}
