/** What this machine has, and how full it is: from /proc, /etc and the file system under the data directory. */
import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import type { MachineFacts, NodePressure } from '../node-object.ts';

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );

export async function readMachineFacts(dataDirectory: string): Promise<MachineFacts> {
  const [machineId, systemUuid, bootId, osRelease, disk, cgroupMemory] = await Promise.all([
    read('/etc/machine-id'),
    read('/sys/class/dmi/id/product_uuid'),
    read('/proc/sys/kernel/random/boot_id'),
    read('/etc/os-release'),
    statfs(dataDirectory),
    read('/sys/fs/cgroup/memory.max'),
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
  };
}

/** As the kubelet's default eviction signals: 100 MiB of memory, 10 % of the disk, 5 % of its inodes; a tenth of the process numbers. */
export async function readPressure(dataDirectory: string): Promise<NodePressure> {
  const [memory, disk, loadavg, pidMax] = await Promise.all([
    read('/proc/meminfo'),
    statfs(dataDirectory),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
  ]);
  const availableKib = Number(/^MemAvailable:\s+(\d+)/m.exec(memory)?.[1] ?? Number.POSITIVE_INFINITY);
  const tasks = Number(/\/(\d+)/.exec(loadavg)?.[1] ?? 0);
  const noInodes = disk.files > 0 && disk.ffree < disk.files * 0.05;
  return {
    memory: availableKib < 100 * 1024,
    disk: disk.bavail < disk.blocks * 0.1 || noInodes,
    pids: tasks > Number(pidMax || 32_768) * 0.9,
  };
}
