/**
 * Starts conmon, which creates the container and stays as its parent: log, terminal, exit file. It leaves our session and process
 * group, so that nothing that ends the agent touches it.
 *
 *   conmon ── crun create ── container's process, waiting ── start ── running ── exit ── exit file, conmon ends
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { CaelumError } from '../../../lib/index.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { Host } from './host.ts';
import { runOk } from './spawned.ts';

export interface MonitorPlaces {
  readonly id: string;
  readonly spec: ContainerSpec;
  /** The bundle: config.json, and conmon's own files. */
  readonly folder: string;
  readonly exitFolder: string;
  /** The OCI runtime's own state. */
  readonly stateFolder: string;
}

export function runtimeOptions(stateFolder: string, name: 'crun' | 'runc'): readonly string[] {
  // Never systemd's: the tree of cgroups is our own.
  return name === 'crun' ? [`--root=${stateFolder}`, '--cgroup-manager=cgroupfs'] : [`--root=${stateFolder}`];
}

/** Creates the container; resolves with the pid of its process, which waits to be started. */
export async function createMonitored(host: Host, places: MonitorPlaces): Promise<number> {
  const { spec, folder } = places;
  await mkdir(dirname(spec.logPath), { recursive: true });
  const child = spawn(host.conmonPath, conmonArguments(host, places), {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', _OCI_SYNCPIPE: '3' },
    cwd: folder,
    detached: true,
  });
  const complaint: Buffer[] = [];
  child.stderr?.on('data', (part: Buffer) => complaint.push(part));
  const report = await new Promise<string>((resolve, reject) => {
    const pipe = child.stdio[3] as Readable;
    let text = '';
    child.once('error', (cause) => reject(new CaelumError('unavailable', 'Cannot run conmon', { cause })));
    pipe.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.includes('\n')) resolve(text);
    });
    pipe.once('close', () => resolve(text));
  }).finally(() => {
    (child.stdio[3] as Readable | undefined)?.destroy();
    child.stderr?.destroy();
    child.unref();
  });
  const { data, message } = parseReport(report);
  if (data > 0) return data;
  const words = message ?? Buffer.concat(complaint).toString();
  throw new CaelumError('badRequest', `Cannot start container "${spec.name}": ${plainWords(words)}`);
}

function conmonArguments(host: Host, places: MonitorPlaces): string[] {
  const { id, spec, folder, exitFolder, stateFolder } = places;
  const [program = '', ...before] = host.command;
  const runtimeArguments = [...before, ...runtimeOptions(stateFolder, host.runtimeName)];
  return [
    '--api-version=1',
    `--cid=${id}`,
    `--cuuid=${id}`,
    `--name=${spec.name}`,
    `--runtime=${program}`,
    ...runtimeArguments.map((argument) => `--runtime-arg=${argument}`),
    `--bundle=${folder}`,
    `--container-pidfile=${join(folder, 'pid')}`,
    `--conmon-pidfile=${join(folder, 'conmon.pid')}`,
    `--log-path=k8s-file:${spec.logPath}`,
    '--log-level=error',
    `--exit-dir=${exitFolder}`,
    `--persist-dir=${folder}`,
    '--full-attach',
    ...host.conmonOptions,
    ...(spec.terminal ? ['--terminal'] : []),
    ...(spec.stdin ? ['--stdin'] : []),
    ...(spec.stdin && !spec.stdinOnce ? ['--leave-stdin-open'] : []),
  ];
}

/** conmon's one line: `{"data": pid}` or `{"data": -1, "message": …}`. */
function parseReport(text: string): { readonly data: number; readonly message?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('data' in value)) return { data: -1 };
    const message = 'message' in value ? String(value.message) : undefined;
    return { data: Number(value.data), ...(message === undefined ? {} : { message }) };
  } catch {
    return { data: -1, ...(text === '' ? {} : { message: text }) };
  }
}

function plainWords(text: string): string {
  const words = text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .slice(-2)
    .join('; ');
  return words === '' ? 'the runtime gave no reason' : words;
}

/**
 * Lets a created container run. Its process waits for a byte in a pipe; writing it ourselves spares a second call of the runtime (7 ms). That is what
 * `crun start` does, and all that it does when there are no hooks. Any surprise, and runc, fall back to the runtime.
 */
export async function startCreated(host: Host, stateFolder: string, id: string): Promise<void> {
  if (host.runtimeName === 'crun' && releaseFifo(join(stateFolder, id, 'exec.fifo'))) return;
  const [program = '', ...before] = host.command;
  const args = [...before, ...runtimeOptions(stateFolder, host.runtimeName), 'start', id];
  await runOk(`start container "${id}"`, program, args);
}

function releaseFifo(path: string): boolean {
  let pipe: number;
  try {
    // Fails at once when nobody waits at the other end.
    pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    unlinkSync(path);
    return writeSync(pipe, new Uint8Array(1)) === 1;
  } catch {
    return false;
  } finally {
    closeSync(pipe);
  }
}
