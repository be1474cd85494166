/**
 * What an autoscaler decides, and why. Pure: the same picture and history give the same decision.
 *
 *   target, pods, readings ─▶ outside of the bounds: back into them
 *                          ─▶ what the metrics ask for ─▶ what is granted now ─▶ scale, event, status
 *
 * Invariant: nothing goes down while a metric cannot be read. Source: k8s.io/kubernetes/pkg/controller/podautoscaler.
 */
import {
  type AutoscalingV1Scale,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  type HorizontalPodAutoscalerStatus,
  type KubeObject,
  type MetricStatus,
  type Pod,
  quantityValue,
} from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { formatTime } from '../../lib/index.ts';
import { horizontalPodAutoscalersRef, type Resource, referenceTo } from '../resources.ts';
import { type Failure, type Step, statusSteps } from '../step.ts';
import { type Evaluation, evaluateAll } from './evaluate.ts';
import { type Granted, grant, type History } from './limits.ts';
import type { Reading } from './readings.ts';
import type { Fleet } from './replicas.ts';

export interface Target {
  readonly ref: Resource;
  readonly object: KubeObject;
  readonly specReplicas: number;
  readonly statusReplicas: number;
}

export interface Observed {
  readonly autoscaler: HorizontalPodAutoscaler;
  /** Or why it cannot be found. */
  readonly target: Target | { readonly error: string };
  /** Or why nothing can be selected. */
  readonly selection: { readonly pods: readonly Pod[] } | { readonly reason: string; readonly error: string };
  readonly readings: readonly Reading[];
  readonly history: History;
}

/** What was decided, on what grounds: for whoever asks why. */
export interface Decision {
  readonly atMs: number;
  readonly current: number;
  /** What the metrics ask for; undefined: they could not be read, or were not asked. */
  readonly recommended: number | undefined;
  readonly desired: number;
  readonly reason: string;
  readonly metrics: readonly MetricStatus[];
  readonly conditions: readonly HorizontalPodAutoscalerCondition[];
  readonly events: readonly Pick<EventDraft, 'type' | 'reason' | 'message'>[];
  readonly isRescale: boolean;
}

const defaultTolerance = 0.1;
const initialConditions: readonly HorizontalPodAutoscalerCondition[] = [];

