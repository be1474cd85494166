/**
 * What runs containers on a node. Implementations: conmon with crun or runc (`io/`), and a fake for the simulator and unit tests;
 * one contract suite on both.
 *
 * Containers belong to conmon and the kernel: they outlive the agent. Everything the runtime has to know again after a restart is on disk
 * under its root, or labelled in the OCI state. All calls are idempotent: creating what exists answers what exists.
 */

import type { ResourceRequirements } from '../../api/index.ts';

/** Of processor and memory; undefined: no limit. */
export interface Limits {
  readonly cpuShares: number;
  readonly cpuQuotaMicros: number | undefined;
  readonly memoryLimitBytes: number | undefined;
}

export interface ContainerLimits extends Limits {
  /** What was asked for, of which the numbers follow. Kept, and told by `status`. */
  readonly resources?: ResourceRequirements | undefined;
}

/** A sandbox is a pod's network namespace, its cgroup parent and its shared files (hosts, resolv.conf, hostname). */
export interface SandboxSpec extends Limits {
  /** The pod's uid. */
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly hostname: string;
  /** Path of a network namespace (`/run/netns/NAME`); undefined: the host's. */
  readonly networkNamespace: string | undefined;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  /** The pod's containers see each other's processes. */
  readonly sharePid?: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface MountSpec {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readOnly: boolean;
  /** What is mounted below it is read-only too. */
  readonly isRecursive?: boolean;
  readonly propagation?: 'private' | 'rslave' | 'rshared';
}

export interface DeviceSpec {
  /** In the container. */
  readonly path: string;
  readonly hostPath: string;
  /** `rwm` or less. */
  readonly permissions: string;
}

export interface SecuritySpec extends ContainerUser {
  readonly privileged: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly readOnlyRootFilesystem: boolean;
  /** `Localhost`: by `seccompProfile`, in the form of the OCI's runtime specification. */
  readonly seccomp: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  readonly seccompProfile?: object;
  /** Name of a profile that the kernel has loaded. */
  readonly appArmorProfile?: string;
  /** All of /proc is to be seen, and written by who may. */
  readonly unmaskedProc?: boolean;
}

export interface ContainerSpec extends ContainerLimits {
  readonly podUid: string;
  /** Id of a running container whose processes it sees, and is among. */
  readonly targetId?: string | undefined;
  /** Container name in the pod. */
  readonly name: string;
  /** How many times this container has been started before, as in `restartCount`. Identity is podUid/name/attempt. */
  readonly attempt: number;
  /** A mounted, writable root file system (made by the image store). */
  readonly rootPath: string;
  /** argv, complete. */
  readonly args: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly workingDirectory: string;
  readonly mounts: readonly MountSpec[];
  /** Nodes of the machine that it may use beside the usual ones. */
  readonly devices?: readonly DeviceSpec[];
  readonly security: SecuritySpec;
  readonly pidsLimit: number | undefined;
  readonly oomScoreAdjust: number;
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** CRI-format log file that the monitor writes. */
  readonly logPath: string;
}

export interface ContainerUser {
  readonly userId: number;
  readonly groupId: number;
  readonly supplementalGroups: readonly number[];
}

export interface ContainerStatus {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: 'created' | 'running' | 'exited';
  readonly pid: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number | undefined;
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `StartError`. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** As whom its first process was started. */
  readonly user?: ContainerUser | undefined;
  /** As they were last set; undefined when nobody knows. */
  readonly limits?: ContainerLimits | undefined;
}

export interface ExecRequest {
  readonly containerId: string;
  readonly args: readonly string[];
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** The terminal's size from its beginning, where it is known by then. */
  readonly size?: TerminalSize | undefined;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A running exec or attach. Streams are Node streams; with a terminal, stderr stays empty. */
export interface ExecSession {
  readonly stdin: NodeJS.WritableStream | undefined;
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream | undefined;
  resize(columns: number, rows: number): void;
  /** The exit code. Rejects when the command could not be started. */
  readonly exited: Promise<number>;
  kill(): void;
}

export interface ContainerUsage {
  readonly cpuNanoseconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  readonly pids: number;
}

export interface Runtime {
  /** `crun 1.8.1, conmon 2.1.6, cgroup hybrid`. */
  describe(): {
    readonly name: string;
    readonly version: string;
    readonly cgroupLayout: 'v1' | 'v2' | 'hybrid';
  };
  createSandbox(spec: SandboxSpec): Promise<void>;
  removeSandbox(podUid: string): Promise<void>;
  listSandboxes(): Promise<readonly SandboxSpec[]>;
  /** Creates and starts; resolves with the status once the process runs. Throws with a message fit for `state.waiting.message`. */
  startContainer(spec: ContainerSpec): Promise<ContainerStatus>;
  /** SIGTERM (or `signal`), then SIGKILL after the grace period. Resolves when it has exited. */
  stopContainer(id: string, gracePeriodMs: number, signal?: string): Promise<void>;
  /** Kills if needed, and forgets. Not its log. */
  removeContainer(id: string): Promise<void>;
  listContainers(): Promise<readonly ContainerStatus[]>;
  status(id: string): Promise<ContainerStatus | undefined>;
  /** Reports each exit, also those that happened while nobody was watching (at once, after subscribing). */
  onExit(handler: (status: ContainerStatus) => void): { cancel(): void };
  exec(request: ExecRequest): Promise<ExecSession>;
  attach(id: string): Promise<ExecSession>;
  /** Runs to completion; for probes and hooks. Output is cut at 10 KiB. */
  execSync(
    id: string,
    args: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }>;
  usage(id: string): Promise<ContainerUsage | undefined>;
  /** Asks the monitor to reopen the log after it was rotated. */
  reopenLog(id: string): Promise<void>;
  /** Changes the limits of a running container. */
  updateResources(id: string, limits: ContainerLimits): Promise<void>;
  /** Changes the limits of the whole pod. */
  updateSandbox(podUid: string, limits: Limits): Promise<void>;
  /** Of all containers of the pod together. */
  podUsage(podUid: string): Promise<ContainerUsage | undefined>;
  /** Stops watching. Containers go on. */
  close(): Promise<void>;
  /** Removes every container and sandbox, and what was made for all of them (cgroups); then closes. For `down`. */
  destroy(): Promise<void>;
}
