/**
 * What of a wish is granted now: bounds, step, rate, stabilization and cooldown. Pure; durations are of the monotonic clock, so a clock that is set changes
 * nothing.
 *
 * Invariant (no flapping): two changes are at least the cooldown apart, or the scale-out cooldown where the later one adds; so within a time T there are at
 * most T / cooldown + 1 changes that take away, and changes of direction at most twice that, plus one. A change back into the bounds is not held back.
 */
import type { ElasticityPolicySpec } from '../../api/index.ts';
import { durationMs } from './triggers.ts';
import { portion, type Wish } from './wishes.ts';

export interface Past {
  /** Wishes of late, for the stabilization. */
  readonly wishes: readonly { readonly atMs: number; readonly replicas: number }[];
  /** Changes of late, for the rate. */
  readonly changes: readonly { readonly atMs: number; readonly by: number }[];
  readonly lastChangeMs: number | undefined;
}

export interface Granted {
  readonly replicas: number;
  readonly because: string;
  /** What held it back: reason and message of the condition. */
  readonly limit: { readonly reason: string; readonly message: string } | undefined;
}

export function grant(
  spec: ElasticityPolicySpec,
  current: number,
  wish: Wish,
  past: Past,
  monotonicMs: number,
): Granted {
  const { minReplicas = 1, maxReplicas, maxStep, maxRate } = spec.constraints;
  let { replicas } = wish;
  let limit: Granted['limit'];
  const held = (to: number, reason: string, message: string): void => {
    if (to === replicas) return;
    replicas = to;
    limit = { reason, message };
  };
  held(
    Math.min(replicas, maxReplicas),
    'TooManyReplicas',
    `no more than ${maxReplicas} replicas are allowed`,
  );
  held(
    Math.max(replicas, minReplicas),
    'TooFewReplicas',
    `no fewer than ${minReplicas} replicas are allowed`,
  );
  if (replicas < current) {
    const windowMs = durationMs(spec.constraints.stabilization);
    const most = Math.max(
      replicas,
      ...past.wishes.filter(({ atMs }) => atMs > monotonicMs - windowMs).map((one) => one.replicas),
    );
    held(
      Math.min(current, most),
      'Stabilized',
      `more replicas were wanted within the last ${spec.constraints.stabilization}`,
    );
  }
  if (maxStep !== undefined) {
    const step = portion(maxStep, current);
    held(between(replicas, current - step, current + step), 'StepLimit', `one change is at most ${maxStep}`);
  }
  if (maxRate !== undefined) {
    const left = Math.max(0, maxRate.replicas - recentChange(past, maxRate.period, monotonicMs));
    const message = `changes are at most ${maxRate.replicas} replicas within ${maxRate.period}`;
    held(between(replicas, current - left, current + left), 'RateLimit', message);
  }
  if (replicas === current) return { replicas, because: wish.because, limit };
  const rest = replicas > current ? (spec.scaleOutCooldown ?? spec.cooldown) : spec.cooldown;
  if (past.lastChangeMs !== undefined && monotonicMs - past.lastChangeMs < durationMs(rest))
    held(current, 'Cooldown', `the last change was less than ${rest} ago`);
  return { replicas, because: wish.because, limit };
}

const between = (value: number, least: number, most: number): number =>
  Math.min(Math.max(value, least), most);

function recentChange({ changes }: Past, period: string, monotonicMs: number): number {
  const sinceMs = monotonicMs - durationMs(period);
  return changes.reduce((sum, { atMs, by }) => (atMs > sinceMs ? sum + Math.abs(by) : sum), 0);
}

/** What no rule asks for any more is forgotten. */
export function forgotten(past: Past, spec: ElasticityPolicySpec, monotonicMs: number): Past {
  const windowMs = durationMs(spec.constraints.stabilization);
  const periodMs = durationMs(spec.constraints.maxRate?.period);
  return {
    ...past,
    wishes: past.wishes.filter(({ atMs }) => atMs > monotonicMs - windowMs),
    changes: past.changes.filter(({ atMs }) => atMs > monotonicMs - periodMs),
  };
}
