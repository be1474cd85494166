import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, lines, refusals, type Tree, updateRefusals } from './test-submission.ts';

const deployments = kindOf('deployments', 'apps');
const replicaSets = kindOf('replicasets', 'apps');
const workload = (spec: Tree = {}, pod: Tree = {}, labels: Tree = { app: 'web' }): Tree => ({
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...pod } },
    ...spec,
  },
});

const templateSpec = {
  containers: [
    {
      name: 'c',
      image: 'nginx:1',
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: 'IfNotPresent',
    },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
};

test('a minimal Deployment has the defaults of Kubernetes', () => {
  const { spec, status } = created(deployments, workload());
  assert.deepEqual(spec, {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: templateSpec },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  assert.deepEqual(status, {});
});

test('a minimal ReplicaSet has the defaults of Kubernetes', () => {
  const { spec, status } = created(replicaSets, workload());
  assert.deepEqual(spec, {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: templateSpec },
  });
  assert.deepEqual(status, { replicas: 0 });
});

test('limits are requests in pods only, not in templates', () => {
  const limits = { resources: { limits: { cpu: '1' } } };
  const { spec } = created(deployments, workload({}, { containers: [{ name: 'c', image: 'x', ...limits }] }));
  const containers = (spec as { template: { spec: { containers: Tree[] } } }).template.spec.containers;
  assert.deepEqual(containers[0]?.['resources'], { limits: { cpu: '1' } });
});

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['nothing', workload(), []],
  ['zero replicas', workload({ replicas: 0 }), []],
  [
    'no selector',
    { spec: { template: { spec: { containers: [{ name: 'c', image: 'x' }] } } } },
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
    ],
  ],
  [
    'no containers',
    { spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } } } } },
    ['spec.template.spec.containers: Required value'],
  ],
  [
    'an empty selector',
    workload({ selector: {} }),
    ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  ],
  [
    'other labels',
    workload({}, {}, { app: 'db' }),
    [
      'spec.template.metadata.labels: Invalid value: {"app":"db"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'a bad selector',
    workload({
      selector: {
        matchLabels: { app: 'web' },
        matchExpressions: [
          { key: 'app', operator: 'In' },
          { key: 'app', operator: 'Exists', values: ['x'] },
          { key: '', operator: 'Is' },
        ],
      },
    }),
    [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
      'spec.selector.matchExpressions[2].key: Invalid value: "": name part must be non-empty',
      `spec.selector.matchExpressions[2].key: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'spec.selector: Invalid value: {"matchLabels":{"app":"web"},"matchExpressions":[{"key":"app","operator":"In"},{"key":"app","operator":"Exists","values":["x"]},{"key":"","operator":"Is"}]}: invalid label selector',
    ],
  ],
  [
    'pods that end',
    workload({}, { restartPolicy: 'Never', activeDeadlineSeconds: 5 }),
    [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
    ],
  ],
  [
    'negative replicas',
    workload({ replicas: -1, minReadySeconds: -1 }),
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
];

for (const [name, object, expected] of cases) {
  for (const kind of [deployments, replicaSets])
    test(`a ${kind.kind} with ${name}`, () => {
      assert.deepEqual(refusals(kind, object).sort(), [...expected].sort());
    });
}

const strategies: readonly (readonly [Tree, readonly string[]])[] = [
  [{ type: 'Recreate' }, []],
  [{ rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } }, []],
  [
    { type: 'Recreate', rollingUpdate: {} },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    { type: 'Slow' },
    ['spec.strategy: Unsupported value: {"type":"Slow"}: supported values: "Recreate", "RollingUpdate"'],
  ],
  [
    { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } },
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  ],
  [
    { rollingUpdate: { maxSurge: -1, maxUnavailable: '101%' } },
    [
      'spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0',
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
  ],
  [
    { rollingUpdate: { maxSurge: '5' } },
    [
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"5\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
];

for (const [strategy, expected] of strategies)
  test(`the strategy ${JSON.stringify(strategy)}`, () => {
    assert.deepEqual(refusals(deployments, workload({ strategy })), expected);
  });

test('a deadline for progress is longer than what pods need to be ready', () => {
  assert.deepEqual(refusals(deployments, workload({ progressDeadlineSeconds: 5, minReadySeconds: 5 })), [
    'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
  ]);
});

test('the selector stays', () => {
  for (const kind of [deployments, replicaSets]) {
    const selector = { matchLabels: { app: 'web', tier: 'a' } };
    assert.deepEqual(
      updateRefusals(kind, workload(), workload({ selector }, {}, { app: 'web', tier: 'a' })),
      ['spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable'],
    );
    assert.deepEqual(updateRefusals(kind, workload(), workload({ replicas: 3 })), []);
  }
});

test('a status counts parts of wholes', () => {
  const object = created(deployments, workload());
  const status = { replicas: 2, readyReplicas: 3, availableReplicas: 1, updatedReplicas: -1 };
  assert.deepEqual(lines(deployments.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.updatedReplicas: Invalid value: -1: must be greater than or equal to 0',
    'status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas',
  ]);
});
