import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, lines, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const statefulSets = kindOf('statefulsets', 'apps');
const claim = (spec: Tree = {}, name = 'data'): Tree => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const workload = (spec: Tree = {}, pod: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: {
    serviceName: 'web',
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...pod },
    },
    ...spec,
  },
});

test('a minimal StatefulSet has the defaults of Kubernetes', () => {
  const { spec, status } = created(statefulSets, workload({ volumeClaimTemplates: [claim()] }));
  const { template: _, selector: __, ...rest } = spec as Tree;
  assert.deepEqual(rest, {
    serviceName: 'web',
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          volumeMode: 'Filesystem',
        },
        status: { phase: 'Pending' },
      },
    ],
  });
  assert.deepEqual(status, { replicas: 0, availableReplicas: 0 });
});

const notNegative = 'must be greater than or equal to 0';
const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['nothing more', workload(), []],
  ['no service', workload({ serviceName: '' }), []],
  [
    'a mount of a claim',
    workload(
      { volumeClaimTemplates: [claim()] },
      { containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
    ),
    [],
  ],
  [
    'a mount of nothing',
    workload(
      { volumeClaimTemplates: [claim()] },
      { containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'log', mountPath: '/data' }] }] },
    ),
    ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "log"'],
  ],
  [
    'a name with a dot',
    { ...workload(), metadata: { name: 'a.b' } },
    [
      `metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    ],
  ],
  [
    'strange policies',
    workload({
      podManagementPolicy: 'Random',
      updateStrategy: { type: 'Slow' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Keep' },
    }),
    [
      `spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`,
      `spec.updateStrategy: Invalid value: {"type":"Slow"}: must be 'RollingUpdate' or 'OnDelete'`,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Delete", "Retain"',
    ],
  ],
  [
    'a roll-out where there is none',
    workload({ updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } }),
    [
      `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
    ],
  ],
  [
    'negative numbers',
    workload({
      replicas: -1,
      minReadySeconds: -1,
      ordinals: { start: -1 },
      updateStrategy: { rollingUpdate: { partition: -1, maxUnavailable: 0 } },
    }),
    [
      `spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: ${notNegative}`,
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
      `spec.replicas: Invalid value: -1: ${notNegative}`,
      `spec.minReadySeconds: Invalid value: -1: ${notNegative}`,
      `spec.ordinals.start: Invalid value: -1: ${notNegative}`,
    ],
  ],
  [
    'an empty selector and pods that end',
    workload({ selector: {} }, { restartPolicy: 'Never', activeDeadlineSeconds: 5 }),
    [
      'spec.selector: Invalid value: {}: empty selector is invalid for statefulset',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
    ],
  ],
  [
    'a claim of nothing',
    workload({ volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
    [
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
      'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
    ],
  ],
];

for (const [name, object, expected] of cases)
  test(`a StatefulSet with ${name}`, () => assert.deepEqual(refusals(statefulSets, object), expected));

const others =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

for (const [name, spec, expected] of [
  ['replicas', { replicas: 3 }, []],
  ['ordinals', { ordinals: { start: 5 } }, []],
  ['retention', { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } }, []],
  ['the service', { serviceName: 'other' }, [others]],
  ['the policy', { podManagementPolicy: 'Parallel' }, [others]],
  ['claims', { volumeClaimTemplates: [claim()] }, [others]],
] as const)
  test(`updating ${name} of a StatefulSet`, () =>
    assert.deepEqual(updateRefusals(statefulSets, workload(), workload(spec)), expected));

test('the status of a StatefulSet counts parts of wholes', () => {
  const object = created(statefulSets, workload());
  const old = { ...object, status: { replicas: 0, collisionCount: 2 } };
  const status = { replicas: 2, readyReplicas: 1, availableReplicas: 2, currentReplicas: 3 };
  assert.deepEqual(lines(statefulSets.validateStatusUpdate({ ...object, status } as never, old as never)), [
    'status.currentReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas',
    'status.collisionCount: Invalid value: 0: cannot be decremented',
  ]);
});

test('a StatefulSet in one line', () => {
  const object = workload({ replicas: 3 });
  const metadata = { name: 'web', creationTimestamp: ago(60) };
  assert.equal(
    row(statefulSets, { ...object, metadata, status: { readyReplicas: 2 } }, 1),
    'web | 2/3 | 60s | c | nginx:1',
  );
});
