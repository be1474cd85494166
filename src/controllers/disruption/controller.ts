/**
 * The disruption controller: keeps the status of budgets, on which evictions rest. Decisions are in `plan.ts`.
 *
 * A namespace without budgets costs one look-up a change.
 */
import {
  type KindRegistry,
  type KubeObject,
  labelPredicate,
  type OwnerReference,
  type Pod,
  type PodDisruptionBudget,
} from '../../api/index.ts';
import { type Change, type Client, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { controllerOf } from '../ownership.ts';
import { isReady } from '../pod-state.ts';
import { podDisruptionBudgetsRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type FindScale, type Observed, plan } from './plan.ts';
import { replicasOf, Scales, scaledRefs } from './scales.ts';

export function disruptionController(
  informers: Informers,
  client: Client,
  registry: KindRegistry,
): Controller<Observed> {
  const budgets = informers.informer<PodDisruptionBudget>(podDisruptionBudgetsRef);
  const budgetsIn = budgets.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const podsIn = informers
    .informer<Pod>(podsRef)
    .index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const scales = new Scales(informers, client, registry);
  const keysOfPod = function* (change: Change<Pod>): Iterable<string> {
    const here = budgetsIn(change.object.metadata.namespace ?? '');
    if (here.length === 0 || !matters(change)) return;
    const { labels } = change.object.metadata;
    const before = change.kind === 'updated' ? change.previous.metadata.labels : labels;
    for (const budget of here) {
      const matches = labelPredicate(budget.spec?.selector);
      if (matches(labels) || (before !== labels && matches(before))) yield keyOf(budget);
    }
  };
  const keysOfScaled = function* (change: Change<KubeObject>): Iterable<string> {
    const here = budgetsIn(change.object.metadata.namespace ?? '');
    if (here.length === 0 || !isRescaled(change)) return;
    for (const budget of here) if (restsOnScales(budget)) yield keyOf(budget);
  };
  return {
    name: 'controllermanager',
    workers: 2,
    watches: [
      watch<PodDisruptionBudget>(informers, podDisruptionBudgetsRef, ({ object }) => [keyOf(object)]),
      watch<Pod>(informers, podsRef, keysOfPod),
      ...scaledRefs.map((ref) => watch<KubeObject>(informers, ref, keysOfScaled)),
    ],
    observe(key) {
      const budget = budgets.get(key);
      if (budget === undefined) return undefined;
      const { namespace = '' } = budget.metadata;
      const matches = labelPredicate(budget.spec?.selector);
      const pods = podsIn(namespace).filter(({ metadata }) => matches(metadata.labels));
      const scaleOf: FindScale = (owner) => scales.known(namespace, owner);
      const unknown = restsOnScales(budget) ? unknownOwners(pods) : [];
      return unknown.length === 0
        ? { budget, pods, scaleOf }
        : withAsked({ budget, pods, scaleOf }, scales, namespace, unknown);
    },
    plan,
  };
}

/** Whether a pod's change may be one of health, of selection or of ownership. */
function matters(change: Change<Pod>): boolean {
  if (change.kind !== 'updated') return true;
  const { previous, object } = change;
  return (
    isReady(previous) !== isReady(object) ||
    previous.metadata.deletionTimestamp !== object.metadata.deletionTimestamp ||
    !sameJson(previous.metadata.labels, object.metadata.labels) ||
    controllerOf(previous)?.uid !== controllerOf(object)?.uid
  );
}

function isRescaled(change: Change<KubeObject>): boolean {
  if (change.kind !== 'updated') return true;
  const { previous, object } = change;
  return (
    replicasOf(previous) !== replicasOf(object) || controllerOf(previous)?.uid !== controllerOf(object)?.uid
  );
}

const restsOnScales = ({ spec }: PodDisruptionBudget): boolean =>
  spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';

function unknownOwners(pods: readonly Pod[]): readonly OwnerReference[] {
  const owners = new Map<string, OwnerReference>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner !== undefined && !Scales.isKnown(owner)) owners.set(owner.uid, owner);
  }
  return [...owners.values()];
}

async function withAsked(
  observed: Observed,
  scales: Scales,
  namespace: string,
  owners: readonly OwnerReference[],
): Promise<Observed> {
  const answers = new Map(
    await Promise.all(
      owners.map(async (owner) => [owner.uid, await scales.asked(namespace, owner)] as const),
    ),
  );
  return {
    ...observed,
    scaleOf: (owner) => (answers.has(owner.uid) ? answers.get(owner.uid) : observed.scaleOf(owner)),
  };
}
