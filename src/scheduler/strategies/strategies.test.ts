import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, SchedulingProfile, SchedulingProfileSpec } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { demandOf } from '../demand.ts';
import { plan } from '../plan.ts';
import { Snapshot } from '../snapshot.ts';
import { capacityTypeOf, hourlyPrice } from './cost.ts';
import { fitScoreOf } from './fit-score.ts';
import type { NodeFigure } from './load.ts';
import { nearness, placeOf } from './location.ts';
import { Profiles } from './profiles.ts';
import { workloadTypeOf } from './workload-type.ts';

interface NodeLook {
  readonly labels?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: number;
}

function cloud(nodes: Readonly<Record<string, NodeLook>>): Snapshot {
  const snapshot = new Snapshot();
  for (const [name, { labels = {}, cpu = '8', memory = '32Gi', pods = 110 }] of Object.entries(nodes)) {
    const node: Node = {
      metadata: { name, labels },
      status: { allocatable: { cpu, memory, pods: String(pods) } },
    };
    snapshot.setNode(node);
  }
  return snapshot;
}

interface PodLook {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly memory?: string;
  readonly owner?: string;
  readonly schedulerName?: string;
}

function pod(name: string, look: PodLook = {}): Pod {
  const { annotations, cpu = '100m', memory = '256Mi', owner, schedulerName } = look;
  return {
    metadata: {
      name,
      namespace: 'd',
      uid: name,
      ...(annotations && { annotations }),
      ...(owner !== undefined && {
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true },
        ],
      }),
    },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory } } }],
      ...(schedulerName !== undefined && { schedulerName }),
    },
  };
}

const profile = (spec: SchedulingProfileSpec, name = 'p', creationTimestamp = ''): SchedulingProfile => ({
  metadata: { name, creationTimestamp },
  spec,
});

interface Told {
  readonly profiles: Profiles;
  readonly problems: string[];
}

function profiles(
  specs: readonly SchedulingProfileSpec[],
  functions: ConstructorParameters<typeof Profiles>[0]['functions'] = {},
): Told {
  const problems: string[] = [];
  const made = new Profiles({
    functions,
    nowMs: () => 0,
    tell: (name, problem) => void problems.push(`${name}: ${problem}`),
  });
  made.set(specs.map((spec, at) => profile(spec, `p${at}`)));
  return { profiles: made, problems };
}

function place(snapshot: Snapshot, { profiles: policy }: Told, pods: readonly Pod[]): readonly string[] {
  const waiting = pods.map((one) => ({ key: `d/${one.metadata.name}`, pod: one }));
  const nodeOf = new Map(
    plan(snapshot, waiting, policy).map((step) => [step.podKey, step.kind === 'bind' ? step.nodeName : '']),
  );
  return waiting.map(({ key }) => nodeOf.get(key) ?? 'lost');
}

const several = (count: number, look: PodLook = {}): readonly Pod[] =>
  Array.from({ length: count }, (_, at) => pod(`p${String(at).padStart(4, '0')}`, look));
const countOf = (nodes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const node of nodes) counts[node] = (counts[node] ?? 0) + 1;
  return counts;
};

test('RoundRobin lets nodes take turns, whatever is free on them, from one plan to the next', () => {
  const snapshot = cloud({ a: { cpu: '64' }, b: { cpu: '4' }, c: { cpu: '8' } });
  const policy = profiles([{ strategy: 'RoundRobin' }]);
  assert.deepEqual(place(snapshot, policy, several(4)), ['a', 'b', 'c', 'a']);
  assert.deepEqual(place(snapshot, policy, [pod('x'), pod('y'), pod('z')]), ['b', 'c', 'a']);
});

test('RoundRobin does not flood a node that was full for long', () => {
  const snapshot = cloud({ a: { pods: 2 }, b: {}, c: {} });
  const policy = profiles([{ strategy: 'RoundRobin' }]);
  place(snapshot, policy, several(40));
  for (const name of ['p0000', 'p0003']) snapshot.removePod(`d/${name}`);
  const next = place(snapshot, policy, [pod('x'), pod('y'), pod('z')]);
  assert.ok((countOf(next)['a'] ?? 0) <= 2, next.join());
});

