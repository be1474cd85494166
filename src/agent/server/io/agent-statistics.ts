/** The real agent's statistics: the machine by /proc, containers by the runtime. */
import type { Pod } from '../../../api/index.ts';
import { readMachineUsage } from '../../node/io/machine-usage.ts';
import type { PodShell } from '../../pods/pod-shell.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { NodeUsageNow, PodUsageNow, UsageNow } from '../statistics.ts';

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
  for (const container of [...initContainers, ...containers, ...ephemeralContainers]) {
    const status = worker?.state.latest(container.name);
    if (status?.state !== 'running') continue;
    const usage = await runtime.usage(status.id).catch(() => undefined);
    if (usage === undefined) continue;
    found.push({ name: container.name, atMs: nowMs(), startedAtMs: status.startedAtMs ?? 0, ...usage });
  }
  return { namespace, name, uid, startTime: pod.status?.startTime, atMs: nowMs(), containers: found };
}
