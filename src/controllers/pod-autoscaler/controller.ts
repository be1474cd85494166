/**
 * The controller of autoscalers: every 15 s each is looked at anew, as its figures change without any object changing. Decisions are in `plan.ts`.
 *
 * What was recommended and changed of late is kept in memory, and so are the last decisions with their grounds.
 * Invariant: the same spec is not decided on twice within a period: figures are no newer, and speak of pods that have been taken away since. Found by simulation.
 */
import type { HorizontalPodAutoscaler, KindRegistry, Pod } from '../../api/index.ts';
import { type Client, type Informers, keyOf, LabelIndex } from '../../client/index.ts';
import { type Clock, sameJson } from '../../lib/index.ts';
import { horizontalPodAutoscalersRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { AutoscalerMemory } from './memory.ts';
import { concludeWith, type Decision, decide, type Observed, stepsOf } from './plan.ts';
import { type MetricsSource, readAll } from './readings.ts';
import { AutoscalerSelectors } from './selectors.ts';
import { findTarget } from './targets.ts';

export interface PodAutoscalerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  readonly metrics: MetricsSource;
  /** Shared with others who select pods. */
  readonly podIndex?: LabelIndex<Pod>;
  /** Told of every decision and its grounds, by the autoscaler's key. */
  readonly onDecision?: (key: string, decision: Decision, observed: Observed) => void;
}

const periodMs = 15_000;

/** What is kept of one autoscaler. */
interface Kept {
  readonly memory: AutoscalerMemory;
  decision: Decision | undefined;
  /** When figures were asked for last, and for which spec. */
  look: { readonly atMs: number; readonly spec: HorizontalPodAutoscaler['spec'] } | undefined;
}

/** What is left of its period. */
interface Resting {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly leftMs: number;
}

export function podAutoscalerController(options: PodAutoscalerOptions): Controller<Observed | Resting> {
  const { client, informers, registry, clock, metrics, onDecision } = options;
  const autoscalers = informers.informer<HorizontalPodAutoscaler>(horizontalPodAutoscalersRef);
  const { podIndex = new LabelIndex(informers.informer<Pod>(podsRef)) } = options;
  const selectors = new AutoscalerSelectors();
  const kept = new Map<string, Kept>();
  const keptOf = ({ metadata }: HorizontalPodAutoscaler): Kept => {
    const { uid = '' } = metadata;
    let found = kept.get(uid);
    if (found === undefined) {
      found = { memory: new AutoscalerMemory(), decision: undefined, look: undefined };
      kept.set(uid, found);
    }
    return found;
  };
  return {
    name: 'horizontal-pod-autoscaler',
    workers: 5,
    watches: [
      watch<HorizontalPodAutoscaler>(informers, horizontalPodAutoscalersRef, (change) => {
        const { uid = '' } = change.object.metadata;
        if (change.kind === 'deleted') {
          kept.delete(uid);
          selectors.delete(uid);
        }
        const isSame = change.kind === 'updated' && sameJson(change.previous.spec, change.object.spec);
        return isSame ? [] : [keyOf(change.object)];
      }),
      watch<Pod>(informers, podsRef, () => []),
    ],
    async observe(key) {
      const autoscaler = autoscalers.get(key);
      if (autoscaler === undefined) return undefined;
      const mine = keptOf(autoscaler);
      const leftMs = restOf(mine, autoscaler, clock.monotonicMs());
      if (leftMs > 0) return { autoscaler, leftMs };
      const { target, selection } = await findTarget(
        client,
        registry,
        autoscaler.metadata.namespace,
        autoscaler.spec.scaleTargetRef,
      );
      const { namespace = '', name = '', uid = '' } = autoscaler.metadata;
      selectors.put(uid, namespace, name, 'error' in selection ? undefined : selection.text);
      if ('error' in selection || 'error' in target)
        return {
          autoscaler,
          target,
          selection: 'error' in selection ? selection : { pods: [] },
          readings: [],
          history: mine.memory.history,
        };
      const { minReplicas = 1, maxReplicas } = autoscaler.spec;
      const { specReplicas } = target;
      const isAsked =
        specReplicas >= minReplicas && specReplicas <= maxReplicas && (specReplicas > 0 || minReplicas === 0);
      const before = podIndex.select(namespace, selection.text);
      const rivals = isAsked ? selectors.of(namespace, before) : [];
      if (rivals.length > 1) {
        const ambiguity = ambiguous(selection.text, namespace, rivals);
        return { autoscaler, target, selection: ambiguity, readings: [], history: mine.memory.history };
      }
      if (isAsked) mine.look = { atMs: clock.monotonicMs(), spec: autoscaler.spec };
      const readings = isAsked ? await readAll(metrics, autoscaler, selection.text, before) : [];
      // Reading may have taken a while.
      const pods = podIndex.select(namespace, selection.text);
      return { autoscaler, target, selection: { pods }, readings, history: mine.memory.history };
    },
    plan(observed, { nowMs }) {
      if ('leftMs' in observed) return [{ kind: 'again', afterMs: observed.leftMs }];
      const { autoscaler, target } = observed;
      const mine = keptOf(autoscaler);
      const { memory } = mine;
      const steadyMs = clock.monotonicMs();
      if (!('error' in target)) memory.begin(target.specReplicas, steadyMs);
      const decision = decide({ ...observed, history: memory.history }, nowMs, steadyMs);
      mine.decision = decision;
      memory.recommended(autoscaler.spec, decision.recommended, steadyMs);
      onDecision?.(keyOf(autoscaler), decision, observed);
      return [{ kind: 'again', afterMs: periodMs }, ...stepsOf(observed, decision)];
    },
    conclude(observed, { nowMs }, failure) {
      if ('leftMs' in observed) return [];
      const mine = keptOf(observed.autoscaler);
      const { decision } = mine;
      if (decision === undefined) return [];
      // Somebody was faster: the next look begins with what is there now.
      if (failure?.isConflict === true) mine.look = undefined;
      if (decision.isRescale && failure === undefined)
        mine.memory.changed(
          observed.autoscaler.spec,
          decision.desired - decision.current,
          clock.monotonicMs(),
        );
      return concludeWith(observed, decision, nowMs, failure);
    },
  };
}

/** Timers are not exact. */
const earlyMs = 1000;

function restOf({ look }: Kept, { spec }: HorizontalPodAutoscaler, steadyMs: number): number {
  if (look === undefined || !sameJson(look.spec, spec)) return 0;
  const leftMs = look.atMs + periodMs - steadyMs;
  return leftMs > earlyMs ? leftMs : 0;
}

/** Two that pull at the same pods would never agree: neither does anything. */
const ambiguous = (selector: string, namespace: string, rivals: readonly string[]) => ({
  reason: 'AmbiguousSelector',
  error: `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.map((name) => `{${name} ${namespace}}`).join(' ')}]`,
});
