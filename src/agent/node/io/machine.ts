/** What this machine has, and how full it is: from /proc, /etc and the file system under the data directory. */
import { readFile, stat, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import type { FileSystem, MachineReading } from '../../pressure/thresholds.ts';
import type { MachineFacts } from '../node-object.ts';

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );

export async function readMachineFacts(dataDirectory: string): Promise<MachineFacts> {
  const [machineId, systemUuid, bootId, osRelease, disk, cgroupMemory, appArmor] = await Promise.all([
    read('/etc/machine-id'),
    read('/sys/class/dmi/id/product_uuid'),
    read('/proc/sys/kernel/random/boot_id'),
    read('/etc/os-release'),
    statfs(dataDirectory),
    read('/sys/fs/cgroup/memory.max'),
    read('/sys/module/apparmor/parameters/enabled'),
  ]);
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux';
  const limit = Number(cgroupMemory);
  const memoryBytes = Number.isFinite(limit) && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return {
    machineId,
    systemUuid: (systemUuid || machineId).toLowerCase(),
    bootId,
    kernelVersion: release(),
    osImage: pretty,
    architecture: arch() === 'x64' ? 'amd64' : arch(),
    cpuCount: cpus().length,
    memoryBytes,
    ephemeralStorageBytes: disk.blocks * disk.bsize,
    hasAppArmor: appArmor === 'Y',
  };
}

const fileSystem = async (path: string): Promise<FileSystem & { readonly device: number }> => {
  const [{ bavail, blocks, bsize, ffree, files }, { dev }] = await Promise.all([statfs(path), stat(path)]);
  return {
    device: dev,
    bytes: { available: bavail * bsize, capacity: blocks * bsize },
    inodes: files === 0 ? undefined : { available: ffree, capacity: files },
  };
};

/** Asks the kernel how much is left. */
export function createGauge(dataDirectory: string, imagesDirectory: string): () => Promise<MachineReading> {
  return async () => {
    const [memory, loadavg, pidMax, threadsMax, limit, current, nodeFiles, imageFiles] = await Promise.all([
      read('/proc/meminfo'),
      read('/proc/loadavg'),
      read('/proc/sys/kernel/pid_max'),
      read('/proc/sys/kernel/threads-max'),
      read('/sys/fs/cgroup/memory.max'),
      read('/sys/fs/cgroup/memory.current'),
      fileSystem(dataDirectory),
      fileSystem(imagesDirectory).catch(() => undefined),
    ]);
    const kib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? Number.POSITIVE_INFINITY);
    const ours = Number(limit) > 0 ? Number(limit) - Number(current) : Number.POSITIVE_INFINITY;
    const pids = Math.min(Number(pidMax) || 32_768, Number(threadsMax) || Number.POSITIVE_INFINITY);
    const tasks = Number(/\/(\d+)/.exec(loadavg)?.[1] ?? 0);
    return {
      memory: {
        available: Math.min(kib('MemAvailable') * 1024, ours),
        capacity: Math.min(kib('MemTotal') * 1024, Number(limit) || Number.POSITIVE_INFINITY),
      },
      nodeFiles,
      imageFiles: imageFiles ?? nodeFiles,
      hasImageFiles: imageFiles !== undefined && imageFiles.device !== nodeFiles.device,
      pids: { available: Math.max(0, pids - tasks), capacity: pids },
    };
  };
}
