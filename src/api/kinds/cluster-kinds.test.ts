import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectPart } from '../kind.ts';
import { draftOf } from '../object.ts';
import {
  ago,
  created,
  type Document,
  kindOf,
  lines,
  nowMs,
  refusals,
  row,
  type Tree,
  updateRefusals,
  withDefaults,
} from './test-submission.ts';

const priorities = kindOf('priorityclasses', 'scheduling.k8s.io');
const runtimes = kindOf('runtimeclasses', 'node.k8s.io');
const apis = kindOf('apiservices', 'apiregistration.k8s.io');
const requests = kindOf('certificatesigningrequests', 'certificates.k8s.io');
const schemas = kindOf('flowschemas', 'flowcontrol.apiserver.k8s.io');
const levels = kindOf('prioritylevelconfigurations', 'flowcontrol.apiserver.k8s.io');

// A key that nobody has kept.
const request =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISU1IQUNBUUF3RGpFTU1Bb0dBMVVFQXd3RFlXNXVNRmt3RXdZSEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRApRZ0FFT0JQOHpHcVdzMmt5V1NzbnBhS1pIVktlK25pcDVhVkI4OU1PcU94Q0FHMmxQUExKV0FnNnZZUU9iKytUCmJHSXUxMnVSQ3FXQ2hmRDk2TWgxS3BuNU5LQUFNQW9HQ0NxR1NNNDlCQU1DQTBnQU1FVUNJQWVtNXFKNWQvWHoKSm1iVVU3RUVnQzUreEdUWTdtT0R3MytoNkJJMTgyUkpBaUVBZ3Z3Qisza1RxU1dUN3JNa1Qyd3pVUEpKQi9TZApOazRwcWtBc0xOZ3EvL0k9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';
const certificate =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJjekNDQVJtZ0F3SUJBZ0lVTllMSUZ1WWxtUjhDMXdkekhpOURrYWZZbytvd0NnWUlLb1pJemowRUF3SXcKRGpFTU1Bb0dBMVVFQXd3RFlXNXVNQ0FYRFRJMk1URXlNVEV4TlRVd09Wb1lEekl4TWpZeE1ESTRNVEUxTlRBNQpXakFPTVF3d0NnWURWUVFEREFOaGJtNHdXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUTRFL3pNCmFwYXphVEpaS3llbG9wa2RVcDc2ZUtubHBVSHowdzZvN0VJQWJhVTg4c2xZQ0RxOWhBNXY3NU5zWWk3WGE1RUsKcFlLRjhQM295SFVxbWZrMG8xTXdVVEFkQmdOVkhRNEVGZ1FVMjJDZm1aM2FhbmYrRFN5MForc3hTMkxDaFN3dwpId1lEVlIwakJCZ3dGb0FVMjJDZm1aM2FhbmYrRFN5MForc3hTMkxDaFN3d0R3WURWUjBUQVFIL0JBVXdBd0VCCi96QUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpRUE4MWF3eEViNkpUSXIvYXBWTk1WYUFVMmNDenJPMllCRjY3ejAKdzFabWdoNENJSDF3Z2tyYVFGTW1KS1BoNDdoSzJkQVd6QU40VzFPQ0ZhWHdFK2ZSSHNpLwotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==';
const pem = (text: string): string => Buffer.from(text).toString('base64');
const asking = (more: Tree = {}): Tree => ({
  spec: { request, signerName: 'example.com/mine', usages: ['client auth'], ...more },
});
const api = (spec: Tree): Tree => ({
  metadata: { name: 'v1.example.com' },
  spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...spec },
});
const everyone = { kind: 'Group', group: { name: 'system:authenticated' } };
const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true };
const schema = (spec: Tree): Tree => ({ spec: { priorityLevelConfiguration: { name: 'low' }, ...spec } });
const rules = (...list: Tree[]): Tree => schema({ rules: list });
const limited = (more: Tree): Tree => ({
  spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...more } },
});
const queuing = (more: Tree): Tree => limited({ limitResponse: { type: 'Queue', queuing: more } });

test('pods of a class may take the place of others', () => {
  assert.equal(created(priorities, { value: 1 })['preemptionPolicy'], 'PreemptLowerPriority');
});

