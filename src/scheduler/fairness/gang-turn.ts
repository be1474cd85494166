/**
 * A gang's turn: may its queues have all at once what it still needs? Pure.
 *
 *   members that wait ─▶ could they ever, with nobody else there? ─▶ as many as fit under all limits, in their order, else the small ones first
 *                           └─ no: refused for good                    └─ fewer than are needed: nobody, and why
 *
 * Its members may be in different queues: each counts where it is, and above. Invariant: either as many as are needed are counted, or nobody is.
 * With one scarce resource the small ones first are as many as can be, limits being nested.
 */
import type { Gang } from '../gangs/gang-book.ts';
import { limitOf, type Refusal } from './admission.ts';
import { type Ask, podsAt, type Vector } from './amounts.ts';
import type { QueueNode } from './queue-node.ts';
import type { Tenants } from './tenants.ts';

export interface Asking {
  readonly leaf: QueueNode;
  readonly ask: Ask;
}

/** What a gang that waits still needs. */
export interface GangNeed<T extends Asking> {
  readonly gang: Gang;
  /** Its members that wait, in their order. */
  readonly waiting: readonly T[];
  /** How many of them have to have a place at once. 0: they come one by one. */
  readonly need: number;
}

/** Whose places are counted when it returns; or why nobody's is. */
export function countTogether<T extends Asking>(
  { gang, waiting, need }: GangNeed<T>,
  tenants: Tenants,
): { readonly chosen: readonly T[] } | { readonly refusal: Refusal } {
  const never = need > 0 ? neverWithin({ gang, waiting, need }, tenants) : undefined;
  if (never !== undefined) return { refusal: never };
  const usual = greedily(waiting, need, tenants);
  if (usual.chosen !== undefined) return { chosen: usual.chosen };
  if (need > 0 && need < waiting.length) {
    const size = sizeBy(tenants.capacity);
    const small = greedily(
      [...waiting].sort((a, b) => size(a.ask) - size(b.ask)),
      need,
      tenants,
    );
    if (small.chosen !== undefined) return { chosen: small.chosen };
  }
  return { refusal: need > 1 ? ofAll(usual.refusal, { gang, waiting, need }, tenants) : usual.refusal };
}

type Found<T> = { readonly chosen: readonly T[] } | { readonly chosen: undefined; readonly refusal: Refusal };

function greedily<T extends Asking>(waiting: readonly T[], need: number, tenants: Tenants): Found<T> {
  const chosen: T[] = [];
  let refusal: Refusal | undefined;
  for (const one of waiting) {
    const refused = tenants.refusal(one.leaf, one.ask);
    if (refused === undefined) {
      one.leaf.count(one.ask, 1);
      chosen.push(one);
    } else refusal ??= refused;
    // So many are refused that the rest cannot be enough.
    if (refusal !== undefined && need === waiting.length) break;
  }
  if (refusal === undefined || chosen.length >= Math.max(1, need)) return { chosen };
  for (const { leaf, ask } of chosen) leaf.count(ask, -1);
  return { chosen: undefined, refusal };
}

/** The largest part of the cloud. */
function sizeBy(capacity: Vector): (ask: Ask) => number {
  return (ask) => {
    let most = 0;
    for (const { at, amount } of ask) if (at !== podsAt) most = Math.max(most, amount / (capacity[at] || 1));
    return most;
  };
}

interface Needed {
  /** How many of those below the queue are needed at least. */
  readonly count: number;
  /** Of each resource, the least that these ask. */
  readonly least: readonly number[];
}

/** What has to be below the node, however the members are chosen. */
function neededBelow({ waiting, need }: GangNeed<Asking>, node: QueueNode): Needed {
  const below = waiting.filter(({ leaf }) => isBelow(leaf, node));
  const count = need - (waiting.length - below.length);
  const least: number[] = [];
  if (count <= 0) return { count: 0, least };
  const amounts: number[][] = [];
  for (const { ask } of below)
    for (const { at, amount } of ask) {
      amounts[at] ??= [];
      amounts[at].push(amount);
    }
  amounts.forEach((some, at) => {
    // Those that ask nothing of it come first.
    const asked = count - (below.length - some.length);
    least[at] = some
      .sort((a, b) => a - b)
      .slice(0, Math.max(0, asked))
      .reduce((sum, one) => sum + one, 0);
  });
  return { count, least };
}

