/** What a policy says of its last plan and of what has been done. */
import {
  type Condition,
  type RebalancePolicy,
  type RebalancePolicyStatus,
  rebalancePolicies,
} from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { formatTime, isError } from '../../lib/index.ts';
import type { Applied } from './apply.ts';
import { type MovePlan, milliseconds, movesOf } from './plan-moves.ts';

const shownMovesMax = 50;
const shownStaysMax = 20;

export async function tellStatus(
  client: Client,
  { metadata }: RebalancePolicy,
  status: RebalancePolicyStatus,
): Promise<void> {
  const { name = '', uid } = metadata;
  // Whole: what is not said any more goes.
  const nothing = { moves: null, stays: null, nextPlanTime: null };
  const patch = { metadata: { uid }, status: { ...nothing, ...status } };
  try {
    await client.patch(rebalancePolicies, undefined, name, 'merge', patch, { subresource: 'status' });
  } catch (error) {
    if (!isError(error, 'notFound', 'conflict')) throw error;
  }
}

/** What is worth a write when it changes. */
export const lastingPart = ({ lastPlanTime: _, nextPlanTime: __, ...rest }: RebalancePolicyStatus): object =>
  rest;

export function statusOf(
  { metadata, spec, status = {} }: RebalancePolicy,
  plan: MovePlan,
  plannedMs: number,
  applied: Applied | undefined,
  nowMs: number,
): RebalancePolicyStatus {
  const moves = movesOf(plan);
  const done = applied?.done.length ?? 0;
  const failed = applied?.failed.length ?? 0;
  const [first] = applied?.failed ?? [];
  const message =
    moves.length === 0
      ? 'nothing is to be moved'
      : applied === undefined
        ? `${moves.length} pods would be moved`
        : `${done} of ${moves.length} pods have been moved${first === undefined ? '' : `; ${first.move.pod}: ${first.reason}`}`;
  const isBalanced = moves.length === 0 ? 'True' : 'False';
  const known = status.conditions?.find((one) => one.type === 'Balanced');
  const condition: Condition = {
    type: 'Balanced',
    status: isBalanced,
    reason: moves.length === 0 ? 'NothingToMove' : applied === undefined ? 'Proposed' : 'Moved',
    message,
    lastTransitionTime: known?.status === isBalanced ? known.lastTransitionTime : formatTime(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
  const nextMs =
    spec.interval === undefined ? undefined : plannedMs + Math.max(1000, milliseconds(spec.interval));
  return {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    lastPlanTime: formatTime(plannedMs),
    ...(done > 0
      ? { lastMoveTime: formatTime(nowMs) }
      : status.lastMoveTime === undefined
        ? {}
        : { lastMoveTime: status.lastMoveTime }),
    ...(nextMs === undefined ? {} : { nextPlanTime: formatTime(nextMs) }),
    planned: moves.length,
    moves: moves.slice(0, shownMovesMax).map(({ uid: _, ...one }) => one),
    stays: plan.stays.slice(0, shownStaysMax).map(({ reason, pods }) => ({ reason, count: pods.length })),
    done: (status.done ?? 0) + done,
    failed: (status.failed ?? 0) + failed,
    conditions: [condition],
  };
}
