/**
 * Hears of a shutdown of the machine before it happens, and holds it up until pods have ended: systemd-logind's delay lock. Where there is no systemd
 * nothing is held up: then it is `caelum down --graceful` that ends pods in order.
 *
 *   systemd-inhibit (lock, held as long as its pipe to us is open) ◀── taken at the start, given back when pods have ended
 *   busctl monitor ──PrepareForShutdown──▶ onShutdown, or onCancelled
 *
 * The lock is another program's because a D-Bus reply that carries an open file cannot be received by ours. Invariant: the lock never outlives this process.
 * Source: systemd.io/INHIBITOR_LOCKS, org.freedesktop.login1(5).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock, Log, Timer } from '../../../lib/index.ts';
import { runProgram } from '../../images/io/process.ts';

export interface LogindOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long pods may need altogether. */
  readonly neededMs: number;
  /** The lock is given back when it resolves. */
  readonly onShutdown: () => Promise<void>;
  readonly onCancelled: () => void;
  /** Present where systemd runs; and where it is told how long locks may hold, until the next boot. Tests have their own. */
  readonly systemdFolder?: string;
  readonly settingsFolder?: string;
  /** Where the programs are; default: PATH. */
  readonly programFolder?: string;
}

const manager = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
const matching = "type='signal',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'";
const settingsFile = '99-caelum.conf';
const againMs = 5000;

export class Logind {
  readonly #options: LogindOptions;
  #lock: ChildProcess | undefined;
  #ears: ChildProcess | undefined;
  #lockAgain: Timer | undefined;
  #listenAgain: Timer | undefined;
  #isGoing = false;
  #stopped = false;
  #wroteSettings = false;

  constructor(options: LogindOptions) {
    this.#options = options;
  }

  /** Resolves when the lock is taken, or cannot be. Never rejects. */
  async start(): Promise<void> {
    const { log, systemdFolder = '/run/systemd/system' } = this.#options;
    if (!existsSync(systemdFolder)) {
      log.info('no systemd here: pods end in order by "caelum down --graceful"');
      return;
    }
    try {
      await this.#makeTime();
      if (this.#stopped) return;
      this.#takeLock();
      this.#listen();
      // We may have been started in the middle of it.
      if ((await this.#property('PreparingForShutdown')) === true) this.#hear(true);
    } catch (error) {
      log.warn('cannot hold up a shutdown of the machine: pods will not end in order', { error });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#lockAgain?.cancel();
    this.#listenAgain?.cancel();
    this.#ears?.kill();
    this.#giveBack();
    if (!this.#wroteSettings) return;
    await rm(join(this.#settingsFolder, settingsFile), { force: true });
    await this.#reload().catch(() => {});
  }

  get #settingsFolder(): string {
    return this.#options.settingsFolder ?? '/run/systemd/logind.conf.d';
  }

  #program(name: string): string {
    const { programFolder } = this.#options;
    return programFolder === undefined ? name : join(programFolder, name);
  }

  async #property(name: string): Promise<unknown> {
    const answer = await runProgram(this.#program('busctl'), [
      '--json=short',
      'get-property',
      ...manager,
      name,
    ]);
    return (JSON.parse(answer) as { readonly data?: unknown }).data;
  }

  /** logind gives delay locks five seconds, unless it is told otherwise. */
  async #makeTime(): Promise<void> {
    const { neededMs, log } = this.#options;
    const allowedMs = async (): Promise<number> => Number(await this.#property('InhibitDelayMaxUSec')) / 1000;
    if ((await allowedMs()) >= neededMs) return;
    const seconds = Math.ceil(neededMs / 1000);
    await mkdir(this.#settingsFolder, { recursive: true });
    const text = `# Caelum: pods need so long to end\n[Login]\nInhibitDelayMaxSec=${seconds}\n`;
    await writeFile(join(this.#settingsFolder, settingsFile), text);
    this.#wroteSettings = true;
    await this.#reload();
    const nowMs = await allowedMs();
    if (nowMs < neededMs)
      log.warn('a shutdown of the machine waits less long than pods may need: see InhibitDelayMaxSec', {
        waitsMs: nowMs,
        neededMs,
      });
  }

  async #reload(): Promise<void> {
    await runProgram(this.#program('systemctl'), ['kill', '--signal=HUP', 'systemd-logind.service']);
  }

  #takeLock(): void {
    if (this.#lock !== undefined || this.#stopped) return;
    const why = 'Pods are ended before the machine goes down';
    const args = ['--what=shutdown', '--who=caelum', `--why=${why}`, '--mode=delay', 'cat'];
    const lock = spawn(this.#program('systemd-inhibit'), args, { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#lock = lock;
    lock.once('error', (error) => this.#options.log.warn('cannot run systemd-inhibit', { error }));
    lock.once('exit', () => {
      if (this.#lock !== lock) return;
      this.#lock = undefined;
      this.#options.log.warn('the lock that holds up a shutdown is lost: taking it again');
      this.#lockAgain?.cancel();
      this.#lockAgain = this.#options.clock.after(againMs, () => this.#takeLock());
    });
    // It breaks when the program ends first, which is heard of above.
    lock.stdin?.on('error', () => {});
  }

  #giveBack(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.stdin?.end();
  }

  #listen(): void {
    if (this.#stopped) return;
    const args = ['--json=short', `--match=${matching}`, 'monitor'];
    const ears = spawn(this.#program('busctl'), args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#ears = ears;
    createInterface({ input: ears.stdout }).on('line', (line) => {
      const isGoing = goingOf(line);
      if (isGoing !== undefined) this.#hear(isGoing);
    });
    ears.once('error', (error) => this.#options.log.warn('cannot run busctl', { error }));
    ears.once('close', () => {
      if (!this.#stopped) this.#listenAgain = this.#options.clock.after(againMs, () => this.#listen());
    });
  }

  #hear(isGoing: boolean): void {
    if (isGoing === this.#isGoing || this.#stopped) return;
    this.#isGoing = isGoing;
    this.#options.log.info(isGoing ? 'the machine is about to go down' : 'the machine stays up after all');
    if (isGoing)
      void this.#options.onShutdown().finally(() => {
        if (this.#isGoing) this.#giveBack();
      });
    else {
      this.#takeLock();
      this.#options.onCancelled();
    }
  }
}

/** What a line of `busctl --json=short monitor` says; undefined: nothing of this. */
export function goingOf(line: string): boolean | undefined {
  try {
    const { member, payload } = JSON.parse(line) as {
      readonly member?: string;
      readonly payload?: { readonly data?: readonly unknown[] };
    };
    const said = payload?.data?.[0];
    return member === 'PrepareForShutdown' && typeof said === 'boolean' ? said : undefined;
  } catch {
    return undefined;
  }
}
