/** Requests and limits as cgroup values and out-of-memory scores. Pure; the kubelet's formulas. */
import {
  type Container,
  type Pod,
  quantityMilli,
  quantityValue,
  type ResourceRequirements,
} from '../../api/index.ts';
import type { Limits } from '../runtime/index.ts';
import { qosClassOf } from './qos.ts';

/** The quota is for a period of this length. */
export const cpuPeriodMicros = 100_000;
const sharesLeast = 2;
const sharesMost = 262_144;

const sharesOf = (milli: number): number =>
  Math.min(sharesMost, Math.max(sharesLeast, Math.floor((milli * 1024) / 1000)));

const quotaOf = (milli: number | undefined): number | undefined =>
  milli === undefined || milli === 0
    ? undefined
    : Math.max(1000, Math.floor((milli * cpuPeriodMicros) / 1000));

/** A container that sets no limit is held by the one of the whole pod (`whole`), where that has one. */
export function containerLimits(container: Container, whole?: ResourceRequirements): Limits {
  const { limits, requests } = container.resources ?? {};
  const cpuLimit = quantityMilli(limits?.['cpu'] ?? whole?.limits?.['cpu']);
  const memory = quantityValue(limits?.['memory'] ?? whole?.limits?.['memory']);
  return {
    cpuShares: sharesOf(quantityMilli(requests?.['cpu'] ?? limits?.['cpu']) ?? 0),
    cpuQuotaMicros: quotaOf(cpuLimit),
    memoryLimitBytes: memory === undefined || memory === 0 ? undefined : memory,
  };
}

/** Of the whole pod: limited only where every container is (or `spec.resources` says so). */
export function podLimits(pod: Pick<Pod, 'spec'>): Limits {
  const { spec } = pod;
  const mains = spec?.containers ?? [];
  const sidecars = (spec?.initContainers ?? []).filter((item) => item.restartPolicy === 'Always');
  const inits = (spec?.initContainers ?? []).filter((item) => item.restartPolicy !== 'Always');
  const total = (of: (container: Container) => number | undefined): number | undefined => {
    let sum = 0;
    for (const container of [...mains, ...sidecars]) {
      const value = of(container);
      if (value === undefined || value === 0) return undefined;
      sum += value;
    }
    let most = sum;
    for (const container of inits) {
      const value = of(container);
      if (value === undefined || value === 0) return undefined;
      most = Math.max(most, value);
    }
    return most;
  };
  const request = (container: Container): number =>
    quantityMilli(container.resources?.requests?.['cpu'] ?? container.resources?.limits?.['cpu']) ?? 0;
  const requested = [...mains, ...sidecars].reduce((sum, container) => sum + request(container), 0);
  const whole = spec?.resources;
  const cpuLimit =
    quantityMilli(whole?.limits?.['cpu']) ?? total((item) => quantityMilli(item.resources?.limits?.['cpu']));
  const memory =
    quantityValue(whole?.limits?.['memory']) ??
    total((item) => quantityValue(item.resources?.limits?.['memory']));
  return {
    cpuShares: sharesOf(quantityMilli(whole?.requests?.['cpu']) ?? requested),
    cpuQuotaMicros: quotaOf(cpuLimit),
    memoryLimitBytes: memory,
  };
}

/** Guaranteed −997, BestEffort 1000, Burstable between by its share of the node's memory. */
export function oomScoreAdjust(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if (pod.spec?.priorityClassName === 'system-node-critical') return -997;
  const qos = qosClassOf(pod.spec);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = quantityValue(container.resources?.requests?.['memory']) ?? 0;
  const score = 1000 - Math.floor((1000 * request) / Math.max(1, nodeMemoryBytes));
  return Math.min(999, Math.max(3, score));
}
