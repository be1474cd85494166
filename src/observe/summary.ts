/**
 * What an agent tells about its node and pods (`/stats/summary`), read with distrust: an agent is one machine among many, and its word counts for its own
 * node only. Pure.
 */

export interface Counters {
  readonly atMs: number;
  readonly startedAtMs: number;
  /** Since it started. */
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

export interface PodReading {
  readonly uid: string;
  readonly containers: ReadonlyMap<string, Counters>;
}

/** How busy the servers of a node's pods are. */
export interface Traffic {
  readonly connections?: number;
  readonly responseMs?: number;
}

export interface NodeReading {
  /** When it was received, by our clock that does not jump. */
  readonly atMs: number;
  /** The latest moment that it speaks of, by the node's clock on the wall. undefined: of none. */
  readonly clockMs: number | undefined;
  /** undefined: the machine does not tell. */
  readonly node: Counters | undefined;
  readonly traffic: Traffic;
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodReading>;
}

/** More of them is no node. */
const podsMax = 10_000;
const containersMax = 100;

type Json = Readonly<Record<string, unknown>>;

const recordOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const timeOf = (value: unknown): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN);
const amountOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : Number.NaN;

/** `atMs`: when it was received. */
export function readSummary(document: unknown, atMs: number): NodeReading {
  const { node, pods } = recordOf(document);
  const read = new Map<string, PodReading>();
  const own = countersOf(node);
  let clockMs = own?.atMs;
  for (const item of listOf(pods).slice(0, podsMax)) {
    const { podRef, containers } = recordOf(item);
    const { uid } = recordOf(podRef);
    if (typeof uid !== 'string' || uid === '') continue;
    const counters = new Map<string, Counters>();
    for (const one of listOf(containers).slice(0, containersMax)) {
      const { name } = recordOf(one);
      const found = countersOf(one);
      if (typeof name !== 'string' || found === undefined) continue;
      counters.set(name, found);
      clockMs = Math.max(clockMs ?? found.atMs, found.atMs);
    }
    if (counters.size > 0) read.set(uid, { uid, containers: counters });
  }
  return { atMs, clockMs, node: own, traffic: trafficOf(recordOf(node)['traffic']), pods: read };
}

function trafficOf(value: unknown): Traffic {
  const [connections, responseMs] = [recordOf(value)['connections'], recordOf(value)['responseMs']].map(
    amountOf,
  );
  return {
    ...(connections === undefined || Number.isNaN(connections) ? {} : { connections }),
    ...(responseMs === undefined || Number.isNaN(responseMs) ? {} : { responseMs }),
  };
}

function countersOf(value: unknown): Counters | undefined {
  const { startTime, cpu, memory } = recordOf(value);
  const { time, usageCoreNanoSeconds } = recordOf(cpu);
  const atMs = timeOf(time);
  const cpuNanoseconds = amountOf(usageCoreNanoSeconds);
  const memoryBytes = amountOf(recordOf(memory)['workingSetBytes']);
  if (Number.isNaN(atMs) || Number.isNaN(cpuNanoseconds) || Number.isNaN(memoryBytes)) return undefined;
  return { atMs, startedAtMs: timeOf(startTime) || 0, cpuNanoseconds, memoryBytes };
}
