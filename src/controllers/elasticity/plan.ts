/**
 * What an elasticity policy decides, and why. Pure: the same picture and past give the same decision.
 *
 *   target, pods, readings ─▶ triggers that act, demand (now or as forecast) + buffer ─▶ a wish ─▶ what is granted now ─▶ scale, event, status
 *
 * Invariants: nothing goes down while what would take it away cannot be told; two masters of one target never fight: the other one acts, the policy says so.
 */
import type { Condition, ElasticityPolicy, ElasticityPolicyStatus, Pod } from '../../api/index.ts';
import { durationText, elasticityPolicies, nanoText, quantityMilli } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { Target } from '../pod-autoscaler/plan.ts';
import type { Reading } from '../pod-autoscaler/readings.ts';
import { type Resource, referenceTo } from '../resources.ts';
import type { Forecast, Outlook } from './forecast.ts';
import { forgotten, grant, type Past } from './limits.ts';
import { averageRequest, type Fleet, type Measured, measure, totalOf } from './measure.ts';
import { durationMs, evaluateTriggers, type Held, type TriggerState } from './triggers.ts';
import { combine, type Need, needOf, percentOf, replicasFor, type Wish, wishByActions } from './wishes.ts';

export const elasticityPoliciesRef: Resource = { ...elasticityPolicies, kind: 'ElasticityPolicy' };

/** What is remembered of one policy between two looks. */
export interface Memory {
  readonly held: Held;
  readonly past: Past;
}

