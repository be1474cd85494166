/** What controllers ask of a pod: does it count, is it ready, is it available. Pure. */
import type { Pod, PodCondition } from '../api/index.ts';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  const conditions = pod.status?.conditions;
  if (conditions === undefined) return undefined;
  for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** It runs, or will: it counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Since when it has been ready, in ms since the epoch. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = podCondition(pod, 'Ready');
  if (condition?.status !== 'True') return undefined;
  return timeOf(condition.lastTransitionTime);
}

let lastText = '';
let lastMs = 0;

/** In ms since the epoch; 0: none. Of many pods that became something in the same second, one is worked out. */
export function timeOf(text = ''): number {
  if (text !== lastText) {
    lastMs = Date.parse(text) || 0;
    lastText = text;
  }
  return lastMs;
}

/** In how many ms it will be available (ready for `minReadySeconds`); 0 when it is, undefined while it is not even ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return isReady(pod) ? 0 : undefined;
  const sinceMs = readySinceMs(pod);
  if (sinceMs === undefined) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

export function restartsOf(pod: Pod): number {
  let most = 0;
  for (const status of pod.status?.containerStatuses ?? []) most = Math.max(most, status.restartCount);
  return most;
}

/** How a pod stands with whoever counts it. */
export type Standing = 'finished' | 'ending' | 'starting' | 'ready';

export function standingOf(pod: Pod): Standing {
  if (isFinished(pod)) return 'finished';
  if (isTerminating(pod)) return 'ending';
  return isReady(pod) ? 'ready' : 'starting';
}

export type ByStanding = Readonly<Record<Standing, readonly Pod[]>>;

export function byStanding(pods: readonly Pod[]): ByStanding {
  const groups: Record<Standing, Pod[]> = { finished: [], ending: [], starting: [], ready: [] };
  for (const pod of pods) groups[standingOf(pod)].push(pod);
  return groups;
}
