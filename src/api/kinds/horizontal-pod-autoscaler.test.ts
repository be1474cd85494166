import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { KubeObject } from '../object.ts';
import { builtinKinds } from '../registry.ts';
import { checkShape } from '../schema/check-shape.ts';
import { messageOf } from '../schema/messages.ts';
import {
  ago,
  created,
  kindOf,
  lines,
  nowMs,
  refusals,
  row,
  type Tree,
  withDefaults,
} from './test-submission.ts';

const second = builtinKinds.byResource('autoscaling', 'v2', 'horizontalpodautoscalers') ?? kindOf('pods');
const first = kindOf('horizontalpodautoscalers', 'autoscaling');
const storedForm = (object: unknown): Tree =>
  first.storedAs?.toStored(structuredClone(object) as never) as unknown as Tree;
const firstForm = (object: unknown): Tree =>
  first.storedAs?.fromStored(object as KubeObject) as unknown as Tree;

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const autoscaler = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { scaleTargetRef: target, maxReplicas: 5, ...spec },
});
const cpu = (averageUtilization: number): Tree => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

test('a minimal HorizontalPodAutoscaler has the defaults of Kubernetes, in both versions', () => {
  const { spec, status } = created(second, autoscaler());
  assert.deepEqual(spec, { scaleTargetRef: target, maxReplicas: 5, minReplicas: 1, metrics: [cpu(80)] });
  assert.deepEqual(status, { currentReplicas: 0, desiredReplicas: 0 });
  assert.deepEqual(created(first, autoscaler())['spec'], {
    scaleTargetRef: target,
    maxReplicas: 5,
    minReplicas: 1,
    targetCPUUtilizationPercentage: 80,
  });
});

test('behaviour is filled in', () => {
  const { behavior } = created(
    second,
    autoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }),
  )['spec'] as Tree;
  assert.deepEqual(behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 60,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    },
  });
});

const at = 'spec.metrics[0]';
const metric = (type: string, more: Tree = {}): Tree => autoscaler({ metrics: [{ type, ...more }] });
const identified = { metric: { name: 'm' } };
const types = '"ContainerResource", "External", "Object", "Pods", "Resource"';
const both = { type: 'Value', value: '1', averageValue: '1' };

for (const [name, object, expected] of [
  ['nothing more', autoscaler(), []],
  [
    'nothing',
    {},
    [
      'spec.maxReplicas: Invalid value: 0: must be greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
      'spec.scaleTargetRef.kind: Required value',
      'spec.scaleTargetRef.name: Required value',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    ],
  ],
  [
    'fewer at most than at least',
    autoscaler({ minReplicas: 6 }),
    ['spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`'],
  ],
  [
    'none at least',
    autoscaler({ minReplicas: 0 }),
    ['spec.minReplicas: Invalid value: 0: must be greater than or equal to 1'],
  ],
  [
    'a controller of old',
    autoscaler({ scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'web' } }),
    [],
  ],
  [
    'a target of no group',
    autoscaler({ scaleTargetRef: { ...target, apiVersion: 'v1', name: '../a' } }),
    [
      `spec.scaleTargetRef.name: Invalid value: "../a": may not contain '/'`,
      'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
    ],
  ],
  [
    'an unknown metric',
    metric('Mood'),
    [
      `${at}.type: Unsupported value: "Mood": supported values: ${types}`,
      `${at}.type: Unsupported value: "Mood": supported values: ${types}`,
    ],
  ],
  [
    'a metric of another type',
    metric('Pods', { resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 1 } } }),
    [`${at}.pods: Required value: must populate information for the given metric source`],
  ],
  [
    'two metrics in one',
    metric('Resource', {
      ...cpu(1),
      pods: { ...identified, target: { type: 'AverageValue', averageValue: '1' } },
    }),
    [`${at}.pods: Forbidden: must populate the given metric source only`],
  ],
  [
    'resources without a target',
    metric('Resource', { resource: { name: '', target: { type: '' } } }),
    [
      `${at}.resource.name: Required value: must specify a resource name`,
      `${at}.resource.target.type: Required value: must specify a metric target type`,
      `${at}.resource.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
      `${at}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
  ],
  [
    'resources with two targets',
    metric('ContainerResource', {
      containerResource: {
        name: 'cpu',
        container: '',
        target: { type: 'Utilization', averageUtilization: 0, averageValue: '0' },
      },
    }),
    [
      `${at}.containerResource.container: Required value: must specify a container`,
      `${at}.containerResource.target.averageValue: Invalid value: "0": must be positive`,
      `${at}.containerResource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
      `${at}.containerResource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
    ],
  ],
  [
    'pods without a target',
    metric('Pods', { pods: { metric: { name: 'a/b' }, target: { type: 'AverageValue' } } }),
    [
      `${at}.pods.metric.name: Invalid value: "a/b": may not contain '/'`,
      `${at}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
    ],
  ],
  [
    'an object without a target',
    metric('Object', {
      object: {
        ...identified,
        describedObject: { kind: 'Service', name: 'web', apiVersion: 'v1' },
        target: { type: 'Value' },
      },
    }),
    [`${at}.object.target.averageValue: Required value: must set either a target value or averageValue`],
  ],
  [
    'something outside with two targets',
    metric('External', { external: { ...identified, target: both } }),
    [
      `${at}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`,
    ],
  ],
  [
    'bad behaviour',
    autoscaler({
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 3601,
          selectPolicy: 'Some',
          policies: [{ type: 'Halves', value: 0, periodSeconds: 1801 }],
          tolerance: '-1',
        },
        scaleDown: { stabilizationWindowSeconds: -1, policies: [] },
      },
    }),
    [
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Some": supported values: "Disabled", "Max", "Min"',
      'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Halves": supported values: "Percent", "Pods"',
      'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
      'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
      'spec.behavior.scaleUp.tolerance: Invalid value: "-1": must be greater than or equal to 0',
      'spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero',
      'spec.behavior.scaleDown.policies: Required value: must specify at least one Policy',
    ],
  ],
] as const)
  test(`a HorizontalPodAutoscaler with ${name}`, () => assert.deepEqual(refusals(second, object), expected));

test('both versions are held to the same rules', () => {
  assert.deepEqual(refusals(first, autoscaler({ targetCPUUtilizationPercentage: 0, maxReplicas: 0 })), [
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    `${at}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
  ]);
  const object = created(first, autoscaler());
  const status = { currentReplicas: -1, desiredReplicas: 0 };
  assert.deepEqual(lines(first.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
  ]);
});

