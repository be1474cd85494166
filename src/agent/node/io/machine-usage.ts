/** What this machine has used since it started: from /proc. What cannot be read is undefined. */
import { readFile } from 'node:fs/promises';

export interface MachineUsage {
  /** Of all cores together, since the start. */
  readonly cpuNanoseconds: number;
  readonly memoryTotalBytes: number;
  /** What could not be given to others at once. */
  readonly memoryWorkingSetBytes: number;
  readonly startedAtMs: number;
}

/** /proc counts in hundredths of a second, whatever the kernel's own clock. */
const tickNanoseconds = 10_000_000;

export async function readMachineUsage(): Promise<MachineUsage | undefined> {
  try {
    const [stat, memory] = await Promise.all([
      readFile('/proc/stat', 'utf8'),
      readFile('/proc/meminfo', 'utf8'),
    ]);
    return machineUsageOf(stat, memory);
  } catch {
    return undefined;
  }
}

/** Of the texts of /proc/stat and /proc/meminfo. */
export function machineUsageOf(stat: string, memory: string): MachineUsage | undefined {
  const ticks = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.split(' ').map(Number);
  const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(memory)?.[1]);
  const [total, available] = [kib('MemTotal'), kib('MemAvailable')];
  if (ticks === undefined || Number.isNaN(total) || Number.isNaN(available)) return undefined;
  // Time of guests is in that of users already; idle and waiting for disks is no use.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  return {
    cpuNanoseconds: (user + nice + system + irq + softirq + steal) * tickNanoseconds,
    memoryTotalBytes: total * 1024,
    memoryWorkingSetBytes: (total - available) * 1024,
    startedAtMs: Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000,
  };
}
