/** A disk in memory, for the simulator and unit tests. */
import type { Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { DeviceFile } from '../devices/cdi.ts';
import type { VolumeContent } from '../volumes/volume-content.ts';
import type { DiskUsage, NetworkFiles, PodDisk, VolumeSize } from './disk.ts';

export interface FakeDisk extends PodDisk {
  readonly volumes: Map<string, ReadonlyMap<string, VolumeContent>>;
  /** Handles of the folders that outlive pods. */
  readonly folders: Set<string>;
  /** By handle: of volumes that cannot grow. */
  readonly sizes: Map<string, VolumeSize>;
  readonly networkFiles: Map<string, NetworkFiles>;
  readonly granted: Map<string, string>;
  /** By uid: what `usage` answers. */
  readonly used: Map<string, DiskUsage>;
  /** By `uid/container/attempt`. */
  readonly messages: Map<string, string>;
  readonly devices: DeviceFile[];
}

/** `devices`: what the machine says of them. */
export function createFakeDisk(devices: DeviceFile[] = []): FakeDisk {
  const volumes = new Map<string, ReadonlyMap<string, VolumeContent>>();
  const folders = new Set<string>();
  const sizes = new Map<string, VolumeSize>();
  const networkFiles = new Map<string, NetworkFiles>();
  const messages = new Map<string, string>();
  const granted = new Map<string, string>();
  const used = new Map<string, DiskUsage>();
  const attempts = new Map<string, Map<string, number>>();
  const uidOf = (pod: Pod): string => pod.metadata.uid ?? '';
  return {
    volumes,
    folders,
    sizes,
    networkFiles,
    granted,
    used,
    messages,
    devices,
    deviceFiles: async () => devices,
    prepare: async () => {},
    nodeFiles: async () => ({ hosts: '127.0.0.1 localhost\n', resolvConf: '', hostname: 'fake' }),
    list: async () => [...new Set([...volumes.keys(), ...networkFiles.keys(), ...granted.keys()])],
    setUpVolumes: async (pod, contents) => {
      volumes.set(uidOf(pod), contents);
      for (const content of contents.values()) {
        if (content.kind !== 'volume') continue;
        if (content.isMade && !folders.has(content.handle))
          throw new CaelumError('invalid', `the folder of ${content.handle} is not there any more`);
        folders.add(content.handle);
      }
    },
    volumeSize: async (handle) => {
      for (const contents of volumes.values())
        for (const content of contents.values())
          if (content.kind === 'volume' && content.handle === handle && content.sizeBytes !== undefined)
            return sizes.get(handle) ?? { sizeBytes: content.sizeBytes };
      return undefined;
    },
    eraseVolume: async (handle) => {
      for (const contents of volumes.values())
        for (const content of contents.values())
          if (content.kind === 'volume' && content.handle === handle)
            throw new CaelumError('unavailable', `a pod has ${handle}`);
      folders.delete(handle);
    },
    sweepVolumes: async () => {},
    writeNetworkFiles: async (uid, files) => {
      networkFiles.set(uid, files);
    },
    usage: async (pod) => used.get(uidOf(pod)) ?? { volumes: new Map(), logs: new Map() },
    writeAllocation: async (uid, text) => {
      granted.set(uid, text);
    },
    allocations: async () => granted,
    tearDown: async (uid) => {
      granted.delete(uid);
      volumes.delete(uid);
      networkFiles.delete(uid);
    },
    mountsOf: async (pod, container) =>
      (container.volumeMounts ?? []).map((mount) => ({
        containerPath: mount.mountPath,
        hostPath: `/fake/volumes/${uidOf(pod)}/${mount.name}`,
        readOnly: mount.readOnly ?? false,
      })),
    accounts: async () => ({ passwd: 'root:x:0:0:root:/root:/bin/sh\n', group: 'root:x:0:\n' }),
    seccompProfile: async (name) => JSON.stringify({ defaultAction: name }),
    terminationMessage: async (pod, container, attempt) =>
      messages.get(`${uidOf(pod)}/${container.name}/${attempt}`) ?? '',
    logPath: (pod, container, attempt) => {
      const uid = uidOf(pod);
      const own = attempts.get(uid) ?? new Map<string, number>();
      attempts.set(uid, own.set(container, Math.max(attempt, own.get(container) ?? 0)));
      return `/fake/logs/${uid}/${container}/${attempt}.log`;
    },
    attempts: async () => attempts,
    removeLog: async () => {},
    removeLogs: async (uid) => {
      attempts.delete(uid);
    },
    removeLogsExcept: async (uids) => {
      for (const uid of attempts.keys()) if (!uids.has(uid)) attempts.delete(uid);
    },
    destroy: async () => {
      volumes.clear();
      granted.clear();
      networkFiles.clear();
    },
  };
}
