import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, EndpointSlice, Endpoints, KubeObject, Pod, Service } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { plan as planEndpoints } from '../endpoints/plan.ts';
import type { Step, Write } from '../step.ts';
import { endpointsMax, plan } from './plan.ts';
import type { ZoneShares } from './zone-shares.ts';

function service(spec: Partial<Service['spec']> = {}): Service {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 's', labels: { team: 'a' } },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  };
}

interface Shape {
  readonly ready?: boolean;
  readonly ending?: boolean;
  readonly phase?: string;
  readonly port?: number;
  readonly spec?: Partial<Pod['spec']>;
}

function pod(
  index: number,
  { ready = true, ending = false, phase = 'Running', port = 8080, spec = {} }: Shape = {},
): Pod {
  return {
    metadata: {
      name: `web-${index}`,
      namespace: 'shop',
      uid: `u${index}`,
      labels: { app: 'web' },
      ...(ending ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: `n${index % 3}`,
      containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: port }] }],
      ...spec,
    },
    status: {
      phase,
      podIP: `10.0.${index >> 8}.${index & 255}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

const nodes = {
  zoneOf: (name: string): string => `zone-of-${name}`,
  hasNode: () => true,
  zoneShares: undefined,
};

function writesOf(steps: readonly Step[]): readonly Write[] {
  return steps.flatMap((step) => {
    if (step.kind === 'event') return [];
    return step.kind === 'together' ? step.writes : [step as Write];
  });
}

/** Slices as they are after the writes. */
function applied(slices: readonly EndpointSlice[], writes: readonly Write[]): readonly EndpointSlice[] {
  const byName = new Map(slices.map((slice) => [slice.metadata.name ?? '', slice]));
  for (const write of writes) {
    if (write.kind === 'delete') byName.delete(write.name);
    else if (write.kind === 'create' || write.kind === 'update') {
      const object = write.object as KubeObject as EndpointSlice;
      const name = object.metadata.name ?? `slice-${counter++}`;
      byName.set(name, { ...object, metadata: { ...object.metadata, name, uid: name } });
    }
  }
  return [...byName.values()];
}
let counter = 0;

const slicesFor = (of: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  applied(slices, writesOf(plan({ service: of, pods, slices, ...nodes })));

test('EndpointSlice plan() says of each pod where it is and in which condition', () => {
  const pods = [
    pod(1),
    pod(2, { ready: false }),
    pod(3, { ending: true }),
    pod(4, { phase: 'Succeeded' }),
    pod(5, { spec: { hostname: 'h', subdomain: 'web' } }),
  ];
  const [slice, ...others] = slicesFor(service(), pods);
  assert.equal(others.length, 0);
  assert.deepEqual(slice?.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.deepEqual(slice?.ports, [{ name: '', port: 8080, protocol: 'TCP' }]);
  assert.equal(slice?.metadata.ownerReferences?.[0]?.name, 'web');
  assert.deepEqual(slice?.endpoints?.[0], {
    addresses: ['10.0.0.1'],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'u1' },
    nodeName: 'n1',
    zone: 'zone-of-n1',
  } satisfies Endpoint);
  assert.deepEqual(
    slice?.endpoints?.map(({ conditions }) => [
      conditions?.ready,
      conditions?.serving,
      conditions?.terminating,
    ]),
    [
      [true, true, false],
      [false, false, false],
      [false, true, true],
      [true, true, false],
    ],
  );
  assert.equal(slice?.endpoints?.[3]?.hostname, 'h');
});

test('EndpointSlice plan() publishes what is not ready where asked, marks headless, resolves named ports pod by pod', () => {
  const headless = service({ clusterIP: 'None', publishNotReadyAddresses: true });
  const slices = slicesFor(headless, [pod(1, { ready: false }), pod(2, { port: 9090 })]);
  assert.deepEqual(slices.map(({ ports }) => ports?.[0]?.port).sort(), [8080, 9090]);
  assert.ok(slices.every(({ endpoints }) => endpoints?.[0]?.conditions?.ready));
  assert.ok(slices.every(({ metadata }) => metadata.labels?.['service.kubernetes.io/headless'] === ''));
});

// conformance, partly (the plan alone): [sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods
test('EndpointSlice plan() keeps one empty slice where there is nobody, and none without a selector', () => {
  const [slice, ...others] = slicesFor(service(), []);
  assert.deepEqual([slice?.endpoints, others.length], [[], 0]);
  assert.deepEqual(slicesFor(service({ selector: {} }), [pod(1)]), []);
});

test('EndpointSlice plan() follows any history in few writes, full slices and nothing lost (property)', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    let slices: readonly EndpointSlice[] = [];
    const pods = new Map<number, Pod>();
    for (let round = 0; round < 30; round++) {
      const changes = 1 + random.integer(60);
      for (let i = 0; i < changes; i++) {
        const index = random.integer(400);
        if (random.integer(3) === 0) pods.delete(index);
        else pods.set(index, pod(index, { ready: random.integer(4) > 0 }));
      }
      const observed = { service: service(), pods: [...pods.values()], slices, ...nodes };
      const writes = writesOf(plan(observed));
      assert.ok(writes.length <= changes + 1, `seed ${seed}: ${writes.length} writes for ${changes} changes`);
      slices = applied(slices, writes);
      const shown = slices.flatMap(({ endpoints = [] }) => endpoints);
      assert.ok(
        slices.every(({ endpoints = [] }) => endpoints.length <= endpointsMax),
        `seed ${seed}: a slice is too full`,
      );
      assert.deepEqual(
        shown.map(({ targetRef, conditions }) => `${targetRef?.uid} ${conditions?.ready}`).sort(),
        [...pods.values()]
          .map((one) => `${one.metadata.uid} ${one.status?.conditions?.[0]?.status === 'True'}`)
          .sort(),
        `seed ${seed}: every pod once`,
      );
      assert.deepEqual(plan({ ...observed, slices }), [], `seed ${seed}: quiet at rest`);
    }
  }
});

function inZones(...zones: readonly (string | undefined)[]) {
  return {
    zoneOf: (name: string): string | undefined => zones[Number(name.slice(1))],
    hasNode: () => true,
    zoneShares: undefined as ZoneShares,
  };
}

for (const [distribution, zones, expected] of [
  ['PreferClose', ['a', 'b', undefined], ['a -', 'b -', '- -']],
  ['PreferSameZone', ['a', 'b', 'c'], ['a -', 'b -', 'c -']],
  ['PreferSameNode', ['a', 'b', undefined], ['a n0', 'b n1', '- n2']],
  [undefined, ['a', 'b', 'c'], ['- -', '- -', '- -']],
] as const)
  test(`EndpointSlice plan() gives hints for ${distribution ?? 'nothing'}, in ${zones.join()}`, () => {
    const of = service(distribution === undefined ? {} : { trafficDistribution: distribution });
    const pods = [pod(0), pod(1), pod(2), pod(3, { ready: false })];
    const observed = { service: of, pods, slices: [], ...inZones(...zones) };
    const slices = applied([], writesOf(plan(observed)));
    const shown = slices.flatMap(({ endpoints = [] }) => endpoints);
    assert.deepEqual(
      shown
        .slice(0, 3)
        .map(({ hints }) => `${hints?.forZones?.[0]?.name ?? '-'} ${hints?.forNodes?.[0]?.name ?? '-'}`),
      expected,
    );
    assert.equal(shown[3]?.hints, undefined, 'who is not ready is for nobody');
    assert.deepEqual(plan({ ...observed, slices }), []);
  });

test('EndpointSlice plan() spreads endpoints over zones by their CPU, steadily, or says why not (property)', () => {
  const auto: Service = {
    ...service(),
    metadata: {
      ...service().metadata,
      annotations: { 'service.kubernetes.io/topology-mode': 'Auto' },
    },
  };
  const eventsOf = (steps: readonly Step[]): readonly string[] =>
    steps.flatMap((step) => (step.kind === 'event' ? [`${step.event.reason}: ${step.event.message}`] : []));
  const thirds: ZoneShares = new Map([
    ['a', 1 / 3],
    ['b', 1 / 3],
    ['c', 1 / 3],
  ]);
  const zoned = { ...inZones('a', 'b', 'c'), zoneShares: thirds };
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const cut = [random.integer(8) + 1, random.integer(8) + 1, random.integer(8) + 1];
    const total = cut.reduce((sum, one) => sum + one, 0);
    const shares = new Map(['a', 'b', 'c'].map((zone, at) => [zone, (cut[at] ?? 0) / total]));
    let slices: readonly EndpointSlice[] = [];
    let pods = Array.from({ length: 30 + random.integer(200) }, (_, index) => pod(index));
    for (let round = 0; round < 5; round++) {
      const observed = { service: auto, pods, slices, ...zoned, zoneShares: shares };
      slices = applied(slices, writesOf(plan(observed)));
      const shown = slices.flatMap(({ endpoints = [] }) => endpoints);
      for (const [zone, share] of shares) {
        const count = shown.filter(({ hints }) => hints?.forZones?.[0]?.name === zone).length;
        const load = (share * shown.length) / count;
        assert.ok(load <= 1.2 + 1e-9, `seed ${seed}: endpoints of ${zone} have ${load} of their part`);
      }
      assert.ok(shown.every(({ hints }) => hints !== undefined));
      assert.deepEqual(plan({ ...observed, slices }), [], `seed ${seed}: quiet at rest`);
      // One pod less: its zone's hints, and nearly all others, are as they were.
      pods = pods.slice(0, -1);
      const writes = writesOf(plan({ ...observed, pods, slices }));
      assert.ok(writes.length <= 3, `seed ${seed}: ${writes.length} writes for one pod`);
    }
  }
  for (const [count, facts, reason, words] of [
    [12, zoned, 'Enabled', 'Topology Aware Hints has been enabled'],
    [
      12,
      inZones('a', 'b', 'c'),
      'Disabled',
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    [2, zoned, 'Disabled', 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
    [
      4,
      { ...zoned, zoneShares: new Map([...thirds.keys()].map((zone, at) => [zone, at === 0 ? 0.9 : 0.05])) },
      'Disabled',
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    ],
    [
      9,
      { ...zoned, zoneOf: () => undefined },
      'Disabled',
      'One or more endpoints do not have a zone specified',
    ],
  ] as const) {
    const pods = Array.from({ length: count }, (_, index) => pod(index));
    const steps = plan({ service: auto, pods, slices: [], ...facts });
    assert.deepEqual(eventsOf(steps), [`TopologyAwareHints${reason}: ${words}, addressType: IPv4`]);
  }
});

test('EndpointSlice plan() leaves out pods of a node that is gone, unless all shall be published', () => {
  const gone = { ...nodes, hasNode: (name: string) => name !== 'n1' };
  const shown = (of: Service): number =>
    applied([], writesOf(plan({ service: of, pods: [pod(0), pod(1)], slices: [], ...gone }))).flatMap(
      ({ endpoints = [] }) => endpoints,
    ).length;
  assert.equal(shown(service()), 1);
  assert.equal(shown(service({ publishNotReadyAddresses: true })), 2);
});

test('EndpointSlice plan() tells since when what it tells is so', () => {
  const at = (one: Pod, lastTransitionTime: string): Pod => ({
    ...one,
    status: { ...one.status, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] },
  });
  const made = {
    ...service(),
    metadata: { ...service().metadata, creationTimestamp: '2026-01-01T00:00:09Z' },
  };
  const first = [at(pod(0), '2026-01-01T00:00:05Z'), at(pod(1), '2026-01-01T00:00:07Z')];
  const timeOf = (slices: readonly EndpointSlice[]): string | undefined =>
    slices[0]?.metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'];
  let slices = slicesFor(made, first);
  assert.equal(timeOf(slices), '2026-01-01T00:00:05Z', 'the earliest');
  const second = [...first, at(pod(2), '2026-01-01T00:01:00Z')];
  slices = slicesFor(made, second, slices);
  assert.equal(timeOf(slices), '2026-01-01T00:01:00Z', 'only of what changed');
  slices = slicesFor(made, second.slice(1), slices);
  assert.equal(timeOf(slices), undefined, 'nothing says when a pod was deleted');
});

test('EndpointSlice plan() does not keep slices of an earlier Service of the same name', () => {
  const slices = slicesFor(service(), [pod(0)]);
  const again = { ...service(), metadata: { ...service().metadata, uid: 'another' } };
  const writes = writesOf(plan({ service: again, pods: [pod(0)], slices, ...nodes }));
  assert.deepEqual(writes.map(({ kind }) => kind).sort(), ['create', 'delete']);
});

test('Endpoints plan() groups by ports, sorts, leaves out what ends, and is quiet at rest', () => {
  const pods = [pod(3), pod(1), pod(2, { ready: false }), pod(4, { ending: true }), pod(5, { port: 9090 })];
  const [write] = writesOf(planEndpoints({ service: service(), pods, endpoints: undefined }));
  assert.ok(write?.kind === 'create');
  const endpoints = write.object as Endpoints;
  assert.deepEqual(
    endpoints.subsets?.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
      addresses.map(({ ip }) => ip),
      notReadyAddresses.map(({ ip }) => ip),
      ports,
    ]),
    [
      [['10.0.0.1', '10.0.0.3'], ['10.0.0.2'], [{ port: 8080, protocol: 'TCP' }]],
      [['10.0.0.5'], [], [{ port: 9090, protocol: 'TCP' }]],
    ],
  );
  assert.deepEqual(planEndpoints({ service: service(), pods, endpoints }), []);
  const many = Array.from({ length: 1200 }, (_, index) => pod(index));
  const [cut] = writesOf(planEndpoints({ service: service(), pods: many, endpoints }));
  assert.ok(cut?.kind === 'update');
  assert.equal((cut.object as Endpoints).subsets?.[0]?.addresses?.length, 1000);
  assert.equal(cut.object.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
});

test('Endpoints plan() removes its own object after the Service, and nobody else\u2019s', () => {
  const ours: Endpoints = {
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'e',
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    },
  };
  assert.equal(writesOf(planEndpoints({ service: undefined, pods: [], endpoints: ours }))[0]?.kind, 'delete');
  const foreign: Endpoints = { metadata: { name: 'web', namespace: 'shop', uid: 'e' } };
  assert.deepEqual(planEndpoints({ service: undefined, pods: [], endpoints: foreign }), []);
});
