/**
 * The controller of autoscalers: every 15 s each is looked at anew, as its figures change without any object changing. Decisions are in `plan.ts`.
 *
 * What was recommended and changed of late is kept in memory, and so are the last decisions with their grounds.
 */
import type { HorizontalPodAutoscaler, KindRegistry, LabelPredicate, Pod } from '../../api/index.ts';
import { type Client, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { horizontalPodAutoscalersRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { forgotten, type History } from './limits.ts';
import { concludeWith, type Decision, decide, type Observed, stepsOf } from './plan.ts';
import { type MetricsSource, readAll } from './readings.ts';
import { findTarget } from './targets.ts';

export interface PodAutoscalerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly registry: KindRegistry;
  readonly metrics: MetricsSource;
  /** Told of every decision and its grounds, by the autoscaler's key. */
  readonly onDecision?: (key: string, decision: Decision, observed: Observed) => void;
}

const periodMs = 15_000;

/** What is kept of one autoscaler. */
interface Kept {
  readonly key: string;
  /** What its target selects, as it was seen last. */
  matches: LabelPredicate | undefined;
  history: History;
  decision: Decision | undefined;
}

export function podAutoscalerController(options: PodAutoscalerOptions): Controller<Observed> {
  const { client, informers, registry, metrics, onDecision } = options;
  const autoscalers = informers.informer<HorizontalPodAutoscaler>(horizontalPodAutoscalersRef);
  const podsIn = informers
    .informer<Pod>(podsRef)
    .index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const kept = new Map<string, Kept>();
  const keptOf = ({ metadata }: HorizontalPodAutoscaler): Kept => {
    const { uid = '' } = metadata;
    let found = kept.get(uid);
    if (found === undefined) {
      found = {
        key: keyOf({ metadata }),
        matches: undefined,
        history: { recommendations: [], changes: [] },
        decision: undefined,
      };
      kept.set(uid, found);
    }
    return found;
  };
  return {
    name: 'horizontal-pod-autoscaler',
    workers: 5,
    watches: [
      watch<HorizontalPodAutoscaler>(informers, horizontalPodAutoscalersRef, (change) => {
        if (change.kind === 'deleted') kept.delete(change.object.metadata.uid ?? '');
        const isSame = change.kind === 'updated' && sameJson(change.previous.spec, change.object.spec);
        return isSame ? [] : [keyOf(change.object)];
      }),
      watch<Pod>(informers, podsRef, () => []),
    ],
    async observe(key) {
      const autoscaler = autoscalers.get(key);
      if (autoscaler === undefined) return undefined;
      const { target, selection } = await findTarget(
        client,
        registry,
        autoscaler.metadata.namespace,
        autoscaler.spec.scaleTargetRef,
      );
      const mine = keptOf(autoscaler);
      mine.matches = 'error' in selection ? undefined : selection.matches;
      if ('error' in selection || 'error' in target)
        return {
          autoscaler,
          target,
          selection: 'error' in selection ? selection : { pods: [] },
          readings: [],
          history: mine.history,
        };
      const { namespace = '' } = autoscaler.metadata;
      const { minReplicas = 1, maxReplicas } = autoscaler.spec;
      const { specReplicas } = target;
      const isAsked =
        specReplicas >= minReplicas && specReplicas <= maxReplicas && (specReplicas > 0 || minReplicas === 0);
      const readings = isAsked ? await readAll(metrics, autoscaler, selection.text) : [];
      const pods = podsIn(namespace).filter(({ metadata }) => selection.matches(metadata.labels));
      const rivals = rivalsOf(kept.values(), namespace, pods);
      return {
        autoscaler,
        target,
        selection: rivals.length > 1 ? ambiguous(selection.text, rivals) : { pods },
        readings,
        history: mine.history,
      };
    },
    plan(observed, { nowMs }) {
      const { autoscaler, target } = observed;
      const mine = keptOf(autoscaler);
      // A restart shall not take away at once what was recommended before it.
      if (mine.history.recommendations.length === 0 && !('error' in target)) {
        const recommendations = [{ atMs: nowMs, replicas: target.specReplicas }];
        mine.history = { ...mine.history, recommendations };
      }
      const decision = decide({ ...observed, history: mine.history }, nowMs);
      mine.decision = decision;
      const { recommended } = decision;
      const { recommendations, changes } = forgotten(mine.history, autoscaler.spec, nowMs);
      const next =
        recommended === undefined
          ? recommendations
          : [...recommendations, { atMs: nowMs, replicas: recommended }];
      mine.history = { recommendations: next, changes };
      onDecision?.(keyOf(autoscaler), decision, observed);
      return [{ kind: 'again', afterMs: periodMs }, ...stepsOf(observed, decision)];
    },
    conclude(observed, { nowMs }, failure) {
      const mine = keptOf(observed.autoscaler);
      const { decision } = mine;
      if (decision === undefined) return [];
      if (decision.isRescale && failure === undefined) {
        const change = { atMs: nowMs, change: decision.desired - decision.current };
        mine.history = { ...mine.history, changes: [...mine.history.changes, change] };
      }
      return concludeWith(observed, decision, nowMs, failure);
    },
  };
}

/** The autoscalers whose targets select one of these pods. */
function rivalsOf(all: Iterable<Kept>, namespace: string, pods: readonly Pod[]): readonly string[] {
  const rivals: string[] = [];
  for (const { key, matches } of all)
    if (
      matches !== undefined &&
      key.startsWith(`${namespace}/`) &&
      pods.some(({ metadata }) => matches(metadata.labels))
    )
      rivals.push(key.slice(namespace.length + 1));
  return rivals.sort().map((name) => `{${name} ${namespace}}`);
}

/** Two that pull at the same pods would never agree: neither does anything. */
const ambiguous = (selector: string, rivals: readonly string[]) => ({
  reason: 'AmbiguousSelector',
  error: `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(' ')}]`,
});
