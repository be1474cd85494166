import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, type Tree, updateRefusals } from './test-submission.ts';

const services = kindOf('services');
const address = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };
const service = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
});

test('a minimal Service has the defaults of Kubernetes', () => {
  const { spec, status } = created(services, service());
  assert.deepEqual(spec, {
    selector: { app: 'web' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv4'],
  });
  assert.deepEqual(status, { loadBalancer: {} });
});

const specOf = (object: Tree): Tree => created(services, object)['spec'] as Tree;

test('defaults follow the type', () => {
  assert.equal(specOf(service({ type: 'NodePort' }))['externalTrafficPolicy'], 'Cluster');
  assert.equal(specOf(service({ externalIPs: ['1.2.3.4'] }))['externalTrafficPolicy'], 'Cluster');
  const balanced = specOf(service({ type: 'LoadBalancer' }));
  assert.equal(balanced['allocateLoadBalancerNodePorts'], true);
  const named = specOf({ spec: { type: 'ExternalName', externalName: 'a.b' } });
  assert.deepEqual(named, { type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' });
  const sticky = specOf(service({ sessionAffinity: 'ClientIP' }));
  assert.deepEqual(sticky['sessionAffinityConfig'], { clientIP: { timeoutSeconds: 10_800 } });
});

test('address families follow what is said', () => {
  const headless = { clusterIP: 'None' };
  assert.deepEqual(specOf(service(headless))['ipFamilies'], ['IPv4']);
  const open = specOf({ spec: headless });
  assert.deepEqual(open['ipFamilies'], ['IPv4', 'IPv6']);
  assert.equal(open['ipFamilyPolicy'], 'RequireDualStack');
  assert.deepEqual(open['clusterIPs'], ['None']);
});

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['an address', service(address), []],
  ['no address at all, headless', { spec: { clusterIP: 'None' } }, []],
  ['a name elsewhere', { spec: { type: 'ExternalName', externalName: 'db.example.com.' } }, []],
  ['no ports', { spec: {} }, ['spec.ports: Required value']],
  [
    'two ports, one without a name',
    service({ ports: [{ port: 80, name: 'a' }, { port: 81 }] }),
    ['spec.ports[1].name: Required value'],
  ],
  [
    'bad ports',
    service({
      ports: [
        { port: 0, name: 'A' },
        { port: 80, name: 'x', protocol: 'HTTP', targetPort: 'web_1' },
        { port: 80, name: 'x', protocol: 'HTTP', nodePort: 30_000 },
      ],
    }),
    [
      `spec.ports[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[1].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[1].targetPort: Invalid value: "web_1": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ports[2].name: Duplicate value: "x"',
      'spec.ports[2].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
      "spec.ports[2].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      'spec.ports[2]: Duplicate value: {"port":80,"protocol":"HTTP"}',
    ],
  ],
  [
    'a type that is not there',
    service({ type: 'Internal' }),
    [
      'spec.type: Unsupported value: "Internal": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    'a node port without address',
    service({ type: 'NodePort', clusterIP: 'None' }),
    [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
  ],
  [
    'a name elsewhere, and an address',
    { spec: { type: 'ExternalName', externalName: '', clusterIPs: ['10.0.0.1'] } },
    [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Required value',
    ],
  ],
  [
    'two addresses that differ',
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }),
    ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
  ],
  [
    'addresses outside that are none',
    service({ externalIPs: ['1.2.3', '127.0.0.1', '169.254.1.1', '0.0.0.0'] }),
    [
      'spec.externalIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.externalIPs[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.externalIPs[2]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'spec.externalIPs[3]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
  ],
  [
    'what only load balancers have',
    service({
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      allocateLoadBalancerNodePorts: true,
      loadBalancerClass: 'a/b',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 5,
    }),
    [
      "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "spec.healthCheckNodePort: Invalid value: 5: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    'patience without end',
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90_000 } } }),
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
    ],
  ],
  [
    'a bad name',
    { metadata: { name: '1web' }, spec: { ports: [{ port: 1 }] } },
    [
      `metadata.name: Invalid value: "1web": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
    ],
  ],
];

for (const [name, object, expected] of cases)
  test(`a Service with ${name}`, () => {
    const whole = { ...object, metadata: object['metadata'] ?? { name: 'web' } };
    assert.deepEqual(refusals(services, whole), expected);
  });

const updates: readonly (readonly [string, Tree, Tree, readonly string[]])[] = [
  ['nothing', service(address), service(address), []],
  ['nothing said of the address', service(address), service(), []],
  [
    'another address',
    service(address),
    service({ clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] }),
    ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  ],
  [
    'to a name elsewhere',
    service(address),
    service({ ...address, type: 'ExternalName', externalName: 'a' }),
    [],
  ],
  [
    'from a node port to an inner address',
    service({ ...address, type: 'NodePort', ports: [{ port: 80, nodePort: 30_000 }] }),
    service({ ...address, ports: [{ port: 80, nodePort: 30_000 }], externalTrafficPolicy: 'Cluster' }),
    [],
  ],
  [
    'from a load balancer to a node port',
    service({ ...address, type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] }),
    service({
      ...address,
      type: 'NodePort',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      allocateLoadBalancerNodePorts: true,
    }),
    [],
  ],
];

for (const [name, old, object, expected] of updates)
  test(`updating a Service: ${name}`, () =>
    assert.deepEqual(updateRefusals(services, old, object), expected));
