/**
 * Real containers, by conmon and crun (or runc).
 *
 *   startContainer ─▶ bundle ─▶ conmon ─▶ crun create ─▶ start            exits/ ─▶ watch ─▶ onExit
 *
 * Memory holds what the disk says; the disk is read once at start. Ends are learnt from conmon's exit files through one file watch:
 * nothing is polled. A container whose conmon was killed is noticed when it is next looked at.
 * Invariant: an id is removed from disk before it is forgotten, and ids are a hash of pod, name and attempt, so all calls repeat safely.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError, type Clock, explainError, type Log } from '../../../lib/index.ts';
import { type OciConfig, ociConfig, ociProcess } from '../oci.ts';
import type {
  ContainerLimits,
  ContainerSpec,
  ContainerStatus,
  ContainerUsage,
  ExecRequest,
  ExecSession,
  Limits,
  Runtime,
  SandboxSpec,
} from '../runtime.ts';
import { attachTo, control } from './attach.ts';
import { Cgroups, killQuietly } from './cgroups.ts';
import * as disk from './container-folder.ts';
import { Execs, type ExecTarget } from './exec.ts';
import { detectHost, devicesAt, exists, type Host, hostDevices } from './host.ts';
import { createMonitored, runtimeOptions, startCreated } from './monitor.ts';
import { Sandboxes } from './sandboxes.ts';
import { SeccompCache } from './seccomp-cache.ts';
import {
  type HeldNamespace,
  holdPidNamespace,
  keeperName,
  keeperRoot,
  keeperSpec,
} from './shared-processes.ts';

export interface RuntimeOptions {
  /** Directory of ours, on a real disk or tmpfs. */
  readonly root: string;
  /** Names this cloud among others on the machine: cgroups are below `/caelum-<cloud>`. */
  readonly cloud: string;
  readonly clock: Clock;
  readonly log: Log;
  /** OCI runtimes in order of preference. Default crun, then runc. */
  readonly prefer?: readonly ('crun' | 'runc')[];
}

interface Container {
  readonly id: string;
  spec: ContainerSpec;
  readonly cgroupPath: string;
  state: 'created' | 'running' | 'exited';
  pid: number | undefined;
  startedAtMs: number | undefined;
  ended: disk.Ended | undefined;
  reason: string | undefined;
  readonly exited: PromiseWithResolvers<void>;
}

const identifier = /^[0-9a-f]{64}$/;
/** How long a killed container may take to be reported. */
const killPatienceMs = 10_000;