test('WeightedRoundRobin takes turns by the weights of nodes, by their cores where none are given', () => {
  const weight = (text: string): NodeLook => ({ labels: { 'scheduling.caelum.dev/weight': text } });
  const policy = profiles([{ strategy: 'WeightedRoundRobin' }]);
  const told = place(cloud({ a: weight('3'), b: weight('1'), c: weight('2') }), policy, several(60));
  assert.deepEqual(countOf(told), { a: 30, b: 10, c: 20 });
  const cores = place(cloud({ a: { cpu: '16' }, b: { cpu: '4' } }), policy, several(50));
  assert.deepEqual(countOf(cores), { a: 40, b: 10 });
});

const later = (count: number, look: PodLook = {}): readonly Pod[] =>
  Array.from({ length: count }, (_, at) => pod(`later-${at}`, look));

/** The same cloud, as a scheduler finds it that was just started. */
function afresh(snapshot: Snapshot, nodes: Readonly<Record<string, NodeLook>>): Snapshot {
  const other = cloud(nodes);
  for (let row = 0; row < snapshot.rows; row++)
    for (const [key, one] of snapshot.placedOn(row)) other.addPod(key, one, snapshot.nameOf(row));
  return other;
}

test('RoundRobin and WeightedRoundRobin go on after a restart where they were', () => {
  const nodes = { a: { cpu: '3' }, b: { cpu: '1' }, c: { cpu: '2' }, d: { cpu: '7' } };
  for (const strategy of ['RoundRobin', 'WeightedRoundRobin'] as const)
    for (let before = 0; before <= 26; before++) {
      const snapshot = cloud(nodes);
      const others = later(9, { cpu: '1m' });
      place(snapshot, profiles([{ strategy }]), several(before, { cpu: '1m' }));
      const restarted = place(afresh(snapshot, nodes), profiles([{ strategy }]), others);
      assert.deepEqual(restarted, place(snapshot, profiles([{ strategy }]), others), `${strategy} ${before}`);
    }
});

test('RoundRobin gives who lost pods over a restart one turn before the others, not all of them', () => {
  const nodes = { a: {}, b: {}, c: {} };
  const snapshot = cloud(nodes);
  place(snapshot, profiles([{ strategy: 'RoundRobin' }]), several(30));
  for (const key of [...snapshot.placedOn(snapshot.rowOf('b') ?? -1)].map(([one]) => one))
    snapshot.removePod(key);
  // Pods that another strategy has placed had no turn.
  for (const name of ['x', 'y', 'z'])
    snapshot.addPod(
      `d/${name}`,
      pod(name, { annotations: { 'scheduling.caelum.dev/strategy': 'Spread' } }),
      'a',
    );
  const others = later(4);
  assert.deepEqual(place(afresh(snapshot, nodes), profiles([{ strategy: 'RoundRobin' }]), others), [
    'b',
    'a',
    'b',
    'c',
  ]);
});

test('LeastLoaded goes by what is used where that is known, else by what is asked for', () => {
  const policy = profiles([{ strategy: 'LeastLoaded' }]);
  const snapshot = cloud({ a: {}, b: {}, c: {} });
  snapshot.addPod('d/big', pod('big', { cpu: '4' }), 'a');
  assert.deepEqual(countOf(place(snapshot, policy, several(4))), { b: 2, c: 2 });
  // What was asked for on `a` is not used, and `b` uses more than anybody asked for.
  policy.profiles.setFigures(
    new Map<string, NodeFigure>([
      ['a', { cpuBeyondMilli: -3900, memoryBeyondBytes: 0 }],
      ['b', { cpuBeyondMilli: 6000, memoryBeyondBytes: 0 }],
      ['c', { cpuBeyondMilli: 1000, memoryBeyondBytes: 0 }],
    ]),
  );
  assert.deepEqual(countOf(place(snapshot, policy, [pod('x'), pod('y'), pod('z')])), { a: 3 });
});

