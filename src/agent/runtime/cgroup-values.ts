/**
 * Numbers of cgroup files, in both versions: limits to write, usage to read. Pure.
 */
import type { ContainerUsage, Limits } from './runtime.ts';

/** One write: controller (ignored on v2), file, value. `optional`: the file may be absent. */
export interface CgroupWrite {
  readonly controller: 'cpu' | 'memory' | 'pids';
  readonly file: string;
  readonly value: string;
  readonly optional?: boolean;
}

export const cpuPeriodMicros = 100_000;

/** cpu.shares (2 to 262144) to cpu.weight (1 to 10000), as the OCI runtimes convert. */
export function cpuWeight(shares: number): number {
  const bounded = Math.min(262_144, Math.max(2, shares));
  return 1 + Math.floor(((bounded - 2) * 9999) / 262_142);
}

/** What to write so that a version 2 cgroup has these limits. */
export function limitWritesV2(limits: Limits): readonly CgroupWrite[] {
  const quota = limits.cpuQuotaMicros === undefined ? 'max' : String(Math.max(1000, limits.cpuQuotaMicros));
  return [
    { controller: 'cpu', file: 'cpu.weight', value: String(cpuWeight(limits.cpuShares)) },
    { controller: 'cpu', file: 'cpu.max', value: `${quota} ${cpuPeriodMicros}` },
    { controller: 'memory', file: 'memory.max', value: String(limits.memoryLimitBytes ?? 'max') },
  ];
}

/**
 * The same for version 1. Memory plus swap may never be below memory, so the order depends on the direction: both are written in
 * each order, the first write being allowed to fail.
 */
export function limitWritesV1(limits: Limits): readonly CgroupWrite[] {
  const memory = String(limits.memoryLimitBytes ?? -1);
  const swap: CgroupWrite = {
    controller: 'memory',
    file: 'memory.memsw.limit_in_bytes',
    value: memory,
    optional: true,
  };
  return [
    { controller: 'cpu', file: 'cpu.shares', value: String(Math.max(2, limits.cpuShares)) },
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(cpuPeriodMicros), optional: true },
    {
      controller: 'cpu',
      file: 'cpu.cfs_quota_us',
      value: String(limits.cpuQuotaMicros === undefined ? -1 : Math.max(1000, limits.cpuQuotaMicros)),
      optional: limits.cpuQuotaMicros === undefined,
    },
    swap,
    { controller: 'memory', file: 'memory.limit_in_bytes', value: memory },
    swap,
  ];
}

/** `name value` lines. */
export function parseKeyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) values.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return values;
}

/** The text of the files; undefined where one is absent. */
export function usageV1(files: {
  readonly cpuacctUsage: string;
  readonly memoryUsage: string;
  readonly memoryStat: string;
  readonly pidsCurrent: string;
}): ContainerUsage {
  const stat = parseKeyed(files.memoryStat);
  const inactive = stat.get('total_inactive_file') ?? 0;
  return {
    cpuNanoseconds: Number(files.cpuacctUsage),
    memoryWorkingSetBytes: Math.max(0, Number(files.memoryUsage) - inactive),
    memoryRssBytes: stat.get('total_rss') ?? 0,
    pids: Number(files.pidsCurrent),
  };
}

export function usageV2(files: {
  readonly cpuStat: string;
  readonly memoryCurrent: string;
  readonly memoryStat: string;
  readonly pidsCurrent: string;
}): ContainerUsage {
  const stat = parseKeyed(files.memoryStat);
  return {
    cpuNanoseconds: (parseKeyed(files.cpuStat).get('usage_usec') ?? 0) * 1000,
    memoryWorkingSetBytes: Math.max(0, Number(files.memoryCurrent) - (stat.get('inactive_file') ?? 0)),
    memoryRssBytes: stat.get('anon') ?? 0,
    pids: Number(files.pidsCurrent),
  };
}
