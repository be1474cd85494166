import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, lines, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const group = 'networking.k8s.io';
const ingresses = kindOf('ingresses', group);
const classes = kindOf('ingressclasses', group);
const policies = kindOf('networkpolicies', group);
const addresses = kindOf('ipaddresses', group);
const ranges = kindOf('servicecidrs', group);

const backend = { service: { name: 'web', port: { number: 80 } } };
const pathsTo = (...paths: Tree[]): Tree => ({ spec: { rules: [{ host: 'a.example', http: { paths } }] } });
const policy = (spec: Tree): Tree => ({ spec: { podSelector: {}, ...spec } });
const parentRef = { resource: 'services', namespace: 'default', name: 'web' };
const wildcardWhy =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test('a policy is of the types that it has rules for, and speaks of TCP', () => {
  const made = created(policies, policy({ egress: [{ ports: [{ port: 53 }] }] }));
  assert.deepEqual(made['spec'], {
    podSelector: {},
    egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }],
    policyTypes: ['Ingress', 'Egress'],
  });
  assert.deepEqual((created(policies, policy({}))['spec'] as Tree)['policyTypes'], ['Ingress']);
});

test('parameters of a class are of the cluster', () => {
  const made = created(classes, { spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n' } } });
  assert.deepEqual((made['spec'] as Tree)['parameters'], { kind: 'K', name: 'n', scope: 'Cluster' });
});

test('nobody creates an ingress with a status', () => {
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } };
  assert.deepEqual(created(ingresses, { spec: {}, status })['status'], { loadBalancer: {} });
});

