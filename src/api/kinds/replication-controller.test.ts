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
  withDefaults,
} from './test-submission.ts';

const controllers = kindOf('replicationcontrollers');
const templates = kindOf('podtemplates');
const template = (labels: Tree = { app: 'web' }, pod: Tree = {}): Tree => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'x:1' }], ...pod },
});
const controller = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { template: template(), ...spec },
});

test('a ReplicationController takes the labels of its pods for its own, and to find them by', () => {
  const { metadata, spec, status } = created(controllers, controller());
  const { replicas, selector } = spec as Tree;
  assert.deepEqual([metadata.labels, replicas, selector], [{ app: 'web' }, 1, { app: 'web' }]);
  assert.deepEqual(status, { replicas: 0 });
});

for (const [name, object, expected] of [
  ['nothing more', controller(), []],
  ['no template', { spec: {} }, ['spec.selector: Required value', 'spec.template: Required value']],
  [
    'other labels',
    controller({ selector: { app: 'db' } }),
    [
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'negative numbers',
    controller({ replicas: -1, minReadySeconds: -1 }),
    [
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'pods that end',
    controller({ template: template({ a: 'b' }, { restartPolicy: 'Never', activeDeadlineSeconds: 1 }) }),
    [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
    ],
  ],
] as const)
  test(`a ReplicationController with ${name}`, () =>
    assert.deepEqual(refusals(controllers, object), expected));

test('the status of a ReplicationController counts parts of wholes', () => {
  const object = created(controllers, controller());
  const status = { replicas: 1, readyReplicas: 2, availableReplicas: 1 };
  assert.deepEqual(lines(controllers.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
  ]);
});

test('a ReplicationController in one line', () => {
  const metadata = { name: 'web', creationTimestamp: ago(60) };
  const status = { replicas: 2, readyReplicas: 1 };
  assert.equal(
    row(controllers, { ...controller({ replicas: 3, selector: { app: 'web' } }), metadata, status }, 1),
    'web | 3 | 2 | 1 | 60s | c | x:1 | app=web',
  );
});

test('a PodTemplate is held to what pods are, and its changes are counted', () => {
  assert.deepEqual(refusals(templates, { template: template() }), []);
  const [label = '', containers] = refusals(templates, { template: { metadata: { labels: { 'a b': '' } } } });
  assert.match(label, /^template\.labels: Invalid value: "a b": name part must consist of/);
  assert.equal(containers, 'template.spec.containers: Required value');
  const old = created(templates, { template: template() });
  old.metadata.generation = 1;
  for (const [labels, generation] of [
    [{ app: 'web' }, 1],
    [{ app: 'db' }, 2],
  ] as const) {
    const draft = withDefaults(templates, { template: template(labels) });
    templates.prepareUpdate(draft, old, { nowMs });
    assert.equal(draft.metadata.generation, generation);
  }
  assert.equal(
    row(templates, { metadata: { name: 'web' }, template: template() }),
    'web | c | x:1 | app=web',
  );
});
