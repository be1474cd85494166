import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../api/index.ts';
import { SeededRandom } from '../lib/index.ts';
import { amountsOf } from './demand.ts';
import { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
import { Snapshot } from './snapshot.ts';

interface NodeShape {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: NonNullable<NonNullable<Node['spec']>['taints']>;
  readonly unschedulable?: boolean;
}

const node = (
  name: string,
  { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints, unschedulable }: NodeShape = {},
): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
    },
    status: { allocatable: { cpu, memory, pods } },
  }) as Node;

const pod = (name: string, spec: object = {}, cpu = '100m', meta: object = {}): WaitingPod => ({
  key: `default/${name}`,
  pod: {
    metadata: { name, namespace: 'default', ...meta },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
  } as Pod,
});

function snapshotOf(...nodes: readonly Node[]): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  return snapshot;
}

const nodesOf = (steps: readonly Step[]): (string | undefined)[] =>
  steps.map((step) => (step.kind === 'bind' ? step.nodeName : undefined));
const messageOf = (step: Step | undefined): string =>
  step?.kind === 'wait' ? waitMessage(step.nodes, step.refused) : `bound to ${step?.nodeName}`;

test('plan() spreads replicas of one owner evenly', () => {
  const snapshot = snapshotOf(node('a'), node('b'), node('c'));
  const owned = {
    ownerReferences: [{ uid: 'rs', controller: true, kind: 'ReplicaSet', name: 'w', apiVersion: 'apps/v1' }],
  };
  const steps = plan(
    snapshot,
    Array.from({ length: 6 }, (_, n) => pod(`w-${n}`, {}, '100m', owned)),
  );
  assert.deepEqual(nodesOf(steps).sort(), ['a', 'a', 'b', 'b', 'c', 'c']);
});

test('plan() puts higher priority first when room is short', () => {
  const steps = plan(snapshotOf(node('a', { cpu: '1' })), [
    pod('low', { priority: 1 }, '1'),
    pod('high', { priority: 9 }, '1'),
  ]);
  assert.deepEqual(
    steps.map((step) => [step.podKey, step.kind]),
    [
      ['default/high', 'bind'],
      ['default/low', 'wait'],
    ],
  );
});

for (const [what, nodes, waiting, message] of [
  ['no nodes', [], pod('p'), 'no nodes available to schedule pods'],
  [
    'too little cpu',
    [node('a', { cpu: '1' })],
    pod('p', {}, '2'),
    '0/1 nodes are available: 1 Insufficient cpu.',
  ],
  ['no place for a pod', [node('a', { pods: '0' })], pod('p'), '0/1 nodes are available: 1 Too many pods.'],
  [
    'a taint, a cordon and a label',
    [
      node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] }),
      node('b', { unschedulable: true }),
      node('c'),
    ],
    pod('p', { nodeSelector: { disk: 'ssd' } }),
    "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
  ],
  [
    'another node is named',
    [node('a')],
    pod('p', {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['z'] }] }],
          },
        },
      },
    }),
    "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  ],
] as const) {
  test(`plan() waits and says why: ${what}`, () => {
    const [step] = plan(snapshotOf(...nodes), [waiting]);
    assert.equal(messageOf(step), message);
  });
}

test('plan() honours tolerations, preferred affinity and host ports', () => {
  const tainted = node('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  assert.deepEqual(
    nodesOf(
      plan(snapshotOf(tainted), [pod('p', { tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] })]),
    ),
    ['a'],
  );
  const preferring = {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
        ],
      },
    },
  };
  assert.deepEqual(
    nodesOf(
      plan(snapshotOf(node('a'), node('b', { labels: { disk: 'ssd' } }), node('c')), [pod('p', preferring)]),
    ),
    ['b'],
  );
  const ports = { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] };
  const steps = plan(snapshotOf(node('a'), node('b')), [pod('x', ports), pod('y', ports), pod('z', ports)]);
  assert.equal(steps.filter((step) => step.kind === 'bind').length, 2);
  assert.equal(
    messageOf(steps[2]),
    "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.",
  );
});

test('plan() keeps anti-affine pods apart, affine ones together, and the skew within its bound', () => {
  const zones = () =>
    snapshotOf(
      node('a1', { labels: { zone: 'a' } }),
      node('a2', { labels: { zone: 'a' } }),
      node('b1', { labels: { zone: 'b' } }),
    );
  const labels = { labels: { app: 'x' } };
  const term = { labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'zone' };
  const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
  const three = plan(
    zones(),
    ['1', '2', '3'].map((n) => pod(n, apart, '100m', labels)),
  );
  assert.deepEqual(
    new Set(
      nodesOf(three)
        .slice(0, 2)
        .map((name) => name?.[0]),
    ),
    new Set(['a', 'b']),
  );
  assert.match(messageOf(three[2]), /anti-affinity rules/);
  const together = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
  assert.equal(
    new Set(
      nodesOf(
        plan(
          zones(),
          ['1', '2', '3'].map((n) => pod(n, together, '100m', labels)),
        ),
      ).map((name) => name?.[0]),
    ).size,
    1,
  );
  const spread = {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'x' } },
      },
    ],
  };
  const zonesOf = nodesOf(
    plan(
      zones(),
      Array.from({ length: 6 }, (_, n) => pod(`s${n}`, spread, '100m', labels)),
    ),
  ).map((name) => name?.[0]);
  assert.equal(zonesOf.filter((zone) => zone === 'a').length, 3);
  // A pod without any wish of its own is kept away by one that guards its zone.
  const snapshot = zones();
  plan(snapshot, [pod('guard', apart, '100m', labels)]);
  const [other] = plan(snapshot, [pod('other', {}, '100m', labels)]);
  const guardZone = snapshot.facts(snapshot.placed('default/guard')?.row ?? 0)?.labels['zone'];
  assert.notEqual(other?.kind === 'bind' ? other.nodeName[0] : guardZone, guardZone);
});