test('what this server serves itself is available at once', () => {
  const condition = {
    type: 'Available',
    status: 'True',
    lastTransitionTime: '2026-01-02T03:04:05Z',
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
  assert.deepEqual(created(apis, api({}))['status'], { conditions: [condition] });
  const remote = created(apis, api({ service: { namespace: 'x', name: 'y' } }));
  assert.deepEqual(remote['status'], {});
  assert.deepEqual((remote['spec'] as Tree)['service'], { namespace: 'x', name: 'y', port: 443 });
});

test('a request for a certificate says who asks, as the server knows it', () => {
  const draft = withDefaults(requests, asking({ username: 'root', groups: ['system:masters'], uid: '0' }));
  draft['status'] = { certificate };
  requests.prepareCreate(draft, { nowMs, user: { username: 'ann', groups: ['ops'], extra: {} } });
  assert.deepEqual(draft['spec'], { ...(asking()['spec'] as Tree), username: 'ann', groups: ['ops'] });
  assert.deepEqual(draft['status'], {});
});

test('a request for a certificate stays what it is', () => {
  const old = created(requests, asking());
  const draft = withDefaults(requests, asking({ signerName: 'example.com/other' }));
  requests.prepareUpdate(draft, old, { nowMs });
  assert.deepEqual(draft['spec'], old['spec']);
});

test('flows wait in queues', () => {
  const level = created(levels, queuing({}));
  assert.deepEqual(level['spec'], {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: { type: 'Queue', queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 } },
    },
  });
  assert.equal((created(schemas, schema({}))['spec'] as Tree)['matchingPrecedence'], 1000);
  const exempt = created(levels, { metadata: { name: 'exempt' }, spec: { type: 'Exempt' } });
  assert.deepEqual((exempt['spec'] as Tree)['exempt'], { nominalConcurrencyShares: 0, lendablePercent: 0 });
});

const reserved =
  "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const usages =
  '"any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping"';
const verbs = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"';

