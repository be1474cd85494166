/** Deployments under a load that comes and goes, who scales them, and agents that do not tell what their pods use: each from draws of its own. */
import type { Random } from '../lib/index.ts';
import {
  type Fault,
  nodeName,
  type RulesPlan,
  type ScalerPlan,
  type ScalingAction,
  tellings,
} from './plan.ts';

type Timed = ScalingAction & { readonly atMs: number };

const chance = (random: Random, of: number): boolean => random.float() < of;
const soon = (random: Random, meanMs: number): number =>
  1 + Math.floor(-Math.log(1 - random.float()) * meanMs);
const pick = <const T>(random: Random, list: readonly [T, ...T[]]): T =>
  list[random.integer(list.length)] ?? list[0];

export const scalingActions = (random: Random, activeMs: number): readonly Timed[] =>
  chance(random, 0.12) ? scaling(random, activeMs) : [];

const requestMilli = 100;
/** Of a Deployment, at most: also where there is one small node. */
const podsMax = 6;

export function scaling(random: Random, activeMs: number): readonly Timed[] {
  const count = 1 + random.integer(2);
  const actions: Timed[] = [];
  for (let number = 0; number < count; number++) {
    const by = pick(random, ['autoscaler', 'autoscaler', 'policy', 'vertical']);
    const replicas = 1 + random.integer(3) + (by === 'vertical' ? 1 : 0);
    actions.push({ kind: 'burden', number, replicas, cpuMilli: requestMilli, atMs: random.integer(5000) });
    actions.push({ kind: 'load', number, milli: load(random), atMs: random.integer(20_000) });
    const atMs = 3000 + random.integer(20_000);
    actions.push({ kind: 'scaler', number, scaler: scaler(random, by), atMs });
    for (let at = 20_000; actions.length < 40; ) {
      at += soon(random, 30_000);
      if (at >= activeMs) break;
      const what = random.float();
      if (what < 0.7) actions.push({ kind: 'load', number, milli: load(random), atMs: at });
      else if (what < 0.8) actions.push({ kind: 'dropScaler', number, by, atMs: at });
      else actions.push({ kind: 'scaler', number, scaler: scaler(random, by), atMs: at });
    }
  }
  return actions;
}

/** Nothing, some, or more than so many pods bear. */
const load = (random: Random): number => (chance(random, 0.15) ? 0 : Math.round(random.float() ** 2 * 900));

function scaler(random: Random, by: ScalerPlan['by']): ScalerPlan {
  const min = 1 + random.integer(2);
  const max = min + 1 + random.integer(podsMax - min);
  switch (by) {
    case 'autoscaler': {
      const isPlain = chance(random, 0.1);
      return {
        by,
        min,
        max,
        percent: pick(random, [50, 70, 80, 100]),
        requestMilli,
        of: pick(random, ['pod', 'pod', 'container', 'amount']),
        ...(chance(random, 0.2) ? { memoryPercent: pick(random, [50, 95]) } : {}),
        ...(isPlain ? {} : { up: rules(random, [0, 0, 30]), down: rules(random, [30, 45, 60]) }),
      };
    }
    case 'policy':
      return {
        by,
        min,
        max,
        ...(chance(random, 0.7) ? { perReplicaMilli: pick(random, [60, 80, 120]) } : {}),
        bufferPercent: pick(random, [0, 10, 50]),
        tolerancePercent: pick(random, [0, 10]),
        stabilizationSeconds: pick(random, [0, 15, 45]),
        cooldownSeconds: pick(random, [0, 15, 30]),
        ...(chance(random, 0.3) ? { maxStep: 1 + random.integer(2) } : {}),
      };
    default:
      return {
        by,
        mode: pick(random, ['InPlaceOrRecreate', 'Recreate', 'InPlace', 'Off']),
        maxMilli: pick(random, [200, 400]),
      };
  }
}

/**
 * Such that all of it is done within two minutes. A window down that is shorter than figures are late never comes to rest, in Kubernetes neither: a pod that has
 * just begun is not counted when it goes down.
 */
const rules = (random: Random, windows: readonly [number, ...number[]]): RulesPlan => ({
  windowSeconds: pick(random, windows),
  select: chance(random, 0.8) ? 'Max' : 'Min',
  policies: Array.from({ length: 1 + random.integer(2) }, () => {
    const isPods = chance(random, 0.6);
    return {
      type: isPods ? ('Pods' as const) : ('Percent' as const),
      value: isPods ? 1 + random.integer(3) : pick(random, [50, 100]),
      periodSeconds: pick(random, [15, 30]),
    };
  }),
});

export function metricsFaults(
  random: Random,
  actions: readonly Timed[],
  activeMs: number,
  nodeCount: number,
): readonly Fault[] {
  if (actions.length === 0 || !chance(random, 0.7)) return [];
  const faults: Fault[] = [];
  const isAllAtOnce = chance(random, 0.3);
  for (let atMs = 25_000; faults.length < 24; ) {
    atMs += soon(random, 40_000);
    if (activeMs - atMs < 1000) break;
    const forMs = Math.min(activeMs - atMs, 5000 + random.integer(60_000));
    const tells = pick(random, tellings);
    const first = random.integer(nodeCount);
    const count = isAllAtOnce ? nodeCount : 1;
    for (let at = 0; at < count; at++)
      faults.push({ kind: 'metrics', process: nodeName((first + at) % nodeCount), tells, atMs, forMs });
  }
  return faults;
}
