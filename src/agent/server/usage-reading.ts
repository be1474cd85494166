/** What the real agent tells of its node: the machine as its reader says, containers by the runtime. Pure but for what it is given. */
import type { Pod } from '../../api/index.ts';
import type { PodShell } from '../pods/pod-shell.ts';
import type { Runtime } from '../runtime/index.ts';
import type { NodeUsageNow, PodUsageNow, Traffic, UsageNow } from './statistics.ts';

export interface UsageSources {
  readonly shell: PodShell;
  readonly runtime: Pick<Runtime, 'usage'>;
  readonly nodeName: string;
  readonly nowMs: () => number;
  /** undefined: the machine does not tell. */
  readonly readMachine: () => Promise<Omit<NonNullable<NodeUsageNow['node']>, 'atMs'> | undefined>;
  /** TCP connections that stand in the network of a process. undefined: nobody can tell. */
  readonly readConnections: (pid: number) => Promise<number | undefined>;
}

export async function readUsageOf(sources: UsageSources): Promise<NodeUsageNow> {
  const [machine, pods] = await Promise.all([
    sources.readMachine(),
    Promise.all([...sources.shell.pods()].map((pod) => readPod(sources, pod))),
  ]);
  return {
    nodeName: sources.nodeName,
    node: machine === undefined ? undefined : { ...machine, atMs: sources.nowMs() },
    pods,
  };
}

async function readPod(sources: UsageSources, pod: Pod): Promise<PodUsageNow> {
  const { shell, runtime, nowMs } = sources;
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
  const traffic = await readTraffic(sources, pod, pid);
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
  { shell, readConnections }: UsageSources,
  { metadata, spec }: Pod,
  pid: number | undefined,
): Promise<Traffic> {
  const responseMs = shell.responseMs(metadata.uid ?? '');
  // On the host's network everybody's connections would be counted as this pod's.
  const isApart = pid !== undefined && spec?.hostNetwork !== true;
  const connections = isApart ? await readConnections(pid) : undefined;
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(responseMs === undefined ? {} : { responseMs }),
  };
}
