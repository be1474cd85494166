/** The containers of a pod, by their part in it. */
import type { Container, ContainerStatus, Pod } from '../../api/index.ts';

/** Those that the pod is about, and those that start before or beside them. */
export const containersOf = (pod: Pod | undefined): readonly Container[] => [
  ...(pod?.spec?.initContainers ?? []),
  ...(pod?.spec?.containers ?? []),
];

export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** What the API object says of them. */
export const statusesOf = (pod: Pod | undefined): readonly ContainerStatus[] => [
  ...(pod?.status?.initContainerStatuses ?? []),
  ...(pod?.status?.containerStatuses ?? []),
];
