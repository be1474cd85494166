/** What an autoscaler reads of the world: where figures come from, and what one metric of its list read. All amounts are thousandths. */
import type { HorizontalPodAutoscaler, LabelSelector, MetricIdentifier, Pod } from '../../api/index.ts';

/** One pod's figure. */
export interface Sample {
  readonly milli: number;
  /** The end of the time that it speaks of. */
  readonly atMs: number;
  readonly windowMs: number;
}

/** By the pod's name. */
export type PodSamples = ReadonlyMap<string, Sample>;

export interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
}

/** Where figures come from. Every call rejects with the words that the autoscaler's condition shall show. */
export interface MetricsSource {
  /** `container` undefined: all of a pod's together. `pods`: those that the selector selects, where they are known. */
  resource(
    resource: string,
    namespace: string,
    selector: string,
    container: string | undefined,
    pods?: readonly Pod[],
  ): Promise<PodSamples>;
  pods(
    metric: string,
    namespace: string,
    selector: string,
    metricSelector: LabelSelector | undefined,
  ): Promise<PodSamples>;
  object(
    metric: string,
    namespace: string,
    object: ObjectReference,
    metricSelector: LabelSelector | undefined,
  ): Promise<number>;
  /** Every series that fits. */
  external(
    metric: string,
    namespace: string,
    metricSelector: LabelSelector | undefined,
  ): Promise<readonly number[]>;
}

export type Reading =
  | { readonly kind: 'pods'; readonly samples: PodSamples }
  | { readonly kind: 'value'; readonly milli: number }
  | { readonly kind: 'failed'; readonly message: string };

/** One reading a metric, in the order of the spec. Never rejects: what could not be read says so. */
export async function readAll(
  source: MetricsSource,
  autoscaler: HorizontalPodAutoscaler,
  selector: string,
  selected: readonly Pod[],
): Promise<readonly Reading[]> {
  const { namespace = '' } = autoscaler.metadata;
  return Promise.all(
    (autoscaler.spec.metrics ?? []).map((metric) =>
      readMetric(source, metric, namespace, selector, selected),
    ),
  );
}

/** Which figure is meant: a MetricSpec without what it shall be. */
export interface MetricName {
  readonly type: string;
  readonly resource?: { readonly name: string };
  readonly containerResource?: { readonly name: string; readonly container: string };
  readonly pods?: { readonly metric: MetricIdentifier };
  readonly object?: { readonly describedObject: ObjectReference; readonly metric: MetricIdentifier };
  readonly external?: { readonly metric: MetricIdentifier };
}

/** Never rejects. `selector`: of the pods, as text; `selected`: those pods, where they are known. */
export async function readMetric(
  source: MetricsSource,
  metric: MetricName,
  namespace: string,
  selector: string,
  selected?: readonly Pod[],
): Promise<Reading> {
  try {
    return checked(await read(source, metric, namespace, selector, selected));
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

/** A figure that is no number is none: nobody is scaled down for it. */
function checked(reading: Reading): Reading {
  if (reading.kind === 'pods') {
    if (areFinite(reading.samples)) return reading;
    const samples = new Map([...reading.samples].filter(([, { milli }]) => Number.isFinite(milli)));
    return { kind: 'pods', samples };
  }
  return reading.kind === 'value' && !Number.isFinite(reading.milli)
    ? { kind: 'failed', message: 'the metric has no value' }
    : reading;
}

function areFinite(samples: PodSamples): boolean {
  for (const { milli } of samples.values()) if (!Number.isFinite(milli)) return false;
  return true;
}

async function read(
  source: MetricsSource,
  spec: MetricName,
  namespace: string,
  selector: string,
  selected: readonly Pod[] | undefined,
): Promise<Reading> {
  const { resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined)
    return {
      kind: 'pods',
      samples: await source.resource(resource.name, namespace, selector, undefined, selected),
    };
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    return { kind: 'pods', samples: await source.resource(name, namespace, selector, container, selected) };
  }
  if (pods !== undefined) {
    const { name, selector: metricSelector } = pods.metric;
    return { kind: 'pods', samples: await source.pods(name, namespace, selector, metricSelector) };
  }
  if (object !== undefined) {
    const { metric, describedObject } = object;
    return {
      kind: 'value',
      milli: await source.object(metric.name, namespace, describedObject, metric.selector),
    };
  }
  if (external !== undefined) {
    const { name, selector: metricSelector } = external.metric;
    const series = await source.external(name, namespace, metricSelector);
    if (series.length === 0) throw new Error('no metrics returned from external metrics API');
    return { kind: 'value', milli: series.reduce((sum, milli) => sum + milli, 0) };
  }
  return { kind: 'failed', message: `unknown metric source type "${spec.type}"` };
}
