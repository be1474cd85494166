/**
 * Autoscalers as autoscaling/v1 writes them: one CPU target; all else is kept in annotations, so that clients of both versions see one object. Pure.
 *
 *   v2 ──toFirstForm──▶ v1: target of the CPU, annotations for other metrics, measured values, conditions, behaviour
 *   v1 ──fromFirstForm──▶ v2: annotations read back and taken away; those that make no sense say nothing
 *
 * Source: Kubernetes 1.36, pkg/apis/autoscaling/v1/conversion.go, as behaviour.
 */
import type { Draft } from '../../object.ts';
import { checkShape } from '../../schema/check-shape.ts';
import { messageOf } from '../../schema/messages.ts';
import type * as v1 from '../../types/autoscaling.v1.ts';
import type * as v2 from '../../types/autoscaling.v2.ts';

const domain = 'autoscaling.alpha.kubernetes.io';
export const annotations = {
  metrics: `${domain}/metrics`,
  currentMetrics: `${domain}/current-metrics`,
  conditions: `${domain}/conditions`,
  behavior: `${domain}/behavior`,
} as const;

const isCpu = (metric: { readonly type?: string; readonly resource?: { readonly name?: string } }): boolean =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu';

/** Without keys that have no value. */
function defined<T extends object>(object: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

export function toFirstForm(object: v2.HorizontalPodAutoscaler): v1.HorizontalPodAutoscaler {
  const { metadata, spec, status, ...rest } = object;
  const { metrics = [], behavior, ...bounds } = spec ?? ({} as v2.HorizontalPodAutoscalerSpec);
  const cpu = metrics.find(isCpu)?.resource?.target.averageUtilization;
  const others = metrics.filter(
    (metric) => !(isCpu(metric) && metric.resource?.target.averageUtilization !== undefined),
  );
  const { currentMetrics = [], conditions = [], ...numbers } = status ?? { desiredReplicas: 0 };
  const currentCpu = currentMetrics.find(isCpu)?.resource?.current.averageUtilization;
  const kept = {
    ...metadata.annotations,
    ...noted(annotations.metrics, others.length > 0 ? others.map(firstMetric) : undefined),
    ...noted(
      annotations.currentMetrics,
      currentMetrics.length > 0 ? currentMetrics.map(firstStatus) : undefined,
    ),
    ...noted(annotations.behavior, behavior === undefined ? undefined : capitalised(behavior)),
    ...noted(annotations.conditions, conditions.length > 0 ? conditions : undefined),
  };
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: Object.keys(kept).length > 0 ? { ...metadata, annotations: kept } : metadata,
    spec: { ...bounds, ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu }) },
    ...(status === undefined
      ? {}
      : {
          status: {
            ...numbers,
            currentReplicas: numbers.currentReplicas ?? 0,
            ...(currentCpu === undefined ? {} : { currentCPUUtilizationPercentage: currentCpu }),
          },
        }),
  };
}

const noted = (name: string, value: unknown): Readonly<Record<string, string>> =>
  value === undefined ? {} : { [name]: JSON.stringify(value) };