test('LeastConnections and LeastResponseTime go by figures, and spread a burst', () => {
  const connections = profiles([{ strategy: 'LeastConnections' }]);
  const snapshot = cloud({ a: {}, b: {}, c: {} });
  assert.deepEqual(countOf(place(snapshot, connections, several(6))), { a: 2, b: 2, c: 2 });
  connections.profiles.setFigures(
    new Map([
      ['a', { connections: 90, pods: 2 }],
      ['b', { connections: 10, pods: 2 }],
      ['c', { connections: 50, pods: 2 }],
    ]),
  );
  // 25 for each pod: `b` is behind until it has as many as `c`.
  assert.deepEqual(countOf(place(snapshot, connections, [pod('x'), pod('y'), pod('z')])), { b: 2, c: 1 });
  const times = profiles([{ strategy: 'LeastResponseTime' }]);
  const fresh = cloud({ slow: {}, fast: {}, middle: {} });
  times.profiles.setFigures(
    new Map([
      ['slow', { responseMs: 90, load: 0 }],
      ['fast', { responseMs: 10, load: 0 }],
      ['middle', { responseMs: 20, load: 0 }],
    ]),
  );
  const placed = countOf(place(fresh, times, several(9, { cpu: '1' })));
  assert.equal(placed['slow'], undefined);
  assert.ok((placed['fast'] ?? 0) > (placed['middle'] ?? 0) && (placed['middle'] ?? 0) > 0);
});

test('ConsistentHash keeps nearly all pods where they are when a node goes, and spreads them evenly', () => {
  const names = Array.from({ length: 10 }, (_, at) => `n${at}`);
  const policy = profiles([{ strategy: 'ConsistentHash' }]);
  const pods = several(400, { cpu: '1m', memory: '1Mi' });
  const wide = { pods: 1000 };
  const before = place(cloud(Object.fromEntries(names.map((name) => [name, wide]))), policy, pods);
  const fewer = Object.fromEntries(names.filter((name) => name !== 'n4').map((name) => [name, wide]));
  const after = place(cloud(fewer), policy, pods);
  for (const [at, node] of before.entries()) if (node !== 'n4') assert.equal(after[at], node);
  for (const count of Object.values(countOf(before))) assert.ok(count > 20 && count < 60, `${count} of 40`);
});

test('IPHash places by the address of the client, ConsistentHash by the key that a pod names', () => {
  const nodes = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`n${at}`, {}]));
  const client = (ip: string) => ({ annotations: { 'scheduling.caelum.dev/client-ip': ip } });
  const byClient = place(cloud(nodes), profiles([{ strategy: 'IPHash' }]), [
    ...['a', 'b', 'c'].map((name) => pod(name, client('10.0.0.7'))),
    ...Array.from({ length: 12 }, (_, at) => pod(`o${at}`, client(`10.1.0.${at}`))),
  ]);
  assert.equal(new Set(byClient.slice(0, 3)).size, 1);
  assert.ok(new Set(byClient.slice(3)).size > 3);
  const key = { annotations: { 'scheduling.caelum.dev/hash-key': 'session' } };
  const byKey = place(cloud(nodes), profiles([{ strategy: 'ConsistentHash' }]), several(5, key));
  assert.equal(new Set(byKey).size, 1);
});

test('BinPack fills one node after the other, Spread keeps replicas apart', () => {
  const nodes = { a: {}, b: {}, c: {} };
  const packed = place(
    cloud(nodes),
    profiles([{ strategy: 'BinPack' }]),
    several(6, { cpu: '1', owner: 'o' }),
  );
  assert.deepEqual(countOf(packed), { a: 6 });
  const snapshot = cloud({ a: {}, b: {}, c: { cpu: '2' } });
  const spread = place(snapshot, profiles([{ strategy: 'Spread' }]), several(6, { cpu: '500m', owner: 'o' }));
  assert.deepEqual(countOf(spread), { a: 2, b: 2, c: 2 });
});

