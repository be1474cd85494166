/**
 * Figures for autoscalers, by the APIs that tell them: metrics.k8s.io, custom.metrics.k8s.io, external.metrics.k8s.io. Whoever serves them, ourselves or a
 * server that an APIService names; what we gather ourselves of pods' CPU and memory is taken as it is, without the way through documents.
 * What is wrong is told in the words of Kubernetes: k8s.io/kubernetes/pkg/controller/podautoscaler/metrics.
 */
import {
  type KindRegistry,
  type LabelSelector,
  labelSelectorText,
  type Pod,
  quantityMilli,
  quantityNano,
} from '../../api/index.ts';
import type { MetricsSource, ObjectReference, PodSamples, Sample } from './readings.ts';
import { groupOf, kindOf } from './targets.ts';

/** A question to one of these APIs. */
export interface MetricsQuestion {
  readonly namespace: string;
  readonly resource: string;
  /** '' for a collection. */
  readonly name: string;
  readonly subresource: string;
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** What one pod uses. */
export interface PodUse {
  readonly atMs: number;
  readonly windowMs: number;
  readonly containers: ReadonlyMap<string, { readonly cpuNanocores: number; readonly memoryBytes: number }>;
}

export interface OwnUse {
  /** A promise only where there is something to wait for. Never rejects. */
  prepare(): Promise<void> | undefined;
  of(pod: Pod): PodUse | undefined;
}

export interface MetricsApis {
  /** Asks the first of these versions that somebody serves, for a document. undefined: nobody serves any. Rejects with what the server says. */
  ask(group: string, versions: readonly string[], question: MetricsQuestion): Promise<unknown>;
  /** What we know of pods ourselves. undefined: another server tells it. */
  ownUse(): OwnUse | undefined;
}

export interface MetricsSourceOptions {
  readonly registry: KindRegistry;
  /** undefined: nobody tells anything. */
  readonly apis: MetricsApis | undefined;
  /** The pods of a namespace that a selector selects. */
  readonly podsOf: (namespace: string, selector: string) => readonly Pod[];
}

/** Without a word about it: as Kubernetes takes it. */
const windowMsDefault = 60_000;
const customVersions = ['v1beta2', 'v1beta1'];

export function createMetricsSource(options: MetricsSourceOptions): MetricsSource {
  const { apis, registry, podsOf } = options;
  return {
    async resource(resource, namespace, selector, container, pods) {
      const own = apis?.ownUse();
      const samples =
        own === undefined
          ? await askedResource(apis, resource, namespace, selector, container)
          : await ownResource(own, resource, container, pods ?? podsOf(namespace, selector));
      if (samples.size === 0) throw new Error('no metrics returned from resource metrics API');
      return samples;
    },
    async pods(metric, namespace, selector, metricSelector) {
      const items = await askedCustom(apis, {
        namespace,
        resource: 'pods',
        name: '*',
        subresource: metric,
        parameters: { labelSelector: selector, metricLabelSelector: textOf(metricSelector) },
      });
      const samples = new Map<string, Sample>();
      for (const { describedObject, timestamp, windowSeconds, window, value } of items) {
        const milli = quantityMilli(value);
        if (milli === undefined || describedObject?.name === undefined) continue;
        const seconds = windowSeconds ?? window;
        const windowMs = typeof seconds === 'number' ? seconds * 1000 : windowMsDefault;
        samples.set(describedObject.name, { milli, atMs: Date.parse(timestamp ?? '') || 0, windowMs });
      }
      if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
      return samples;
    },
    async object(metric, namespace, object, metricSelector) {
      const place = placeOf(registry, namespace, object, metric);
      const parameters = { metricLabelSelector: textOf(metricSelector) };
      const [item] = await askedCustom(apis, { ...place, parameters });
      const milli = quantityMilli(item?.value);
      if (milli === undefined) throw new Error('no metrics returned from custom metrics API');
      return milli;
    },
    async external(metric, namespace, metricSelector) {
      const parameters = { labelSelector: textOf(metricSelector) };
      const question = { namespace, resource: metric, name: '', subresource: '', parameters };
      const items = await asked<MetricItem>(apis, 'external', ['v1beta1'], question, () => {
        throw new Error(notServed(`${metric}.external.metrics.k8s.io`));
      });
      if (items.length === 0) throw new Error('no metrics returned from external metrics API');
      return items.map(({ value }) => quantityMilli(value) ?? Number.NaN);
    },
  };
}

/** What each pod uses, container by container, by the pod's name. Rejects as the source of autoscalers does. */
export async function readUse(
  apis: MetricsApis | undefined,
  namespace: string,
  selector: string,
  pods: readonly Pod[],
): Promise<ReadonlyMap<string, PodUse>> {
  const found = new Map<string, PodUse>();
  const own = apis?.ownUse();
  if (own !== undefined) {
    const waiting = own.prepare();
    if (waiting !== undefined) await waiting;
    for (const pod of pods) {
      const use = own.of(pod);
      if (use !== undefined) found.set(pod.metadata.name ?? '', use);
    }
    return found;
  }
  const parameters = { labelSelector: selector };
  const question = { namespace, resource: 'pods', name: '', subresource: '', parameters };
  const items = await asked<PodMetricsItem>(apis, 'resource', ['v1beta1'], question, () => {
    throw new Error(notServed('pods.metrics.k8s.io'));
  });
  for (const { metadata, timestamp = '', window = '', containers = [] } of items) {
    const uses = new Map<string, { readonly cpuNanocores: number; readonly memoryBytes: number }>();
    for (const { name, usage } of containers) {
      const [cpu, memory] = [quantityNano(usage?.['cpu']), quantityMilli(usage?.['memory'])];
      if (cpu === undefined || memory === undefined) continue;
      uses.set(name, { cpuNanocores: Number(cpu), memoryBytes: memory / 1000 });
    }
    const windowMs = (Number.parseFloat(window) || 0) * 1000;
    found.set(metadata?.name ?? '', { atMs: Date.parse(timestamp) || 0, windowMs, containers: uses });
  }
  return found;
}

interface MetricItem {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly window?: number;
  readonly value?: string;
}

interface PodMetricsItem {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly timestamp?: string;
  /** `30s`. */
  readonly window?: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage?: Readonly<Record<string, string>>;
  }[];
}

