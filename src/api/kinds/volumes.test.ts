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

const claims = kindOf('persistentvolumeclaims');
const volumes = kindOf('persistentvolumes');

const claim = (spec: Tree = {}, annotations?: Tree): Tree => ({
  metadata: { name: 'data', ...(annotations === undefined ? {} : { annotations }) },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const volume = (spec: Tree = {}): Tree => ({
  metadata: { name: 'disk' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/disk' },
    ...spec,
  },
});

test('a claim is pending, of a file system, and says where its content comes from in both ways', () => {
  const source = { kind: 'PersistentVolumeClaim', name: 'old' };
  for (const spec of [{ dataSource: source }, { dataSourceRef: source }]) {
    const object = created(claims, claim(spec));
    assert.deepEqual(object['spec'], {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      volumeMode: 'Filesystem',
      dataSource: source,
      dataSourceRef: source,
    });
    assert.deepEqual(object['status'], { phase: 'Pending' });
  }
});

test('a volume is pending, kept, of a file system, and says since when', () => {
  const object = created(volumes, volume());
  assert.deepEqual(object['spec'], {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/disk', type: '' },
    persistentVolumeReclaimPolicy: 'Retain',
    volumeMode: 'Filesystem',
  });
  assert.deepEqual(object['status'], { phase: 'Pending', lastPhaseTransitionTime: '2026-01-02T03:04:05Z' });
});

test('the time of a phase is told when the phase becomes another', () => {
  const old = created(volumes, volume());
  for (const [status, time] of [
    [{ phase: 'Pending', lastPhaseTransitionTime: '2026-01-02T03:04:05Z' }, '2026-01-02T03:04:05Z'],
    [{ phase: 'Bound', lastPhaseTransitionTime: '2026-01-02T03:04:05Z' }, '2026-01-02T03:05:05Z'],
    [{ phase: 'Bound', lastPhaseTransitionTime: '2026-01-02T03:04:06Z' }, '2026-01-02T03:04:06Z'],
    [{ phase: 'Bound', lastPhaseTransitionTime: undefined }, '2026-01-02T03:05:05Z'],
  ] as const) {
    const draft = { ...withDefaults(volumes, volume()), status: { ...status } };
    volumes.prepareStatusUpdate?.(draft as never, old, { nowMs: nowMs + 60_000 });
    assert.equal(draft.status.lastPhaseTransitionTime, time);
  }
});

const sub = (name: string) =>
  `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const modes = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"';

for (const [name, object, expected] of [
  ['nothing more', claim(), []],
  [
    'nothing',
    { spec: {} },
    [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ],
  ],
  [
    'no room',
    claim({ resources: { requests: { storage: '0' } } }),
    ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
  ],
  [
    'strange modes',
    claim({ accessModes: ['Sometimes', 'ReadWriteOncePod'], volumeMode: 'Tape' }),
    [
      `spec.accessModes: Unsupported value: "Sometimes": supported values: ${modes}`,
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
    ],
  ],
  [
    'strange classes',
    claim({ storageClassName: 'A', volumeAttributesClassName: 'B' }),
    [`spec.storageClassName: ${sub('A')}`, `spec.volumeAttributesClassName: ${sub('B')}`],
  ],
  ['no class by will', claim({ storageClassName: '' }), []],
  [
    'a source of nobody',
    claim({ dataSource: { kind: 'Pod', name: '' } }),
    [
      'spec.dataSource.name: Required value',
      `spec.dataSource: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
      'spec.dataSourceRef.name: Required value',
      `spec.dataSourceRef: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
    ],
  ],
  [
    'two sources',
    claim({
      dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
      dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
    }),
    ['spec: Invalid value: "spec.dataSource": must match dataSourceRef'],
  ],
  [
    'a source elsewhere',
    claim({
      dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
      dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a', namespace: 'b' },
    }),
    [
      'spec: Invalid value: "spec.dataSource": may not be specified when dataSourceRef.namespace is specified',
    ],
  ],
] as const)
  test(`a PersistentVolumeClaim with ${name}`, () => assert.deepEqual(refusals(claims, object), expected));

const immutable =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
for (const [name, old, object, phase, expected] of [
  ['nothing', claim(), claim(), 'Pending', []],
  ['its volume', claim(), claim({ volumeName: 'disk' }), 'Pending', []],
  [
    'its volume again',
    claim({ volumeName: 'disk' }),
    claim({ volumeName: 'tape' }),
    'Bound',
    [`${immutable}\n\tvolumeName: "disk" → "tape"`],
  ],
  ['its class, where it has none', claim(), claim({ storageClassName: 'fast' }), 'Pending', []],
  [
    'its class',
    claim({ storageClassName: 'slow' }),
    claim({ storageClassName: 'fast' }),
    'Pending',
    [`${immutable}\n\tstorageClassName: "slow" → "fast"`],
  ],
  [
    'its size before it is bound',
    claim(),
    claim({ resources: { requests: { storage: '2Gi' } } }),
    'Pending',
    [`${immutable}\n\tresources.requests.storage: "1Gi" → "2Gi"`],
  ],
  ['its size', claim(), claim({ resources: { requests: { storage: '2Gi' } } }), 'Bound', []],
  [
    'less',
    claim(),
    claim({ resources: { requests: { storage: '1Mi' } } }),
    'Bound',
    ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
  ],
  [
    'its mode',
    claim(),
    claim({ volumeMode: 'Block' }),
    'Bound',
    [
      `${immutable}\n\tvolumeMode: "Filesystem" → "Block"`,
      'volumeMode: Invalid value: "Block": field is immutable',
    ],
  ],
  [
    'its class of attributes',
    claim({ volumeAttributesClassName: 'a' }),
    claim({ volumeAttributesClassName: 'b' }),
    'Bound',
    [],
  ],
  [
    'its class of attributes to none',
    claim({ volumeAttributesClassName: 'a' }),
    claim(),
    'Bound',
    [
      `${immutable}\n\tvolumeAttributesClassName: "a" → nil`,
      'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
    ],
  ],
] as const)
  test(`updating a PersistentVolumeClaim: ${name}`, () => {
    const before = created(claims, old);
    before['status'] = { phase, capacity: { storage: '1Gi' } };
    const draft = { ...withDefaults(claims, object), status: before['status'] };
    claims.prepareUpdate(draft as never, before, { nowMs });
    assert.deepEqual(
      lines([...claims.validate(draft as never), ...claims.validateUpdate(draft as never, before)]),
      expected,
    );
  });

test('the status of a claim tells amounts and known states', () => {
  const object = created(claims, claim());
  const status = { capacity: { storage: '-1' }, allocatedResourceStatuses: { storage: 'Growing' } };
  assert.deepEqual(lines(claims.validateStatusUpdate({ ...object, status } as never, object)), [
    'status.capacity[storage]: Invalid value: "-1": must be a valid resource quantity',
    'status.allocatedResourceStatuses[storage]: Unsupported value: "Growing": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
  ]);
});

const affinity = {
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
};
const without = (name: string, spec: Tree = {}): Tree => {
  const object = volume(spec);
  delete (object['spec'] as Tree)[name];
  return object;
};

for (const [name, object, expected] of [
  ['nothing more', volume(), []],
  ['a place on a node', without('hostPath', { local: { path: '/mnt' }, nodeAffinity: affinity }), []],
  [
    'a driver',
    without('hostPath', {
      csi: { driver: 'csi.example.com', volumeHandle: 'x' },
      volumeAttributesClassName: 'a',
    }),
    [],
  ],
  ['no source', without('hostPath'), ['spec: Required value: must specify a volume type']],
  [
    'two sources',
    volume({ nfs: { server: '', path: 'data' } }),
    [
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
      'spec.nfs.server: Required value',
      'spec.nfs.path: Invalid value: "data": must be an absolute path',
    ],
  ],
  [
    'no capacity and no modes',
    { spec: { hostPath: { path: '/a/../b' } } },
    [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
      `spec.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
    ],
  ],
  [
    'a capacity of nothing',
    volume({ capacity: { storage: '0' } }),
    ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
  ],
  [
    'a root that is wiped',
    volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    [`spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'`],
  ],
  [
    'strange words',
    volume({ persistentVolumeReclaimPolicy: 'Keep', volumeMode: 'Tape', storageClassName: 'A' }),
    [
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"',
      `spec.storageClassName: ${sub('A')}`,
      'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
    ],
  ],
  [
    'a place on any node',
    without('hostPath', { local: { path: '/mnt' } }),
    ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  ],
  [
    'an affinity for nothing',
    volume({ nodeAffinity: {} }),
    ['spec.nodeAffinity.required: Required value: must specify required node constraints'],
  ],
  [
    'a class of attributes without a driver',
    volume({ volumeAttributesClassName: '' }),
    [
      'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
      'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
    ],
  ],
  [
    'half a driver',
    without('hostPath', { csi: { driver: '', volumeHandle: '', nodeStageSecretRef: {} } }),
    [
      'spec.csi.driver: Required value',
      `spec.csi.driver: ${sub('')}`,
      'spec.csi.volumeHandle: Required value',
      'spec.csi.nodeStageSecretRef.name: Required value',
      'spec.csi.nodeStageSecretRef.namespace: Required value',
    ],
  ],
] as const)
  test(`a PersistentVolume with ${name}`, () => assert.deepEqual(refusals(volumes, object), expected));

