/**
 * One queue in the tree: what it is guaranteed, what it may have, what it has. Pure.
 *
 * A queue that has queues below it and pods of its own keeps these in a nameless part (`own`) of weight 1 beside them; so pods are in leaves only.
 *
 * Invariants: what a queue has is the sum of what its parts have; `kept` is what others may not borrow of what it is guaranteed and does not use.
 */
import { type Ask, addTo, type Vector } from './amounts.ts';
import { measured, partsOf, Siblings, type Standing } from './siblings.ts';

export type ReclaimPolicy = 'Any' | 'LowerPriority' | 'Never';

export interface QueueRules {
  readonly weight: number;
  readonly min: Vector;
  readonly max: Vector;
  readonly mayBorrow: boolean;
  readonly mayLend: boolean;
  readonly reclaim: ReclaimPolicy;
}

export const plainRules: QueueRules = {
  weight: 1,
  min: [],
  max: [],
  mayBorrow: true,
  mayLend: true,
  reclaim: 'Any',
};

export class QueueNode {
  /** As the object is called; of a queue's own part, as the queue; of the root, nothing. */
  readonly name: string;
  readonly parent: QueueNode | undefined;
  readonly rules: QueueRules;
  readonly depth: number;
  readonly children: QueueNode[] = [];
  /** What it is guaranteed: as it says, else what its parts are. */
  min: Vector;
  /** Why it is not in force: its parent is not there, or is below it. */
  broken: string | undefined;
  readonly used: number[] = [];
  /** Of that, what is going already. */
  readonly leaving: number[] = [];
  /** Of what it has, what is to be given to pods when others of it have gone. */
  readonly promised: number[] = [];
  /** What its pods that have no place ask for. */
  readonly waiting: number[] = [];
  readonly kept: number[] = [];
  readonly #keptBelow: number[] = [];
  /** How many groups of pods below could be planned now. */
  candidates = 0;
  readonly #siblings = new Siblings();
  #standing: Standing | undefined;
  #own: QueueNode | undefined;

  constructor(name: string, parent: QueueNode | undefined, rules: QueueRules) {
    this.name = name;
    this.parent = parent;
    this.rules = rules;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.min = rules.min;
  }

  get isLeaf(): boolean {
    return this.children.length === 0;
  }

  /** Where its pods are. */
  get leaf(): QueueNode {
    if (this.isLeaf && this.parent !== undefined) return this;
    if (this.#own === undefined) {
      this.#own = new QueueNode(this.name, this, plainRules);
      this.children.push(this.#own);
    }
    return this.#own;
  }

  /** The queue that the leaf is the own part of, or itself. */
  get queue(): QueueNode {
    const { parent } = this;
    return parent?.name === this.name ? parent : this;
  }

  /** From the bottom up, once the tree stands. */
  settle(): void {
    for (const one of this.children) one.settle();
    const sum: number[] = [];
    for (const { min } of this.children)
      min.forEach((amount = 0, at) => {
        sum[at] = (sum[at] ?? 0) + amount;
      });
    const min = [...sum] as (number | undefined)[];
    this.rules.min.forEach((amount, at) => {
      if (amount !== undefined) min[at] = amount;
    });
    this.min = min;
    min.forEach((_, at) => {
      this.#keep(at);
    });
  }

  /** A pod has come to this leaf, or left it. */
  count(ask: Ask, sign: 1 | -1): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent) {
      addTo(node.used, ask, sign);
      node.#changed();
    }
    for (const { at } of ask) this.#keep(at);
  }

  #changed(): void {
    this.#standing = undefined;
    const { parent } = this;
    if (parent !== undefined) parent.#siblings.changed(this);
  }

  /** What the cloud has is something else now. */
  forgetStanding(): void {
    for (const child of this.children) child.forgetStanding();
    this.#changed();
  }

  /**
   * How it stands beside its siblings. A leaf by the largest part that it has of any resource (its dominant share). Of a queue with queues below, their parts
   * are added up as if each of those that can go on had no more than the least of them: what one is ahead of its siblings shall not count against them, and
   * those that can have nothing more hold up nobody.
   * Source: A. A. Bhattacharya and others, Hierarchical Scheduling for Diverse Datacenter Workloads (H-DRF), SoCC 2013.
   */
  standing(capacity: Vector): Standing {
    this.#standing ??= measured(
      this.isLeaf ? partsOf(this.used, capacity) : this.#siblings.addedUp(this.children, capacity),
    );
    return this.#standing;
  }

  /** Which of its parts is next, of those that have candidates: who has less than is guaranteed, then who has least for its weight, then by name. */
  next(capacity: Vector): QueueNode | undefined {
    return this.#siblings.next(this.children, capacity);
  }

  countLeaving(ask: Ask, sign: 1 | -1): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent)
      addTo(node.leaving, ask, sign);
  }

  countPromised(ask: Ask, sign: 1 | -1): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent)
      addTo(node.promised, ask, sign);
  }

  countWaiting(ask: Ask, sign: 1 | -1): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent)
      addTo(node.waiting, ask, sign);
  }

  countCandidates(change: 1 | -1): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent) {
      node.candidates += change;
      node.#changed();
    }
  }

  #keep(at: number): void {
    for (let node: QueueNode | undefined = this; node !== undefined; node = node.parent) {
      const unused = node.rules.mayLend ? 0 : (node.min[at] ?? 0) - (node.used[at] ?? 0);
      const kept = Math.max(unused, node.#keptBelow[at] ?? 0);
      const change = kept - (node.kept[at] ?? 0);
      if (change === 0) continue;
      node.kept[at] = kept;
      const { parent } = node;
      if (parent !== undefined) parent.#keptBelow[at] = (parent.#keptBelow[at] ?? 0) + change;
    }
  }

  /** Kept for its parts, all but one. */
  keptBeside(part: QueueNode, at: number): number {
    return (this.#keptBelow[at] ?? 0) - (part.kept[at] ?? 0);
  }

  /** Would it be within its guarantee with so much more: of all that is asked for and that the guarantee speaks of, and of something at least? */
  isEntitledTo(ask: Ask): boolean {
    let speaks = false;
    for (const { at, amount } of ask) {
      const least = this.min[at];
      if (least === undefined) continue;
      if ((this.used[at] ?? 0) + amount > least) return false;
      speaks = true;
    }
    return speaks;
  }

  /** How far its guarantee is used, at most: less than 1 when it has less than that of every resource. */
  get fulfilment(): number {
    let most = -1;
    for (let at = 0; at < this.min.length; at++) {
      const least = this.min[at];
      if (least === undefined || least === 0) continue;
      most = Math.max(most, (this.used[at] ?? 0) / least);
    }
    return most < 0 ? Number.POSITIVE_INFINITY : most;
  }
}
