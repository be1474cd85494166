/**
 * Keeps the processes of one cloud running.
 *
 *   up ─▶ one supervisor a cloud (kernel-held mutex) ─▶ certificates, settings ─▶ control plane, node agent
 *                                    ▲                                                   │ restarted when they die
 *                                    └────────── restarted by them when it dies ─────────┘
 *
 * Owns `run/state.json`. Any process may be killed at any moment: a dead child is started again, a dead supervisor is started again by its children,
 * and the new one adopts those that still run. While `run/stopping` exists nobody starts anything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CaelumError, RestartPolicy } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { lastWordsMs, timeForPods } from './going-down.ts';
import type { Layout } from './layout.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForExit } from './process-identity.ts';
import { processesOf } from './process-list.ts';
import { apiUrl, type Settings } from './settings.ts';
import { type ProcessName, type ProcessRecord, writeState } from './state.ts';

/** What a child says of its start. */
export type StartMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface SupervisorEvents {
  /** A process could not start, for a reason that starting again will not mend. */
  onFailed(name: ProcessName, message: StartMessage & { kind: 'failed' }): void;
  onRestart?(name: ProcessName, delayMs: number): void;
}

interface Child {
  readonly name: ProcessName;
  readonly policy: RestartPolicy;
  record: ProcessRecord | undefined;
  process: ChildProcess | undefined;
  ready: boolean;
}

const stopTimeoutMs = 10_000;
/** How often a process that is not our child is looked at. */
const adoptedPollMs = 500;

/** One supervisor a cloud, and none left behind by a kill: the kernel gives the name back when the process is gone. */
export function holdCloud(layout: Layout): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(`\0caelum-${layout.id}`, () => resolve(server));
  });
}

/** The arguments that run one of our processes. */
export function processCommand(name: ProcessName, layout: Layout): readonly string[] {
  return [
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    '--max-semi-space-size=4',
    fileURLToPath(new URL('./process.ts', import.meta.url)),
    name,
    layout.data,
  ];
}

export class Supervisor {
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #events: SupervisorEvents;
  readonly #children: Child[] = [];
  readonly #self: ProcessRecord;
  #stopping = false;
  #allReady: () => void = () => {};
  readonly ready: Promise<void>;

  constructor(layout: Layout, settings: Settings, events: SupervisorEvents) {
    this.#layout = layout;
    this.#settings = settings;
    this.#events = events;
    this.ready = new Promise((resolve) => {
      this.#allReady = resolve;
    });
    this.#self = recordOf('supervisor', process.pid);
    const names: ProcessName[] = settings.agent ? ['control-plane', 'node-agent'] : ['control-plane'];
    for (const name of names)
      this.#children.push({
        name,
        policy: new RestartPolicy(),
        record: undefined,
        process: undefined,
        ready: false,
      });
  }

  /**
   * Adopts what still runs, starts the rest. Asks the kernel, not only the state file: a supervisor that was killed between starting a process and writing it
   * down leaves one that would hold port and store against its double for ever.
   */
  start(): void {
    const running = processesOf(this.#layout);
    for (const child of this.#children) {
      const [alive, ...doubles] = running.filter((one) => one.name === child.name);
      for (const double of doubles) signalProcess(double, 'SIGKILL');
      if (alive === undefined) this.#spawn(child);
      else this.#adopt(child, recordOf(alive.name, alive.pid));
    }
    this.#write();
  }

  /** Stops the processes of the control plane and of the node. Containers run on. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const records = this.#children.flatMap((child) => (child.record === undefined ? [] : [child.record]));
    const podsMs = await timeForPods(this.#layout, this.#settings);
    await stopProcesses(records.reverse(), podsMs === 0 ? stopTimeoutMs : podsMs + 2 * lastWordsMs);
  }

  #spawn(child: Child): void {
    if (this.#stopping || existsSync(this.#layout.stopping)) return;
    mkdirSync(this.#layout.logs, { recursive: true });
    const log = openSync(join(this.#layout.logs, `${child.name}.log`), 'a', 0o640);
    const spawned = spawn(process.execPath, processCommand(child.name, this.#layout), {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    child.process = spawned;
    child.policy.started(realClock.monotonicMs());
    child.record = spawned.pid === undefined ? undefined : recordOf(child.name, spawned.pid);
    spawned.on('message', (message) => this.#hear(child, message as StartMessage));
    spawned.once('error', () => this.#ended(child));
    spawned.once('exit', () => this.#ended(child));
  }

  #adopt(child: Child, record: ProcessRecord): void {
    child.record = record;
    child.policy.started(realClock.monotonicMs());
    this.#becameReady(child);
    const look = (): void => {
      if (this.#stopping) return;
      if (isAlive(record)) realClock.after(adoptedPollMs, look);
      else this.#ended(child);
    };
    realClock.after(adoptedPollMs, look);
  }

  #hear(child: Child, message: StartMessage): void {
    if (message.kind === 'ready') this.#becameReady(child);
    else this.#events.onFailed(child.name, message);
  }

  #becameReady(child: Child): void {
    child.ready = true;
    if (this.#children.every((one) => one.ready)) this.#allReady();
  }

  #ended(child: Child): void {
    child.process = undefined;
    child.record = undefined;
    if (this.#stopping) return;
    const delayMs = child.policy.ended(realClock.monotonicMs());
    this.#events.onRestart?.(child.name, delayMs);
    realClock.after(delayMs, () => {
      this.#spawn(child);
      this.#write();
    });
  }

  #write(): void {
    const processes = [
      this.#self,
      ...this.#children.flatMap((child) => (child.record === undefined ? [] : [child.record])),
    ];
    writeState(this.#layout, { apiUrl: apiUrl(this.#settings), processes });
  }
}

function recordOf(name: ProcessName, pid: number): ProcessRecord {
  const identity: ProcessIdentity = identify(pid) ?? { pid, startTicks: 0 };
  return { name, ...identity, since: new Date(realClock.nowMs()).toISOString() };
}

/** Asks processes to end, one after the other, and makes them. */
export async function stopProcesses(
  identities: readonly ProcessIdentity[],
  patienceMs = stopTimeoutMs,
): Promise<void> {
  for (const identity of identities) {
    if (!signalProcess(identity, 'SIGTERM') || (await waitForExit(identity, patienceMs))) continue;
    signalProcess(identity, 'SIGKILL');
    if (!(await waitForExit(identity, stopTimeoutMs)))
      throw new CaelumError(
        'unavailable',
        `Cannot stop process ${identity.pid}: it does not react to SIGKILL`,
      );
  }
}
