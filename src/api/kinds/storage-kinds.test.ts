import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  created,
  kindOf,
  lines,
  refusals,
  row,
  type Tree,
  updateRefusals,
  withDefaults,
} from './test-submission.ts';

const group = 'storage.k8s.io';
const classes = kindOf('storageclasses', group);
const attributes = kindOf('volumeattributesclasses', group);
const attachments = kindOf('volumeattachments', group);
const drivers = kindOf('csidrivers', group);
const nodes = kindOf('csinodes', group);
const capacities = kindOf('csistoragecapacities', group);

test('a class deletes its volumes and chooses them at once', () => {
  const made = created(classes, { provisioner: 'a.b/c' });
  assert.equal(made['reclaimPolicy'], 'Delete');
  assert.equal(made['volumeBindingMode'], 'Immediate');
});

test('a driver says everything of itself', () => {
  assert.deepEqual(created(drivers, {})['spec'], {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
  });
});

test('a driver counts changes that volumes in use feel', () => {
  const old = created(drivers, {});
  for (const [spec, generation] of [
    [{ requiresRepublish: true }, 1],
    [{ podInfoOnMount: true }, undefined],
  ] as const) {
    const draft = withDefaults(drivers, { spec });
    drivers.prepareUpdate(draft, old, { nowMs: 0 });
    assert.equal(draft.metadata.generation, generation);
  }
});

test('a volume is not attached when that is asked for', () => {
  assert.deepEqual(created(attachments, { spec: {}, status: { attached: true } })['status'], {
    attached: false,
  });
});

const subdomainWhy =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const topology = (...values: string[]): Tree => ({ matchLabelExpressions: [{ key: 'zone', values }] });
const attachment = (source: Tree, more: Tree = {}): Tree => ({
  spec: { attacher: 'x.y', nodeName: 'n', source, ...more },
});
const either = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