test('CostAware takes what is paid for, then what is cheap, and leaves empty nodes empty', () => {
  const node = (type: string): NodeLook => ({
    cpu: '2',
    memory: '8Gi',
    labels: { 'karpenter.sh/capacity-type': type },
  });
  const policy = profiles([
    {
      strategy: 'CostAware',
      prices: [
        { capacityType: 'Spot', hourly: '0.03' },
        { capacityType: 'OnDemand', hourly: '0.1' },
      ],
    },
  ]);
  const nodes = { d1: node('on-demand'), s1: node('spot'), s2: node('spot'), r1: node('reserved') };
  const placed = place(cloud(nodes), policy, several(8, { cpu: '500m' }));
  assert.deepEqual(countOf(placed), { r1: 4, s1: 4 });
  assert.equal(capacityTypeOf({ 'cloud.google.com/gke-spot': 'true' }), 'Spot');
  assert.equal(hourlyPrice({ 'scheduling.caelum.dev/hourly-price': '0.5' }, []), 0.5);
  assert.equal(hourlyPrice({}, []), undefined);
});

test('LocationAware goes to preferred places, and near to where a pod wants to be', () => {
  const at = (region: string, zone: string, rack: string): NodeLook => ({
    labels: {
      'topology.kubernetes.io/region': region,
      'topology.kubernetes.io/zone': zone,
      'topology.caelum.dev/rack': rack,
    },
  });
  const nodes = { a: at('eu', 'eu-1', 'r1'), b: at('eu', 'eu-2', 'r2'), c: at('us', 'us-1', 'r1') };
  const locations = {
    preferred: [
      { region: 'us', weight: 3 },
      { zone: 'eu-2', weight: 1 },
    ],
  };
  const policy = profiles([{ strategy: 'LocationAware', locations }]);
  assert.deepEqual(place(cloud(nodes), policy, several(2)), ['c', 'c']);
  const near = { annotations: { 'scheduling.caelum.dev/near': 'region=eu, zone=eu-2, rack=r2' } };
  const anywhere = profiles([{ strategy: 'LocationAware' }]);
  assert.deepEqual(place(cloud(nodes), anywhere, several(2, near)), ['b', 'b']);
  assert.equal(nearness(placeOf('zone=z'), { region: 'r', zone: 'z', rack: 'k' }), 50);
  assert.equal(nearness(placeOf('region=x,rack=k'), { region: 'r', rack: 'k' }), 0);
  assert.deepEqual(placeOf('nonsense,zone='), {});
});

test('Custom scores by an expression; what fails for a node is told, and the pod is placed by the rest', () => {
  const nodes = { a: { labels: { disk: 'hdd' } }, b: { labels: { disk: 'ssd' } }, c: {} };
  const policy = profiles([
    { strategy: 'Custom', custom: { expression: 'node.labels["disk"] == "ssd" ? 100.0 : 10.0' } },
  ]);
  assert.deepEqual(place(cloud(nodes), policy, several(2)), ['b', 'b']);
  assert.match(policy.problems[0] ?? '', /p0: node "c": no such key: disk/);
  const free = profiles([{ strategy: 'Custom', custom: { expression: '100.0 * free.cpu / node.cpu' } }]);
  const snapshot = cloud({ a: {}, b: {} });
  assert.deepEqual(place(snapshot, free, several(4, { cpu: '1' })), ['a', 'b', 'a', 'b']);
});

