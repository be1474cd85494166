import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  created,
  kindOf,
  lines,
  nowMs,
  refusals,
  row,
  type Tree,
  updateRefusals,
  withDefaults,
} from './test-submission.ts';

const daemonSets = kindOf('daemonsets', 'apps');
const revisions = kindOf('controllerrevisions', 'apps');
const workload = (spec: Tree = {}, pod: Tree = {}): Tree => ({
  metadata: { name: 'agent' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: {
      metadata: { labels: { app: 'agent' } },
      spec: { containers: [{ name: 'c', image: 'agent:1' }], ...pod },
    },
    ...spec,
  },
});
const rolling = (rollingUpdate: Tree) => workload({ updateStrategy: { rollingUpdate } });

test('a minimal DaemonSet has the defaults of Kubernetes', () => {
  const { spec, status, metadata } = created(daemonSets, workload());
  const { template: _, selector: __, ...rest } = spec as Tree;
  assert.deepEqual(rest, {
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
  });
  assert.deepEqual(status, {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  });
  assert.deepEqual(metadata.annotations, { 'deprecated.daemonset.template.generation': '1' });
});

test('changes of the template are counted', () => {
  const old = created(daemonSets, workload());
  for (const [object, generation] of [
    [workload({ minReadySeconds: 5 }), '1'],
    [workload({}, { hostNetwork: true }), '2'],
  ] as const) {
    const draft = withDefaults(daemonSets, object);
    daemonSets.prepareUpdate(draft, old, { nowMs });
    assert.equal(draft.metadata.annotations?.['deprecated.daemonset.template.generation'], generation);
  }
});

const at = 'spec.updateStrategy.rollingUpdate';
const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['nothing more', workload(), []],
  ['another way', workload({ updateStrategy: { type: 'OnDelete' } }), []],
  ['more at a time', rolling({ maxUnavailable: '30%' }), []],
  ['new ones first', rolling({ maxUnavailable: 0, maxSurge: 1 }), []],
  [
    'neither',
    rolling({ maxUnavailable: 0 }),
    [`${at}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`],
  ],
  [
    'both',
    rolling({ maxUnavailable: 1, maxSurge: '10%' }),
    [`${at}.maxSurge: Invalid value: "10%": may not be set when maxUnavailable is non-zero`],
  ],
  [
    'more than all',
    rolling({ maxUnavailable: '101%' }),
    [`${at}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
  ],
  [
    'an unknown strategy',
    workload({ updateStrategy: { type: 'Slow' } }),
    [
      'spec.updateStrategy: Unsupported value: {"type":"Slow"}: supported values: "RollingUpdate", "OnDelete"',
    ],
  ],
  [
    'an empty selector and negative numbers',
    workload({ selector: {}, minReadySeconds: -1, revisionHistoryLimit: -1 }),
    [
      'spec.selector: Invalid value: {}: empty selector is invalid for daemonset',
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'pods that end',
    workload({}, { restartPolicy: 'OnFailure', activeDeadlineSeconds: 5 }),
    [
      'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
    ],
  ],
];

for (const [name, object, expected] of cases)
  test(`a DaemonSet with ${name}`, () => assert.deepEqual(refusals(daemonSets, object), expected));

test('the selector of a DaemonSet stays', () => {
  const selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
  assert.deepEqual(updateRefusals(daemonSets, workload(), workload({ selector })), [
    'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable',
  ]);
});

test('the status of a DaemonSet holds no negative numbers', () => {
  const object = created(daemonSets, workload());
  const status = { ...(object['status'] as Tree), numberReady: -1, numberAvailable: -2 };
  assert.deepEqual(lines(daemonSets.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
    'status.numberAvailable: Invalid value: -2: must be greater than or equal to 0',
  ]);
});

test('a DaemonSet in one line', () => {
  const metadata = { name: 'agent', creationTimestamp: ago(60) };
  const status = {
    desiredNumberScheduled: 5,
    currentNumberScheduled: 4,
    numberReady: 3,
    updatedNumberScheduled: 2,
    numberAvailable: 1,
  };
  assert.equal(
    row(daemonSets, { ...workload({}, { nodeSelector: { disk: 'fast' } }), metadata, status }, 1),
    'agent | 5 | 4 | 3 | 2 | 1 | disk=fast | 60s | c | agent:1 | app=agent',
  );
});

test('a ControllerRevision holds data that never change', () => {
  assert.deepEqual(refusals(revisions, { revision: -1 }), [
    'data: Required value: data is mandatory',
    'revision: Invalid value: -1: must be greater than or equal to 0',
  ]);
  assert.deepEqual(
    updateRefusals(revisions, { data: { a: 1 }, revision: 1 }, { data: { a: 1 }, revision: 2 }),
    [],
  );
  assert.deepEqual(
    updateRefusals(revisions, { data: { a: 1 }, revision: 1 }, { data: { a: 2 }, revision: 1 }),
    ['data: Invalid value: {"a":2}: field is immutable'],
  );
});

test('a ControllerRevision in one line', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true };
  const metadata = { name: 'web-1', creationTimestamp: ago(60), ownerReferences: [owner] };
  assert.equal(row(revisions, { metadata, revision: 3 }), 'web-1 | statefulset.apps/web | 3 | 60s');
  assert.equal(row(revisions, { metadata: { name: 'a', creationTimestamp: ago(1) } }), 'a | <none> | 0 | 1s');
});