/** Reads what is there already. Throws `unavailable` when a part is missing or we are not root. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  if (process.getuid?.() !== 0) throw new CaelumError('unavailable', 'Cannot run containers: not root');
  const host = await detectHost(options.prefer);
  const runtime = new ConmonRuntime(host, options);
  await runtime.load();
  return runtime;
}

class ConmonRuntime implements Runtime {
  readonly #host: Host;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #cgroups: Cgroups;
  readonly #sandboxes: Sandboxes;
  readonly #execs: Execs;
  /** Only crun takes compiled filters. */
  readonly #seccomp: SeccompCache | undefined;
  readonly #containers = new Map<string, Container>();
  readonly #starting = new Map<string, Promise<ContainerStatus>>();
  readonly #creating = new Map<string, Promise<void>>();
  /** By pod: keepers of processes that are being ended. */
  readonly #endingKeepers = new Map<string, Promise<void>>();
  readonly #handlers = new Set<(status: ContainerStatus) => void>();
  #watcher: FSWatcher | undefined;

  constructor(host: Host, options: RuntimeOptions) {
    this.#host = host;
    this.#root = options.root;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#cgroups = new Cgroups(host.cgroups, `/caelum-${options.cloud}`);
    this.#sandboxes = new Sandboxes(options.root);
    this.#seccomp =
      host.runtimeName === 'crun' ? new SeccompCache(options.root, host.runtimeVersion) : undefined;
    const [program = '', ...before] = host.command;
    const command = [program, ...before, ...runtimeOptions(this.#stateFolder, host.runtimeName)];
    this.#execs = new Execs(options.root, command);
  }

  get #stateFolder(): string {
    return join(this.#root, 'oci');
  }

  get #exitFolder(): string {
    return join(this.#root, 'exits');
  }

  describe(): {
    readonly name: string;
    readonly version: string;
    readonly cgroupLayout: 'v1' | 'v2' | 'hybrid';
  } {
    const { runtimeName, runtimeVersion, conmonVersion, cgroups } = this.#host;
    const version = `${runtimeVersion}, conmon ${conmonVersion}, cgroup ${cgroups.kind}`;
    return { name: runtimeName, version, cgroupLayout: cgroups.kind };
  }

  /** Reads containers and sandboxes from disk, and begins to watch. */
  async load(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const rebooted = await this.#noteBoot();
    if (rebooted) await rm(this.#stateFolder, { recursive: true, force: true });
    const folders = ['containers', 'exits', 'oci'].map((name) => join(this.#root, name));
    await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    await Promise.all([this.#cgroups.prepare(), this.#sandboxes.load(rebooted), this.#execs.prepare()]);
    // Watched first, read second: an end in between is seen twice, never missed.
    this.#watcher = watch(this.#exitFolder, (_event, name) => {
      if (name === null) void this.#readExits();
      else if (identifier.test(name)) void this.#readExit(name);
    });
    this.#watcher.on('error', (error) => this.#log.error('The watch on exit files has ended', { error }));
    await Promise.all((await readdir(join(this.#root, 'containers'))).map((id) => this.#loadContainer(id)));
  }

  /** True when the machine was started anew since the last time: mounts, cgroups and processes are gone. */
  async #noteBoot(): Promise<boolean> {
    const path = join(this.#root, 'boot-id');
    const now = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const before = exists(path) ? readFileSync(path, 'utf8').trim() : now;
    await writeFile(path, now);
    return before !== now;
  }

  async #loadContainer(id: string): Promise<void> {
    const places = { root: this.#root, id };
    const spec = identifier.test(id) ? await disk.readSpec(places) : undefined;
    if (spec === undefined) {
      await rm(join(this.#root, 'containers', id), { recursive: true, force: true });
      return;
    }
    const container = this.#record(id, spec);
    const found = await disk.find(places, container.cgroupPath, this.#clock.nowMs());
    if (found.kind === 'unfinished') {
      this.#log.info('Removing a container that was never started', { id, container: spec.name });
      await this.#erase(container);
      return;
    }
    this.#containers.set(id, container);
    container.startedAtMs = found.startedAtMs;
    if (found.kind === 'exited') return this.#markEnded(container, found.ended);
    container.state = 'running';
    container.pid = found.pid;
  }

  #record(id: string, spec: ContainerSpec): Container {
    return {
      id,
      spec,
      cgroupPath: this.#cgroups.containerPath(spec.podUid, id),
      state: 'created',
      pid: undefined,
      startedAtMs: undefined,
      ended: undefined,
      reason: undefined,
      exited: Promise.withResolvers(),
    };
  }

  createSandbox(spec: SandboxSpec): Promise<void> {
    return shared(this.#creating, spec.podUid, async () => {
      if (this.#sandboxes.get(spec.podUid) !== undefined) return;
      await Promise.all([this.#cgroups.createPod(spec.podUid, spec), this.#sandboxes.create(spec)]);
    });
  }

  async removeSandbox(podUid: string): Promise<void> {
    await Promise.all(this.#containersOf(podUid).map(({ id }) => this.removeContainer(id)));
    await Promise.all([this.#sandboxes.remove(podUid), this.#cgroups.remove(this.#cgroups.podPath(podUid))]);
  }

  async listSandboxes(): Promise<readonly SandboxSpec[]> {
    return this.#sandboxes.list();
  }

  startContainer(spec: ContainerSpec): Promise<ContainerStatus> {
    const id = containerId(spec);
    return shared(this.#starting, id, () => this.#start(id, spec));
  }

  async #start(id: string, spec: ContainerSpec): Promise<ContainerStatus> {
    const existing = this.#containers.get(id);
    if (existing !== undefined) return this.#statusOf(existing);
    const sandbox = this.#sandboxes.get(spec.podUid);
    if (sandbox === undefined)
      throw new CaelumError('notFound', `Cannot start container "${spec.name}": no sandbox "${spec.podUid}"`);
    const container = this.#record(id, spec);
    this.#containers.set(id, container);
    void this.#cgroups.hasten();
    const folder = disk.folderOf({ root: this.#root, id });
    let uncompiled: OciConfig | undefined;
    let joined: HeldNamespace | undefined;
    try {
      joined = await this.#namespaceToJoin(spec, sandbox);
      const config = await this.#configOf(container, sandbox, joined?.path);
      const compiled = (await this.#seccomp?.apply(config)) ?? config;
      if (compiled === config) uncompiled = config;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await Promise.all([
        disk.writeSpec({ root: this.#root, id }, spec),
        writeFile(join(folder, 'config.json'), JSON.stringify(compiled), { mode: 0o600 }),
      ]);
      const places = { id, spec, folder, exitFolder: this.#exitFolder, stateFolder: this.#stateFolder };
      container.pid = await createMonitored(this.#host, places);
      await startCreated(this.#host, this.#stateFolder, id);
    } catch (error) {
      await this.#erase(container);
      this.#containers.delete(id);
      throw error;
    } finally {
      await joined?.release();
    }
    container.state = 'running';
    container.startedAtMs = this.#clock.nowMs();
    const status = this.#statusOf(container);
    const monitor = await disk.monitorPid({ root: this.#root, id });
    if (monitor !== undefined) void this.#cgroups.adoptMonitor(monitor);
    if (uncompiled !== undefined) void this.#seccomp?.learn(uncompiled, join(this.#stateFolder, id));
    // An end so quick that its file came before the state was set.
    void this.#readExit(id);
    return status;
  }

  async #configOf(
    { spec, cgroupPath }: Container,
    sandbox: SandboxSpec,
    pidNamespace: string | undefined,
  ): Promise<OciConfig> {
    const { facts } = this.#host;
    const own = spec.security.privileged ? { ...facts, devices: await hostDevices() } : facts;
    const claimed = (spec.devices ?? []).map(({ hostPath }) => hostPath);
    const seen = claimed.length === 0 ? own : { ...own, claimed: await devicesAt(claimed) };
    const paths = { ...this.#sandboxes.paths(sandbox), pidNamespace };
    return ociConfig(spec, sandbox, paths, seen, cgroupPath);
  }

  async #namespaceToJoin(spec: ContainerSpec, sandbox: SandboxSpec): Promise<HeldNamespace | undefined> {
    if (spec.name === keeperName) return undefined;
    const isShared = sandbox.sharePid === true && !sandbox.hostPid;
    const target =
      spec.targetId !== undefined
        ? this.#running(spec.targetId, 'join the processes of')
        : isShared
          ? await this.#keeperOf(sandbox)
          : undefined;
    if (target === undefined || (spec.targetId !== undefined && sandbox.hostPid)) return undefined;
    return holdPidNamespace(target.spec.name, target.pid, target.cgroupPath);
  }

  /** The container that keeps the pod's processes together, started where it does not run. */
  async #keeperOf({ podUid }: SandboxSpec): Promise<Container | undefined> {
    await this.#endingKeepers.get(podUid);
    const known = this.#containersOf(podUid).filter(({ spec }) => spec.name === keeperName);
    const running = known.find(({ state }) => state === 'running');
    if (running !== undefined) return running;
    const attempt = known.filter(({ state }) => state === 'exited').length;
    const rootPath = await keeperRoot(this.#root, this.#host.busybox);
    const logPath = join(this.#root, 'sandboxes', podUid, 'processes.log');
    const { id } = await this.startContainer(keeperSpec(podUid, attempt, rootPath, logPath));
    return this.#containers.get(id);
  }

  #containersOf(podUid: string): readonly Container[] {
    return [...this.#containers.values()].filter(({ spec }) => spec.podUid === podUid);
  }

  /** When the last of a pod's containers has ended, there is nothing to keep together. */
  #endKeeper(podUid: string): void {
    const all = this.#containersOf(podUid);
    if (all.some(({ spec, state }) => spec.name !== keeperName && state !== 'exited')) return;
    // Whoever starts meanwhile waits, and gets a new one.
    void shared(this.#endingKeepers, podUid, async () => {
      const keepers = all.filter(({ spec }) => spec.name === keeperName);
      for (const result of await Promise.allSettled(keepers.map((keeper) => this.#kill(keeper))))
        if (result.status === 'rejected')
          this.#log.warn('cannot end what keeps the processes of a pod', { podUid, error: result.reason });
    });
  }

  async stopContainer(id: string, gracePeriodMs: number, signal = 'SIGTERM'): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    const isGraceful = signal !== 'SIGKILL' && gracePeriodMs > 0;
    if (isGraceful) {
      await this.#signal(container, signal);
      const grace = Promise.withResolvers<void>();
      const timer = this.#clock.after(gracePeriodMs, () => grace.resolve());
      await Promise.race([container.exited.promise, grace.promise]);
      timer.cancel();
    }
    await this.#kill(container);
  }

  /** Kills and waits for the report. */
  async #kill(container: Container): Promise<void> {
    if (container.state === 'exited') return;
    await this.#signal(container, 'SIGKILL');
    // Its pid namespace dies with it; in the host's, children would stay.
    await this.#cgroups.killAll(container.cgroupPath);
    await Promise.race([container.exited.promise, this.#untilGone(container)]);
    if (container.ended === undefined)
      throw new CaelumError('timeout', `Cannot kill container "${container.spec.name}": it is still there`);
  }

  /** For a container whose monitor is dead: nobody will write an exit file. Bounded. */
  async #untilGone(container: Container): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + killPatienceMs;
    while (container.state !== 'exited' && this.#clock.monotonicMs() < deadlineMs) {
      await this.#clock.sleep(100);
      await this.#refresh(container);
    }
  }

  async #signal(container: Container, signal: string): Promise<void> {
    const { pid, cgroupPath } = container;
    if (pid === undefined || !(await disk.isProcessOf(pid, cgroupPath))) return;
    try {
      process.kill(pid, signal);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw new CaelumError('badRequest', `Cannot send ${signal} to container "${container.spec.name}"`, {
        cause,
      });
    }
  }

  async removeContainer(id: string): Promise<void> {
    await this.#starting.get(id)?.catch(() => undefined);
    const container = this.#containers.get(id);
    if (container === undefined) return;
    await this.#kill(container);
    await this.#erase(container);
    this.#containers.delete(id);
  }

  /** Ends what may still run of it and removes every trace but the log. */
  async #erase(container: Container): Promise<void> {
    const places = { root: this.#root, id: container.id };
    await this.#cgroups.killAll(container.cgroupPath);
    const monitor = await disk.monitorPid(places);
    // A conmon whose container is gone ends by itself; one that still creates it must not go on.
    if (monitor !== undefined && container.state !== 'exited' && (await disk.isMonitorAlive(places)))
      killQuietly(monitor);
    await this.#cgroups.killAll(container.cgroupPath);
    await this.#cgroups.remove(container.cgroupPath);
    await Promise.all([
      rm(join(this.#stateFolder, container.id), { recursive: true, force: true }),
      rm(join(this.#exitFolder, container.id), { force: true }),
    ]);
    await rm(disk.folderOf(places), { recursive: true, force: true });
  }

  async listContainers(): Promise<readonly ContainerStatus[]> {
    const all = this.#told();
    await Promise.all(all.map((container) => this.#refresh(container)));
    return all.map((container) => this.#statusOf(container));
  }

  #told(): readonly Container[] {
    return [...this.#containers.values()].filter(({ spec }) => spec.name !== keeperName);
  }

  async status(id: string): Promise<ContainerStatus | undefined> {
    const container = this.#containers.get(id);
    if (container === undefined) return undefined;
    await this.#refresh(container);
    return this.#statusOf(container);
  }

  /** Looks whether a container that should run still does. */
  async #refresh(container: Container): Promise<void> {
    if (container.state !== 'running' || container.pid === undefined) return;
    if (await disk.isProcessOf(container.pid, container.cgroupPath)) return;
    const places = { root: this.#root, id: container.id };
    const found = await disk.find(places, container.cgroupPath, this.#clock.nowMs());
    if (found.kind === 'exited') await this.#markEnded(container, found.ended);
    // Its folder was removed under us.
    if (found.kind === 'unfinished')
      await this.#markEnded(
        container,
        disk.endedUnseen(this.#clock.nowMs(), 'it was removed by somebody else'),
      );
  }

  #statusOf(container: Container): ContainerStatus {
    const { id, spec, state, pid, startedAtMs, ended, reason } = container;
    return {
      id,
      podUid: spec.podUid,
      name: spec.name,
      attempt: spec.attempt,
      state,
      pid: state === 'exited' ? undefined : pid,
      startedAtMs,
      finishedAtMs: ended?.finishedAtMs,
      exitCode: ended?.exitCode,
      reason,
      message: ended?.message,
      user: spec.security,
      limits: spec,
    };
  }

  async #readExits(): Promise<void> {
    for (const container of this.#containers.values()) await this.#readExit(container.id);
  }

  async #readExit(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container?.state !== 'running') return;
    const ended = await disk.readEnded({ root: this.#root, id });
    if (ended !== undefined) await this.#markEnded(container, ended);
  }

  async #markEnded(container: Container, ended: disk.Ended): Promise<void> {
    const kills = ended.exitCode === 0 ? 0 : await this.#cgroups.oomKills(container.cgroupPath);
    if (container.state === 'exited') return;
    container.state = 'exited';
    container.ended = ended;
    container.reason = kills > 0 ? 'OOMKilled' : ended.exitCode === 0 ? 'Completed' : 'Error';
    container.exited.resolve();
    const { podUid, name } = container.spec;
    if (name === keeperName) return;
    if (this.#sandboxes.get(podUid)?.sharePid === true) this.#endKeeper(podUid);
    const status = this.#statusOf(container);
    for (const handler of this.#handlers) this.#report(handler, status);
  }

  #report(handler: (status: ContainerStatus) => void, status: ContainerStatus): void {
    try {
      handler(status);
    } catch (error) {
      this.#log.error('A handler of container exits has failed', {
        id: status.id,
        error: explainError(error),
      });
    }
  }

  onExit(handler: (status: ContainerStatus) => void): { cancel(): void } {
    this.#handlers.add(handler);
    const past = this.#told().filter((container) => container.state === 'exited');
    const timer = this.#clock.after(0, () => {
      for (const container of past)
        if (this.#containers.get(container.id) === container)
          this.#report(handler, this.#statusOf(container));
    });
    return {
      cancel: () => {
        timer.cancel();
        this.#handlers.delete(handler);
      },
    };
  }

  #running(id: string, verb: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined)
      throw new CaelumError('notFound', `Cannot ${verb} container "${id}": no such container`);
    if (container.state !== 'running')
      throw new CaelumError(
        'conflict',
        `Cannot ${verb} container "${container.spec.name}": it is not running`,
      );
    return container;
  }

  #target(id: string, command: Pick<ExecRequest, 'args' | 'terminal' | 'size'>): ExecTarget {
    const { spec } = this.#running(id, 'exec in');
    const sandbox = this.#sandboxes.get(spec.podUid);
    if (sandbox === undefined)
      throw new CaelumError('notFound', `Cannot exec in container "${spec.name}": its pod is gone`);
    return { id, name: spec.name, process: ociProcess(spec, sandbox, this.#host.facts, command) };
  }

  async exec(request: ExecRequest): Promise<ExecSession> {
    const target = this.#target(request.containerId, request);
    return this.#execs.open(target, request.stdin);
  }

  async execSync(
    id: string,
    args: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }> {
    return this.#execs.sync(this.#target(id, { args, terminal: false }), timeoutMs);
  }

  async attach(id: string): Promise<ExecSession> {
    const container = this.#running(id, 'attach to');
    const { name, terminal, stdin } = container.spec;
    const exited = container.exited.promise.then(() => container.ended?.exitCode ?? 0);
    return attachTo({ name, folder: disk.folderOf({ root: this.#root, id }), terminal, stdin, exited });
  }

  async usage(id: string): Promise<ContainerUsage | undefined> {
    const container = this.#containers.get(id);
    return container?.state === 'running' ? this.#cgroups.usage(container.cgroupPath) : undefined;
  }

  async reopenLog(id: string): Promise<void> {
    const container = this.#running(id, 'reopen the log of');
    if (!control(disk.folderOf({ root: this.#root, id }), '2 0 0\n'))
      throw new CaelumError(
        'unavailable',
        `Cannot reopen the log of "${container.spec.name}": its monitor is gone`,
      );
    // conmon takes the line when it comes to it; the caller wants the new file.
    for (let attempt = 0; attempt < 100 && !exists(container.spec.logPath); attempt++)
      await this.#clock.sleep(5);
  }

  /** The kernel first, then the file: an agent that dies in between finds the old ones written, and sets the new ones again. */
  async updateResources(id: string, limits: ContainerLimits): Promise<void> {
    const container = this.#running(id, 'update');
    await this.#cgroups.setLimits(container.cgroupPath, limits);
    const spec = { ...container.spec, ...limits };
    await disk.writeSpec({ root: this.#root, id }, spec);
    container.spec = spec;
  }

  async updateSandbox(podUid: string, limits: Limits): Promise<void> {
    const sandbox = this.#sandboxes.get(podUid);
    if (sandbox === undefined)
      throw new CaelumError('notFound', `Cannot update pod "${podUid}": it has no sandbox`);
    const { cpuShares, cpuQuotaMicros, memoryLimitBytes } = limits;
    await this.#cgroups.setLimits(this.#cgroups.podPath(podUid), limits);
    await this.#sandboxes.rewrite({ ...sandbox, cpuShares, cpuQuotaMicros, memoryLimitBytes });
  }

  async podUsage(podUid: string): Promise<ContainerUsage | undefined> {
    return this.#cgroups.usage(this.#cgroups.podPath(podUid));
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    this.#handlers.clear();
  }

  async destroy(): Promise<void> {
    const pods = new Set([
      ...this.#sandboxes.list().map((sandbox) => sandbox.podUid),
      ...(await this.#cgroups.listPods()),
    ]);
    await Promise.all([...pods].map((podUid) => this.removeSandbox(podUid)));
    await this.close();
    await this.#cgroups.remove(this.#cgroups.parent);
    const folders = ['containers', 'exits', 'oci', 'sandboxes', 'execs', 'seccomp', 'keeper'];
    await Promise.all(folders.map((name) => rm(join(this.#root, name), { recursive: true, force: true })));
  }
}

function containerId(spec: ContainerSpec): string {
  return createHash('sha256').update(`${spec.podUid}/${spec.name}/${spec.attempt}`).digest('hex');
}

/** One work at a time for a key: who comes meanwhile gets the same answer. */
function shared<Value>(
  works: Map<string, Promise<Value>>,
  key: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const under = works.get(key);
  if (under !== undefined) return under;
  const promise = work().finally(() => works.delete(key));
  works.set(key, promise);
  return promise;
}
