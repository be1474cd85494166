/**
 * What a disruption budget's status says: how many pods are expected, how many of them are healthy and must be, and how many may be evicted now. Pure.
 *
 *   pods ─▶ their controllers' scale ─▶ expected ─▶ desired ─┐
 *        ─▶ those that are noted as evicted, until they go ──┴▶ healthy ─▶ allowed
 *
 * Invariant: the status is written on the version that was looked at, since evictions spend allowances of it meanwhile.
 * Source: k8s.io/kubernetes/pkg/controller/disruption.
 */
import {
  disruptionAllowedType,
  disruptionConditions,
  labelSelectorText,
  type OwnerReference,
  type Pod,
  type PodDisruptionBudget,
  type PodDisruptionBudgetStatus,
  syncFailedReason,
  withCondition,
} from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { formatTime, sameJson } from '../../lib/index.ts';
import { scaledValue } from '../deployment/facts.ts';
import { controllerOf } from '../ownership.ts';
import { isReady, isTerminating } from '../pod-state.ts';
import { podDisruptionBudgetsRef, podsRef, referenceTo } from '../resources.ts';
import type { PlanContext, Step } from '../step.ts';

/** What of a controller counts: once, however many of its pods are selected. */
export interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

/** Undefined: no such controller. An error says why there is no telling. */
export type FindScale = (owner: OwnerReference) => Scale | { readonly error: string } | undefined;

export interface Observed {
  readonly budget: PodDisruptionBudget;
  /** Those that its selector matches, whatever their state. */
  readonly pods: readonly Pod[];
  readonly scaleOf: FindScale;
}

/** An eviction that has not come to its end by then never will. */
const deletionTimeoutMs = 120_000;

interface Expectation {
  readonly expected: number;
  readonly desired: number;
  readonly unmanaged: boolean;
}

export function plan({ budget, pods, scaleOf }: Observed, { nowMs }: PlanContext): readonly Step[] {
  const now = formatTime(nowMs);
  const expectation = expectationOf(budget, pods, scaleOf);
  if ('error' in expectation) return failed(budget, expectation.error, now);
  const disrupted = disruptedOf(budget, pods, nowMs);
  const currentHealthy = pods.filter(
    (pod) => !isTerminating(pod) && isReady(pod) && !(nameOf(pod) in disrupted.pods),
  ).length;
  const { expected, desired } = expectation;
  const isAny = expected > 0 && currentHealthy > desired;
  const { generation } = budget.metadata;
  const counted: PodDisruptionBudgetStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(Object.keys(disrupted.pods).length === 0 ? {} : { disruptedPods: disrupted.pods }),
    disruptionsAllowed: isAny ? currentHealthy - desired : 0,
    currentHealthy,
    desiredHealthy: desired,
    expectedPods: expected,
  };
  const { conditions = [] } = budget.status ?? {};
  const next = { ...counted, conditions: disruptionConditions({ ...counted, conditions }, now) };
  const steps: Step[] = statusWrites(budget, next);
  if (steps.length > 0) {
    if (pods.length === 0) steps.push(about(budget, 'Normal', 'NoPods', 'No matching pods found'));
    if (expectation.unmanaged) steps.push(about(budget, 'Warning', 'UnmanagedPods', unmanagedText(budget)));
  }
  for (const pod of disrupted.late) steps.push(notDeleted(budget, pod));
  if (disrupted.againMs !== undefined) steps.push({ kind: 'again', afterMs: disrupted.againMs });
  return steps;
}

const nameOf = ({ metadata }: Pod): string => metadata.name ?? '';

function expectationOf(
  { spec = {} }: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: FindScale,
): Expectation | { readonly error: string } {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable === undefined && minAvailable === undefined)
    return { expected: 0, desired: 0, unmanaged: false };
  if (maxUnavailable === undefined && typeof minAvailable === 'number')
    return { expected: pods.length, desired: minAvailable, unmanaged: false };
  const sum = sumOfScales(pods, scaleOf);
  if ('error' in sum) return sum;
  const { expected, unmanaged } = sum;
  const desired =
    maxUnavailable === undefined
      ? scaledValue(minAvailable, expected, 'up')
      : Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up'));
  return { expected, desired, unmanaged };
}

/** How many pods all controllers of these pods want together. */
function sumOfScales(
  pods: readonly Pod[],
  scaleOf: FindScale,
): { readonly expected: number; readonly unmanaged: boolean } | { readonly error: string } {
  const asked = new Set<string>();
  const scales = new Map<string, number>();
  let unmanaged = false;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged = true;
      continue;
    }
    if (asked.has(owner.uid)) continue;
    asked.add(owner.uid);
    const scale = scaleOf(owner);
    if (scale === undefined) return { error: `found no controllers for pod "${nameOf(pod)}"` };
    if ('error' in scale) return scale;
    scales.set(scale.uid, scale.replicas);
  }
  let expected = 0;
  for (const replicas of scales.values()) expected += replicas;
  return { expected, unmanaged };
}

/** Of the pods that were evicted: which still have to go, and which should have gone and have not. */
function disruptedOf({ status = {} }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number) {
  const { disruptedPods = {} } = status;
  const still: Record<string, string> = {};
  const late: Pod[] = [];
  let againMs: number | undefined;
  if (Object.keys(disruptedPods).length === 0) return { pods: still, late, againMs };
  for (const pod of pods) {
    const since = disruptedPods[nameOf(pod)];
    if (since === undefined || isTerminating(pod)) continue;
    const leftMs = Date.parse(since) + deletionTimeoutMs - nowMs;
    if (leftMs <= 0) late.push(pod);
    else {
      still[nameOf(pod)] = since;
      againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, leftMs);
    }
  }
  return { pods: still, late, againMs };
}

/** Who cannot tell how many there should be lets none go. */
function failed(budget: PodDisruptionBudget, message: string, now: string): readonly Step[] {
  const { conditions = [], ...status } = budget.status ?? {};
  const { observedGeneration } = status;
  const condition = {
    type: disruptionAllowedType,
    status: 'False',
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    reason: syncFailedReason,
    message,
  };
  const next = { ...status, disruptionsAllowed: 0, conditions: withCondition(conditions, condition, now) };
  const writes = statusWrites(budget, next);
  if (writes.length === 0) return [];
  const text = `Failed to calculate the number of expected pods: ${message}`;
  return [about(budget, 'Warning', 'CalculateExpectedPodCountFailed', text), ...writes];
}

function statusWrites(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Step[] {
  if (sameJson(budget.status, status)) return [];
  const object = { ...budget, status };
  return [
    { kind: 'update', ref: podDisruptionBudgetsRef, object, subresource: 'status', accept: ['notFound'] },
  ];
}

function about(budget: PodDisruptionBudget, type: EventDraft['type'], reason: string, message: string): Step {
  return {
    kind: 'event',
    event: { about: referenceTo(podDisruptionBudgetsRef, budget), type, reason, message },
  };
}

function unmanagedText({ spec }: PodDisruptionBudget): string {
  const selector = spec?.selector === undefined ? '' : labelSelectorText(spec.selector);
  return `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
}

function notDeleted({ metadata }: PodDisruptionBudget, pod: Pod): Step {
  const message = `Pod was expected by PDB ${metadata.namespace}/${metadata.name} to be deleted but it wasn't`;
  return {
    kind: 'event',
    event: { about: referenceTo(podsRef, pod), type: 'Warning', reason: 'NotDeleted', message },
  };
}
