import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  created,
  type Document,
  kindOf,
  lines,
  refusals,
  row,
  type Tree,
  updateRefusals,
} from './test-submission.ts';

const group = 'resource.k8s.io';
const claims = kindOf('resourceclaims', group);
const templates = kindOf('resourceclaimtemplates', group);
const classes = kindOf('deviceclasses', group);
const slices = kindOf('resourceslices', group);

const request = (more: Tree = {}): Tree => ({ name: 'gpu', exactly: { deviceClassName: 'gpus', ...more } });
const claim = (devices: Tree): Tree => ({ spec: { devices } });
const exact = (more: Tree): Tree => claim({ requests: [request(more)] });
const pool = { name: 'a', generation: 1, resourceSliceCount: 1 };
const slice = (more: Tree): Tree => ({ spec: { driver: 'x.y', pool, nodeName: 'n', ...more } });
const devices = (...list: Tree[]): Tree => slice({ devices: list });
const at = 'spec.devices.requests[0]';
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const nameWhy =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const identifier =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const choice = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
const own =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

test('one device is asked for', () => {
  const made = created(
    claims,
    claim({
      requests: [
        request(),
        { name: 'b', firstAvailable: [{ name: 'c', deviceClassName: 'd', allocationMode: 'All' }] },
      ],
    }),
  );
  assert.deepEqual(made['spec'], {
    devices: {
      requests: [
        request({ allocationMode: 'ExactCount', count: 1 }),
        { name: 'b', firstAvailable: [{ name: 'c', deviceClassName: 'd', allocationMode: 'All' }] },
      ],
    },
  });
  assert.deepEqual(made['status'], {});
});

test('a rule of taints says since when it has its effect', () => {
  const rules = kindOf('devicetaintrules', group, 'v1beta2');
  const taint = { key: 'k', effect: 'NoSchedule' };
  const rule = (more: Tree): Tree => ({ spec: { deviceSelector: { driver: 'x.y' }, taint, ...more } });
  const made = created(rules, rule({}));
  assert.deepEqual(made['spec'], {
    deviceSelector: { driver: 'x.y' },
    taint: { ...taint, timeAdded: '2026-01-02T03:04:05Z' },
  });
  assert.deepEqual(refusals(rules, rule({ taint: { key: '', effect: 'Never' } })).length, 3);
  assert.equal(
    refusals(rules, rule({ deviceSelector: { driver: 'X', pool: '/', device: 'a.b' } })).length >= 3,
    true,
  );
});

test('a taint says since when it is there', () => {
  const made = created(slices, devices({ name: 'a', taints: [{ key: 'k', effect: 'NoSchedule' }] }));
  const [device] = (made['spec'] as { devices: Tree[] }).devices;
  assert.deepEqual(device?.['taints'], [
    { key: 'k', effect: 'NoSchedule', timeAdded: '2026-01-02T03:04:05Z' },
  ]);
});

