/**
 * A runtime in memory, for the simulator and unit tests: containers are entries in a table, their life is scripted.
 *
 *   FakeHost (survives) ◀── FakeRuntime (one agent's life; `close` it and make another on the same host: a restarted agent)
 *
 * Time comes from the clock, delays from the seeded random source. Invariant: a container's exit is reported once to each handler
 * per subscription, and never before `startContainer` has resolved.
 */
import { assert, CaelumError, type Clock, type Random, type Timer } from '../../lib/index.ts';
import { createMemorySession, type MemorySession } from './io/memory-session.ts';
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
} from './runtime.ts';

export interface FakeExecResult {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** How long it takes; default at once. */
  readonly afterMs?: number;
}

/** What a container does. Everything is optional: by default it runs until it is told to stop. */
export interface FakeProgram {
  /** The start fails with this message. */
  readonly failToStart?: string;
  /** It exits by itself, so long after its start. */
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  readonly reason?: 'OOMKilled';
  /** What it does on SIGTERM. Default: exits 143 after 10 ms. */
  readonly terminate?: { readonly afterMs: number; readonly exitCode: number } | 'ignore';
  readonly exec?: (args: readonly string[], stdin: string) => FakeExecResult;
  readonly usage?: (runningMs: number) => ContainerUsage;
}

interface FakeContainer {
  readonly id: string;
  spec: ContainerSpec;
  readonly program: FakeProgram;
  state: 'created' | 'running' | 'exited';
  pid: number | undefined;
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  exitCode: number | undefined;
  reason: string | undefined;
  message: string | undefined;
  exitTimer: Timer | undefined;
  readonly started: PromiseWithResolvers<void>;
  readonly exited: PromiseWithResolvers<void>;
}

/** The simulated machine: what outlives an agent. */
export class FakeHost {
  readonly sandboxes = new Map<string, SandboxSpec>();
  readonly containers = new Map<string, FakeContainer>();
  readonly watchers = new Set<(container: FakeContainer) => void>();
  nextPid = 1000;

  /** A container's process ends. One that has ended, or was removed, stays as it is. */
  exit(id: string, exitCode: number, nowMs: number, reason?: string): void {
    const container = this.containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    this.#end(container, exitCode, nowMs, reason);
    for (const watcher of this.watchers) watcher(container);
  }

  #end(container: FakeContainer, exitCode: number, nowMs: number, reason?: string): void {
    container.exitTimer?.cancel();
    container.state = 'exited';
    container.pid = undefined;
    container.finishedAtMs = nowMs;
    container.exitCode = exitCode;
    container.reason = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    container.exited.resolve();
  }

  /**
   * The power goes: no container runs on, no sandbox is left, nobody is told. Where the runtime's folder is on a disk, the containers are
   * found afterwards, ended as nobody knows (code 255); where it is in memory (`forgets`), they are not.
   */
  powerCut(nowMs: number, forgets: boolean): void {
    this.watchers.clear();
    this.sandboxes.clear();
    for (const container of this.containers.values())
      if (container.state !== 'exited') this.#end(container, 255, nowMs);
    if (forgets) this.containers.clear();
  }
}

export interface FakeRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Share it between runtimes to simulate a restarted agent. Default: a new one. */
  readonly host?: FakeHost;
  /** The machine's time: containers go on by it when the agent that started them is gone. Default: `clock`. */
  readonly machineClock?: Clock;
  /** Least and most milliseconds that a start takes. Default 1 to 5. */
  readonly startDelayMs?: readonly [number, number];
  readonly program?: (spec: ContainerSpec) => FakeProgram;
}

/** The runtime interface plus what a test may do to containers. */
export interface FakeRuntime extends Runtime {
  readonly host: FakeHost;
  /** The container's process ends now, by itself. */
  exitContainer(id: string, exitCode: number, reason?: 'OOMKilled'): void;
  /** Its specification, with limits as last updated. */
  specOf(id: string): ContainerSpec | undefined;
}

export function createFakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  return new InMemoryRuntime(options);
}

const outputLimitBytes = 10 * 1024;

class InMemoryRuntime implements FakeRuntime {
  readonly host: FakeHost;
  readonly #clock: Clock;
  readonly #machineClock: Clock;
  readonly #random: Random;
  readonly #options: FakeRuntimeOptions;
  readonly #subscriptions = new Set<(container: FakeContainer) => void>();

  constructor(options: FakeRuntimeOptions) {
    this.host = options.host ?? new FakeHost();
    // Those that an agent was about to start when it died.
    for (const { id, state } of [...this.host.containers.values()])
      if (state === 'created') this.host.containers.delete(id);
    this.#clock = options.clock;
    this.#machineClock = options.machineClock ?? options.clock;
    this.#random = options.random.stream('fake-runtime');
    this.#options = options;
  }

  describe(): { readonly name: string; readonly version: string; readonly cgroupLayout: 'v2' } {
    return { name: 'fake', version: '1.0', cgroupLayout: 'v2' };
  }

