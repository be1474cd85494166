/**
 * Keeps one pod of a DaemonSet on each node that fits. Pure.
 *
 *   claim pods and revisions ──▶ the template's revision (history) ──▶ presence, then update (rollout.ts) ──▶ history beyond its limit ──▶ status
 */
import type {
  ControllerRevision,
  DaemonSet,
  DaemonSetStatus,
  KubeObject,
  Node,
  Pod,
} from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { type History, historyOf, surplusSteps } from '../history/history.ts';
import { adopterOf, claim } from '../ownership.ts';
import { availableInMs, isReady } from '../pod-state.ts';
import { podOf } from '../pod-template.ts';
import { controllerRevisionsRef, daemonSetsRef, podsRef, referenceTo } from '../resources.ts';
import { deletion, type Failure, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { affinityTo, tolerationsOf, verdictOf } from './placement.ts';
import {
  byAge,
  isUpdated,
  labelsOf,
  type Picture,
  podsByNode,
  presenceChanges,
  updateChanges,
} from './rollout.ts';

export interface Observed {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods that it controls, and pods of its namespace that nobody controls and that match. */
  readonly pods: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  /** By name, in its namespace, whoever controls it. */
  findRevision(name: string): ControllerRevision | undefined;
  /** How long the failed pod of a node has to wait for its successor still, in ms. */
  holdBackMs(nodeName: string, nowMs: number): number;
}

/** Creations, and deletions, in one go; more follow when these are seen. */
export const burstMax = 250;

const hashLabel = 'controller-revision-hash';

interface Claimed {
  readonly pods: readonly Pod[];
  readonly writes: readonly Write[];
  readonly history: History;
}

const known = new WeakMap<Observed, Claimed>();

function claimedOf(observed: Observed): Claimed {
  const found = known.get(observed);
  if (found !== undefined) return found;
  const { daemonSet } = observed;
  const pods = claim(daemonSet, daemonSetsRef, podsRef, observed.pods);
  const revisions = claim(daemonSet, daemonSetsRef, controllerRevisionsRef, observed.revisions);
  const history = historyOf({
    owner: daemonSet,
    ownerResource: daemonSetsRef,
    revisions: revisions.owned,
    find: observed.findRevision,
    hashLabel,
  });
  const claimed = { pods: pods.owned, writes: [...pods.writes, ...revisions.writes], history };
  known.set(observed, claimed);
  return claimed;
}

const isLeftAlone = ({ metadata, spec }: DaemonSet): boolean =>
  metadata.deletionTimestamp !== undefined ||
  (Object.keys(spec?.selector?.matchLabels ?? {}).length === 0 &&
    (spec?.selector?.matchExpressions ?? []).length === 0);

const hashOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[hashLabel] ?? '';

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { daemonSet, nodes } = observed;
  const { pods, writes, history } = claimedOf(observed);
  if (writes.length > 0) return [{ kind: 'together', writes }];
  if (isLeftAlone(daemonSet)) return [];
  const { update, revisions } = history;
  // That a revision has come is not looked out for: others' are no affair of ours.
  if (update === undefined) return [...history.writes, { kind: 'again', afterMs: 0 }];
  const hash = hashOf(update);
  const merging = mergeSteps(update, revisions, pods);
  if (merging.length > 0) return merging;
  const holdBackMs = (nodeName: string): number => observed.holdBackMs(nodeName, nowMs);
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[hashLabel]));
  return [
    ...podSteps({ daemonSet, nodes, pods, hash, nowMs, holdBackMs }),
    ...surplusSteps(
      revisions.filter((revision) => revision !== update),
      daemonSet.spec?.revisionHistoryLimit ?? 10,
      (revision) => live.has(hashOf(revision)),
    ),
  ];
}

