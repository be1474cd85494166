/** One run of an expression: its variables, what it has cost, and what it may cost. */
import { Fault } from './value.ts';
import { costLimitWhy } from './work.ts';

export class Frame {
  /** By slot: variables of the environment first, then those of loops. */
  readonly vars: unknown[];
  cost = 0;
  private readonly limit: number;

  constructor(vars: unknown[], limit: number) {
    this.vars = vars;
    this.limit = limit;
  }

  spend(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new Fault(costLimitWhy, true);
  }
}

/** A compiled part of an expression. */
export type Run = (frame: Frame) => unknown;
