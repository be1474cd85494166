/** Quality-of-service classes. Source: kubernetes.io/docs/concepts/workloads/pods/pod-qos. */
import type { PodSpec } from '../../api/index.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const isZero = (quantity: string): boolean => /^[+-]?0*(\.0*)?[a-zA-Z]*$/.test(quantity);

/**
 * Guaranteed: every container limits cpu and memory and requests as much; BestEffort: none asks for anything.
 * Requests that are absent count as the limits, as the API server defaults them.
 */
export function qosClassOf(spec: PodSpec | undefined): QosClass {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const asked = spec?.resources !== undefined ? [spec.resources] : containers.map((item) => item.resources);
  let any = false;
  let guaranteed = asked.length > 0;
  for (const resources of asked) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      if (request !== undefined && !isZero(request)) any = true;
      if (limit !== undefined && !isZero(limit)) any = true;
      if (limit === undefined || isZero(limit) || request !== limit) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