/** `steadyMs`: of the clock that does not jump, by which the history is told. */
export function decide(observed: Observed, nowMs: number, steadyMs = nowMs): Decision {
  const { autoscaler, target } = observed;
  const conditions = new Conditions(autoscaler, nowMs);
  const { status } = autoscaler;
  if ('error' in target) {
    const message = `the HPA controller was unable to get the target's current scale: ${target.error}`;
    conditions.set('AbleToScale', false, 'FailedGetScale', message);
    const current = status?.currentReplicas ?? 0;
    return {
      ...blank(conditions, nowMs, current),
      desired: status?.desiredReplicas ?? 0,
      metrics: status?.currentMetrics ?? [],
      events: [{ type: 'Warning', reason: 'FailedGetScale', message: target.error }],
    };
  }
  conditions.set(
    'AbleToScale',
    true,
    'SucceededGetScale',
    "the HPA controller was able to get the target's current scale",
  );
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const current = target.specReplicas;
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    conditions.set('ScalingActive', false, 'ScalingDisabled', message);
    return blank(conditions, nowMs, current);
  }
  const bound =
    current > maxReplicas
      ? { desired: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' }
      : current < minReplicas
        ? { desired: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' }
        : undefined;
  if (bound !== undefined) return { ...blank(conditions, nowMs, current), ...bound, isRescale: true };
  return decideByMetrics(observed, target, conditions, nowMs, steadyMs);
}

function blank(conditions: Conditions, nowMs: number, current: number): Decision {
  return {
    atMs: nowMs,
    current,
    recommended: undefined,
    desired: current,
    reason: '',
    metrics: [],
    conditions: conditions.list,
    events: [],
    isRescale: false,
  };
}

function decideByMetrics(
  { autoscaler, selection, readings, history }: Observed,
  { specReplicas, statusReplicas }: Target,
  conditions: Conditions,
  nowMs: number,
  steadyMs: number,
): Decision {
  const { spec } = autoscaler;
  const nothing = blank(conditions, nowMs, specReplicas);
  if ('error' in selection) {
    const { reason, error: message } = selection;
    const isMissing = reason === 'SelectorRequired';
    conditions.set('ScalingActive', false, isMissing ? 'InvalidSelector' : reason, message);
    const told = isMissing ? 'selector is required' : message;
    return {
      ...nothing,
      conditions: conditions.list,
      events: blind([{ type: 'Warning', reason, message: told }], told),
    };
  }
  const tolerances = {
    up: quantityValue(spec.behavior?.scaleUp?.tolerance) ?? defaultTolerance,
    down: quantityValue(spec.behavior?.scaleDown?.tolerance) ?? defaultTolerance,
  };
  const { namespace = '' } = autoscaler.metadata;
  const fleet: Fleet = { namespace, pods: selection.pods, specReplicas, statusReplicas, tolerances, nowMs };
  const evaluation = evaluateAll(spec.metrics ?? [], readings, fleet);
  const events: Decision['events'] = evaluation.failures.map(({ reason, message }) => ({
    type: 'Warning',
    reason,
    message,
  }));
  const { replicas: recommended } = evaluation;
  if (recommended === undefined) {
    const [{ reason = '', message = '' } = {}] = evaluation.failures;
    const text = `the HPA was unable to compute the replica count: ${message}`;
    conditions.set('ScalingActive', false, reason, text);
    return {
      ...nothing,
      metrics: evaluation.statuses,
      conditions: conditions.list,
      events: blind(events, evaluation.error ?? ''),
    };
  }
  conditions.set(
    'ScalingActive',
    true,
    'ValidMetricFound',
    `the HPA was able to successfully calculate a replica count from ${evaluation.metric}`,
  );
  const { minReplicas = 1 } = spec;
  const wish = { current: specReplicas, desired: recommended, minReplicas, nowMs: steadyMs };
  const granted = grant(spec, history, wish);
  conditions.set('AbleToScale', true, granted.able.reason, granted.able.message);
  conditions.set('ScalingLimited', granted.isLimited, granted.limit.reason, granted.limit.message);
  return {
    ...nothing,
    recommended,
    desired: granted.replicas,
    reason: reasonOf(evaluation, recommended, granted, specReplicas),
    metrics: evaluation.statuses,
    conditions: conditions.list,
    events,
    isRescale: granted.replicas !== specReplicas,
  };
}

const blind = (events: Decision['events'], message: string): Decision['events'] => [
  ...events,
  { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message },
];

function reasonOf(evaluation: Evaluation, recommended: number, granted: Granted, current: number): string {
  if (recommended > current) return `${evaluation.metric} above target`;
  if (recommended < current) return 'All metrics below target';
  // Only what was recommended before moves it.
  return granted.replicas === current ? '' : granted.able.message;
}

/** In the order in which they came; the time changes only with the status. */
class Conditions {
  readonly #now: string;
  #list: readonly HorizontalPodAutoscalerCondition[];

  constructor({ status }: HorizontalPodAutoscaler, nowMs: number) {
    this.#now = formatTime(nowMs);
    this.#list = status?.conditions ?? initialConditions;
  }

  get list(): readonly HorizontalPodAutoscalerCondition[] {
    return this.#list;
  }

  set(type: string, isTrue: boolean, reason: string, message: string): void {
    const status = isTrue ? 'True' : 'False';
    const present = this.#list.find((one) => one.type === type);
    const lastTransitionTime =
      present?.status === status ? (present.lastTransitionTime ?? this.#now) : this.#now;
    const next = { type, status, lastTransitionTime, reason, message };
    this.#list =
      present === undefined ? [...this.#list, next] : this.#list.map((one) => (one === present ? next : one));
  }
}

/** The scale, and what failed to be read. */
export function stepsOf({ autoscaler, target }: Observed, decision: Decision): readonly Step[] {
  const about = referenceTo(horizontalPodAutoscalersRef, autoscaler);
  const steps: Step[] = decision.events.map((event) => ({ kind: 'event', event: { about, ...event } }));
  if (!decision.isRescale || 'error' in target) return steps;
  const { desired, reason } = decision;
  const text = `New size: ${desired}; reason: ${reason}`;
  return [
    ...steps,
    {
      kind: 'update',
      ref: target.ref,
      object: scaleOf(target.object, desired) as KubeObject,
      subresource: 'scale',
      done: { about, type: 'Normal', reason: 'SuccessfulRescale', message: text },
      failed: { about, type: 'Warning', reason: 'FailedRescale', message: `${text}; error: {error}` },
    },
  ];
}

function scaleOf({ metadata }: KubeObject, replicas: number): AutoscalingV1Scale {
  const { name = '', namespace = '', resourceVersion = '' } = metadata;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, resourceVersion },
    spec: { replicas },
  };
}

/** The status after the scale was written, or could not be. */
export function concludeWith(
  { autoscaler }: Observed,
  decision: Decision,
  nowMs: number,
  failure: Failure | undefined,
): readonly Step[] {
  const { status, metadata } = autoscaler;
  const conditions = new Conditions(
    { ...autoscaler, status: { desiredReplicas: 0, conditions: decision.conditions } },
    nowMs,
  );
  const isDone = decision.isRescale && failure === undefined;
  if (isDone)
    conditions.set(
      'AbleToScale',
      true,
      'SucceededRescale',
      `the HPA controller was able to update the target scale to ${decision.desired}`,
    );
  else if (decision.isRescale)
    conditions.set(
      'AbleToScale',
      false,
      'FailedUpdateScale',
      `the HPA controller was unable to update the target scale: ${failure?.message ?? ''}`,
    );
  const lastScaleTime = isDone ? formatTime(nowMs) : status?.lastScaleTime;
  const { generation } = metadata;
  // What could not be read, or not be written, leaves what was wanted before.
  const isBlind = decision.isRescale ? !isDone : decision.recommended === undefined && decision.reason === '';
  const desiredReplicas =
    isBlind && decision.current !== 0 ? (status?.desiredReplicas ?? 0) : decision.desired;
  const next: HorizontalPodAutoscalerStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    currentReplicas: decision.current,
    desiredReplicas,
    ...(decision.metrics.length === 0 ? {} : { currentMetrics: decision.metrics }),
    conditions: conditions.list,
  };
  return statusSteps(horizontalPodAutoscalersRef, autoscaler, next);
}
