/**
 * The machine of a simulated node: what outlives the processes on it. Its containers run on when the agent is killed, its kernel keeps the
 * rules when the proxy is; a power cut ends the containers and takes what was in memory, and leaves the disk.
 *
 *   agent (a life) ──tether──▶ runtime, network, images, disk ──▶ NodeMachine ◀── faults, properties
 */
import {
  createFakeDisk,
  createFakeImageStore,
  createFakePodNetwork,
  createFakeRuntime,
  FakeHost,
  type FakeProgram,
  type FakeRuntime,
} from '../agent/index.ts';
import type { Clock, Random, SimulatedClock } from '../lib/index.ts';
import { Life, LifeClock, type Skew } from './life.ts';
import { nodeName, proxyName, type Tells } from './plan.ts';
import { RuleTable } from './rule-table.ts';
import { deviceFile } from './user-devices.ts';

export interface MachineWeather {
  /** How long a pull takes, milliseconds. */
  pullMs: number;
  /** Chance that a call to the runtime, the network, the images or the disk fails, before or after it has worked. */
  errors: number;
  /** What the agent tells of the use of its pods. */
  tells: Tells | 'all';
}

export const fairMachine: MachineWeather = { pullMs: 300, errors: 0, tells: 'all' };

export interface NodeMachineOptions {
  readonly world: SimulatedClock;
  readonly index: number;
  readonly isReal: boolean;
  readonly random: Random;
  /** The clock of the machine is the clock of its processes. */
  readonly skew: Skew;
  /** How long containers take to start and to end when asked. */
  readonly startDelayMs: number;
  readonly stopDelayMs: number;
  /** What a pod uses now. Default: nothing is known of that. */
  readonly use?: (podUid: string) => { readonly cpuMilli: number; readonly memoryBytes: number } | undefined;
}

const imageCount = 10;
/** Of so many containers one does not listen to SIGTERM. */
const stubbornOf = 16;

export class NodeMachine {
  readonly name: string;
  /** Name of the process that keeps its rules. */
  readonly proxy: string;
  /** Whether the real agent runs here: without it there are no containers. */
  readonly isReal: boolean;
  readonly address: string;
  readonly random: Random;
  readonly host = new FakeHost();
  readonly network;
  readonly images;
  readonly disk = createFakeDisk([deviceFile]);
  /** Of the kernel, for services. */
  readonly rules = new RuleTable();
  readonly weather: MachineWeather = { ...fairMachine };
  readonly #options: NodeMachineOptions;
  /** From power on to power off. */
  #boot: Life;
  /** Of the agent's life that is there now: what it does in person ends with it. */
  #agentClock: Clock;
  boots = 1;

  constructor(options: NodeMachineOptions) {
    this.#options = options;
    this.name = nodeName(options.index);
    this.proxy = proxyName(options.index);
    this.isReal = options.isReal;
    this.address = `192.0.2.${options.index + 1}`;
    this.random = options.random;
    this.#boot = new Life(`${this.name} machine`);
    this.#agentClock = this.clock;
    const own = { sleep: (ms: number, signal?: AbortSignal) => this.#agentClock.sleep(ms, signal) };
    this.network = createFakePodNetwork({
      podCidr: `10.44.${options.index}.0/24`,
      pause: () => own.sleep(1 + this.random.float() * 20),
    });
    this.images = createFakeImageStore({
      clock: own,
      pullDelayMs: () => this.weather.pullMs * (0.5 + this.random.float()),
    });
    for (let number = 0; number < imageCount; number++)
      this.images.offer(`image:${number}`, { entrypoint: ['serve'] });
  }

  get clock(): Clock {
    return new LifeClock(this.#options.world, this.#boot, this.#options.skew);
  }

  /** The runtime as a new life of the agent finds it. */
  openRuntime(agentClock: Clock): FakeRuntime {
    this.#agentClock = agentClock;
    const { startDelayMs } = this.#options;
    return createFakeRuntime({
      clock: agentClock,
      machineClock: this.clock,
      random: this.random,
      host: this.host,
      startDelayMs: [5, 5 + Math.floor(startDelayMs)],
      program: ({ args, podUid }) => ({ ...this.#programOf(args), ...this.#meterOf(podUid) }),
    });
  }

  #programOf(args: readonly string[]): FakeProgram {
    const { stopDelayMs } = this.#options;
    const afterMs = 1 + this.random.integer(1 + Math.floor(stopDelayMs));
    const terminate =
      this.random.integer(stubbornOf) === 0 ? ('ignore' as const) : { afterMs, exitCode: 143 };
    const [name, exitAfterMs, exitCode] = args;
    if (name !== 'exit-after') return { terminate };
    return { terminate, exitAfterMs: Number(exitAfterMs), exitCode: Number(exitCode) };
  }

  /** As a kernel counts: by true time, whatever the clock on the wall says. */
  #meterOf(podUid: string): Pick<FakeProgram, 'usage'> {
    const { use, world } = this.#options;
    if (use === undefined) return {};
    let atMs = world.monotonicMs();
    let cpuNanoseconds = 0;
    return {
      usage: () => {
        const { cpuMilli = 0, memoryBytes = 0 } = use(podUid) ?? {};
        cpuNanoseconds += (world.monotonicMs() - atMs) * cpuMilli * 1000;
        atMs = world.monotonicMs();
        return { cpuNanoseconds, memoryWorkingSetBytes: memoryBytes, memoryRssBytes: memoryBytes, pids: 1 };
      },
    };
  }

  /** Ids of the containers that run, in order. */
  running(): string[] {
    return [...this.host.containers.values()].filter(({ state }) => state === 'running').map(({ id }) => id);
  }

  /** The `pick`th running container ends by itself. One that has been restarted often already is left alone: its back-off would outlast the run. */
  exitOne(pick: number, exitCode: number): boolean {
    const fit = this.running().filter((id) => (this.host.containers.get(id)?.spec.attempt ?? 0) < 3);
    const id = fit[pick % Math.max(1, fit.length)];
    if (id === undefined) return false;
    this.host.exit(id, exitCode, this.clock.nowMs());
    return true;
  }

  powerCut(): void {
    this.#boot.end();
    this.host.powerCut(this.clock.nowMs(), this.random.integer(2) === 0);
    this.network.powerCut();
    this.rules.clear();
    this.#boot = new Life(`${this.name} machine`);
    this.boots++;
  }
}
