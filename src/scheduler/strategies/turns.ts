/**
 * Round robin: nodes take turns, each as often as its weight says. Pure; whose turn it is belongs to the snapshot, by the name of who takes turns.
 *
 * Invariant: of the nodes that are possible, the one that is furthest behind is next; who was away for long has one turn
 * when it comes back and is then where the others are, so that it is not flooded.
 * Source: stride scheduling (Waldspurger and Weihl, 1995).
 */
import type { Snapshot } from '../snapshot.ts';
import type { OwnScore, Question } from './strategy.ts';

/** Of a node: how many pods it takes beside the others. */
export const weightLabel = 'scheduling.caelum.dev/weight';

class Turns {
  /** How far each node has come, by its name. */
  readonly #passes = new Map<string, number>();
  #now = 0;

  of(node: string): number {
    return this.#passes.get(node) ?? 0;
  }

  /** Only its own pass changes, so that whose turn it is among the others stays as it was. */
  take(node: string, stride: number): void {
    this.#now = Math.max(this.of(node), this.#now);
    this.#passes.set(node, this.#now + stride);
  }
}

const known = new WeakMap<Snapshot, Map<string, Turns>>();

function turnsOf(snapshot: Snapshot, who: string): Turns {
  let all = known.get(snapshot);
  if (all === undefined) {
    all = new Map();
    known.set(snapshot, all);
  }
  let turns = all.get(who);
  if (turns === undefined) {
    turns = new Turns();
    all.set(who, turns);
  }
  return turns;
}

/** `who`: pods of the same name share their turns. */
export function takeTurns({ snapshot }: Question, who: string, isWeighted: boolean): OwnScore {
  const turns = turnsOf(snapshot, who);
  const strideOf = (row: number): number => (isWeighted ? 1 / weightOf(snapshot, row) : 1);
  const nameOf = (row: number): string => snapshot.facts(row)?.name ?? '';
  return {
    value: (row) => 100 * (1 - turns.of(nameOf(row))),
    placed: (row) => turns.take(nameOf(row), strideOf(row)),
  };
}

/** What the label says; else as many as it has cores. */
function weightOf(snapshot: Snapshot, row: number): number {
  const told = Number(snapshot.facts(row)?.labels[weightLabel] ?? Number.NaN);
  const weight = Number.isFinite(told) ? told : (snapshot.cpuWhole[row] ?? 0) / 1000;
  return Math.max(weight, 0.001);
}
