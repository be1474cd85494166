/**
 * external.metrics.k8s.io/v1beta1: every series of a namespace as a metric, whether a program of the namespace tells it or somebody pushed it here.
 *
 *   GET  namespaces/NS/METRIC?labelSelector=…
 *   POST namespaces/NS/METRIC      ExternalMetricValue, ExternalMetricValueList, or lines of Prometheus' text format (`text/plain`)
 *
 * What is pushed takes the place of what had the same labels, counts for five minutes, and is in memory only: whoever pushes goes on doing so.
 */
import {
  type ComputedAnswer,
  type ComputedApi,
  type ComputedRequest,
  type ComputedResource,
  parseLabelSelector,
  quantityValue,
} from '../api/index.ts';
import { CaelumError, formatTime } from '../lib/index.ts';
import { quantityOf } from './custom-api.ts';
import { parseExposition } from './exposition.ts';
import { selectFigures } from './figures.ts';
import type { Pushed, SeriesBoard } from './series-board.ts';

const group = 'external.metrics.k8s.io';
const version = 'v1beta1';
/** Lists are never empty: old clients take an empty one for an error. */
const unnamed = 'externalmetrics';

export function createExternalApi(board: SeriesBoard): ComputedApi {
  return {
    group,
    version,
    kinds: [],
    resources: () => resourcesOf(board),
    onChange: (handler) => board.onChange(handler),
    answer: (asked) => answer(board, asked),
  };
}

function resourcesOf(board: SeriesBoard): readonly ComputedResource[] {
  const names = [...board.names()].sort();
  return (names.length === 0 ? [unnamed] : names).map((name) => ({
    name,
    singularName: '',
    namespaced: true,
    kind: 'ExternalMetricValueList',
    verbs: ['get', 'create'],
  }));
}

async function answer(board: SeriesBoard, asked: ComputedRequest): Promise<ComputedAnswer> {
  const { namespace, resource: metric, name, verb } = asked;
  if (namespace === '' || name !== '')
    throw new CaelumError('notFound', 'the server could not find the requested resource');
  if (verb === 'create') board.push(namespace, metric, pushedOf(metric, asked.body));
  else {
    const waiting = board.prepare(namespace, metric);
    if (waiting !== undefined) await waiting;
  }
  const selector = parseLabelSelector(asked.parameter('labelSelector'));
  const items = selectFigures(board.figures(namespace, metric), selector).map(
    ({ labels, value, atMs, windowMs }) => ({
      metricName: metric,
      metricLabels: { ...labels },
      timestamp: formatTime(atMs),
      ...(windowMs === undefined ? {} : { window: Math.max(1, Math.round(windowMs / 1000)) }),
      value: quantityOf(value),
    }),
  );
  return { kind: 'list', listKind: 'ExternalMetricValueList', items };
}

const metricPattern = /^[a-zA-Z_:][a-zA-Z0-9_:.-]{0,255}$/;
const labelsMax = 64;
const lengthMax = 1024;

const refused = (why: string): CaelumError => new CaelumError('badRequest', why);

/** Throws `badRequest`. */
function pushedOf(metric: string, body: unknown): readonly Pushed[] {
  if (!metricPattern.test(metric)) throw refused(`${JSON.stringify(metric)} is no name of a metric`);
  if (typeof body === 'string') return linesOf(metric, body);
  if (typeof body !== 'object' || body === null)
    throw refused('what is pushed is an ExternalMetricValue, a list of them, or lines of text');
  const { items } = body as { readonly items?: unknown };
  const list = Array.isArray(items) ? (items as unknown[]) : [body];
  return list.map((item) => valueFrom(metric, item));
}

function linesOf(metric: string, text: string): readonly Pushed[] {
  try {
    const { series, names } = parseExposition(text, (name) => name === metric);
    for (const name of names)
      if (name !== metric) throw refused(`this is the place of ${metric}; push ${name} to its own`);
    if (series.size === 0) throw refused(`the text has no value of ${metric}`);
    return [...series.values()].map(({ labels, value }) => ({ labels, value }));
  } catch (error) {
    throw refused(`what is pushed cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function valueFrom(metric: string, item: unknown): Pushed {
  const {
    metricName = metric,
    metricLabels = {},
    value,
  } = (typeof item === 'object' && item !== null ? item : {}) as Readonly<Record<string, unknown>>;
  if (metricName !== metric)
    throw refused(
      `the name of the metric (${String(metricName)}) does not match the name on the URL (${metric})`,
    );
  const number =
    typeof value === 'number' ? value : quantityValue(typeof value === 'string' ? value : undefined);
  if (number === undefined || !Number.isFinite(number)) throw refused('value: must be a quantity');
  if (typeof metricLabels !== 'object' || metricLabels === null) throw refused('metricLabels: must be a map');
  const pairs = Object.entries(metricLabels);
  if (pairs.length > labelsMax) throw refused(`metricLabels: must have at most ${labelsMax} items`);
  const labels: Record<string, string> = Object.create(null);
  for (const [key, text] of pairs) {
    if (typeof text !== 'string' || text.length > lengthMax || key.length > lengthMax)
      throw refused(
        `metricLabels: the value of ${key.slice(0, 64)} must be a text of at most ${lengthMax} characters`,
      );
    labels[key] = text;
  }
  return { labels, value: number };
}
