/**
 * Carries out plans of moves: evictions through the eviction API, which knows budgets better than any plan.
 *
 *   phase ─▶ nodes that shall go are cordoned, others kept free by a taint ─▶ evictions, one after the other ─▶ wait until who comes instead has a node ─▶ taint away
 *
 * Invariant: taints that it has put on nodes are taken away again, however it ends; those of one that was cut off by `sweepHolds`.
 */
import { type Node, nodes as nodesRef, type Pod, pods as podsRef, type Taint } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { type Clock, explainError, formatTime, isError, type Log } from '../../lib/index.ts';
import type { Move, MovePlan, Phase } from './plan-moves.ts';
import { holdTaint } from './trial.ts';

export interface ApplyOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each eviction as it is made. */
  readonly onMove?: (move: Move) => void;
  /** How long it is waited for new pods to have their nodes, before the nodes that were kept free are given back. */
  readonly settleMs?: number;
}

export interface Applied {
  readonly done: readonly Move[];
  readonly failed: readonly { readonly move: Move; readonly reason: string }[];
}

const lookEveryMs = 250;
const settleMsUsual = 60_000;
const triesMax = 5;
/** An API server that is started anew must not leave nodes without pods: some minutes, then whoever sweeps gives them back. */
const releaseTriesMax = 40;
/** A hold that is older was left by one that was cut off. */
export const holdLastsMs = 600_000;

export async function applyMoves(options: ApplyOptions, { phases }: MovePlan): Promise<Applied> {
  const done: Move[] = [];
  const failed: { readonly move: Move; readonly reason: string }[] = [];
  for (const phase of phases) {
    for (const name of phase.cordon) await changeNode(options, name, cordoned);
    const held: string[] = [];
    try {
      for (const name of phase.hold) {
        held.push(name);
        await changeNode(options, name, (node) => withHold(node, options.clock.nowMs()));
      }
      for (const move of phase.moves) {
        const reason = await evict(options, move);
        if (reason !== undefined) failed.push({ move, reason });
        else {
          done.push(move);
          options.onMove?.(move);
        }
      }
      if (held.length > 0) await settled(options, phase);
    } finally {
      for (const name of held) await changeNode(options, name, withoutHold, releaseTriesMax);
    }
  }
  return { done, failed };
}

/** Why it was not evicted; undefined: it was, or has gone by itself. */
async function evict({ client }: ApplyOptions, { pod, uid }: Move): Promise<string | undefined> {
  const [namespace = '', name = ''] = pod.split('/');
  try {
    await client.createSubresource(podsRef, namespace, name, 'eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      deleteOptions: { preconditions: { uid } },
    } as never);
    return undefined;
  } catch (error) {
    return isError(error, 'notFound', 'conflict') ? 'it has gone meanwhile' : explainError(error);
  }
}

/** Until those that were evicted have gone and nobody of their namespaces waits for a node, or time is over. */
async function settled(
  { client, clock, settleMs = settleMsUsual }: ApplyOptions,
  { moves }: Phase,
): Promise<void> {
  const endMs = clock.monotonicMs() + settleMs;
  const gone = new Set(moves.map(({ uid }) => uid));
  const namespaces = [...new Set(moves.map(({ pod }) => pod.split('/')[0] ?? ''))];
  // The owner has to see that a pod has gone before it makes another.
  for (let quiet = 0; quiet < 2 && clock.monotonicMs() < endMs; ) {
    await clock.sleep(lookEveryMs);
    const lists = await Promise.all(namespaces.map((namespace) => client.list<Pod>(podsRef, { namespace })));
    const isUnsettled = lists.some(({ items }) =>
      items.some(
        ({ metadata, spec, status }) =>
          gone.has(metadata.uid ?? '') ||
          ((spec?.nodeName ?? '') === '' &&
            status?.phase === 'Pending' &&
            (spec?.schedulingGates ?? []).length === 0),
      ),
    );
    quiet = isUnsettled ? 0 : quiet + 1;
  }
}

type NodeChange = (node: Node) => Node | undefined;

const cordoned: NodeChange = (node) =>
  node.spec?.unschedulable === true ? undefined : { ...node, spec: { ...node.spec, unschedulable: true } };

const isHold = ({ key }: Taint): boolean => key === holdTaint.key;

function withHold(node: Node, nowMs: number): Node | undefined {
  const taints = node.spec?.taints ?? [];
  if (taints.some(isHold)) return undefined;
  const hold: Taint = { ...holdTaint, timeAdded: formatTime(nowMs) };
  return { ...node, spec: { ...node.spec, taints: [...taints, hold] } };
}

const withoutHold: NodeChange = (node) => {
  const taints = node.spec?.taints ?? [];
  if (!taints.some(isHold)) return undefined;
  return { ...node, spec: { ...node.spec, taints: taints.filter((one) => !isHold(one)) } };
};

async function changeNode(
  { client, clock, log }: ApplyOptions,
  name: string,
  change: NodeChange,
  most = triesMax,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const next = change(await client.get<Node>(nodesRef, undefined, name));
      if (next !== undefined) await client.update(nodesRef, next);
      return;
    } catch (error) {
      if (isError(error, 'notFound')) return;
      if (tries >= most) {
        log.warn('cannot change a node', { node: name, error });
        return;
      }
      await clock.sleep(lookEveryMs * tries);
    }
  }
}

/** Gives back nodes that were kept free by one that was cut off. */
export async function sweepHolds(options: ApplyOptions, nodes: Iterable<Node>): Promise<void> {
  for (const node of nodes) {
    const hold = node.spec?.taints?.find(isHold);
    if (hold === undefined) continue;
    const sinceMs = Date.parse(hold.timeAdded ?? '') || 0;
    if (options.clock.nowMs() - sinceMs > holdLastsMs)
      await changeNode(options, node.metadata.name ?? '', withoutHold);
  }
}
