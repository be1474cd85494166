/** Each rule on a cloud that keeps it and on one that does not; a report that holds names nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Node, Pod, ResourceQuota } from '../api/index.ts';
import { amountOf, amountText, takenBy } from './amounts.ts';
import { verifyPlacement, verifyResourceAllocation } from './verify.ts';
import type { Allocation, Finding } from './view.ts';

const node = (name: string, more: object = {}): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, zone: name === 'a' ? 'x' : 'y' } },
    spec: {},
    status: { allocatable: { cpu: '2', memory: '2Gi', pods: '3', 'example.com/gpu': '1' } },
    ...more,
  }) as Node;

const pod = (name: string, nodeName: string, requests: object = { cpu: '500m' }, more: object = {}): Pod =>
  ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels: { app: 'web' },
      creationTimestamp: '2026-01-01T00:01:00Z',
    },
    spec: { nodeName, containers: [{ name: 'c', resources: { requests } }], ...more },
    status: { phase: 'Running' },
  }) as unknown as Pod;

const found = (allocation: Allocation, rule: string): readonly Finding[] =>
  verifyResourceAllocation(allocation).findings.filter((one) => one.rule === rule);

test('amountOf() reads quantities exactly', () => {
  for (const [text, nano] of [
    ['1', 1_000_000_000n],
    ['100m', 100_000_000n],
    ['0.1', 100_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['1.5Gi', 1_610_612_736_000_000_000n],
    ['3n', 3n],
    ['1E', 10n ** 27n],
    ['-2', -2_000_000_000n],
    ['0.0000000001', 1n],
  ] as const)
    assert.equal(amountOf(text), nano, text);
  for (const bad of ['', 'x', '1Q', '.', 'Ki']) assert.equal(amountOf(bad), undefined, bad);
  assert.equal(amountText('cpu', amountOf('1500m') ?? 0n), '1500m');
  assert.equal(amountText('memory', amountOf('64Mi') ?? 0n), '64Mi');
});

test('takenBy() is the worst moment of a pod: sidecars stay, overhead counts, what it holds while it is resized too', () => {
  const amounts = takenBy({
    metadata: {},
    spec: {
      overhead: { cpu: '10m' },
      initContainers: [
        { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '100m' } } },
        { name: 'i', resources: { requests: { cpu: '1' } } },
      ],
      containers: [{ name: 'c', resources: { requests: { cpu: '300m', memory: '1Gi' } } }],
    },
    status: {
      containerStatuses: [
        {
          name: 'c',
          allocatedResources: { cpu: '300m' },
          resources: { requests: { cpu: '2', memory: '1Gi' } },
        },
      ],
    },
  } as unknown as Pod);
  assert.equal(amountText('cpu', amounts.get('cpu') ?? 0n), '2110m');
  assert.equal(amountText('memory', amounts.get('memory') ?? 0n), '1Gi');
});

test('verifyResourceAllocation() holds where all is right, and says how much it looked at', () => {
  const report = verifyResourceAllocation({
    nodes: [node('a'), node('b')],
    pods: [pod('1', 'a'), pod('2', 'b')],
  });
  assert.equal(report.holds, true);
  assert.deepEqual(report.findings, []);
  assert.equal(report.looked.placed, 2);
  assert.deepEqual(
    report.use.find((one) => one.resource === 'cpu'),
    { resource: 'cpu', taken: '1', allocatable: '4', part: 0.25 },
  );
});

test('verifyResourceAllocation() finds an overcommitted node, to the last thousandth', () => {
  const full = [pod('1', 'a', { cpu: '1' }), pod('2', 'a', { cpu: '1' })];
  assert.equal(verifyResourceAllocation({ nodes: [node('a')], pods: full }).holds, true);
  const [finding] = found(
    { nodes: [node('a')], pods: [...full, pod('3', 'a', { cpu: '1m' })] },
    'capacity/resources',
  );
  assert.deepEqual(finding?.numbers, { resource: 'cpu', taken: '2001m', allocatable: '2', over: '1m' });
  assert.ok(finding?.objects.includes('node/a'));
  const gpus = [pod('1', 'a', { 'example.com/gpu': '1' }), pod('2', 'a', { 'example.com/gpu': '1' })];
  assert.equal(found({ nodes: [node('a')], pods: gpus }, 'capacity/resources').length, 1);
  const many = ['1', '2', '3', '4'].map((name) => pod(name, 'a', {}));
  assert.equal(found({ nodes: [node('a')], pods: many }, 'capacity/pods')[0]?.severity, 'violation');
  const over = many.map((one, at) => (at === 0 ? { ...one, status: { phase: 'Succeeded' } } : one)) as Pod[];
  assert.equal(
    found({ nodes: [node('a')], pods: over }, 'capacity/pods').length,
    0,
    'what has ended takes nothing',
  );
});

test('verifyResourceAllocation() finds host ports, devices and volumes that two have', () => {
  const port = (hostIP?: string) => ({
    containers: [
      {
        name: 'c',
        ports: [{ containerPort: 80, hostPort: 80, ...(hostIP === undefined ? {} : { hostIP }) }],
      },
    ],
  });
  const at = (x: string | undefined, y: string | undefined) =>
    found(
      { nodes: [node('a')], pods: [pod('1', 'a', {}, port(x)), pod('2', 'a', {}, port(y))] },
      'capacity/host-ports',
    );
  assert.equal(at('10.0.0.1', '10.0.0.2').length, 0);
  assert.equal(at('10.0.0.1', undefined).length, 1);
  const claim = (name: string, device: object) => ({
    metadata: { name, namespace: 'shop' },
    status: {
      allocation: {
        devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device: 'g', ...device }] },
      },
    },
  });
  const devices = (...deviceClaims: object[]) =>
    found({ nodes: [], pods: [], deviceClaims: deviceClaims as never }, 'capacity/devices').length;
  assert.equal(devices(claim('x', {}), claim('y', { adminAccess: true })), 0);
  assert.equal(devices(claim('x', {}), claim('y', {})), 1);
  assert.equal(devices(claim('x', { shareID: '1' }), claim('y', { shareID: '2' })), 0);
  assert.equal(devices(claim('x', { shareID: '1' }), claim('y', {})), 1);
  const volumes = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] };
  const claims = [
    { metadata: { name: 'c', namespace: 'shop' }, spec: { accessModes: ['ReadWriteOncePod'] } },
  ] as never;
  const pods = [pod('1', 'a', {}, volumes), pod('2', 'b', {}, volumes)];
  assert.equal(found({ nodes: [node('a'), node('b')], pods, claims }, 'capacity/volume-exclusive').length, 1);
});

test('verifyResourceAllocation() tells what cannot be from what has changed since', () => {
  const picky = pod('1', 'a', {}, { nodeSelector: { zone: 'y' } });
  const [moved] = found({ nodes: [node('a')], pods: [picky] }, 'isolation/node-selector');
  assert.equal(moved?.severity, 'drift');
  assert.equal(verifyPlacement({ nodes: [node('a')], pods: [picky] }, picky)[0]?.severity, 'violation');
  const named = pod(
    '1',
    'a',
    {},
    {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
          },
        },
      },
    },
  );
  assert.equal(
    found({ nodes: [node('a')], pods: [named] }, 'isolation/node-affinity')[0]?.severity,
    'violation',
  );
  const timeAdded = '2026-01-01T00:00:00Z';
  const sick = node('a', { spec: { taints: [{ key: 'k', effect: 'NoExecute', timeAdded }] } });
  const after = (seconds: number) =>
    found(
      { nodes: [sick], pods: [pod('1', 'a')], nowMs: Date.parse(timeAdded) + 1000 * seconds },
      'isolation/taints',
    );
  assert.equal(after(30)[0]?.severity, 'drift');
  assert.equal(after(90)[0]?.severity, 'violation');
  const restricted = {
    metadata: { name: 'shop', annotations: { 'scheduler.alpha.kubernetes.io/node-selector': 'zone=y' } },
  } as Namespace;
  assert.equal(
    found(
      { nodes: [node('a')], pods: [pod('1', 'a')], namespaces: [restricted] },
      'isolation/namespace-nodes',
    ).length,
    1,
  );
});

test('verifyResourceAllocation() counts quotas again: growth beyond one is a violation, one made smaller is not', () => {
  const quota = (creationTimestamp: string, hard: object, more: object = {}): ResourceQuota =>
    ({
      metadata: { name: 'q', namespace: 'shop', creationTimestamp },
      spec: { hard, ...more },
    }) as ResourceQuota;
  const pods = [pod('1', 'a', { cpu: '1' }), pod('2', '', { cpu: '1' })];
  const with_ = (one: ResourceQuota) => found({ nodes: [node('a')], pods, quotas: [one] }, 'isolation/quota');
  assert.equal(with_(quota('2026-01-01T00:00:00Z', { 'requests.cpu': '2' })).length, 0);
  const [finding] = with_(quota('2026-01-01T00:00:00Z', { 'requests.cpu': '1500m' }));
  assert.equal(finding?.severity, 'violation');
  assert.deepEqual(finding?.numbers, { resource: 'requests.cpu', used: '2', hard: '1500m' });
  assert.equal(with_(quota('2026-01-01T00:02:00Z', { pods: '1' }))[0]?.severity, 'drift');
  assert.equal(with_(quota('2026-01-01T00:00:00Z', { pods: '1' }, { scopes: ['Terminating'] })).length, 0);
});

test('verifyResourceAllocation() knows how fair it is: Jain index, envy, promises of queues', () => {
  const waiting = (name: string, namespace: string): Pod =>
    ({
      metadata: { name, namespace, uid: name },
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
      status: {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    }) as unknown as Pod;
  const of = (namespace: string, name: string, cpu: string): Pod => {
    const one = pod(name, 'a', { cpu });
    return { ...one, metadata: { ...one.metadata, namespace } };
  };
  const pods = [of('rich', '1', '1500m'), of('poor', '2', '500m'), waiting('3', 'poor')];
  const { fairness, findings, holds } = verifyResourceAllocation({ nodes: [node('a')], pods });
  assert.equal(holds, true, 'envy is no violation');
  assert.deepEqual(
    fairness.tenants.map((one) => [one.tenant, one.dominantShare]),
    [
      ['poor', 0.25],
      ['rich', 0.75],
    ],
  );
  assert.equal(fairness.jainIndex, 0.8);
  assert.deepEqual(fairness.envy, [{ tenant: 'poor', of: 'rich', times: 3 }]);
  assert.equal(findings[0]?.rule, 'fairness/envy');
  const queues = [
    { metadata: { name: 'gold' }, spec: { namespaces: ['poor'], weight: 1, min: { cpu: '1' } } },
    { metadata: { name: 'tin' }, spec: { namespaceSelector: {}, weight: 3 } },
  ];
  const promised = verifyResourceAllocation({
    nodes: [node('a')],
    pods,
    queues,
    nowMs: Date.parse('2026-01-01T00:05:00Z'),
  });
  assert.equal(promised.fairness.envy.length, 0, 'by weight they have the same');
  assert.deepEqual(
    promised.findings.map((one) => one.rule),
    ['fairness/guarantee'],
  );
  assert.equal(promised.holds, false);
  const metadata = (name: string) => ({ metadata: { name } });
  const inTree = [
    { metadata: { name: 'all' }, spec: { max: { cpu: '1500m' } } },
    {
      ...metadata('gold'),
      spec: { namespaces: ['poor'], parent: 'all', min: { cpu: '1' }, reclaimPolicy: 'Never' },
    },
    { ...metadata('tin'), spec: { namespaceSelector: {}, parent: 'all' } },
  ];
  assert.deepEqual(
    verifyResourceAllocation({ nodes: [node('a')], pods, queues: inTree })
      .findings.filter((one) => one.rule !== 'fairness/envy')
      .map((one) => [one.rule, one.severity, one.objects]),
    [
      ['fairness/limit', 'violation', ['queue/all']],
      ['fairness/guarantee', 'note', ['queue/gold', 'queue/tin']],
    ],
  );
});

test('verifyResourceAllocation() counts devices that claims were given for the queues of who uses them', () => {
  const user = (name: string, namespace: string): Pod => {
    const made = pod(name, 'a');
    return { ...made, metadata: { ...made.metadata, namespace, uid: name } };
  };
  const pods = [user('1', 'red'), user('2', 'red'), user('3', 'blue')];
  const claim = (devices: number, ...users: readonly string[]) => ({
    metadata: { name: users.join(''), namespace: 'red' },
    spec: {
      devices: {
        requests: [
          { name: 'r', exactly: { deviceClassName: 'gpu' } },
          { name: 'f', firstAvailable: [{ name: 's', deviceClassName: 'gpu' }] },
        ],
      },
    },
    status: {
      allocation: {
        devices: {
          results: [
            ...Array.from({ length: devices }, (_, i) => ({
              request: i === 0 ? 'f/s' : 'r',
              driver: 'd',
              pool: 'p',
              device: `${users}${i}`,
            })),
            { request: 'r', driver: 'd', pool: 'p', device: 'looked-after', adminAccess: true },
          ],
        },
      },
      reservedFor: users.map((uid) => ({ resource: 'pods', name: uid, uid })),
    },
  });
  const name = 'gpu.deviceclass.resource.k8s.io/devices';
  const queues = [
    { metadata: { name: 'all' }, spec: { max: { [name]: '5' } } },
    { metadata: { name: 'red' }, spec: { namespaces: ['red'], parent: 'all', max: { [name]: '3' } } },
    { metadata: { name: 'blue' }, spec: { namespaces: ['blue'], parent: 'all', max: { [name]: '0' } } },
  ];
  const limits = (...deviceClaims: readonly object[]) =>
    found({ nodes: [node('a')], pods, queues, deviceClaims: deviceClaims as never }, 'fairness/limit').map(
      (one) => [one.objects[0], one.numbers['used']],
    );
  assert.deepEqual(limits(claim(3, '1', '2')), [], 'once, though two use it');
  assert.deepEqual(limits(claim(3, '1'), claim(1, '2')), [['queue/red', '4']]);
  assert.deepEqual(limits(claim(3, '1', '3')), [], 'what queues share is theirs together');
  assert.deepEqual(limits(claim(3, '1', '2'), claim(3, '2', '3')), [['queue/all', '6']]);
  assert.deepEqual(limits(claim(9)), [], 'nobody uses it');
});

test('verifyResourceAllocation() finds GPUs of which more is given than there is', () => {
  const key = 'scheduling.caelum.dev/';
  const labels = { [`${key}gpu-count`]: '2', [`${key}gpu-model`]: 'T4' };
  const host = { ...node('a'), metadata: { name: 'a', labels } } as Node;
  const having = (name: string, annotations: Record<string, string>): Pod => {
    const one = pod(name, 'a');
    return { ...one, metadata: { ...one.metadata, annotations } };
  };
  const share = (name: string, milli: string, devices: string, more: Record<string, string> = {}): Pod =>
    having(name, { [`${key}gpu-milli`]: milli, [`${key}gpu-devices`]: devices, ...more });
  const messages = (...pods: readonly Pod[]): readonly string[] =>
    found({ nodes: [host], pods }, 'capacity/gpus').map(({ message }) => message);
  assert.deepEqual(messages(share('p', '600', '0'), share('q', '400', '0'), share('r', '1000', '1')), []);
  assert.deepEqual(messages(share('p', '600', '0'), share('q', '401', '0')), [
    'of GPU 0 of node a 1001 thousandths are given',
  ]);
  assert.deepEqual(messages(share('p', '600', '0,1')), ['pod/shop/p asks for 1 GPUs and has 2']);
  assert.deepEqual(messages(share('p', '600', '2')), ['GPU 2 is given of node a, which has 2']);
  assert.deepEqual(messages(share('p', '600', '1', { [`${key}gpu-models`]: 'A10|P100' })), [
    'pod/shop/p asks for GPUs of model A10|P100 and has some of T4',
  ]);
  const limits = (max: string) =>
    verifyResourceAllocation({
      nodes: [host],
      pods: [having('p', { [`${key}gpu-milli`]: '600' }), having('q', { [`${key}gpu-milli`]: '500' })],
      queues: [
        { metadata: { name: 'all' }, spec: { namespaceSelector: {}, max: { [`${key}gpu-milli`]: max } } },
      ],
    }).findings.map((one) => one.rule);
  assert.deepEqual([limits('1099'), limits('1100')], [['fairness/limit'], []]);
  const asResource = pod('p', 'a', { [`${key}gpu-milli`]: '500' });
  assert.deepEqual(found({ nodes: [host], pods: [asResource] }, 'capacity/resources'), []);
});
