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
import { availableInMs, isActive, isFinished, isReady } from '../pod-state.ts';
import { podOf } from '../pod-template.ts';
import { podsRef, type Resource, referenceTo, replicaSetsRef } from '../resources.ts';
import { deletion, type Failure, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { podsToDelete } from './ranking.ts';

export interface Observed {
  readonly replicaSet: ReplicaSet;
  /** Pods that it controls, and pods of its namespace that nobody controls and that match. */
  readonly pods: readonly Pod[];
  /** Active pods of all ReplicaSets of the same owner, for spreading deletions. */
  relatives(): readonly Pod[];
  /** What it is served as: a ReplicationController is one too, of another name. Default: a ReplicaSet. */
  readonly resource?: Resource;
}

/** Creations and deletions in one go; more follow when these are seen. */
export const burstMax = 1000;

const resourceOf = ({ resource = replicaSetsRef }: Observed): Resource => resource;

const claims = new WeakMap<Observed, Claim<Pod>>();

/** Worked out once for the plan and its conclusion: there may be thousands of pods. */
function claimOf(observed: Observed): Claim<Pod> {
  let claimed = claims.get(observed);
  if (claimed === undefined) {
    claimed = claim(observed.replicaSet, resourceOf(observed), podsRef, observed.pods);
    claims.set(observed, claimed);
  }
  return claimed;
}

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { replicaSet } = observed;
  const resource = resourceOf(observed);
  const { owned, writes } = claimOf(observed);
  if (writes.length > 0) return [{ kind: 'together', writes }];
  if (replicaSet.metadata.deletionTimestamp !== undefined) return [];
  const active = owned.filter(isActive);
  const missing = (replicaSet.spec?.replicas ?? 1) - active.length;
  if (missing > 0)
    return [
      {
        kind: 'together',
        slowStart: true,
        writes: Array.from({ length: Math.min(burstMax, missing) }, () => podCreation(replicaSet, resource)),
      },
    ];
  if (missing === 0) return [];
  const victims = podsToDelete(active, observed.relatives(), Math.min(burstMax, -missing), nowMs);
  return [{ kind: 'together', writes: victims.map((pod) => podDeletion(replicaSet, resource, pod)) }];
}

export function conclude(
  observed: Observed,
  { nowMs }: PlanContext,
  failure: Failure | undefined,
): readonly Step[] {
  const { replicaSet } = observed;
  const { owned } = claimOf(observed);
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
export function statusOf(
  replicaSet: ReplicaSet,
  owned: readonly Pod[],
  failure: Failure | undefined,
  nowMs: number,
): { readonly status: ReplicaSetStatus; readonly againMs: number | undefined } {
  const { minReadySeconds = 0, template } = replicaSet.spec ?? {};
  const templateLabels: LabelSelector = { matchLabels: template?.metadata?.labels ?? {} };
  const isFullyLabeled = labelPredicate(templateLabels);
  const counts = { replicas: 0, labeled: 0, ready: 0, available: 0, terminating: 0 };
  let againMs: number | undefined;
  for (const pod of owned) {
    if (!isActive(pod)) {
      if (!isFinished(pod)) counts.terminating++;
      continue;
    }
    counts.replicas++;
    if (isFullyLabeled(pod.metadata.labels)) counts.labeled++;
    if (!isReady(pod)) continue;
    counts.ready++;
    const inMs = availableInMs(pod, minReadySeconds, nowMs) ?? 0;
    if (inMs === 0) counts.available++;
    else againMs = Math.min(againMs ?? inMs, inMs);
  }
  const conditions = conditionsOf(replicaSet, failure, nowMs);
  return {
    againMs,
    status: {
      replicas: counts.replicas,
      fullyLabeledReplicas: counts.labeled,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      terminatingReplicas: counts.terminating,
      ...(replicaSet.metadata.generation === undefined
        ? {}
        : { observedGeneration: replicaSet.metadata.generation }),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
  };
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