const pods = {
  type: 'Pods',
  pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '1k' } },
};
const condition = { type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const full: Tree = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'default', annotations: { a: 'b' } },
  spec: {
    scaleTargetRef: target,
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [pods, cpu(60)],
    behavior: {
      scaleUp: {
        selectPolicy: 'Max',
        policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }],
        stabilizationWindowSeconds: 0,
        tolerance: '50m',
      },
      scaleDown: { selectPolicy: 'Disabled', policies: [{ type: 'Percent', value: 1, periodSeconds: 15 }] },
    },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 70, averageValue: '700m' } },
      },
    ],
    conditions: [condition],
  },
};

test('autoscaling/v1 shows the CPU, and keeps all else in annotations', () => {
  const shown = firstForm(full);
  assert.deepEqual(shown, {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: 'web',
      namespace: 'default',
      annotations: {
        a: 'b',
        'autoscaling.alpha.kubernetes.io/metrics':
          '[{"type":"Pods","pods":{"metricName":"qps","targetAverageValue":"1k"}}]',
        'autoscaling.alpha.kubernetes.io/current-metrics':
          '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":70,"currentAverageValue":"700m"}}]',
        'autoscaling.alpha.kubernetes.io/behavior':
          '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":"50m"},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Disabled","Policies":[{"Type":"Percent","Value":1,"PeriodSeconds":15}],"Tolerance":null}}',
        'autoscaling.alpha.kubernetes.io/conditions': JSON.stringify([condition]),
      },
    },
    spec: { scaleTargetRef: target, minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60 },
    status: { currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 70 },
  });
});

/** Its metrics as sets: the CPU comes last after a way through the first version. */
test('what goes through autoscaling/v1 comes back as it was', () => {
  assert.deepEqual(storedForm(firstForm(full)), storedForm(firstForm(storedForm(firstForm(full)))));
  const { metadata, ...rest } = storedForm(firstForm(full));
  const { metadata: before, ...expected } = structuredClone(full);
  assert.deepEqual(rest, expected);
  assert.deepEqual(metadata, before);
});

