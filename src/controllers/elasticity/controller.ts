/**
 * The controller of elasticity policies: every 15 s each is looked at anew. Decisions are in `plan.ts`; what a predictive one has learnt is kept in an
 * ElasticityHistory of the same name, so that a restart forgets nothing.
 * Invariant: the same spec is not decided on twice within a period: figures are no newer, and speak of pods that have been taken away since.
 */
import type {
  ElasticityHistory,
  ElasticityPolicy,
  HorizontalPodAutoscaler,
  KindRegistry,
  KubeObject,
  Pod,
} from '../../api/index.ts';
import { type Client, type Informers, keyOf, LabelIndex } from '../../client/index.ts';
import { type Clock, formatTime, sameJson } from '../../lib/index.ts';
import type { MetricsSource, Reading } from '../pod-autoscaler/readings.ts';
import { readMetric } from '../pod-autoscaler/readings.ts';
import { findTarget } from '../pod-autoscaler/targets.ts';
import { horizontalPodAutoscalersRef, podsRef, type Resource } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Step, statusSteps } from '../step.ts';
import { Forecaster } from './forecast.ts';
import { historyOf, isForecasterOf, stateOf } from './history.ts';
import { horizonOf } from './horizon.ts';
import {
  aboutOf,
  type Decision,
  decide,
  demandOf,
  elasticityPoliciesRef,
  lastingPart,
  type Memory,
  type Observed,
  statusOf,
} from './plan.ts';
import { rivalOf, sameTarget } from './rivals.ts';
import { durationMs } from './triggers.ts';

export const elasticityHistoriesRef: Resource = {
  ...elasticityPoliciesRef,
  resource: 'elasticityhistories',
  kind: 'ElasticityHistory',
};

export interface ElasticityOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly metrics: MetricsSource;
  /** Shared with others who look for pods by selectors. */
  readonly podIndex?: LabelIndex<Pod>;
  /** Told of every decision and its grounds, by the policy's key. */
  readonly onDecision?: (key: string, decision: Decision, observed: Observed) => void;
}

const periodMs = 15_000;
/** Figures of the moment are written no more often. */
const figuresMs = 60_000;
/** What was learnt is written no more often. */
const historyMs = 300_000;

/** What is left of its period. */
interface Resting {
  readonly policy: ElasticityPolicy;
  readonly leftMs: number;
}

/** What is kept of one policy. */
interface Kept {
  /** When figures were asked for last, and for which spec. */
  look: { readonly atMs: number; readonly spec: ElasticityPolicy['spec'] } | undefined;
  memory: Memory;
  decision: Decision | undefined;
  forecaster: Forecaster | undefined;
  figuresAtMs: number;
  historyAtMs: number;
  historySteps: number;
}