for (const [name, spec, expected] of [
  ['its size', { capacity: { storage: '2Gi' } }, []],
  ['its claim', { claimRef: { name: 'a', namespace: 'b' } }, []],
  ['its affinity, where it has none', { nodeAffinity: affinity }, []],
  [
    'its source',
    { hostPath: { path: '/tape' } },
    [
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n\thostPath.path: "/disk" → "/tape"',
    ],
  ],
  ['its mode', { volumeMode: 'Block' }, ['volumeMode: Invalid value: "Block": field is immutable']],
] as const)
  test(`updating a PersistentVolume: ${name}`, () =>
    assert.deepEqual(updateRefusals(volumes, volume(), volume(spec)), expected));

test('claims and volumes in one line', () => {
  const creationTimestamp = ago(60);
  const status = {
    phase: 'Bound',
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
  };
  const bound = claim({ volumeName: 'disk', storageClassName: 'fast', volumeMode: 'Filesystem' });
  assert.equal(
    row(claims, { ...bound, metadata: { name: 'data', creationTimestamp }, status }, 1),
    'data | Bound | disk | 1Gi | RWO,RWX | fast | <unset> | 60s | Filesystem',
  );
  assert.equal(
    row(claims, { ...claim(), metadata: { name: 'data', creationTimestamp }, status: { phase: 'Pending' } }),
    'data | Pending |  |  |  |  | <unset> | 60s',
  );
  const metadata = { name: 'disk', creationTimestamp };
  const spec = { claimRef: { namespace: 'a', name: 'data' }, persistentVolumeReclaimPolicy: 'Retain' };
  assert.equal(
    row(volumes, { ...volume(spec), metadata, status: { phase: 'Bound' } }, 1),
    'disk | 1Gi | RWO | Retain | Bound | a/data |  | <unset> |  | 60s | <unset>',
  );
  assert.equal(
    row(volumes, { ...volume(), metadata: { ...metadata, deletionTimestamp: ago(1) } }),
    'disk | 1Gi | RWO |  | Terminating |  |  | <unset> |  | 60s',
  );
});
