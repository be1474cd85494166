/**
 * Whom pods of one priority that ask the same may put out of their places, node by node: what is found out about a node is kept until something there changes.
 * Pure; for pods that look neither at other pods nor at ports, so that whether they fit is a matter of sums.
 *
 *   row ─▶ sums without the less important ─▶ as many back as can stay ─▶ what the node would lose, in columns ─▶ the first that loses least
 *
 * Invariant: a kept answer is what `preempt` finds by taking pods away from the snapshot and putting them back.
 */
import type { Pod } from '../../api/index.ts';
import type { Demand } from '../demand.ts';
import {
  byImportance,
  guardedByBudgets,
  notHelpful,
  noVictims,
  type Preemption,
  priorityOf,
  startOf,
  type Victim,
} from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import { Room } from './room.ts';

const unknown = 0;
const useless = 1;
/** Nobody on it is less important. */
const vacant = 2;
/** It would not do without them either. */
const tooSmall = 3;
const candidate = 4;

export interface Ground {
  /** Rows in order. */
  readonly rows: Int32Array;
  /** Whether the row refuses the pod for what others take of it. */
  isPotential(row: number): boolean;
}

export class VictimBook {
  readonly #snapshot: Snapshot;
  readonly #ground: Ground;
  readonly #priority: number;
  readonly #room: Room;
  #budgets: number;
  readonly #states: Uint8Array;
  readonly #violations: Int32Array;
  readonly #highest: Float64Array;
  readonly #sums: Float64Array;
  readonly #counts: Int32Array;
  readonly #started: string[] = [];

  constructor(snapshot: Snapshot, demand: Demand, ground: Ground, priority: number) {
    this.#snapshot = snapshot;
    this.#ground = ground;
    this.#priority = priority;
    this.#room = new Room(snapshot, demand);
    this.#budgets = snapshot.budgets.version;
    const { rows } = snapshot;
    this.#states = new Uint8Array(rows);
    this.#violations = new Int32Array(rows);
    this.#highest = new Float64Array(rows);
    this.#sums = new Float64Array(rows);
    this.#counts = new Int32Array(rows);
  }

  /** Something came to the row or has left it. */
  changed(row: number): void {
    this.#states[row] = unknown;
  }

  /** The row that loses least among the first that could be cleared, and whom. */
  choose(enough: number): Omit<Preemption & { kind: 'chosen' }, 'displaced' | 'kind'> | undefined {
    const { budgets } = this.#snapshot;
    if (this.#budgets !== budgets.version) {
      this.#states.fill(unknown);
      this.#budgets = budgets.version;
    }
    let best = -1;
    let candidates = 0;
    let isFree = false;
    for (const row of this.#ground.rows) {
      if (this.#stateOf(row) !== candidate) continue;
      candidates++;
      isFree ||= this.#violations[row] === 0;
      if (best < 0 || this.#losesLess(row, best)) best = row;
      if (candidates >= enough && isFree) break;
    }
    if (best < 0) return undefined;
    const { victims, violations } = this.#lookAt(best) as Found;
    return { nodeName: this.#snapshot.facts(best)?.name ?? '', victims, violations, candidates };
  }

  /** Why there is none, by reason; the rows that would not do even if they were empty aside. */
  reasons(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    let left = this.#snapshot.nodeCount;
    for (const row of this.#ground.rows) {
      const state = this.#stateOf(row);
      if (state === useless) continue;
      left--;
      for (const reason of state === vacant ? [noVictims] : this.#reasonsOn(row))
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    if (left > 0) counts.set(notHelpful, left);
    return counts;
  }

  #stateOf(row: number): number {
    let state = this.#states[row] as number;
    if (state === unknown) {
      state = this.#lookAnew(row);
      this.#states[row] = state;
    }
    return state;
  }

  #lookAnew(row: number): number {
    if (!this.#ground.isPotential(row)) return useless;
    const found = this.#lookAt(row);
    if (typeof found === 'number') return found;
    const { victims, violations } = found;
    const priorities = victims.map(({ pod }) => priorityOf(pod));
    const highest = Math.max(...priorities);
    this.#violations[row] = violations;
    this.#highest[row] = highest;
    // Each counts, also those of priorities below zero.
    this.#sums[row] = priorities.reduce((sum, one) => sum + one + 2 ** 31, 0);
    this.#counts[row] = victims.length;
    let started = '';
    for (const { pod } of victims)
      if (priorityOf(pod) === highest && (started === '' || startOf(pod) < started)) started = startOf(pod);
    this.#started[row] = started;
    return candidate;
  }

  #lookAt(row: number): Found | typeof vacant | typeof tooSmall {
    const below = this.#below(row);
    if (below.length === 0) return vacant;
    const room = this.#room;
    room.begin(row);
    for (const { amounts } of below) room.give(amounts);
    if (!room.fits) return tooSmall;
    const victims = below.map(({ key, pod }): Victim => ({ key, pod }));
    const { budgets } = this.#snapshot;
    const guarded = budgets.size === 0 ? nobody : guardedByBudgets(victims, budgets.values());
    const away: Victim[] = [];
    let violations = 0;
    for (const isGuarded of guarded.size === 0 ? [false] : [true, false])
      for (const [at, victim] of victims.entries()) {
        if (guarded.has(victim) !== isGuarded) continue;
        const { amounts } = below[at] as Below;
        room.take(amounts);
        if (room.fits) continue;
        room.give(amounts);
        away.push(victim);
        if (isGuarded) violations++;
      }
    return { victims: guarded.size === 0 ? away : away.sort(byImportance), violations };
  }

  #below(row: number): Below[] {
    const { table, holds } = this.#snapshot;
    const below: Below[] = [];
    for (let slot = table.firstOnRow(row); slot >= 0; slot = table.nextOnRow(slot)) {
      const { priority, amounts } = table.shape(slot);
      if (priority < this.#priority && !holds.hasPlace(table.key(slot)))
        below.push({ key: table.key(slot), pod: table.pod(slot), amounts });
    }
    return below.sort(byImportance);
  }

  #reasonsOn(row: number): readonly string[] {
    const room = this.#room;
    room.begin(row);
    for (const { amounts } of this.#below(row)) room.give(amounts);
    return room.lacking();
  }

  #losesLess(row: number, other: number): boolean {
    for (const column of [this.#violations, this.#highest, this.#sums, this.#counts]) {
      const difference = (column[row] as number) - (column[other] as number);
      if (difference !== 0) return difference < 0;
    }
    // Of the most important victims the one that runs for longest: where it started last.
    return (this.#started[row] as string) > (this.#started[other] as string);
  }
}

interface Below extends Victim {
  readonly pod: Pod;
  readonly amounts: Parameters<Room['give']>[0];
}

interface Found {
  readonly victims: readonly Victim[];
  readonly violations: number;
}

const nobody: ReadonlySet<Victim> = new Set();
