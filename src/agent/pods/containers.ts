/** The containers of a pod, by their part in it. */
import type { Container, ContainerStatus, EphemeralContainer, Pod, VolumeMount } from '../../api/index.ts';

/** Where the specification has them: for the fields of Events. */
export type ContainerList = 'containers' | 'initContainers' | 'ephemeralContainers';

export interface FoundContainer {
  readonly container: Container & Pick<EphemeralContainer, 'targetContainerName'>;
  readonly list: ContainerList;
}

/** Of all that the pod has: names are unique among them. */
export function findContainer(pod: Pod | undefined, name: string): FoundContainer | undefined {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const container = (pod?.spec?.[list] as readonly Container[] | undefined)?.find(
      (one) => one.name === name,
    );
    if (container !== undefined) return { container, list };
  }
  return undefined;
}

/** Those that the pod is about, and those that start before or beside them. */
export const containersOf = (pod: Pod | undefined): readonly Container[] => [
  ...(pod?.spec?.initContainers ?? []),
  ...(pod?.spec?.containers ?? []),
];

export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** Is what is mounted below a volume read-only as the volume itself? */
export const isRecursive = ({ readOnly, recursiveReadOnly }: VolumeMount): boolean =>
  readOnly === true && (recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible');

/** What the API object says of them. */
export const statusesOf = (pod: Pick<Pod, 'status'> | undefined): readonly ContainerStatus[] => [
  ...(pod?.status?.initContainerStatuses ?? []),
  ...(pod?.status?.containerStatuses ?? []),
];

/** Also of those that were put in to look around. */
export const allStatusesOf = (pod: Pick<Pod, 'status'> | undefined): readonly ContainerStatus[] => [
  ...statusesOf(pod),
  ...(pod?.status?.ephemeralContainerStatuses ?? []),
];
