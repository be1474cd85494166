/**
 * Whether triggers hold, and since when: metric × operator × threshold × duration. Pure.
 *
 * Invariant: a trigger holds only where every value that its metric may have makes it hold; whoever is not heard of counts as anything from nothing up.
 * A moment in which that cannot be told begins the duration anew.
 */
import { durationNanoseconds, type ElasticityTrigger, quantityMilli } from '../../api/index.ts';
import type { Measured } from './measure.ts';

/** By the trigger's name: since when it holds, on the monotonic clock. */
export type Held = ReadonlyMap<string, number>;

export interface TriggerState {
  readonly name: string;
  /** In thousandths; undefined: not known. */
  readonly milli: number | undefined;
  /** Whether the value is as the trigger wants it. */
  readonly isMet: boolean;
  readonly heldMs: number;
  /** Met for the duration: it acts. */
  readonly isFiring: boolean;
  /** Why it cannot be told. */
  readonly missing: string | undefined;
}

/** The duration in ms; 0 for none. */
export const durationMs = (text: string | undefined): number =>
  text === undefined ? 0 : Number((durationNanoseconds(text) ?? 0n) / 1_000_000n);

export function evaluateTriggers(
  triggers: readonly ElasticityTrigger[],
  values: readonly Measured[],
  held: Held,
  monotonicMs: number,
): { readonly states: readonly TriggerState[]; readonly held: Held } {
  const next = new Map<string, number>();
  const states = triggers.map((trigger, index): TriggerState => {
    const { name } = trigger;
    const value = values[index] ?? { kind: 'missing', why: 'it was not read' };
    const isMet = holds(trigger, value);
    const since = isMet ? (held.get(name) ?? monotonicMs) : undefined;
    if (since !== undefined) next.set(name, since);
    const heldMs = since === undefined ? 0 : monotonicMs - since;
    return {
      name,
      milli: value.kind === 'missing' ? undefined : value.milli,
      isMet,
      heldMs,
      isFiring: isMet && heldMs >= durationMs(trigger.duration),
      missing: whyMissing(value, isMet),
    };
  });
  return { states, held: next };
}

function whyMissing(value: Measured, isMet: boolean): string | undefined {
  if (value.kind === 'missing') return value.why;
  if (value.kind === 'known' || isMet) return undefined;
  return `no recent figures of ${value.silent} pods`;
}

function holds({ operator, threshold }: ElasticityTrigger, value: Measured): boolean {
  const limit = quantityMilli(threshold);
  if (limit === undefined || value.kind === 'missing') return false;
  const { milli } = value;
  if (value.kind === 'known') return compare(operator, milli, limit);
  // Somewhere at or above `milli`: what holds there and for anything greater.
  if (operator === '>' || operator === '!=') return milli > limit;
  return operator === '>=' && milli >= limit;
}

function compare(operator: string, value: number, limit: number): boolean {
  switch (operator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
    default:
      return false;
  }
}
