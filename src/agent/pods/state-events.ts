/** Events that a change of state is worth: a container that is made to wait. Pure. */
import type { ContainerStatus, Pod, PodStatus } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import type { ContainerList } from './containers.ts';
import { referenceTo } from './parts.ts';

/** Compares what was said with what will be said. */
export function stateEvents(pod: Pod, next: PodStatus): readonly EventDraft[] {
  const result: EventDraft[] = [];
  const compare = (
    list: ContainerList,
    before: readonly ContainerStatus[],
    after: readonly ContainerStatus[],
  ): void => {
    for (const status of after) {
      const waiting = status.state?.waiting;
      const old = before.find((item) => item.name === status.name)?.state?.waiting;
      if (waiting?.reason === undefined || old?.reason === waiting.reason) continue;
      const about = referenceTo(pod, status.name, list);
      if (waiting.reason === 'CrashLoopBackOff')
        result.push({
          about,
          type: 'Warning',
          reason: 'BackOff',
          message: `Back-off restarting failed container ${status.name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`,
        });
      if (waiting.reason === 'ImagePullBackOff') {
        result.push({
          about,
          type: 'Normal',
          reason: 'BackOff',
          message: `Back-off pulling image "${status.image}"`,
        });
        result.push({ about, type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' });
      }
    }
  };
  compare('containers', pod.status?.containerStatuses ?? [], next.containerStatuses ?? []);
  compare('initContainers', pod.status?.initContainerStatuses ?? [], next.initContainerStatuses ?? []);
  const ephemeral = next.ephemeralContainerStatuses ?? [];
  compare('ephemeralContainers', pod.status?.ephemeralContainerStatuses ?? [], ephemeral);
  return result;
}
