/**
 * How good a node is by what is free on it, over any resources with weights. Pure.
 * Source: kube-scheduler's NodeResourcesFit with its scoring strategies; not cut down to whole numbers.
 */
import type { ScoringStrategy, ShapePoint } from '../../api/index.ts';
import type { Demand } from '../demand.ts';
import { leastAllocated } from '../scores.ts';
import type { Snapshot } from '../snapshot.ts';

/** 0 to 100. */
export type FitScore = (demand: Demand, snapshot: Snapshot, row: number) => number;

interface Amounts {
  /** With the pod. */
  readonly taken: number;
  readonly whole: number;
}

export function fitScoreOf({ type, resources = [], requestedToCapacityRatio }: ScoringStrategy): FitScore {
  const weighted = resources.map(({ name, weight = 1 }) => ({ name, weight }));
  const isUsual =
    weighted.length === 2 &&
    weighted.every(({ name, weight }) => weight === 1 && /^(cpu|memory)$/.test(name));
  if (type === 'LeastAllocated' && isUsual) return leastAllocated;
  const shape = requestedToCapacityRatio?.shape ?? [];
  const score =
    type === 'MostAllocated' ? most : type === 'RequestedToCapacityRatio' ? byShape(shape) : least;
  return (demand, snapshot, row) => {
    let sum = 0;
    let weights = 0;
    for (const { name, weight } of weighted) {
      const amounts = amountsOf(name, demand, snapshot, row);
      if (amounts === undefined || amounts.whole <= 0) continue;
      const value = score(amounts);
      // As there: with a shape, what is worth nothing does not count at all.
      if (type === 'RequestedToCapacityRatio' && value <= 0) continue;
      sum += weight * value;
      weights += weight;
    }
    return weights === 0 ? 0 : sum / weights;
  };
}

const least = ({ taken, whole }: Amounts): number => (taken > whole ? 0 : (100 * (whole - taken)) / whole);
const most = ({ taken, whole }: Amounts): number => (100 * Math.min(taken, whole)) / whole;

/** Straight lines between the points; scores of 0 to 10 become 0 to 100. */
function byShape(shape: readonly ShapePoint[]): (amounts: Amounts) => number {
  return ({ taken, whole }) => {
    const utilization = taken > whole ? 100 : (100 * taken) / whole;
    const next = shape.findIndex((point) => utilization <= point.utilization);
    const [after, before] = [shape[next], shape[next - 1]];
    if (after === undefined) return 10 * (shape.at(-1)?.score ?? 0);
    if (before === undefined) return 10 * after.score;
    const share = (utilization - before.utilization) / (after.utilization - before.utilization);
    return 10 * (before.score + (after.score - before.score) * share);
  };
}

/** Undefined: it does not matter to the pod. */
function amountsOf(name: string, demand: Demand, snapshot: Snapshot, row: number): Amounts | undefined {
  if (name === 'cpu') {
    const whole = snapshot.cpuWhole[row] ?? 0;
    const used = whole - (snapshot.cpuFree[row] ?? 0) + (snapshot.cpuUnasked[row] ?? 0);
    return { whole, taken: used + demand.cpuMilli + demand.cpuUnaskedMilli };
  }
  if (name === 'memory') {
    const whole = snapshot.memoryWhole[row] ?? 0;
    const used = whole - (snapshot.memoryFree[row] ?? 0) + (snapshot.memoryUnasked[row] ?? 0);
    return { whole, taken: used + demand.memoryBytes + demand.memoryUnaskedBytes };
  }
  if (name === 'ephemeral-storage') {
    const whole = snapshot.facts(row)?.storageBytes ?? 0;
    if (!Number.isFinite(whole)) return undefined;
    return { whole, taken: whole - (snapshot.ephemeralFree[row] ?? 0) + demand.ephemeralBytes };
  }
  const asked = demand.extended.get(name) ?? 0;
  if (asked === 0) return undefined;
  const whole = snapshot.facts(row)?.extended.get(name) ?? 0;
  return { whole, taken: whole - snapshot.extendedFree(row, name) + asked };
}
