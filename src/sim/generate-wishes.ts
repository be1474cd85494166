/** GPUs and who wants some, profiles and the pods that go by them, and policies that move pods: each from draws of its own. */
import type { Random } from '../lib/index.ts';
import { type Fault, rebalancerName, type WishAction } from './plan.ts';

type Timed = WishAction & { readonly atMs: number };
type Sometimes = (random: Random, activeMs: number, nodeCount: number) => readonly Timed[];

const chance = (random: Random, of: number): boolean => random.float() < of;
const soon = (random: Random, meanMs: number): number =>
  1 + Math.floor(-Math.log(1 - random.float()) * meanMs);
const pick = <T>(random: Random, list: readonly [T, ...T[]]): T =>
  list[random.integer(list.length)] ?? list[0];

const models = ['T4', 'V100'] as const;

export const gpuActions: Sometimes = (random, activeMs, nodeCount) =>
  chance(random, 0.1) ? gpus(random, activeMs, nodeCount) : [];

export function gpus(random: Random, activeMs: number, nodeCount: number): readonly Timed[] {
  const actions: Timed[] = [];
  const equip = (node: number, atMs: number): Timed => ({
    kind: 'gpus',
    node,
    count: random.integer(4),
    model: pick(random, models),
    atMs,
  });
  for (let node = 0; node < nodeCount; node++) actions.push(equip(node, 1500 + random.integer(5000)));
  let number = 0;
  for (let atMs = 4000; actions.length < nodeCount + 16; ) {
    atMs += soon(random, 12_000);
    if (atMs >= activeMs) break;
    const what = random.float();
    if (what < 0.6)
      actions.push({
        kind: 'gpuPods',
        number: number++,
        pods: 1 + random.integer(4),
        ...(chance(random, 0.7)
          ? { count: 1, milli: pick(random, [250, 460, 500, 700]) }
          : { count: 1 + random.integer(2), milli: pick(random, [600, 1000]) }),
        models: chance(random, 0.5) ? [] : chance(random, 0.7) ? [pick(random, models)] : models,
        atMs,
      });
    else if (what < 0.95 && number > 0)
      actions.push({ kind: 'dropGpuPods', number: random.integer(number), atMs });
    else actions.push(equip(random.integer(nodeCount), atMs));
  }
  return actions;
}

const strategies = [
  'Wished',
  'Wished',
  'Wished',
  'Failing',
  'BinPack',
  'Spread',
  'RoundRobin',
  'LeastLoaded',
  'ConsistentHash',
  'CostAware',
  'LocationAware',
] as const;

export const profileActions: Sometimes = (random, activeMs, nodeCount) =>
  chance(random, 0.1) ? profiles(random, activeMs, nodeCount) : [];

export function profiles(random: Random, activeMs: number, nodeCount: number): readonly Timed[] {
  const count = 1 + random.integer(2);
  const profile = (number: number, atMs: number): Timed => ({
    kind: 'profile',
    number,
    strategy: pick(random, strategies),
    node: random.integer(nodeCount),
    atMs,
  });
  const actions: Timed[] = [];
  // Pods may be there first: nobody answers to the name.
  for (let number = 0; number < count; number++) actions.push(profile(number, random.integer(25_000)));
  let pods = 0;
  for (let atMs = 3000; actions.length < 20; ) {
    atMs += soon(random, 10_000);
    if (atMs >= activeMs) break;
    const number = random.integer(count);
    const what = random.float();
    if (what < 0.55)
      actions.push({
        kind: 'wishes',
        number: pods++,
        profile: number,
        pods: 1 + random.integer(4),
        cpuMilli: 50 + random.integer(400),
        atMs,
      });
    else if (what < 0.65 && pods > 0)
      actions.push({ kind: 'dropWishes', number: random.integer(pods), atMs });
    else if (what < 0.75) actions.push({ kind: 'dropProfile', number, atMs });
    else actions.push(profile(number, atMs));
  }
  return actions;
}

const kinds = [
  'NodeTaints',
  'NodeAffinity',
  'AntiAffinity',
  'SpreadRepair',
  'Duplicates',
  'Defragment',
  'LowUtilization',
] as const;

export const rebalanceActions = (random: Random, activeMs: number): readonly Timed[] =>
  chance(random, 0.1) ? moves(random, activeMs) : [];

export function moves(random: Random, activeMs: number): readonly Timed[] {
  const tell = (atMs: number): Timed => {
    // Emptying nodes and filling empty ones in one policy is nobody's wish.
    const not = chance(random, 0.5) ? 'Defragment' : 'LowUtilization';
    const some = kinds.filter((kind) => kind !== not && chance(random, 0.5));
    return {
      kind: 'rebalance',
      mode: chance(random, 0.75) ? 'Apply' : 'Propose',
      strategies: some.length === 0 ? ['Duplicates'] : some,
      intervalMs: 1000 * (10 + random.integer(6)),
      moves: 1 + random.integer(5),
      movesPerNode: 1 + random.integer(3),
      atMs,
    };
  };
  const actions = [tell(5000 + random.integer(20_000))];
  for (let more = random.integer(3); more > 0; more--) actions.push(tell(random.integer(activeMs)));
  return actions;
}

export function rebalancerFaults(random: Random, activeMs: number): readonly Fault[] {
  if (!chance(random, 0.4)) return [];
  return Array.from({ length: 1 + random.integer(3) }, (): Fault => {
    const atMs = random.integer(activeMs - 1000);
    return {
      kind: 'kill',
      process: rebalancerName,
      afterSends: random.integer(6),
      atMs,
      forMs: Math.min(activeMs - atMs, 500 + random.integer(20_000)),
    };
  });
}
