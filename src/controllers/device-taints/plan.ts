/**
 * Which pods leave devices that are tainted, by their drivers or by rules, and when; and what rules are told of it. Pure.
 *
 *   claim ──▶ its devices ──▶ taints that nothing tolerates (any more) ──▶ the pods that hold it go
 *   rule ──▶ the claims that hold its devices ──▶ how many pods are to go: condition EvictionInProgress
 *
 * Source: Kubernetes' device taint eviction controller, as behaviour.
 */
import type { Device, DeviceTaintRule, DynamicResourceClaim, Pod } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { disruptionTarget } from '../disruption-target.ts';
import { isActive } from '../pod-state.ts';
import { deviceTaintRulesRef, podsRef, referenceTo } from '../resources.ts';
import { deletion, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';

export type Result = NonNullable<
  NonNullable<NonNullable<NonNullable<DynamicResourceClaim['status']>['allocation']>['devices']>['results']
>[number];
export type Taint = NonNullable<Device['taints']>[number];
type Toleration = NonNullable<Result['tolerations']>[number];

export type Observed = OfClaim | OfRule;

export interface OfClaim {
  readonly kind: 'claim';
  readonly claim: DynamicResourceClaim;
  /** As its driver tells of it now, and by rules. */
  taints(result: Result): readonly Taint[];
  pod(name: string): Pod | undefined;
}

export interface OfRule {
  readonly kind: 'rule';
  readonly rule: DeviceTaintRule;
  /** Those that have a device of the rule. */
  readonly claims: readonly DynamicResourceClaim[];
  readonly publishedDevices: number;
  /** Since this controller was started. */
  readonly evictedPods: number;
  pod(claim: DynamicResourceClaim, name: string): Pod | undefined;
}

export function plan(observed: Observed, context: PlanContext): readonly Step[] {
  return observed.kind === 'claim' ? claimSteps(observed, context) : ruleSteps(observed, context);
}

/** Of a selector every part has to match; without one nothing does. */
export function isMeant(
  { spec }: DeviceTaintRule,
  of: { readonly driver: string; readonly pool: string; readonly device: string },
): boolean {
  const { deviceSelector: selector } = spec;
  if (selector === undefined) return false;
  const matches = (wanted: string | undefined, is: string): boolean => wanted === undefined || wanted === is;
  return (
    matches(selector.driver, of.driver) &&
    matches(selector.pool, of.pool) &&
    matches(selector.device, of.device)
  );
}

function claimSteps({ claim, taints, pod }: OfClaim, { nowMs }: PlanContext): readonly Step[] {
  const leaveMs = leavesAtMs(claim, taints);
  if (leaveMs === Number.POSITIVE_INFINITY) return [];
  if (leaveMs > nowMs) return [{ kind: 'again', afterMs: leaveMs - nowMs }];
  const steps: Step[] = [];
  for (const holder of holdersOf(claim, pod))
    steps.push(
      ...disruptionTarget(
        holder,
        'DeletionByDeviceTaintManager',
        'Device Taint manager: deleting due to NoExecute taint',
        nowMs,
      ),
      leaving(holder),
    );
  return steps;
}

/** Pods that hold it and may still run. */
export function holdersOf(
  { status }: DynamicResourceClaim,
  pod: (name: string) => Pod | undefined,
): readonly Pod[] {
  return (status?.reservedFor ?? []).flatMap(({ apiGroup = '', resource, name, uid }) => {
    const holder = apiGroup === '' && resource === 'pods' ? pod(name) : undefined;
    return holder === undefined || holder.metadata.uid !== uid || !isActive(holder) ? [] : [holder];
  });
}

/** −∞: at once; ∞: never. */
function leavesAtMs({ status }: DynamicResourceClaim, taints: OfClaim['taints']): number {
  let leaveMs = Number.POSITIVE_INFINITY;
  for (const result of status?.allocation?.devices?.results ?? [])
    for (const taint of taints(result))
      if (taint.effect === 'NoExecute')
        leaveMs = Math.min(leaveMs, toleratedUntilMs(taint, result.tolerations));
  return leaveMs;
}

function toleratedUntilMs(taint: Taint, tolerations: readonly Toleration[] = []): number {
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

const many = (count: number, one: string, several = `${one}s`): string =>
  `${count} ${count === 1 ? one : several}`;

function ruleSteps(observed: OfRule, { nowMs }: PlanContext): readonly Step[] {
  const { rule } = observed;
  const { generation = 0 } = rule.metadata;
  const before = rule.status?.conditions?.find(({ type }) => type === 'EvictionInProgress');
  // What would be is told once.
  if (rule.spec.taint.effect === 'None' && before?.observedGeneration === generation) return [];
  const told = tell(observed);
  const isSame =
    before?.observedGeneration === generation &&
    before.status === told.status &&
    before.reason === told.reason &&
    before.message === told.message;
  if (isSame) return [];
  const others = (rule.status?.conditions ?? []).filter((one) => one !== before);
  const now = { type: 'EvictionInProgress', ...told, observedGeneration: generation };
  const conditions = [...others, { ...now, lastTransitionTime: formatTime(nowMs) }];
  return statusSteps(deviceTaintRulesRef, rule, { ...rule.status, conditions });
}

function tell(observed: OfRule): {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
} {
  const { rule, claims, publishedDevices, evictedPods } = observed;
  const { effect } = rule.spec.taint;
  const pods = new Map<string, Pod>();
  let allocated = 0;
  const simulated = { ...rule.spec.taint, effect: 'NoExecute' };
  const taints = (result: Result): readonly Taint[] => (isMeant(rule, result) ? [simulated] : []);
  for (const claim of claims) {
    for (const result of claim.status?.allocation?.devices?.results ?? [])
      if (isMeant(rule, result)) allocated++;
    if (leavesAtMs(claim, taints) === Number.POSITIVE_INFINITY) continue;
    for (const one of holdersOf(claim, (name) => observed.pod(claim, name)))
      if (one.metadata.deletionTimestamp === undefined) pods.set(one.metadata.uid ?? '', one);
  }
  const spaces = new Set(Array.from(pods.values(), ({ metadata }) => metadata.namespace)).size;
  const where = many(spaces, 'namespace', 'different namespaces');
  const evicted =
    evictedPods === 0 ? [] : [`${many(evictedPods, 'pod')} evicted since starting the controller.`];
  const say = (status: string, reason: string, ...message: readonly string[]) => ({
    status,
    reason,
    message: [...message, ...evicted].join(' '),
  });
  if (effect === 'None')
    return say(
      'False',
      'NoEffect',
      `${many(publishedDevices, 'published device')} selected.`,
      `${many(allocated, 'allocated device')} selected.`,
      `${many(pods.size, 'pod')} would be evicted in ${where} if the effect was NoExecute.`,
      'This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.',
    );
  if (effect !== 'NoExecute')
    return say('False', 'OtherEffect', 'Eviction only happens for the NoExecute effect.');
  if (pods.size > 0) {
    const needs = `${many(pods.size, 'pod needs', 'pods need')} to be evicted in ${where}.`;
    return say('True', 'PodsPendingEviction', needs);
  }
  return say('False', evictedPods > 0 ? 'Completed' : 'NotStarted');
}
