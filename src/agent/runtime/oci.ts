/**
 * From a container's specification to an OCI `config.json` (runtime-spec 1.0). Pure: the same input gives the same text.
 *
 *   ContainerSpec + the pod's sandbox + facts of the host ──▶ ociConfig ──▶ bundle
 *   ContainerSpec + a command                             ──▶ ociProcess ──▶ exec
 *
 * The pod shares network, uts and ipc namespaces and /dev/shm, all joined by path; each container has its own mount namespace, and
 * its own pid namespace unless it joins one.
 * Invariant: nothing of the host is visible but what `mounts` names, unless the container is privileged.
 */
import { cpuPeriodMicros } from './cgroup-values.ts';
import type { ContainerSpec, MountSpec, SandboxSpec, TerminalSize } from './runtime.ts';
import { runtimeDefaultProfile, type SeccompProfile } from './seccomp.ts';

/** What the pod's containers share. undefined: the host's own. */
export interface SandboxPaths {
  readonly utsNamespace: string | undefined;
  readonly ipcNamespace: string | undefined;
  /** undefined: one of its own, or the host's where the sandbox says so. */
  readonly pidNamespace?: string | undefined;
  /** Directory that becomes /dev/shm. */
  readonly sharedMemory: string;
}

export interface HostDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
}

export interface HostFacts {
  readonly cgroupLayout: 'v1' | 'v2' | 'hybrid';
  /** As Node names it: x64, arm64. */
  readonly architecture: string;
  /** Those that we may hand on, a bit each: inside a container root may lack some. */
  readonly capabilities: bigint;
  /** Hard limit of open files of the agent; undefined: unlimited. */
  readonly openFilesMax: number | undefined;
  /** The kernel lets us set none lower: −1000, or our own without CAP_SYS_RESOURCE. */
  readonly oomScoreLeast: number;
  /** Whether memory plus swap can be limited. */
  readonly swapAccounting: boolean;
  /** For privileged containers only. */
  readonly devices: readonly HostDevice[];
  /** Those that the container has claimed. */
  readonly claimed?: readonly HostDevice[];
}

/** In kernel order: the index is the capability's number (capabilities(7)). */
const capabilityNames =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
    .split(' ')
    .map((name) => `CAP_${name}`);

/** What containerd grants by default. */
const defaultCapabilities =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const openFilesSoft = 65_536;

/** The capabilities that the container holds, sorted by number. Names come with or without `CAP_`; `ALL` means all. */
export function capabilitiesOf(spec: ContainerSpec, ours: bigint): readonly string[] {
  const known = capabilityNames.filter((_, number) => (ours >> BigInt(number)) % 2n === 1n);
  const { privileged, addCapabilities, dropCapabilities } = spec.security;
  if (privileged) return known;
  const named = (list: readonly string[]): string[] =>
    list.map((name) => name.toUpperCase()).map((name) => (name.startsWith('CAP_') ? name : `CAP_${name}`));
  const added = new Set(named(addCapabilities));
  const dropped = new Set(named(dropCapabilities));
  const held = new Set(dropped.has('CAP_ALL') ? [] : added.has('CAP_ALL') ? known : defaultCapabilities);
  for (const name of added) held.add(name);
  for (const name of dropped) if (!(dropped.has('CAP_ALL') && added.has(name))) held.delete(name);
  // What is asked for by name and is not ours to give makes the start fail: that is better than to start without.
  return capabilityNames.filter((name) => held.has(name) && (added.has(name) || known.includes(name)));
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: Readonly<Record<'bounding' | 'effective' | 'permitted', readonly string[]>>;
  readonly rlimits: readonly { readonly type: string; readonly hard: number; readonly soft: number }[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj: number;
}

/** The process object of a bundle, and of an exec with its own command. */
export function ociProcess(
  spec: ContainerSpec,
  sandbox: SandboxSpec,
  host: HostFacts,
  command: {
    readonly args: readonly string[];
    readonly terminal: boolean;
    readonly size?: TerminalSize | undefined;
  },
): OciProcess {
  const { security } = spec;
  const names = new Set(spec.env.map(([name]) => name));
  const env = spec.env.map(([name, value]) => `${name}=${value}`);
  if (!names.has('PATH')) env.unshift(`PATH=${defaultPath}`);
  if (!names.has('HOSTNAME')) env.push(`HOSTNAME=${sandbox.hostname}`);
  if (command.terminal && !names.has('TERM')) env.push('TERM=xterm');
  const capabilities = capabilitiesOf(spec, host.capabilities);
  // A process that is not root starts with none in effect; it may still gain those of the bounding set by executing a set-user-id program.
  const effective = security.userId === 0 ? capabilities : [];
  const hard = host.openFilesMax ?? 1_048_576;
  return {
    terminal: command.terminal,
    ...(command.size && { consoleSize: { height: command.size.rows, width: command.size.columns } }),
    user: { uid: security.userId, gid: security.groupId, additionalGids: security.supplementalGroups },
    args: command.args,
    env,
    cwd: spec.workingDirectory === '' ? '/' : spec.workingDirectory,
    capabilities: { bounding: capabilities, effective, permitted: effective },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard, soft: Math.min(hard, openFilesSoft) }],
    noNewPrivileges: security.noNewPrivileges,
    ...(security.appArmorProfile === undefined ? {} : { apparmorProfile: security.appArmorProfile }),
    oomScoreAdj: Math.max(host.oomScoreLeast, spec.oomScoreAdjust),
  };
}

interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciConfig {
  readonly ociVersion: string;
  readonly hostname?: string;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly process: OciProcess;
  readonly mounts: readonly OciMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupsPath: string;
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly resources: object;
    readonly devices: readonly object[];
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly rootfsPropagation: string;
    readonly seccomp?: SeccompProfile;
  };
}