const cases: readonly (readonly [string, typeof classes, Tree, readonly string[]])[] = [
  ['a provisioner', classes, { provisioner: 'Kubernetes.io/no-provisioner' }, []],
  ['nothing', classes, {}, ['provisioner: Required value']],
  [
    'unknown words',
    classes,
    { provisioner: 'x', reclaimPolicy: 'Recycle', volumeBindingMode: 'Later', parameters: { '': '' } },
    [
      'parameters: Invalid value: "": field can not be empty.',
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
  ],
  [
    'too many parameters',
    classes,
    { provisioner: 'x', parameters: Object.fromEntries(Array.from({ length: 513 }, (_, n) => [`${n}`, ''])) },
    ['parameters: Too long: may not be more than 512 bytes'],
  ],
  [
    'too large parameters',
    classes,
    { provisioner: 'x', parameters: { a: 'ä'.repeat(128 * 1024) } },
    ['parameters: Too long: may not be more than 262144 bytes'],
  ],
  ['topologies', classes, { provisioner: 'x', allowedTopologies: [topology('a', 'b'), topology('c')] }, []],
  [
    'repeated topologies',
    classes,
    {
      provisioner: 'x',
      allowedTopologies: [
        topology('a', 'b'),
        topology('b', 'a', 'b'),
        {
          matchLabelExpressions: [
            { key: 'zone', values: [] },
            { key: 'zone', values: ['a'] },
          ],
        },
        {},
      ],
    },
    [
      'allowedTopologies[1].matchLabelExpressions[0].values[2]: Duplicate value: "b"',
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
      'allowedTopologies[2].matchLabelExpressions[0].values: Required value',
      'allowedTopologies[2].matchLabelExpressions[1].key: Duplicate value: "zone"',
      'allowedTopologies[3].matchLabelExpressions: Duplicate value: ""',
    ],
  ],
  ['attributes', attributes, { driverName: 'x.y', parameters: { iops: '1' } }, []],
  [
    'no attributes',
    attributes,
    {},
    ['driverName: Required value', 'parameters: Required value: must contain at least one key/value pair'],
  ],
  ['a volume', attachments, attachment({ persistentVolumeName: 'v' }), []],
  ['no volume', attachments, attachment({}), [`spec.source: Required value: ${either}`]],
  [
    'two volumes',
    attachments,
    attachment({ persistentVolumeName: 'v', inlineVolumeSpec: {} }),
    [`spec.source: Forbidden: ${either}`],
  ],
  [
    'an empty volume',
    attachments,
    attachment({ persistentVolumeName: '' }),
    ['spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName'],
  ],
  [
    'bad names',
    attachments,
    attachment({ persistentVolumeName: 'V' }, { attacher: '-', nodeName: 'N' }),
    [
      `spec.attacher: Invalid value: "-": ${subdomainWhy}`,
      `spec.source.persistentVolumeName: Invalid value: "V": ${subdomainWhy}`,
      `spec.nodeName: Invalid value: "N": ${subdomainWhy}`,
    ],
  ],
  [
    'bad wishes',
    drivers,
    {
      spec: {
        fsGroupPolicy: 'All',
        volumeLifecycleModes: ['Forever'],
        nodeAllocatableUpdatePeriodSeconds: 9,
        tokenRequests: [
          { audience: 'a' },
          { audience: 'a' },
          { audience: 'b', expirationSeconds: 599 },
          { audience: 'c', expirationSeconds: 2 ** 32 + 1 },
        ],
      },
    },
    [
      'spec.fsGroupPolicy: Unsupported value: "All": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.tokenRequests[2].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[3].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
      'spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"',
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
    ],
  ],
  [
    'a driver',
    nodes,
    { spec: { drivers: [{ name: 'x.y', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 3 } }] } },
    [],
  ],
  [
    'bad drivers',
    nodes,
    {
      spec: {
        drivers: [
          { name: 'x', nodeID: '' },
          { name: 'x', nodeID: 'n'.repeat(193), topologyKeys: ['a', 'a'], allocatable: { count: -1 } },
        ],
      },
    },
    [
      'spec.drivers[0].nodeID: Required value',
      `spec.drivers[1].nodeID: Invalid value: "${'n'.repeat(193)}": must be 192 characters or less`,
      'spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[1].name: Duplicate value: "x"',
      'spec.drivers[1]: Duplicate value: "a"',
    ],
  ],
  ['room', capacities, { storageClassName: 'fast', capacity: '1Gi' }, []],
  [
    'less than no room',
    capacities,
    { storageClassName: 'Fast', capacity: '-1' },
    [
      `storageClassName: Invalid value: "Fast": ${subdomainWhy}`,
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

const updates: readonly (readonly [string, typeof classes, Tree, Tree, readonly string[]])[] = [
  [
    'everything',
    classes,
    { provisioner: 'x' },
    {
      provisioner: 'y',
      reclaimPolicy: 'Retain',
      parameters: { a: 'b' },
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    },
    [
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ],
  ],
  [
    'everything',
    attributes,
    { driverName: 'x', parameters: { a: 'b' } },
    { driverName: 'y', parameters: { a: 'c' } },
    [
      'driverName: Forbidden: updates to driverName are forbidden.',
      'parameters: Forbidden: updates to parameters are forbidden.',
    ],
  ],
  [
    'its node',
    attachments,
    attachment({ persistentVolumeName: 'v' }),
    attachment({ persistentVolumeName: 'v' }, { nodeName: 'm' }),
    [
      'spec: Invalid value: {"attacher":"x.y","nodeName":"m","source":{"persistentVolumeName":"v"}}: field is immutable',
    ],
  ],
  [
    'what it is',
    drivers,
    {},
    { spec: { attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: ['Ephemeral'] } },
    [
      'spec.attachedRequired: Invalid value: false: field is immutable',
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ],
  ],
  [
    'a driver',
    nodes,
    {
      spec: {
        drivers: [
          { name: 'x', nodeID: 'n' },
          { name: 'y', nodeID: 'n' },
        ],
      },
    },
    {
      spec: {
        drivers: [
          { name: 'x', nodeID: 'm' },
          { name: 'y', nodeID: 'n', allocatable: { count: 1 } },
        ],
      },
    },
    ['spec.drivers: Invalid value: {"name":"x","nodeID":"m"}: field is immutable'],
  ],
  [
    'its place',
    capacities,
    { storageClassName: 'a', nodeTopology: {} },
    { storageClassName: 'b', capacity: '1' },
    [
      'nodeTopology: Invalid value: null: field is immutable',
      'storageClassName: Invalid value: "b": field is immutable',
    ],
  ],
];

for (const [name, kind, old, object, expected] of updates)
  test(`updating ${name} of a ${kind.kind}`, () =>
    assert.deepEqual(updateRefusals(kind, old, object), expected));

test('the status of an attachment is not endless', () => {
  const object = created(attachments, attachment({ persistentVolumeName: 'v' }));
  object['status'] = {
    attached: false,
    attachmentMetadata: { a: 'x'.repeat(256 * 1024) },
    attachError: { message: 'x'.repeat(1025), errorCode: -1 },
  };
  assert.deepEqual(lines(attachments.validateStatusUpdate(object, object)), [
    'status.attachmentMetadata: Too long: may not be more than 262144 bytes',
    'status.attachError.message: Too long: may not be more than 262144 bytes',
    'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ]);
});

const metadata = { name: 'a', creationTimestamp: ago(60) };
const chosen = { ...metadata, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } };
const rows: readonly (readonly [typeof classes, Tree, string])[] = [
  [classes, { metadata, provisioner: 'x' }, 'a | x | Delete | Immediate | false | 60s'],
  [classes, { metadata: chosen, provisioner: 'x' }, 'a (default) | x | Delete | Immediate | false | 60s'],
  [attributes, { metadata, driverName: 'x' }, 'a | x | 60s'],
  [
    attachments,
    { metadata, ...attachment({ persistentVolumeName: 'v' }), status: { attached: true } },
    'a | x.y | v | n | true | 60s',
  ],
  [drivers, { metadata, spec: {} }, 'a | true | false | false | <unset> | false | <none> | 60s'],
  [
    drivers,
    {
      metadata,
      spec: { tokenRequests: [{ audience: 'p' }, { audience: 'q' }], volumeLifecycleModes: ['Persistent'] },
    },
    'a | true | false | false | p,q | false | Persistent | 60s',
  ],
  [nodes, { metadata, spec: { drivers: [{}] } }, 'a | 1 | 60s'],
  [capacities, { metadata, storageClassName: 'fast', capacity: '1Gi' }, 'a | fast | 1Gi'],
];

for (const [kind, object, expected] of rows)
  test(`a row of ${kind.resource}: ${expected}`, () => assert.equal(row(kind, object), expected));
