/**
 * Keeps the pods of a StatefulSet, each with its name and its claims. Pure.
 *
 *   claim pods and revisions ──▶ the template's revision (history) ──▶ pods (rollout.ts) ──▶ history beyond its limit ──▶ status
 */
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  StatefulSetStatus,
} from '../../api/index.ts';
import { type History, historyOf, surplusSteps } from '../history/history.ts';
import { claim } from '../ownership.ts';
import { availableInMs, isTerminating } from '../pod-state.ts';
import { controllerRevisionsRef, podsRef, statefulSetsRef } from '../resources.ts';
import { type Failure, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { ordinalOf, replicasOf, revisionNameOf } from './identity.ts';
import { isRunningAndReady, podSteps } from './rollout.ts';

export interface Observed {
  readonly set: StatefulSet;
  /** Pods that it controls, and pods of its namespace that nobody controls and that match. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  /** By name, in the set's namespace, whoever controls it. */
  findPod(name: string): Pod | undefined;
  findClaim(name: string): PersistentVolumeClaim | undefined;
  findRevision(name: string): ControllerRevision | undefined;
}

/** On revisions. On pods, `controller-revision-hash` has the revision's whole name. */
const hashLabel = 'controller.kubernetes.io/hash';

interface Claimed {
  readonly pods: readonly Pod[];
  readonly writes: readonly Write[];
  readonly history: History;
}

const known = new WeakMap<Observed, Claimed>();

function claimedOf(observed: Observed): Claimed {
  const found = known.get(observed);
  if (found !== undefined) return found;
  const { set } = observed;
  const isMember = ({ metadata }: Pod): boolean => ordinalOf(set, metadata.name) !== undefined;
  const pods = claim(set, statefulSetsRef, podsRef, observed.pods, isMember);
  const revisions = claim(set, statefulSetsRef, controllerRevisionsRef, observed.revisions);
  const history = historyOf({
    owner: set,
    ownerResource: statefulSetsRef,
    revisions: revisions.owned,
    find: observed.findRevision,
    hashLabel,
  });
  const claimed = { pods: pods.owned, writes: [...pods.writes, ...revisions.writes], history };
  known.set(observed, claimed);
  return claimed;
}

const selectsNothing = ({ spec }: StatefulSet): boolean =>
  Object.keys(spec?.selector?.matchLabels ?? {}).length === 0 &&
  (spec?.selector?.matchExpressions ?? []).length === 0;

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { set } = observed;
  if (selectsNothing(set)) return [];
  const { pods, writes, history } = claimedOf(observed);
  if (writes.length > 0) return [{ kind: 'together', writes }];
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const { update, revisions } = history;
  if (update === undefined) return history.writes;
  const current = currentOf(observed, update);
  const { findPod, findClaim } = observed;
  const live = new Set([update.metadata.name, current.metadata.name, ...pods.map(revisionNameOf)]);
  return [
    ...podSteps({ set, pods, current, update, findPod, findClaim, nowMs }),
    ...surplusSteps(revisions, set.spec?.revisionHistoryLimit ?? 10, ({ metadata }) =>
      live.has(metadata.name),
    ),
  ];
}

/** The template that all pods had last; at the beginning, and where it is lost, that of now. */
function currentOf(observed: Observed, update: ControllerRevision): ControllerRevision {
  const { currentRevision } = observed.set.status ?? {};
  const { revisions } = claimedOf(observed).history;
  return revisions.find(({ metadata }) => metadata.name === currentRevision) ?? update;
}

export function conclude(
  observed: Observed,
  { nowMs }: PlanContext,
  _failure: Failure | undefined,
): readonly Step[] {
  const { set } = observed;
  if (selectsNothing(set)) return [];
  const { pods, history } = claimedOf(observed);
  const { update, collisionCount } = history;
  if (update === undefined)
    return collisionCount === (set.status?.collisionCount ?? 0)
      ? []
      : statusSteps(statefulSetsRef, set, { ...set.status, collisionCount });
  const { status, againMs } = statusOf(set, pods, currentOf(observed, update), update, nowMs);
  const steps: Step[] = [...statusSteps(statefulSetsRef, set, { ...status, collisionCount })];
  if (againMs !== undefined) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

/** The status, and when it will change by the passing of time alone. */
function statusOf(
  set: StatefulSet,
  pods: readonly Pod[],
  current: ControllerRevision,
  update: ControllerRevision,
  nowMs: number,
): { readonly status: StatefulSetStatus; readonly againMs: number | undefined } {
  const [currentName = '', updateName = ''] = [current.metadata.name, update.metadata.name];
  const counts = { replicas: 0, ready: 0, available: 0, current: 0, updated: 0 };
  let againMs: number | undefined;
  for (const pod of pods) {
    counts.replicas++;
    if (isRunningAndReady(pod)) {
      counts.ready++;
      const inMs = availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) ?? 0;
      if (inMs === 0) counts.available++;
      else againMs = Math.min(againMs ?? inMs, inMs);
    }
    if (isTerminating(pod)) continue;
    if (revisionNameOf(pod) === currentName) counts.current++;
    if (revisionNameOf(pod) === updateName) counts.updated++;
  }
  const wanted = replicasOf(set);
  const isComplete =
    set.spec?.updateStrategy?.type !== 'OnDelete' &&
    counts.updated === wanted &&
    counts.ready === wanted &&
    counts.replicas === wanted;
  const { generation } = set.metadata;
  const { conditions } = set.status ?? {};
  return {
    againMs,
    status: {
      replicas: counts.replicas,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      currentReplicas: isComplete ? counts.updated : counts.current,
      updatedReplicas: counts.updated,
      currentRevision: isComplete ? updateName : currentName,
      updateRevision: updateName,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}
