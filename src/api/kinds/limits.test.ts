import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, lines, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const quotas = kindOf('resourcequotas');
const ranges = kindOf('limitranges');
const budgets = kindOf('poddisruptionbudgets', 'policy');

const quota = (hard: Tree, more: Tree = {}): Tree => ({ spec: { hard, ...more } });
const selector = (...matchExpressions: Tree[]): Tree => ({ scopeSelector: { matchExpressions } });
const requirement = 'spec.scopeSelector.matchExpressions';

for (const [name, object, expected] of [
  ['nothing', {}, []],
  [
    'all kinds of resources',
    quota({
      cpu: '1',
      'requests.memory': '1Gi',
      'limits.ephemeral-storage': '1Gi',
      'requests.hugepages-2Mi': '4Mi',
      'services.loadbalancers': '2',
      'count/deployments.apps': '3',
      'requests.nvidia.com/gpu': '4',
      'gold.storageclass.storage.k8s.io/requests.storage': '5Gi',
    }),
    [],
  ],
  [
    'bad resources',
    quota({ bogus: '1', storage: '1', pods: '1500m', cpu: '-1' }),
    [
      'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
      'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource for quota',
      'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
      'spec.hard[pods]: Invalid value: "1500m": must be an integer',
      'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  ['scopes', quota({ pods: '1', cpu: '1' }, { scopes: ['NotBestEffort', 'Terminating'] }), []],
  [
    'bad scopes',
    quota({ cpu: '1' }, { scopes: ['BestEffort', 'NotBestEffort', 'Some'] }),
    [
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Some"]: unsupported scope applied to resource',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Some"]: unsupported scope',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Some"]: conflicting scopes',
    ],
  ],
  [
    'selected scopes',
    quota({ pods: '1' }, selector({ scopeName: 'PriorityClass', operator: 'In', values: ['high'] })),
    [],
  ],
  [
    'badly selected scopes',
    quota(
      { pods: '1' },
      selector(
        { scopeName: 'Terminating', operator: 'In', values: [] },
        { scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] },
        { scopeName: 'Some', operator: 'Is' },
        { scopeName: 'VolumeAttributesClass', operator: 'Exists' },
      ),
    ),
    [
      `${requirement}.operator: Invalid value: "In": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
      `${requirement}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
      `${requirement}.values: Invalid value: ["a"]: must be no value when \`operator\` is 'Exist' or 'DoesNotExist' for scope selector`,
      `${requirement}.scopeName: Invalid value: "Some": unsupported scope`,
      `${requirement}.operator: Invalid value: "Is": not a valid selector operator`,
      `${requirement}: Invalid value: {"matchExpressions":[{"scopeName":"Terminating","operator":"In","values":[]},{"scopeName":"PriorityClass","operator":"Exists","values":["a"]},{"scopeName":"Some","operator":"Is"},{"scopeName":"VolumeAttributesClass","operator":"Exists"}]}: unsupported scope applied to resource`,
    ],
  ],
] as const)
  test(`a ResourceQuota with ${name}`, () => assert.deepEqual(refusals(quotas, object), expected));

test('the scopes of a quota stay, in whatever order', () => {
  const of = (scopes: string[], pods = '1') => quota({ pods }, { scopes });
  const old = of(['NotBestEffort', 'Terminating']);
  assert.deepEqual(updateRefusals(quotas, old, of(['Terminating', 'NotBestEffort'], '2')), []);
  assert.deepEqual(updateRefusals(quotas, old, of(['Terminating'])), [
    'spec.scopes: Invalid value: ["Terminating"]: field is immutable',
  ]);
});

