/**
 * What a metric says of a target, as a number or a range. Pure. All amounts are thousandths; percent too.
 *
 *   reading, pods ─▶ known: one number
 *                 ─▶ partly: at least so much, since some pods that take load said nothing
 *                 ─▶ missing: nothing, and why
 *
 * Invariant: a figure that is missing, no number, negative or late never makes a value smaller than it is known to be.
 */
import { type Pod, quantityMilli } from '../../api/index.ts';
import type { MetricName, Reading, Sample } from '../pod-autoscaler/readings.ts';
import { isActive, isReady } from '../pod-state.ts';

export type Measured =
  | { readonly kind: 'known'; readonly milli: number }
  /** At least `milli`. */
  | { readonly kind: 'partly'; readonly milli: number; readonly silent: number }
  | { readonly kind: 'missing'; readonly why: string };

/** The pods of a target. */
export interface Fleet {
  readonly pods: readonly Pod[];
  readonly specReplicas: number;
  readonly nowMs: number;
}

/** Older figures say nothing of now. */
const lateMs = 300_000;

const missing = (why: string): Measured => ({ kind: 'missing', why });

/** The demand of all pods together. */
export function totalOf(reading: Reading, fleet: Fleet): Measured {
  if (reading.kind === 'failed') return missing(reading.message);
  if (reading.kind === 'value') return numberOf(reading.milli);
  const sum = sumOf(reading.samples, fleet);
  return sum.silent.length === 0
    ? { kind: 'known', milli: sum.milli }
    : sum.heard === 0
      ? missing(silentText(sum.silent))
      : { kind: 'partly', milli: sum.milli, silent: sum.silent.length };
}

/** As a trigger measures it: `Utilization`, `AverageValue`, `Value`. */
export function measure(reading: Reading, metric: MetricName, how: string, fleet: Fleet): Measured {
  const total = totalOf(reading, fleet);
  if (total.kind === 'missing' || how === 'Value') return total;
  const counted = takingLoad(fleet);
  if (how === 'Utilization') {
    const requested = requestOf(counted, metric);
    if ('error' in requested) return missing(requested.error);
    if (requested.milli === 0) return missing('no pod takes load');
    return { ...total, milli: (total.milli * 100_000) / requested.milli };
  }
  const count = reading.kind === 'value' ? fleet.specReplicas : counted.length;
  if (count === 0) return missing('no pod takes load');
  return { ...total, milli: total.milli / count };
}

/** What one pod asks for of a metric's resource, on average over those that take load; undefined where there is none. */
export function averageRequest(metric: MetricName, fleet: Fleet): { milli: number } | { error: string } {
  const active = fleet.pods.filter(isActive);
  if (active.length === 0) return { error: 'there are no pods whose request could be read' };
  const requested = requestOf(active, metric);
  return 'error' in requested ? requested : { milli: requested.milli / active.length };
}

const isNumber = (milli: number): boolean => Number.isFinite(milli) && milli >= 0;

const numberOf = (milli: number): Measured =>
  isNumber(milli) ? { kind: 'known', milli } : missing('the metric has no value');

/** Running and ready: what is asked of the target is asked of these. */
const takingLoad = ({ pods }: Fleet): readonly Pod[] =>
  pods.filter((pod) => isActive(pod) && pod.status?.phase === 'Running' && isReady(pod));

interface Sum {
  readonly milli: number;
  readonly heard: number;
  /** Names of those that take load and said nothing. */
  readonly silent: readonly string[];
}

function sumOf(samples: ReadonlyMap<string, Sample>, fleet: Fleet): Sum {
  let milli = 0;
  let heard = 0;
  const silent: string[] = [];
  for (const pod of fleet.pods) {
    if (!isActive(pod)) continue;
    const name = pod.metadata.name ?? '';
    const sample = samples.get(name);
    if (sample !== undefined && isNumber(sample.milli) && isOfNow(sample, fleet.nowMs)) {
      milli += sample.milli;
      heard++;
    } else if (pod.status?.phase === 'Running' && isReady(pod)) silent.push(name);
  }
  return { milli, heard, silent };
}

/** A clock that was set makes all figures seem early or late until new ones come: that is no reason to believe them. */
const isOfNow = ({ atMs }: Sample, nowMs: number): boolean => Math.abs(nowMs - atMs) <= lateMs;

const silentText = (names: readonly string[]): string =>
  `no recent figures of ${names.length === 1 ? `pod ${names[0]}` : `${names.length} pods, among them ${[...names].sort()[0]}`}`;

function requestOf(pods: readonly Pod[], metric: MetricName): { milli: number } | { error: string } {
  const resource = metric.resource?.name ?? metric.containerResource?.name ?? '';
  const only = metric.containerResource?.container;
  let sum = 0;
  for (const { metadata, spec } of pods) {
    const whole = only === undefined ? spec?.resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      sum += quantityMilli(whole) ?? 0;
      continue;
    }
    const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
    for (const { name, resources } of [...(spec?.containers ?? []), ...sidecars]) {
      if (only !== undefined && only !== name) continue;
      const milli = quantityMilli(resources?.requests?.[resource]);
      if (milli === undefined)
        return { error: `missing request for ${resource} in container ${name} of Pod ${metadata.name}` };
      sum += milli;
    }
  }
  return { milli: sum };
}
