/**
 * How many replicas one metric asks for. Pure.
 *
 *   pods ─▶ counted, unready, without figures, not to be looked at ─▶ ratio of use to target ─▶ again with guesses for those without ─▶ replicas
 *
 * Invariants: a guess never turns the direction, and never goes further than the figures alone: pods without figures use all that they may when it goes
 * down, and nothing when it goes up. Source: k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go.
 */
import { type Pod, podRequests, quantityMilli } from '../../api/index.ts';
import { isReady, podCondition, timeOf } from '../pod-state.ts';
import type { PodSamples, Sample } from './readings.ts';

/** A pod that is younger may use much CPU only because it starts. */
const startingMs = 300_000;
/** A pod that has not been ready within this time of its start never was. */
const firstReadyMs = 30_000;

export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface Fleet {
  readonly namespace: string;
  /** Those that the target's selector matches. */
  readonly pods: readonly Pod[];
  /** As the target wants them. */
  readonly specReplicas: number;
  /** As the target says that they are. */
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

export interface Proposal {
  readonly replicas: number;
  /** Percent of what is requested. */
  readonly utilization?: number;
  /** The average of a pod, or the value of what was looked at, in thousandths. */
  readonly milli: number;
}

/** Why no number can be told. */
export interface Refusal {
  readonly error: string;
}

const noPods: Refusal = { error: 'no pods returned by selector while calculating replica count' };
const noFigures: Refusal = { error: 'did not receive metrics for targeted pods (pods might be unready)' };

const isWithin = ({ up, down }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up;

/** To the letter as Kubernetes reckons, in floating point: 1.1 × 10 is a hair above 11, and asks for 12. */
const ceil = (value: number): number => Math.max(0, Math.ceil(value));

/** Of a resource, against percent of what the pods request. */
export function byUtilization(
  fleet: Fleet,
  samples: PodSamples,
  resource: string,
  container: string | undefined,
  targetPercent: number,
): Proposal | Refusal {
  const requests = new Map<string, number>();
  const groups = groupsOf(fleet, samples, resource);
  if ('error' in groups) return groups;
  for (const pod of fleet.pods) {
    const milli = requestOf(pod, resource, container);
    if (typeof milli !== 'number') return milli;
    requests.set(nameOf(pod), milli);
  }
  const use = (figures: ReadonlyMap<string, number>): Measure | Refusal => {
    let used = 0;
    let requested = 0;
    let count = 0;
    for (const [name, milli] of figures) {
      const request = requests.get(name);
      if (request === undefined) continue;
      used += milli;
      requested += request;
      count++;
    }
    if (requested === 0) return { error: 'no metrics returned matched known pods' };
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / targetPercent, utilization, milli: Math.trunc(used / count) };
  };
  const most = Math.max(100, targetPercent);
  return propose(fleet, groups, use, (name) => Math.trunc(((requests.get(name) ?? 0) * most) / 100));
}

/** Of any figure of pods, against an average. */
export function byAverage(
  fleet: Fleet,
  samples: PodSamples,
  resource: string,
  targetMilli: number,
): Proposal | Refusal {
  const groups = groupsOf(fleet, samples, resource);
  if ('error' in groups) return groups;
  const use = (figures: ReadonlyMap<string, number>): Measure => {
    let sum = 0;
    for (const milli of figures.values()) sum += milli;
    const milli = Math.trunc(sum / figures.size);
    return { ratio: milli / targetMilli, milli };
  };
  return propose(fleet, groups, use, () => targetMilli);
}

/** Of one value that stands for all, against a value: as many times the ready pods as the target is passed. */
export function byValue(fleet: Fleet, milli: number, targetMilli: number): Proposal | Refusal {
  const ratio = milli / targetMilli;
  if (fleet.specReplicas === 0) return { replicas: ceil(ratio), milli };
  if (isWithin(fleet.tolerances, ratio)) return { replicas: fleet.specReplicas, milli };
  if (fleet.pods.length === 0) return { error: `unable to calculate ready pods: ${noPods.error}` };
  const ready = fleet.pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
  return { replicas: ceil(ratio * ready), milli };
}

/** Of one value that is shared among the pods, against an average of each. */
export function byShare(fleet: Fleet, milli: number, targetMilli: number): Proposal {
  const { statusReplicas, tolerances } = fleet;
  const ratio = milli / (targetMilli * statusReplicas);
  const replicas = isWithin(tolerances, ratio) ? statusReplicas : ceil(milli / targetMilli);
  return { replicas, milli: statusReplicas === 0 ? 0 : Math.ceil(milli / statusReplicas) };
}

interface Groups {
  readonly counted: ReadonlyMap<string, number>;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

interface Measure {
  readonly ratio: number;
  readonly utilization?: number;
  readonly milli: number;
}

function propose(
  { specReplicas, tolerances }: Fleet,
  { counted, unready, missing }: Groups,
  use: (figures: ReadonlyMap<string, number>) => Measure | Refusal,
  most: (name: string) => number,
): Proposal | Refusal {
  const seen = use(counted);
  if ('error' in seen) return seen;
  const { ratio, ...shown } = seen;
  const stay = { replicas: specReplicas, ...shown };
  const withUnready = unready.length > 0 && ratio > 1;
  if (!withUnready && missing.length === 0)
    return isWithin(tolerances, ratio) ? stay : { replicas: ceil(ratio * counted.size), ...shown };
  const guessed = new Map(counted);
  if (ratio < 1) for (const name of missing) guessed.set(name, most(name));
  else if (ratio > 1) for (const name of missing) guessed.set(name, 0);
  if (withUnready) for (const name of unready) guessed.set(name, 0);
  const again = use(guessed);
  if ('error' in again) return again;
  const turns = (ratio < 1 && again.ratio > 1) || (ratio > 1 && again.ratio < 1);
  if (isWithin(tolerances, again.ratio) || turns) return stay;
  const replicas = ceil(again.ratio * guessed.size);
  // More pods than are wanted, or fewer: their number alone must not turn the direction.
  const isBack = (again.ratio < 1 && replicas > specReplicas) || (again.ratio > 1 && replicas < specReplicas);
  return isBack ? stay : { replicas, ...shown };
}

const nameOf = ({ metadata }: Pod): string => metadata.name ?? '';

function groupsOf({ pods, nowMs }: Fleet, samples: PodSamples, resource: string): Groups | Refusal {
  if (pods.length === 0) return noPods;
  const counted = new Map<string, number>();
  const unready: string[] = [];
  const missing: string[] = [];
  // What is not of these pods counts for none.
  for (const pod of pods) {
    const name = nameOf(pod);
    const phase = pod.status?.phase;
    if (pod.metadata.deletionTimestamp !== undefined || phase === 'Failed') continue;
    const sample = samples.get(name);
    if (phase === 'Pending') unready.push(name);
    else if (sample === undefined) missing.push(name);
    else if (resource === 'cpu' && isStarting(pod, sample, nowMs)) unready.push(name);
    else counted.set(name, sample.milli);
  }
  return counted.size === 0 ? noFigures : { counted, unready, missing };
}

/** Its use of CPU says nothing yet. */
function isStarting(pod: Pod, { atMs, windowMs }: Sample, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  const startMs = timeOf(pod.status?.startTime);
  if (ready === undefined || startMs === 0) return true;
  const changedMs = timeOf(ready.lastTransitionTime);
  if (startMs + startingMs > nowMs) return ready.status === 'False' || atMs < changedMs + windowMs;
  return ready.status === 'False' && startMs + firstReadyMs > changedMs;
}

function requestOf(pod: Pod, resource: string, container: string | undefined): number | Refusal {
  const { spec } = pod;
  if (container === undefined && hasWholeRequests(pod)) {
    const milli = quantityMilli(podRequests(pod.spec ?? { containers: [] })[resource]);
    return milli ?? { error: `missing pod-level request for ${resource} in Pod ${nameOf(pod)}` };
  }
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  let sum = 0;
  for (const { name, resources } of [...(spec?.containers ?? []), ...sidecars]) {
    if (container !== undefined && container !== name) continue;
    const milli = quantityMilli(resources?.requests?.[resource]);
    if (milli === undefined)
      return { error: `missing request for ${resource} in container ${name} of Pod ${nameOf(pod)}` };
    sum += milli;
    if (container === name) return sum;
  }
  return container === undefined ? sum : { error: `container ${container} not found in Pod ${nameOf(pod)}` };
}

/** It requests something as a whole, beside what its containers request. */
const hasWholeRequests = ({ spec }: Pod): boolean =>
  Object.keys(spec?.resources?.requests ?? {}).some(
    (name) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-'),
  );
