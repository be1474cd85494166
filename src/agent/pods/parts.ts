/** What a pod's worker works with. Everything is passed in, so that the simulator runs it as it is. */
import type { ObjectReference, Pod, Service } from '../../api/index.ts';
import type { Client, EventRecorder } from '../../client/index.ts';
import type { Clock, Log, Random } from '../../lib/index.ts';
import type { ImageStore } from '../images/index.ts';
import type { PodNetwork } from '../network/index.ts';
import type { ProbeRunner, Prober } from '../probes/prober.ts';
import type { Runtime } from '../runtime/index.ts';
import type { PodTokens } from '../volumes/pod-tokens.ts';
import type { WatchedObjects } from '../volumes/watched-objects.ts';
import type { NodeRoom } from './allocation.ts';
import type { ContainerList } from './containers.ts';
import type { NodeFiles, PodDisk } from './disk.ts';
import type { DnsSettings } from './network-files.ts';

export interface PodParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runtime: Runtime;
  readonly network: PodNetwork;
  readonly images: ImageStore;
  readonly disk: PodDisk;
  readonly objects: WatchedObjects;
  readonly tokens: PodTokens;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly prober: Prober;
  readonly probeRunner: ProbeRunner;
  readonly dns: DnsSettings;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly nodeFiles: NodeFiles;
  readonly allocatable: {
    readonly cpuMilli: number;
    readonly memoryBytes: number;
    readonly ephemeralBytes?: number;
  };
  readonly podPidsLimit: number | undefined;
  readonly seccompDefault?: boolean | undefined;
  /** What pods may be granted here in all. */
  readonly capacity: NodeRoom;
  /** The other pods that take of it, with what they were granted. */
  others(podUid: string): Iterable<Pod>;
  /** Why a pod that has just come is not begun; undefined: it is. */
  rejection(pod: Pod): { readonly reason: string; readonly message: string } | undefined;
  /** A pod takes less than before. */
  onRoom(): void;
  /** Services of a namespace, and `default/kubernetes`, once they are known. */
  services(namespace: string): Promise<readonly Service[]>;
  /** A worker has nothing left. */
  onForgotten(podUid: string): void;
}

export function referenceTo(
  pod: Pod,
  container?: string,
  list: ContainerList = 'containers',
): ObjectReference {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(container === undefined ? {} : { fieldPath: `spec.${list}{${container}}` }),
  };
}