test('Custom cuts off a score that costs too much, for one node and for all together', () => {
  const numbers = `[${Array.from({ length: 40 }, (_, at) => at).join(',')}]`;
  const costly = (depth: number): string =>
    Array.from({ length: depth }).reduce<string>(
      (inner, _, at) => `${numbers}.all(x${at}, ${inner})`,
      'true',
    );
  const endless = profiles([{ strategy: 'Custom', custom: { expression: `${costly(4)} ? 1.0 : 0.0` } }]);
  assert.notDeepEqual(place(cloud({ a: {}, b: {} }), endless, [pod('x')]), ['']);
  assert.match(endless.problems[0] ?? '', /cut off: one score may cost/);
  const nodes = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`n${at}`, {}]));
  const long = profiles([{ strategy: 'Custom', custom: { expression: `${costly(2)} ? 1.0 : 0.0` } }]);
  assert.notDeepEqual(place(cloud(nodes), long, [pod('x')]), ['']);
  assert.ok(long.problems.every((one) => /cut off: (one|all)/.test(one)) && long.problems.length > 0);
});

test('Custom calls functions of the program; one that throws, lies or is not there keeps no pod waiting', () => {
  const byName = profiles([{ strategy: 'Custom', custom: { function: 'last' } }], {
    last: ({ node }) => (node.name === 'b' ? 100 : 0),
  });
  assert.deepEqual(place(cloud({ a: {}, b: {}, c: {} }), byName, several(1)), ['b']);
  for (const [score, why] of [
    [() => assert.fail('oh'), /oh/],
    [() => Number.NaN, /gave NaN/],
  ] as const) {
    const bad = profiles([{ strategy: 'Custom', custom: { function: 'f' } }], { f: score });
    assert.notDeepEqual(place(cloud({ a: {} }), bad, several(1)), ['']);
    assert.match(bad.problems[0] ?? '', why);
  }
  const missing = profiles([{ strategy: 'Custom', custom: { function: 'toString' } }]);
  assert.deepEqual(place(cloud({ a: {} }), missing, several(1)), ['a']);
  assert.match(missing.problems[0] ?? '', /no function "toString"/);
  let now = 0;
  const slow = new Profiles({
    functions: { f: () => ++now },
    nowMs: () => (now += 60),
    tell: (_, problem) => void problems.push(problem),
  });
  const problems: string[] = [];
  slow.set([profile({ strategy: 'Custom', custom: { function: 'f' } })]);
  place(cloud({ a: {}, b: {}, c: {}, d: {} }), { profiles: slow, problems }, several(1));
  assert.match(problems[0] ?? '', /cut off: all nodes together may take/);
});

test('Profiles.scorerOf() goes by the pod, then by the type of its workload, then by its scheduler', () => {
  const { profiles: policy } = profiles([
    { strategy: 'Spread', workloads: [{ type: 'CPUIntensive', strategy: 'BinPack' }] },
    { schedulerName: 'batch', strategy: 'RoundRobin', allowPodStrategy: false },
  ]);
  const asks = (strategy: string) => ({ annotations: { 'scheduling.caelum.dev/strategy': strategy } });
  const name = (look: PodLook): string => policy.scorerOf(pod('x', look)).name;
  assert.equal(name({}), 'Spread (p0)');
  assert.equal(name({ cpu: '4', memory: '1Gi' }), 'BinPack (p0)');
  assert.equal(name({ ...asks('least-loaded'), cpu: '4' }), 'LeastLoaded (p0)');
  assert.equal(name(asks('nonsense')), 'Spread (p0)');
  assert.equal(name(asks('Custom')), 'Spread (p0)');
  assert.equal(name({ ...asks('BinPack'), schedulerName: 'batch' }), 'RoundRobin (p1)');
  assert.equal(name({ schedulerName: 'other' }), 'LeastAllocated');
  assert.equal(policy.scorerOf(pod('x')), policy.scorerOf(pod('y')));
});

test('Profiles.set() heeds the oldest of several, and keeps scorers of what did not change', () => {
  const made = new Profiles({ nowMs: () => 0, tell: () => {} });
  const one = profile({ strategy: 'Spread' }, 'one', '2026-01-01T00:00:00Z');
  const two = profile({ strategy: 'BinPack' }, 'two', '2025-01-01T00:00:00Z');
  assert.deepEqual([...made.set([one, two])], [['one', 'two']]);
  const scorer = made.scorerOf(pod('x'));
  assert.equal(scorer.name, 'BinPack (two)');
  made.set([two]);
  assert.equal(made.scorerOf(pod('x')), scorer);
  made.set([{ ...two, spec: { strategy: 'Spread' } }]);
  assert.equal(made.scorerOf(pod('x')).name, 'Spread (two)');
  made.set([]);
  assert.equal(made.scorerOf(pod('x')).name, 'LeastAllocated');
});

