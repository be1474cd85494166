/**
 * How many pods each ReplicaSet of a Deployment shall have next. Pure; Kubernetes' deployment controller in its own order of thought, on bare numbers: what
 * `controllers/deployment` plans is compared with it.
 */

export interface Rollout {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  readonly isRecreate: boolean;
  readonly isPaused: boolean;
  /** Pods that the Deployment's status tells of. */
  readonly reported: number;
}

export interface Sized {
  readonly name: string;
  readonly isNew: boolean;
  readonly replicas: number;
  /** Those that will stay: never more than `replicas`. */
  readonly available: number;
  /** What the Deployment wanted, and could have at most, when it last sized this set. */
  readonly desired: number | undefined;
  readonly max: number | undefined;
  /** Pods of it that still run, or are ending. */
  readonly hasPods: boolean;
}

export type Sizes = ReadonlyMap<string, number>;

const total = (sets: readonly Sized[]): number => sets.reduce((sum, { replicas }) => sum + replicas, 0);

/** `25%` of `replicas`, or the number itself: a surge is rounded up, what may be missing down. Nothing of both would stop a rollout. */
export function fenceposts(surge: number | string, unavailable: number | string, replicas: number) {
  const exact = (value: number | string): number =>
    typeof value === 'number' ? value : (Number(value.replace('%', '')) * replicas) / 100;
  const maxSurge = Math.ceil(exact(surge));
  const maxUnavailable = Math.floor(exact(unavailable));
  const isStuck = maxSurge === 0 && maxUnavailable === 0;
  return { maxSurge, maxUnavailable: Math.min(replicas, isStuck ? 1 : maxUnavailable) };
}

/** The wanted sizes; `sets` are the oldest first. `'new'` stands for a set that has to be made. Those that stay as they are may be missing. */
export function nextSizes(rollout: Rollout, sets: readonly Sized[]): Sizes {
  const isScaled = sets.some(
    ({ replicas, desired }) => replicas > 0 && desired !== undefined && desired !== rollout.replicas,
  );
  if (rollout.isPaused || isScaled) return proportional(rollout, sets);
  return rollout.isRecreate ? recreate(rollout, sets) : rolling(rollout, sets);
}

function recreate({ replicas }: Rollout, sets: readonly Sized[]): Sizes {
  const old = sets.filter(({ isNew }) => !isNew);
  if (total(old) > 0) return new Map(old.map(({ name }) => [name, 0]));
  if (old.some(({ hasPods }) => hasPods)) return new Map();
  return new Map([[sets.find(({ isNew }) => isNew)?.name ?? 'new', replicas]]);
}

function rolling({ replicas, maxSurge, maxUnavailable }: Rollout, sets: readonly Sized[]): Sizes {
  const fresh = sets.find(({ isNew }) => isNew);
  const old = sets.filter(({ isNew }) => !isNew);
  // First the new one, as far as the surge allows.
  const room = Math.max(0, replicas + maxSurge - total(sets));
  const present = fresh?.replicas ?? 0;
  const wanted = present > replicas ? replicas : Math.min(replicas, present + room);
  if (fresh === undefined || wanted !== present) return new Map([[fresh?.name ?? 'new', wanted]]);
  // Then the old ones: those that do not run anyway, as long as enough pods are there in all …
  const minAvailable = replicas - maxUnavailable;
  let removable = total(sets) - minAvailable - (fresh.replicas - fresh.available);
  if (removable <= 0) return new Map();
  const sizes = new Map(old.map(({ name, replicas: size }) => [name, size]));
  for (const { name, replicas: size, available } of old) {
    const broken = Math.min(removable, size - available);
    sizes.set(name, size - broken);
    removable -= broken;
  }
  // … and of those that run, what is available beyond the minimum.
  let spare = Math.max(0, sets.reduce((sum, { available }) => sum + available, 0) - minAvailable);
  for (const { name } of old) {
    const size = sizes.get(name) ?? 0;
    const given = Math.min(size, spare);
    sizes.set(name, size - given);
    spare -= given;
  }
  return sizes;
}

/** Scaled or paused in the middle: the shares stay. */
function proportional({ replicas, maxSurge, isRecreate, reported }: Rollout, sets: readonly Sized[]): Sizes {
  const active = sets.filter((one) => one.replicas > 0);
  const newest = sets.find(({ isNew }) => isNew) ?? sets.at(-1);
  const only = active.length === 0 ? newest : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) return new Map([[only.name, replicas]]);
  const isDone = active.some(
    (one) => one.isNew && one.replicas === replicas && one.desired === replicas && one.available === replicas,
  );
  if (isDone) return new Map(active.filter(({ isNew }) => !isNew).map(({ name }) => [name, 0]));
  if (isRecreate) return new Map();
  const toAdd = (replicas > 0 ? replicas + maxSurge : 0) - total(active);
  const bySize = active
    .map((one, age) => ({ ...one, age }))
    .sort((a, b) => b.replicas - a.replicas || (toAdd > 0 ? b.age - a.age : a.age - b.age));
  const sizes = new Map<string, number>();
  let added = 0;
  for (const { name, replicas: size, max } of bySize) {
    const before = max || reported;
    const fair = before === 0 ? size : (size * (replicas + maxSurge)) / before;
    const share = replicas === 0 ? -size : Math.round(fair) - size;
    const given = toAdd > 0 ? Math.min(share, toAdd - added) : toAdd < 0 ? Math.max(share, toAdd - added) : 0;
    sizes.set(name, size + given);
    added += given;
  }
  const [largest] = bySize;
  if (largest !== undefined && toAdd !== 0)
    sizes.set(largest.name, Math.max(0, (sizes.get(largest.name) ?? 0) + toAdd - added));
  return sizes;
}
