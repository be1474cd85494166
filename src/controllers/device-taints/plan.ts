/**
 * Which pods leave devices that their drivers have tainted, and when. Pure.
 *
 *   claim ──▶ its devices ──▶ taints that nothing tolerates (any more) ──▶ the pods that hold it go
 *
 * Source: Kubernetes' device taint eviction controller, as behaviour.
 */
import type { Device, DynamicResourceClaim, Pod } from '../../api/index.ts';
import { disruptionTarget } from '../disruption-target.ts';
import { isActive } from '../pod-state.ts';
import { podsRef, referenceTo } from '../resources.ts';
import { deletion, type PlanContext, type Step, type Write } from '../step.ts';

type Result = NonNullable<
  NonNullable<NonNullable<NonNullable<DynamicResourceClaim['status']>['allocation']>['devices']>['results']
>[number];
type Taint = NonNullable<Device['taints']>[number];
type Toleration = NonNullable<Result['tolerations']>[number];

export interface Observed {
  readonly claim: DynamicResourceClaim;
  /** As its driver tells of it now. */
  device(result: Result): Device | undefined;
  pod(name: string): Pod | undefined;
}

export function plan({ claim, device, pod }: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { allocation, reservedFor = [] } = claim.status ?? {};
  let leaveMs = Number.POSITIVE_INFINITY;
  for (const result of allocation?.devices?.results ?? [])
    for (const taint of device(result)?.taints ?? [])
      if (taint.effect === 'NoExecute') leaveMs = Math.min(leaveMs, leavesAtMs(taint, result.tolerations));
  if (leaveMs === Number.POSITIVE_INFINITY) return [];
  if (leaveMs > nowMs) return [{ kind: 'again', afterMs: leaveMs - nowMs }];
  const steps: Step[] = [];
  for (const { apiGroup = '', resource, name, uid } of reservedFor) {
    const holder = apiGroup === '' && resource === 'pods' ? pod(name) : undefined;
    if (holder === undefined || holder.metadata.uid !== uid || !isActive(holder)) continue;
    steps.push(
      ...disruptionTarget(
        holder,
        'DeletionByDeviceTaintManager',
        'Device Taint manager: deleting due to NoExecute taint',
        nowMs,
      ),
      leaving(holder),
    );
  }
  return steps;
}

/** −∞: at once; ∞: never. */
function leavesAtMs(taint: Taint, tolerations: readonly Toleration[] = []): number {
  const toleration = tolerations.find((one) => tolerates(one, taint));
  if (toleration === undefined) return Number.NEGATIVE_INFINITY;
  const { tolerationSeconds: seconds } = toleration;
  if (seconds === undefined) return Number.POSITIVE_INFINITY;
  const sinceMs = Date.parse(taint.timeAdded ?? '');
  return seconds <= 0 || Number.isNaN(sinceMs) ? Number.NEGATIVE_INFINITY : sinceMs + seconds * 1000;
}

function tolerates({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''));
}

function leaving(pod: Pod): Write {
  return deletion(podsRef, pod, {
    done: {
      about: referenceTo(podsRef, pod),
      type: 'Normal',
      reason: 'DeviceTaintManagerEviction',
      message: 'Marking for deletion',
    },
    accept: ['notFound', 'conflict'],
  });
}
