/**
 * metrics.k8s.io: what nodes and pods use, as metrics-server tells it. What has no figures yet, or none any more, is left out of lists and is not found.
 * Source: metrics-server, pkg/api.
 */
import {
  type Column,
  type ComputedAnswer,
  type ComputedApi,
  type ComputedRequest,
  type ContainerMetrics,
  durationText,
  fieldPredicate,
  type KubeObject,
  type LabelPredicate,
  type Node,
  type NodeMetrics,
  nanoText,
  notFound,
  type Pod,
  type PodMetrics,
  parseFieldTerms,
  parseLabelSelector,
  quantityNano,
  type ServedKind,
} from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import { CaelumError, formatTime } from '../lib/index.ts';
import { quantityOf } from './custom-api.ts';
import type { Gatherer } from './gatherer.ts';
import type { Traffic } from './summary.ts';
import type { PodUse, Use } from './usage.ts';

export interface ResourceApiOptions {
  readonly gatherer: Gatherer;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly nowMs: () => number;
}

const group = 'metrics.k8s.io';
const version = 'v1beta1';
const apiVersion = `${group}/${version}`;

const kinds: readonly ServedKind[] = [
  {
    group,
    version,
    kind: 'NodeMetrics',
    resource: 'nodes',
    singular: '',
    namespaced: false,
    verbs: ['get', 'list'],
    subresources: [],
    message: 'metrics.v1beta1.NodeMetrics',
    description: 'NodeMetrics is what a node uses of its CPU and memory.',
  },
  {
    group,
    version,
    kind: 'PodMetrics',
    resource: 'pods',
    singular: '',
    namespaced: true,
    verbs: ['get', 'list'],
    subresources: [],
    message: 'metrics.v1beta1.PodMetrics',
    description: 'PodMetrics is what the containers of a pod use of CPU and memory.',
  },
];

export function createResourceApi(options: ResourceApiOptions): ComputedApi {
  const { gatherer } = options;
  const resources = kinds.map(({ resource, kind, namespaced, verbs }) => ({
    name: resource,
    singularName: '',
    namespaced,
    kind,
    verbs,
  }));
  return {
    group,
    version,
    kinds,
    resources: () => resources,
    async answer(asked) {
      const waiting = gatherer.prepare();
      if (waiting !== undefined) await waiting;
      if (asked.subresource !== '' || asked.verb === 'create')
        throw new CaelumError(
          'methodNotAllowed',
          'the server does not allow this method on the requested resource',
        );
      if (asked.resource === 'nodes') return answerNodes(options, asked);
      if (asked.resource === 'pods') return answerPods(options, asked);
      throw new CaelumError('notFound', 'the server could not find the requested resource');
    },
  };
}

function answerNodes({ gatherer, nodes, nowMs }: ResourceApiOptions, asked: ComputedRequest): ComputedAnswer {
  const metricsOf = (node: Node | undefined): NodeMetrics | undefined => {
    const use = node === undefined ? undefined : gatherer.node(node.metadata.name ?? '');
    return node === undefined || use === undefined ? undefined : nodeMetrics(node, use, nowMs());
  };
  if (asked.name !== '') {
    const object = metricsOf(nodes.get(asked.name));
    if (object === undefined) throw notFound({ group, resource: 'nodes' }, asked.name);
    return { kind: 'object', object, columns: nodeColumns };
  }
  const items = selected(nodes.list(), asked).map(metricsOf);
  return listOf('NodeMetricsList', items, nodeColumns);
}

function answerPods({ gatherer, pods, nowMs }: ResourceApiOptions, asked: ComputedRequest): ComputedAnswer {
  const metricsOf = (pod: Pod | undefined): PodMetrics | undefined => {
    if (pod?.status?.phase !== 'Running') return undefined;
    const use = gatherer.pod(pod.spec?.nodeName ?? '', pod.metadata.uid ?? '');
    return use === undefined ? undefined : podMetrics(pod, use, nowMs());
  };
  if (asked.name !== '') {
    const key = `${asked.namespace}/${asked.name}`;
    const object = metricsOf(pods.get(key));
    if (object === undefined) throw notFound({ group, resource: 'pods' }, key);
    return { kind: 'object', object, columns: podColumns };
  }
  const items = selected(pods.list(), asked).map(metricsOf);
  return listOf('PodMetricsList', items, podColumns);
}