const cases: readonly (readonly [string, typeof ingresses, Tree, readonly string[]])[] = [
  ['a path', ingresses, pathsTo({ path: '/', pathType: 'Prefix', backend }), []],
  ['a backend for all else', ingresses, { spec: { defaultBackend: backend } }, []],
  [
    'nothing',
    ingresses,
    {},
    ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  ],
  [
    'bad hosts',
    ingresses,
    { spec: { rules: [{ host: '1.2.3.4' }, { host: '*.a.example' }, { host: 'a.*.example' }] } },
    [
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      `spec.rules[2].host: Invalid value: "a.*.example": ${wildcardWhy}`,
    ],
  ],
  [
    'bad paths',
    ingresses,
    pathsTo(
      { backend },
      { path: 'x', pathType: 'Exact', backend },
      { path: '/a//b/..', pathType: 'Prefix', backend },
      { path: 'x', pathType: 'ImplementationSpecific', backend },
      { path: '', pathType: 'ImplementationSpecific', backend },
      { path: '/', pathType: 'Regex', backend },
    ),
    [
      'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
      'spec.rules[0].http.paths[1].path: Invalid value: "x": must be an absolute path',
      `spec.rules[0].http.paths[2].path: Invalid value: "/a//b/..": must not contain '//'`,
      `spec.rules[0].http.paths[2].path: Invalid value: "/a//b/..": cannot end with '/..'`,
      'spec.rules[0].http.paths[3].path: Invalid value: "x": must be an absolute path',
      'spec.rules[0].http.paths[5].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
    ],
  ],
  ['no paths', ingresses, pathsTo(), ['spec.rules[0].http.paths: Required value']],
  [
    'two backends',
    ingresses,
    { spec: { defaultBackend: { ...backend, resource: { kind: 'K', name: 'n' } } } },
    ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
  ],
  [
    'no backend',
    ingresses,
    { spec: { defaultBackend: {} } },
    ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
  ],
  [
    'two ports',
    ingresses,
    { spec: { defaultBackend: { service: { name: 'web', port: { name: 'http', number: 80 } } } } },
    ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
  ],
  [
    'a nameless service without a port',
    ingresses,
    { spec: { defaultBackend: { service: { name: '' } } } },
    [
      'spec.defaultBackend.service.name: Required value',
      'spec.defaultBackend: Required value: port name or number is required',
    ],
  ],
  [
    'a port beyond all',
    ingresses,
    { spec: { defaultBackend: { service: { name: 'web', port: { number: 70000 } } } } },
    ['spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'a resource without a name',
    ingresses,
    { spec: { defaultBackend: { resource: { kind: 'a/b', name: '' } } } },
    [
      `spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain '/'`,
      'spec.defaultBackend.resource.name: Required value',
    ],
  ],
  [
    'two classes',
    ingresses,
    {
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'a' } },
      spec: {
        defaultBackend: backend,
        ingressClassName: 'b',
        tls: [{ hosts: ['*.a.example'], secretName: 's' }],
      },
    },
    [
      'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
    ],
  ],
  ['a controller', classes, { spec: { controller: 'example.com/ingress/v2' } }, []],
  ['no controller', classes, {}, ['spec.controller: Required value']],
  [
    'a controller of no domain',
    classes,
    { spec: { controller: 'nginx' } },
    ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  [
    'a controller with a bad path',
    classes,
    { spec: { controller: 'a.b/c d' } },
    [
      `spec.controller: Invalid value: "c d": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
    ],
  ],
  [
    'a long controller',
    classes,
    { spec: { controller: `a.b/${'c'.repeat(250)}` } },
    ['spec.controller: Too long: may not be more than 250 bytes'],
  ],
  [
    'parameters of no namespace',
    classes,
    { spec: { controller: 'a.b/c', parameters: { kind: '', name: 'n', scope: 'Namespace' } } },
    [
      'spec.parameters.kind: Required value',
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  ],
  [
    'parameters of the cluster in a namespace',
    classes,
    { spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', namespace: 'x' } } },
    ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  [
    'an unknown scope',
    classes,
    { spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', scope: 'All' } } },
    ['spec.parameters.scope: Unsupported value: "All": supported values: "Cluster", "Namespace"'],
  ],
  [
    'peers',
    policies,
    policy({
      ingress: [
        { from: [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] },
      ],
    }),
    [],
  ],
  [
    'bad peers',
    policies,
    policy({
      egress: [
        {
          to: [
            {},
            {
              podSelector: {},
              ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48', '10.0.0.0/40'] },
            },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8', '11.0.0.0/16'] } },
            { ipBlock: { cidr: '' } },
          ],
        },
      ],
    }),
    [
      'spec.egress[0].to[0]: Required value: must specify a peer',
      'spec.egress[0].to[1].ipBlock.except[1]: Invalid value: "10.0.0.0/40": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.egress[0].to[1]: Forbidden: may not specify both ipBlock and another peer',
      'spec.egress[0].to[2].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
      'spec.egress[0].to[2].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
      'spec.egress[0].to[3].ipBlock.cidr: Required value',
    ],
  ],
  [
    'bad ports',
    policies,
    policy({
      ingress: [
        {
          ports: [
            { protocol: 'x' },
            { port: 80, endPort: 70 },
            { port: 'http', endPort: 70 },
            { endPort: 70 },
            { port: 'Http!' },
          ],
        },
      ],
    }),
    [
      'spec.ingress[0].ports[0].protocol: Unsupported value: "x": supported values: "TCP", "UDP", "SCTP"',
      'spec.ingress[0].ports[1].endPort: Invalid value: 70: must be greater than or equal to `port`',
      'spec.ingress[0].ports[2].endPort: Invalid value: 70: may not be specified when `port` is non-numeric',
      'spec.ingress[0].ports[3].endPort: Invalid value: 70: may not be specified when `port` is not specified',
      'spec.ingress[0].ports[4].port: Invalid value: "Http!": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ],
  ],
  [
    'an unknown type',
    policies,
    policy({ policyTypes: ['In'] }),
    ['spec.policyTypes[0]: Unsupported value: "In": supported values: "Ingress", "Egress"'],
  ],
  [
    'three types',
    policies,
    policy({ policyTypes: ['Ingress', 'Egress', 'Ingress'] }),
    [
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
    ],
  ],
  ['a parent', addresses, { metadata: { name: '10.0.0.1' }, spec: { parentRef } }, []],
  [
    'no parent',
    addresses,
    { metadata: { name: 'web' } },
    [
      'metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.parentRef: Required value',
    ],
  ],
  [
    'half a parent',
    addresses,
    {
      metadata: { name: '::1' },
      spec: { parentRef: { group: 'A', resource: '', name: 'a/b', namespace: '..' } },
    },
    [
      `spec.parentRef.group: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      'spec.parentRef.resource: Required value',
      `spec.parentRef.name: Invalid value: "a/b": may not contain '/'`,
      `spec.parentRef.namespace: Invalid value: "..": may not be '..'`,
    ],
  ],
  ['a range of each family', ranges, { spec: { cidrs: ['10.0.0.0/16', 'fd00::/108'] } }, []],
  ['no range', ranges, {}, ['spec.cidrs: Required value: at least one CIDR required']],
  [
    'three ranges',
    ranges,
    { spec: { cidrs: ['a', 'b', 'c'] } },
    ['spec.cidrs: Invalid value: {"cidrs":["a","b","c"]}: may only hold up to 2 values'],
  ],
  [
    'two ranges of one family',
    ranges,
    { spec: { cidrs: ['10.0.0.0/16', '10.1.0.0/16'] } },
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

const cidrs = (...list: string[]): Tree => ({ spec: { cidrs: list } });
const updates: readonly (readonly [string, typeof ingresses, Tree, Tree, readonly string[]])[] = [
  [
    'its controller',
    classes,
    { spec: { controller: 'a.b/c' } },
    { spec: { controller: 'a.b/d' } },
    ['spec.controller: Invalid value: "a.b/d": field is immutable'],
  ],
  [
    'its parent',
    addresses,
    { spec: { parentRef } },
    { spec: { parentRef: { ...parentRef, name: 'x' } } },
    [
      'spec.parentRef: Invalid value: {"resource":"services","namespace":"default","name":"x"}: field is immutable',
    ],
  ],
  ['its families', ranges, cidrs('10.0.0.0/16'), cidrs('10.0.0.0/16', 'fd00::/108'), []],
  [
    'its range',
    ranges,
    cidrs('10.0.0.0/16'),
    cidrs('10.1.0.0/16'),
    ['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable'],
  ],
  [
    'its number of ranges',
    ranges,
    cidrs('10.0.0.0/16', 'fd00::/108'),
    cidrs('10.0.0.0/16'),
    ['spec.cidrs: Invalid value: ["10.0.0.0/16"]: field is immutable'],
  ],
];

for (const [name, kind, old, object, expected] of updates)
  test(`updating ${name} of a ${kind.kind}`, () =>
    assert.deepEqual(updateRefusals(kind, old, object), expected));

test('the status of an ingress has addresses and names', () => {
  const object = created(ingresses, { spec: { defaultBackend: backend } });
  object['status'] = { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }, { ip: '1.2.3.4' }] } };
  assert.deepEqual(lines(ingresses.validateStatusUpdate(object, object)), [
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ]);
});