test('plan() keeps pods away from where a placed pod does not want them, and lets others be', () => {
  const snapshot = snapshotOf(node('a'), node('b'));
  const term = {
    labelSelector: { matchLabels: { app: 'web' } },
    topologyKey: 'kubernetes.io/hostname',
  };
  const loner = pod(
    'loner',
    { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
    '3',
    { labels: { app: 'db' } },
  );
  snapshot.addPod(loner.key, loner.pod, 'a');
  const web = [1, 2, 3].map((n) => pod(`web-${n}`, {}, '100m', { labels: { app: 'web' } }));
  assert.deepEqual(nodesOf(plan(snapshot, web)), ['b', 'b', 'b']);
  const [refused] = plan(snapshot, [pod('large', {}, '3800m', { labels: { app: 'web' } })]);
  assert.equal(messageOf(refused), '0/2 nodes are available: 2 Insufficient cpu.');
  snapshot.removeNode('b');
  const [kept] = plan(snapshot, [pod('web-4', {}, '100m', { labels: { app: 'web' } })]);
  assert.equal(
    messageOf(kept),
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  );
  assert.deepEqual(nodesOf(plan(snapshot, [pod('other', {}, '100m', { labels: { app: 'x' } })])), ['a']);
});

test('amountsOf() counts containers together, the largest init container, sidecars and overhead', () => {
  const ask = (cpu: string) => ({ resources: { requests: { cpu } } });
  const amounts = amountsOf({
    metadata: {},
    spec: {
      containers: [ask('100m'), ask('200m')],
      initContainers: [{ ...ask('50m'), restartPolicy: 'Always' }, ask('400m')],
      overhead: { cpu: '10m' },
    },
  } as unknown as Pod);
  assert.equal(amounts.cpuMilli, 460);
});

test('plan() never overcommits a node and never leaves a pod waiting that would fit: random clouds against a naive count', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const nodes = Array.from({ length: 1 + random.integer(8) }, (_, n) =>
      node(`n${n}`, {
        cpu: String(1 + random.integer(4)),
        memory: `${1 + random.integer(4)}Gi`,
        pods: String(1 + random.integer(12)),
      }),
    );
    const snapshot = snapshotOf(...nodes);
    const used = new Map(nodes.map((one) => [one.metadata.name ?? '', { cpu: 0, pods: 0 }]));
    const free = (name: string): { cpu: number; pods: number } => {
      const { cpu = '0', pods = '0' } =
        nodes.find((one) => one.metadata.name === name)?.status?.allocatable ?? {};
      const taken = used.get(name) ?? { cpu: 0, pods: 0 };
      return { cpu: Number(cpu) * 1000 - taken.cpu, pods: Number(pods) - taken.pods };
    };
    for (let round = 0; round < 4; round++) {
      const asks = Array.from({ length: 1 + random.integer(20) }, (_, n) => ({
        n,
        milli: 100 * (1 + random.integer(15)),
      }));
      const steps = plan(
        snapshot,
        asks.map(({ n, milli }) => pod(`${round}-${n}`, {}, `${milli}m`)),
      );
      assert.equal(steps.length, asks.length, `seed ${seed}`);
      for (const step of steps) {
        const ask = asks.find(({ n }) => step.podKey === `default/${round}-${n}`)?.milli ?? 0;
        if (step.kind === 'bind') {
          const left = free(step.nodeName);
          assert.ok(
            ask <= left.cpu && left.pods >= 1,
            `seed ${seed}: ${step.nodeName} has ${left.cpu}m and ${left.pods} places, ${ask}m asked`,
          );
          const taken = used.get(step.nodeName);
          if (taken !== undefined) {
            taken.cpu += ask;
            taken.pods += 1;
          }
        } else
          for (const one of used.keys())
            assert.ok(free(one).cpu < ask || free(one).pods < 1, `seed ${seed}: ${ask}m would fit on ${one}`);
      }
    }
  }
});

// Found by comparison with src/sim/reference/scheduler.ts; each names the seed of its test that found it.

const podsAt = (resources: object, more: object = {}): object => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }],
  ...more,
  resources,
});

