/**
 * What waits in queues: pods, and what of them is decided as one. Pure.
 *
 *   queue ─▶ line ─▶ groups ─▶ entries, by priority and age
 *                      └─ unit: pods of one queue that ask the same, refused alike; or a gang, in whatever queues its members are
 */
import type { WaitingPod } from '../plan.ts';
import type { Refusal } from './admission.ts';
import type { Ask } from './amounts.ts';
import { Heap } from './heap.ts';
import type { QueueNode } from './queue-node.ts';

export interface Entry {
  waiting: WaitingPod;
  readonly priority: number;
  readonly createdMs: number;
  readonly leaf: QueueNode;
  readonly ask: Ask;
  readonly group: Group;
  isGone: boolean;
  /** The cause of the refusal that it was told last. */
  told: string;
}

/** Of one queue, and decided alike. */
export interface Group {
  readonly leaf: QueueNode;
  readonly line: Line;
  readonly unit: Unit;
  readonly entries: Heap<Entry>;
  size: number;
}

/** Refused as one. */
export interface Unit {
  /** What its pods ask, or the key of their gang. */
  readonly of: Ask | string;
  readonly groups: Set<Group>;
  /** Why none of it can be planned now. */
  refusal: Refusal | undefined;
  /** Beside that: why no less important pods go for it, where there are some. */
  why: string;
  /** Of a gang: how it stood when that was found out. */
  stand: string;
}

/** What waits in one leaf. */
export interface Line {
  readonly groups: Map<Ask | string, Group>;
  /** The first of each group that is not blocked; those that are not first any more are passed over. */
  readonly heads: Heap<Entry>;
}

export const newLine = (): Line => ({ groups: new Map(), heads: new Heap(isBefore) });

export function newGroup(leaf: QueueNode, line: Line, unit: Unit): Group {
  const group: Group = { leaf, line, unit, entries: new Heap(isBefore), size: 0 };
  unit.groups.add(group);
  line.groups.set(unit.of, group);
  return group;
}

export function firstOf({ entries }: Group): Entry | undefined {
  while (entries.first?.isGone === true) entries.pop();
  return entries.first;
}

/** All that are still there, in their order. */
export function entriesOf({ groups }: Unit): Entry[] {
  const all: Entry[] = [];
  for (const { entries } of groups) for (const one of entries.all) if (!one.isGone) all.push(one);
  return all.sort((a, b) => (isBefore(a, b) ? -1 : 1));
}

/** Higher priority first, then older, then by name. */
function isBefore(a: Entry, b: Entry): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.createdMs !== b.createdMs) return a.createdMs < b.createdMs;
  return a.waiting.key < b.waiting.key;
}
