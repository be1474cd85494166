/**
 * What a job does about its pods in one look: which end has come, how many pods it makes (and of which indexes), how many it gives up. Pure; back-off, deadlines
 * and policies of failure are left out, and so is how pods are counted (each once).
 *
 * Source: "Jobs" (parallel execution, completion mode, handling failures, suspending, pod replacement policy, success policy), the fields' documentation.
 */

export interface JobPod {
  readonly name: string;
  /** `going`: being deleted, and not ended yet. */
  readonly state: 'active' | 'going' | 'succeeded' | 'failed';
  /** Where it is of a job with indexes: undefined is one that has none. */
  readonly index: number | undefined;
}

export interface Wish {
  readonly completions: number | undefined;
  readonly parallelism: number;
  readonly isIndexed: boolean;
  readonly isSuspended: boolean;
  readonly backoffLimit: number;
  /** Only pods that have ended are replaced. */
  readonly waitsForEnd: boolean;
  readonly successCount: number | undefined;
}

/** As the status has it, of pods that are gone. */
export interface Past {
  readonly succeeded: number;
  readonly failed: number;
  readonly indexes: readonly number[];
}

export interface Deed {
  readonly end: 'CompletionsReached' | 'SuccessPolicy' | 'BackoffLimitExceeded' | undefined;
  readonly create: number;
  /** Of those that are made. */
  readonly indexes: readonly number[];
  readonly deletes: number;
  /** Of each index one may stay; these go in any case. */
  readonly mustGo: readonly string[];
}

export function deedOf(wish: Wish, past: Past, pods: readonly JobPod[]): Deed {
  const { completions, isIndexed } = wish;
  const isValid = ({ index }: JobPod): boolean =>
    !isIndexed || (index !== undefined && index < (completions ?? 0));
  const active = pods.filter(({ state }) => state === 'active');
  const going = pods.filter(({ state }) => state === 'going');
  const valid = pods.filter(isValid);
  const done = new Set([
    ...past.indexes.filter((index) => index < (completions ?? 0)),
    ...valid.filter(({ state }) => state === 'succeeded').map(({ index }) => index ?? 0),
  ]);
  const succeeded = isIndexed
    ? done.size
    : past.succeeded + valid.filter(({ state }) => state === 'succeeded').length;
  const failures = valid.filter(
    ({ state }) => state === 'failed' || (state === 'going' && !wish.waitsForEnd),
  );
  const end = endOf(wish, past.failed + failures.length, succeeded, active.length);
  const all = { create: 0, indexes: [], deletes: active.length, mustGo: active.map(({ name }) => name) };
  if (end !== undefined) return { ...all, end };
  if (wish.isSuspended) return { ...all, end };
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? active.length
        : wish.parallelism
      : Math.max(0, Math.min(wish.parallelism, completions - succeeded));
  const mustGo = isIndexed ? useless(active, completions ?? 0) : [];
  const deletes = Math.max(active.length - wanted, mustGo.length);
  // Nothing is made in a look in which something is given up.
  const missing = wanted - active.length - (wish.waitsForEnd ? going.length : 0);
  const create = deletes > 0 ? 0 : Math.max(0, missing);
  const taken = new Set([
    ...done,
    ...[...active, ...(wish.waitsForEnd ? going : [])].map(({ index }) => index),
  ]);
  const free = Array.from({ length: isIndexed ? (completions ?? 0) : 0 }, (_, index) => index).filter(
    (index) => !taken.has(index),
  );
  const indexes = isIndexed ? free.slice(0, create) : [];
  return { end, create: isIndexed ? indexes.length : create, indexes, deletes, mustGo };
}

function endOf(wish: Wish, failed: number, succeeded: number, active: number): Deed['end'] {
  if (failed > wish.backoffLimit) return 'BackoffLimitExceeded';
  if (wish.successCount !== undefined && succeeded >= wish.successCount && succeeded > 0)
    return 'SuccessPolicy';
  if (active > 0) return undefined;
  const isReached = wish.completions === undefined ? succeeded > 0 : succeeded >= wish.completions;
  return isReached ? 'CompletionsReached' : undefined;
}

/** Without an index, of one that the job does not have, or of one that another has too: all but one of these. */
function useless(active: readonly JobPod[], completions: number): readonly string[] {
  return active
    .filter(({ index }, at) => {
      if (index === undefined || index >= completions) return true;
      return active.findIndex((other) => other.index === index) < at;
    })
    .map(({ name }) => name);
}
