import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../object.ts';
import {
  created,
  type Document,
  kindOf,
  lines,
  refusals,
  type Tree,
  updateRefusals,
} from './test-submission.ts';

const configMaps = kindOf('configmaps');
const secrets = kindOf('secrets');
const namespaces = kindOf('namespaces');
const nodes = kindOf('nodes');
const endpoints = kindOf('endpoints');
const slices = kindOf('endpointslices', 'discovery.k8s.io');
const leases = kindOf('leases', 'coordination.k8s.io');
const events = kindOf('events');
const newEvents = kindOf('events', 'events.k8s.io');

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('secrets are opaque by default, and texts become data', () => {
  const secret = created(secrets, {
    data: { a: base64('1'), b: base64('2') },
    stringData: { b: 'ü', c: '' },
  });
  assert.equal(secret['type'], 'Opaque');
  assert.deepEqual(secret['data'], { a: base64('1'), b: base64('ü'), c: '' });
  assert.equal(secret['stringData'], undefined);
});

test('namespaces are labelled with their names, active, and held by a finalizer', () => {
  const namespace = created(namespaces, { metadata: { name: 'x', labels: { a: 'b' } } });
  assert.deepEqual(namespace.metadata.labels, { a: 'b', 'kubernetes.io/metadata.name': 'x' });
  assert.deepEqual(namespace['spec'], { finalizers: ['kubernetes'] });
  assert.deepEqual(namespace['status'], { phase: 'Active' });
});

test('a node says what can be allocated', () => {
  const node = created(nodes, { spec: { podCIDR: '10.1.0.0/24' }, status: { capacity: { cpu: '2' } } });
  assert.deepEqual((node['status'] as Tree)['allocatable'], { cpu: '2' });
  assert.deepEqual(node['spec'], { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] });
});

test('ports of endpoint slices are named and have a protocol', () => {
  const slice = created(slices, { addressType: 'IPv4', ports: [{ port: 80 }] });
  assert.deepEqual(slice['ports'], [{ port: 80, name: '', protocol: 'TCP' }]);
});

test('an endpoint slice has a generation that counts changes of its content', () => {
  const slice = (address: string): Document => {
    const object = created(slices, { addressType: 'IPv4', endpoints: [{ addresses: [address] }] });
    object.metadata.generation = 1;
    return object;
  };
  for (const [address, generation] of [
    ['10.0.0.1', 1],
    ['10.0.0.2', 2],
  ] as const) {
    const draft = slice(address);
    slices.prepareUpdate(draft, slice('10.0.0.1'), { nowMs: 0 });
    assert.equal(draft.metadata.generation, generation);
  }
});

