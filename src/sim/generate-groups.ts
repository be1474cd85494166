/**
 * Gangs and reservations, from draws of their own: groups that come, grow, lose some and go, with a scheduler that is killed in the middle of their bindings;
 * room that is held, used, given back, and whose time is over.
 */
import type { Random } from '../lib/index.ts';
import type { Fault, GroupAction, NodePlan } from './plan.ts';

type Timed = GroupAction & { readonly atMs: number };
type Sometimes = (random: Random, activeMs: number, nodes: readonly NodePlan[]) => readonly Timed[];
type Gang = GroupAction & { readonly kind: 'gang' };

const chance = (random: Random, of: number): boolean => random.float() < of;
const soon = (random: Random, meanMs: number): number =>
  1 + Math.floor(-Math.log(1 - random.float()) * meanMs);
const wholeOf = (random: Random, nodes: readonly NodePlan[]): number =>
  (nodes[random.integer(nodes.length)]?.cpuCount ?? 4) * 1000;

export const gangActions: Sometimes = (random, activeMs, nodes) =>
  chance(random, 0.12) ? gangs(random, activeMs, nodes) : [];

export function gangs(random: Random, activeMs: number, nodes: readonly NodePlan[]): readonly Timed[] {
  const all = Array.from({ length: 1 + random.integer(3) }, (_, number): Gang => {
    const minCount = 2 + random.integer(nodes.length + 2);
    return {
      kind: 'gang',
      number,
      minCount,
      pods: Math.max(1, minCount + random.integer(4) - 1),
      // Some on a node: not all gangs fit at once.
      cpuMilli: Math.round(wholeOf(random, nodes) * (0.08 + 0.3 * random.float())),
      by: chance(random, 0.7) ? 'group' : 'annotations',
      isTogether: chance(random, 0.3),
      goesTogether: chance(random, 0.3),
      isOwned: chance(random, 0.4),
      isLow: chance(random, 0.3),
    };
  });
  const actions: Timed[] = all.map((gang) => ({ ...gang, atMs: 2000 + random.integer(20_000) }));
  for (let atMs = 20_000; actions.length < 24; ) {
    atMs += soon(random, 15_000);
    if (atMs >= activeMs) break;
    const gang = all[random.integer(all.length)] as Gang;
    const { number, minCount } = gang;
    const what = random.float();
    if (what < 0.4) actions.push({ ...gang, pods: minCount + random.integer(4), atMs });
    else if (what < 0.6) actions.push({ kind: 'dropGang', number, what: 'all', atMs });
    else actions.push({ kind: 'dropGang', number, what: what < 0.85 ? 'some' : 'group', atMs });
  }
  return actions;
}

/** The scheduler ends in the middle of what it does for a gang. */
export function gangFaults(random: Random, actions: readonly Timed[], activeMs: number): readonly Fault[] {
  if (!chance(random, 0.5)) return [];
  return actions
    .filter((action) => action.kind === 'gang' && chance(random, 0.4))
    .map(({ atMs }): Fault => {
      const at = Math.min(activeMs - 1000, atMs + random.integer(500));
      const forMs = Math.min(activeMs - at, 500 + random.integer(10_000));
      return { kind: 'kill', process: 'scheduler', afterSends: 1 + random.integer(8), atMs: at, forMs };
    });
}

export const reservationActions: Sometimes = (random, activeMs, nodes) =>
  chance(random, 0.1) ? heldRoom(random, activeMs, nodes) : [];

export function heldRoom(random: Random, activeMs: number, nodes: readonly NodePlan[]): readonly Timed[] {
  const count = 1 + random.integer(2);
  const sizes = Array.from({ length: count }, () =>
    Math.round(wholeOf(random, nodes) * (0.2 + 0.4 * random.float())),
  );
  const reserve = (number: number): GroupAction => ({
    kind: 'reserve',
    number,
    count: 1 + random.integer(4),
    cpuMilli: sizes[number] ?? 1000,
    isPartial: chance(random, 0.4),
    mayFail: chance(random, 0.2),
    ttlMs: chance(random, 0.4) ? 10_000 + random.integer(60_000) : 0,
  });
  const actions: Timed[] = [];
  for (let number = 0; number < count; number++)
    actions.push({ ...reserve(number), atMs: random.integer(15_000) });
  let guests = 0;
  for (let atMs = 8000; actions.length < 24; ) {
    atMs += soon(random, 12_000);
    if (atMs >= activeMs) break;
    const number = random.integer(count);
    const what = random.float();
    if (what < 0.5 && guests < 8)
      actions.push({
        kind: 'guests',
        number: guests++,
        reservation: number,
        pods: 1 + random.integer(3),
        // Less than its place, just as much, or more.
        cpuMilli: Math.round((sizes[number] ?? 1000) * ([0.5, 1, 1, 1.2][random.integer(4)] ?? 1)),
        isNamed: chance(random, 0.5),
        atMs,
      });
    else if (what < 0.7 && guests > 0)
      actions.push({ kind: 'dropGuests', number: random.integer(guests), atMs });
    else if (what < 0.8) actions.push({ kind: 'unreserve', number, atMs });
    else actions.push({ ...reserve(number), atMs });
  }
  return actions;
}
