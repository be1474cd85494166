/**
 * Commands in running containers, by the OCI runtime's `exec`.
 *
 *   without a terminal:  node ══ real pipes ══ crun exec ── process
 *   with one:            node ── pipe ── script(1) ══ pty ══ crun exec -t ══ the container's own pty ── process
 *
 * script(1) is there because crun wants a terminal as its own stdin, and Node can make none. The window size is set on the container's
 * pty directly, through /proc/<pid>/fd/0. The pid file, written by the runtime once the process runs, tells a command that failed
 * from one that could not be started; until it is there, output is the runtime's own complaint and is held back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { CaelumError } from '../../../lib/index.ts';
import type { OciProcess } from '../oci.ts';
import type { ExecSession } from '../runtime.ts';
import { Fifos } from './fifos.ts';
import { exists, findProgram } from './host.ts';

/** Milliseconds without output after which the streams of an ended command are closed, though a child of it still holds them. */
const lingerMs = 300;
const startPollMs = 5;
/** When, after its start, a terminal is given its size. */
const settleMs = [0, 50, 250, 1000];
const outputLimitBytes = 10 * 1024;

export interface ExecTarget {
  readonly id: string;
  readonly name: string;
  readonly process: OciProcess;
}

interface Prepared {
  readonly command: readonly string[];
  readonly pidFile: string;
  /** The process's pid on the host, once it runs. */
  pid(): number | undefined;
  forget(): void;
}

export class Execs {
  readonly #folder: string;
  readonly #command: readonly string[];
  readonly #fifos: Fifos;
  #count = 0;

  /** `command`: how the OCI runtime is called, with its global options. */
  constructor(root: string, command: readonly string[]) {
    this.#folder = join(root, 'execs');
    this.#command = command;
    this.#fifos = new Fifos(this.#folder);
  }

  async prepare(): Promise<void> {
    await this.#fifos.prepare();
  }

