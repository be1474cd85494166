/**
 * Which nodes have what claims ask for, beside room: as boards ask it.
 * Invariant: after `catchUp` each row's answer is as of now, and every row whose answer has become another since is in `turned`.
 */
import type { Snapshot } from '../snapshot.ts';

export interface Gate {
  /** Another one after everything was looked at anew. */
  readonly id: number;
  /** Rows whose answer has turned, in the order in which it did. */
  readonly turned: readonly number[];
  catchUp(snapshot: Snapshot): void;
  /** Why the row is refused; undefined: it is not. */
  lacks(row: number): readonly string[] | undefined;
  /** Whether it might not be refused if certain pods were not there. */
  mayEver(row: number): boolean;
}

/** Of a pod that comes into question for a few rows only: what each of these says, and what all others do. */
export interface Few {
  readonly rows: readonly number[];
  lacks(row: number): readonly string[] | undefined;
  readonly others: readonly string[];
}

let ids = 0;

/** No two gates ever have the same. */
export const newGateId = (): number => ++ids;