export function elasticityController(options: ElasticityOptions): Controller<Observed | Resting> {
  const { client, informers, registry, metrics, clock, onDecision } = options;
  const policies = informers.informer<ElasticityPolicy>(elasticityPoliciesRef);
  const policiesIn = policies.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const histories = informers.informer<ElasticityHistory>(elasticityHistoriesRef);
  const autoscalersIn = informers
    .informer<HorizontalPodAutoscaler>(horizontalPodAutoscalersRef)
    .index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const { podIndex = new LabelIndex(informers.informer<Pod>(podsRef)) } = options;
  const kept = new Map<string, Kept>();
  const keptOf = (policy: ElasticityPolicy): Kept => {
    const { uid = '' } = policy.metadata;
    let found = kept.get(uid);
    if (found === undefined) {
      found = firstKept(policy, clock);
      kept.set(uid, found);
    }
    return found;
  };
  return {
    name: 'elasticity-policy',
    workers: 5,
    watches: [
      watch<ElasticityPolicy>(informers, elasticityPoliciesRef, (change) => {
        if (change.kind === 'deleted') kept.delete(change.object.metadata.uid ?? '');
        const isSame = change.kind === 'updated' && sameJson(change.previous.spec, change.object.spec);
        return isSame ? [] : [keyOf(change.object)];
      }),
      watch<HorizontalPodAutoscaler>(informers, horizontalPodAutoscalersRef, (change) => {
        if (change.kind === 'updated' && sameJson(change.previous.spec, change.object.spec)) return [];
        const { metadata, spec } = change.object;
        return policiesIn(metadata.namespace ?? '')
          .filter((one) => sameTarget(one.spec.scaleTargetRef, spec.scaleTargetRef))
          .map(keyOf);
      }),
      watch<ElasticityHistory>(informers, elasticityHistoriesRef, () => []),
      watch<Pod>(informers, podsRef, () => []),
    ],
    async observe(key) {
      const policy = policies.get(key);
      if (policy === undefined) return undefined;
      const mine = keptOf(policy);
      const leftMs = restOf(mine, policy, clock.monotonicMs());
      if (leftMs > 0) return { policy, leftMs };
      const { namespace = '' } = policy.metadata;
      const { spec } = policy;
      const { target, selection } = await findTarget(client, registry, namespace, spec.scaleTargetRef);
      const rival = rivalOf(policy, policiesIn(namespace), autoscalersIn(namespace));
      const text = 'error' in selection ? '' : selection.text;
      const pods = 'error' in selection ? [] : podIndex.select(namespace, text);
      const isAsked = rival === undefined && !('error' in target) && !('error' in selection);
      if (isAsked && isWithin(spec.constraints, target.specReplicas))
        mine.look = { atMs: clock.monotonicMs(), spec };
      const read = (metric: ElasticityMetric): Promise<Reading> =>
        readMetric(metrics, metric, namespace, text, pods);
      const [readings, demand] = isAsked
        ? await Promise.all([
            Promise.all((spec.triggers ?? []).map(({ metric }) => read(metric))),
            spec.capacity === undefined ? undefined : read(spec.capacity.metric),
          ])
        : [[], undefined];
      const picture = {
        policy,
        target,
        selection: 'error' in selection ? selection : { pods },
        rival,
        readings,
        demand,
        horizonMs: horizonOf(spec, pods),
        nowMs: clock.nowMs(),
        monotonicMs: clock.monotonicMs(),
      };
      return { ...picture, forecast: learn(mine, picture, histories.get(key)) };
    },
    plan(observed) {
      if ('leftMs' in observed) return [{ kind: 'again', afterMs: observed.leftMs }];
      const { policy, target } = observed;
      const mine = keptOf(policy);
      const decision = decide(observed, mine.memory);
      mine.decision = decision;
      mine.memory = decision.memory;
      onDecision?.(keyOf(policy), decision, observed);
      const about = aboutOf(policy);
      const steps: Step[] = [
        { kind: 'again', afterMs: periodMs },
        ...decision.events.map((event): Step => ({ kind: 'event', event: { about, ...event } })),
      ];
      if (!decision.isRescale || 'error' in target) return steps;
      const text = `New size: ${decision.desired}; reason: ${decision.because}`;
      const { name = '', namespace: inside = '', resourceVersion = '' } = target.object.metadata;
      steps.push({
        kind: 'update',
        ref: target.ref,
        object: {
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name, namespace: inside, resourceVersion },
          spec: { replicas: decision.desired },
        } as KubeObject,
        subresource: 'scale',
        done: { about, type: 'Normal', reason: 'SuccessfulRescale', message: text },
        failed: { about, type: 'Warning', reason: 'FailedRescale', message: `${text}; error: {error}` },
      });
      return steps;
    },
    conclude(observed, _context, failure) {
      if ('leftMs' in observed) return [];
      const { policy, monotonicMs } = observed;
      const mine = keptOf(policy);
      const { decision } = mine;
      if (decision === undefined) return [];
      // Somebody was faster: the next look begins with what is there now.
      if (failure?.isConflict === true) mine.look = undefined;
      const isDone = decision.isRescale && failure === undefined;
      if (isDone) {
        const { past } = mine.memory;
        const change = { atMs: monotonicMs, by: decision.desired - decision.current };
        mine.memory = {
          ...mine.memory,
          past: { ...past, changes: [...past.changes, change], lastChangeMs: monotonicMs },
        };
      }
      return [
        ...statusStepsOf(mine, observed, decision, isDone),
        ...historySteps(mine, observed, histories.get(keyOf(policy))),
      ];
    },
  };
}

type ElasticityMetric = NonNullable<ElasticityPolicy['spec']['capacity']>['metric'];

/** Timers are not exact. */
const earlyMs = 1000;