function listOf(
  listKind: string,
  items: readonly (object | undefined)[],
  columns: readonly Column[],
): ComputedAnswer {
  return { kind: 'list', listKind, items: items.filter((one) => one !== undefined), columns };
}

/** By namespace, labels, and the fields of metadata. In the order of their names. */
function selected<T extends KubeObject>(all: Iterable<T>, asked: ComputedRequest): readonly T[] {
  const labels: LabelPredicate | undefined = parseLabelSelector(asked.parameter('labelSelector'));
  const terms = parseFieldTerms(asked.parameter('fieldSelector'), fieldsOfMetadata);
  const fields = fieldPredicate(terms, fieldsOfMetadata);
  const found: T[] = [];
  for (const object of all) {
    const { metadata } = object;
    if (asked.namespace !== '' && metadata.namespace !== asked.namespace) continue;
    if (labels !== undefined && !labels(metadata.labels)) continue;
    if (fields !== undefined && !fields(object)) continue;
    found.push(object);
  }
  return found.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

const placeOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
const fieldsOfMetadata = { selectableFields: {}, namespaced: true };

/** As the figures stand for whom they are of: with the labels that it has. */
const metadataOf = ({ metadata }: KubeObject, nowMs: number): KubeObject['metadata'] => ({
  ...(metadata.name === undefined ? {} : { name: metadata.name }),
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  creationTimestamp: formatTime(nowMs),
  ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
});

const usageOf = ({ cpuNanocores, memoryBytes }: Use): Readonly<Record<string, string>> => ({
  cpu: nanoText(BigInt(cpuNanocores)),
  memory: nanoText(BigInt(Math.round(memoryBytes)) * 1_000_000_000n, 'binary'),
});
const windowOf = (windowMs: number): string => durationText(BigInt(Math.round(windowMs)) * 1_000_000n);

/** Beside CPU and memory: by the names under which annotations of nodes may say it. */
const trafficUsage = ({ connections, responseMs }: Traffic): Readonly<Record<string, string>> => ({
  ...(connections === undefined ? {} : { 'scheduling.caelum.dev/connections': quantityOf(connections) }),
  ...(responseMs === undefined ? {} : { 'scheduling.caelum.dev/response-ms': quantityOf(responseMs) }),
});

export function nodeMetrics(
  node: Node,
  use: Use & { readonly traffic?: Traffic },
  nowMs: number,
): NodeMetrics {
  return {
    kind: 'NodeMetrics',
    apiVersion,
    metadata: metadataOf(node, nowMs),
    timestamp: formatTime(use.atMs),
    window: windowOf(use.windowMs),
    usage: { ...usageOf(use), ...trafficUsage(use.traffic ?? {}) },
  };
}

export function podMetrics(pod: Pod, use: PodUse, nowMs: number): PodMetrics {
  return {
    kind: 'PodMetrics',
    apiVersion,
    metadata: metadataOf(pod, nowMs),
    timestamp: formatTime(use.atMs),
    window: windowOf(use.windowMs),
    containers: [...use.containers].map(([name, one]) => ({ name, usage: usageOf(one) })),
  };
}

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the resource',
  priority: 0,
  cell: ({ metadata }: KubeObject) => metadata.name ?? '',
};

const quantityColumn = (name: string, cell: (object: never) => string): Column => ({
  name,
  type: 'string',
  format: 'quantity',
  description: '',
  priority: 0,
  cell,
});

const windowColumn: Column = {
  name: 'Window',
  type: 'string',
  format: 'duration',
  description: '',
  priority: 0,
  cell: ({ window = '' }: NodeMetrics) => window,
};

const nodeColumns: readonly Column[] = [
  nameColumn,
  quantityColumn('cpu', ({ usage }: NodeMetrics) => usage?.['cpu'] ?? ''),
  quantityColumn('memory', ({ usage }: NodeMetrics) => usage?.['memory'] ?? ''),
  windowColumn,
];

const podColumns: readonly Column[] = [
  nameColumn,
  quantityColumn('cpu', ({ containers }: PodMetrics) => sumOf(containers, 'cpu')),
  quantityColumn('memory', ({ containers }: PodMetrics) => sumOf(containers, 'memory')),
  windowColumn,
];

function sumOf(containers: readonly ContainerMetrics[] | undefined, resource: 'cpu' | 'memory'): string {
  const nano = (containers ?? []).reduce(
    (sum, { usage }) => sum + (quantityNano(usage?.[resource]) ?? 0n),
    0n,
  );
  return nanoText(nano, resource === 'memory' ? 'binary' : 'decimal');
}