const needed = (key: string) => `data[${key}]: Required value`;
const cases: readonly (readonly [string, typeof secrets, Tree, readonly string[]])[] = [
  [
    'bad keys',
    configMaps,
    { data: { 'a b': '', '..': '', ok: '' }, binaryData: { ok: '' } },
    [
      `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      `data[..]: Invalid value: "..": must not be '..'`,
      'data[ok]: Invalid value: "ok": duplicate of key present in binaryData',
    ],
  ],
  [
    'too much',
    configMaps,
    { data: { a: 'ä'.repeat(512 * 1024) }, binaryData: { b: base64('x') } },
    ['[]: Too long: may not be more than 1048576 bytes'],
  ],
  ['just enough', configMaps, { data: { a: 'ä'.repeat(512 * 1024) } }, []],
  [
    'too much',
    secrets,
    { data: { a: base64('x'.repeat(1024 * 1024 + 1)) } },
    ['data: Too long: may not be more than 1048576 bytes'],
  ],
  ['no certificate', secrets, { type: 'kubernetes.io/tls', data: { 'tls.key': '' } }, [needed('tls.crt')]],
  [
    'no account',
    secrets,
    { type: 'kubernetes.io/service-account-token' },
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
  [
    'what is not JSON',
    secrets,
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{"password":') } },
    ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": not valid JSON'],
  ],
  [
    'neither user nor password',
    secrets,
    { type: 'kubernetes.io/basic-auth' },
    ['data[%s][username]: Required value', 'data[%s][password]: Required value'],
  ],
  [
    'a name with a dot',
    namespaces,
    { metadata: { name: 'a.b' } },
    [
      `metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    ],
  ],
  [
    'a finalizer of no domain',
    namespaces,
    { spec: { finalizers: ['mine'] } },
    [
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'bad taints',
    nodes,
    {
      spec: {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoSchedule', value: 'b' },
          { key: 'a', effect: 'Maybe' },
        ],
      },
    },
    [
      'spec.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule","value":"b"}',
      'spec.taints[2].effect: Unsupported value: "Maybe": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  ],
  [
    'bad addresses',
    endpoints,
    {
      subsets: [
        {},
        { addresses: [{ ip: '127.0.0.1' }, { ip: 'x' }], ports: [{ port: 0 }, { port: 1, name: 'a' }] },
      ],
    },
    [
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
      'subsets[1].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'subsets[1].addresses[1].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'subsets[1].ports[0].name: Required value',
      'subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
  ],
  [
    'bad addresses',
    slices,
    {
      addressType: 'IPv4',
      endpoints: [{ addresses: [] }, { addresses: ['::2', '10.0.0.1'] }],
      ports: [{ name: 'a' }, { name: 'a', protocol: 'x' }],
    },
    [
      'endpoints[0].addresses: Required value: must contain at least 1 address',
      'endpoints[1].addresses[0]: Invalid value: "::2": must be a valid IPv4 address',
      'ports[1].name: Duplicate value: "a"',
      'ports[1].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"',
    ],
  ],
  [
    'hints for too many, twice, for no name',
    slices,
    {
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          hints: {
            forZones: Array.from({ length: 9 }, (_, at) => ({ name: `z${at}` })),
            forNodes: [{ name: 'n' }, { name: 'n' }, { name: 'A' }],
          },
        },
      ],
    },
    [
      'endpoints[0].hints.forZones: Too many: 9: must have at most 8 items',
      'endpoints[0].hints.forNodes[1].name: Duplicate value: "n"',
      `endpoints[0].hints.forNodes[2].name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ],
  ['no type of address', slices, {}, ['addressType: Required value']],
  [
    'no duration',
    leases,
    { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  ['nothing but an object', events, { involvedObject: { namespace: 'default' } }, []],
  ['an object of the cluster', events, { involvedObject: { kind: 'Node' } }, []],
  [
    'an object elsewhere',
    events,
    { involvedObject: { namespace: 'other' } },
    ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  ],
  [
    'a time but nobody who tells',
    events,
    { involvedObject: { namespace: 'default' }, eventTime: '2026-01-01T00:00:00.000000Z' },
    [
      'reportingComponent: Required value',
      'reportingComponent: Invalid value: "": name part must be non-empty',
      `reportingComponent: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
  ],
  [
    'no time',
    newEvents,
    {
      regarding: { namespace: 'default' },
      series: { count: 1, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    },
    [
      'series.count: Invalid value: "": should be at least 2',
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: ',
    ],
  ],
  [
    'old fields',
    newEvents,
    {
      regarding: { namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/x',
      reportingInstance: 'x-1',
      action: 'Do',
      reason: 'Because',
      type: 'Normal',
      deprecatedCount: 3,
    },
    ['count: Invalid value: "": needs to be unset'],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} (${kind.group}) with ${name}`, () => {
    assert.deepEqual(refusals(kind, object), expected);
  });

const sealed = 'Forbidden: field is immutable when `immutable` is set';
const updates: readonly (readonly [string, typeof secrets, Tree, Tree, readonly string[]])[] = [
  [
    'a sealed one',
    configMaps,
    { immutable: true, data: { a: '1' } },
    { data: { a: '2' } },
    [`immutable: ${sealed}`, `data: ${sealed}`],
  ],
  ['a sealed one, alike', configMaps, { immutable: true }, { immutable: true, data: {} }, []],
  [
    'a sealed one',
    secrets,
    { immutable: true, data: {} },
    { immutable: true, stringData: { a: '' } },
    [`data: ${sealed}`],
  ],
  ['its type', secrets, { type: 'a/b' }, { type: 'a/c' }, ['type: Invalid value: "a/c": field is immutable']],
  [
    'its type of address',
    slices,
    { addressType: 'IPv4' },
    { addressType: 'IPv6' },
    ['addressType: Invalid value: "IPv6": field is immutable'],
  ],
  [
    'its range',
    nodes,
    { spec: { podCIDR: '10.1.0.0/24', providerID: 'a' } },
    { spec: { podCIDR: '10.2.0.0/24' } },
    [
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
  ],
  ['its finalizers', namespaces, {}, { spec: { finalizers: ['a/b'] } }, []],
];

for (const [name, kind, old, object, expected] of updates)
  test(`updating ${name} of a ${kind.kind}`, () => {
    assert.deepEqual(updateRefusals(kind, old, object), expected);
  });

test('only `finalize` changes what holds a namespace', () => {
  const old = created(namespaces, {});
  const draft = created(namespaces, {});
  draft['spec'] = { finalizers: [] };
  namespaces.prepareUpdate(draft, old, { nowMs: 0 });
  assert.deepEqual(draft['spec'], { finalizers: ['kubernetes'] });
});

test('the phase of a namespace follows its deletion', () => {
  const object = created(namespaces, {});
  object['status'] = { phase: 'Terminating' };
  assert.deepEqual(lines(namespaces.validateStatusUpdate(object, object)), [
    'status.phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ]);
});

test('only the series of an event of the new form goes on', () => {
  const event = (more: Tree): Tree => ({
    metadata: { name: 'a', resourceVersion: '1' },
    regarding: { namespace: 'default' },
    reason: 'R',
    ...more,
  });
  assert.deepEqual(
    updateRefusals(
      newEvents,
      event({}),
      event({ series: { count: 9 }, note: 'x', reportingController: 'y' }),
    ),
    [
      'message: Invalid value: "x": field is immutable',
      'reportingController: Invalid value: "y": field is immutable',
    ],
  );
});

test('an event of the new form is stored as one of the old, and read back the same', () => {
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'a', namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'x' },
    note: 'hello',
    reportingController: 'x/y',
    type: 'Normal',
  };
  const stored = newEvents.storedAs?.toStored(structuredClone(event) as never) as unknown as Tree;
  assert.deepEqual(stored['involvedObject'], { kind: 'Pod', name: 'x' });
  assert.equal(stored['message'], 'hello');
  assert.equal(stored['reportingComponent'], 'x/y');
  const back = newEvents.storedAs?.fromStored(stored as unknown as KubeObject) as unknown as Tree;
  for (const [key, value] of Object.entries(event)) assert.deepEqual(back[key], value, key);
});