test('the status of a quota holds amounts of what can be counted', () => {
  const object = created(quotas, quota({ pods: '1' }));
  const status = { hard: { bogus: '1' }, used: { pods: '-1' } };
  assert.deepEqual(lines(quotas.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.hard[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
    'status.hard[bogus]: Invalid value: "bogus": must be a standard resource for quota',
    'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0',
  ]);
});

test('a ResourceQuota in one line', () => {
  const metadata = { name: 'all', creationTimestamp: ago(60) };
  const status = {
    hard: { 'requests.cpu': '4', pods: '10', 'limits.cpu': '8' },
    used: { 'requests.cpu': '500m', pods: '1' },
  };
  assert.equal(
    row(quotas, { metadata, status }),
    'all | pods: 1/10, requests.cpu: 500m/4 | limits.cpu: 0/8 | 60s',
  );
});

const range = (...limits: Tree[]): Tree => ({ spec: { limits } });

test('containers get the maximum for a limit, and the limit or the minimum for a request', () => {
  const { spec } = created(
    ranges,
    range(
      {
        type: 'Container',
        max: { cpu: '2', memory: '2Gi' },
        default: { cpu: '1' },
        min: { memory: '1Mi', pods: '1' },
      },
      { type: 'Pod', max: { cpu: '2' } },
    ),
  );
  assert.deepEqual((spec as Tree)['limits'], [
    {
      type: 'Container',
      max: { cpu: '2', memory: '2Gi' },
      min: { memory: '1Mi', pods: '1' },
      default: { cpu: '1', memory: '2Gi' },
      defaultRequest: { cpu: '1', memory: '2Gi', pods: '1' },
    },
    { type: 'Pod', max: { cpu: '2' } },
  ]);
});

const item = 'spec.limits[0]';
for (const [name, object, expected] of [
  ['nothing', range(), []],
  [
    'sensible limits',
    range({ type: 'Container', min: { cpu: '100m' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '4' } }),
    [],
  ],
  ['claims', range({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }), []],
  ['a type of its own', range({ type: 'example.com/thing', max: { cpu: '1' } }), []],
  [
    'the same type twice',
    range({ type: 'Pod', max: { cpu: '1' } }, { type: 'Pod', max: { cpu: '1' } }),
    ['spec.limits[1].type: Duplicate value: "Pod"'],
  ],
  [
    'an unknown type',
    range({ type: 'Thing' }),
    [`${item}.type: Invalid value: "Thing": must be a standard limit type or fully qualified`],
  ],
  [
    'defaults for pods',
    range({ type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }),
    [
      `${item}.default: Forbidden: may not be specified when \`type\` is 'Pod'`,
      `${item}.defaultRequest: Forbidden: may not be specified when \`type\` is 'Pod'`,
    ],
  ],
  [
    'claims of any size',
    range({ type: 'PersistentVolumeClaim' }),
    [
      `${item}.limits: Required value: either minimum or maximum storage value is required, but neither was provided`,
    ],
  ],
  [
    'resources that no container has',
    range({ type: 'Container', max: { storage: '1' } }),
    [
      `${item}.max[storage]: Invalid value: "storage": must be a standard resource for containers`,
      `${item}.default[storage]: Invalid value: "storage": must be a standard resource for containers`,
      `${item}.defaultRequest[storage]: Invalid value: "storage": must be a standard resource for containers`,
    ],
  ],
  [
    'all upside down',
    range({
      type: 'Container',
      min: { cpu: '4' },
      max: { cpu: '3' },
      default: { cpu: '5' },
      defaultRequest: { cpu: '6' },
    }),
    [
      `${item}.min[cpu]: Invalid value: "4": min value 4 is greater than max value 3`,
      `${item}.defaultRequest[cpu]: Invalid value: "6": default request value 6 is greater than max value 3`,
      `${item}.defaultRequest[cpu]: Invalid value: "6": default request value 6 is greater than default limit value 5`,
      `${item}.default[cpu]: Invalid value: "3": default value 5 is greater than max value 3`,
    ],
  ],
  [
    'bad ratios',
    range({
      type: 'Pod',
      min: { cpu: '1' },
      max: { cpu: '2' },
      maxLimitRequestRatio: { cpu: '3', memory: '500m' },
    }),
    [
      `${item}.maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000`,
      `${item}.maxLimitRequestRatio[memory]: Invalid value: "500m": ratio 500m is less than 1`,
    ],
  ],
  [
    'what cannot be shared',
    range({
      type: 'Container',
      default: { 'example.com/gpu': '2' },
      defaultRequest: { 'example.com/gpu': '1' },
    }),
    [
      `${item}.defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/gpu`,
    ],
  ],
] as const)
  test(`a LimitRange with ${name}`, () => assert.deepEqual(refusals(ranges, object), expected));

test('a LimitRange in one line says when it was made', () => {
  assert.deepEqual(
    ranges.columns.map(({ name }) => name),
    ['Name', 'Created At'],
  );
  assert.equal(
    row(ranges, { metadata: { name: 'a', creationTimestamp: ago(0) } }),
    'a | 2026-01-02T03:04:05Z',
  );
});

const budget = (spec: Tree): Tree => ({ spec });
for (const [name, object, expected] of [
  ['nothing', {}, []],
  ['some that stay', budget({ minAvailable: '50%', selector: { matchLabels: { a: 'b' } } }), []],
  ['some that go', budget({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' }), []],
  [
    'both',
    budget({ minAvailable: 1, maxUnavailable: 1 }),
    [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
  ],
  [
    'bad shares',
    budget({ minAvailable: '101%' }),
    ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
  ],
  [
    'negative shares',
    budget({ maxUnavailable: -1, unhealthyPodEvictionPolicy: 'Never' }),
    [
      'spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0',
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
] as const)
  test(`a PodDisruptionBudget with ${name}`, () => assert.deepEqual(refusals(budgets, object), expected));

test('the status of a budget holds counts and conditions', () => {
  const object = created(budgets, {});
  const condition = { type: 'DisruptionAllowed', status: 'Maybe', reason: 'a b', message: '' };
  const status = { disruptionsAllowed: -1, conditions: [condition, condition] };
  assert.deepEqual(
    lines(budgets.validateStatusUpdate({ ...object, status } as never, object)).map((line) =>
      line.slice(0, 80),
    ),
    [
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'status.conditions[0].lastTransitionTime: Required value: must be set',
      'status.conditions[0].reason: Invalid value: "a b": a condition reason must start with',
      'status.conditions[1].type: Duplicate value: "DisruptionAllowed"',
      'status.conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'status.conditions[1].lastTransitionTime: Required value: must be set',
      'status.conditions[1].reason: Invalid value: "a b": a condition reason must start with',
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
    ].map((line) => line.slice(0, 80)),
  );
});

test('a PodDisruptionBudget in one line', () => {
  const metadata = { name: 'web', creationTimestamp: ago(60) };
  assert.equal(
    row(budgets, { metadata, spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 2 } }),
    'web | 50% | N/A | 2 | 60s',
  );
});