function restOf({ look }: Kept, { spec }: ElasticityPolicy, monotonicMs: number): number {
  if (look === undefined || !sameJson(look.spec, spec)) return 0;
  const leftMs = look.atMs + periodMs - monotonicMs;
  return leftMs > earlyMs ? leftMs : 0;
}

/** Otherwise no figures are needed to tell what is to be done, and they may be asked for at once when it is. */
const isWithin = (
  { minReplicas = 1, maxReplicas }: ElasticityPolicy['spec']['constraints'],
  replicas: number,
): boolean => replicas >= minReplicas && replicas <= maxReplicas;

/** The last change is remembered by the status: of it only how long it is ago counts, and a clock that was set back makes it now. */
function firstKept({ status }: ElasticityPolicy, clock: Clock): Kept {
  const nowMs = clock.nowMs();
  const monotonicMs = clock.monotonicMs();
  const changedMs = Date.parse(status?.lastScaleTime ?? '');
  const lastChangeMs = Number.isNaN(changedMs) ? undefined : monotonicMs - Math.max(0, nowMs - changedMs);
  // A restart shall not take away at once what was wished for before it.
  const wishes =
    status?.currentReplicas === undefined ? [] : [{ atMs: monotonicMs, replicas: status.currentReplicas }];
  return {
    look: undefined,
    memory: { held: new Map(), past: { wishes, changes: [], lastChangeMs } },
    decision: undefined,
    forecaster: undefined,
    figuresAtMs: Number.NEGATIVE_INFINITY,
    historyAtMs: monotonicMs,
    historySteps: 0,
  };
}

function learn(
  mine: Kept,
  { policy, selection, target, demand, horizonMs, nowMs }: Omit<Observed, 'forecast'>,
  history: ElasticityHistory | undefined,
) {
  const { mode, prediction, capacity } = policy.spec;
  if (mode !== 'Predictive' || capacity === undefined) {
    mine.forecaster = undefined;
    return undefined;
  }
  const seasonMs = durationMs(prediction?.season ?? '24h');
  if (mine.forecaster === undefined || !isForecasterOf(mine.forecaster, seasonMs)) {
    mine.forecaster = new Forecaster(seasonMs, stateOf(history, capacity.metric));
    mine.historySteps = mine.forecaster.steps;
  }
  if (demand !== undefined && !('error' in selection) && !('error' in target)) {
    const milli = demandOf(demand, { pods: selection.pods, specReplicas: target.specReplicas, nowMs });
    if (milli !== undefined) mine.forecaster.add(nowMs, milli, horizonMs);
  }
  const holdMs = durationMs(policy.spec.constraints.stabilization);
  return mine.forecaster.forecast(horizonMs, prediction?.percentile ?? 85, holdMs);
}

function statusStepsOf(mine: Kept, observed: Observed, decision: Decision, isDone: boolean): readonly Step[] {
  const { policy, monotonicMs } = observed;
  const next = statusOf(observed, decision, isDone);
  const isLasting = !sameJson(lastingPart(next), lastingPart(policy.status));
  if (!isLasting && monotonicMs - mine.figuresAtMs < figuresMs) return [];
  mine.figuresAtMs = monotonicMs;
  return statusSteps(elasticityPoliciesRef, policy, next);
}

/** The history, where it has grown, now and then. */
function historySteps(
  mine: Kept,
  { policy, monotonicMs, nowMs }: Observed,
  present: ElasticityHistory | undefined,
): readonly Step[] {
  const { forecaster } = mine;
  if (forecaster === undefined || forecaster.steps === mine.historySteps) return [];
  if (monotonicMs - mine.historyAtMs < historyMs) return [];
  mine.historyAtMs = monotonicMs;
  mine.historySteps = forecaster.steps;
  const object = historyOf(policy, forecaster.state(), formatTime(nowMs));
  const { name = '', namespace, uid = '' } = policy.metadata;
  if (present === undefined)
    return [
      {
        kind: 'create',
        ref: elasticityHistoriesRef,
        object,
        adopter: { ref: elasticityPoliciesRef, namespace, name, uid },
        accept: ['alreadyExists'],
      },
    ];
  const { resourceVersion = '' } = present.metadata;
  return [
    {
      kind: 'update',
      ref: elasticityHistoriesRef,
      object: { ...object, metadata: { ...object.metadata, resourceVersion } },
      accept: ['conflict', 'notFound'],
    },
  ];
}
