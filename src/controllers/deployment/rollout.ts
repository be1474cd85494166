/**
 * How many pods each ReplicaSet of a Deployment shall have now: the next careful step from the old template to the new. Pure.
 *
 *   scaled or paused ──▶ in proportion      RollingUpdate ──▶ new up, else old down      Recreate ──▶ old to 0, then new up
 *
 * Invariants, with all counts as the ReplicaSets report them: never more than replicas + maxSurge pods are asked for, and old pods
 * are given up only while at least replicas - maxUnavailable are available.
 */
import type { Deployment, ReplicaSet } from '../../api/index.ts';
import {
  availableOf,
  byAge,
  desiredAnnotation,
  fencepostsOf,
  isRolling,
  maxAnnotation,
  replicasOf,
  sum,
} from './facts.ts';

export interface Family {
  readonly deployment: Deployment;
  /** The ReplicaSet of the present template, once there is one. */
  readonly current: ReplicaSet | undefined;
  /** All others that the Deployment controls, oldest first. */
  readonly old: readonly ReplicaSet[];
}

/** What a ReplicaSet shall be scaled to, by name. */
export type Sizes = ReadonlyMap<string, number>;

const nameOf = (replicaSet: ReplicaSet): string => replicaSet.metadata.name ?? '';
const none: Sizes = new Map();

/** The user has changed the number of replicas since the ReplicaSets were last told. */
export function isScaling({ deployment, current, old }: Family): boolean {
  const active = [...old, ...(current === undefined ? [] : [current])].filter((one) => replicasOf(one) > 0);
  return active.some((replicaSet) => {
    const desired = replicaSet.metadata.annotations?.[desiredAnnotation];
    return desired !== undefined && Number(desired) !== replicasOf(deployment);
  });
}

/** Without progress of the rollout: the sum follows the Deployment, the shares stay. */
export function proportionalSizes({ deployment, current, old }: Family): Sizes {
  const wanted = replicasOf(deployment);
  const all = current === undefined ? [...old] : [...old, current];
  const active = all.filter((one) => replicasOf(one) > 0);
  const only = active.length === 0 ? (current ?? old.at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) return replicasOf(only) === wanted ? none : new Map([[nameOf(only), wanted]]);
  if (current !== undefined && isSaturated(deployment, current))
    return new Map(
      active.filter((one) => one !== current).map((replicaSet) => [nameOf(replicaSet), 0] as const),
    );
  if (!isRolling(deployment) || active.length === 0) return none;
  const { maxSurge } = fencepostsOf(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge : 0;
  const toAdd = allowed - sum(active, replicasOf);
  if (toAdd === 0) return none;
  // The largest first, so that the leftover of rounding hurts least; among equals the newer grow, the older shrink.
  active.sort((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? -byAge(a, b) : byAge(a, b)));
  const sizes = new Map<string, number>();
  let added = 0;
  for (const replicaSet of active) {
    const share = shareOf(replicaSet, deployment, maxSurge);
    const left = toAdd - added;
    const more = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    sizes.set(nameOf(replicaSet), replicasOf(replicaSet) + more);
    added += more;
  }
  const first = active[0];
  if (first !== undefined)
    sizes.set(nameOf(first), Math.max(0, (sizes.get(nameOf(first)) ?? 0) + toAdd - added));
  return sizes;
}

function isSaturated(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return (
    replicasOf(replicaSet) === wanted &&
    Number(replicaSet.metadata.annotations?.[desiredAnnotation]) === wanted &&
    availableOf(replicaSet) === wanted
  );
}

/** How much a ReplicaSet grows or shrinks when it keeps its share of the whole. */
function shareOf(replicaSet: ReplicaSet, deployment: Deployment, maxSurge: number): number {
  const replicas = replicasOf(replicaSet);
  if (replicasOf(deployment) === 0) return -replicas;
  const before =
    Number(replicaSet.metadata.annotations?.[maxAnnotation]) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((replicas * (replicasOf(deployment) + maxSurge)) / before) - replicas;
}

/** With how many pods the ReplicaSet of a new template begins, or goes on. */
export function currentSize({ deployment, current, old }: Family): number {
  const wanted = replicasOf(deployment);
  const present = current === undefined ? 0 : replicasOf(current);
  if (present >= wanted) return wanted;
  if (!isRolling(deployment)) return wanted;
  const room = wanted + fencepostsOf(deployment).maxSurge - sum(old, replicasOf) - present;
  return room <= 0 ? present : present + Math.min(room, wanted - present);
}

/** A rolling update's next step, when the ReplicaSet of the new template is there. */
export function rollingSizes(family: Family): Sizes {
  const { current, old } = family;
  if (current === undefined) return none;
  const size = currentSize(family);
  if (size !== replicasOf(current)) return new Map([[nameOf(current), size]]);
  return oldSizes(family, current, old);
}

/** First those that do not run anyway, then as many as availability allows. */
function oldSizes({ deployment }: Family, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const all = [...old, current];
  const minAvailable = replicasOf(deployment) - fencepostsOf(deployment).maxUnavailable;
  const currentUnavailable = Math.max(0, replicasOf(current) - availableOf(current));
  const maxRemoved = sum(all, replicasOf) - minAvailable - currentUnavailable;
  if (sum(old, replicasOf) === 0 || maxRemoved <= 0) return none;
  const sizes = new Map<string, number>();
  const sizeOf = (one: ReplicaSet): number => sizes.get(nameOf(one)) ?? replicasOf(one);
  let removed = 0;
  for (const replicaSet of old) {
    const broken = replicasOf(replicaSet) - availableOf(replicaSet);
    const count = Math.min(maxRemoved - removed, broken);
    if (count <= 0) continue;
    sizes.set(nameOf(replicaSet), replicasOf(replicaSet) - count);
    removed += count;
  }
  let spare = sum(all, availableOf) - minAvailable;
  for (const replicaSet of old) {
    const count = Math.min(sizeOf(replicaSet), spare);
    if (count <= 0) continue;
    sizes.set(nameOf(replicaSet), sizeOf(replicaSet) - count);
    spare -= count;
  }
  return sizes;
}
