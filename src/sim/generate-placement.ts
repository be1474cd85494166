/**
 * What makes placement hard, from draws of its own: pods of less importance that fill nodes and are put out of their place, pods that may not be placed yet, nodes
 * that vanish, and a second scheduler, one of the two being killed now and then.
 */
import type { Random } from '../lib/index.ts';
import type { Fault, NodePlan, PlacementAction } from './plan.ts';

type Timed = PlacementAction & { readonly atMs: number };

const chance = (random: Random, of: number): boolean => random.float() < of;
const levels = ['low', 'lower'] as const;

export function placementActions(
  random: Random,
  activeMs: number,
  nodes: readonly NodePlan[],
): readonly Timed[] {
  if (!chance(random, 0.7)) return [];
  const first = 1 + random.integer(4);
  let count = 0;
  const actions: Timed[] = [];
  const isGatedAtAll = chance(random, 0.5);
  const fill = (atMs: number): void => {
    const number = count++;
    const isGated = isGatedAtAll && chance(random, 0.5);
    // One takes half of some node or more, and there are more of them than nodes: who is more important comes to full ones.
    const { cpuCount = 4 } = nodes[random.integer(nodes.length)] ?? {};
    actions.push({
      kind: 'fill',
      number,
      pods: nodes.length + random.integer(6),
      cpuMilli: Math.round(cpuCount * (500 + 490 * random.float())),
      memoryMiB: 16 + random.integer(500),
      level: levels[random.integer(2)] ?? 'low',
      mayPreempt: chance(random, 0.7),
      isGated,
      atMs,
    });
    if (isGated && chance(random, 0.8))
      actions.push({ kind: 'openGates', number, atMs: Math.min(activeMs, atMs + random.integer(60_000)) });
  };
  while (count < first) fill(random.integer(20_000));
  for (let atMs = 20_000; atMs < activeMs && actions.length < 40; ) {
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * 20_000);
    if (atMs >= activeMs) break;
    if (chance(random, 0.4)) actions.push({ kind: 'unfill', number: random.integer(count), atMs });
    else if (count < 10) fill(atMs);
  }
  if (chance(random, 0.3)) {
    const times = 1 + random.integer(3);
    for (let i = 0; i < times; i++)
      actions.push({ kind: 'dropNode', node: random.integer(nodes.length), atMs: random.integer(activeMs) });
  }
  return actions;
}

export const standbyName = 'scheduler-b';

/** What happens to the two of them. */
export function schedulerFaults(random: Random, activeMs: number): readonly Fault[] {
  // One that is away for long, and the other left alone: it has to take over.
  if (chance(random, 0.5)) {
    const atMs = Math.floor(activeMs / 2);
    // It leads as a rule: it was the first that was started.
    return [
      { kind: 'kill', process: 'scheduler', afterSends: 0, atMs, forMs: Math.min(60_000, activeMs - atMs) },
    ];
  }
  const faults: Fault[] = [];
  for (let atMs = 5000; faults.length < 12; ) {
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * 40_000);
    const leftMs = activeMs - atMs;
    if (leftMs < 1000) break;
    const process = chance(random, 0.5) ? 'scheduler' : standbyName;
    const forMs = Math.min(leftMs, 200 + random.integer(chance(random, 0.5) ? 5000 : 60_000));
    const kind = random.integer(4);
    if (kind < 2)
      faults.push({
        kind: 'kill',
        process,
        afterSends: chance(random, 0.5) ? 0 : random.integer(12),
        atMs,
        forMs,
      });
    else if (kind === 2)
      faults.push({
        kind: 'cut',
        process,
        way: (['in', 'out', 'both'] as const)[random.integer(3)] ?? 'both',
        atMs,
        forMs,
      });
    else {
      const byMs = (chance(random, 0.5) ? 1 : -1) * random.integer(120_000);
      faults.push({ kind: 'clockJump', process, byMs, atMs, forMs });
    }
  }
  return faults;
}
