/**
 * custom.metrics.k8s.io, v1beta1 and v1beta2: metrics of pods and of other objects, by the series of their namespace (`figures.ts` says how).
 *
 *   namespaces/NS/pods/NAME|*\/METRIC      namespaces/NS/services/NAME|*\/METRIC      namespaces/NS/deployments.apps/NAME/METRIC      namespaces/NS/metrics/METRIC
 *
 * `labelSelector` chooses among all objects (`*`), `metricLabelSelector` among series. Source: k8s.io/metrics, custom-metrics-apiserver.
 */
import {
  type ComputedAnswer,
  type ComputedApi,
  type ComputedRequest,
  type ComputedResource,
  type Kind,
  type KindRegistry,
  type KubeObject,
  type LabelPredicate,
  type LabelSelector,
  nanoText,
  type Pod,
  parseLabelSelector,
  parseLabelTerms,
} from '../api/index.ts';
import type { Client, LabelIndex } from '../client/index.ts';
import { CaelumError, formatTime, isError } from '../lib/index.ts';
import { kindOfResource, podSelectorOf } from './described.ts';
import { type Figure, selectFigures, sumOf } from './figures.ts';
import type { SeriesBoard } from './series-board.ts';

export interface CustomApiOptions {
  readonly board: SeriesBoard;
  readonly client: Client;
  readonly registry: KindRegistry;
  readonly podIndex: LabelIndex<Pod>;
}

const group = 'custom.metrics.k8s.io';
/** Lists are never empty: old clients take an empty one for an error. */
const unnamed = 'metrics';

export function createCustomApis(options: CustomApiOptions): readonly ComputedApi[] {
  return (['v1beta2', 'v1beta1'] as const).map((version) => ({
    group,
    version,
    kinds: [],
    resources: () => resourcesOf(options.board),
    onChange: (handler) => options.board.onChange(handler),
    answer: (asked) => answer(options, version, asked),
  }));
}

function resourcesOf(board: SeriesBoard): readonly ComputedResource[] {
  const names = [...board.names()].sort();
  return (names.length === 0 ? [unnamed] : names).map((name) => ({
    name: `pods/${name}`,
    singularName: '',
    namespaced: true,
    kind: 'MetricValueList',
    verbs: ['get'],
  }));
}

/** What an answer is about. */
interface Described {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
}

type Value = Described & Omit<Figure, 'labels'>;

async function answer(
  options: CustomApiOptions,
  version: 'v1beta1' | 'v1beta2',
  asked: ComputedRequest,
): Promise<ComputedAnswer> {
  const { namespace, resource, name, subresource } = asked;
  if (asked.verb === 'create')
    throw new CaelumError(
      'methodNotAllowed',
      'the server does not allow this method on the requested resource',
    );
  const isOfNamespace = resource === 'metrics' && subresource === '';
  const metric = isOfNamespace ? name : subresource;
  if (namespace === '' || metric === '') throw nothing(metric === '' ? name : metric, resource);
  const { board } = options;
  const waiting = board.prepare(namespace, metric);
  if (waiting !== undefined) await waiting;
  const selectorText = asked.parameter('metricLabelSelector');
  const figures = selectFigures(board.figures(namespace, metric), parseLabelSelector(selectorText));
  const values = isOfNamespace
    ? toValues({ kind: 'Namespace', apiVersion: 'v1', namespace: '', name: namespace }, figures)
    : await valuesOf(options, asked, figures);
  if (values.length === 0) {
    const [why] = board.failures(namespace);
    const whom = isOfNamespace ? `namespaces ${namespace}` : name === '*' ? resource : `${resource} ${name}`;
    throw nothing(metric, whom, why);
  }
  const items = values.map((value) => itemOf(value, metric, selectorText, version));
  return { kind: 'list', listKind: 'MetricValueList', items };
}

const nothing = (metric: string, whom: string, why?: string): CaelumError =>
  new CaelumError(
    'notFound',
    `the server could not find the metric ${metric} for ${whom}${why === undefined ? '' : `: ${why}`}`,
  );

const toValues = (described: Described, figures: readonly Figure[]): readonly Value[] => {
  const sum = sumOf(figures);
  return sum === undefined ? [] : [{ ...described, ...sum }];
};

