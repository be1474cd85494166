/**
 * What hollow pods seem to use, so that metrics and autoscaling can be tried without machines.
 *
 *   hollow.caelum.dev/cpu: 250m              of the whole pod, shared evenly by its containers; or `web=200m,log=50m` for each by its name
 *   hollow.caelum.dev/memory: 64Mi           the same
 *   hollow.caelum.dev/connections: "40"       TCP connections that its servers hold; hollow.caelum.dev/response-ms: how long they take to answer
 *   hollow.caelum.dev/metrics: jobs 5        lines of Prometheus' text format, as the pod's program would tell them where `prometheus.io/scrape` says so
 *
 * Annotations of the pod may change at any time. Without them a container uses a tenth of the CPU and half of the memory that it requests.
 * Counters grow by what is used at the time, so that a change shows as a change of the rate, not of the past.
 */
import { type Container, type Pod, quantityMilli, quantityValue } from '../../api/index.ts';
import type { NodeUsageNow, PodUsageNow, Traffic } from '../server/statistics.ts';

export const cpuAnnotation = 'hollow.caelum.dev/cpu';
export const memoryAnnotation = 'hollow.caelum.dev/memory';
export const connectionsAnnotation = 'hollow.caelum.dev/connections';
export const responseAnnotation = 'hollow.caelum.dev/response-ms';
export const metricsAnnotation = 'hollow.caelum.dev/metrics';

/** What its program would tell. undefined: it is none of these pods. */
export const hollowMetricsOf = ({ metadata }: Pod): string | undefined =>
  metadata.annotations?.[metricsAnnotation];

/** What a node uses beside its pods. */
const nodeCpuMilli = 50;
const nodeMemoryBytes = 256 * 2 ** 20;
const leastCpuMilli = 1;
const leastMemoryBytes = 8 * 2 ** 20;

/** Of a pod, or of one container. */
export interface PodAmounts {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

/** One for each container, in their order. */
export function hollowUse({ metadata, spec }: Pod): readonly (PodAmounts & { readonly name: string })[] {
  const { containers = [], initContainers = [] } = spec ?? {};
  const running = [...initContainers.filter((one) => one.restartPolicy === 'Always'), ...containers];
  const cpu = asked(metadata.annotations?.[cpuAnnotation], running.length, quantityMilli);
  const memory = asked(metadata.annotations?.[memoryAnnotation], running.length, quantityValue);
  return running.map((container) => ({
    name: container.name,
    cpuMilli:
      cpu(container.name) ??
      Math.max(leastCpuMilli, Math.floor((requested(container, 'cpu', quantityMilli) ?? 0) / 10)),
    memoryBytes: Math.round(
      memory(container.name) ??
        Math.max(leastMemoryBytes, (requested(container, 'memory', quantityValue) ?? 0) / 2),
    ),
  }));
}

type Read = (text: string | undefined) => number | undefined;

const requested = ({ resources }: Container, name: string, read: Read): number | undefined =>
  read(resources?.requests?.[name] ?? resources?.limits?.[name]);

/** Of each container, as an annotation says. What is no quantity is not said. */
function asked(
  text: string | undefined,
  count: number,
  read: Read,
): (container: string) => number | undefined {
  if (text === undefined) return () => undefined;
  if (!text.includes('=')) {
    const whole = atLeastZero(read(text.trim()));
    return () => (whole === undefined ? undefined : whole / count);
  }
  const byName = new Map(
    text.split(',').map((part): [string, number | undefined] => {
      const [name = '', amount = ''] = part.split('=');
      return [name.trim(), atLeastZero(read(amount.trim()))];
    }),
  );
  return (container) => byName.get(container);
}

const atLeastZero = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.max(0, value);

function trafficOf({ metadata }: Pod): Traffic {
  const told = (key: string): number | undefined => {
    const value = Number(metadata.annotations?.[key] ?? Number.NaN);
    return value >= 0 ? value : undefined;
  };
  const [connections, responseMs] = [told(connectionsAnnotation), told(responseAnnotation)];
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(responseMs === undefined ? {} : { responseMs }),
  };
}

interface Counter {
  atMs: number;
  cpuNanoseconds: number;
}

/** Counters of many nodes' pods; those of pods that are gone are forgotten at the next reading of their node. */
export class HollowMeter {
  readonly #use: ((pod: Pod) => PodAmounts | undefined) | undefined;
  readonly #nodes = new Map<string, Map<string, Counter>>();

  /** `use`: goes before what the pod itself says. */
  constructor(use?: (pod: Pod) => PodAmounts | undefined) {
    this.#use = use;
  }

  read(nodeName: string, pods: Iterable<Pod>, nowMs: number): NodeUsageNow {
    const before = this.#nodes.get(nodeName);
    const counters = new Map<string, Counter>();
    const advance = (id: string, startMs: number, cpuMilli: number): Counter => {
      const counter = before?.get(id) ?? { atMs: startMs, cpuNanoseconds: 0 };
      // A thousandth of a core for a millisecond is a thousand nanoseconds. The clock on the wall may go back; counters never do.
      counter.cpuNanoseconds += Math.max(0, nowMs - counter.atMs) * cpuMilli * 1000;
      counter.atMs = nowMs;
      counters.set(id, counter);
      return counter;
    };
    const shown: PodUsageNow[] = [];
    let [cpuMilli, memoryBytes] = [nodeCpuMilli, nodeMemoryBytes];
    for (const pod of pods) {
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      if (pod.status?.phase !== 'Running') continue;
      const startedAtMs = Date.parse(pod.status.startTime ?? '') || nowMs;
      const containers = this.#useOf(pod).map((one) => {
        cpuMilli += one.cpuMilli;
        memoryBytes += one.memoryBytes;
        const { cpuNanoseconds } = advance(`${uid}/${one.name}`, startedAtMs, one.cpuMilli);
        const memoryWorkingSetBytes = one.memoryBytes;
        return { name: one.name, atMs: nowMs, startedAtMs, cpuNanoseconds, memoryWorkingSetBytes };
      });
      const traffic = trafficOf(pod);
      shown.push({ namespace, name, uid, startTime: pod.status.startTime, atMs: nowMs, containers, traffic });
    }
    const { cpuNanoseconds } = advance('', nowMs, cpuMilli);
    this.#nodes.set(nodeName, counters);
    const node = { atMs: nowMs, startedAtMs: 0, cpuNanoseconds, memoryWorkingSetBytes: memoryBytes };
    return { nodeName, node, pods: shown };
  }

  #useOf(pod: Pod): ReturnType<typeof hollowUse> {
    const own = hollowUse(pod);
    const whole = this.#use?.(pod);
    if (whole === undefined) return own;
    const share = (amount: number): number => amount / own.length;
    return own.map(({ name }) => ({
      name,
      cpuMilli: share(whole.cpuMilli),
      memoryBytes: Math.round(share(whole.memoryBytes)),
    }));
  }
}