const cases: readonly (readonly [string, typeof claims, Tree, readonly string[]])[] = [
  ['nothing', claims, {}, []],
  [
    'bad requests',
    claims,
    claim({
      requests: [
        { name: 'A' },
        { ...request(), firstAvailable: [{ name: 'c', deviceClassName: 'd' }] },
        request({ deviceClassName: '', allocationMode: 'Some' }),
        request({ count: -1 }),
        { name: 'z', exactly: { deviceClassName: 'd', allocationMode: 'All', count: 2 } },
      ],
    }),
    [
      `${at}.name: Invalid value: "A": ${label}`,
      `${at}: Required value: exactly one of \`exactly\` or \`firstAvailable\` is required`,
      'spec.devices.requests[1]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      'spec.devices.requests[2].exactly.deviceClassName: Required value',
      'spec.devices.requests[2].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
      'spec.devices.requests[3].exactly.count: Invalid value: -1: must be greater than zero',
      "spec.devices.requests[4].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
      'spec.devices.requests[2]: Duplicate value: "gpu"',
      'spec.devices.requests[3]: Duplicate value: "gpu"',
    ],
  ],
  [
    'too many requests',
    claims,
    claim({ requests: Array.from({ length: 33 }, (_, n) => ({ name: `r${n}` })) }),
    ['spec.devices.requests: Too many: 33: must have at most 32 items'],
  ],
  [
    'bad selectors and tolerations',
    claims,
    exact({
      selectors: [{}, { cel: { expression: 'x'.repeat(10 * 1024 + 1) } }],
      tolerations: [
        { operator: 'Exists', value: 'x' },
        { operator: 'Like', effect: 'Maybe' },
      ],
    }),
    [
      `${at}.exactly.selectors[0].cel: Required value`,
      `${at}.exactly.selectors[1].cel.expression: Too long: may not be more than 10240 bytes`,
      `${at}.exactly.tolerations[0].value: Invalid value: "x": must be empty for operator \`Exists\``,
      `${at}.exactly.tolerations[1].operator: Unsupported value: "Like": supported values: "Equal", "Exists"`,
      `${at}.exactly.tolerations[1].effect: Unsupported value: "Maybe": supported values: "NoExecute", "NoSchedule", "None"`,
    ],
  ],
  [
    'constraints',
    claims,
    claim({
      requests: [request(), { name: 'b', firstAvailable: [{ name: 'c', deviceClassName: 'd' }] }],
      constraints: [{ requests: ['gpu', 'b/c'], matchAttribute: 'x.y/model' }],
      config: [{ requests: ['b'], opaque: { driver: 'x.y', parameters: { a: 1 } } }],
    }),
    [],
  ],
  [
    'bad constraints',
    claims,
    claim({
      requests: [request()],
      constraints: [
        { requests: ['other', 'a/b/c'], matchAttribute: 'model' },
        {},
        { distinctAttribute: '/' },
      ],
      config: [{}, { opaque: { driver: 'x.y', parameters: [1] } }],
    }),
    [
      `spec.devices.constraints[0].requests[0]: Invalid value: "other": ${nameWhy}`,
      `spec.devices.constraints[0].requests[1]: Invalid value: "a/b/c": ${nameWhy}`,
      'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
      'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      'spec.devices.constraints[2].distinctAttribute: Invalid value: "": the domain must not be empty',
      'spec.devices.constraints[2].distinctAttribute: Invalid value: "": the name must not be empty',
      'spec.devices.config[0].opaque: Required value',
      'spec.devices.config[1].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
    ],
  ],
  [
    'a bad claim',
    templates,
    { spec: { metadata: { labels: { 'a b': 'c' } }, spec: claim({ requests: [{ name: 'a' }] })['spec'] } },
    [
      `spec.metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'spec.spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
    ],
  ],
  ['the name of a resource', classes, { spec: { extendedResourceName: 'example.com/gpu' } }, []],
  [
    'the name of a resource of Kubernetes',
    classes,
    { spec: { extendedResourceName: 'cpu', config: [{}] } },
    [
      'spec.config[0].opaque: Required value',
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ],
  ],
  ['devices', slices, devices({ name: 'a', attributes: { model: { string: 'x' } } }), []],
  [
    'nothing',
    slices,
    { spec: { driver: '', pool: { name: '', generation: -1, resourceSliceCount: 0 } } },
    [
      'spec.driver: Required value',
      "spec.driver: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      `spec: Required value: ${choice}`,
    ],
  ],
  [
    'two places',
    slices,
    slice({ allNodes: true, perDeviceNodeSelection: false, devices: [], sharedCounters: [] }),
    [
      'spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true',
      `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${choice}, but multiple fields are set`,
      'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
    ],
  ],
  [
    'bad devices',
    slices,
    devices(
      {
        name: 'a',
        attributes: {
          '1': {},
          'x.y/v': { version: '1' },
          two: { int: 1, bool: true },
          'a/b/c': { ints: [] },
        },
        capacity: { memory: { value: '1', requestPolicy: {} } },
        taints: [{ key: 'k', effect: 'Maybe' }],
        consumesCounters: [{ counterSet: '', counters: {} }],
        bindingConditions: ['a', 'a'],
        nodeName: 'n',
      },
      { name: 'a' },
    ),
    [
      `spec.devices[0].attributes: Invalid value: "1": ${identifier}`,
      'spec.devices[0].attributes[1]: Invalid value: "": exactly one value must be specified',
      'spec.devices[0].attributes[x.y/v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
      'spec.devices[0].attributes[two]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
      'spec.devices[0].attributes: Invalid value: "a/b/c": must not contain more than one slash',
      'spec.devices[0].attributes[a/b/c].ints: Invalid value: []: must not be empty if specified',
      'spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true',
      'spec.devices[0].taints[0].effect: Unsupported value: "Maybe": supported values: "NoExecute", "NoSchedule", "None"',
      'spec.devices[0].consumesCounters[0].counterSet: Required value',
      'spec.devices[0].consumesCounters[0].counters: Required value',
      'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      'spec.devices[0].bindingConditions[1]: Duplicate value: "a"',
      'spec.devices[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions',
      'spec.devices[1]: Duplicate value: "a"',
    ],
  ],
  [
    'devices that are nowhere',
    slices,
    {
      spec: {
        driver: 'x.y',
        pool,
        perDeviceNodeSelection: true,
        devices: [{ name: 'a' }, { name: 'b', allNodes: true, nodeName: 'n' }],
      },
    },
    [
      `spec.devices[0]: Required value: ${own}`,
      `spec.devices[1]: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${own}`,
    ],
  ],
  [
    'too many devices with taints',
    slices,
    devices(
      ...Array.from({ length: 65 }, (_, n) => ({ name: `d${n}`, taints: [{ key: 'k', effect: 'None' }] })),
    ),
    ['spec.devices: Too many: 65: must have at most 64 items'],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

test('what is asked for does not change, nor whose devices a slice holds', () => {
  const [text] = updateRefusals(claims, exact({}), exact({ count: 2 }));
  assert.match(text ?? '', /^spec: Invalid value: \{.*\}: field is immutable$/);
  assert.equal(updateRefusals(templates, { spec: { spec: {} } }, { spec: exact({}) }).length, 1);
  assert.deepEqual(
    updateRefusals(slices, slice({}), slice({ driver: 'y.z', nodeName: 'm', pool: { ...pool, name: 'b' } })),
    [
      'spec.pool.name: Invalid value: "b": field is immutable',
      'spec.driver: Invalid value: "y.z": field is immutable',
      'spec.nodeName: Invalid value: "m": field is immutable',
    ],
  );
});

const result = { request: 'gpu', driver: 'x.y', pool: 'p', device: 'd' };
const withStatus = (status: Tree): Document => Object.assign(created(claims, exact({})), { status });
const said = (status: Tree, before: Tree = {}, going = false): string[] => {
  const object = withStatus(status);
  if (going) object.metadata.deletionTimestamp = ago(1);
  return lines(claims.validateStatusUpdate(object, withStatus(before)));
};
const allocation = { devices: { results: [result] } };
const pod = { resource: 'pods', name: 'a', uid: '1' };

test('a claim gets devices once, and is had by pods only then', () => {
  assert.deepEqual(said({ allocation, reservedFor: [pod] }), []);
  assert.deepEqual(said({ reservedFor: [pod] }), [
    'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
  ]);
  assert.deepEqual(said({ allocation, reservedFor: [pod, { ...pod, resource: '' }] }), [
    'status.reservedFor[1].resource: Required value',
    'status.reservedFor[1]: Duplicate value: "1"',
  ]);
  const [text] = said({ allocation: { devices: { results: [] } } }, { allocation });
  assert.match(text ?? '', /^status\.allocation: Invalid value: \{.*\}: field is immutable$/);
  assert.deepEqual(said({ allocation, reservedFor: [pod] }, { allocation }, true), [
    'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
  ]);
});

test('what a claim gets was asked for', () => {
  const bad = { ...result, request: 'other', pool: '', shareID: 'x' };
  assert.deepEqual(
    said({
      allocation: { devices: { results: [bad], config: [{ source: 'x', opaque: { driver: 'x.y' } }] } },
    }),
    [
      `status.allocation.devices.results[0].request: Invalid value: "other": ${nameWhy}`,
      'status.allocation.devices.results[0].pool: Required value',
      'status.allocation.devices.results[0].shareID: Invalid value: "x": uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      'status.allocation.devices.config[0].source: Unsupported value: "x": supported values: "FromClaim", "FromClass"',
      'status.allocation.devices.config[0].opaque.parameters: Required value',
    ],
  );
});

test('only of devices that a claim has, something is told', () => {
  const { request: _, ...device } = result;
  assert.deepEqual(said({ allocation, devices: [{ ...device, networkData: { ips: ['10.0.0.1/24'] } }] }), []);
  assert.deepEqual(said({ allocation, devices: [{ ...device, device: 'e', networkData: { ips: ['x'] } }] }), [
    'status.devices[0]: Invalid value: "x.y/p/e": must be an allocated device in the claim',
    'status.devices[0].networkData.ips[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ]);
});

const metadata = { name: 'a', creationTimestamp: ago(60) };
const rows: readonly (readonly [typeof claims, Tree, string])[] = [
  [claims, { metadata }, 'a | pending | 60s'],
  [claims, { metadata, status: { allocation, reservedFor: [pod] } }, 'a | allocated,reserved | 60s'],
  [
    claims,
    { metadata: { ...metadata, deletionTimestamp: ago(1) }, status: { allocation } },
    'a | deleted,allocated | 60s',
  ],
  [templates, { metadata }, 'a | 60s'],
  [classes, { metadata }, 'a | 60s'],
  [slices, { metadata, ...slice({}) }, 'a | n | x.y | a | 60s'],
];

for (const [kind, object, expected] of rows)
  test(`a row of ${kind.resource}: ${expected}`, () => assert.equal(row(kind, object), expected));