function isBelow(leaf: QueueNode, node: QueueNode): boolean {
  for (let at: QueueNode | undefined = leaf; at !== undefined; at = at.parent) if (at === node) return true;
  return false;
}

/** What its members have below the node already. */
function hasBelow({ members }: Gang, node: QueueNode, at: number, tenants: Tenants): number {
  let has = 0;
  for (const key of members.keys()) {
    const count = tenants.countOf(key);
    if (count !== undefined && isBelow(count.leaf, node))
      has += count.ask.find((one) => one.at === at)?.amount ?? 0;
  }
  return has;
}

/** A limit that the gang alone exceeds. */
function neverWithin(turn: GangNeed<Asking>, tenants: Tenants): Refusal | undefined {
  const { gang } = turn;
  const seen = new Set<QueueNode>();
  for (const { leaf } of turn.waiting)
    for (let node: QueueNode | undefined = leaf; node !== undefined && !seen.has(node); node = node.parent) {
      seen.add(node);
      if (!hasLimits(node)) continue;
      const { count, least } = neededBelow(turn, node);
      for (let at = 0; at < least.length; at++) {
        const most = limitOf(node, at);
        const more = least[at] ?? 0;
        if (most === undefined || more === 0) continue;
        const all = more + hasBelow(gang, node, at, tenants);
        if (all <= most) continue;
        const { resources } = tenants;
        const needs = `${gang.label} needs ${resources.told(at, all)} for ${membersText(gang, count)}`;
        return {
          by: node,
          at,
          sort: 'never',
          cause: `${node.name} ${at} never ${all}`,
          message: `queue ${node.name}: ${needs}, and can never have that: the queue may have at most ${resources.told(at, most)}`,
        };
      }
    }
  return undefined;
}

const hasLimits = ({ rules, min }: QueueNode): boolean =>
  rules.max.length > 0 || (!rules.mayBorrow && min.length > 0);

const membersText = ({ noun }: Gang, count: number): string =>
  `${count} ${count === 1 ? noun.replace(/s$/, '') : noun}`;

/** Says what the gang needs, not what the one member needs with whom it was too much. */
function ofAll(refusal: Refusal, turn: GangNeed<Asking>, { resources }: Tenants): Refusal {
  const { by, at, sort, cause } = refusal;
  const { gang, need } = turn;
  const told = { ...refusal, cause: `${cause} ${gang.key} ${need}` };
  const most = by === undefined ? undefined : limitOf(by, at);
  const { count, least } = by === undefined ? { count: 0, least: [] } : neededBelow(turn, by);
  if (by === undefined || most === undefined || count === 0 || (sort !== 'max' && sort !== 'min'))
    return {
      ...told,
      message: `${refusal.message} (${gang.label} needs ${membersText(gang, need)} at once)`,
    };
  const more = least[at] ?? 0;
  const needs = `${gang.label} needs ${resources.told(at, more)} for ${membersText(gang, count)}`;
  const taken = `${resources.text(at, by.used[at] ?? 0)} of ${sort === 'max' ? 'at most ' : ''}${resources.told(at, most)} are taken`;
  return {
    ...told,
    needs: more,
    message: `queue ${by.name}: ${needs}, and ${taken}${sort === 'min' ? ', and it may not borrow' : ''}`,
  };
}

/** Is a limit that refused a gang still as far away? The gang stands as it did then. */
export function stillRefuses({ by, at, sort, needs }: Refusal): boolean {
  if (sort === 'never') return true;
  const most = by === undefined ? undefined : limitOf(by, at);
  return by !== undefined && most !== undefined && needs !== undefined && (by.used[at] ?? 0) + needs > most;
}
