/**
 * Which GPUs of the node a pod sees that was given a share of one, or several, by annotation: the scheduler has written their indexes with the binding. Pure.
 *
 * CUDA sees those alone, counted as `nvidia-smi` counts (by bus); an NVIDIA container runtime, where there is one, reads the other variable. It is a matter of
 * manners: nothing keeps a process from the rest of a GPU. Whole GPUs of a device plugin are that one's to set up.
 */
import { annotatedGpuMilli, gpuMilliKey, type Pod } from '../../api/index.ts';

const devicesKey = 'scheduling.caelum.dev/gpu-devices';
const pluginResources: readonly string[] = ['nvidia.com/gpu', 'amd.com/gpu'];
const none: readonly (readonly [string, string])[] = [];

export function gpuVariables(pod: Pod): readonly (readonly [string, string])[] {
  const devices = pod.metadata.annotations?.[devicesKey];
  if (devices === undefined || !/^\d{1,2}(,\d{1,2})*$/.test(devices)) return none;
  const asked = new Set<string>();
  for (const { resources } of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])])
    for (const name of Object.keys(resources?.requests ?? {})) asked.add(name);
  const isShare = annotatedGpuMilli(pod) > 0 || asked.has(gpuMilliKey);
  if (!isShare || pluginResources.some((one) => asked.has(one))) return none;
  return [
    ['CUDA_DEVICE_ORDER', 'PCI_BUS_ID'],
    ['CUDA_VISIBLE_DEVICES', devices],
    ['NVIDIA_VISIBLE_DEVICES', devices],
  ];
}
