/**
 * Work that the cost of an expression does not see: what lies below one comparison, one formatted text, one result as JSON. Values may share their parts, so
 * that a few lists are worth a billion when they are gone through. Counted for one evaluation; what goes beyond the bound is a fault that nothing absorbs.
 *
 * Invariant: an evaluation takes and makes no more than in proportion to its cost and this bound.
 */
import { Fault } from './value.ts';

export const costLimitWhy = 'operation cancelled: actual cost limit exceeded';

const workMax = 2_000_000;
let done = 0;

/** At the beginning of an evaluation. */
export function beginWork(): void {
  done = 0;
}

/** One for an element that is looked at, or for sixteen characters that are made. */
export function work(amount = 1): void {
  done += amount;
  if (done > workMax) throw new Fault(costLimitWhy, true);
}
