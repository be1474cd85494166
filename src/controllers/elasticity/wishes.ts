/**
 * How many replicas are wished for: by triggers that act, and by capacity = demand + buffer. Pure.
 *
 * Invariants: nothing is taken away below what the demand needs; nothing is taken away while the demand, or a trigger that would take it, cannot be told.
 */
import type { ElasticityAction, ElasticityCapacity } from '../../api/index.ts';
import type { Measured } from './measure.ts';
import type { TriggerState } from './triggers.ts';

export interface Wish {
  readonly replicas: number;
  readonly because: string;
}

/** What capacity asks for. */
export interface Need {
  /** For the demand and its buffer. */
  readonly replicas: number;
  /** For a demand that is greater by the tolerance: nothing goes below this. */
  readonly floor: number;
  readonly because: string;
  /** Only at least so many. */
  readonly isPartly: boolean;
}

/** A hair above a whole number is that number. */
const ceil = (value: number): number => Math.max(0, Math.ceil(value - 1e-9));

export const percentOf = (share: number | string | undefined): number | undefined =>
  typeof share === 'string' && share.endsWith('%') ? Number.parseInt(share, 10) : undefined;

/** Replicas, or a share of `whole`, rounded so that something changes. */
export function portion(share: number | string, whole: number): number {
  const percent = percentOf(share);
  if (percent === undefined) return Number(share) || 0;
  return Math.max(1, Math.ceil((whole * percent) / 100 - 1e-9));
}

/** Replicas for a demand, of which each carries `perReplica`, with the buffer. */
export function replicasFor(demand: number, perReplica: number, buffer: number | string | undefined): number {
  const percent = percentOf(buffer);
  if (percent !== undefined) return ceil((demand * (100 + percent)) / 100 / perReplica);
  return ceil(demand / perReplica) + (typeof buffer === 'number' ? buffer : 0);
}

export function needOf(
  { buffer, tolerance }: ElasticityCapacity,
  demand: Exclude<Measured, { kind: 'missing' }>,
  perReplica: number,
  because: string,
): Need {
  const spare = percentOf(tolerance) ?? 0;
  return {
    replicas: replicasFor(demand.milli, perReplica, buffer),
    floor: replicasFor((demand.milli * (100 + spare)) / 100, perReplica, buffer),
    because,
    isPartly: demand.kind === 'partly',
  };
}

/** Of all actions whose triggers act: the most that is to be added, or else the least that is to be taken. */
export function wishByActions(
  actions: readonly ElasticityAction[],
  states: readonly TriggerState[],
  current: number,
): Wish | undefined {
  const firing = new Set(states.filter(({ isFiring }) => isFiring).map(({ name }) => name));
  let best: Wish | undefined;
  for (const { type, amount, when } of actions) {
    if (when.length === 0 || !when.every((name) => firing.has(name))) continue;
    const replicas = target(type, amount, current);
    if (best !== undefined && best.replicas >= replicas) continue;
    best = { replicas, because: `${when.length === 1 ? 'trigger' : 'triggers'} ${when.join(', ')}` };
  }
  return best;
}

function target(type: string, amount: number | string, current: number): number {
  if (type === 'SetTo') return Number(amount) || 0;
  const change = portion(amount, current);
  return type === 'ScaleOut' || type === 'ScaleUp' ? current + change : Math.max(0, current - change);
}

/** Both together. `need` undefined: there is no capacity to hold. 'unknown': there is, and its demand cannot be told. */
export function combine(
  current: number,
  need: Need | 'unknown' | undefined,
  byActions: Wish | undefined,
): Wish {
  const stay: Wish = { replicas: current, because: '' };
  if (need === 'unknown') return byActions !== undefined && byActions.replicas > current ? byActions : stay;
  if (need === undefined) return byActions ?? stay;
  const byCapacity = wishByCapacity(need, current);
  if (byActions === undefined || byActions.replicas <= byCapacity.replicas) return byCapacity;
  return byActions;
}

function wishByCapacity({ replicas, floor, because, isPartly }: Need, current: number): Wish {
  if (replicas > current) return { replicas, because };
  if (isPartly || floor >= current) return { replicas: current, because: '' };
  return { replicas: floor, because };
}
