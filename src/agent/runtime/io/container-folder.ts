/**
 * A container on disk, and how to read its state from there after a restart.
 *
 *   <root>/containers/<id>/  spec.json config.json pid conmon.pid attach ctl     <root>/exits/<id>     <root>/oci/<id>/
 *
 * The exit file, which conmon writes by rename, is the truth about an end: its text is the exit code, its time the end.
 * The time of the pid file is the start.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec } from '../runtime.ts';
import { exists } from './host.ts';

/** A container whose monitor died before it: nobody knows how it ended. Kubernetes' own runtimes answer 255 too. */
const exitCodeUnknown = 255;

export interface Ended {
  readonly exitCode: number;
  readonly finishedAtMs: number;
  readonly message: string | undefined;
}

export type Found =
  | { readonly kind: 'running'; readonly pid: number; readonly startedAtMs: number }
  | { readonly kind: 'exited'; readonly startedAtMs: number | undefined; readonly ended: Ended }
  /** Created but never started, or not even created: an agent died in between. */
  | { readonly kind: 'unfinished' };

export interface ContainerPlaces {
  readonly root: string;
  readonly id: string;
}

export function folderOf({ root, id }: ContainerPlaces): string {
  return join(root, 'containers', id);
}

/** Whole or not at all: it is written anew while the container runs. */
export async function writeSpec(places: ContainerPlaces, spec: ContainerSpec): Promise<void> {
  const path = join(folderOf(places), 'spec.json');
  await writeFile(`${path}.new`, JSON.stringify(spec), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function readSpec(places: ContainerPlaces): Promise<ContainerSpec | undefined> {
  const text = await readFile(join(folderOf(places), 'spec.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as ContainerSpec;
  } catch {
    return undefined; // Cut off by a crash while it was written.
  }
}

export async function readEnded({ root, id }: ContainerPlaces): Promise<Ended | undefined> {
  const path = join(root, 'exits', id);
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { exitCode: Number.parseInt(text, 10), finishedAtMs: Math.round(mtimeMs), message: undefined };
  } catch {
    return undefined;
  }
}

/** `nowMs` stands for the end of a container that ended unseen. */
export async function find(places: ContainerPlaces, cgroupPath: string, nowMs: number): Promise<Found> {
  const folder = folderOf(places);
  const isWaiting = exists(join(places.root, 'oci', places.id, 'exec.fifo'));
  const started = await readStart(folder);
  const ended = await readEnded(places);
  if (ended !== undefined) return { kind: 'exited', startedAtMs: started?.startedAtMs, ended };
  if (started === undefined) return { kind: 'unfinished' };
  const alive = await isProcessOf(started.pid, cgroupPath);
  if (alive) return isWaiting ? { kind: 'unfinished' } : { kind: 'running', ...started };
  // It has ended, but its monitor may still be about to say how.
  if (await isMonitorAlive(places)) return { kind: 'running', ...started };
  const late = await readEnded(places);
  return {
    kind: 'exited',
    startedAtMs: started.startedAtMs,
    ended: late ?? {
      exitCode: exitCodeUnknown,
      finishedAtMs: nowMs,
      message: 'its monitor was gone when it ended',
    },
  };
}

export function endedUnseen(nowMs: number, message: string): Ended {
  return { exitCode: exitCodeUnknown, finishedAtMs: nowMs, message };
}

async function readStart(
  folder: string,
): Promise<{ readonly pid: number; readonly startedAtMs: number } | undefined> {
  const path = join(folder, 'pid');
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const pid = Number(text);
    return pid > 0 ? { pid, startedAtMs: Math.round(mtimeMs) } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether `pid` still is a process of this container (and not another that got its number), and not a zombie. */
export async function isProcessOf(pid: number, cgroupPath: string): Promise<boolean> {
  const [cgroup, status] = await Promise.all([
    readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
  ]);
  const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
  return cgroup.includes(cgroupPath) && state !== 'Z' && state !== 'X' && state !== '';
}

export async function monitorPid(places: ContainerPlaces): Promise<number | undefined> {
  const text = await readFile(join(folderOf(places), 'conmon.pid'), 'utf8').catch(() => '');
  return Number(text) || undefined;
}

export async function isMonitorAlive(places: ContainerPlaces): Promise<boolean> {
  const pid = await monitorPid(places);
  if (pid === undefined) return false;
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.includes(places.id);
}
