/** What is asked of metrics APIs, what becomes of the answers, and the words for what is wrong: tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds, type MetricSpec, type Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { evaluate } from './evaluate.ts';
import { createMetricsSource, type MetricsApis, type MetricsQuestion } from './metrics-source.ts';
import { type Reading, readMetric } from './readings.ts';

interface Asked {
  readonly group: string;
  readonly versions: readonly string[];
  readonly question: MetricsQuestion;
}

/** `answers`: a document, an Error, or undefined for what nobody serves. */
function source(answer: unknown, own?: ReturnType<MetricsApis['ownUse']>) {
  const asked: Asked[] = [];
  const metrics = createMetricsSource({
    registry: builtinKinds,
    podsOf: () => [],
    apis: {
      async ask(group, versions, question) {
        asked.push({ group, versions, question });
        if (answer instanceof Error) throw answer;
        return answer;
      },
      ownUse: () => own,
    },
  });
  return { metrics, asked };
}

const selector = { matchLabels: { queue: 'a' } };
const average = { type: 'AverageValue', averageValue: '10' };
const specs = {
  cpu: {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
  },
  memory: { type: 'Resource', resource: { name: 'memory', target: average } },
  container: {
    type: 'ContainerResource',
    containerResource: {
      name: 'cpu',
      container: 'web',
      target: { type: 'Utilization', averageUtilization: 50 },
    },
  },
  pods: { type: 'Pods', pods: { metric: { name: 'hits', selector }, target: average } },
  object: {
    type: 'Object',
    object: {
      metric: { name: 'hits' },
      describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' },
      target: { type: 'Value', value: '10' },
    },
  },
  objectAverage: {
    type: 'Object',
    object: {
      metric: { name: 'hits' },
      describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
      target: average,
    },
  },
  namespace: {
    type: 'Object',
    object: {
      metric: { name: 'hits' },
      describedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'other' },
      target: average,
    },
  },
  unknown: {
    type: 'Object',
    object: {
      metric: { name: 'hits' },
      describedObject: { apiVersion: 'x.io/v1', kind: 'Star', name: 's' },
      target: average,
    },
  },
  external: { type: 'External', external: { metric: { name: 'depth', selector }, target: average } },
  externalValue: {
    type: 'External',
    external: { metric: { name: 'depth' }, target: { type: 'Value', value: '10' } },
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

const shown = (reading: Reading): unknown =>
  reading.kind === 'pods'
    ? Object.fromEntries([...reading.samples].map(([name, { milli }]) => [name, milli]))
    : reading.kind === 'value'
      ? reading.milli
      : reading.message;

const usage = (name: string, cpu: string | undefined, memory = '1Ki') => ({
  name,
  usage: { ...(cpu === undefined ? {} : { cpu }), memory },
});
const podMetrics = {
  items: [
    {
      metadata: { name: 'p', namespace: 'shop' },
      timestamp: '2026-01-01T00:00:00Z',
      window: '15s',
      containers: [usage('web', '100m'), usage('log', '1500001n')],
    },
    { metadata: { name: 'half' }, containers: [usage('web', '100m'), usage('log', undefined)] },
    { metadata: { name: 'none' }, containers: [] },
  ],
};
const values = (...items: readonly object[]): object => ({ items });
const of = (name: string, value: unknown, more: object = {}) => ({
  describedObject: { name },
  value,
  timestamp: '2026-01-01T00:00:00Z',
  ...more,
});

test('createMetricsSource() asks the right place, and reads what is there', async () => {
  const custom = ['v1beta2', 'v1beta1'];
  const cases: readonly (readonly [MetricSpec, unknown, unknown, string, string])[] = [
    [specs.cpu, podMetrics, { p: 102 }, 'metrics.k8s.io', 'shop pods   labelSelector=app=web'],
    [
      specs.memory,
      podMetrics,
      { p: 2048_000, half: 2048_000 },
      'metrics.k8s.io',
      'shop pods   labelSelector=app=web',
    ],
    [
      specs.pods,
      values(of('p', '1500m'), of('q', 'NaN'), of('r', '3', { window: 5 })),
      { p: 1500, r: 3000 },
      'custom.metrics.k8s.io',
      'shop pods * hits labelSelector=app=web,metricLabelSelector=queue=a',
    ],
    [
      specs.object,
      values(of('main', '7')),
      7000,
      'custom.metrics.k8s.io',
      'shop ingresses.networking.k8s.io main hits metricLabelSelector=undefined',
    ],
    [
      specs.objectAverage,
      values(of('web', '7')),
      7000,
      'custom.metrics.k8s.io',
      'shop services web hits metricLabelSelector=undefined',
    ],
    [
      specs.namespace,
      values(of('shop', '7')),
      7000,
      'custom.metrics.k8s.io',
      'shop metrics hits  metricLabelSelector=undefined',
    ],
    [
      specs.external,
      values({ value: '7' }, { value: '500m' }),
      7500,
      'external.metrics.k8s.io',
      'shop depth   labelSelector=queue=a',
    ],
  ];
  for (const [spec, answer, expected, group, place] of cases) {
    const { metrics, asked } = source(answer);
    assert.deepEqual(shown(await readMetric(metrics, spec, 'shop', 'app=web')), expected, spec.type);
    const [{ question, ...how } = { group: '', versions: [], question: undefined }] = asked;
    const { namespace, resource, name, subresource, parameters } = question ?? {
      namespace: '',
      resource: '',
      name: '',
      subresource: '',
      parameters: {},
    };
    const said = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
    assert.deepEqual([how.group, `${namespace} ${resource} ${name} ${subresource} ${said}`], [group, place]);
    assert.deepEqual(how.versions, group.startsWith('custom') ? custom : ['v1beta1']);
  }
});

test('our own figures are taken without asking, and only those of running pods', async () => {
  const one = (cpuMilli: number) => ({ cpuNanocores: cpuMilli * 1_000_000 + 1, memoryBytes: 5 });
  const pod = (name: string, phase = 'Running'): Pod => ({
    metadata: { name, namespace: 'shop' },
    status: { phase },
  });
  const own = {
    prepare: () => undefined,
    of: ({ metadata }: Pod) =>
      metadata.name === 'new'
        ? undefined
        : {
            atMs: 5,
            windowMs: 7,
            containers: new Map([
              ['web', one(100)],
              ...(metadata.name === 'bare' ? [] : ([['log', one(50)]] as const)),
            ]),
          },
  };
  const { metrics, asked } = source(undefined, own);
  const pods = [pod('p'), pod('bare'), pod('new'), pod('waiting', 'Pending')];
  const read = async (spec: MetricSpec, some = pods) =>
    shown(await readMetric(metrics, spec, 'shop', '', some));
  // Parts of a thousandth are rounded up.
  assert.deepEqual(await read(specs.cpu), { p: 152, bare: 101 });
  assert.deepEqual(await read(specs.memory), { p: 10_000, bare: 5000 });
  assert.deepEqual(await read(specs.container), { p: 101, bare: 101 });
  const log = {
    type: 'ContainerResource',
    containerResource: { ...specs.container.containerResource, container: 'log' },
  };
  assert.equal(
    await read(log),
    'failed to get container metrics: container log not present in metrics for pod shop/bare',
  );
  assert.equal(await read(specs.cpu, [pod('new')]), 'no metrics returned from resource metrics API');
  assert.equal(asked.length, 0);
});

test('what is wrong is told in the words of Kubernetes', async () => {
  const gone = new CaelumError('notFound', 'the server said no');
  const nothing = values();
  const metric = 'unable to get metric hits: ';
  const cases: readonly (readonly [MetricSpec, unknown, string, string?])[] = [
    [
      specs.cpu,
      gone,
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server said no',
      'failed to get cpu resource metric value: ',
    ],
    [
      specs.cpu,
      undefined,
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
    ],
    [
      specs.memory,
      nothing,
      'failed to get memory usage: unable to get metrics for resource memory: no metrics returned from resource metrics API',
    ],
    [
      specs.container,
      podMetrics,
      'failed to get cpu utilization: unable to get metrics for resource cpu: failed to get container metrics: container web not present in metrics for pod shop/none',
      'failed to get web container metric value: ',
    ],
    [
      specs.pods,
      gone,
      `${metric}unable to fetch metrics from custom metrics API: the server said no`,
      'failed to get pods metric value: ',
    ],
    [
      specs.pods,
      undefined,
      `${metric}unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered`,
    ],
    [specs.pods, nothing, `${metric}no metrics returned from custom metrics API`],
    [
      specs.object,
      gone,
      `${metric}Ingress on shop main/unable to fetch metrics from custom metrics API: the server said no`,
      'failed to get object metric value: ',
    ],
    [
      specs.objectAverage,
      gone,
      `${metric}Service on shop web/unable to fetch metrics from custom metrics API: the server said no`,
      'failed to get object metric value: failed to get hits object metric: ',
    ],
    [
      specs.unknown,
      gone,
      `${metric}Star on shop s/unable to fetch metrics from custom metrics API: unable to map kind Star.x.io to resource: no matches for kind "Star" in group "x.io"`,
    ],
    [
      specs.external,
      gone,
      'unable to get external metric shop/depth/&LabelSelector{MatchLabels:map[string]string{queue: a,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: the server said no',
      'failed to get depth external metric value: failed to get depth external metric: ',
    ],
    [
      specs.externalValue,
      undefined,
      'unable to get external metric shop/depth/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get depth.external.metrics.k8s.io)',
      'failed to get depth external metric value: failed to get external metric depth: ',
    ],
    [
      specs.externalValue,
      nothing,
      'unable to get external metric shop/depth/nil: no metrics returned from external metrics API',
    ],
    [
      specs.externalValue,
      values({ value: 'NaN' }),
      'unable to get external metric shop/depth/nil: the metric has no value',
    ],
    [
      specs.externalValue,
      { items: 'many' },
      'unable to get external metric shop/depth/nil: no metrics returned from external metrics API',
    ],
    [
      specs.cpu,
      'text',
      'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    ],
  ];
  const tolerances = { up: 0.1, down: 0.1 };
  const fleet = { namespace: 'shop', pods: [], specReplicas: 1, statusReplicas: 1, tolerances, nowMs: 0 };
  for (const [spec, answer, message, within] of cases) {
    const reading = await readMetric(source(answer).metrics, spec, 'shop', 'app=web');
    const outcome = evaluate(spec, reading, fleet);
    assert.ok('message' in outcome, message);
    assert.equal(outcome.message, message);
    if (within !== undefined) assert.equal(outcome.error, `${within}${message}`);
  }
});