/** Revisions of the present template beside its own: their pods are of the present one, and none of them has to begin anew. */
function mergeSteps(
  update: ControllerRevision,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly Step[] {
  const others = revisions.filter((one) => one !== update && sameJson(one.data, update.data));
  if (others.length === 0) return [];
  const hashes = new Set(others.map(hashOf));
  const relabeled = pods
    .filter(({ metadata }) => hashes.has(metadata.labels?.[hashLabel] ?? ''))
    .map(
      ({ metadata: { namespace, name = '', uid } }): Write => ({
        kind: 'patch',
        ref: podsRef,
        namespace,
        name,
        type: 'merge',
        patch: { metadata: { uid, labels: { [hashLabel]: hashOf(update) } } },
        accept: ['notFound'],
      }),
    );
  const gone = others.map((one) => deletion(controllerRevisionsRef, one as KubeObject));
  return [
    ...(relabeled.length === 0 ? [] : [{ kind: 'together', writes: relabeled } as const]),
    { kind: 'together', writes: gone },
  ];
}

function podSteps(picture: Picture): readonly Step[] {
  const { daemonSet, hash } = picture;
  const about = referenceTo(daemonSetsRef, daemonSet);
  const presence = presenceChanges(picture);
  const steps: Step[] = [];
  for (const { pod, nodeName } of presence.failed) {
    const message = `Found failed daemon pod ${placeOf(pod)} on node ${nodeName}, will try to kill it`;
    steps.push({ kind: 'event', event: { about, type: 'Warning', reason: 'FailedDaemonPod', message } });
  }
  for (const { pod, nodeName } of presence.succeeded) {
    const message = `Found succeeded daemon pod ${placeOf(pod)} on node ${nodeName}, will try to delete it`;
    steps.push({ kind: 'event', event: { about, type: 'Normal', reason: 'SucceededDaemonPod', message } });
  }
  const isPresent = presence.creations.length + presence.deletions.length === 0;
  const isRolling = daemonSet.spec?.updateStrategy?.type !== 'OnDelete';
  const { creations, deletions } = isPresent && isRolling ? updateChanges(picture) : presence;
  if (deletions.length > 0) {
    const writes = deletions.slice(0, burstMax).map((pod) => podDeletion(daemonSet, pod));
    steps.push({ kind: 'together', writes });
  }
  if (creations.length > 0) {
    const writes = creations.slice(0, burstMax).map((nodeName) => podCreation(daemonSet, nodeName, hash));
    steps.push({ kind: 'together', slowStart: true, writes });
  }
  if (presence.againMs !== undefined) steps.push({ kind: 'again', afterMs: presence.againMs });
  return steps;
}

const placeOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

/** Pinned to its node, which it tolerates; the scheduler binds it when there is room. */
function daemonPod(daemonSet: DaemonSet, nodeName: string, hash: string): Pod {
  const { metadata, spec } = podOf(daemonSet.spec?.template ?? {}, daemonSet, daemonSetsRef);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, labels: labelsOf(daemonSet, hash) },
    spec: {
      ...spec,
      containers: spec?.containers ?? [],
      affinity: affinityTo(nodeName, spec?.affinity),
      tolerations: tolerationsOf(spec ?? { containers: [] }),
    },
  };
}

function podCreation(daemonSet: DaemonSet, nodeName: string, hash: string): Write {
  const about = referenceTo(daemonSetsRef, daemonSet);
  return {
    kind: 'create',
    ref: podsRef,
    object: daemonPod(daemonSet, nodeName, hash),
    adopter: adopterOf(daemonSetsRef, daemonSet),
    done: { about, type: 'Normal', reason: 'SuccessfulCreate', message: 'Created pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedCreate', message: 'Error creating: {error}' },
  };
}

function podDeletion(daemonSet: DaemonSet, pod: Pod): Write {
  const about = referenceTo(daemonSetsRef, daemonSet);
  return deletion(podsRef, pod, {
    done: { about, type: 'Normal', reason: 'SuccessfulDelete', message: 'Deleted pod: {name}' },
    failed: { about, type: 'Warning', reason: 'FailedDelete', message: 'Error deleting: {error}' },
    accept: ['notFound', 'conflict'],
  });
}

export function conclude(
  observed: Observed,
  { nowMs }: PlanContext,
  _failure: Failure | undefined,
): readonly Step[] {
  const { daemonSet } = observed;
  if (isLeftAlone(daemonSet)) return [];
  const { update, collisionCount } = claimedOf(observed).history;
  // Counted only when there is something to count: Kubernetes leaves it out until then.
  const collisions =
    collisionCount > 0 || daemonSet.status?.collisionCount !== undefined ? { collisionCount } : {};
  if (update === undefined)
    return collisionCount === (daemonSet.status?.collisionCount ?? 0)
      ? []
      : statusSteps(daemonSetsRef, daemonSet, { ...daemonSet.status, ...collisions });
  const { status, againMs } = statusOf(observed, hashOf(update), nowMs);
  const steps: Step[] = [...statusSteps(daemonSetsRef, daemonSet, { ...status, ...collisions })];
  if (againMs !== undefined) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

/** Of each node its oldest pod counts. */
function statusOf(
  observed: Observed,
  hash: string,
  nowMs: number,
): { readonly status: DaemonSetStatus; readonly againMs: number | undefined } {
  const { daemonSet, nodes } = observed;
  const { template = {}, minReadySeconds = 0 } = daemonSet.spec ?? {};
  const byNode = podsByNode(claimedOf(observed).pods);
  const counts = { current: 0, misplaced: 0, desired: 0, ready: 0, updated: 0, available: 0 };
  let againMs: number | undefined;
  for (const node of nodes) {
    const there = byNode.get(node.metadata.name ?? '') ?? [];
    if (!verdictOf(template, node).shouldRun) {
      if (there.length > 0) counts.misplaced++;
      continue;
    }
    counts.desired++;
    const [pod] = there.length > 1 ? [...there].sort(byAge) : there;
    if (pod === undefined) continue;
    counts.current++;
    if (isUpdated(daemonSet, pod, hash)) counts.updated++;
    if (!isReady(pod)) continue;
    counts.ready++;
    const inMs = availableInMs(pod, minReadySeconds, nowMs) ?? 0;
    if (inMs === 0) counts.available++;
    else againMs = Math.min(againMs ?? inMs, inMs);
  }
  const { generation } = daemonSet.metadata;
  const { conditions } = daemonSet.status ?? {};
  return {
    againMs,
    status: {
      currentNumberScheduled: counts.current,
      numberMisscheduled: counts.misplaced,
      desiredNumberScheduled: counts.desired,
      numberReady: counts.ready,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}
