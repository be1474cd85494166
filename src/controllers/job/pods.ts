/** What a job's controller asks of a pod: which index it is for, whether it has failed, when it ended, whether it has been counted. Pure. */
import type { ContainerStatus, Job, Pod } from '../../api/index.ts';
import { isTerminating, podCondition } from '../pod-state.ts';

/** Keeps a pod until it has been counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';
export const ignoredFailureCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const isIndexed = ({ spec }: Job): boolean => spec?.completionMode === 'Indexed';

/** Only pods that have ended are replaced, not those that are about to. */
export const replacesFailedOnly = ({ spec }: Job): boolean => spec?.podReplacementPolicy === 'Failed';

export const isTracked = ({ metadata }: Pod): boolean =>
  metadata.finalizers?.includes(trackingFinalizer) === true;

/** One that is being deleted counts as failed, since one without a node may never come to an end by itself. */
export function isFailed(pod: Pod, job: Job): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Failed') return true;
  return phase !== 'Succeeded' && isTerminating(pod) && !replacesFailedOnly(job);
}

/** Undefined where it has none, or none that can be read. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\+?\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Failures before it, of its index. */
export function failuresOf(pod: Pod): { readonly counted: number; readonly ignored: number } {
  return {
    counted: countIn(pod, failureCountAnnotation),
    ignored: countIn(pod, ignoredFailureCountAnnotation),
  };
}

function countIn({ metadata }: Pod, annotation: string): number {
  const text = metadata.annotations?.[annotation] ?? '';
  const count = /^\+?\d+$/.test(text) ? Number(text) : 0;
  return count < 2 ** 31 ? count : 0;
}

/** When it ended, or began to: as its containers tell, or its readiness, or its deletion. In ms since the epoch. */
export function endedMs(pod: Pod): number {
  const inits = new Set<string>();
  // Sidecars end after all others.
  for (const { name, restartPolicy } of pod.spec?.initContainers ?? [])
    if (restartPolicy === 'Always') inits.add(name);
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const statuses = [...containerStatuses, ...initContainerStatuses.filter(({ name }) => inits.has(name))];
  const byContainers = latestEnd(statuses);
  if (byContainers !== undefined) return byContainers;
  const ready = podCondition(pod, 'Ready');
  if (ready?.status === 'False' && ready.lastTransitionTime !== undefined)
    return Date.parse(ready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined)
    return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(creationTimestamp ?? '') || 0;
}

/** Undefined where one of them has not ended. */
function latestEnd(statuses: readonly ContainerStatus[]): number | undefined {
  let latest: number | undefined;
  for (const { state } of statuses) {
    const ms = Date.parse(state?.terminated?.finishedAt ?? '');
    if (Number.isNaN(ms)) return undefined;
    latest = Math.max(latest ?? 0, ms);
  }
  return latest;
}
