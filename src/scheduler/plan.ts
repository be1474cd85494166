/**
 * Chooses a node for every waiting pod. Pure: the same snapshot gives the same plan.
 *
 *   snapshot ──▶ feasible (filters) ──▶ scored ──▶ steps: bind, or wait with the reason for each node
 *
 * Pods that ask the same are planned together: what nodes are possible is worked out once, and the best node is taken from a heap whose top alone changes
 * with each placement. Pods that look at other pods (affinity, spreading), at host ports or at volumes are planned one by one over all nodes.
 *
 * Owns the order of placement: priority, then age. Does not own retries, binding or clocks.
 * Invariant: a plan never overcommits a node. What it binds is in the snapshot when it returns.
 */
import type { Pod } from '../api/index.ts';
import { type Demand, demandOf } from './demand.ts';
import { hasRoom, portsRefusal, refusals, roomRefusals } from './filters.ts';
import { around, Guard, placementAround } from './neighbours.ts';
import { NodeHeap } from './node-heap.ts';
import { defaultPolicy, nodeScore, type Policy } from './scores.ts';
import type { Snapshot } from './snapshot.ts';
import { suitableNodes } from './suitable.ts';
import type { VolumeDecision } from './volume-book.ts';

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
      /** Has to be carried out first: its volumes on that node. */
      readonly volumes?: VolumeDecision;
    }
  | {
      readonly kind: 'wait';
      readonly podKey: string;
      readonly nodes: number;
      readonly refused: Refusals;
      /** No node was looked at, since none would do. */
      readonly unresolved?: string;
    };

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

/** Of the question at hand: one is planned after the other. */
const heap = new NodeHeap();

function planAlike(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  policy: Policy,
  steps: Step[],
): void {
  const suitable = suitableNodes(demand, snapshot, policy);
  // The steps share it until it changes.
  let refused = new Map(suitable.refused);
  heap.begin(suitable.rows.length);
  suitable.rows.forEach((row, index) => {
    if (hasRoom(demand, snapshot, row)) {
      const fixed = suitable.fixed[index] ?? 0;
      heap.add(row, fixed, nodeScore(demand, snapshot, row, policy, fixed));
    } else for (const lacking of roomRefusals(demand, snapshot, row)) count(refused, lacking);
  });
  heap.order();
  for (const { key, pod } of group) {
    if (heap.size === 0) {
      steps.push({ kind: 'wait', podKey: key, nodes: snapshot.nodeCount, refused });
      continue;
    }
    const { row, score } = heap;
    const nodeName = snapshot.facts(row)?.name ?? '';
    steps.push({ kind: 'bind', podKey: key, nodeName, score, possible: heap.size, refused });
    snapshot.addPod(key, pod, nodeName);
    if (hasRoom(demand, snapshot, row)) heap.rescore(nodeScore(demand, snapshot, row, policy, heap.fixed));
    else {
      refused = new Map(refused);
      for (const lacking of roomRefusals(demand, snapshot, row)) count(refused, lacking);
      heap.removeBest();
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
  const suitable = suitableNodes(demand, snapshot, policy);
  const candidates = Array.from(suitable.rows, (row, index) => ({ row, fixed: suitable.fixed[index] ?? 0 }));
  const neighbours = around(snapshot, demand);
  for (const { key, pod } of group) {
    const ask = demand.hasClaims ? snapshot.volumes.ask(pod, snapshot.claimUsers) : undefined;
    if (ask?.unresolved !== undefined) {
      const { unresolved } = ask;
      steps.push({ kind: 'wait', podKey: key, nodes: snapshot.nodeCount, refused: new Map(), unresolved });
      continue;
    }
    const refused = new Map(suitable.refused);
    const possible: { readonly row: number; readonly fixed: number }[] = [];
    for (const candidate of candidates) {
      const { row } = candidate;
      const ports = portsRefusal(demand, snapshot, row);
      let lacking = hasRoom(demand, snapshot, row) ? [] : roomRefusals(demand, snapshot, row);
      const facts = ask === undefined ? undefined : snapshot.facts(row);
      if (ask !== undefined && facts !== undefined && ports === undefined && lacking.length === 0)
        lacking = ask.refusals(facts);
      const reason =
        ports ??
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
    const facts = snapshot.facts(best.row);
    const nodeName = facts?.name ?? '';
    snapshot.addPod(key, pod, nodeName);
    neighbours.placed(best.row);
    guard.placed(best.row);
    const { score } = best;
    const volumes = facts === undefined ? undefined : ask?.decide(facts);
    if (volumes !== undefined) snapshot.volumes.assume(key, volumes);
    const found = { nodeName, score, possible: possible.length, refused };
    steps.push({ kind: 'bind', podKey: key, ...found, ...(volumes === undefined ? {} : { volumes }) });
  }
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

/** As kube-scheduler says it: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function waitMessage(nodes: number, refused: Refusals, unresolved?: string): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  if (unresolved !== undefined) return `0/${nodes} nodes are available: ${unresolved}.`;
  const reasons = [...refused].map(([reason, number]) => `${number} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${reasons.join(', ')}.`;
}