export interface Observed {
  readonly policy: ElasticityPolicy;
  /** Or why it cannot be found. */
  readonly target: Target | { readonly error: string };
  /** Or why nothing can be selected. */
  readonly selection: { readonly pods: readonly Pod[] } | { readonly reason: string; readonly error: string };
  /** Who scales the same target, and goes first: `HorizontalPodAutoscaler web`. */
  readonly rival: string | undefined;
  /** In the order of the triggers. */
  readonly readings: readonly Reading[];
  /** Of the capacity's metric. */
  readonly demand: Reading | undefined;
  /** Of a predictive policy. */
  readonly forecast: Forecast | undefined;
  readonly horizonMs: number;
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** What was decided, on what grounds: for whoever asks why. */
export interface Decision {
  readonly current: number;
  readonly wished: number | undefined;
  readonly desired: number;
  readonly because: string;
  readonly limited: string | undefined;
  readonly isRescale: boolean;
  readonly demandMilli: number | undefined;
  readonly perReplicaMilli: number | undefined;
  readonly forecast: Forecast | undefined;
  readonly triggers: readonly TriggerState[];
  readonly conditions: readonly Condition[];
  readonly events: readonly Pick<EventDraft, 'type' | 'reason' | 'message'>[];
  readonly memory: Memory;
}

export function decide(observed: Observed, memory: Memory): Decision {
  const { policy, target, selection, rival, monotonicMs } = observed;
  const conditions = new Conditions(policy, observed.nowMs);
  const current = 'error' in target ? (policy.status?.currentReplicas ?? 0) : target.specReplicas;
  const nothing: Decision = {
    current,
    wished: undefined,
    desired: current,
    because: '',
    limited: undefined,
    isRescale: false,
    demandMilli: undefined,
    perReplicaMilli: undefined,
    forecast: undefined,
    triggers: [],
    conditions: [],
    events: [],
    // Whatever was held is not known to be held any more.
    memory: { ...memory, held: new Map() },
  };
  const idle = (): Decision => ({ ...nothing, conditions: conditions.list, events: conditions.news });
  if ('error' in target) {
    conditions.set(
      'AbleToScale',
      false,
      'FailedGetScale',
      `the target's scale cannot be read: ${target.error}`,
    );
    return idle();
  }
  if (rival !== undefined) {
    const { kind, name } = policy.spec.scaleTargetRef;
    conditions.set(
      'ScalingActive',
      false,
      'AmbiguousTarget',
      `${kind} "${name}" is scaled by ${rival}: this policy leaves it alone`,
    );
    return idle();
  }
  const { minReplicas = 1, maxReplicas } = policy.spec.constraints;
  if (current === 0 && minReplicas !== 0) {
    conditions.set('AbleToScale', true, 'SucceededGetScale', "the target's scale was read");
    conditions.set(
      'ScalingActive',
      false,
      'ScalingDisabled',
      'the target has been scaled to zero, and the policy does not go there',
    );
    return idle();
  }
  const bound = Math.min(Math.max(current, minReplicas), maxReplicas);
  if (bound !== current) {
    conditions.set('AbleToScale', true, 'SucceededGetScale', "the target's scale was read");
    const because =
      bound < current
        ? 'more replicas than constraints.maxReplicas'
        : 'fewer replicas than constraints.minReplicas';
    return { ...idle(), desired: bound, because, isRescale: true };
  }
  if ('error' in selection) {
    conditions.set('AbleToScale', true, 'SucceededGetScale', "the target's scale was read");
    conditions.set('ScalingActive', false, selection.reason, selection.error);
    return idle();
  }
  const fleet: Fleet = { pods: selection.pods, specReplicas: current, nowMs: observed.nowMs };
  return decideByFigures(observed, fleet, memory, conditions, nothing, monotonicMs);
}

function decideByFigures(
  observed: Observed,
  fleet: Fleet,
  memory: Memory,
  conditions: Conditions,
  nothing: Decision,
  monotonicMs: number,
): Decision {
  const { policy, forecast } = observed;
  const { spec } = policy;
  const { current } = nothing;
  const { triggers = [], actions = [] } = spec;
  const values = triggers.map((trigger, index) =>
    measure(
      observed.readings[index] ?? { kind: 'failed', message: 'it was not read' },
      trigger.metric,
      trigger.measure ?? 'Value',
      fleet,
    ),
  );
  const { states, held } = evaluateTriggers(triggers, values, memory.held, monotonicMs);
  const capacity = capacityOf(observed, fleet);
  tellActive(conditions, states, capacity);
  const isPredicting = tellForecast(conditions, observed);
  const need =
    capacity === undefined || 'why' in capacity ? undefined : needNow(observed, capacity, isPredicting);
  const wish: Wish = combine(
    current,
    capacity !== undefined && need === undefined ? 'unknown' : need,
    wishByActions(actions, states, current),
  );
  const past = forgotten(memory.past, spec, monotonicMs);
  // A forecast looks further ahead than the stabilization looks back: what will be needed is not taken away.
  const rules = isPredicting ? { ...spec, constraints: { ...spec.constraints, stabilization: '0s' } } : spec;
  const granted = grant(rules, current, wish, past, monotonicMs);
  conditions.set('AbleToScale', true, 'SucceededGetScale', "the target's scale was read");
  const { limit } = granted;
  if (limit === undefined) conditions.set('ScalingLimited', false, 'AsWished', 'nothing holds it back');
  else conditions.set('ScalingLimited', true, limit.reason, limit.message);
  const known = capacity !== undefined && !('why' in capacity) ? capacity : undefined;
  return {
    ...nothing,
    wished: wish.replicas,
    desired: granted.replicas,
    because: granted.because,
    limited: limit?.message,
    isRescale: granted.replicas !== current,
    demandMilli: known?.demand.milli,
    perReplicaMilli: known?.perReplica,
    forecast: spec.mode === 'Predictive' ? forecast : undefined,
    triggers: states,
    conditions: conditions.list,
    events: conditions.news,
    memory: {
      held,
      past: { ...past, wishes: [...past.wishes, { atMs: monotonicMs, replicas: wish.replicas }] },
    },
  };
}

interface Capacity {
  readonly demand: Exclude<Measured, { kind: 'missing' }>;
  readonly perReplica: number;
}

/** Undefined: none is asked for. */
function capacityOf(
  { policy, demand }: Observed,
  fleet: Fleet,
): Capacity | { readonly why: string } | undefined {
  const { capacity } = policy.spec;
  if (capacity === undefined) return undefined;
  const total = totalOf(demand ?? { kind: 'failed', message: 'it was not read' }, fleet);
  if (total.kind === 'missing') return { why: total.why };
  if (capacity.perReplica !== undefined)
    return { demand: total, perReplica: quantityMilli(capacity.perReplica) ?? 1 };
  const request = averageRequest(capacity.metric, fleet);
  if ('error' in request) return { why: request.error };
  if (request.milli === 0) return { why: 'the pods request none of the resource' };
  return { demand: total, perReplica: (request.milli * (capacity.utilization ?? 100)) / 100 };
}

/** The demand that can be known of, for whoever learns from it. */
export function demandOf(reading: Reading, fleet: Fleet): number | undefined {
  const total = totalOf(reading, fleet);
  return total.kind === 'known' ? total.milli : undefined;
}

function needNow(
  { policy, forecast }: Observed,
  { demand, perReplica }: Capacity,
  isPredicting: boolean,
): Need {
  const capacity = policy.spec.capacity ?? { metric: { type: '' } };
  const need = needOf(capacity, demand, perReplica, 'demand');
  if (!isPredicting || forecast === undefined) return need;
  // The buffer covers what a forecast cannot know: where that is more, more.
  const { buffer } = capacity;
  const ahead = ({ expected, demand: most }: Outlook, times = 1): number =>
    Math.max(
      replicasFor(expected * times, perReplica, buffer),
      replicasFor(most * times, perReplica, undefined),
    );
  const spare = 1 + (percentOf(capacity.tolerance) ?? 0) / 100;
  const replicas = Math.max(ahead(forecast), need.replicas);
  return {
    ...need,
    replicas,
    floor: Math.max(replicas, ahead(forecast.later, spare)),
    because: replicas > need.replicas ? 'forecast demand' : 'demand',
  };
}

function tellActive(
  conditions: Conditions,
  states: readonly TriggerState[],
  capacity: Capacity | { readonly why: string } | undefined,
): void {
  const missing: string[] = [];
  if (capacity !== undefined && 'why' in capacity) missing.push(`demand: ${capacity.why}`);
  else if (capacity?.demand.kind === 'partly')
    missing.push(`demand: no recent figures of ${capacity.demand.silent} pods`);
  for (const { name, missing: why } of states) if (why !== undefined) missing.push(`trigger ${name}: ${why}`);
  if (missing.length === 0)
    conditions.set('ScalingActive', true, 'ValidMetricFound', 'every metric was read');
  else
    conditions.set(
      'ScalingActive',
      false,
      'FailedGetMetric',
      `${missing.join('; ')}: nothing is taken away meanwhile`,
    );
}

/** Whether the forecast is used. */
function tellForecast(conditions: Conditions, { policy, forecast }: Observed): boolean {
  const { mode, prediction } = policy.spec;
  if (mode !== 'Predictive') {
    conditions.drop('Predicting');
    return false;
  }
  const season = prediction?.season ?? '24h';
  const leastMs = durationMs(prediction?.minHistory ?? season);
  if (forecast === undefined || forecast.historyMs < leastMs) {
    const message = `less than ${prediction?.minHistory ?? season} has been seen: the policy goes by what is`;
    conditions.set('Predicting', false, 'HistoryTooShort', message);
    return false;
  }
  if (forecast.method === 'steady') {
    const message =
      'of late a forecast was no better than saying that nothing changes: the policy goes by what is';
    conditions.set('Predicting', false, 'ForecastNoBetter', message);
    return false;
  }
  conditions.set('Predicting', true, 'ForecastUsed', 'capacity follows the demand that is forecast');
  return true;
}

/** In the order in which they came; the time changes only with the status. What turned bad, or bad in another way, is news. */
class Conditions {
  readonly #policy: ElasticityPolicy;
  readonly #now: string;
  #list: readonly Condition[];
  readonly #news: { type: 'Warning'; reason: string; message: string }[] = [];

