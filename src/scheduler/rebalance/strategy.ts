/**
 * What a strategy is: it can say how much is wrong, as a number that moves make smaller, and which pods it would move.
 *
 * That one number is why plans come to an end: a move is taken only if the numbers of the policy's strategies, in their order, become smaller as a whole: the first
 * that changes has to fall. They are whole and never below zero, so no run of plans goes on for ever, and none undoes what an earlier one did.
 */
import type { Placed, Trial } from './trial.ts';

/** Pods that go together or not at all. */
export interface Candidate {
  readonly group: readonly string[];
  readonly reason: string;
  /** It is enough that they are made anew: they may come back to their node. */
  readonly isRenewal?: boolean;
  /** Nothing is wrong where they are: nobody has to hear that they stay. */
  readonly isWish?: boolean;
  /** Nodes that new pods have to stay away from while these are moved. */
  readonly hold?: readonly string[];
  /** … and until all of the strategy's moves are made, once these are taken. */
  readonly keep?: readonly string[];
}

export interface Strategy {
  readonly type: string;
  /** How much is wrong with these pods and nodes: moves of these pods between these nodes change it by what all together changes. Whole, 0 or more. */
  cost(trial: Trial, touched: Touched): number;
  /** What it would try, the best first. Asked again after a round in which something was taken. */
  candidates(trial: Trial): Iterable<Candidate>;
  /** Nodes that shall go: cordoned before anything is moved. */
  cordons?(trial: Trial): Iterable<string>;
  /** Nodes that new pods have to stay away from while its moves are made. */
  holds?(trial: Trial): Iterable<string>;
}

export interface Touched {
  readonly keys: readonly string[];
  readonly nodes: ReadonlySet<string>;
}

export function placedOf(trial: Trial, keys: readonly string[]): readonly Placed[] {
  return keys.flatMap((key) => trial.placed(key) ?? []);
}

/** One whose number is how many pods are wrong where they are. */
export function perPod(
  type: string,
  wrong: (trial: Trial, one: Placed) => string | undefined,
  more: Partial<Strategy> & { readonly isRenewal?: boolean } = {},
): Strategy {
  const { isRenewal = false, ...rest } = more;
  return {
    type,
    cost: (trial, { keys }) => placedOf(trial, keys).filter((one) => wrong(trial, one) !== undefined).length,
    *candidates(trial) {
      const found: { readonly one: Placed; readonly reason: string }[] = [];
      for (const one of trial.all()) {
        const reason = wrong(trial, one);
        if (reason !== undefined) found.push({ one, reason });
      }
      found.sort((a, b) => byImportance(a.one, b.one));
      for (const { one, reason } of found) yield { group: [one.key], reason, isRenewal };
    },
    ...rest,
  };
}

/** Who matters least goes first; then by name, so that the plan is the same every time. */
export function byImportance(a: Placed, b: Placed): number {
  const priority = (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
  if (priority !== 0) return priority;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