test('workloadTypeOf() tells what a pod needs most', () => {
  const type = (look: PodLook) => workloadTypeOf(pod('x', look));
  assert.equal(type({ cpu: '4', memory: '2Gi' }), 'CPUIntensive');
  assert.equal(type({ cpu: '1', memory: '16Gi' }), 'MemoryIntensive');
  assert.equal(type({ cpu: '1', memory: '4Gi' }), undefined);
  assert.equal(type({ cpu: '0', memory: '0' }), undefined);
  const said = { annotations: { 'scheduling.caelum.dev/workload-type': 'latency-sensitive' } };
  assert.equal(type({ ...said, cpu: '4' }), 'LatencySensitive');
});

test('fitScoreOf() scores as kube-scheduler documents it', () => {
  const snapshot = cloud({ n: { cpu: '4', memory: '10000' } });
  const demand = demandOf(pod('x', { cpu: '3', memory: '5000' }));
  const score = (scoring: Parameters<typeof fitScoreOf>[0]) => fitScoreOf(scoring)(demand, snapshot, 0);
  const resources = [
    { name: 'cpu', weight: 1 },
    { name: 'memory', weight: 3 },
  ];
  assert.equal(score({ type: 'LeastAllocated', resources }), (25 + 3 * 50) / 4);
  assert.equal(score({ type: 'MostAllocated', resources }), (75 + 3 * 50) / 4);
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 50, score: 10 },
    { utilization: 100, score: 0 },
  ];
  assert.equal(
    score({ type: 'RequestedToCapacityRatio', resources, requestedToCapacityRatio: { shape } }),
    (50 + 3 * 100) / 4,
  );
});

test('every strategy places what fits, and nothing that does not (seeded)', (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(`strategies/${seed}`);
    const strategies = [
      'BinPack',
      'ConsistentHash',
      'CostAware',
      'FragmentationAware',
      'IPHash',
      'LeastConnections',
      'LeastLoaded',
      'LeastResponseTime',
      'LocationAware',
      'RoundRobin',
      'Spread',
      'WeightedRoundRobin',
    ];
    const nodes = Object.fromEntries(
      Array.from({ length: 1 + random.integer(6) }, (_, at) => [
        `n${at}`,
        { cpu: String(1 + random.integer(4)), pods: 1 + random.integer(8) },
      ]),
    );
    const snapshot = cloud(nodes);
    const policy = profiles([{}]);
    const pods = Array.from({ length: 30 }, (_, at) =>
      pod(`p${at}`, {
        cpu: `${100 + 100 * random.integer(10)}m`,
        memory: '1Mi',
        annotations: {
          'scheduling.caelum.dev/strategy': strategies[random.integer(strategies.length)] ?? '',
        },
      }),
    );
    const placed = place(snapshot, policy, pods);
    for (const [at, node] of placed.entries()) {
      const milli = demandOf(pods[at] as Pod).cpuMilli;
      const rows = Array.from({ length: snapshot.rows }, (_, row) => row);
      const isRoom = rows.some(
        (row) => (snapshot.podsFree[row] ?? 0) > 0 && (snapshot.cpuFree[row] ?? 0) >= milli,
      );
      if (node === '') assert.ok(!isRoom, `seed ${seed}: p${at} waits though there is room`);
    }
    for (let row = 0; row < snapshot.rows; row++)
      assert.ok(
        (snapshot.cpuFree[row] ?? 0) >= 0 && (snapshot.podsFree[row] ?? 0) >= 0,
        `seed ${seed}: overcommitted`,
      );
  }
  t.diagnostic('seeds 1 to 40');
});