async function valuesOf(
  options: CustomApiOptions,
  asked: ComputedRequest,
  figures: readonly Figure[],
): Promise<readonly Value[]> {
  if (figures.length === 0) return [];
  const { namespace, resource, name } = asked;
  const selector = asked.parameter('labelSelector');
  if (resource === 'pods') {
    const byPod = Map.groupBy(figures, ({ labels }) => labels['pod'] ?? '');
    const names =
      name !== '*'
        ? [name]
        : options.podIndex.select(namespace, selector ?? '').map(({ metadata }) => metadata.name ?? '');
    return names.flatMap((pod) =>
      toValues({ kind: 'Pod', apiVersion: 'v1', namespace, name: pod }, byPod.get(pod) ?? []),
    );
  }
  const kind = kindOfResource(options.registry, resource);
  if (kind === undefined || !kind.namespaced) return [];
  if (name !== '*') return ofObject(options, kind, namespace, name, figures);
  const { items } = await options.client.list<KubeObject>(kind, {
    namespace,
    ...(selector === undefined ? {} : { labelSelector: selector }),
  });
  return items.flatMap((object) => ofFound(options, kind, object, figures));
}

const describedBy = ({ kind, group: of, version }: Kind, namespace: string, name: string): Described => ({
  kind,
  apiVersion: of === '' ? version : `${of}/${version}`,
  namespace,
  name,
});

/** What is said of it by name needs no object. */
async function ofObject(
  options: CustomApiOptions,
  kind: Kind,
  namespace: string,
  name: string,
  figures: readonly Figure[],
): Promise<readonly Value[]> {
  const named = figures.filter(({ labels }) => labels[kind.singular] === name);
  if (named.length > 0) return toValues(describedBy(kind, namespace, name), named);
  try {
    const object = await options.client.get<KubeObject>(kind, namespace, name);
    return ofFound(options, kind, object, figures);
  } catch (error) {
    if (isError(error, 'notFound')) return [];
    throw error;
  }
}

function ofFound(
  { podIndex }: CustomApiOptions,
  kind: Kind,
  object: KubeObject,
  figures: readonly Figure[],
): readonly Value[] {
  const { namespace = '', name = '' } = object.metadata;
  const described = describedBy(kind, namespace, name);
  const named = figures.filter(({ labels }) => labels[kind.singular] === name);
  if (named.length > 0) return toValues(described, named);
  const matches: LabelPredicate | undefined = podSelectorOf(kind, object);
  if (matches === undefined) return [];
  const pods = new Set<string>();
  for (const { metadata } of podIndex.select(namespace, ''))
    if (matches(metadata.labels)) pods.add(metadata.name ?? '');
  return toValues(
    described,
    // What is said of another of its kind is not of it.
    figures.filter(({ labels }) => labels[kind.singular] === undefined && pods.has(labels['pod'] ?? '')),
  );
}

/** The most thousandths that a quantity holds everywhere. */
const milliMax = 2 ** 63 - 1024;

/** In thousandths, as a quantity. */
export function quantityOf(value: number): string {
  const milli = Math.max(-milliMax, Math.min(milliMax, Math.round(value * 1000)));
  return nanoText(BigInt(milli) * 1_000_000n);
}

/** As an object, where it can be one. */
function selectorOf(text: string): LabelSelector {
  const matchExpressions = parseLabelTerms(text).map(({ key, operator, values }) => ({
    key,
    operator,
    ...(values === undefined ? {} : { values }),
  }));
  return { matchExpressions };
}

function itemOf(
  { kind, apiVersion, namespace, name, value, atMs, windowMs }: Value,
  metric: string,
  selectorText: string | undefined,
  version: 'v1beta1' | 'v1beta2',
): object {
  const describedObject = { kind, ...(namespace === '' ? {} : { namespace }), name, apiVersion };
  const selector = selectorText === undefined ? {} : { selector: selectorOf(selectorText) };
  const seconds = windowMs === undefined ? undefined : Math.max(1, Math.round(windowMs / 1000));
  const shared = { describedObject, timestamp: formatTime(atMs), value: quantityOf(value) };
  return version === 'v1beta2'
    ? {
        ...shared,
        metric: { name: metric, ...selector },
        ...(seconds === undefined ? {} : { windowSeconds: seconds }),
      }
    : {
        ...shared,
        metricName: metric,
        ...selector,
        ...(seconds === undefined ? {} : { window: seconds }),
      };
}
