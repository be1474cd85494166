/**
 * From two readings of counters to what is used: CPU as the rate between them, memory as it was last. Pure.
 *
 * Invariant: what cannot be told is not told. Of a node whose clock was set between the readings nothing is; a container that was started anew between the readings, or whose counter went back, has no figure; a pod of which
 * one running container has none has none either, since half of a pod's use would be taken for the whole.
 * Source: metrics-server, pkg/storage.
 */
import type { Counters, NodeReading, Traffic } from './summary.ts';

/** What is used now. */
export interface Use {
  /** The end of the time that it speaks of. */
  readonly atMs: number;
  readonly windowMs: number;
  readonly cpuNanocores: number;
  readonly memoryBytes: number;
}

export interface PodUse {
  /** Of the container that was read first. */
  readonly atMs: number;
  readonly windowMs: number;
  readonly containers: ReadonlyMap<string, Use>;
}

/** A container that began between the readings is reckoned from its start, once it has run for so long, and not for much longer. */
const freshMsMin = 10_000;
const freshMsMax = 60_000;
/** Counters that are read sooner after one another say nothing. */
const windowMsMin = 500;

export function useBetween(before: Counters | undefined, last: Counters): Use | undefined {
  const isSame = before !== undefined && before.startedAtMs === last.startedAtMs;
  const from = isSame ? before : fromStart(before, last);
  if (from === undefined) return undefined;
  const windowMs = last.atMs - from.atMs;
  const used = last.cpuNanoseconds - from.cpuNanoseconds;
  if (windowMs < windowMsMin || used < 0) return undefined;
  const cpuNanocores = Math.round((used / windowMs) * 1000);
  return { atMs: last.atMs, windowMs, cpuNanocores, memoryBytes: last.memoryBytes };
}

/** Since it began nothing else has been counted. */
function fromStart(
  before: Counters | undefined,
  last: Counters,
): Pick<Counters, 'atMs' | 'cpuNanoseconds'> | undefined {
  const { startedAtMs, atMs } = last;
  const isNew = startedAtMs > 0 && (before === undefined || startedAtMs > before.atMs);
  const ageMs = atMs - startedAtMs;
  return isNew && ageMs >= freshMsMin && ageMs <= freshMsMax
    ? { atMs: startedAtMs, cpuNanoseconds: 0 }
    : undefined;
}

export interface NodeUse {
  readonly node: (Use & { readonly traffic: Traffic }) | undefined;
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodUse>;
}

/** Readings take a while, and agents may look a while before they tell. */
const tolerance = { ms: 500, share: 1 / 3 } as const;

/**
 * Whether a node's clock ran as ours did between the readings. Counters run on when the clock on the wall is set: what is used within a time that has not passed
 * would seem next to nothing, or enormous.
 */
function isSteady(before: NodeReading, last: NodeReading): boolean {
  if (before.clockMs === undefined || last.clockMs === undefined) return true;
  const passedMs = last.atMs - before.atMs;
  const shownMs = last.clockMs - before.clockMs;
  return Math.abs(shownMs - passedMs) <= tolerance.ms + passedMs * tolerance.share;
}

export function nodeUse(before: NodeReading | undefined, last: NodeReading): NodeUse {
  if (before !== undefined && !isSteady(before, last)) return { node: undefined, pods: new Map() };
  const pods = new Map<string, PodUse>();
  for (const [uid, { containers }] of last.pods) {
    const use = podUse(before, uid, containers);
    if (use !== undefined) pods.set(uid, use);
  }
  // A node is older than any reading of it: what it used before them is no rate of today.
  const node =
    last.node === undefined || before?.node === undefined ? undefined : useBetween(before.node, last.node);
  return { node: node && { ...node, traffic: last.traffic }, pods };
}

function podUse(
  before: NodeReading | undefined,
  uid: string,
  containers: ReadonlyMap<string, Counters>,
): PodUse | undefined {
  const known = before?.pods.get(uid)?.containers;
  const uses = new Map<string, Use>();
  let first: Use | undefined;
  for (const [name, last] of containers) {
    const earlier = known?.get(name);
    // Nothing was read before that could tell when it began.
    if (earlier === undefined && before === undefined) return undefined;
    const use = useBetween(earlier, last);
    if (use === undefined) return undefined;
    uses.set(name, use);
    if (first === undefined || use.atMs < first.atMs) first = use;
  }
  return first === undefined ? undefined : { ...first, containers: uses };
}