/** As client libraries say it of what nobody serves. */
const notServed = (what: string): string => `the server could not find the requested resource (get ${what})`;

const textOf = (selector: LabelSelector | undefined): string | undefined =>
  selector === undefined ? undefined : labelSelectorText(selector);

/** Items of a list. Throws with what went wrong, after which API it was. */
async function asked<Item>(
  apis: MetricsApis | undefined,
  api: 'resource' | 'custom' | 'external',
  versions: readonly string[],
  question: MetricsQuestion,
  nobody: () => never,
): Promise<readonly Item[]> {
  const group = api === 'resource' ? 'metrics.k8s.io' : `${api}.metrics.k8s.io`;
  try {
    const document = await apis?.ask(group, versions, question);
    if (document === undefined) nobody();
    const { items } = document as { readonly items?: unknown };
    return Array.isArray(items) ? (items as Item[]) : [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to fetch metrics from ${api} metrics API: ${why}`, { cause: error });
  }
}

const askedCustom = (
  apis: MetricsApis | undefined,
  question: MetricsQuestion,
): Promise<readonly MetricItem[]> =>
  asked<MetricItem>(apis, 'custom', customVersions, question, () => {
    throw new Error('no custom metrics API (custom.metrics.k8s.io) registered');
  });

/** Where the figures of an object are. Throws where there is no such kind. */
function placeOf(
  registry: KindRegistry,
  namespace: string,
  { apiVersion = '', kind: kindName, name }: ObjectReference,
  metric: string,
): Omit<MetricsQuestion, 'parameters'> {
  const group = groupOf(apiVersion);
  // An autoscaler speaks of its own namespace only, whatever name is given.
  if (kindName === 'Namespace' && group === '')
    return { namespace, resource: 'metrics', name: metric, subresource: '' };
  const kind = kindOf(registry, apiVersion, kindName);
  if (kind === undefined) {
    const full = group === '' ? kindName : `${kindName}.${group}`;
    throw new Error(
      `unable to fetch metrics from custom metrics API: unable to map kind ${full} to resource: no matches for kind "${kindName}" in group "${group}"`,
    );
  }
  const resource = kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`;
  return { namespace, resource, name, subresource: metric };
}

async function askedResource(
  apis: MetricsApis | undefined,
  resource: string,
  namespace: string,
  labelSelector: string,
  container: string | undefined,
): Promise<PodSamples> {
  const question = { namespace, resource: 'pods', name: '', subresource: '', parameters: { labelSelector } };
  const items = await asked<PodMetricsItem>(apis, 'resource', ['v1beta1'], question, () => {
    throw new Error(notServed('pods.metrics.k8s.io'));
  });
  const samples = new Map<string, Sample>();
  for (const { metadata, timestamp = '', window = '', containers = [] } of items) {
    const milli =
      container === undefined
        ? sumOf(containers, resource)
        : oneOf(containers, resource, container, `${metadata?.namespace ?? namespace}/${metadata?.name}`);
    if (milli === undefined) continue;
    const windowMs = (Number.parseFloat(window) || 0) * 1000;
    samples.set(metadata?.name ?? '', { milli, atMs: Date.parse(timestamp) || 0, windowMs });
  }
  return samples;
}

/** A pod of which one container is not told of has no figure. */
function sumOf(containers: NonNullable<PodMetricsItem['containers']>, resource: string): number | undefined {
  let sum: number | undefined;
  for (const { usage } of containers) {
    const milli = quantityMilli(usage?.[resource]);
    if (milli === undefined) return undefined;
    sum = (sum ?? 0) + milli;
  }
  return sum;
}

function oneOf(
  containers: NonNullable<PodMetricsItem['containers']>,
  resource: string,
  container: string,
  podKey: string,
): number | undefined {
  const found = containers.find(({ name }) => name === container);
  if (found === undefined) throw notPresent(container, podKey);
  return quantityMilli(found.usage?.[resource]);
}

const notPresent = (container: string, podKey: string): Error =>
  new Error(
    `failed to get container metrics: container ${container} not present in metrics for pod ${podKey}`,
  );

async function ownResource(
  own: OwnUse,
  resource: string,
  container: string | undefined,
  pods: readonly Pod[],
): Promise<PodSamples> {
  const waiting = own.prepare();
  if (waiting !== undefined) await waiting;
  const samples = new Map<string, Sample>();
  if (resource !== 'cpu' && resource !== 'memory') return samples;
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running') continue;
    const use = own.of(pod);
    if (use === undefined) continue;
    const { name = '', namespace = '' } = pod.metadata;
    const milliOf = (one: { readonly cpuNanocores: number; readonly memoryBytes: number }): number =>
      resource === 'cpu' ? Math.ceil(one.cpuNanocores / 1_000_000) : one.memoryBytes * 1000;
    let milli = 0;
    if (container === undefined) for (const one of use.containers.values()) milli += milliOf(one);
    else {
      const one = use.containers.get(container);
      if (one === undefined) throw notPresent(container, `${namespace}/${name}`);
      milli = milliOf(one);
    }
    samples.set(name, { milli, atMs: use.atMs, windowMs: use.windowMs });
  }
  return samples;
}
