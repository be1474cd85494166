/** What a pod uses, asked of the parts of its node. */
import type { Pod } from '../../api/index.ts';
import type { ImageStore } from '../images/index.ts';
import type { PodDisk } from '../pods/disk.ts';
import type { PodState } from '../pods/pod-state.ts';
import type { Runtime } from '../runtime/index.ts';
import type { ContainerUse, PodUse } from './victims.ts';

export interface MeasuredParts {
  readonly runtime: Pick<Runtime, 'usage'>;
  readonly images: Pick<ImageStore, 'rootBytes'>;
  readonly disk: Pick<PodDisk, 'usage'>;
}

/** With `disk`, also what it has written: that takes longer. */
export async function measurePod(
  { runtime, images, disk }: MeasuredParts,
  state: Pick<PodState, 'uid' | 'containers'>,
  pod: Pod,
  withDisk: boolean,
): Promise<PodUse> {
  const { volumes, logs } = withDisk
    ? await disk.usage(pod)
    : { volumes: new Map<string, number>(), logs: new Map<string, number>() };
  const containers = new Map<string, ContainerUse>();
  let memoryBytes = 0;
  let pids = 0;
  for (const { id, name, attempt, state: is } of state.containers.values()) {
    if (is !== 'running') continue;
    const usage = await runtime.usage(id);
    const rootBytes = withDisk ? await images.rootBytes(`${state.uid}/${name}/${attempt}`) : 0;
    memoryBytes += usage?.memoryWorkingSetBytes ?? 0;
    pids += usage?.pids ?? 0;
    const own = usage?.memoryWorkingSetBytes ?? 0;
    containers.set(name, { memoryBytes: own, rootBytes, logBytes: logs.get(name) ?? 0 });
  }
  return { memoryBytes, pids, volumes, containers };
}
