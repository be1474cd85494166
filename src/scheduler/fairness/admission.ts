/**
 * Whether a queue may have a pod's amounts now, or for what it waits. Pure.
 *
 *   leaf ─▶ its limit, whether it may borrow ─▶ the same of each queue above, less what is kept there for others ─▶ the cloud
 *
 * What others are guaranteed and lend may be borrowed: they get it back by reclaiming. What they do not lend stays free.
 */
import type { Ask, Resources, Vector } from './amounts.ts';
import type { QueueNode } from './queue-node.ts';

export interface Refusal {
  /** Where room has to come from before it is worth asking again. undefined: nowhere, it is others of its gang that lack. */
  readonly by: QueueNode | undefined;
  /** Of which resource, by its number. */
  readonly at: number;
  readonly sort: 'broken' | 'max' | 'min' | 'kept' | 'never' | 'incomplete';
  /** Equal for refusals of the same sort, whatever the figures. */
  readonly cause: string;
  readonly message: string;
  /** Of a gang: so much of that resource at once. */
  readonly needs?: number;
}

export function refusalOf(
  leaf: QueueNode,
  ask: Ask,
  capacity: Vector,
  resources: Resources,
): Refusal | undefined {
  const { queue } = leaf;
  const refused = (by: QueueNode, at: number, sort: Refusal['sort'], why: string): Refusal => ({
    by,
    at,
    sort,
    cause: `${by.name} ${at} ${sort}`,
    message: `${queue.parent === undefined ? 'pods of no queue' : `queue ${queue.name}`}${by === queue || by.parent === undefined ? '' : ` in ${by.name}`}: ${why}`,
  });
  if (queue.broken !== undefined) return refused(queue, 0, 'broken', queue.broken);
  for (const { at, amount } of ask) {
    // What is kept on the way up for others than those that the pod counts to.
    let kept = 0;
    for (let node = leaf; node.parent !== undefined; node = node.parent) {
      const after = (node.used[at] ?? 0) + amount;
      const { max, mayBorrow } = node.rules;
      const [least, most] = [node.min[at], max[at]];
      if (most !== undefined && after > most)
        return refused(
          node,
          at,
          'max',
          `${resources.text(at, after)} of at most ${resources.told(at, most)}`,
        );
      if (!mayBorrow && least !== undefined && after > least)
        return refused(
          node,
          at,
          'min',
          `${resources.text(at, after)} of ${resources.told(at, least)}, and it may not borrow`,
        );
      if (kept > 0 && most !== undefined && after + kept > most) {
        const [has, limit, others] = [
          resources.text(at, after),
          resources.told(at, most),
          resources.text(at, kept),
        ];
        return refused(
          node,
          at,
          'kept',
          `${has} of ${limit}, of which the guarantees of others keep ${others}`,
        );
      }
      // Within a guarantee, and nobody's below it is touched: nobody beside or above has a say in that.
      if (least !== undefined && after + Math.max(0, kept) <= least) kept = Number.NEGATIVE_INFINITY;
      kept += node.parent.keptBeside(node, at);
      if (node.parent.parent !== undefined || kept <= 0) continue;
      const free = (capacity[at] ?? 0) - (node.parent.used[at] ?? 0);
      if (amount + kept <= free) continue;
      return refused(node.parent, at, 'kept', keptMessage(node, at, after, kept, resources));
    }
  }
  return undefined;
}

/** No limit is exceeded with what is there and this: what was promised to others is not there yet. */
export function isWithinLimits(leaf: QueueNode, ask: Ask): boolean {
  for (let node: QueueNode | undefined = leaf; node !== undefined; node = node.parent)
    for (const { at, amount } of ask) {
      const most = limitOf(node, at);
      if (most !== undefined && (node.used[at] ?? 0) - (node.promised[at] ?? 0) + amount > most) return false;
    }
  return true;
}

/** What it may never have more of. */
export function limitOf({ rules, min }: QueueNode, at: number): number | undefined {
  const [least, most] = [min[at], rules.max[at]];
  if (rules.mayBorrow || least === undefined) return most;
  return most === undefined ? least : Math.min(least, most);
}

/** `12 of 10 cpu, may borrow no more: team-b's guarantee needs the 8 that are left`. */
function keptMessage(node: QueueNode, at: number, after: number, kept: number, resources: Resources): string {
  const guaranteed = node.min[at];
  const have =
    guaranteed === undefined
      ? resources.told(at, after)
      : `${resources.text(at, after)} of ${resources.told(at, guaranteed)}`;
  const keepers = (node.parent?.children ?? []).filter((one) => one !== node && (one.kept[at] ?? 0) > 0);
  const first = keepers[0];
  const whose =
    keepers.length === 1 && first !== undefined
      ? `${first.name}'s guarantee keeps`
      : `the guarantees of ${keepers.length} queues keep`;
  return `${have}, may borrow no more: ${whose} ${resources.told(at, kept)}`;
}
