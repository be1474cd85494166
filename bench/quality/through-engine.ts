/** Arrivals of a trace placed by the engine, one plan an arrival: nodes and pods as Kubernetes has them. */
import type { Node, Pod } from '../../src/api/index.ts';
import { plan } from '../../src/scheduler/plan.ts';
import type { Policy } from '../../src/scheduler/scorer.ts';
import { Snapshot } from '../../src/scheduler/snapshot.ts';
import type { TraceNode, TracePod } from './trace.ts';

export function nodeOf({ name, cpuMilli, memoryMib, gpus, model }: TraceNode): Node {
  return {
    metadata: { name, labels: gpus === 0 ? {} : { 'scheduling.caelum.dev/gpu-model': model } },
    status: {
      allocatable: {
        cpu: `${cpuMilli}m`,
        memory: `${memoryMib}Mi`,
        pods: '1000',
        ...(gpus === 0 ? {} : { 'nvidia.com/gpu': String(gpus) }),
      },
    },
  };
}

export function podOf({ cpuMilli, memoryMib, gpus, milli, models }: TracePod, name: string): Pod {
  const annotations = {
    'scheduling.caelum.dev/gpu-milli': String(milli),
    'scheduling.caelum.dev/gpu-count': String(gpus),
    ...(models.length === 0 ? {} : { 'scheduling.caelum.dev/gpu-models': models.join('|') }),
  };
  return {
    metadata: { name, namespace: 'default', ...(gpus === 0 ? {} : { annotations }) },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: { requests: { cpu: `${cpuMilli}m`, memory: `${memoryMib}Mi` } },
        },
      ],
    },
  };
}

/** Part of the GPUs that are given away at the end, and how long it took. */
export function allocateByEngine(
  nodes: readonly TraceNode[],
  pods: readonly TracePod[],
  policy: Policy,
): { readonly allocatedMilli: number; readonly seconds: number; readonly placed: number } {
  const snapshot = new Snapshot();
  for (const node of nodes) snapshot.setNode(nodeOf(node));
  const waiting = pods.map((pod, at) => ({ key: `default/p-${at}`, pod: podOf(pod, `p-${at}`) }));
  let allocatedMilli = 0;
  let placed = 0;
  const startMs = performance.now();
  for (const [at, one] of waiting.entries()) {
    if (plan(snapshot, [one], policy)[0]?.kind !== 'bind') continue;
    const { gpus, milli } = pods[at] as TracePod;
    allocatedMilli += gpus * milli;
    placed++;
  }
  return { allocatedMilli, seconds: (performance.now() - startMs) / 1000, placed };
}
