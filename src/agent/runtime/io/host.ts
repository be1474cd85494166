/**
 * What this machine offers: the OCI runtime, the monitor, the cgroup layout. Read once at start.
 *
 * crun refuses a hybrid layout whose version 2 hierarchy owns controllers. It then runs in a private mount namespace without that hierarchy,
 * made anew for every call: 1.5 ms, and never out of date with the host's mounts, as a kept namespace would be.
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import type { HostDevice, HostFacts } from '../oci.ts';
import { run } from './spawned.ts';

export interface CgroupLayout {
  readonly kind: 'v1' | 'v2' | 'hybrid';
  /** Controller to its directory on version 1 (and hybrid). */
  readonly controllers: ReadonlyMap<string, string>;
  /** Every hierarchy's root directory. */
  readonly roots: readonly string[];
  /** The version 2 hierarchy, if it is mounted. */
  readonly unified: string | undefined;
}

export interface Host {
  readonly runtimeName: 'crun' | 'runc';
  readonly runtimePath: string;
  readonly runtimeVersion: string;
  readonly busybox: string;
  readonly conmonPath: string;
  readonly conmonVersion: string;
  /** Options of newer conmons that this one knows. */
  readonly conmonOptions: readonly string[];
  readonly cgroups: CgroupLayout;
  readonly facts: HostFacts;
  /** How to call the OCI runtime: program and first arguments; its own arguments follow. */
  readonly command: readonly string[];
}

/** Looks for the parts; throws `unavailable` naming what is missing. `prefer`: runtimes in order of preference. */
export async function detectHost(prefer: readonly ('crun' | 'runc')[] = ['crun', 'runc']): Promise<Host> {
  const runtime = prefer
    .map((name) => ({ name, path: findProgram(name) }))
    .find(({ path }) => path !== undefined);
  const conmonPath = findProgram('conmon');
  if (runtime?.path === undefined)
    throw new CaelumError(
      'unavailable',
      `Cannot run containers: neither ${prefer.join(' nor ')} is installed`,
    );
  if (conmonPath === undefined)
    throw new CaelumError('unavailable', 'Cannot run containers: conmon is not installed');
  const cgroups = readCgroupLayout();
  const [runtimeText, conmonText, conmonHelp] = await Promise.all([
    run(runtime.path, ['--version']),
    run(conmonPath, ['--version']),
    run(conmonPath, ['--help']),
  ]);
  const busybox = findProgram('busybox') ?? '/bin/busybox';
  return {
    runtimeName: runtime.name,
    runtimePath: runtime.path,
    runtimeVersion: versionIn(runtimeText.stdout),
    busybox,
    conmonPath,
    conmonVersion: versionIn(conmonText.stdout),
    conmonOptions: ['--no-sync-log'].filter((option) => conmonHelp.stdout.includes(option)),
    cgroups,
    facts: readFacts(cgroups),
    command: needsPrivateMounts(runtime.name, cgroups)
      ? withoutUnified(runtime.path, cgroups.unified ?? '', busybox)
      : [runtime.path],
  };
}

/** A program's absolute path on PATH or in the places that root's PATH may lack. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function versionIn(text: string): string {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? 'unknown';
}

function needsPrivateMounts(name: 'crun' | 'runc', cgroups: CgroupLayout): boolean {
  if (name !== 'crun' || cgroups.kind !== 'hybrid' || cgroups.unified === undefined) return false;
  return readFileSync(join(cgroups.unified, 'cgroup.controllers'), 'utf8').trim() !== '';
}

/** busybox does the unmounting itself (half the cost of a shell and umount). Mounts come in from the host and none go back. */
function withoutUnified(runtimePath: string, unified: string, busybox: string): string[] {
  const unshare = findProgram('unshare');
  if (unshare === undefined)
    throw new CaelumError(
      'unavailable',
      'Cannot run crun on a hybrid cgroup layout: unshare is not installed',
    );
  const script = `umount ${unified} && exec ${runtimePath} "$@"`;
  return [unshare, '--mount', '--propagation', 'slave', busybox, 'sh', '-c', script, runtimePath];
}

/** From /proc/self/mountinfo. */
export function readCgroupLayout(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupLayout {
  const controllers = new Map<string, string>();
  const roots: string[] = [];
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' ');
    const dash = fields.indexOf('-');
    const path = fields[4];
    if (dash < 0 || path?.startsWith('/sys/fs/cgroup') !== true) continue;
    if (fields[dash + 1] === 'cgroup2') unified = path;
    else if (fields[dash + 1] === 'cgroup') {
      roots.push(path);
      for (const option of (fields[dash + 3] ?? '').split(','))
        if (option !== 'rw' && option !== 'ro') controllers.set(option.replace(/^name=/, ''), path);
    } else continue;
  }
  const isV2 = unified === '/sys/fs/cgroup' && controllers.size === 0;
  if (isV2) return { kind: 'v2', controllers, roots: ['/sys/fs/cgroup'], unified };
  if (controllers.size === 0)
    throw new CaelumError(
      'unavailable',
      'Cannot run containers: no cgroup hierarchy is mounted at /sys/fs/cgroup',
    );
  return { kind: unified === undefined ? 'v1' : 'hybrid', controllers, roots: [...new Set(roots)], unified };
}

function readFacts(cgroups: CgroupLayout): HostFacts {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const status = readFileSync('/proc/self/status', 'utf8');
  const openFiles = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  const memory = cgroups.controllers.get('memory');
  return {
    cgroupLayout: cgroups.kind,
    architecture: process.arch,
    capabilities: maskOf(status, 'CapBnd') & maskOf(status, 'CapPrm'),
    openFilesMax: openFiles === undefined || openFiles === 'unlimited' ? undefined : Number(openFiles),
    oomScoreLeast: oomScoreLeast(status, readFileSync('/proc/self/oom_score_adj', 'utf8')),
    swapAccounting: memory !== undefined && exists(join(memory, 'memory.memsw.limit_in_bytes')),
    devices: [],
  };
}

const resourceCapability = 24n;

/** From /proc/self/status and /proc/self/oom_score_adj. Inside a container root often may not make itself less likely to be killed. */
export function oomScoreLeast(status: string, own: string): number {
  return (maskOf(status, 'CapEff') >> resourceCapability) % 2n === 1n ? -1000 : Number(own) || 0;
}

/** A set of capabilities as /proc/self/status tells it. */
const maskOf = (status: string, name: string): bigint =>
  BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);

export function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Device nodes of /dev, for privileged containers; pseudo-terminals and shared memory are the container's own. */
export async function hostDevices(folder = '/dev'): Promise<readonly HostDevice[]> {
  const devices: HostDevice[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const own = ['pts', 'shm', 'mqueue', 'fd', '.lxc', '.lxd-mounts', '.udev'].includes(entry.name);
      if (!own) devices.push(...(await hostDevices(path)));
    } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && entry.name !== 'console')
      devices.push(...(await devicesAt([path])));
  }
  return devices;
}

/** Those of these that are there, and are devices. */
export async function devicesAt(paths: readonly string[]): Promise<readonly HostDevice[]> {
  const devices: HostDevice[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || !(found.isCharacterDevice() || found.isBlockDevice())) continue;
    const { rdev, mode } = found;
    const major = ((rdev >>> 8) & 0xfff) | 0;
    const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
    devices.push({ path, type: found.isBlockDevice() ? 'b' : 'c', major, minor, fileMode: mode & 0o777 });
  }
  return devices;
}
