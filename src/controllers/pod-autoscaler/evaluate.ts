/** What each metric of an autoscaler asks for, and what all of them together. Pure. Words as Kubernetes has them. */
import {
  type LabelSelector,
  type MetricIdentifier,
  type MetricSpec,
  type MetricStatus,
  type MetricTarget,
  type MetricValueStatus,
  nanoText,
  quantityMilli,
} from '../../api/index.ts';
import type { Reading } from './readings.ts';
import {
  byAverage,
  byShare,
  byUtilization,
  byValue,
  type Fleet,
  type Proposal,
  type Refusal,
} from './replicas.ts';

export interface MetricOutcome {
  /** As events name it: `cpu resource utilization (percentage of request)`. */
  readonly name: string;
  readonly replicas: number;
  readonly status: MetricStatus;
}

export interface MetricFailure {
  /** `FailedGetResourceMetric`. */
  readonly reason: string;
  /** Of the condition and the event. */
  readonly message: string;
  /** The same, as it stands in the error of all metrics together. */
  readonly error: string;
}

/** The most that a count can be. */
const countMax = 2 ** 31 - 1;

export function evaluate(
  spec: MetricSpec,
  reading: Reading | undefined,
  fleet: Fleet,
): MetricOutcome | MetricFailure {
  const part = partOf(spec);
  if (part === undefined) {
    const message = `unknown metric source type "${spec.type}"`;
    return { reason: 'InvalidMetricSourceType', message, error: message };
  }
  const { target, reason } = part;
  const fail = (message: string, within = ''): MetricFailure => ({
    reason,
    message,
    error: `${part.failed}: ${within}${message}`,
  });
  if (target === undefined) return fail(part.noTarget);
  const within = part.within(target);
  const read = reading ?? { kind: 'failed', message: 'no metrics returned' };
  if (read.kind === 'failed')
    return fail(`${part.doing(target)}${part.unable(read.message, fleet.namespace)}`, within);
  const ofAll = isOfAll(spec, target);
  const proposal = propose(part, read, target, ofAll, fleet);
  if (proposal === undefined) return fail(part.noTarget);
  if ('error' in proposal) return fail(`${part.doing(target)}${proposal.error}`, within);
  const replicas = Math.min(countMax, Math.max(0, proposal.replicas));
  return { name: part.name(target), replicas, status: part.status(currentOf(ofAll, proposal)) };
}

interface Part {
  readonly target: MetricTarget | undefined;
  readonly reason: string;
  /** Before the error of all metrics together. */
  readonly failed: string;
  readonly noTarget: string;
  readonly resource: string;
  readonly container?: string;
  name(target: MetricTarget): string;
  /** What was being done, before an error. */
  doing(target: MetricTarget): string;
  /** Around what the source says. */
  unable(message: string, namespace: string): string;
  /** What stands before a message in the error of all metrics together, and nowhere else. */
  within(target: MetricTarget): string;
  status(current: MetricValueStatus): MetricStatus;
}

function partOf(spec: MetricSpec): Part | undefined {
  const { type, resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined) return resourcePart(spec, resource.name, undefined, resource.target);
  if (containerResource !== undefined)
    return resourcePart(spec, containerResource.name, containerResource.container, containerResource.target);
  const plain = { resource: '', doing: () => '', within: () => '' };
  if (pods !== undefined) {
    const { metric, target } = pods;
    return {
      ...plain,
      target,
      reason: 'FailedGetPodsMetric',
      failed: 'failed to get pods metric value',
      noTarget: 'invalid pods metric source: an average value target was not set',
      name: () => `pods metric ${metric.name}`,
      unable: (message) => `unable to get metric ${metric.name}: ${message}`,
      status: (current) => ({ type, pods: { metric, current } }),
    };
  }
  if (object !== undefined) {
    const { metric, target, describedObject } = object;
    return {
      ...plain,
      target,
      reason: 'FailedGetObjectMetric',
      failed: 'failed to get object metric value',
      noTarget: 'invalid object metric source: neither a value target nor an average value target was set',
      // An average is called external: so it is in Kubernetes.
      name: (one) => (isValue(one) ? `${describedObject.kind} metric ${metric.name}` : externalName(metric)),
      unable: (message, namespace) =>
        `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/${message}`,
      within: (one) => (isValue(one) ? '' : `failed to get ${metric.name} object metric: `),
      status: (current) => ({ type, object: { metric, describedObject, current } }),
    };
  }
  if (external === undefined) return undefined;
  const { metric, target } = external;
  return {
    ...plain,
    target,
    reason: 'FailedGetExternalMetric',
    failed: `failed to get ${metric.name} external metric value`,
    noTarget: 'invalid external metric source: neither a value target nor an average value target was set',
    name: () => externalName(metric),
    unable: (message, namespace) =>
      `unable to get external metric ${namespace}/${metric.name}/${selectorWords(metric.selector)}: ${message}`,
    within: ({ averageValue }) =>
      averageValue === undefined
        ? `failed to get external metric ${metric.name}: `
        : `failed to get ${metric.name} external metric: `,
    status: (current) => ({ type, external: { metric, current } }),
  };
}