test('amountsOf() takes what a pod asks for as a whole before what its containers ask (seed 1/2)', () => {
  const whole = podsAt({ requests: { cpu: '3', memory: '1Gi' } }, { overhead: { cpu: '100m' } });
  const amounts = amountsOf(pod('a', whole).pod);
  assert.deepEqual([amounts.cpuMilli, amounts.memoryBytes], [3100, 2 ** 30]);
});

test('plan() tells of each pod why nodes were refused to it, not to those after it (seed 1/3)', () => {
  const steps = plan(snapshotOf(node('a', { cpu: '1' })), [pod('a', {}, '1'), pod('b', {}, '1')]);
  assert.deepEqual(
    steps.map(({ kind, refused }) => [kind, Object.fromEntries(refused)]),
    [
      ['bind', {}],
      ['wait', { 'Insufficient cpu': 1 }],
    ],
  );
});

test('Snapshot forgets that a pod waited for a node when it is on another (seed 1/3)', () => {
  const snapshot = snapshotOf(node('a', { cpu: '1' }));
  const { key, pod: moved } = pod('moved', {}, '1');
  snapshot.addPod(key, moved, 'unknown');
  snapshot.addPod(key, moved, 'a');
  snapshot.setNode(node('unknown'));
  assert.deepEqual(nodesOf(plan(snapshot, [pod('b', { nodeName: 'a' }, '1')])), [undefined]);
});

test('plan() knows the host ports of sidecars (seed 1/241)', () => {
  const sidecar = { name: 's', restartPolicy: 'Always', ports: [{ containerPort: 80, hostPort: 80 }] };
  const steps = plan(
    snapshotOf(node('a')),
    ['a', 'b'].map((name) => pod(name, { initContainers: [sidecar] })),
  );
  assert.deepEqual(nodesOf(steps), ['a', undefined]);
});

const spread = (topologyKey: string, more: object = {}): object => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
  ...more,
});
const web = { labels: { app: 'web' } };

test('plan() spreads over nodes that the affinity allows, tainted or not (seed 1/30)', () => {
  const taints = [{ key: 'dedicated', effect: 'NoSchedule' }];
  const snapshot = snapshotOf(
    node('a', { labels: { zone: 'z1', disk: 'ssd' } }),
    node('b', { labels: { zone: 'z2' }, taints }),
  );
  const spec = { nodeSelector: { disk: 'ssd' }, topologySpreadConstraints: [spread('zone')] };
  const steps = plan(
    snapshot,
    ['a', 'b', 'c'].map((name) => pod(name, spec, '100m', web)),
  );
  assert.deepEqual(nodesOf(steps), ['a', 'a', 'a']);
});

test('plan() spreads over nodes that have the keys of all constraints, as documented', () => {
  const snapshot = snapshotOf(
    node('a', { labels: { zone: 'z1', rack: 'r1' } }),
    node('b', { labels: { zone: 'z2' } }),
  );
  const spec = { topologySpreadConstraints: [spread('zone'), spread('rack')] };
  const steps = plan(
    snapshot,
    ['a', 'b'].map((name) => pod(name, spec, '100m', web)),
  );
  assert.deepEqual(nodesOf(steps), ['a', 'a']);
});

test('plan() takes a cordoned node out of spreading where taints are honoured', () => {
  const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];
  const snapshot = snapshotOf(
    node('a', { labels: { zone: 'z1' } }),
    node('b', { labels: { zone: 'z2' }, taints, unschedulable: true }),
  );
  const spec = { topologySpreadConstraints: [spread('zone', { nodeTaintsPolicy: 'Honor' })] };
  const steps = plan(
    snapshot,
    ['a', 'b'].map((name) => pod(name, spec, '100m', web)),
  );
  assert.deepEqual(nodesOf(steps), ['a', 'a']);
});

test('plan() counts nodes without a label in no domain, also where another has the empty value (seed 1/333)', () => {
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } };
  const spec = {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term }],
      },
    },
  };
  const snapshot = snapshotOf(node('a', { labels: { zone: '' } }), node('b', { cpu: '3', memory: '6Gi' }));
  const first = pod('first', {}, '100m', web);
  snapshot.addPod(first.key, first.pod, 'a');
  assert.deepEqual(nodesOf(plan(snapshot, [pod('second', spec, '100m', web)])), ['b']);
});

test('plan() chooses namespaces by their labels, or by those listed beside (seed 1/3)', () => {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } };
  for (const [where, expected] of [
    [{ namespaceSelector: { matchLabels: { team: 'a' } } }, 'b'],
    [{ namespaceSelector: { matchLabels: { team: 'b' } } }, undefined],
    [{ namespaceSelector: { matchLabels: { team: 'b' } }, namespaces: ['bank'] }, 'b'],
  ] as const) {
    const snapshot = snapshotOf(node('a'), node('b'));
    snapshot.setNamespace({ metadata: { name: 'bank', labels: { team: 'a' } } });
    const theirs = pod('x', {}, '100m', { ...web, namespace: 'bank' });
    snapshot.addPod(theirs.key, theirs.pod, 'b');
    const required = { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, ...where }] };
    const spec = { affinity: { podAffinity: required } };
    assert.deepEqual(nodesOf(plan(snapshot, [pod('seeker', spec)])), [expected]);
  }
});