test('every kind of metric goes through autoscaling/v1', () => {
  const identity = { name: 'm', selector: { matchLabels: { a: 'b' } } };
  const described = { kind: 'Service', name: 'web', apiVersion: 'v1' };
  const average = { type: 'AverageValue', averageValue: '2' };
  const metrics = [
    {
      type: 'Object',
      object: { describedObject: described, metric: identity, target: { type: 'Value', value: '1' } },
    },
    { type: 'Object', object: { describedObject: described, metric: identity, target: average } },
    { type: 'External', external: { metric: identity, target: { type: 'Value', value: '1' } } },
    { type: 'External', external: { metric: identity, target: average } },
    { type: 'Pods', pods: { metric: identity, target: average } },
    { type: 'Resource', resource: { name: 'memory', target: average } },
    {
      type: 'ContainerResource',
      containerResource: {
        name: 'cpu',
        container: 'c',
        target: { type: 'Utilization', averageUtilization: 5 },
      },
    },
    cpu(60),
  ];
  const object = { ...full, spec: { ...(full['spec'] as Tree), metrics } };
  assert.deepEqual((storedForm(firstForm(object))['spec'] as Tree)['metrics'], metrics);
});

test('annotations that make no sense say nothing, and none of them is stored', () => {
  const annotations = {
    'autoscaling.alpha.kubernetes.io/metrics': '{"type":',
    'autoscaling.alpha.kubernetes.io/behavior': '[1]',
    'autoscaling.alpha.kubernetes.io/conditions': '[{"type":5}]',
  };
  const { metadata, spec } = storedForm({
    ...autoscaler({ targetCPUUtilizationPercentage: 10 }),
    metadata: { name: 'web', annotations },
  });
  assert.deepEqual(metadata, { name: 'web' });
  assert.deepEqual((spec as Tree)['metrics'], [cpu(10)]);
  assert.equal((spec as Tree)['behavior'], undefined);
});

test('clients of autoscaling/v1 cannot lose or forge what was measured', () => {
  const forged = { 'autoscaling.alpha.kubernetes.io/conditions': '[]', a: 'b' };
  const made = created(first, { ...autoscaler(), metadata: { name: 'web', annotations: forged } });
  assert.deepEqual(made.metadata.annotations, { a: 'b' });
  const old = firstForm(full) as unknown as KubeObject;
  const draft = withDefaults(first, autoscaler());
  first.prepareUpdate(draft, old, { nowMs });
  assert.deepEqual(Object.keys(draft.metadata.annotations ?? {}).sort(), [
    'autoscaling.alpha.kubernetes.io/conditions',
    'autoscaling.alpha.kubernetes.io/current-metrics',
  ]);
});

for (const [name, metrics, currentMetrics, expected] of [
  ['nothing measured', [cpu(50)], [], 'cpu: <unknown>/50%'],
  [
    'measured',
    [cpu(50)],
    [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10 } } }],
    'cpu: 10%/50%',
  ],
  [
    'more than are shown',
    [cpu(50), pods, pods],
    [{}, { type: 'Pods', pods: { metric: { name: 'qps' }, current: { averageValue: '20' } } }],
    'cpu: <unknown>/50%, 20/1k + 1 more...',
  ],
  [
    'on average',
    [{ type: 'External', external: { ...identified, target: { type: 'AverageValue', averageValue: '7' } } }],
    [],
    '<unknown>/7 (avg)',
  ],
  ['no metrics', [], [], '<none>'],
] as const)
  test(`a HorizontalPodAutoscaler in one line: ${name}`, () => {
    const object = {
      metadata: { name: 'web', creationTimestamp: ago(60) },
      spec: { scaleTargetRef: target, minReplicas: 1, maxReplicas: 5, metrics },
      status: { currentReplicas: 3, desiredReplicas: 3, currentMetrics },
    };
    assert.equal(row(second, object), `web | Deployment/web | ${expected} | 1 | 5 | 3 | 60s`);
  });

const fixtures = new URL('../../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);
const skip = existsSync(fixtures) ? false : 'shared/data/kubernetes/api-roundtrip is absent';

test('the objects of both fixtures go through the other version without a complaint', { skip }, () => {
  const read = (version: string): unknown =>
    JSON.parse(
      readFileSync(new URL(`autoscaling.${version}.HorizontalPodAutoscaler.json`, fixtures), 'utf8'),
    );
  for (const [object, message] of [
    [firstForm(read('v2')), first.message],
    [storedForm(read('v1')), second.message],
  ] as const) {
    const { problems, unknown } = checkShape(messageOf(message), structuredClone(object));
    assert.deepEqual([problems, unknown], [[], []]);
  }
});
