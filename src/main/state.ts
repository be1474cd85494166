/** What runs now, as the supervisor writes it down: for `status`, `down`, and for the supervisor that comes after this one. */
import { readIfThere, writeDurably } from '../lib/io/durable-file.ts';
import type { Layout } from './layout.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

export const processNames = ['supervisor', 'control-plane', 'node-agent'] as const;
export type ProcessName = (typeof processNames)[number];

export interface ProcessRecord extends ProcessIdentity {
  readonly name: ProcessName;
  /** RFC 3339. */
  readonly since: string;
}

export interface State {
  readonly apiUrl: string;
  readonly processes: readonly ProcessRecord[];
}

/** undefined when this cloud was never started, or was stopped. */
export function readState(layout: Layout): State | undefined {
  const text = readIfThere(layout.state);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as State;
  } catch {
    return undefined;
  }
}

export function writeState(layout: Layout, state: State): void {
  writeDurably(layout.state, `${JSON.stringify(state, undefined, 2)}\n`, 0o644);
}

/** The record of a process that runs; undefined when it does not. */
export function liveProcess(state: State | undefined, name: ProcessName): ProcessRecord | undefined {
  const record = state?.processes.find((one) => one.name === name);
  return record !== undefined && isAlive(record) ? record : undefined;
}
