/** The real agent's statistics: the machine by /proc, containers by the runtime. */
import { readFile } from 'node:fs/promises';
import { readMachineUsage } from '../../node/io/machine-usage.ts';
import type { NodeUsageNow } from '../statistics.ts';
import { readUsageOf, type UsageSources } from '../usage-reading.ts';

export const readUsage = (
  sources: Omit<UsageSources, 'readMachine' | 'readConnections'>,
): Promise<NodeUsageNow> =>
  readUsageOf({
    shell: sources.shell,
    runtime: sources.runtime,
    nodeName: sources.nodeName,
    nowMs: sources.nowMs,
    readMachine: readMachineUsage,
    readConnections: async (pid) =>
      establishedIn(await readFile(`/proc/${pid}/net/snmp`, 'utf8').catch(() => '')),
  });

/** TCP connections that stand, by a network namespace's /proc/net/snmp: a line of names, and one of figures. */
export function establishedIn(snmp: string): number | undefined {
  const [names, figures] = snmp.split('\n').filter((line) => line.startsWith('Tcp: '));
  const at = names?.split(' ').indexOf('CurrEstab') ?? -1;
  const count = Number(at < 0 ? Number.NaN : figures?.split(' ')[at]);
  return Number.isInteger(count) ? count : undefined;
}
