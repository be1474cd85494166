/**
 * Round robin: nodes take turns, each as often as its weight says. Pure; whose turn it is belongs to the snapshot, by the name of who takes turns.
 *
 * Invariant: of the nodes that are possible, the one that is furthest behind is next; who was away for long has one turn
 * when it comes back and is then where the others are, so that it is not flooded.
 * Nothing is written of it: who begins anew, as after a restart, counts the turns that nodes have had by the pods that they have. Where none have ended
 * meanwhile that is exactly where it was; else a node that lost some has one turn before the others.
 * Source: stride scheduling (Waldspurger and Weihl, 1995).
 */
import type { Pod } from '../../api/index.ts';
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

  /** It has had so many. */
  had(node: string, count: number, stride: number): void {
    let before = 0;
    let pass = 0;
    // As `take` adds up.
    for (let turn = 0; turn < count; turn++) {
      before = pass;
      pass += stride;
    }
    this.#passes.set(node, pass);
    this.#now = Math.max(this.#now, before);
  }

  /** Only its own pass changes, so that whose turn it is among the others stays as it was. */
  take(node: string, stride: number): void {
    this.#now = Math.max(this.of(node), this.#now);
    this.#passes.set(node, this.#now + stride);
  }
}

const known = new WeakMap<Snapshot, Map<string, Turns>>();

function turnsOf(snapshot: Snapshot, who: string, begin: () => Turns): Turns {
  let all = known.get(snapshot);
  if (all === undefined) {
    all = new Map();
    known.set(snapshot, all);
  }
  let turns = all.get(who);
  if (turns === undefined) {
    turns = begin();
    all.set(who, turns);
  }
  return turns;
}

/** `who`: pods of the same name share their turns. `isOurs`: whether a pod that is there had one of them. */
export function takeTurns(
  { snapshot }: Question,
  who: string,
  isWeighted: boolean,
  isOurs: (pod: Pod) => boolean,
): OwnScore {
  const strideOf = (row: number): number => (isWeighted ? 1 / weightOf(snapshot, row) : 1);
  const nameOf = (row: number): string => snapshot.nameOf(row);
  const turns = turnsOf(snapshot, who, () => {
    const begun = new Turns();
    for (let row = 0; row < snapshot.rows; row++) {
      let count = 0;
      for (const pod of snapshot.podsOn(row)) count += Number(isOurs(pod));
      if (count > 0) begun.had(nameOf(row), count, strideOf(row));
    }
    return begun;
  });
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
