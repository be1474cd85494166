/** The last decisions of each autoscaler with what they rested on, as data, for whoever asks why (`caelum explain hpa NAME`). In memory only. */
import type { MetricSpec, MetricStatus, MetricValueStatus } from '../../api/index.ts';
import { formatTime, NewestMap, sameJson } from '../../lib/index.ts';
import type { Decision, Observed } from './plan.ts';
import type { Reading } from './readings.ts';

/** What was read of one metric. */
export type ReadingRecord =
  | { readonly pods: Readonly<Record<string, number>> }
  | { readonly value: number }
  | { readonly failed: string };

export interface DecisionRecord {
  /** When it was first decided so, and when last: what is decided again on the same grounds is one. */
  readonly at: string;
  readonly until: string;
  readonly current: number;
  /** null: the metrics could not be read, or were not asked. */
  readonly recommended: number | null;
  readonly desired: number;
  readonly because: string;
  readonly bounds: { readonly min: number; readonly max: number };
  /** Pods that the target selects. */
  readonly pods: number;
  /** What each metric is and shall be: `cpu of pods: 90% (180m), wanted 50%`. */
  readonly metrics: readonly string[];
  /** In the order of the spec; amounts in thousandths. */
  readonly readings: readonly ReadingRecord[];
  /** Recommendations that were still in mind. */
  readonly recent: readonly number[];
}

const autoscalersMax = 2048;
const decisionsMax = 20;
/** Of a large target only the first are kept, so that memory has a bound. */
const podsMax = 50;

export class DecisionLog {
  readonly #records = new NewestMap<string, DecisionRecord[]>(autoscalersMax);

  note(key: string, decision: Decision, observed: Observed): void {
    const record = recordOf(decision, observed);
    const records = this.#records.get(key) ?? [];
    const last = records.at(-1);
    if (last !== undefined && sameJson(groundsOf(last), groundsOf(record)))
      records[records.length - 1] = { ...last, until: record.until };
    else records.push(record);
    if (records.length > decisionsMax) records.shift();
    this.#records.set(key, records);
  }

  /** The oldest first; undefined: nothing was decided about it. */
  of(key: string): readonly DecisionRecord[] | undefined {
    return this.#records.get(key);
  }
}

const groundsOf = ({ at: _at, until: _until, recent: _recent, ...grounds }: DecisionRecord) => grounds;

function recordOf(
  decision: Decision,
  { autoscaler, selection, readings, history }: Observed,
): DecisionRecord {
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const at = formatTime(decision.atMs);
  const limit = decision.conditions.find(({ type }) => type === 'ScalingLimited');
  const failed = decision.conditions.find(
    ({ status, type }) => status === 'False' && type !== 'ScalingLimited',
  );
  const because =
    decision.recommended === undefined && decision.reason === ''
      ? (failed?.message ?? '')
      : [decision.reason, limit?.status === 'True' && decision.recommended !== undefined ? limit.message : '']
          .filter((text) => text !== '' && text !== undefined)
          .join('; ');
  return {
    at,
    until: at,
    current: decision.current,
    recommended: decision.recommended ?? null,
    desired: decision.desired,
    because,
    bounds: { min: minReplicas, max: maxReplicas },
    pods: 'error' in selection ? 0 : selection.pods.length,
    metrics: (autoscaler.spec.metrics ?? []).map((spec, index) => metricText(spec, decision.metrics[index])),
    readings: readings.map(readingRecord),
    recent: history.recommendations.map(({ replicas }) => replicas),
  };
}

function metricText(
  { resource, containerResource, pods, object, external }: MetricSpec,
  status: MetricStatus | undefined,
): string {
  const [what, target, current] =
    resource !== undefined
      ? [`${resource.name} of pods`, resource.target, status?.resource?.current]
      : containerResource !== undefined
        ? [
            `${containerResource.name} of container ${containerResource.container}`,
            containerResource.target,
            status?.containerResource?.current,
          ]
        : pods !== undefined
          ? [`${pods.metric.name} of pods`, pods.target, status?.pods?.current]
          : object !== undefined
            ? [
                `${object.metric.name} of ${object.describedObject.kind} ${object.describedObject.name}`,
                object.target,
                status?.object?.current,
              ]
            : [external?.metric.name ?? '', external?.target, status?.external?.current];
  return `${what}: ${amountText(current) ?? 'unknown'}, wanted ${amountText(target) ?? 'nothing'}`;
}

function amountText(amount: MetricValueStatus | undefined): string | undefined {
  const { averageUtilization, averageValue, value } = amount ?? {};
  if (averageUtilization !== undefined)
    return `${averageUtilization}%${averageValue === undefined ? '' : ` (${averageValue})`}`;
  return averageValue === undefined ? value : `${averageValue} each`;
}

function readingRecord(reading: Reading): ReadingRecord {
  if (reading.kind === 'failed') return { failed: reading.message };
  if (reading.kind === 'value') return { value: reading.milli };
  const pods: Record<string, number> = {};
  for (const [name, { milli }] of [...reading.samples].slice(0, podsMax)) pods[name] = milli;
  return { pods };
}
