/**
 * When a cron job was due last, and when it is due next. Pure.
 *
 *   last schedule time, or creation ──▶ t1 ──▶ t2 ──▶ about how many were missed until now ──▶ the most recent one
 *
 * As Kubernetes reckons: the distance of the first two stands for all, so that a clock that is years off costs no more than one that is right.
 */
import { type CronSchedule, nextTimeMs } from '../../lib/index.ts';

export type Due =
  /** `atMs`: the most recent time until now; undefined: none. */
  | { readonly kind: 'due'; readonly atMs: number | undefined; readonly missed: number }
  | { readonly kind: 'error'; readonly why: string };

const never: Due = { kind: 'error', why: 'time difference between two schedules is less than 1 second' };

/** Of the times after `sinceMs`, until `nowMs`. */
export function dueTime(schedule: CronSchedule, timeZone: string, sinceMs: number, nowMs: number): Due {
  const next = (afterMs: number): number | undefined => nextTimeMs(schedule, afterMs, timeZone);
  const first = next(sinceMs);
  if (first === undefined) return never;
  if (nowMs < first) return { kind: 'due', atMs: undefined, missed: 0 };
  const second = next(first);
  if (second === undefined) return never;
  if (nowMs < second) return { kind: 'due', atMs: first, missed: 0 };
  const betweenMs = second - first;
  const missed = Math.floor((nowMs - first) / betweenMs) + 1;
  let atMs: number | undefined;
  // One more back, since not all distances are the same.
  for (let at = next(first + (missed - 2) * betweenMs); at !== undefined && at <= nowMs; at = next(at))
    atMs = at;
  return { kind: 'due', atMs, missed };
}

/** The first time after now. */
export function nextDueMs(
  schedule: CronSchedule,
  timeZone: string,
  sinceMs: number,
  nowMs: number,
): number | undefined {
  const due = dueTime(schedule, timeZone, sinceMs, nowMs);
  let fromMs = nowMs;
  if (due.kind === 'due') fromMs = due.atMs ?? (due.missed === 0 ? sinceMs : nowMs);
  return nextTimeMs(schedule, fromMs, timeZone);
}