/** The whole bundle. `cgroupsPath` is absolute below the cgroup roots. */
export function ociConfig(
  spec: ContainerSpec,
  sandbox: SandboxSpec,
  paths: SandboxPaths,
  host: HostFacts,
  cgroupsPath: string,
): OciConfig {
  const { security } = spec;
  const privileged = security.privileged;
  const isOpen = privileged || security.unmaskedProc === true;
  const seccomp =
    privileged || security.seccomp === 'Unconfined'
      ? undefined
      : security.seccomp === 'Localhost'
        ? (security.seccompProfile as SeccompProfile)
        : runtimeDefaultProfile(new Set(capabilitiesOf(spec, host.capabilities)), host.architecture);
  return {
    ociVersion: '1.0.2',
    root: { path: spec.rootPath, readonly: security.readOnlyRootFilesystem },
    process: ociProcess(spec, sandbox, host, { args: spec.args, terminal: spec.terminal }),
    // Parents before children: a volume below another volume must be mounted after it.
    mounts: [...systemMounts(paths, host, privileged), ...byDepth(spec.mounts).map(bindMount)],
    annotations: {
      'io.kubernetes.pod.name': sandbox.podName,
      'io.kubernetes.pod.namespace': sandbox.podNamespace,
      'io.kubernetes.pod.uid': spec.podUid,
      'io.kubernetes.container.name': spec.name,
    },
    linux: {
      cgroupsPath,
      namespaces: namespacesOf(sandbox, paths, host),
      resources: resourcesOf(spec, host),
      devices: [
        ...(privileged ? host.devices : []).map((device) => ({ ...device, uid: 0, gid: 0 })),
        ...claimedDevices(spec, host).map(({ device, path }) => ({ ...device, path, uid: 0, gid: 0 })),
      ],
      maskedPaths: isOpen ? [] : maskedPaths,
      readonlyPaths: isOpen ? [] : readonlyPaths,
      rootfsPropagation: propagationOf(spec.mounts),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  };
}

/** Nodes that are not there are passed over: the program finds out. */
function claimedDevices(
  { devices = [] }: ContainerSpec,
  host: HostFacts,
): readonly { readonly device: HostDevice; readonly path: string; readonly permissions: string }[] {
  return devices.flatMap(({ path, hostPath, permissions }) => {
    const device = (host.claimed ?? []).find((one) => one.path === hostPath);
    return device === undefined ? [] : [{ device, path, permissions }];
  });
}

function namespacesOf(
  sandbox: SandboxSpec,
  paths: SandboxPaths,
  host: HostFacts,
): { type: string; path?: string }[] {
  const namespaces: { type: string; path?: string }[] = [{ type: 'mount' }];
  const { pidNamespace } = paths;
  if (pidNamespace !== undefined) namespaces.push({ type: 'pid', path: pidNamespace });
  else if (!sandbox.hostPid) namespaces.push({ type: 'pid' });
  if (sandbox.networkNamespace !== undefined)
    namespaces.push({ type: 'network', path: sandbox.networkNamespace });
  if (paths.utsNamespace !== undefined) namespaces.push({ type: 'uts', path: paths.utsNamespace });
  if (paths.ipcNamespace !== undefined) namespaces.push({ type: 'ipc', path: paths.ipcNamespace });
  if (host.cgroupLayout === 'v2') namespaces.push({ type: 'cgroup' });
  return namespaces;
}

function systemMounts(paths: SandboxPaths, host: HostFacts, privileged: boolean): OciMount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  const access = privileged ? 'rw' : 'ro';
  const shared = host.cgroupLayout === 'v2' ? [] : ['relatime'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...safe, ...shared, access],
    },
    {
      destination: '/dev/shm',
      type: 'bind',
      source: paths.sharedMemory,
      options: ['rbind', 'rprivate', ...safe],
    },
  ];
}

function byDepth(mounts: readonly MountSpec[]): readonly MountSpec[] {
  const depth = (mount: MountSpec): number =>
    mount.containerPath.split('/').filter((part) => part !== '').length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

function bindMount(mount: MountSpec): OciMount {
  const propagation =
    mount.propagation === undefined || mount.propagation === 'private' ? 'rprivate' : mount.propagation;
  return {
    destination: mount.containerPath,
    type: 'bind',
    source: mount.hostPath,
    options: ['rbind', propagation, mount.readOnly ? (mount.isRecursive === true ? 'rro' : 'ro') : 'rw'],
  };
}

/** Mounts can only travel as far as the root lets them. */
function propagationOf(mounts: readonly MountSpec[]): string {
  if (mounts.some((mount) => mount.propagation === 'rshared')) return 'rshared';
  return mounts.some((mount) => mount.propagation === 'rslave') ? 'rslave' : 'rprivate';
}

function resourcesOf(spec: ContainerSpec, host: HostFacts): object {
  const { memoryLimitBytes: limit, pidsLimit, cpuQuotaMicros: quota } = spec;
  return {
    devices: [
      { allow: spec.security.privileged, access: 'rwm' },
      ...claimedDevices(spec, host).map(({ device, permissions }) => ({
        allow: true,
        type: device.type,
        major: device.major,
        minor: device.minor,
        access: permissions,
      })),
    ],
    cpu: {
      shares: Math.max(2, spec.cpuShares),
      ...(quota === undefined ? {} : { quota: Math.max(1000, quota), period: cpuPeriodMicros }),
    },
    // Swap equal to the limit means none: a pod that swaps is a pod whose limit says nothing.
    ...(limit === undefined ? {} : { memory: host.swapAccounting ? { limit, swap: limit } : { limit } }),
    ...(pidsLimit === undefined ? {} : { pids: { limit: pidsLimit } }),
  };
}