  async createSandbox(spec: SandboxSpec): Promise<void> {
    if (!this.host.sandboxes.has(spec.podUid)) this.host.sandboxes.set(spec.podUid, spec);
  }

  async removeSandbox(podUid: string): Promise<void> {
    for (const container of this.host.containers.values())
      if (container.spec.podUid === podUid) await this.removeContainer(container.id);
    this.host.sandboxes.delete(podUid);
  }

  async listSandboxes(): Promise<readonly SandboxSpec[]> {
    return [...this.host.sandboxes.values()];
  }

  async startContainer(spec: ContainerSpec): Promise<ContainerStatus> {
    const id = fakeId(`${spec.podUid}/${spec.name}/${spec.attempt}`);
    if (!this.host.sandboxes.has(spec.podUid))
      throw new CaelumError('notFound', `Cannot start container "${spec.name}": no sandbox "${spec.podUid}"`);
    if (spec.targetId !== undefined) this.#running(spec.targetId, 'join');
    const existing = this.host.containers.get(id);
    if (existing !== undefined) {
      await existing.started.promise;
      return statusOf(existing);
    }
    const container = this.#create(id, spec);
    const [least, most] = this.#options.startDelayMs ?? [1, 5];
    await this.#clock.sleep(least + this.#random.integer(most - least + 1));
    if (this.host.containers.get(id) !== container)
      throw new CaelumError('conflict', `Cannot start container "${spec.name}": removed meanwhile`);
    const { failToStart, exitAfterMs, exitCode, reason } = container.program;
    if (failToStart !== undefined) {
      this.host.containers.delete(id);
      const error = new CaelumError('badRequest', failToStart);
      container.started.reject(error);
      throw error;
    }
    container.state = 'running';
    container.pid = this.host.nextPid++;
    container.startedAtMs = this.#clock.nowMs();
    const status = statusOf(container);
    if (exitAfterMs !== undefined)
      container.exitTimer = this.#machineClock.after(exitAfterMs, () =>
        this.#exit(container, exitCode ?? 0, reason),
      );
    container.started.resolve();
    return status;
  }

  #create(id: string, spec: ContainerSpec): FakeContainer {
    const container: FakeContainer = {
      id,
      spec,
      program: this.#options.program?.(spec) ?? {},
      state: 'created',
      pid: undefined,
      startedAtMs: undefined,
      finishedAtMs: undefined,
      exitCode: undefined,
      reason: undefined,
      message: undefined,
      exitTimer: undefined,
      started: Promise.withResolvers(),
      exited: Promise.withResolvers(),
    };
    container.started.promise.catch(() => {});
    this.host.containers.set(id, container);
    return container;
  }

  async stopContainer(id: string, gracePeriodMs: number, signal = 'SIGTERM'): Promise<void> {
    const container = this.host.containers.get(id);
    if (container === undefined || container.state === 'exited') return;
    const terminate = container.program.terminate ?? { afterMs: 10, exitCode: 143 };
    const kill = this.#clock.after(gracePeriodMs, () => this.#exit(container, 137));
    const leave =
      terminate === 'ignore' || signal === 'SIGKILL'
        ? undefined
        : this.#machineClock.after(terminate.afterMs, () => this.#exit(container, terminate.exitCode));
    if (signal === 'SIGKILL') this.#exit(container, 137);
    await container.exited.promise;
    kill.cancel();
    leave?.cancel();
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.host.containers.get(id);
    if (container === undefined) return;
    this.#exit(container, 137);
    this.host.containers.delete(id);
  }

  async listContainers(): Promise<readonly ContainerStatus[]> {
    return [...this.host.containers.values()].map(statusOf);
  }

  async status(id: string): Promise<ContainerStatus | undefined> {
    const container = this.host.containers.get(id);
    return container === undefined ? undefined : statusOf(container);
  }

  onExit(handler: (status: ContainerStatus) => void): { cancel(): void } {
    const watcher = (container: FakeContainer): void => handler(statusOf(container));
    this.host.watchers.add(watcher);
    this.#subscriptions.add(watcher);
    const past = [...this.host.containers.values()].filter((container) => container.state === 'exited');
    const timer = this.#clock.after(0, () => {
      for (const container of past) if (this.host.containers.has(container.id)) watcher(container);
    });
    return {
      cancel: () => {
        timer.cancel();
        this.host.watchers.delete(watcher);
        this.#subscriptions.delete(watcher);
      },
    };
  }

  async exec(request: ExecRequest): Promise<ExecSession> {
    const container = this.#running(request.containerId, 'exec in');
    const memory = createMemorySession(request, () => memory.finish({ exitCode: 137 }));
    void this.#execute(container, request.args, memory);
    return memory.session;
  }

  async #execute(container: FakeContainer, args: readonly string[], memory: MemorySession): Promise<void> {
    const input = await memory.input;
    const result = container.program.exec?.(args, input) ?? { exitCode: 0 };
    if (result.afterMs !== undefined) await this.#clock.sleep(result.afterMs);
    memory.finish(container.state === 'running' ? result : { exitCode: 137 });
  }

  async attach(id: string): Promise<ExecSession> {
    const container = this.#running(id, 'attach to');
    const { terminal, stdin } = container.spec;
    const memory = createMemorySession({ terminal, stdin }, () => memory.finish({ exitCode: 0 }));
    void container.exited.promise.then(() => memory.finish({ exitCode: container.exitCode ?? 0 }));
    return memory.session;
  }

  async execSync(
    id: string,
    args: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }> {
    const container = this.#running(id, 'exec in');
    const result = container.program.exec?.(args, '') ?? { exitCode: 0 };
    const afterMs = result.afterMs ?? 0;
    if (afterMs > 0) await this.#clock.sleep(Math.min(afterMs, timeoutMs));
    if (afterMs > timeoutMs) return { exitCode: 137, output: '', timedOut: true };
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.slice(0, outputLimitBytes);
    return { exitCode: result.exitCode, output, timedOut: false };
  }

  async usage(id: string): Promise<ContainerUsage | undefined> {
    const container = this.host.containers.get(id);
    if (container?.state !== 'running' || container.startedAtMs === undefined) return undefined;
    const runningMs = this.#clock.nowMs() - container.startedAtMs;
    const idle = { memoryWorkingSetBytes: 10 * 2 ** 20, memoryRssBytes: 8 * 2 ** 20, pids: 1 };
    return container.program.usage?.(runningMs) ?? { cpuNanoseconds: runningMs * 1000, ...idle };
  }

  async reopenLog(id: string): Promise<void> {
    this.#running(id, 'reopen the log of');
  }

  async updateResources(id: string, limits: ContainerLimits): Promise<void> {
    const container = this.#running(id, 'update');
    container.spec = { ...container.spec, ...limits };
  }

  async updateSandbox(podUid: string, limits: Limits): Promise<void> {
    const sandbox = this.host.sandboxes.get(podUid);
    if (sandbox === undefined)
      throw new CaelumError('notFound', `Cannot update pod "${podUid}": it has no sandbox`);
    const { cpuShares, cpuQuotaMicros, memoryLimitBytes } = limits;
    this.host.sandboxes.set(podUid, { ...sandbox, cpuShares, cpuQuotaMicros, memoryLimitBytes });
  }

  async podUsage(podUid: string): Promise<ContainerUsage | undefined> {
    if (!this.host.sandboxes.has(podUid)) return undefined;
    const sum = { cpuNanoseconds: 0, memoryWorkingSetBytes: 0, memoryRssBytes: 0, pids: 0 };
    for (const { id, spec } of this.host.containers.values()) {
      const own = spec.podUid === podUid ? await this.usage(id) : undefined;
      if (own === undefined) continue;
      sum.cpuNanoseconds += own.cpuNanoseconds;
      sum.memoryWorkingSetBytes += own.memoryWorkingSetBytes;
      sum.memoryRssBytes += own.memoryRssBytes;
      sum.pids += own.pids;
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const watcher of this.#subscriptions) this.host.watchers.delete(watcher);
    this.#subscriptions.clear();
  }

  async destroy(): Promise<void> {
    for (const { podUid } of await this.listSandboxes()) await this.removeSandbox(podUid);
    await this.close();
  }

  exitContainer(id: string, exitCode: number, reason?: 'OOMKilled'): void {
    const container = this.host.containers.get(id);
    assert(container !== undefined, `fake container ${id} exists`);
    this.#exit(container, exitCode, reason);
  }

  specOf(id: string): ContainerSpec | undefined {
    return this.host.containers.get(id)?.spec;
  }

  #running(id: string, verb: string): FakeContainer {
    const container = this.host.containers.get(id);
    if (container === undefined)
      throw new CaelumError('notFound', `Cannot ${verb} container "${id}": no such container`);
    if (container.state !== 'running')
      throw new CaelumError(
        'conflict',
        `Cannot ${verb} container "${container.spec.name}": it is not running`,
      );
    return container;
  }

  #exit({ id }: FakeContainer, exitCode: number, reason?: string): void {
    this.host.exit(id, exitCode, this.#clock.nowMs(), reason);
  }
}

function statusOf(container: FakeContainer): ContainerStatus {
  const { id, spec, state, pid, startedAtMs, finishedAtMs, exitCode, reason, message } = container;
  const { podUid, name, attempt } = spec;
  return {
    id,
    podUid,
    name,
    attempt,
    state,
    pid,
    startedAtMs,
    finishedAtMs,
    exitCode,
    reason,
    message,
    user: spec.security,
    limits: spec,
  };
}

/** 64 hexadecimal digits from text: eight rounds of FNV-1a, each seeded by the last. Not cryptographic. */
function fakeId(text: string): string {
  let digits = '';
  let hash = 0x811c9dc5;
  for (let word = 0; word < 8; word++) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ word ^ (hash >>> 15), 0x85ebca6b);
    digits += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return digits;
}
