/** What a pod's workload needs most: as it says, else by what it asks for. Pure. */
import { type Pod, qualityOfService, workloadTypes } from '../../api/index.ts';
import { demandOf } from '../demand.ts';

export type WorkloadType = (typeof workloadTypes)[number];

/** An annotation, or a label. */
export const workloadKey = 'scheduling.caelum.dev/workload-type';

const gibibyte = 2 ** 30;
/** Memory for a core: a machine has 4 GiB as a rule; half of it or twice as much leans to one side. */
const cpuSideMax = 2;
const memorySideMin = 8;

/** Undefined: none in particular. */
export function workloadTypeOf(pod: Pod): WorkloadType | undefined {
  const { annotations, labels } = pod.metadata;
  const told = annotations?.[workloadKey] ?? labels?.[workloadKey];
  if (told !== undefined) {
    const plain = told.toLowerCase().replaceAll('-', '');
    return workloadTypes.find((one) => one.toLowerCase() === plain);
  }
  if (isLatencySensitive(pod)) return 'LatencySensitive';
  const { cpuMilli, memoryBytes } = demandOf(pod);
  if (cpuMilli === 0 && memoryBytes === 0) return undefined;
  const perCore = memoryBytes / gibibyte / (cpuMilli / 1000);
  if (perCore <= cpuSideMax && cpuMilli >= 1000) return 'CPUIntensive';
  return perCore >= memorySideMin && memoryBytes >= gibibyte ? 'MemoryIntensive' : undefined;
}

/** It has what it asks for to itself, and is asked by others whether it is ready: somebody waits for its answers. */
function isLatencySensitive(pod: Pod): boolean {
  const { containers = [] } = pod.spec ?? {};
  return (
    qualityOfService(pod.spec ?? { containers }) === 'Guaranteed' &&
    containers.some(({ ports = [], readinessProbe }) => ports.length > 0 && readinessProbe !== undefined)
  );
}