function firstMetric(metric: v2.MetricSpec): v1.MetricSpec {
  const { type, object, pods, resource, external, containerResource } = metric;
  return defined<v1.MetricSpec>({
    type,
    object:
      object &&
      defined<v1.ObjectMetricSource>({
        target: object.describedObject,
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      defined<v1.PodsMetricSource>({
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue,
        selector: pods.metric.selector,
      }),
    resource: resource && firstResource(resource),
    containerResource: containerResource && {
      ...firstResource(containerResource),
      container: containerResource.container,
    },
    external:
      external &&
      defined<v1.ExternalMetricSource>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });
}

const firstResource = ({ name, target }: v2.ResourceMetricSource): v1.ResourceMetricSource =>
  defined<v1.ResourceMetricSource>({
    name,
    targetAverageUtilization: target.averageUtilization,
    targetAverageValue: target.averageValue,
  });

function firstStatus(status: v2.MetricStatus): v1.MetricStatus {
  const { type, object, pods, resource, external, containerResource } = status;
  return defined<v1.MetricStatus>({
    type,
    object:
      object &&
      defined<v1.ObjectMetricStatus>({
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      defined<v1.PodsMetricStatus>({
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? '0',
        selector: pods.metric.selector,
      }),
    resource: resource && firstResourceStatus(resource),
    containerResource: containerResource && {
      ...firstResourceStatus(containerResource),
      container: containerResource.container,
    },
    external:
      external &&
      defined<v1.ExternalMetricStatus>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  });
}

const firstResourceStatus = ({ name, current }: v2.ResourceMetricStatus): v1.ResourceMetricStatus =>
  defined<v1.ResourceMetricStatus>({
    name,
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue ?? '0',
  });

/** As Kubernetes writes behaviour down: all fields, with capitals, absent ones as null. */
function capitalised({ scaleUp, scaleDown }: v2.HorizontalPodAutoscalerBehavior): object {
  const rules = (one: v2.HPAScalingRules | undefined): object | null =>
    one === undefined
      ? null
      : {
          StabilizationWindowSeconds: one.stabilizationWindowSeconds ?? null,
          SelectPolicy: one.selectPolicy ?? null,
          Policies:
            one.policies?.map(({ type, value, periodSeconds }) => ({
              Type: type,
              Value: value,
              PeriodSeconds: periodSeconds,
            })) ?? null,
          Tolerance: one.tolerance ?? null,
        };
  return { ScaleUp: rules(scaleUp), ScaleDown: rules(scaleDown) };
}

export function fromFirstForm(object: v1.HorizontalPodAutoscaler): Draft<v2.HorizontalPodAutoscaler> {
  const { metadata, spec, status, ...rest } = structuredClone(object) as Draft<v1.HorizontalPodAutoscaler>;
  const notes = metadata.annotations ?? {};
  const { targetCPUUtilizationPercentage: cpu, ...bounds } =
    spec ?? ({} as Draft<v1.HorizontalPodAutoscalerSpec>);
  const metrics = [
    ...(readList<v1.MetricSpec>(notes[annotations.metrics], 'autoscaling.v1.MetricSpec') ?? []).map(
      secondMetric,
    ),
    ...(cpu === undefined ? [] : [cpuMetric(cpu)]),
  ];
  const behavior = readBehavior(notes[annotations.behavior]);
  const result: Draft<v2.HorizontalPodAutoscaler> = {
    ...rest,
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      ...bounds,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(behavior === undefined ? {} : { behavior }),
    },
  };
  if (status !== undefined) result.status = secondStatusOf(status, notes);
  for (const name of Object.values(annotations)) delete notes[name];
  if (metadata.annotations !== undefined && Object.keys(notes).length === 0) delete metadata.annotations;
  return result;
}

const cpuMetric = (averageUtilization: number): Draft<v2.MetricSpec> => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

function secondStatusOf(
  { currentCPUUtilizationPercentage: cpu, ...numbers }: Draft<v1.HorizontalPodAutoscalerStatus>,
  notes: Readonly<Record<string, string>>,
): Draft<v2.HorizontalPodAutoscalerStatus> {
  const noted = readList<v1.MetricStatus>(notes[annotations.currentMetrics], 'autoscaling.v1.MetricStatus');
  const fromCpu: Draft<v2.MetricStatus>[] | undefined =
    cpu === undefined
      ? undefined
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: cpu } } }];
  // What was noted says more than the one number.
  const currentMetrics = noted?.map(secondStatus) ?? fromCpu;
  const conditions = readList<v2.HorizontalPodAutoscalerCondition>(
    notes[annotations.conditions],
    'autoscaling.v2.HorizontalPodAutoscalerCondition',
  );
  return {
    ...numbers,
    ...(currentMetrics === undefined ? {} : { currentMetrics }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** undefined when there is none, or what is there is not what it should be. */
function readList<T>(text: string | undefined, message: string): Draft<T>[] | undefined {
  const list = parsed(text);
  if (!Array.isArray(list)) return undefined;
  const shapes = list.map((item) => checkShape<Draft<T>>(messageOf(message), item));
  return shapes.every(({ problems }) => problems.length === 0) ? shapes.map(({ value }) => value) : undefined;
}

function readBehavior(text: string | undefined): Draft<v2.HorizontalPodAutoscalerBehavior> | undefined {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const shape = checkShape<Draft<v2.HorizontalPodAutoscalerBehavior>>(
    messageOf('autoscaling.v2.HorizontalPodAutoscalerBehavior'),
    uncapitalised(value),
  );
  return shape.problems.length === 0 ? shape.value : undefined;
}

function uncapitalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(uncapitalised);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key.slice(0, 1).toLowerCase() + key.slice(1), uncapitalised(item)]),
  );
}

