/**
 * What of a pod is on this node's disk (and in its memory file systems): volumes, network files, termination messages, logs.
 * Implementations: `io/pod-disk.ts`, and a fake for the simulator and unit tests. All calls are idempotent.
 */

import type { Container, Pod } from '../../api/index.ts';
import type { DeviceFile } from '../devices/cdi.ts';
import type { MountSpec } from '../runtime/index.ts';
import type { VolumeContent } from '../volumes/volume-content.ts';
import type { AccountFiles } from './security.ts';

export interface NetworkFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

/** The node's own files, from which pods' are derived. */
export interface NodeFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

export interface DiskUsage {
  /** By name; only those that are of this node's own disk. */
  readonly volumes: ReadonlyMap<string, number>;
  /** By container. */
  readonly logs: ReadonlyMap<string, number>;
}

/** Of a volume that is held to its size. */
export interface VolumeSize {
  readonly sizeBytes: number;
  /** Why it is less than was asked for. */
  readonly problem?: string;
}

export interface PodDisk {
  /** Makes what has to exist before anything else. */
  prepare(): Promise<void>;
  nodeFiles(): Promise<NodeFiles>;
  /** Uids of pods that have something here. */
  list(): Promise<readonly string[]>;
  /** Makes, or brings up to date. Throws with a message fit for FailedMount. */
  setUpVolumes(pod: Pod, contents: ReadonlyMap<string, VolumeContent>): Promise<void>;
  /** Of a volume that is held to its size, as it was last set up; undefined: it has not been yet. */
  volumeSize(handle: string): Promise<VolumeSize | undefined>;
  /** The folder of a released volume goes. Throws `unavailable` while a pod has it. */
  eraseVolume(handle: string): Promise<void>;
  /** Finishes what was being erased when an earlier agent ended. */
  sweepVolumes(): Promise<void>;
  writeNetworkFiles(podUid: string, files: NetworkFiles): Promise<void>;
  /** What the pod was granted of the node: whole on the disk when it resolves. */
  writeAllocation(podUid: string, text: string): Promise<void>;
  /** What its volumes and logs take on disk, in bytes. */
  usage(pod: Pod): Promise<DiskUsage>;
  /** By uid. */
  allocations(): Promise<ReadonlyMap<string, string>>;
  /** Everything but the logs. */
  tearDown(podUid: string): Promise<void>;
  /** Mounts of one container: its volumes, network files and termination message. Throws with a message fit for CreateContainerConfigError. */
  mountsOf(
    pod: Pod,
    container: Container,
    attempt: number,
    environment: ReadonlyMap<string, string>,
  ): Promise<readonly MountSpec[]>;
  accounts(rootPath: string): Promise<AccountFiles>;
  /** What the machine says of its devices. */
  deviceFiles(): Promise<readonly DeviceFile[]>;
  /** The text of a profile that was put on this node for its pods. Throws `invalid` when there is none of the name. */
  seccompProfile(name: string): Promise<string>;
  /** What the container left at terminationMessagePath; with `fromLog`, the end of its log when it left nothing. */
  terminationMessage(pod: Pod, container: Container, attempt: number, fromLog: boolean): Promise<string>;
  /** The log file of an attempt; its folder exists afterwards. */
  logPath(pod: Pod, container: string, attempt: number): string;
  /** By uid and container: the highest attempt that has a log. Logs outlive the machine's restarts, containers do not. */
  attempts(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>;
  removeLog(pod: Pod, container: string, attempt: number): Promise<void>;
  /** Logs of all pods but these (by uid). */
  removeLogsExcept(podUids: ReadonlySet<string>): Promise<void>;
  removeLogs(podUid: string): Promise<void>;
  /** Everything, when the cloud goes down for good. */
  destroy(): Promise<void>;
}