  constructor(policy: ElasticityPolicy, nowMs: number) {
    this.#policy = policy;
    this.#now = formatTime(nowMs);
    this.#list = policy.status?.conditions ?? [];
  }

  get list(): readonly Condition[] {
    return this.#list;
  }

  get news(): Decision['events'] {
    return this.#news;
  }

  drop(type: string): void {
    this.#list = this.#list.filter((one) => one.type !== type);
  }

  set(type: string, isTrue: boolean, reason: string, message: string): void {
    const status = isTrue ? 'True' : 'False';
    const present = this.#list.find((one) => one.type === type);
    const isBad = !isTrue && (type === 'AbleToScale' || type === 'ScalingActive');
    if (isBad && (present?.status !== status || present.reason !== reason))
      this.#news.push({ type: 'Warning', reason, message });
    const { generation } = this.#policy.metadata;
    const next: Condition = {
      type,
      status,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: present?.status === status ? present.lastTransitionTime : this.#now,
      reason,
      message,
    };
    this.#list =
      present === undefined ? [...this.#list, next] : this.#list.map((one) => (one === present ? next : one));
  }
}

/** Amounts as quantities: `1250m`, `12`. */
export const milliText = (milli: number): string => nanoText(BigInt(Math.round(milli)) * 1_000_000n);

/** The status that follows. Figures of the moment alone are no reason to write it: see `isWorthWriting`. */
export function statusOf(observed: Observed, decision: Decision, isDone: boolean): ElasticityPolicyStatus {
  const { policy, nowMs } = observed;
  const { generation } = policy.metadata;
  const { forecast, demandMilli } = decision;
  const lastScaleTime = isDone ? formatTime(nowMs) : policy.status?.lastScaleTime;
  const percent = (share: number | undefined): number | undefined =>
    share === undefined ? undefined : Math.round(share * 100);
  const [error, steady] = [percent(forecast?.error), percent(forecast?.steadyError)];
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    currentReplicas: decision.current,
    desiredReplicas: decision.desired,
    ...(demandMilli === undefined ? {} : { demand: milliText(demandMilli) }),
    ...(decision.triggers.length === 0
      ? {}
      : {
          triggers: decision.triggers.map(({ name, milli, isMet, heldMs }) => ({
            name,
            ...(milli === undefined ? {} : { value: milliText(milli) }),
            holds: isMet,
            ...(isMet ? { since: formatTime(nowMs - heldMs) } : {}),
          })),
        }),
    ...(forecast === undefined
      ? {}
      : {
          forecast: {
            time: formatTime(nowMs + observed.horizonMs),
            horizon: durationText(BigInt(Math.round(observed.horizonMs / 1000)) * 1_000_000_000n),
            demand: milliText(forecast.demand),
            ...(error === undefined ? {} : { errorPercent: error }),
            ...(steady === undefined ? {} : { steadyErrorPercent: steady }),
            history: durationText(BigInt(Math.round(forecast.historyMs / 1000)) * 1_000_000_000n),
          },
        }),
    conditions: decision.conditions,
  };
}

/** What a status says beside figures of the moment. */
export function lastingPart(status: ElasticityPolicyStatus | undefined): object {
  const { demand: _demand, forecast: _forecast, triggers = [], ...lasting } = status ?? {};
  return { ...lasting, triggers: triggers.map(({ name, holds }) => [name, holds ?? false]) };
}

export const aboutOf = (policy: ElasticityPolicy) => referenceTo(elasticityPoliciesRef, policy);