const metadata = { name: 'a', creationTimestamp: ago(60) };
const rows: readonly (readonly [typeof ingresses, Tree, string])[] = [
  [ingresses, { metadata, spec: { defaultBackend: backend } }, 'a | <none> | * |  | 80 | 60s'],
  [
    ingresses,
    {
      metadata,
      spec: {
        ingressClassName: 'c',
        tls: [{}],
        rules: [{ host: '1' }, { host: '2' }, { host: '3' }, { host: '4' }, {}],
      },
      status: { loadBalancer: { ingress: [{ ip: '9' }, { hostname: '8' }, { ip: '9' }] } },
    },
    'a | c | 1,2,3 + 2 more... | 8,9 | 80, 443 | 60s',
  ],
  [classes, { metadata, spec: { controller: 'a.b/c' } }, 'a | a.b/c | <none> | 60s'],
  [
    classes,
    { metadata, spec: { controller: 'a.b/c', parameters: { apiGroup: 'g', kind: 'K', name: 'n' } } },
    'a | a.b/c | K.g/n | 60s',
  ],
  [policies, { metadata, spec: {} }, 'a | <none> | 60s'],
  [policies, { metadata, spec: { podSelector: { matchLabels: { b: 'c' } } } }, 'a | b=c | 60s'],
  [addresses, { metadata, spec: { parentRef } }, 'a | services/default/web'],
  [addresses, { metadata, spec: { parentRef: { group: 'g', resource: 'r', name: 'n' } } }, 'a | r.g/n'],
  [ranges, { metadata, spec: { cidrs: ['x', 'y'] } }, 'a | x,y | 60s'],
];

for (const [kind, object, expected] of rows)
  test(`a row of ${kind.resource}: ${expected}`, () => assert.equal(row(kind, object), expected));
