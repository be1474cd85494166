import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree, withDefaults } from './test-submission.ts';

const kind = kindOf('elasticitypolicies', 'autoscale.caelum.dev');
const cpu = { type: 'Resource', resource: { name: 'cpu' } };
const policy = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    constraints: { maxReplicas: 10 },
    ...spec,
  },
});
const busy = { name: 'busy', metric: cpu, operator: '>', threshold: '80', duration: '1m' };
const quiet = { name: 'quiet', metric: cpu, operator: '<', threshold: 20 };
const byTriggers = {
  triggers: [busy, quiet],
  actions: [
    { type: 'ScaleOut', amount: '50%', when: ['busy'] },
    { type: 'ScaleIn', amount: 1, when: ['quiet'] },
  ],
};
const capacity = { metric: cpu, utilization: 70 };

test('an ElasticityPolicy is filled in', () => {
  const { spec, status } = created(kind, policy({ ...byTriggers, capacity, mode: 'Predictive' }));
  assert.deepEqual(status, {});
  const { triggers, capacity: filled, ...rest } = spec as Tree;
  assert.deepEqual(rest['constraints'], { maxReplicas: 10, minReplicas: 1, stabilization: '5m0s' });
  assert.equal(rest['cooldown'], '1m0s');
  assert.deepEqual(rest['prediction'], { percentile: 85, season: '24h0m0s' });
  assert.deepEqual(triggers, [
    { ...busy, measure: 'Utilization' },
    { ...quiet, threshold: '20', measure: 'Utilization', duration: '0s' },
  ]);
  assert.deepEqual(filled, { ...capacity, buffer: '10%', tolerance: '10%' });
  assert.equal((withDefaults(kind, policy({ capacity }))['spec'] as Tree)['mode'], 'Reactive');
});

test('an ElasticityPolicy in one line', () => {
  const object = {
    ...created(kind, policy({ capacity, mode: 'Predictive' })),
    status: {
      currentReplicas: 3,
      demand: '1250m',
      conditions: [{ type: 'ScalingActive', status: 'True' }],
    },
  };
  assert.equal(
    row(kind, object as Tree, 1),
    'web | Deployment/web | Predictive | 1 | 10 | 3 | True | 1250m | Unknown | <unknown>',
  );
});

