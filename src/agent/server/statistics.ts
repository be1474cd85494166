/**
 * What a node and its pods use, as the kubelet tells it: the document of `/stats/summary`, and the text of `/metrics/resource`. Pure.
 *
 * Counters of CPU time grow for as long as what they count runs; who wants a rate asks twice. Times are as fine as the clock: whole seconds would make rates of
 * a few seconds worthless.
 */
import { formatMicroTime } from '../../lib/index.ts';

export interface UsageNow {
  readonly atMs: number;
  readonly startedAtMs: number;
  /** Since it started. */
  readonly cpuNanoseconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes?: number;
}

/** How busy a pod's servers are. What nobody can tell is missing. */
export interface Traffic {
  /** TCP connections that stand, of pods with a network of their own. */
  readonly connections?: number;
  /** How long it takes to answer probes over the network, lately. */
  readonly responseMs?: number;
}

export interface PodUsageNow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly startTime: string | undefined;
  readonly atMs: number;
  readonly containers: readonly (UsageNow & { readonly name: string })[];
  readonly traffic?: Traffic;
}

export interface NodeUsageNow {
  readonly nodeName: string;
  /** undefined: the machine does not tell. */
  readonly node: (UsageNow & { readonly memoryTotalBytes?: number }) | undefined;
  readonly pods: readonly PodUsageNow[];
}

function amounts({ atMs, startedAtMs, cpuNanoseconds, memoryWorkingSetBytes, memoryRssBytes }: UsageNow) {
  const time = formatMicroTime(atMs);
  return {
    startTime: formatMicroTime(startedAtMs),
    cpu: { time, usageCoreNanoSeconds: Math.round(cpuNanoseconds) },
    memory: {
      time,
      workingSetBytes: memoryWorkingSetBytes,
      ...(memoryRssBytes === undefined ? {} : { rssBytes: memoryRssBytes }),
    },
  };
}

export function summaryOf({ nodeName, node, pods }: NodeUsageNow): object {
  return {
    node: { nodeName, ...(node === undefined ? {} : nodePart(node)), traffic: trafficOf(pods) },
    pods: pods.map(({ namespace, name, uid, startTime, atMs, containers, traffic }) => {
      const time = formatMicroTime(atMs);
      const sum = (of: (one: UsageNow) => number): number =>
        containers.reduce((total, one) => total + of(one), 0);
      return {
        podRef: { name, namespace, uid },
        startTime,
        containers: containers.map((one) => ({ name: one.name, ...amounts(one) })),
        cpu: { time, usageCoreNanoSeconds: Math.round(sum((one) => one.cpuNanoseconds)) },
        memory: { time, workingSetBytes: sum((one) => one.memoryWorkingSetBytes) },
        ...(traffic === undefined ? {} : { traffic }),
      };
    }),
  };
}

/** Of all pods together: connections added up, answers on average. Not the kubelet's; the scheduler's strategies go by it. */
function trafficOf(pods: readonly PodUsageNow[]): Traffic {
  const connections = pods.flatMap(({ traffic }) => traffic?.connections ?? []);
  const responses = pods.flatMap(({ traffic }) => traffic?.responseMs ?? []);
  const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
  return {
    ...(connections.length === 0 ? {} : { connections: sum(connections) }),
    ...(responses.length === 0 ? {} : { responseMs: sum(responses) / responses.length }),
  };
}

function nodePart(node: NonNullable<NodeUsageNow['node']>) {
  const { memoryTotalBytes, memoryWorkingSetBytes } = node;
  const plain = amounts(node);
  return memoryTotalBytes === undefined
    ? plain
    : { ...plain, memory: { ...plain.memory, availableBytes: memoryTotalBytes - memoryWorkingSetBytes } };
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly lines: string[];
}

/** Prometheus' text format, with the kubelet's names. */
export function resourceMetricsOf({ node, pods }: NodeUsageNow): string {
  const family = (name: string, type: Family['type'], help: string): Family => ({
    name,
    type,
    help,
    lines: [],
  });
  const all = {
    containerCpu: family(
      'container_cpu_usage_seconds_total',
      'counter',
      'CPU time of the container, in seconds of a core',
    ),
    containerMemory: family(
      'container_memory_working_set_bytes',
      'gauge',
      'Working set of the container, in bytes',
    ),
    containerStart: family(
      'container_start_time_seconds',
      'gauge',
      'When the container started, in seconds since the epoch',
    ),
    nodeCpu: family('node_cpu_usage_seconds_total', 'counter', 'CPU time of the node, in seconds of a core'),
    nodeMemory: family('node_memory_working_set_bytes', 'gauge', 'Working set of the node, in bytes'),
    podCpu: family('pod_cpu_usage_seconds_total', 'counter', 'CPU time of the pod, in seconds of a core'),
    podMemory: family('pod_memory_working_set_bytes', 'gauge', 'Working set of the pod, in bytes'),
  };
  if (node !== undefined) {
    all.nodeCpu.lines.push(sample('node_cpu_usage_seconds_total', '', node.cpuNanoseconds / 1e9, node.atMs));
    all.nodeMemory.lines.push(
      sample('node_memory_working_set_bytes', '', node.memoryWorkingSetBytes, node.atMs),
    );
  }
  for (const { namespace, name, atMs, containers } of pods) {
    const pod = `namespace="${namespace}",pod="${name}"`;
    let [cpu, memory] = [0, 0];
    for (const one of containers) {
      cpu += one.cpuNanoseconds;
      memory += one.memoryWorkingSetBytes;
      const labels = `{container="${one.name}",${pod}}`;
      all.containerCpu.lines.push(sample(all.containerCpu.name, labels, one.cpuNanoseconds / 1e9, one.atMs));
      all.containerMemory.lines.push(
        sample(all.containerMemory.name, labels, one.memoryWorkingSetBytes, one.atMs),
      );
      all.containerStart.lines.push(sample(all.containerStart.name, labels, one.startedAtMs / 1000));
    }
    if (containers.length === 0) continue;
    all.podCpu.lines.push(sample(all.podCpu.name, `{${pod}}`, cpu / 1e9, atMs));
    all.podMemory.lines.push(sample(all.podMemory.name, `{${pod}}`, memory, atMs));
  }
  const failed = '# HELP resource_scrape_error 1 if there was an error while getting metrics, 0 otherwise';
  const texts = Object.values(all)
    .filter(({ lines }) => lines.length > 0)
    .map(
      ({ name, help, type, lines }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`,
    );
  const error = node === undefined ? 1 : 0;
  return `${texts.join('')}${failed}\n# TYPE resource_scrape_error gauge\nresource_scrape_error ${error}\n`;
}

const sample = (name: string, labels: string, value: number, atMs?: number): string =>
  `${name}${labels} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}\n`;

/** What the kubelet tells of itself, as far as dashboards look for it. */
export function agentMetricsOf({ nodeName, pods }: NodeUsageNow): string {
  const running = pods.filter(({ containers }) => containers.length > 0);
  const containers = running.reduce((sum, pod) => sum + pod.containers.length, 0);
  return [
    '# HELP kubelet_node_name The node that the agent looks after',
    '# TYPE kubelet_node_name gauge',
    `kubelet_node_name{node="${nodeName}"} 1`,
    '# HELP kubelet_running_containers Containers by their state',
    '# TYPE kubelet_running_containers gauge',
    `kubelet_running_containers{container_state="running"} ${containers}`,
    '# HELP kubelet_running_pods Pods with a container that runs',
    '# TYPE kubelet_running_pods gauge',
    `kubelet_running_pods ${running.length}`,
    '',
  ].join('\n');
}
