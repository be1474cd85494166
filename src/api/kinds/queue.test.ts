import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree } from './test-submission.ts';

const kind = kindOf('queues', 'scheduling.caelum.dev');
const queue = (spec: Tree = {}): Tree => ({ metadata: { name: 'team-a' }, spec });

test('a Queue is filled in', () => {
  const { spec, status } = created(kind, { ...queue({ min: { cpu: 10 } }), status: { pods: 9 } });
  assert.deepEqual(status, {});
  assert.deepEqual(spec, {
    min: { cpu: '10' },
    weight: 1,
    mayBorrow: true,
    mayLend: true,
    reclaimPolicy: 'Any',
    podSelection: 'All',
  });
});

test('a Queue in one line', () => {
  const object = {
    ...created(kind, queue({ parent: 'research', weight: 2, min: { cpu: '10', memory: '4Gi' } })),
    status: {
      pods: 3,
      pendingPods: 1,
      used: { cpu: '12' },
      borrowed: { cpu: '2' },
      dominantResource: 'cpu',
      dominantShare: '255m',
      fairShare: '500m',
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
  assert.equal(
    row(kind, object as Tree, 1),
    'team-a | research | 2 | 25.5% cpu | 50% | 3 | 1 | True | cpu: 12 | cpu: 10, memory: 4Gi | <none> | cpu: 2 | <unknown>',
  );
  assert.equal(
    row(kind, created(kind, queue()) as Tree),
    'team-a | <none> | 1 | <unknown> | <unknown> | 0 | 0 | Unknown | <unknown>',
  );
});

const cases: readonly (readonly [what: string, spec: Tree, ...expected: string[]])[] = [
  ['nothing said', {}],
  [
    'everything said',
    {
      parent: 'research',
      weight: 3,
      min: { cpu: '2', 'example.com/gpu': '1' },
      max: { cpu: '4', pods: '10' },
      mayBorrow: false,
      mayLend: false,
      reclaimPolicy: 'LowerPriority',
      podSelection: 'ByLabel',
      namespaces: ['a', 'b'],
      namespaceSelector: { matchLabels: { team: 'a' } },
    },
  ],
  [
    'its own parent',
    { parent: 'team-a' },
    'spec.parent: Invalid value: "team-a": a queue may not be its own parent',
  ],
  ['no weight', { weight: 0 }, 'spec.weight: Invalid value: 0: must be greater than or equal to 1'],
  [
    'too much weight',
    { weight: 2_000_000 },
    'spec.weight: Invalid value: 2000000: must be less than or equal to 1000000',
  ],
  [
    'more than it may have',
    { min: { cpu: '5' }, max: { cpu: '4500m' } },
    'spec.min[cpu]: Invalid value: "5": must be less than or equal to the max of 4500m',
  ],
  [
    'less than nothing',
    { max: { memory: '-1' } },
    'spec.max[memory]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    'no resource',
    { min: { cores: '1' } },
    'spec.min[cores]: Invalid value: "cores": must be a standard resource type or fully qualified',
    'spec.min[cores]: Invalid value: "cores": must be a standard resource for containers',
  ],
  [
    'nothing, and nothing to borrow',
    { mayBorrow: false },
    'spec.min: Required value: a queue that may not borrow has what it is guaranteed',
  ],
  [
    'unknown words',
    { reclaimPolicy: 'Sometimes', podSelection: 'Some' },
    'spec.reclaimPolicy: Unsupported value: "Sometimes": supported values: "Any", "LowerPriority", "Never"',
    'spec.podSelection: Unsupported value: "Some": supported values: "All", "ByLabel"',
  ],
  ['a namespace twice', { namespaces: ['a', 'a'] }, 'spec.namespaces[1]: Duplicate value: "a"'],
];

for (const [what, spec, ...expected] of cases)
  test(`a Queue with ${what}${expected.length > 0 ? ' is refused' : ''}`, () => {
    assert.deepEqual(refusals(kind, queue(spec)), expected);
  });
