/**
 * Moves a Deployment's ReplicaSets towards its template and its number of replicas, one safe step at a time. Pure.
 *
 *   claim ──▶ revision and annotations ──▶ the new ReplicaSet ──▶ sizes (rollout.ts) ──▶ history ──▶ status (status.ts)
 *
 * Each plan goes as far as the picture allows and ends with the first kind of change; the rest follows when that is seen.
 */
import type { Deployment, ReplicaSet } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { claim, controllerReference } from '../ownership.ts';
import { deploymentsRef, referenceTo, replicaSetsRef } from '../resources.ts';
import { deletion, type Failure, type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import {
  byAge,
  desiredAnnotation,
  fencepostsOf,
  hashLabel,
  isRolling,
  isSameTemplate,
  maxAnnotation,
  replicasOf,
  revisionAnnotation,
  revisionHistoryAnnotation,
  revisionOf,
  sum,
  templateHash,
} from './facts.ts';
import {
  currentSize,
  type Family,
  isScaling,
  proportionalSizes,
  rollingSizes,
  type Sizes,
} from './rollout.ts';
import { conditionOf, isComplete, type Progress, progressing, statusOf } from './status.ts';

export interface Observed {
  readonly deployment: Deployment;
  /** That it controls, and of its namespace that nobody controls and that match. */
  readonly replicaSets: readonly ReplicaSet[];
  /** By name, in the Deployment's namespace, whoever controls it. */
  findReplicaSet(name: string): ReplicaSet | undefined;
  /** Whether pods of the given ReplicaSets still run or terminate. */
  hasPods(replicaSets: readonly ReplicaSet[]): boolean;
}

/** Annotations of a Deployment that are its own affair, not its ReplicaSets'. */
const keptBack = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

export function plan(observed: Observed, _context: PlanContext): readonly Step[] {
  const { deployment } = observed;
  const { owned, writes } = claim(deployment, deploymentsRef, replicaSetsRef, observed.replicaSets);
  if (writes.length > 0) return [{ kind: 'together', writes }];
  if (deployment.metadata.deletionTimestamp !== undefined || selectsNothing(deployment)) return [];
  const family = familyOf(deployment, owned);
  const upkeep = family.current === undefined ? [] : upkeepOf(family, family.current);
  if (deployment.spec?.paused === true)
    return [...upkeep, ...scaleSteps(family, sizesApart(observed, family)), ...historySteps(family)];
  if (isScaling(family)) return [...upkeep, ...scaleSteps(family, sizesApart(observed, family))];
  const steps = isRolling(deployment) ? rollingSteps(observed, family) : recreateSteps(observed, family);
  if (steps.length > 0) return [...upkeep, ...steps];
  return isComplete(deployment, deployment.status ?? {}) ? [...upkeep, ...historySteps(family)] : upkeep;
}

export function conclude(
  observed: Observed,
  { nowMs }: PlanContext,
  failure: Failure | undefined,
): readonly Step[] {
  const { deployment } = observed;
  if (selectsNothing(deployment))
    return statusSteps(deploymentsRef, deployment, {
      ...deployment.status,
      observedGeneration: deployment.metadata.generation,
    });
  const { owned } = claim(deployment, deploymentsRef, replicaSetsRef, observed.replicaSets);
  const family = familyOf(deployment, owned);
  const { collisionCount, name } = nextName(observed);
  const isMissing = family.current === undefined;
  const context = {
    nowMs,
    collisionCount: isMissing ? collisionCount : (deployment.status?.collisionCount ?? 0),
    progress: progressOf(observed, family, name, failure),
  };
  const { status, againMs } = statusOf(family, context);
  const steps: Step[] = [...statusSteps(deploymentsRef, deployment, status)];
  if (againMs !== undefined) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

/**
 * With Recreate nothing grows while pods of another template are there. Found by simulation: a Deployment paused between its old pods' deletion and their
 * end began the next ones beside them.
 */
function sizesApart(observed: Observed, family: Family): Sizes {
  const sizes = proportionalSizes(family);
  if (sizes.size === 0 || isRolling(family.deployment)) return sizes;
  const all = family.current === undefined ? family.old : [...family.old, family.current];
  const isApart = (one: ReplicaSet): boolean =>
    (sizes.get(one.metadata.name ?? '') ?? 0) <= replicasOf(one) ||
    !observed.hasPods(all.filter((other) => other !== one));
  const kept = new Set(all.filter(isApart).map(({ metadata }) => metadata.name));
  return new Map([...sizes].filter(([name]) => kept.has(name)));
}

const selectsNothing = ({ spec }: Deployment): boolean =>
  Object.keys(spec?.selector.matchLabels ?? {}).length === 0 &&
  (spec?.selector.matchExpressions ?? []).length === 0;

export function familyOf(deployment: Deployment, owned: readonly ReplicaSet[]): Family {
  const sorted = [...owned].sort(byAge);
  const current = sorted.find((replicaSet) =>
    isSameTemplate(replicaSet.spec?.template, deployment.spec?.template),
  );
  return { deployment, current, old: sorted.filter((replicaSet) => replicaSet !== current) };
}

// ── the new ReplicaSet ──

/** The first name for the template's ReplicaSet that nothing else bears. */
function nextName(observed: Observed): {
  readonly name: string;
  readonly hash: string;
  readonly collisionCount: number;
} {
  const { deployment } = observed;
  for (let collisionCount = deployment.status?.collisionCount ?? 0; ; collisionCount++) {
    const hash = templateHash(deployment.spec?.template, collisionCount);
    const name = `${deployment.metadata.name}-${hash}`;
    if (observed.findReplicaSet(name) === undefined) return { name, hash, collisionCount };
  }
}

function creationSteps(observed: Observed, family: Family): readonly Step[] {
  const { deployment, old } = family;
  const { name, hash } = nextName(observed);
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const size = currentSize(family);
  const { template, selector, minReadySeconds } = deployment.spec ?? {};
  const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
  const object: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: {
        ...sharedAnnotations(deployment),
        [revisionAnnotation]: String(revision),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deploymentsRef, deployment)],
    },
    spec: {
      replicas: size,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
  const about = referenceTo(deploymentsRef, deployment);
  const message = `Scaled up replica set ${name} from 0 to ${size}`;
  return [
    {
      kind: 'create',
      ref: replicaSetsRef,
      object,
      ...(size > 0 ? { done: { about, type: 'Normal', reason: 'ScalingReplicaSet', message } } : {}),
      failed: {
        about,
        type: 'Warning',
        reason: 'ReplicaSetCreateError',
        message: `Failed to create new replica set "${name}": {error}`,
      },
    },
    ...revisionSteps(deployment, revision),
  ];
}

function progressOf(
  observed: Observed,
  family: Family,
  name: string,
  failure: Failure | undefined,
): Progress | undefined {
  const { deployment } = observed;
  const { current } = family;
  if (deployment.metadata.deletionTimestamp !== undefined) return undefined;
  if (current === undefined && failure?.write === 'create') {
    const message = `Failed to create new replica set "${name}": ${failure.message}`;
    return progressing('False', 'ReplicaSetCreateError', message);
  }
  if (current === undefined) {
    const isCreated =
      failure === undefined && isRolling(deployment) && !deployment.spec?.paused && !isScaling(family);
    if (!isCreated) return undefined;
    return progressing('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
  }
  const present = conditionOf(deployment, 'Progressing');
  const currentName = current.metadata.name;
  if (present === undefined)
    return progressing('True', 'FoundNewReplicaSet', `Found new replica set "${currentName}"`);
  // A finished or failed rollout of another template: this one has begun.
  const isStale =
    (present.reason === 'NewReplicaSetAvailable' || present.reason === 'ProgressDeadlineExceeded') &&
    present.message?.includes(`"${currentName}"`) === false;
  if (!isStale) return undefined;
  return progressing('True', 'FoundNewReplicaSet', `Found new replica set "${currentName}"`);
}

// ── revisions and annotations ──

function sharedAnnotations(deployment: Deployment): Record<string, string> {
  const entries = Object.entries(deployment.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => !keptBack.has(key)));
}

/** What proportional scaling needs to know later: of how many this ReplicaSet had its share. */
function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment);
  return {
    [desiredAnnotation]: String(replicas),
    [maxAnnotation]: String(replicas + fencepostsOf(deployment).maxSurge),
  };
}

