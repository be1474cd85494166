/**
 * How long a job waits before it makes pods in place of failed ones: 10 s, doubling with each failure since the last success, to 10 min.
 *
 * The record lives in memory, as Kubernetes' does: it also remembers pods that are gone since. It is made anew from the pods that are there, so a
 * controller that starts again waits no shorter than the failed pods that have been left say.
 */
import type { Job, Pod } from '../../api/index.ts';
import { endedMs, isFailed, isTracked } from './pods.ts';

export const firstMs = 10_000;
export const maxMs = 600_000;

export interface BackoffRecord {
  /** Since the last success. */
  readonly failures: number;
  readonly lastFailureMs: number;
  /** Pods that have been taken into account and are still there, by uid. */
  readonly known: ReadonlySet<string>;
}

/** Undefined as long as nothing has failed. */
export function recordOf(
  before: BackoffRecord | undefined,
  job: Job,
  pods: readonly Pod[],
  nowMs: number,
): BackoffRecord | undefined {
  // Who was let go and is deleted then was one too many, or the job is suspended: it has not failed.
  const hasFailed = (pod: Pod): boolean =>
    isFailed(pod, job) && (pod.status?.phase === 'Failed' || isTracked(pod));
  if (before === undefined && !pods.some(hasFailed)) return undefined;
  // Of another clock, or of ours before it was set back: nothing has failed later than now.
  const endMs = (pod: Pod): number => Math.min(nowMs, endedMs(pod));
  const known = new Set<string>();
  const failedMs: number[] = [];
  let succeededMs: number | undefined;
  for (const pod of pods) {
    const { uid = '' } = pod.metadata;
    const failed = hasFailed(pod);
    if (!failed && pod.status?.phase !== 'Succeeded') continue;
    known.add(uid);
    if (before?.known.has(uid)) continue;
    if (failed) failedMs.push(endMs(pod));
    else succeededMs = Math.max(succeededMs ?? 0, endMs(pod));
  }
  const since = succeededMs;
  const counted = since === undefined ? failedMs : failedMs.filter((ms) => ms > since);
  const kept = since === undefined ? before : undefined;
  return {
    failures: (kept?.failures ?? 0) + counted.length,
    lastFailureMs: counted.reduce((latest, ms) => Math.max(latest, ms), kept?.lastFailureMs ?? 0),
    known,
  };
}

export function remainingMs(failures: number, lastFailureMs: number, nowMs: number): number {
  if (failures === 0) return 0;
  const wholeMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  // A clock that was set back lets it wait no longer than once more.
  return Math.min(wholeMs, Math.max(0, lastFailureMs + wholeMs - nowMs));
}