/** Zero stands for none where the first form cannot leave it out. */
const someAmount = (amount: string | undefined): string | undefined => (amount === '0' ? undefined : amount);

const identified = (name: string | undefined, selector: v1.ObjectMetricSource['selector']) =>
  defined<v2.MetricIdentifier>({ name: name ?? '', selector });

const targetOf = (value: string | undefined, averageValue: string | undefined): v2.MetricTarget =>
  defined<v2.MetricTarget>({
    type: averageValue === undefined ? 'Value' : 'AverageValue',
    value,
    averageValue,
    averageUtilization: undefined,
  });

const noReference = { kind: '', name: '' };

function secondMetric(metric: v1.MetricSpec): Draft<v2.MetricSpec> {
  const { type = '', object, pods, resource, external, containerResource } = metric;
  return structuredClone(
    defined<v2.MetricSpec>({
      type,
      object: object && {
        describedObject: object.target ?? noReference,
        metric: identified(object.metricName, object.selector),
        target: targetOf(someAmount(object.targetValue), object.averageValue),
      },
      pods: pods && {
        metric: identified(pods.metricName, pods.selector),
        target: targetOf(undefined, pods.targetAverageValue ?? '0'),
      },
      resource: resource && secondResource(resource),
      containerResource: containerResource && {
        ...secondResource(containerResource),
        container: containerResource.container ?? '',
      },
      external: external && {
        metric: identified(external.metricName, external.metricSelector),
        target: targetOf(external.targetValue, external.targetAverageValue),
      },
    }),
  ) as Draft<v2.MetricSpec>;
}

const secondResource = (source: v1.ResourceMetricSource): v2.ResourceMetricSource => ({
  name: source.name ?? '',
  target: defined<v2.MetricTarget>({
    type: source.targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    value: undefined,
    averageValue: source.targetAverageValue,
    averageUtilization: source.targetAverageUtilization,
  }),
});

const currentOf = (value: string | undefined, averageValue: string | undefined, percent?: number) =>
  defined<v2.MetricValueStatus>({ value, averageValue, averageUtilization: percent });

function secondStatus(status: v1.MetricStatus): Draft<v2.MetricStatus> {
  const { type = '', object, pods, resource, external, containerResource } = status;
  return structuredClone(
    defined<v2.MetricStatus>({
      type,
      object: object && {
        describedObject: object.target ?? noReference,
        metric: identified(object.metricName, object.selector),
        current: currentOf(object.currentValue, object.averageValue),
      },
      pods: pods && {
        metric: identified(pods.metricName, pods.selector),
        current: currentOf(undefined, pods.currentAverageValue),
      },
      resource: resource && secondResourceStatus(resource),
      containerResource: containerResource && {
        ...secondResourceStatus(containerResource),
        container: containerResource.container ?? '',
      },
      external: external && {
        metric: identified(external.metricName, external.metricSelector),
        current: currentOf(external.currentValue, external.currentAverageValue),
      },
    }),
  ) as Draft<v2.MetricStatus>;
}

const secondResourceStatus = (status: v1.ResourceMetricStatus): v2.ResourceMetricStatus => ({
  name: status.name ?? '',
  current: currentOf(undefined, status.currentAverageValue, status.currentAverageUtilization),
});