  async #prepare(target: ExecTarget): Promise<Prepared> {
    const base = join(this.#folder, String(this.#count++));
    const pidFile = `${base}.pid`;
    const spec = `${base}.json`;
    // With a size, crun 1.8 prints the first output of a short command as if it were an error of its own.
    const { consoleSize: _size, ...process } = target.process;
    await writeFile(spec, JSON.stringify(process), { mode: 0o600 });
    const terminal = target.process.terminal ? ['--tty'] : [];
    return {
      command: [...this.#command, 'exec', ...terminal, '--pid-file', pidFile, '--process', spec, target.id],
      pidFile,
      pid: () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) || undefined : undefined),
      forget: () => {
        void Promise.allSettled([rm(pidFile, { force: true }), rm(spec, { force: true })]);
      },
    };
  }

  /** Runs to completion. */
  async sync(
    target: ExecTarget,
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }> {
    const [prepared] = await Promise.all([this.#prepare(target), this.#fifos.reserve(1)]);
    const { ours, theirs } = this.#fifos.forReading();
    const child = spawnWith(prepared.command, ['ignore', theirs, theirs]);
    closeSync(theirs);
    let output = Buffer.alloc(0);
    ours.on('data', (part: Buffer) => {
      if (output.length < outputLimitBytes) output = Buffer.concat([output, part]);
    });
    ours.on('error', () => {});
    const ended = new Promise<void>((resolve) => ours.once('close', resolve));
    const text = (): string => output.subarray(0, outputLimitBytes).toString();
    const timeout = Promise.withResolvers<'timeout'>();
    const timer = setTimeout(() => timeout.resolve('timeout'), timeoutMs);
    try {
      const result = await Promise.race([exitOf(child), timeout.promise]);
      if (result === 'timeout') {
        kill(child, prepared);
        return { exitCode: 137, output: text(), timedOut: true };
      }
      await Promise.race([ended, pause(lingerMs)]);
      if (!exists(prepared.pidFile)) throw cannotStart(target, text());
      return { exitCode: result, output: text(), timedOut: false };
    } finally {
      clearTimeout(timer);
      ours.destroy();
      prepared.forget();
    }
  }

  async open(target: ExecTarget, stdin: boolean): Promise<ExecSession> {
    return target.process.terminal ? this.#openTerminal(target, stdin) : this.#openPipes(target, stdin);
  }

  async #openPipes(target: ExecTarget, stdin: boolean): Promise<ExecSession> {
    const [prepared] = await Promise.all([this.#prepare(target), this.#fifos.reserve(3)]);
    const output = this.#fifos.forReading();
    const errors = this.#fifos.forReading();
    const input = stdin ? this.#fifos.forWriting() : undefined;
    const child = spawnWith(prepared.command, [input?.theirs ?? 'ignore', output.theirs, errors.theirs]);
    for (const ends of [output, errors, input]) if (ends !== undefined) closeSync(ends.theirs);
    input?.ours.on('error', () => {});
    const start = watchStart(child, prepared, () => {});
    const { exited, streams } = follow(target, child, prepared, start, [output.ours, errors.ours]);
    void exited.catch(() => {}).then(() => input?.ours.destroy());
    return {
      stdin: input?.ours,
      stdout: streams[0] as PassThrough,
      stderr: streams[1] as PassThrough,
      resize: () => {},
      exited,
      kill: () => kill(child, prepared),
    };
  }

  async #openTerminal(target: ExecTarget, stdin: boolean): Promise<ExecSession> {
    const script = findProgram('script');
    if (script === undefined)
      throw new CaelumError(
        'unavailable',
        `Cannot exec in "${target.name}" with a terminal: script(1) is not installed`,
      );
    const prepared = await this.#prepare(target);
    // Apart from the output: crun 1.8 now and then takes the last words of a short command for an error of its own, and prints them as such.
    const complaints = `${prepared.pidFile}.errors`;
    const line = `exec ${prepared.command.map(quote).join(' ')} 2>${quote(complaints)}`;
    const child = spawn(script, ['-qefc', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    child.stdin?.on('error', () => {});
    const typed = new PassThrough();
    const known = target.process.consoleSize;
    let size: readonly [number, number] | undefined = known && [known.width, known.height];
    const start = watchStart(child, prepared, () => {
      // What is typed before the runtime has made its terminal raw would be echoed twice.
      if (child.stdin !== null) typed.pipe(child.stdin);
      // Again a little later: the runtime names the process a moment before that has its terminal.
      for (const afterMs of settleMs)
        setTimeout(() => {
          if (size !== undefined) resizeTerminal(prepared.pid(), size);
        }, afterMs).unref();
    });
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const complaint = (): string => readIfThere(complaints);
    const { exited, streams } = follow(target, child, prepared, start, outputs, complaint);
    streams[1]?.resume();
    const forget = (): void => void rm(complaints, { force: true });
    exited.then(forget, forget);
    return {
      stdin: stdin ? typed : undefined,
      stdout: streams[0] as PassThrough,
      stderr: undefined,
      resize: (columns, rows) => {
        size = [columns, rows];
        if (start.started()) resizeTerminal(prepared.pid(), size);
      },
      exited,
      kill: () => kill(child, prepared),
    };
  }
}

interface Start {
  started(): boolean;
  /** Settles when the process runs, or has ended without ever running. */
  readonly settled: Promise<void>;
}

/** Looks for the pid file until it is there or the child has ended: a few looks, as a start takes some 10 ms. */
function watchStart(child: ChildProcess, prepared: Prepared, onStarted: () => void): Start {
  const settled = Promise.withResolvers<void>();
  let started = false;
  const look = (): void => {
    if (started || !exists(prepared.pidFile)) return;
    started = true;
    clearInterval(timer);
    onStarted();
    settled.resolve();
  };
  const timer = setInterval(look, startPollMs);
  const end = (): void => {
    look();
    clearInterval(timer);
    settled.resolve();
  };
  child.once('exit', end);
  child.once('error', end);
  return { started: () => started, settled: settled.promise };
}

/** Carries output to streams of ours once the command has started, and ends them soon after it has. */
function follow(
  target: ExecTarget,
  child: ChildProcess,
  prepared: Prepared,
  start: Start,
  outputs: readonly Readable[],
  complaint: () => string = () => '',
): { readonly exited: Promise<number>; readonly streams: readonly PassThrough[] } {
  const flows = outputs.map((output, index) => flow(output, start, index === 0 ? complaint : () => ''));
  const finish = async (): Promise<number> => {
    const exitCode = await exitOf(child);
    await start.settled;
    prepared.forget();
    if (!start.started()) {
      await Promise.race([Promise.all(flows.map(({ ended }) => ended)), pause(lingerMs)]);
      for (const { stream } of flows) stream.end();
      const said = flows.map(({ held }) => Buffer.concat(held).toString()).join('');
      throw cannotStart(target, `${said}${complaint()}`);
    }
    for (const one of flows) void endWhenQuiet(one);
    return exitCode;
  };
  const exited = finish();
  exited.catch(() => {});
  return { exited, streams: flows.map(({ stream }) => stream) };
}

interface Flow {
  readonly output: Readable;
  readonly stream: PassThrough;
  /** What came before the command ran: the runtime's complaint, if it never does. */
  readonly held: Buffer[];
  readonly ended: Promise<void>;
  lastMs: number;
}

/** Read from the beginning (Node throws away what is left unread when a child exits), passed on from the start. */
function flow(output: Readable, start: Start, lastWords: () => string): Flow {
  const ended = Promise.withResolvers<void>();
  const stream = new PassThrough();
  const one: Flow = { output, stream, held: [], ended: ended.promise, lastMs: performance.now() };
  const pass = (part: Buffer): void => {
    if (!stream.write(part)) output.pause();
  };
  output.on('data', (part: Buffer) => {
    one.lastMs = performance.now();
    if (start.started() && one.held.length === 0) pass(part);
    else one.held.push(part);
  });
  stream.on('drain', () => output.resume());
  void start.settled.then(() => {
    if (start.started()) for (const part of one.held.splice(0)) pass(part);
  });
  output.on('error', () => ended.resolve());
  output.once('end', () => ended.resolve());
  output.once('close', () => ended.resolve());
  void Promise.all([ended.promise, start.settled]).then(() => {
    // With a line end of the runtime's own.
    const words = start.started() ? lastWords().replace(/\n$/, '') : '';
    if (words !== '' && !stream.writableEnded) stream.write(words);
    stream.end();
  });
  return one;
}

/** A child that the command left behind may hold its output open for ever. Who reads slowly is waited for. */
async function endWhenQuiet(one: Flow): Promise<void> {
  for (;;) {
    const wake = pause(lingerMs).then(() => 'quiet?');
    if ((await Promise.race([one.ended, wake])) === undefined) return;
    if (one.stream.writableNeedDrain || performance.now() - one.lastMs < lingerMs) continue;
    one.output.destroy();
    one.stream.end();
    return;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function spawnWith(command: readonly string[], stdio: readonly ('ignore' | number)[]): ChildProcess {
  const [program = '', ...args] = command;
  return spawn(program, args, { stdio: [...stdio] });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new CaelumError('unavailable', 'Cannot exec: the runtime cannot be started', { cause })),
    );
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

function cannotStart(target: ExecTarget, complaint: string): CaelumError {
  const words = complaint.trim().split(/\r?\n/).slice(-2).join('; ');
  const command = target.process.args[0] ?? '';
  return new CaelumError(
    'badRequest',
    `Cannot exec "${command}" in container "${target.name}": ${words === '' ? 'it could not be started' : words}`,
  );
}

/** The process in the container first; the runtime's own process then ends by itself. */
function kill(child: ChildProcess, prepared: Prepared): void {
  const pid = prepared.pid();
  try {
    if (pid === undefined) child.kill('SIGKILL');
    else process.kill(pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function resizeTerminal(pid: number | undefined, [columns, rows]: readonly [number, number]): void {
  if (pid === undefined) return;
  let terminal: number;
  try {
    terminal = openSync(`/proc/${pid}/fd/0`, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return; // The process has ended.
  }
  const child = spawn('stty', ['rows', String(rows), 'cols', String(columns)], {
    stdio: [terminal, 'ignore', 'ignore'],
  });
  child.on('error', () => {});
  closeSync(terminal);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
