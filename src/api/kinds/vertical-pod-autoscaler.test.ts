import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree } from './test-submission.ts';

const kind = kindOf('verticalpodautoscalers', 'autoscaling.k8s.io');
const autoscaler = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...spec },
});
const policies = (...containerPolicies: Tree[]): Tree => ({ resourcePolicy: { containerPolicies } });

test('a VerticalPodAutoscaler in one line', () => {
  const object = {
    ...created(kind, autoscaler({ updatePolicy: { updateMode: 'Initial' } })),
    status: {
      recommendation: { containerRecommendations: [{ target: { cpu: '25m', memory: '262144k' } }] },
      conditions: [{ type: 'RecommendationProvided', status: 'True' }],
    },
  };
  assert.equal(row(kind, object as Tree), 'web | Initial | 25m | 262144k | True | <unknown>');
  assert.equal(row(kind, created(kind, autoscaler())), 'web |  |  |  |  | <unknown>');
});

const cases: readonly (readonly [what: string, spec: Tree, ...expected: string[]])[] = [
  ['the least', {}],
  [
    'everything',
    {
      updatePolicy: {
        updateMode: 'InPlaceOrRecreate',
        minReplicas: 1,
        evictionRequirements: [
          { resources: ['cpu', 'memory'], changeRequirement: 'TargetHigherThanRequests' },
        ],
      },
      resourcePolicy: {
        containerPolicies: [
          {
            containerName: '*',
            mode: 'Auto',
            minAllowed: { cpu: '10m' },
            maxAllowed: { cpu: '1', memory: '1Gi' },
            controlledResources: ['cpu', 'memory'],
            controlledValues: 'RequestsOnly',
            oomBumpUpRatio: '1.5',
            oomMinBumpUp: '100Mi',
          },
          { containerName: 'side', mode: 'Off' },
        ],
      },
      recommenders: [{ name: 'own' }],
      startupBoost: { cpu: { type: 'Factor', factor: 2, durationSeconds: 10 } },
    },
  ],
  [
    'no target',
    { targetRef: {} },
    'spec.targetRef.kind: Required value',
    'spec.targetRef.name: Required value',
  ],
  [
    'modes',
    {
      updatePolicy: {
        updateMode: 'Sometimes',
        minReplicas: 0,
        evictionRequirements: [{ resources: [], changeRequirement: 'Any' }],
      },
    },
    'spec.updatePolicy.updateMode: Unsupported value: "Sometimes": supported values: "Off", "Initial", "Recreate", "InPlaceOrRecreate", "InPlace", "Auto"',
    'spec.updatePolicy.minReplicas: Invalid value: 0: must be greater than 0',
    'spec.updatePolicy.evictionRequirements[0].resources: Required value',
    'spec.updatePolicy.evictionRequirements[0].changeRequirement: Unsupported value: "Any": supported values: "TargetHigherThanRequests", "TargetLowerThanRequests"',
  ],
  [
    'policies',
    policies(
      {
        containerName: 'a',
        minAllowed: { cpu: '2' },
        maxAllowed: { cpu: '1' },
        controlledResources: ['disk'],
      },
      { containerName: 'a', mode: 'Off', controlledValues: 'RequestsOnly', oomBumpUpRatio: '0.5' },
      {},
    ),
    'spec.resourcePolicy.containerPolicies[0].controlledResources[0]: Unsupported value: "disk": supported values: "cpu", "memory"',
    'spec.resourcePolicy.containerPolicies[0].maxAllowed[cpu]: Invalid value: "1": must not be lower than minAllowed, 2',
    'spec.resourcePolicy.containerPolicies[1].containerName: Invalid value: "a": each container may have only one policy',
    'spec.resourcePolicy.containerPolicies[1].controlledValues: Invalid value: "RequestsOnly": must not be set where mode is Off',
    'spec.resourcePolicy.containerPolicies[1].oomBumpUpRatio: Invalid value: "500m": must be greater than or equal to 1',
    'spec.resourcePolicy.containerPolicies[2].containerName: Required value',
  ],
  [
    'boosts of a start',
    {
      startupBoost: { cpu: { type: 'Factor', factor: 0, quantity: '1', durationSeconds: -1 } },
      ...policies({ containerName: 'a', startupBoost: { cpu: { type: 'Quantity' } } }),
    },
    'spec.startupBoost.cpu.quantity: Invalid value: "1": must not be set where the type is Factor',
    'spec.startupBoost.cpu.factor: Invalid value: 0: must be greater than or equal to 1',
    'spec.startupBoost.cpu.durationSeconds: Invalid value: -1: must be greater than or equal to 0',
    'spec.resourcePolicy.containerPolicies[0].startupBoost.cpu.quantity: Required value: the type is Quantity',
  ],
  [
    'two recommenders',
    { recommenders: [{ name: 'a' }, { name: 'b' }] },
    'spec.recommenders: Too many: 2: must have at most 1 items',
  ],
];

for (const [what, spec, ...expected] of cases)
  test(`a VerticalPodAutoscaler is held to its rules: ${what}`, () => {
    assert.deepEqual(refusals(kind, autoscaler(spec)), expected);
  });
