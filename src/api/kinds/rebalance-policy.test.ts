import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree } from './test-submission.ts';

const kind = kindOf('rebalancepolicies', 'scheduling.caelum.dev');
const policy = (spec: Tree): Tree => ({ metadata: { name: 'nightly' }, spec });
const strategies = [{ type: 'Defragment' }];

test('a RebalancePolicy is filled in', () => {
  const { spec, status } = created(kind, { ...policy({ strategies }), status: { done: 9 } });
  assert.deepEqual(status, {});
  assert.deepEqual(spec, { strategies, mode: 'Propose', limits: { moves: 20 } });
});

test('a RebalancePolicy in one line', () => {
  const object = {
    ...created(kind, policy({ strategies, schedule: '0 3 * * *', mode: 'Apply' })),
    status: { planned: 3, done: 12, lastPlanTime: '2026-01-01T03:00:00Z' },
  };
  assert.equal(
    row(kind, object as Tree, 1),
    'nightly | Apply | 0 3 * * * | 3 | 12 | Defragment | 2026-01-01T03:00:00Z | <unknown>',
  );
  assert.equal(
    row(kind, created(kind, policy({ strategies })) as Tree),
    'nightly | Propose | when asked | 0 | 0 | <unknown>',
  );
});

const cases: readonly (readonly [what: string, spec: Tree, ...expected: string[]])[] = [
  ['one strategy', { strategies }],
  [
    'everything said',
    {
      mode: 'Apply',
      interval: '10m0s',
      suspend: false,
      strategies: [
        { type: 'Drain', nodeNames: ['a'] },
        { type: 'NodeTaints' },
        { type: 'NodeAffinity' },
        { type: 'AntiAffinity' },
        { type: 'SpreadRepair', includeSoft: true },
        { type: 'Duplicates' },
        {
          type: 'LowUtilization',
          thresholds: { cpu: 20 },
          targetThresholds: { cpu: 60 },
          resources: ['cpu'],
        },
        { type: 'Restarts', maxRestarts: 100 },
        { type: 'Lifetime', maxLifetime: '168h0m0s' },
      ],
      limits: { moves: 5, movesPerNode: 2, movesPerNamespace: 2, maxPriority: 1000, minPodAge: '5m0s' },
      allow: ['LocalStorage', 'JobPods'],
      namespaces: ['a'],
      excludedNamespaces: ['kube-system'],
      podSelector: { matchLabels: { a: 'b' } },
      nodeSelector: {},
    },
  ],
  ['nothing to look for', { strategies: [] }, 'spec.strategies: Required value: must name at least one'],
  [
    'what nobody knows',
    { strategies: [{ type: 'Shuffle' }] },
    'spec.strategies[0].type: Unsupported value: "Shuffle": supported values: "AntiAffinity", "Defragment", "Drain", "Duplicates", "Lifetime", "LowUtilization", "NodeAffinity", "NodeTaints", "Restarts", "SpreadRepair"',
  ],
  [
    'strategies that undo each other',
    { strategies: [{ type: 'Defragment' }, { type: 'LowUtilization', targetThresholds: { cpu: 50 } }] },
    'spec.strategies: Forbidden: Defragment packs pods and LowUtilization spreads them: choose one',
  ],
  [
    'parameters of another strategy',
    { strategies: [{ type: 'Duplicates', maxRestarts: 3 }] },
    'spec.strategies[0].maxRestarts: Forbidden: it is a parameter of Restarts',
  ],
  [
    'two times to plan at',
    { strategies, schedule: '* * * * *', interval: '1m' },
    'spec.interval: Forbidden: may not be set together with `schedule`',
  ],
  [
    'a haste',
    { strategies, interval: '1s' },
    'spec.interval: Invalid value: "1s": must be a duration of at least 10s',
  ],
  [
    'no limits to speak of',
    { strategies, limits: { moves: 0 } },
    'spec.limits.moves: Invalid value: 0: must be between 1 and 10000, inclusive',
  ],
  [
    'thresholds that cross',
    { strategies: [{ type: 'LowUtilization', thresholds: { cpu: 70 }, targetThresholds: { cpu: 50 } }] },
    'spec.strategies[0].thresholds[cpu]: Invalid value: 70: must be less than or equal to the target',
  ],
  [
    'no number of restarts',
    { strategies: [{ type: 'Restarts' }, { type: 'Lifetime' }] },
    'spec.strategies[0].maxRestarts: Required value',
    'spec.strategies[1].maxLifetime: Required value',
  ],
  [
    'unknown words',
    { strategies, mode: 'Maybe', allow: ['Everything'] },
    'spec.mode: Unsupported value: "Maybe": supported values: "Apply", "Propose"',
    'spec.allow[0]: Unsupported value: "Everything": supported values: "BarePods", "JobPods", "LocalStorage", "SystemCritical"',
  ],
];

for (const [what, spec, ...expected] of cases)
  test(`a RebalancePolicy with ${what}${expected.length > 0 ? ' is refused' : ''}`, () => {
    assert.deepEqual(refusals(kind, policy(spec)), expected);
  });
