/**
 * When that happened of which a write tells: measured against when it shows in the network, it says how late we are. Pure.
 *
 * Kubernetes remembers the times that it has told; here they follow from what changes: the earliest time at which a pod of a changed endpoint became ready or
 * ceased to be, and the Service's creation where nothing was there before.
 */
import type { ObjectMeta, Pod } from '../../api/index.ts';
import { podCondition } from '../pod-state.ts';

export const lastChangeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** undefined: what changed has no time. */
export function triggerTime(pods: readonly (Pod | undefined)[], createdAt?: string): string | undefined {
  let first = createdAt;
  for (const pod of pods) {
    const changedAt = pod === undefined ? undefined : podCondition(pod, 'Ready')?.lastTransitionTime;
    if (changedAt !== undefined && (first === undefined || changedAt < first)) first = changedAt;
  }
  return first;
}

/** Where there is no new time, the old one is taken off. */
export function withTriggerTime(metadata: ObjectMeta, time: string | undefined): ObjectMeta {
  const { annotations, ...rest } = metadata;
  const { [lastChangeAnnotation]: _, ...others } = annotations ?? {};
  const next = time === undefined ? others : { ...others, [lastChangeAnnotation]: time };
  return annotations === undefined && time === undefined ? metadata : { ...rest, annotations: next };
}
