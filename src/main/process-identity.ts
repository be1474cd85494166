/**
 * Processes named so that a reused pid is never mistaken: pid and start time (clock ticks since boot).
 * Source: proc_pid_stat(5).
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtMs: number;
}

const ticksPerSecond = 100;
const pageBytes = 4096;

/** undefined when no such process runs (zombies do not run). */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTicks: Number(fields[19]) };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

/** Sends a signal, unless the process is gone or another has its pid. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function useOf(identity: ProcessIdentity): ProcessUse | undefined {
  const fields = statFields(identity.pid);
  if (fields === undefined || Number(fields[19]) !== identity.startTicks) return undefined;
  const bootMs = Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    residentBytes: Number(fields[21]) * pageBytes,
    startedAtMs: bootMs + (identity.startTicks * 1000) / ticksPerSecond,
  };
}

/** The fields after the command name, which may itself hold spaces and parentheses: [0] is the state. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Waits until it is gone; false when it still runs after `timeoutMs`. */
export async function waitForExit(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isAlive(identity)) {
    if (performance.now() > deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