const cases: readonly (readonly [what: string, spec: Tree, ...expected: string[]])[] = [
  ['triggers and capacity', { ...byTriggers, capacity }],
  [
    'ScaleUp and ScaleDown as other words',
    { ...byTriggers, actions: [{ type: 'ScaleUp', amount: 1, when: ['busy'] }] },
  ],
  ['nothing to do', {}, 'spec: Required value: must have actions with triggers, or a capacity, or both'],
  [
    'no bounds',
    { capacity, constraints: {} },
    'spec.constraints.maxReplicas: Invalid value: 0: must be greater than 0',
  ],
  [
    'bounds the wrong way round',
    { capacity, constraints: { minReplicas: 5, maxReplicas: 2 } },
    'spec.constraints.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
  ],
  [
    'to zero by CPU',
    { capacity, constraints: { minReplicas: 0, maxReplicas: 2 } },
    'spec.constraints.minReplicas: Invalid value: 0: must be greater than or equal to 1',
  ],
  [
    'to zero by a queue',
    {
      capacity: { metric: { type: 'External', external: { metric: { name: 'queue' } } }, perReplica: '10' },
      constraints: { minReplicas: 0, maxReplicas: 2 },
    },
  ],
  [
    'operators, thresholds and durations',
    {
      triggers: [{ name: 'a', metric: cpu, operator: '=>', threshold: '1', duration: 'soon' }],
      actions: [{ type: 'ScaleOut', amount: 1, when: ['a'] }],
    },
    'spec.triggers[0].operator: Unsupported value: "=>": supported values: "!=", "<", "<=", "==", ">", ">="',
    'spec.triggers[0].duration: Invalid value: "soon": must be a duration between 0s and 24h',
  ],
  [
    'a metric of another type',
    {
      triggers: [
        {
          name: 'a',
          metric: { type: 'Pods', resource: { name: 'cpu' } },
          measure: 'Utilization',
          operator: '>',
          threshold: '1',
        },
      ],
      actions: [{ type: 'SetTo', amount: 3, when: ['a'] }],
    },
    'spec.triggers[0].metric.resource: Forbidden: the metric is of type Pods',
    'spec.triggers[0].metric.pods: Required value: the metric is of type Pods',
    'spec.triggers[0].measure: Invalid value: "Utilization": only resources have a request that they can be a percentage of',
  ],
  [
    'actions',
    {
      triggers: [busy, busy],
      actions: [
        { type: 'Scale', amount: 1, when: ['busy'] },
        { type: 'SetTo', amount: '50%', when: ['busy'] },
        { type: 'ScaleIn', amount: '150%', when: ['busy'] },
        { type: 'ScaleOut', amount: 0, when: ['never'] },
        { type: 'ScaleOut', amount: 1, when: [] },
      ],
    },
    'spec.triggers[1].name: Duplicate value: "busy"',
    'spec.actions[0].type: Unsupported value: "Scale": supported values: "ScaleDown", "ScaleIn", "ScaleOut", "ScaleUp", "SetTo"',
    'spec.actions[1].amount: Invalid value: "50%": must be a number of replicas, 0 or more',
    'spec.actions[2].amount: Invalid value: "150%": must not be greater than 100%',
    'spec.actions[3].amount: Invalid value: 0: must be a whole number of at least 1, or a percentage such as "25%"',
    'spec.actions[3].when[0]: Not found: "never"',
    'spec.actions[4].when: Required value: must name the triggers that bring it about',
  ],
  [
    'capacity',
    {
      mode: 'Predictive',
      capacity: { metric: cpu, perReplica: '0', utilization: 0, buffer: '-1', tolerance: 3 },
      prediction: { horizon: '1s', percentile: 100, season: '1m', minHistory: '-1s' },
      cooldown: '-5s',
    },
    'spec.capacity: Required value: must have exactly one of `perReplica` and `utilization`',
    'spec.capacity.perReplica: Invalid value: "0": must be greater than 0',
    'spec.capacity.utilization: Invalid value: 0: must be greater than 0',
    'spec.capacity.buffer: Invalid value: "-1": must be a whole number of at least 0, or a percentage such as "25%"',
    'spec.capacity.tolerance: Invalid value: 3: must be a percentage such as "10%"',
    'spec.prediction.horizon: Invalid value: "1s": must be a duration between 15s and 1h',
    'spec.prediction.season: Invalid value: "1m": must be a duration between 10m and 168h',
    'spec.prediction.minHistory: Invalid value: "-1s": must be a duration between 0s and 672h',
    'spec.prediction.percentile: Invalid value: 100: must be between 50 and 99',
    'spec.cooldown: Invalid value: "-5s": must be a duration between 0s and 24h',
  ],
  [
    'a forecast of nothing',
    { ...byTriggers, mode: 'Predictive' },
    'spec.capacity: Required value: a Predictive policy forecasts the demand of its capacity',
  ],
  [
    'a forecast that nobody asked for',
    { capacity, prediction: { season: '24h' } },
    'spec.prediction: Forbidden: the mode is not Predictive',
  ],
  [
    'rates',
    { capacity, constraints: { maxReplicas: 5, maxStep: '0%', maxRate: { replicas: 0, period: '0s' } } },
    'spec.constraints.maxStep: Invalid value: "0%": must be a whole number of at least 1, or a percentage such as "25%"',
    'spec.constraints.maxRate.replicas: Invalid value: 0: must be greater than 0',
    'spec.constraints.maxRate.period: Invalid value: "0s": must be a duration between 1s and 24h',
  ],
];

for (const [what, spec, ...expected] of cases)
  test(`an ElasticityPolicy is held to its rules: ${what}`, () => {
    assert.deepEqual(refusals(kind, policy(spec)), expected);
  });
