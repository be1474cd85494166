import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../api/index.ts';
import { diffRules, wholeTable } from './rule-plan.ts';
import { emptyRules, type RuleMemory, type RuleSet, rulesFor, serviceNameLabel } from './virtual-ips.ts';

const node = { nodeName: 'n1', podCidr: '10.1.0.0/16' };

function service(name: string, spec: ServiceSpec, ingress: readonly string[] = []): Service {
  return {
    metadata: { name, namespace: 'default' },
    spec: { type: 'ClusterIP', ...spec },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

function slice(
  name: string,
  endpoints: readonly Partial<Endpoint>[],
  port = 8080,
  protocol = 'TCP',
): EndpointSlice {
  return {
    metadata: { name: `${name}-1`, namespace: 'default', labels: { [serviceNameLabel]: name } },
    addressType: 'IPv4',
    ports: [{ name: '', port, protocol }],
    endpoints: endpoints.map((one) => ({ addresses: [], nodeName: 'n1', ...one })),
  };
}

const web = (spec: ServiceSpec = {}): Service =>
  service('web', { clusterIP: '10.96.0.1', ports: [{ port: 80, protocol: 'TCP' }], ...spec });
const chain = (rules: RuleSet, name: string): readonly string[] | undefined => rules.chains.get(name);
const inside = 's-default/web/tcp-80';

test('rulesFor() balances over ready endpoints only', () => {
  const rules = rulesFor(
    [web()],
    [
      slice('web', [
        { addresses: ['10.1.0.2'] },
        { addresses: ['10.1.0.3'], conditions: { ready: true } },
        { addresses: ['10.1.0.4'], conditions: { ready: false } },
      ]),
    ],
    node,
  );
  assert.equal(rules.virtual.get('10.96.0.1 . tcp . 80'), inside);
  assert.deepEqual(chain(rules, inside), [
    'ip saddr != 10.1.0.0/16 meta mark set meta mark | 0x4000',
    'meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.1.0.2 . 8080, 1 : 10.1.0.3 . 8080 }',
  ]);
  assert.deepEqual([...rules.hairpin], ['10.1.0.2', '10.1.0.3']);
});

test('rulesFor() refuses where there is nobody, and falls back to those that still serve', () => {
  const none = rulesFor(
    [web({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })],
    [slice('web', [])],
    node,
  );
  assert.deepEqual(
    [...none.refusedVirtual, ...none.refusedNodePorts],
    ['10.96.0.1 . tcp . 80', 'tcp . 30080'],
  );
  const leaving = { ready: false, serving: true, terminating: true };
  const last = rulesFor(
    [web()],
    [
      slice('web', [
        { addresses: ['10.1.0.2'], conditions: leaving },
        { addresses: ['10.1.0.3'], conditions: { ...leaving, serving: false } },
      ]),
    ],
    node,
  );
  assert.match(chain(last, inside)?.[1] ?? '', /dnat to 10\.1\.0\.2:8080$/);
});

test('rulesFor() leaves out headless and external services, and other ports', () => {
  for (const spec of [
    { clusterIP: 'None' },
    { type: 'ExternalName', externalName: 'x.y' },
    { clusterIP: '' },
  ])
    assert.equal(rulesFor([web(spec)], [slice('web', [{ addresses: ['10.1.0.2'] }])], node).virtual.size, 0);
  const named = rulesFor(
    [web({ ports: [{ name: 'other', port: 80 }] })],
    [slice('web', [{ addresses: ['10.1.0.2'] }])],
    node,
  );
  assert.equal(named.virtual.size, 0);
});

test('rulesFor() asks who is near where all hints say who that is, and everybody otherwise', () => {
  const zone = (name: string, forNode?: string) => ({
    hints: { forZones: [{ name }], ...(forNode === undefined ? {} : { forNodes: [{ name: forNode }] }) },
  });
  const [a, b, c] = ['10.1.0.2', '10.1.0.3', '10.1.0.4'].map((ip) => ({ addresses: [ip] }));
  const targets = (
    endpoints: readonly Partial<Endpoint>[],
    facts: object,
    spec: ServiceSpec = {},
  ): string => {
    const rules = rulesFor([web(spec)], [slice('web', endpoints)], { ...node, ...facts });
    return [...new Set((chain(rules, inside) ?? []).join().match(/10\.1\.0\.[2-4]/g) ?? [])].sort().join(' ');
  };
  const zones = [
    { ...a, ...zone('one') },
    { ...b, ...zone('two') },
    { ...c, ...zone('one') },
  ];
  assert.equal(targets(zones, { zone: 'one' }), '10.1.0.2 10.1.0.4');
  assert.equal(targets(zones, { zone: 'two' }), '10.1.0.3');
  assert.equal(targets(zones, { zone: 'three' }), '10.1.0.2 10.1.0.3 10.1.0.4', 'nobody is near');
  assert.equal(targets(zones, {}), '10.1.0.2 10.1.0.3 10.1.0.4', 'where this node is, is not known');
  assert.equal(targets([...zones.slice(0, 2), { ...c }], { zone: 'two' }), '10.1.0.2 10.1.0.3 10.1.0.4');
  const notReady = { ...c, conditions: { ready: false } };
  assert.equal(targets([...zones.slice(0, 2), notReady], { zone: 'two' }), '10.1.0.3', 'who is ready counts');
  const nodes = [
    { ...a, ...zone('one', 'n1') },
    { ...b, ...zone('one', 'n2') },
    { ...c, ...zone('two', 'n3') },
  ];
  assert.equal(targets(nodes, { zone: 'one' }), '10.1.0.2', 'the node goes before the zone');
  assert.equal(targets(nodes, { nodeName: 'n9', zone: 'one' }), '10.1.0.2 10.1.0.3');
  const local = targets(nodes, { zone: 'two' }, { internalTrafficPolicy: 'Local' });
  assert.equal(local, '10.1.0.2 10.1.0.3 10.1.0.4', 'a policy goes before hints');
});

test('rulesFor() keeps outside traffic on this node when told so', () => {
  const endpoints = [{ addresses: ['10.1.0.2'] }, { addresses: ['10.2.0.2'], nodeName: 'n2' }];
  const spec: ServiceSpec = {
    type: 'NodePort',
    ports: [{ port: 80, nodePort: 30080 }],
    externalTrafficPolicy: 'Local',
  };
  const rules = rulesFor([web(spec)], [slice('web', endpoints)], node);
  assert.equal(rules.nodePorts.get('tcp . 30080'), 'x-default/web/tcp-80');
  assert.deepEqual(chain(rules, 'n-default/web/tcp-80'), ['meta l4proto tcp dnat to 10.1.0.2:8080']);
  const nobody = rulesFor([web(spec)], [slice('web', endpoints.slice(1))], node);
  assert.equal(chain(nobody, 'x-default/web/tcp-80')?.at(-1), 'drop');
  const internal = rulesFor(
    [web({ internalTrafficPolicy: 'Local' })],
    [slice('web', endpoints.slice(1))],
    node,
  );
  assert.deepEqual(chain(internal, inside), ['drop']);
});

test('rulesFor() serves external addresses, load balancers and their ranges', () => {
  const balancer = service(
    'web',
    {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.1',
      externalIPs: ['192.0.2.1'],
      loadBalancerSourceRanges: ['198.51.100.0/24'],
      ports: [{ port: 80 }],
    },
    ['192.0.2.2'],
  );
  const rules = rulesFor([balancer], [slice('web', [{ addresses: ['10.1.0.2'] }])], node);
  assert.equal(rules.virtual.get('192.0.2.1 . tcp . 80'), 'x-default/web/tcp-80');
  assert.equal(rules.virtual.get('192.0.2.2 . tcp . 80'), 'l-default/web/tcp-80');
  assert.match(chain(rules, 'l-default/web/tcp-80')?.[0] ?? '', /198\.51\.100\.0\/24.*drop/);
});

test('rulesFor() gives an address to one service only', () => {
  const first = service('a', { clusterIP: '10.96.0.1', ports: [{ port: 80 }] });
  const second = service('b', { clusterIP: '10.96.0.1', ports: [{ port: 80 }] });
  const slices = [slice('a', [{ addresses: ['10.1.0.2'] }]), slice('b', [{ addresses: ['10.1.0.3'] }])];
  assert.equal(
    rulesFor([second, first], slices, node).virtual.get('10.96.0.1 . tcp . 80'),
    's-default/a/tcp-80',
  );
});

test('diffRules() says only what changed, and forgets UDP flows of endpoints that are gone', () => {
  const memory: RuleMemory = new Map();
  const dns = service('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] });
  const steady = slice('web', [{ addresses: ['10.1.0.2'] }]);
  const one = rulesFor(
    [web(), dns],
    [steady, slice('dns', [{ addresses: ['10.1.0.5'] }], 53, 'UDP')],
    node,
    memory,
  );
  const two = rulesFor(
    [web(), dns],
    [steady, slice('dns', [{ addresses: ['10.1.0.6'] }], 53, 'UDP')],
    node,
    memory,
  );
  assert.equal(diffRules('t', one, one).apply, '');
  const plan = diffRules('t', one, two);
  assert.doesNotMatch(plan.apply, /web/);
  assert.match(plan.apply, /flush chain ip t s-default\/dns\/udp-53\n[\s\S]*add rule .*10\.1\.0\.6:53/);
  assert.deepEqual(plan.forget, [
    ['-D', '-p', 'udp', '--orig-dst', '10.96.0.10', '--orig-port-dst', '53', '--reply-src', '10.1.0.5'],
  ]);
  const gone = diffRules('t', two, emptyRules);
  assert.match(gone.cleanup, /delete chain ip t s-default\/dns\/udp-53/);
});

const skip =
  process.getuid?.() !== 0 ? 'needs root' : existsSync('/usr/sbin/nft') ? (false as const) : 'needs nft';

test('nft takes every table and every difference that the rules can give', { skip }, () => {
  const nft = (text: string): void => {
    execFileSync('unshare', ['-n', 'nft', '-f', '-'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
  };
  const endpoints = [{ addresses: ['10.1.0.2'] }, { addresses: ['10.2.0.2'], nodeName: 'n2' }];
  const specs: ServiceSpec[] = [
    {},
    { sessionAffinity: 'ClientIP' },
    { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] },
    {
      type: 'NodePort',
      ports: [{ port: 80, nodePort: 30080 }],
      externalTrafficPolicy: 'Local',
      sessionAffinity: 'ClientIP',
    },
    {
      type: 'NodePort',
      ports: [{ port: 80, nodePort: 30080 }],
      internalTrafficPolicy: 'Local',
      externalIPs: ['192.0.2.1'],
    },
    { type: 'NodePort', ports: [{ port: 80, nodePort: 30080, name: 'nobody' }] },
    { clusterIP: 'None' },
  ];
  const states = specs.map((spec) => rulesFor([web(spec)], [slice('web', endpoints)], node));
  let text = '';
  const long = {
    metadata: { name: 'n'.repeat(63), namespace: 'm'.repeat(63) },
    spec: { clusterIP: '10.96.3.3', ports: [{ port: 80 }] },
  };
  const longSlice = {
    ...slice('x', endpoints),
    metadata: { name: 'l', namespace: 'm'.repeat(63), labels: { [serviceNameLabel]: 'n'.repeat(63) } },
  };
  nft(wholeTable('caelum-t-services', rulesFor([long], [longSlice], node), { guardsLocalhost: true }));
  for (const state of states) nft(wholeTable('caelum-t-services', state, { guardsLocalhost: false }));
  // Each state after each other, in one namespace.
  text = wholeTable('caelum-t-services', emptyRules, { guardsLocalhost: true });
  const script: string[] = [text];
  let before: RuleSet = emptyRules;
  for (const first of states)
    for (const second of states)
      for (const next of [first, second]) {
        const plan = diffRules('caelum-t-services', before, next);
        script.push(plan.apply, plan.cleanup);
        before = next;
      }
  const steps = script.filter((step) => step !== '');
  execFileSync(
    'unshare',
    [
      '-n',
      'sh',
      '-ec',
      'while IFS= read -r line; do if [ "$line" = "#" ]; then printf %s "$batch" | nft -f -; batch=""; else batch="$batch$line\n"; fi; done'.replace(
        '$batch$line\\n',
        '$batch$line\n',
      ),
    ],
    { input: steps.map((step) => `${step}#\n`).join(''), stdio: ['pipe', 'pipe', 'pipe'] },
  );
});
