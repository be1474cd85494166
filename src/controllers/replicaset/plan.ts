/**
 * Keeps as many pods as a ReplicaSet wants. Pure.
 *
 *   ReplicaSet, its pods ──▶ claim ──▶ too few: create │ too many: delete the ones that hurt least ──▶ status
 *
 * Invariant: decides only on a picture that holds all of its own earlier decisions (`own-writes.ts`), so it never creates twice and
 * never deletes too many.
 */
import type {
  LabelSelector,
  Pod,
  ReplicaSet,
  ReplicaSetCondition,
  ReplicaSetStatus,
} from '../../api/index.ts';
import { labelPredicate } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { adopterOf, type Claim, claim } from '../ownership.ts';
import { availableInMs, type ByStanding, byStanding } from '../pod-state.ts';
import { podOf } from '../pod-template.ts';
import { podsRef, type Resource, referenceTo, replicaSetsRef } from '../resources.ts';
import { deletion, type Failure, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { podsToDelete } from './ranking.ts';

export interface Observed {
  readonly replicaSet: ReplicaSet;
  /** Pods that it controls, and pods of its namespace that nobody controls and that match. */
  readonly pods: readonly Pod[];
  /** All of `pods`, where somebody has them in these groups already and knows that they have just the labels of the template: these are its own. */
  readonly standing?: ByStanding;
  /** Active pods of all ReplicaSets of the same owner, for spreading deletions. */
  relatives(): readonly Pod[];
  /** What it is served as: a ReplicationController is one too, of another name. Default: a ReplicaSet. */
  readonly resource?: Resource;
}

/** Creations and deletions in one go; more follow when these are seen. */
export const burstMax = 1000;

const resourceOf = ({ resource = replicaSetsRef }: Observed): Resource => resource;

interface Holding {
  readonly writes: Claim<Pod>['writes'];
  readonly owned: ByStanding;
}

const holdings = new WeakMap<Observed, Holding>();

/** Worked out once for the plan and its conclusion: there may be thousands of pods. */
function holdingOf(observed: Observed): Holding {
  let holding = holdings.get(observed);
  if (holding === undefined) {
    const { standing } = observed;
    if (standing === undefined) {
      const { owned, writes } = claim(observed.replicaSet, resourceOf(observed), podsRef, observed.pods);
      holding = { writes, owned: byStanding(owned) };
    } else holding = { writes: [], owned: standing };
    holdings.set(observed, holding);
  }
  return holding;
}

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { replicaSet } = observed;
  const resource = resourceOf(observed);
  const { owned, writes } = holdingOf(observed);
  if (writes.length > 0) return [{ kind: 'together', writes }];
  if (replicaSet.metadata.deletionTimestamp !== undefined) return [];
  const missing = (replicaSet.spec?.replicas ?? 1) - owned.starting.length - owned.ready.length;
  if (missing > 0)
    return [
      {
        kind: 'together',
        slowStart: true,
        writes: Array.from({ length: Math.min(burstMax, missing) }, () => podCreation(replicaSet, resource)),
      },
    ];
  if (missing === 0) return [];
  const active = [...owned.starting, ...owned.ready];
  const victims = podsToDelete(active, observed.relatives(), Math.min(burstMax, -missing), nowMs);
  return [{ kind: 'together', writes: victims.map((pod) => podDeletion(replicaSet, resource, pod)) }];
}

export function conclude(
  observed: Observed,
  { nowMs }: PlanContext,
  failure: Failure | undefined,
): readonly Step[] {
  const { replicaSet } = observed;
  const { owned } = holdingOf(observed);
  const { status, againMs } = statusOf(replicaSet, owned, failure, nowMs);
  const resource = resourceOf(observed);
  const { terminatingReplicas: _, ...older } = status;
  const wanted = resource === replicaSetsRef ? status : older;
  const steps: Step[] = [...statusSteps(resource, replicaSet, wanted)];
  if (againMs !== undefined) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

function podCreation(replicaSet: ReplicaSet, resource: Resource): Write {
  const about = referenceTo(resource, replicaSet);
  return {
    kind: 'create',
    ref: podsRef,
    object: podOf(replicaSet.spec?.template ?? {}, replicaSet, resource),
    // Found by simulation: one that had not heard of its set's end made pods as fast as they were collected.
    adopter: adopterOf(resource, replicaSet),
    done: { about, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  };
}

function podDeletion(replicaSet: ReplicaSet, resource: Resource, pod: Pod): Write {
  const about = referenceTo(resource, replicaSet);
  return deletion(podsRef, pod, {
    done: { about, type: 'Normal', reason: 'SuccessfulDelete', message: 'Deleted pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedDelete', message: 'Error deleting: {error}' },
    // Replaced under the same name: this one is gone.
    accept: ['notFound', 'conflict'],
  });
}

/** The status, and when it will change by the passing of time alone. */
function statusOf(
  replicaSet: ReplicaSet,
  owned: ByStanding,
  failure: Failure | undefined,
  nowMs: number,
): { readonly status: ReplicaSetStatus; readonly againMs: number | undefined } {
  const { minReadySeconds = 0 } = replicaSet.spec ?? {};
  let available = owned.ready.length;
  let againMs: number | undefined;
  if (minReadySeconds > 0) {
    available = 0;
    for (const pod of owned.ready) {
      const inMs = availableInMs(pod, minReadySeconds, nowMs) ?? 0;
      if (inMs === 0) available++;
      else againMs = Math.min(againMs ?? inMs, inMs);
    }
  }
  const conditions = conditionsOf(replicaSet, failure, nowMs);
  return {
    againMs,
    status: {
      replicas: owned.starting.length + owned.ready.length,
      fullyLabeledReplicas: labeledIn(replicaSet, owned),
      readyReplicas: owned.ready.length,
      availableReplicas: available,
      terminatingReplicas: owned.ending.length,
      ...(replicaSet.metadata.generation === undefined
        ? {}
        : { observedGeneration: replicaSet.metadata.generation }),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
  };
}

/** How many have all labels of the template. */
function labeledIn({ spec }: ReplicaSet, { starting, ready }: ByStanding): number {
  const labels = spec?.template?.metadata?.labels ?? {};
  const { matchLabels = {} } = spec?.selector ?? {};
  // Nearly always: they would not be owned without these.
  if (Object.keys(labels).every((key) => matchLabels[key] === labels[key]))
    return starting.length + ready.length;
  const templateLabels: LabelSelector = { matchLabels: labels };
  const isFullyLabeled = labelPredicate(templateLabels);
  let count = 0;
  for (const pods of [starting, ready])
    for (const { metadata } of pods) if (isFullyLabeled(metadata.labels)) count++;
  return count;
}

function conditionsOf(
  replicaSet: ReplicaSet,
  failure: Failure | undefined,
  nowMs: number,
): readonly ReplicaSetCondition[] {
  const present = replicaSet.status?.conditions ?? [];
  const others = present.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined || failure.write === 'patch') return others;
  const reason = failure.write === 'create' ? 'FailedCreate' : 'FailedDelete';
  const before = present.find((condition) => condition.type === 'ReplicaFailure');
  // The first failure stays: a message that changes with each try would be a write with each try.
  if (before !== undefined) return present;
  const lastTransitionTime = formatTime(nowMs);
  return [
    ...others,
    { type: 'ReplicaFailure', status: 'True', lastTransitionTime, reason, message: failure.message },
  ];
}