/** The present ReplicaSet bears the newest revision (a rollback raises an old one), the Deployment's annotations and minReadySeconds. */
function upkeepOf({ deployment, old }: Family, current: ReplicaSet): readonly Step[] {
  const present = current.metadata.annotations ?? {};
  const annotations = { ...present, ...sharedAnnotations(deployment) };
  const revision = Math.max(revisionOf(current), Math.max(0, ...old.map(revisionOf)) + 1);
  if (revision !== revisionOf(current)) {
    const before = present[revisionAnnotation];
    const history = present[revisionHistoryAnnotation];
    annotations[revisionAnnotation] = String(revision);
    if (before !== undefined)
      annotations[revisionHistoryAnnotation] = history === undefined ? before : `${history},${before}`;
  }
  const { minReadySeconds = 0 } = deployment.spec ?? {};
  const isReadinessOther = minReadySeconds !== (current.spec?.minReadySeconds ?? 0);
  const steps: Step[] = [];
  if (!sameJson(annotations, present) || isReadinessOther)
    steps.push(
      replicaSetPatch(current, { annotations, ...(isReadinessOther ? { spec: { minReadySeconds } } : {}) }),
    );
  return [...steps, ...revisionSteps(deployment, revision)];
}

function revisionSteps(deployment: Deployment, revision: number): readonly Step[] {
  if (revisionOf(deployment) === revision) return [];
  const { namespace, name = '', uid } = deployment.metadata;
  const metadata = { uid, annotations: { [revisionAnnotation]: String(revision) } };
  return [{ kind: 'patch', ref: deploymentsRef, namespace, name, type: 'merge', patch: { metadata } }];
}

