/**
 * How a pod is treated when its node runs short: Guaranteed, Burstable or BestEffort. Pure.
 * Source: kubernetes.io/docs/concepts/workloads/pods/pod-qos.
 */
import { compareQuantities } from '../../quantity.ts';
import type { PodSpec, ResourceRequirements } from '../../types/core.v1.ts';

export type QualityOfService = 'Guaranteed' | 'Burstable' | 'BestEffort';

const counted = ['cpu', 'memory'] as const;

/** Guaranteed: each container says limits for both, and asks for just those. BestEffort: nobody asks for anything. */
export function qualityOfService(spec: PodSpec): QualityOfService {
  const all: readonly (ResourceRequirements | undefined)[] =
    spec.resources?.limits !== undefined || spec.resources?.requests !== undefined
      ? [spec.resources]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  if (!all.some((resources) => asksForAnything(resources))) return 'BestEffort';
  return all.every((resources) => isFixed(resources)) ? 'Guaranteed' : 'Burstable';
}

const isSome = (amount: string | undefined): amount is string => amount !== undefined && amount !== '0';

function asksForAnything(resources: ResourceRequirements | undefined): boolean {
  return counted.some((name) => isSome(resources?.requests?.[name]) || isSome(resources?.limits?.[name]));
}

function isFixed(resources: ResourceRequirements | undefined): boolean {
  return counted.every((name) => {
    const limit = resources?.limits?.[name];
    const request = resources?.requests?.[name] ?? limit;
    return isSome(limit) && isSome(request) && compareQuantities(request, limit) === 0;
  });
}