const isValue = ({ type, value }: MetricTarget): boolean => type === 'Value' && value !== undefined;

const externalName = ({ name, selector }: MetricIdentifier): string =>
  `external metric ${name}(${selectorWords(selector)})`;

function resourcePart(
  { type }: MetricSpec,
  resource: string,
  container: string | undefined,
  target: MetricTarget | undefined,
): Part {
  const word = container === undefined ? 'resource' : 'container resource';
  const isShare = (one: MetricTarget): boolean => one.averageValue === undefined;
  return {
    target,
    resource,
    ...(container === undefined ? {} : { container }),
    reason: container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric',
    failed: `failed to get ${container === undefined ? `${resource} resource` : `${container} container`} metric value`,
    noTarget:
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    name: (one) =>
      isShare(one) ? `${resource} ${word} utilization (percentage of request)` : `${resource} resource`,
    within: () => '',
    doing: (one) => `failed to get ${resource} ${isShare(one) ? 'utilization' : 'usage'}: `,
    unable: (message) => `unable to get metrics for resource ${resource}: ${message}`,
    status: (current) =>
      container === undefined
        ? { type, resource: { name: resource, current } }
        : { type, containerResource: { name: resource, container, current } },
  };
}

/** Whether the target is one value for all pods together, and no average of each. */
const isOfAll = ({ object, external }: MetricSpec, target: MetricTarget): boolean =>
  object !== undefined
    ? isValue(target)
    : external !== undefined && target.averageValue === undefined && target.value !== undefined;

function propose(
  { resource, container }: Part,
  reading: Exclude<Reading, { kind: 'failed' }>,
  target: MetricTarget,
  ofAll: boolean,
  fleet: Fleet,
): Proposal | Refusal | undefined {
  const average = quantityMilli(target.averageValue);
  if (reading.kind === 'pods') {
    if (average !== undefined) return byAverage(fleet, reading.samples, resource, average);
    const { averageUtilization } = target;
    return averageUtilization === undefined || resource === ''
      ? undefined
      : byUtilization(fleet, reading.samples, resource, container, averageUtilization);
  }
  const value = quantityMilli(target.value);
  if (ofAll && value !== undefined) return byValue(fleet, reading.milli, value);
  return average === undefined ? undefined : byShare(fleet, reading.milli, average);
}

function currentOf(ofAll: boolean, { milli, utilization }: Proposal): MetricValueStatus {
  const text = nanoText(BigInt(Math.round(milli)) * 1_000_000n);
  if (utilization !== undefined) return { averageUtilization: utilization, averageValue: text };
  return ofAll ? { value: text } : { averageValue: text };
}

/** As Go prints it. */
function selectorWords(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`)
    .join('');
  const expressions = (selector.matchExpressions ?? [])
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
    )
    .join('');
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}

export interface Evaluation {
  /** undefined: there is no telling. */
  readonly replicas: number | undefined;
  /** The metric that asks for the most. */
  readonly metric: string;
  readonly statuses: readonly MetricStatus[];
  readonly failures: readonly MetricFailure[];
  /** Of those that failed, all together. */
  readonly error: string | undefined;
}

/** The most that any metric asks for. Where one of them cannot be told nothing goes down. */
export function evaluateAll(
  specs: readonly MetricSpec[],
  readings: readonly Reading[],
  fleet: Fleet,
): Evaluation {
  const failures: MetricFailure[] = [];
  const statuses: MetricStatus[] = [];
  let replicas = 0;
  let metric = '';
  specs.forEach((spec, index) => {
    const outcome = evaluate(spec, readings[index], fleet);
    if ('error' in outcome) {
      failures.push(outcome);
      // Clients find the status of a metric by its place.
      statuses.push({ type: '' });
      return;
    }
    statuses.push(outcome.status);
    if (replicas === 0 || outcome.replicas > replicas) ({ replicas, name: metric } = outcome);
  });
  const [first] = failures;
  if (first === undefined) return { replicas, metric, statuses, failures, error: undefined };
  const error = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.error}`;
  const isBlind = failures.length >= specs.length || replicas < fleet.specReplicas;
  return { replicas: isBlind ? undefined : replicas, metric, statuses, failures, error };
}
