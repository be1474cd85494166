/**
 * When a node is under pressure. Pure.
 *
 *   what the machine has left ─┐
 *   thresholds, what was met ──┴▶ observe ──▶ conditions to show, the threshold to act on
 *
 * A threshold that was acted on counts as met until also its least reclaim is free; a condition stays for a while after it was last seen, so that a node does not
 * swing between the two. Source: Kubernetes, "Node-pressure eviction", as behaviour.
 */
import type { Signal, Threshold, ThresholdValue } from '../node/node-config.ts';

export interface Amount {
  readonly available: number;
  readonly capacity: number;
}

export interface FileSystem {
  readonly bytes: Amount;
  /** undefined: it does not count them. */
  readonly inodes: Amount | undefined;
}

/** How much the machine has left. */
export interface MachineReading {
  readonly memory: Amount;
  /** Where pods' volumes and logs are. */
  readonly nodeFiles: FileSystem;
  /** Where images and what containers write are. */
  readonly imageFiles: FileSystem;
  /** Whether they are two. */
  readonly hasImageFiles: boolean;
  readonly pids: Amount | undefined;
}

export type PressureCondition = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';
/** As Kubernetes calls what is scarce, in Events and messages. */
export type Scarce = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

export function observed(reading: MachineReading, signal: Signal): Amount | undefined {
  switch (signal) {
    case 'memory.available':
      return reading.memory;
    case 'nodefs.available':
      return reading.nodeFiles.bytes;
    case 'nodefs.inodesFree':
      return reading.nodeFiles.inodes;
    case 'imagefs.available':
      return reading.imageFiles.bytes;
    case 'imagefs.inodesFree':
      return reading.imageFiles.inodes;
    case 'pid.available':
      return reading.pids;
  }
}

export const conditionOf = (signal: Signal): PressureCondition =>
  signal === 'memory.available'
    ? 'MemoryPressure'
    : signal === 'pid.available'
      ? 'PIDPressure'
      : 'DiskPressure';

export const scarceOf = (signal: Signal): Scarce =>
  signal === 'memory.available'
    ? 'memory'
    : signal === 'pid.available'
      ? 'pids'
      : signal.endsWith('.inodesFree')
        ? 'inodes'
        : 'ephemeral-storage';

/** Of a whole of this size. */
export const amountOf = (value: ThresholdValue, capacity: number): number =>
  'amount' in value ? value.amount : Math.floor(capacity * value.part);

/** With `reclaimed`, also the least reclaim has to be free before it is not met any more. */
export function isMet(threshold: Threshold, reading: MachineReading, reclaimed: boolean): boolean {
  const amount = observed(reading, threshold.signal);
  if (amount === undefined) return false;
  const { value, minReclaim } = threshold;
  const more = reclaimed && minReclaim !== undefined ? amountOf(minReclaim, amount.capacity) : 0;
  return amount.available < amountOf(value, amount.capacity) + more;
}

export interface PressureState {
  /** Since when a threshold is met. */
  readonly since: ReadonlyMap<Threshold, number>;
  /** Thresholds that were acted on and are not resolved. */
  readonly open: ReadonlySet<Threshold>;
  readonly lastSeen: ReadonlyMap<PressureCondition, number>;
}

export const calmState: PressureState = { since: new Map(), open: new Set(), lastSeen: new Map() };

export interface Observation {
  readonly state: PressureState;
  readonly conditions: ReadonlySet<PressureCondition>;
  /** The most urgent one whose time has come; undefined: nothing has to be done. */
  readonly due: Threshold | undefined;
  readonly allDue: readonly Threshold[];
}

export function observe(
  before: PressureState,
  thresholds: readonly Threshold[],
  reading: MachineReading,
  nowMs: number,
  transitionMs: number,
): Observation {
  const met = thresholds.filter((one) => isMet(one, reading, before.open.has(one)));
  const since = new Map(met.map((one) => [one, before.since.get(one) ?? nowMs]));
  const lastSeen = new Map(before.lastSeen);
  for (const { signal } of met) lastSeen.set(conditionOf(signal), nowMs);
  const conditions = new Set<PressureCondition>();
  for (const [condition, seenMs] of lastSeen) {
    if (nowMs - seenMs < transitionMs || seenMs === nowMs) conditions.add(condition);
    else lastSeen.delete(condition);
  }
  const due = met
    .filter((one) => nowMs - (since.get(one) ?? nowMs) >= one.graceMs)
    // Memory kills; a disk only fills.
    .toSorted((a, b) => urgency(a) - urgency(b));
  return { state: { since, open: new Set(due), lastSeen }, conditions, due: due[0], allDue: due };
}

const urgency = ({ signal }: Threshold): number => (signal === 'memory.available' ? 0 : 1);
