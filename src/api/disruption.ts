/**
 * What a disruption budget's status says of evictions: the words that its controller and the eviction of pods share. Pure.
 * Source: policy/v1 PodDisruptionBudget; k8s.io/component-helpers/apps/poddisruptionbudget.
 */
import { sameJson } from '../lib/index.ts';
import type { Condition } from './types/meta.v1.ts';
import type { PodDisruptionBudgetStatus } from './types/policy.v1.ts';

export const disruptionAllowedType = 'DisruptionAllowed';
/** The controller could not tell: nothing may be evicted. */
export const syncFailedReason = 'SyncFailed';

/** `conditions` with `wanted` among them; the same array where nothing changes. The time changes only with the status. */
export function withCondition(
  conditions: readonly Condition[],
  wanted: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): readonly Condition[] {
  const present = conditions.find(({ type }) => type === wanted.type);
  const lastTransitionTime = present?.status === wanted.status ? present.lastTransitionTime : now;
  const next: Condition = { ...wanted, lastTransitionTime };
  if (present === undefined) return [...conditions, next];
  return sameJson(present, next) ? conditions : conditions.map((one) => (one === present ? next : one));
}

/** The conditions that go with a status's `disruptionsAllowed`. */
export function disruptionConditions(
  { conditions = [], disruptionsAllowed = 0, observedGeneration }: PodDisruptionBudgetStatus,
  now: string,
): readonly Condition[] {
  const isAllowed = disruptionsAllowed > 0;
  const wanted = {
    type: disruptionAllowedType,
    status: isAllowed ? 'True' : 'False',
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
  };
  return withCondition(conditions, wanted, now);
}