// ── sizes ──

function rollingSteps(observed: Observed, family: Family): readonly Step[] {
  if (family.current === undefined) return creationSteps(observed, family);
  return scaleSteps(family, rollingSizes(family));
}

function recreateSteps(observed: Observed, family: Family): readonly Step[] {
  const { deployment, current, old } = family;
  const active = old.filter((replicaSet) => replicasOf(replicaSet) > 0);
  if (active.length > 0)
    return scaleSteps(family, new Map(active.map((one) => [one.metadata.name ?? '', 0] as const)));
  if (observed.hasPods(old)) return [];
  if (current === undefined) return creationSteps(observed, family);
  return scaleSteps(family, new Map([[current.metadata.name ?? '', replicasOf(deployment)]]));
}

/** Patches for ReplicaSets whose size, or whose knowledge of the whole, is not as wanted. */
function scaleSteps({ deployment, current, old }: Family, sizes: Sizes): readonly Step[] {
  const about = referenceTo(deploymentsRef, deployment);
  const steps: Step[] = [];
  for (const replicaSet of [...(current === undefined ? [] : [current]), ...old]) {
    const before = replicasOf(replicaSet);
    const { name = '' } = replicaSet.metadata;
    const after = sizes.get(name) ?? before;
    const annotations = sizeAnnotations(deployment);
    const present = replicaSet.metadata.annotations ?? {};
    const isTold = Object.entries(annotations).every(([key, value]) => present[key] === value);
    // One that has no pods and gets none has no share.
    if (after === before && (isTold || before === 0)) continue;
    const direction = after > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${name} from ${before} to ${after}`;
    steps.push({
      ...replicaSetPatch(replicaSet, {
        annotations,
        ...(after === before ? {} : { spec: { replicas: after } }),
      }),
      ...(after === before ? {} : { done: { about, type: 'Normal', reason: 'ScalingReplicaSet', message } }),
    });
  }
  return steps;
}

/**
 * A change of the spec holds for the version that it was decided on. Found by simulation: one that came after its sender had given it up, repeated
 * it and been told to go back took the last pods away.
 */
function replicaSetPatch(
  replicaSet: ReplicaSet,
  { annotations, spec }: { readonly annotations: Record<string, string>; readonly spec?: object },
): Write {
  const { namespace, name = '', uid, resourceVersion } = replicaSet.metadata;
  const patch =
    spec === undefined
      ? { metadata: { uid, annotations } }
      : { metadata: { uid, resourceVersion, annotations }, spec };
  return { kind: 'patch', ref: replicaSetsRef, namespace, name, type: 'merge', patch, accept: ['notFound'] };
}

// ── history ──

/** Old ReplicaSets beyond the limit go, oldest revision first; those that still have pods stay. */
function historySteps({ deployment, old }: Family): readonly Step[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const living = old.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined);
  const surplus = living.length - limit;
  if (surplus <= 0) return [];
  return [...living]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, surplus)
    .filter(
      (replicaSet) =>
        sum([replicaSet], replicasOf) === 0 &&
        (replicaSet.status?.replicas ?? 0) === 0 &&
        (replicaSet.metadata.generation ?? 0) <= (replicaSet.status?.observedGeneration ?? 0),
    )
    .map((replicaSet) => {
      const { resourceVersion } = replicaSet.metadata;
      return {
        ...deletion(replicaSetsRef, replicaSet),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
    });
}