const cases: readonly (readonly [string, typeof priorities, Tree, readonly string[]])[] = [
  ['a value', priorities, { value: 1_000_000_000 }, []],
  [
    'too high a value',
    priorities,
    { value: 1_000_000_001, preemptionPolicy: 'Always' },
    [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      'preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
    ],
  ],
  [
    'the name of the system',
    priorities,
    { metadata: { name: 'system-x' } },
    [`${reserved}system-x is not a known system priority class`],
  ],
  [
    'another value than the system has',
    priorities,
    { metadata: { name: 'system-node-critical' }, value: 1 },
    [`${reserved}value of system-node-critical PriorityClass must be 2000001000`],
  ],
  [
    'the system for all',
    priorities,
    { metadata: { name: 'system-cluster-critical' }, value: 2_000_000_000, globalDefault: true },
    [`${reserved}globalDefault of system-cluster-critical PriorityClass must be false`],
  ],
  ['a handler', runtimes, { handler: 'runc', overhead: { podFixed: { memory: '1Mi' } } }, []],
  [
    'a bad handler',
    runtimes,
    {
      handler: 'a.b',
      overhead: { podFixed: { cpu: '-1' } },
      scheduling: { tolerations: [{ key: 'a', operator: 'Maybe' }] },
    },
    [
      `handler: Invalid value: "a.b": ${label}`,
      'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'scheduling.tolerations[0].operator: Unsupported value: "Maybe": supported values: "Equal", "Exists"',
    ],
  ],
  ['a group', apis, api({}), []],
  [
    'another name',
    apis,
    { ...api({ group: '', version: 'v2', groupPriorityMinimum: 0, versionPriority: 1001 }) },
    [
      'metadata.name: Invalid value: "v1.example.com": must be `spec.version+"."+spec.group`: "v2."',
      'spec.group: Required value: only v1 may have an empty group and it better be legacy kube',
      'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
    ],
  ],
  [
    'secrets of its own',
    apis,
    api({ caBundle: pem('abc'), insecureSkipTLSVerify: true }),
    [
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  ],
  [
    'a bad service',
    apis,
    api({ service: { port: 70000 }, caBundle: pem('abc'), insecureSkipTLSVerify: true }),
    [
      'spec.service.namespace: Required value',
      'spec.service.name: Required value',
      'spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
      'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
    ],
  ],
  ['a wish', requests, { metadata: { name: 'Whatever it is!' }, ...asking() }, []],
  [
    'nothing',
    requests,
    { spec: { request: '', signerName: '' } },
    [
      'spec.request: Invalid value: "": PEM block type must be CERTIFICATE REQUEST',
      'spec.usages: Required value',
      'spec.signerName: Required value',
    ],
  ],
  [
    'bad wishes',
    requests,
    asking({
      usages: ['x', 'any', 'any'],
      signerName: 'kubernetes.io/legacy-unknown',
      expirationSeconds: 599,
    }),
    [
      `spec.usages[0]: Unsupported value: "x": supported values: ${usages}`,
      'spec.usages[2]: Duplicate value: "any"',
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  ],
  [
    'half a request',
    requests,
    asking({
      request: pem('-----BEGIN CERTIFICATE REQUEST-----\nMAAA\n-----END CERTIFICATE REQUEST-----\n'),
      signerName: 'example.com',
    }),
    [
      `spec.request: Invalid value: "${pem('-----BEGIN CERTIFICATE REQUEST-----\nMAAA\n-----END CERTIFICATE REQUEST-----\n')}": asn1: structure error: not a certificate request`,
      `spec.signerName: Invalid value: "example.com": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    ],
  ],
  [
    'a signer of no domain',
    requests,
    asking({ signerName: 'Example/-' }),
    [
      `spec.signerName: Invalid value: "Example": validating label "Example": ${label}`,
      'spec.signerName: Invalid value: "Example": should be a domain with at least two segments separated by dots',
      `spec.signerName: Invalid value: "-": validating label "-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ],
  ['rules', schemas, rules({ subjects: [everyone], resourceRules: [all] }), []],
  [
    'bad words',
    schemas,
    schema({
      priorityLevelConfiguration: { name: '' },
      matchingPrecedence: 10_001,
      distinguisherMethod: { type: 'ByVerb' },
    }),
    [
      'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
      'spec.distinguisherMethod.type: Unsupported value: {"type":"ByVerb"}: supported values: "ByNamespace", "ByUser"',
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
    ],
  ],
  [
    'a precedence below all',
    schemas,
    schema({ matchingPrecedence: -1 }),
    ['spec.matchingPrecedence: Invalid value: -1: must be a positive value'],
  ],
  [
    'the precedence of the exempt',
    schemas,
    schema({ matchingPrecedence: 1 }),
    [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
  ],
  [
    'bad subjects',
    schemas,
    rules(
      {},
      {
        resourceRules: [all],
        subjects: [
          { kind: 'Node' },
          { kind: 'User', group: { name: 'a' } },
          { kind: 'Group', group: { name: '' } },
          { kind: 'ServiceAccount', serviceAccount: { name: 'A b', namespace: '' } },
        ],
      },
    ),
    [
      'spec.rules[0].subjects: Required value: subjects must contain at least one value',
      'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      'spec.rules[1].subjects[0].kind: Unsupported value: "Node": supported values: "Group", "ServiceAccount", "User"',
      "spec.rules[1].subjects[1].user: Required value: user is required when subject kind is 'User'",
      "spec.rules[1].subjects[1].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'spec.rules[1].subjects[2].group.name: Required value',
      `spec.rules[1].subjects[3].serviceAccount.name: Invalid value: "A b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      'spec.rules[1].subjects[3].serviceAccount.namespace: Required value: must specify namespace for service account',
    ],
  ],
  [
    'bad rules',
    schemas,
    rules({
      subjects: [everyone],
      resourceRules: [
        { verbs: ['*', 'get'], apiGroups: [], resources: ['*', 'pods'], namespaces: ['A'] },
        { verbs: ['read'], apiGroups: ['*', ''], resources: [] },
      ],
      nonResourceRules: [{ verbs: [], nonResourceURLs: ['', 'x', '/a b', '//', '/*/x', '/', '/x/*'] }],
    }),
    [
      `spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      'spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group',
      `spec.rules[0].resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`,
      `spec.rules[0].resourceRules[0].namespaces[0]: Invalid value: "A": each member of this list must be '*' or a DNS-1123 label; ${label}`,
      `spec.rules[0].resourceRules[1].verbs: Unsupported value: ["read"]: supported values: ${verbs}`,
      `spec.rules[0].resourceRules[1].apiGroups: Invalid value: ["*",""]: if '*' is present, must not specify other api groups`,
      'spec.rules[0].resourceRules[1].resources: Required value: resource rules must supply at least one resource',
      'spec.rules[0].resourceRules[1].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
      'spec.rules[0].nonResourceRules[0].verbs: Required value: verbs must contain at least one value',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "x": must start with slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[3]: Invalid value: "//": must not contain double slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[4]: Invalid value: "/*/x": wildcard can only do suffix matching',
    ],
  ],
  ['a limit', levels, limited({}), []],
  [
    'the type of the exempt',
    levels,
    { spec: { type: 'Exempt', limited: {} } },
    [
      "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if `name` is 'exempt'",
      'spec.limited: Forbidden: must be nil if the type is not Limited',
      'spec.exempt: Required value: must not be empty when type is Exempt',
    ],
  ],
  [
    'no limit',
    levels,
    { spec: { type: 'Limited', exempt: {} } },
    [
      'spec.exempt: Forbidden: must be nil if the type is Limited',
      'spec.limited: Required value: must not be empty when type is Limited',
    ],
  ],
  [
    'no type',
    levels,
    { spec: {} },
    ['spec.type: Unsupported value: "": supported values: "Exempt", "Limited"'],
  ],
  [
    'bad numbers',
    levels,
    limited({
      nominalConcurrencyShares: -1,
      lendablePercent: 101,
      borrowingLimitPercent: -1,
      limitResponse: {},
    }),
    [
      'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.limitResponse.type: Unsupported value: "": supported values: "Queue", "Reject"',
      'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
    ],
  ],
  [
    'no queues',
    levels,
    limited({ limitResponse: { type: 'Queue' } }),
    [
      'spec.limited.limitResponse.queuing: Required value: must not be empty if limited.limitResponse.type is Limited',
    ],
  ],
  [
    'queues without need',
    levels,
    limited({ limitResponse: { type: 'Reject', queuing: {} } }),
    [
      'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
    ],
  ],
  [
    'a hand too large',
    levels,
    queuing({ queues: 4, handSize: 5, queueLengthLimit: -1 }),
    [
      'spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive',
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
    ],
  ],
  [
    'a hand that no hash can deal',
    levels,
    queuing({ queues: 1024, handSize: 7 }),
    [
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60',
    ],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

test('what every request needs to be served is fixed', () => {
  const fixed: Tree = {
    metadata: { name: 'catch-all' },
    spec: {
      priorityLevelConfiguration: { name: 'catch-all' },
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'system:unauthenticated' } }, everyone],
          resourceRules: [all],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  };
  assert.deepEqual(refusals(schemas, fixed), []);
  const [other] = refusals(schemas, {
    ...fixed,
    spec: { ...(fixed['spec'] as Tree), matchingPrecedence: 9 },
  });
  assert.match(other ?? '', /^spec: Invalid value: \{.*\}: spec of 'catch-all' must equal the fixed value$/);
  const level = { metadata: { name: 'catch-all' }, ...limited({ nominalConcurrencyShares: 5 }) };
  assert.deepEqual(refusals(levels, level), []);
  assert.equal(refusals(levels, { ...level, ...limited({ nominalConcurrencyShares: 6 }) }).length, 1);
});

const updates: readonly (readonly [string, typeof priorities, Tree, Tree, readonly string[]])[] = [
  [
    'everything',
    priorities,
    { value: 1 },
    { value: 2, preemptionPolicy: 'Never', description: 'x' },
    [
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ],
  ],
  [
    'its handler',
    runtimes,
    { handler: 'a' },
    { handler: 'b' },
    ['handler: Invalid value: "b": field is immutable'],
  ],
  ['its backend', apis, api({}), api({ service: { namespace: 'x', name: 'y' } }), []],
];

for (const [name, kind, old, object, expected] of updates)
  test(`updating ${name} of a ${kind.kind}`, () =>
    assert.deepEqual(updateRefusals(kind, old, object), expected));

const decided = (type: string): Tree => ({ type, status: 'True', reason: 'Because' });
const withStatus = (status: Tree): Document => {
  const object = created(requests, asking());
  object['status'] = status;
  return object;
};
const approval = requests.subresources.find(({ name }) => name === 'approval')?.part as ObjectPart;

test('`approval` decides, and says when', () => {
  const old = withStatus({ certificate });
  const object = draftOf(old);
  approval.take(object as never, withStatus({ conditions: [decided('Approved')] }) as never, { nowMs });
  const time = '2026-01-02T03:04:05Z';
  assert.deepEqual((object as Tree)['status'], {
    certificate,
    conditions: [{ ...decided('Approved'), lastUpdateTime: time, lastTransitionTime: time }],
  });
  assert.deepEqual(requests.validate(object), []);
});

test('a decision is never taken back, and there are no two', () => {
  const approved = withStatus({ conditions: [decided('Approved')] });
  assert.deepEqual(lines(approval.validateUpdate(withStatus({}) as never, approved as never)), [
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ]);
  const both = withStatus({
    conditions: [
      decided('Approved'),
      decided('Denied'),
      decided('Denied'),
      { type: 'Failed', status: 'False' },
    ],
  });
  assert.deepEqual(lines(requests.validate(both)), [
    'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    'status.conditions[2].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    'status.conditions[2].type: Duplicate value: "Denied"',
    'status.conditions[3].status: Unsupported value: "False": supported values: "True"',
  ]);
});

test('a status write brings the certificate, once, and decides nothing', () => {
  const old = withStatus({ conditions: [decided('Approved')] });
  const issued = withStatus({ conditions: [{ type: 'Approved', status: 'True', reason: 'x' }], certificate });
  requests.prepareStatusUpdate?.(issued, old, { nowMs });
  assert.equal((((issued['status'] as Tree)['conditions'] as Tree[])[0] as Tree)['reason'], 'Because');
  assert.deepEqual(requests.validateStatusUpdate(issued, old), []);
  const denied = withStatus({ conditions: [decided('Denied')] });
  assert.deepEqual(lines(requests.validateStatusUpdate(denied, withStatus({}))), [
    'status.conditions: Forbidden: updates may not add a condition of type "Denied"',
  ]);
  for (const [text, why] of [
    ['x', 'must contain at least one CERTIFICATE PEM block'],
    ['-----BEGIN KEY-----\n\n-----END KEY-----\n', 'only CERTIFICATE PEM blocks are allowed, found "KEY"'],
    [
      '-----BEGIN CERTIFICATE-----\na: b\n\nMAAA\n-----END CERTIFICATE-----\n',
      'no PEM block headers are permitted',
    ],
    ['-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n', 'x509: malformed certificate'],
  ] as const)
    assert.deepEqual(
      lines(requests.validateStatusUpdate(withStatus({ certificate: pem(text) }), withStatus({}))),
      [`status.certificate: Invalid value: "<certificate data>": ${why}`],
    );
  const other = withStatus({ certificate: pem(`${Buffer.from(certificate, 'base64')}\n`) });
  assert.deepEqual(lines(requests.validateStatusUpdate(other, withStatus({ certificate }))), [
    'status.certificate: Forbidden: updates may not modify existing certificate content',
  ]);
});

test('conditions of flows and API services', () => {
  const conditions = [{ type: 'a' }, { type: 'a' }, {}];
  for (const kind of [schemas, levels]) {
    const object = { ...created(kind, { spec: {} }), status: { conditions } };
    assert.deepEqual(lines(kind.validateStatusUpdate(object, object)), [
      'status.conditions[1].type: Duplicate value: "a"',
      'status.conditions[2].type: Required value: must not be empty',
    ]);
  }
  const object = { ...created(apis, api({})), status: { conditions: [{ type: 'a', status: 'Yes' }] } };
  assert.deepEqual(lines(apis.validateStatusUpdate(object, object)), [
    'status.conditions[0].status: Unsupported value: "Yes": supported values: "True", "False", "Unknown"',
  ]);
});

const metadata = { name: 'a', creationTimestamp: ago(60) };
const rows: readonly (readonly [typeof priorities, Tree, string])[] = [
  [priorities, { metadata, value: 7, preemptionPolicy: 'Never' }, 'a | 7 | false | 60s | Never'],
  [runtimes, { metadata, handler: 'runc' }, 'a | runc | 60s'],
  [apis, { metadata, spec: {} }, 'a | Local | Unknown | 60s'],
  [
    apis,
    {
      metadata,
      spec: { service: { namespace: 'x', name: 'y' } },
      status: { conditions: [{ type: 'Available', status: 'False', reason: 'Gone' }] },
    },
    'a | x/y | False (Gone) | 60s',
  ],
  [requests, { metadata, spec: {} }, 'a | 60s | <none> |  | <none> | Pending'],
  [
    requests,
    {
      metadata,
      spec: { signerName: 's', username: 'ann', expirationSeconds: 3600 },
      status: { conditions: [decided('Approved'), decided('Failed')], certificate: 'x' },
    },
    'a | 60s | s | ann | 60m | Approved,Failed,Issued',
  ],
  [
    schemas,
    {
      metadata,
      ...schema({ matchingPrecedence: 5 }),
      status: { conditions: [{ type: 'Dangling', status: 'False' }] },
    },
    'a | low | 5 | <none> | 60s | False',
  ],
  [
    levels,
    { metadata, ...limited({ nominalConcurrencyShares: 5 }) },
    'a | Limited | 5 | <none> | <none> | <none> | 60s',
  ],
  [
    levels,
    { metadata, ...queuing({ queues: 1, handSize: 2, queueLengthLimit: 3 }) },
    'a | Limited | <none> | 1 | 2 | 3 | 60s',
  ],
];

for (const [kind, object, expected] of rows)
  test(`a row of ${kind.resource}: ${expected}`, () => assert.equal(row(kind, object), expected));
