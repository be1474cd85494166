/** The real agent's statistics: the machine by /proc, containers by the runtime. */
import { readFile } from 'node:fs/promises';
import type { Pod } from '../../../api/index.ts';
import { readMachineUsage } from '../../node/io/machine-usage.ts';
import type { PodShell } from '../../pods/pod-shell.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { NodeUsageNow, PodUsageNow, Traffic, UsageNow } from '../statistics.ts';

interface Sources {
  readonly shell: PodShell;
  readonly runtime: Runtime;
  readonly nodeName: string;
  readonly nowMs: () => number;
}

export async function readUsage(sources: Sources): Promise<NodeUsageNow> {
  const [machine, pods] = await Promise.all([
    readMachineUsage(),
    Promise.all([...sources.shell.pods()].map((pod) => readPod(sources, pod))),
  ]);
  return {
    nodeName: sources.nodeName,
    node: machine === undefined ? undefined : { ...machine, atMs: sources.nowMs() },
    pods,
  };
}

async function readPod({ shell, runtime, nowMs }: Sources, pod: Pod): Promise<PodUsageNow> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const worker = shell.worker(uid);
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const found: (UsageNow & { readonly name: string })[] = [];
  let pid: number | undefined;
  for (const container of [...initContainers, ...containers, ...ephemeralContainers]) {
    const status = worker?.state.latest(container.name);
    if (status?.state !== 'running') continue;
    pid ??= status.pid;
    const usage = await runtime.usage(status.id).catch(() => undefined);
    if (usage === undefined) continue;
    found.push({ name: container.name, atMs: nowMs(), startedAtMs: status.startedAtMs ?? 0, ...usage });
  }
  const traffic = await readTraffic(shell, pod, pid);
  return {
    namespace,
    name,
    uid,
    startTime: pod.status?.startTime,
    atMs: nowMs(),
    containers: found,
    traffic,
  };
}

async function readTraffic(
  shell: PodShell,
  { metadata, spec }: Pod,
  pid: number | undefined,
): Promise<Traffic> {
  const responseMs = shell.responseMs(metadata.uid ?? '');
  // On the host's network everybody's connections would be counted as this pod's.
  const isApart = pid !== undefined && spec?.hostNetwork !== true;
  const text = isApart ? await readFile(`/proc/${pid}/net/snmp`, 'utf8').catch(() => '') : '';
  const connections = establishedIn(text);
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(responseMs === undefined ? {} : { responseMs }),
  };
}

/** TCP connections that stand, by a network namespace's /proc/net/snmp: a line of names, and one of figures. */
export function establishedIn(snmp: string): number | undefined {
  const [names, figures] = snmp.split('\n').filter((line) => line.startsWith('Tcp: '));
  const at = names?.split(' ').indexOf('CurrEstab') ?? -1;
  const count = Number(at < 0 ? Number.NaN : figures?.split(' ')[at]);
  return Number.isInteger(count) ? count : undefined;
}
