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
import { LossTree } from './loss-tree.ts';
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
  /** Where each row stands on the ground; the tree knows those before `known`, but for the changed. */
  readonly #positions: Int32Array;
  readonly #tree: LossTree;
  readonly #changed: number[] = [];
  #known = 0;

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
    this.#positions = new Int32Array(rows);
    for (const [at, row] of ground.rows.entries()) this.#positions[row] = at;
    this.#tree = new LossTree(ground.rows.length, (at, other) =>
      this.#losesLess(ground.rows[at] as number, ground.rows[other] as number),
    );
  }

  /** Something came to the row or has left it. */
  changed(row: number): void {
    if (this.#states[row] === unknown) return;
    this.#states[row] = unknown;
    if ((this.#positions[row] as number) < this.#known) this.#changed.push(row);
  }

  /** The row that loses least among the first that could be cleared, and whom. */
  choose(enough: number): Omit<Preemption & { kind: 'chosen' }, 'displaced' | 'kind'> | undefined {
    const { budgets } = this.#snapshot;
    if (this.#budgets !== budgets.version) {
      this.#states.fill(unknown);
      this.#budgets = budgets.version;
      this.#tree.clear();
      this.#known = 0;
      this.#changed.length = 0;
    }
    for (const row of this.#changed) this.#rank(row);
    this.#changed.length = 0;
    const tree = this.#tree;
    const { rows } = this.#ground;
    while (this.#known < rows.length && !tree.has(enough)) this.#rank(rows[this.#known++] as number);
    const least = tree.least(enough);
    if (least === undefined) return undefined;
    const best = rows[least.at] as number;
    const { victims, violations } = this.#lookAt(best) as Found;
    return { nodeName: this.#snapshot.nameOf(best), victims, violations, candidates: least.candidates };
  }

  #rank(row: number): void {
    const isCandidate = this.#stateOf(row) === candidate;
    this.#tree.set(this.#positions[row] as number, isCandidate, this.#violations[row] === 0);
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
    let difference = (this.#violations[row] as number) - (this.#violations[other] as number);
    if (difference === 0) difference = (this.#highest[row] as number) - (this.#highest[other] as number);
    if (difference === 0) difference = (this.#sums[row] as number) - (this.#sums[other] as number);
    if (difference === 0) difference = (this.#counts[row] as number) - (this.#counts[other] as number);
    if (difference !== 0) return difference < 0;
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
