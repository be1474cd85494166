/** Each strategy on the smallest cloud that shows it, and what keeps pods where they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Node,
  Pod,
  PodDisruptionBudget,
  RebalancePolicySpec,
  RebalanceStrategy,
  SchedulingProfile,
} from '../../api/index.ts';
import { movesOf, planMoves } from './plan-moves.ts';
import type { World } from './trial.ts';

const nowMs = Date.parse('2026-01-08T00:00:00Z');

const node = (name: string, more: object = {}, labels: object = {}): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: more,
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '20', 'nvidia.com/gpu': '2' } },
  }) as Node;

const pod = (name: string, nodeName: string, spec: object = {}, metadata: object = {}): Pod =>
  ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels: { app: 'web' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: `of-${name}`, controller: true },
      ],
      creationTimestamp: '2026-01-07T23:00:00Z',
      ...metadata,
    },
    spec: {
      nodeName,
      containers: [{ name: 'c', resources: { requests: { cpu: '500m', memory: '512Mi' } } }],
      ...spec,
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }) as unknown as Pod;

const spec = (strategy: RebalanceStrategy, more: Partial<RebalancePolicySpec> = {}): RebalancePolicySpec => ({
  strategies: [strategy],
  ...more,
});

const told = (world: Omit<World, 'nowMs'>, policy: RebalancePolicySpec): readonly string[] =>
  movesOf(planMoves({ nowMs, ...world }, policy)).map(({ pod: key, from, to }) => `${key} ${from} > ${to}`);

const stays = (world: Omit<World, 'nowMs'>, policy: RebalancePolicySpec): readonly string[] =>
  planMoves({ nowMs, ...world }, policy).stays.map((one) => `${one.reason}: ${one.pods.join(' ')}`);

test('planMoves() moves pods to where their scheduling profile would have them', () => {
  const nodes = [node('a'), node('busy'), node('empty')];
  const pods = [pod('p1', 'a'), pod('q1', 'busy'), pod('q2', 'busy')];
  const drained = spec({ type: 'Drain', nodeNames: ['a'] });
  assert.deepEqual(told({ nodes, pods }, drained), ['shop/p1 a > empty']);
  const profile = (strategy: string): SchedulingProfile => ({
    metadata: { name: 'p', uid: 'p' },
    spec: { strategy },
  });
  assert.deepEqual(told({ nodes, pods, profiles: [profile('BinPack')] }, drained), ['shop/p1 a > busy']);
});

test('planMoves() leaves gangs together, however their pods say that they are in one', () => {
  const world = {
    nodes: ['a', 'b'].map((name) => node(name)),
    pods: [
      pod('1', 'a', { schedulingGroup: { podGroupName: 'g' } }),
      pod('2', 'a', {}, { labels: { 'scheduling.caelum.dev/pod-group': 'h' } }),
    ],
  };
  const owners = world.pods.map((one) => ({
    ...one,
    metadata: { ...one.metadata, ownerReferences: world.pods[0]?.metadata.ownerReferences ?? [] },
  }));
  const policy = spec({ type: 'Duplicates' });
  assert.deepEqual(told({ ...world, pods: owners }, policy), []);
  assert.deepEqual(stays({ ...world, pods: owners }, policy), ['it is of a gang: shop/2']);
});

test('planMoves() empties the emptiest nodes and keeps new pods off them meanwhile', () => {
  const world = {
    nodes: ['a', 'b', 'c', 'empty'].map((name) => node(name)),
    pods: [pod('1', 'a'), pod('2', 'b'), pod('3', 'b'), pod('4', 'c'), pod('5', 'c'), pod('6', 'c')],
  };
  const { phases } = planMoves({ nowMs, ...world }, spec({ type: 'Defragment' }));
  assert.deepEqual(
    phases.map(({ strategy, hold, moves }) => [
      strategy,
      hold,
      moves.map(({ pod: key, to }) => `${key} ${to}`),
    ]),
    [['Defragment', ['a', 'b', 'empty'], ['shop/1 c', 'shop/2 c', 'shop/3 c']]],
  );
  const waiting = [...world.pods, pod('7', '')];
  assert.deepEqual(
    told({ ...world, pods: waiting }, spec({ type: 'Defragment' })),
    [],
    'while pods wait nothing is packed',
  );
});

test('planMoves() frees nodes of a resource alone', () => {
  const gpu = { containers: [{ name: 'c', resources: { requests: { 'nvidia.com/gpu': '1' } } }] };
  const world = {
    nodes: [node('a'), node('b')],
    pods: [pod('1', 'a', gpu), pod('2', 'b', gpu), pod('3', 'a')],
  };
  assert.deepEqual(told(world, spec({ type: 'Defragment', resources: ['nvidia.com/gpu'] })), [
    'shop/1 a > b',
  ]);
});

test('planMoves() moves what nodes and neighbours would not have where it is', () => {
  const cases: readonly [RebalanceStrategy, Omit<World, 'nowMs'>, readonly string[]][] = [
    [
      { type: 'Drain', nodeNames: ['a'] },
      { nodes: [node('a'), node('b')], pods: [pod('1', 'a')] },
      ['shop/1 a > b'],
    ],
    [
      { type: 'Drain' },
      { nodes: [node('a', { unschedulable: true }), node('b')], pods: [pod('1', 'a'), pod('2', 'b')] },
      ['shop/1 a > b'],
    ],
    [
      { type: 'NodeTaints' },
      {
        nodes: [node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] }), node('b')],
        pods: [pod('1', 'a')],
      },
      ['shop/1 a > b'],
    ],
    [
      { type: 'NodeAffinity' },
      {
        nodes: [node('a'), node('b', {}, { disk: 'fast' })],
        pods: [pod('1', 'a', { nodeSelector: { disk: 'fast' } })],
      },
      ['shop/1 a > b'],
    ],
    [
      { type: 'Duplicates' },
      {
        nodes: [node('a'), node('b')],
        pods: ['1', '2', '3'].map((name) =>
          pod(
            name,
            'a',
            {},
            { ownerReferences: [{ kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }] },
          ),
        ),
      },
      ['shop/2 a > b'],
    ],
    [
      { type: 'LowUtilization', targetThresholds: { cpu: 30 } },
      { nodes: [node('a'), node('b')], pods: ['1', '2', '3', '4'].map((name) => pod(name, 'a')) },
      ['shop/1 a > b', 'shop/2 a > b'],
    ],
    [
      { type: 'Lifetime', maxLifetime: '30m0s' },
      { nodes: [node('a')], pods: [pod('1', 'a')] },
      ['shop/1 a > a'],
    ],
  ];
  for (const [strategy, world, expected] of cases)
    assert.deepEqual(told(world, spec(strategy)), expected, strategy.type);
});

test('planMoves() repairs spreading and anti-affinity', () => {
  const hostname = 'kubernetes.io/hostname';
  const labelSelector = { matchLabels: { app: 'web' } };
  const spread = {
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: hostname, whenUnsatisfiable: 'DoNotSchedule', labelSelector },
    ],
  };
  const apart = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: hostname, labelSelector }],
      },
    },
  };
  const nodes = [node('a'), node('b')];
  const skewed = ['1', '2', '3', '4'].map((name) => pod(name, 'a', spread));
  assert.deepEqual(told({ nodes, pods: skewed }, spec({ type: 'SpreadRepair' })), [
    'shop/1 a > b',
    'shop/2 a > b',
  ]);
  const together = [pod('1', 'a', apart), pod('2', 'a', apart)];
  assert.deepEqual(told({ nodes, pods: together }, spec({ type: 'AntiAffinity' })), ['shop/1 a > b']);
});

test('planMoves() keeps budgets, limits and who shall stay, and says so', () => {
  const nodes = [node('a', { unschedulable: true }), node('b')];
  const drain = { type: 'Drain' };
  const pods = ['1', '2', '3'].map((name) => pod(name, 'a'));
  const budget = {
    metadata: { name: 'pdb', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'web' } } },
    status: { disruptionsAllowed: 1 },
  } as unknown as PodDisruptionBudget;
  assert.deepEqual(told({ nodes, pods, budgets: [budget] }, spec(drain)), ['shop/1 a > b']);
  assert.deepEqual(stays({ nodes, pods, budgets: [budget] }, spec(drain)), [
    'its disruption budget pdb allows no more: shop/2 shop/3',
  ]);
  assert.equal(told({ nodes, pods }, spec(drain, { limits: { movesPerNode: 2 } })).length, 2);
  const odd = (more: object, metadata: object = {}) => [pod('1', 'a', more, metadata)];
  const reasons: readonly [readonly Pod[], string, string?][] = [
    [odd({}, { ownerReferences: [] }), 'nobody would make it again: shop/1', 'BarePods'],
    [
      odd({}, { ownerReferences: [{ kind: 'Job', name: 'j', uid: 'j', controller: true }] }),
      'it is of a Job: shop/1',
      'JobPods',
    ],
    [odd({ volumes: [{ name: 'v', emptyDir: {} }] }), 'it has storage of its node: shop/1', 'LocalStorage'],
    [odd({ priority: 2_000_000_000 }), 'it is critical for the system: shop/1', 'SystemCritical'],
    [odd({}, { annotations: { 'scheduling.caelum.dev/keep': 'true' } }), 'it asks to be kept: shop/1'],
    [odd({}, { deletionTimestamp: '2026-01-08T00:00:00Z' }), 'it goes already: shop/1'],
    [
      odd({ containers: [{ name: 'c', resources: { requests: { cpu: '5' } } }] }),
      'there is no place for it elsewhere: shop/1',
    ],
  ];
  for (const [list, expected, word] of reasons) {
    assert.deepEqual(stays({ nodes, pods: list }, spec(drain)), [expected]);
    if (word !== undefined)
      assert.equal(told({ nodes, pods: list }, spec(drain, { allow: [word] })).length, 1, word);
  }
  const daemon = odd({}, { ownerReferences: [{ kind: 'DaemonSet', name: 'd', uid: 'd', controller: true }] });
  assert.deepEqual(
    [told({ nodes, pods: daemon }, spec(drain)), stays({ nodes, pods: daemon }, spec(drain))],
    [[], []],
  );
});

test('planMoves() does nothing for a strategy that would undo what one before it has mended', () => {
  const owner = { ownerReferences: [{ kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }] };
  const world = { nodes: [node('a'), node('b')], pods: [pod('1', 'a', {}, owner), pod('2', 'b', {}, owner)] };
  const both = (first: string, second: string) => ({ strategies: [{ type: first }, { type: second }] });
  assert.deepEqual(told(world, both('Duplicates', 'Defragment')), []);
  assert.deepEqual(told(world, both('Defragment', 'Duplicates')), ['shop/1 a > b']);
});
