/**
 * What a Deployment tells of itself: counts and the conditions Available, Progressing, ReplicaFailure, with the reasons that
 * `kubectl rollout status` and `kubectl wait` read. Pure.
 */
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { fencepostsOf, replicasOf, sum } from './facts.ts';
import type { Family } from './rollout.ts';

export interface Progress {
  readonly type: 'Progressing';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Kubernetes takes the largest int32 for "no deadline". */
const noDeadline = 2 ** 31 - 1;
const deadlineMsOf = (deployment: Deployment): number | undefined => {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === noDeadline ? undefined : seconds * 1000;
};

export function conditionOf(deployment: Deployment, type: string): DeploymentCondition | undefined {
  return deployment.status?.conditions?.find((condition) => condition.type === type);
}

export interface StatusContext {
  readonly nowMs: number;
  readonly collisionCount: number;
  /** What just happened, where it decides the condition: a ReplicaSet was found, created, or could not be. */
  readonly progress?: Progress | undefined;
}

/** The status, and when the deadline will pass if nothing changes. */
export function statusOf(
  family: Family,
  context: StatusContext,
): { readonly status: DeploymentStatus; readonly againMs: number | undefined } {
  const { deployment, current, old } = family;
  const { nowMs, collisionCount } = context;
  const all = current === undefined ? old : [...old, current];
  const available = sum(all, (one) => one.status?.availableReplicas ?? 0);
  const replicas = sum(all, (one) => one.status?.replicas ?? 0);
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas,
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(all, (one) => one.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    terminatingReplicas: sum(all, (one) => one.status?.terminatingReplicas ?? 0),
  };
  let conditions = [...(deployment.status?.conditions ?? [])];
  const isMet = available >= replicasOf(deployment) - fencepostsOf(deployment).maxUnavailable;
  conditions = withCondition(conditions, nowMs, {
    type: 'Available',
    status: isMet ? 'True' : 'False',
    reason: isMet ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${isMet ? 'has' : 'does not have'} minimum availability.`,
  });
  conditions = withProgress(conditions, family, counts, context);
  conditions = withReplicaFailure(conditions, family, nowMs);
  return {
    status: {
      ...counts,
      ...(collisionCount > 0 ? { collisionCount } : {}),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
    againMs: againMsOf(deployment, conditions, nowMs),
  };
}

type Counts = Pick<
  DeploymentStatus,
  'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'observedGeneration'
>;

function withProgress(
  conditions: DeploymentCondition[],
  family: Family,
  counts: Counts,
  { nowMs, progress }: StatusContext,
): DeploymentCondition[] {
  const { deployment, current } = family;
  const deadlineMs = deadlineMsOf(deployment);
  if (deadlineMs === undefined) return conditions.filter(({ type }) => type !== 'Progressing');
  const present = conditions.find(({ type }) => type === 'Progressing');
  if (deployment.spec?.paused === true) {
    if (present?.reason === 'ProgressDeadlineExceeded' || present?.reason === 'DeploymentPaused')
      return conditions;
    return withCondition(
      conditions,
      nowMs,
      progressing('Unknown', 'DeploymentPaused', 'Deployment is paused'),
    );
  }
  if (present?.reason === 'DeploymentPaused')
    return withCondition(
      conditions,
      nowMs,
      progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed'),
    );
  if (progress !== undefined) return withCondition(conditions, nowMs, progress);
  // Finished before, and only scaled since: scaling is no rollout.
  if (counts.replicas === counts.updatedReplicas && present?.reason === 'NewReplicaSetAvailable')
    return conditions;
  const subject =
    current === undefined
      ? `Deployment "${deployment.metadata.name}"`
      : `ReplicaSet "${current.metadata.name}"`;
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, nowMs, progressing('True', 'NewReplicaSetAvailable', message));
  }
  if (hasProgressed(deployment.status ?? {}, counts)) {
    // Always new: its update time is what the deadline counts from.
    const condition = progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`);
    const now = formatTime(nowMs);
    const since = present?.status === 'True' ? (present.lastTransitionTime ?? now) : now;
    return replaced(conditions, { ...condition, lastUpdateTime: now, lastTransitionTime: since });
  }
  if (hasTimedOut(present, deadlineMs, nowMs)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, nowMs, progressing('False', 'ProgressDeadlineExceeded', message));
  }
  return conditions;
}

export function progressing(status: Progress['status'], reason: string, message: string): Progress {
  return { type: 'Progressing', status, reason, message };
}

export function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = replicasOf(deployment);
  return (
    counts.updatedReplicas === wanted &&
    counts.replicas === wanted &&
    counts.availableReplicas === wanted &&
    (counts.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: Counts, now: Counts): boolean {
  const updated = (counts: Counts): number => counts.updatedReplicas ?? 0;
  const old = (counts: Counts): number => (counts.replicas ?? 0) - updated(counts);
  return (
    updated(now) > updated(before) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(present: DeploymentCondition | undefined, deadlineMs: number, nowMs: number): boolean {
  if (present === undefined || present.reason === 'NewReplicaSetAvailable') return false;
  if (present.reason === 'ProgressDeadlineExceeded') return true;
  return Date.parse(present.lastUpdateTime ?? '') + deadlineMs < nowMs;
}

/** While a rollout is under way: when its deadline passes. */
function againMsOf(
  deployment: Deployment,
  conditions: readonly DeploymentCondition[],
  nowMs: number,
): number | undefined {
  const deadlineMs = deadlineMsOf(deployment);
  const present = conditions.find(({ type }) => type === 'Progressing');
  if (deadlineMs === undefined || present === undefined || deployment.spec?.paused) return undefined;
  if (present.reason === 'NewReplicaSetAvailable' || present.reason === 'ProgressDeadlineExceeded')
    return undefined;
  // Times are in whole seconds: one more, to be past it.
  return Math.max(1000, Date.parse(present.lastUpdateTime ?? '') + deadlineMs - nowMs + 1000);
}

function withReplicaFailure(
  conditions: DeploymentCondition[],
  { current, old }: Family,
  nowMs: number,
): DeploymentCondition[] {
  for (const replicaSet of [...(current === undefined ? [] : [current]), ...old]) {
    const failure = replicaSet.status?.conditions?.find(
      ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
    );
    if (failure === undefined) continue;
    const { reason = '', message = '' } = failure;
    return withCondition(conditions, nowMs, { type: 'ReplicaFailure', status: 'True', reason, message });
  }
  return conditions.filter(({ type }) => type !== 'ReplicaFailure');
}

/** Sets a condition; the same status and reason leave it as it is, the same status keeps its transition time. */
function withCondition(
  conditions: DeploymentCondition[],
  nowMs: number,
  wanted: {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  },
): DeploymentCondition[] {
  const present = conditions.find(({ type }) => type === wanted.type);
  if (present?.status === wanted.status && present.reason === wanted.reason) return conditions;
  const now = formatTime(nowMs);
  const since = present?.status === wanted.status ? (present.lastTransitionTime ?? now) : now;
  return replaced(conditions, { ...wanted, lastUpdateTime: now, lastTransitionTime: since });
}

function replaced(conditions: DeploymentCondition[], condition: DeploymentCondition): DeploymentCondition[] {
  return [...conditions.filter(({ type }) => type !== condition.type), condition];
}
