import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { SimulatedClock } from '../../lib/index.ts';
import { plan } from '../plan.ts';
import { defaultPolicy } from '../scores.ts';
import { Snapshot } from '../snapshot.ts';
import type { QueueChange } from './ask.ts';
import type { SchedulerPart } from './part.ts';
import { PodQueue } from './pod-queue.ts';
import { PriorityOrder } from './priority-order.ts';

type Spec = NonNullable<Pod['spec']>;

const podOf = (
  name: string,
  cpu: string,
  more: Partial<Spec> = {},
  labels: Record<string, string> = {},
): Pod =>
  ({
    metadata: { name, namespace: 'default', uid: `uid-${name}`, labels },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more },
  }) as Pod;

const nodeOf = (name: string, cpu: string, more: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  status: { allocatable: { cpu, memory: '64Gi', pods: '110' } },
  ...more,
});

/** A scheduler without an API: what is planned is placed at once. */
function desk(parts: readonly SchedulerPart[] = []) {
  const clock = new SimulatedClock();
  const snapshot = new Snapshot();
  const queue = new PodQueue({ clock, snapshot, order: new PriorityOrder(), parts, onReady: () => {} });
  let planned = 0;
  const run = (): void => {
    while (queue.size > 0) {
      const { pods } = queue.take(100);
      planned += pods.length;
      const podByKey = new Map(pods.map(({ key, pod }) => [key, pod]));
      for (const step of plan(snapshot, pods, defaultPolicy)) {
        if (step.kind === 'bind') {
          queue.placed(step.podKey);
          queue.forget(step.podKey);
        } else queue.setAside(step.podKey, podByKey.get(step.podKey) as Pod, step);
      }
    }
  };
  const offer = (...pods: readonly Pod[]): void => {
    for (const pod of pods) queue.offer(`default/${pod.metadata.name}`, pod);
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      await clock.advance(10);
      run();
    }
  };
  const setNode = (node: Node): void => {
    snapshot.setNode(node);
    queue.changed({ kind: 'node', row: snapshot.rowOf(node.metadata.name ?? '') ?? 0 });
  };
  const leave = (name: string): void => {
    const placed = snapshot.placed(`default/${name}`);
    snapshot.removePod(`default/${name}`);
    if (placed !== undefined) queue.changed({ kind: 'left', row: placed.row, pod: placed.pod });
  };
  const nodeNameOf = (name: string): string | undefined => {
    const placed = snapshot.placed(`default/${name}`);
    return placed && snapshot.facts(placed.row)?.name;
  };
  return { clock, snapshot, queue, run, offer, pass, setNode, leave, nodeNameOf, planned: () => planned };
}

const gpuTaint = { key: 'gpu', effect: 'NoSchedule' };
const apart = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
    ],
  },
};
const beside = {
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
    ],
  },
};

/** One node of 4 CPUs with a pod of 3 on it; a pod that waits; a change; whether it is planned again. */
const hints: readonly (readonly [string, Pod, (of: ReturnType<typeof desk>) => void, boolean])[] = [
  ['a node that is large enough', podOf('x', '2'), ({ setNode }) => setNode(nodeOf('b', '2')), true],
  ['a node that is too small', podOf('x', '2'), ({ setNode }) => setNode(nodeOf('b', '1')), false],
  [
    'a node with a taint',
    podOf('x', '2'),
    ({ setNode }) => setNode(nodeOf('b', '8', { spec: { taints: [gpuTaint] } })),
    false,
  ],
  [
    'a taint that it tolerates',
    podOf('x', '2', { tolerations: [{ key: 'gpu', operator: 'Exists' }] }),
    ({ setNode }) => setNode(nodeOf('b', '8', { spec: { taints: [gpuTaint] } })),
    true,
  ],
  [
    'a node of other labels',
    podOf('x', '2', { nodeSelector: { disk: 'ssd' } }),
    ({ setNode }) => setNode(nodeOf('b', '8')),
    false,
  ],
  [
    'the labels that it asks',
    podOf('x', '1', { nodeSelector: { disk: 'ssd' } }),
    ({ setNode }) => setNode(nodeOf('a', '4', { metadata: { name: 'a', labels: { disk: 'ssd' } } })),
    true,
  ],
  [
    'labels that nobody asks',
    podOf('x', '2'),
    ({ setNode }) => setNode(nodeOf('a', '4', { metadata: { name: 'a', labels: { disk: 'ssd' } } })),
    false,
  ],
  ['a node that grows', podOf('x', '2'), ({ setNode }) => setNode(nodeOf('a', '5')), true],
  ['a node that shrinks', podOf('x', '2'), ({ setNode }) => setNode(nodeOf('a', '3')), false],
  ['a pod that leaves', podOf('x', '2'), ({ leave }) => leave('there'), true],
  ['room that is not enough', podOf('x', '5'), ({ leave }) => leave('there'), false],
  ['volumes, where it has none', podOf('x', '2'), ({ queue }) => queue.changed({ kind: 'volumes' }), false],
  [
    'namespaces, which it does not look at',
    podOf('x', '2'),
    ({ queue }) => queue.changed({ kind: 'namespaces' }),
    false,
  ],
  ['the five-minute sweep', podOf('x', '2'), ({ queue }) => queue.changed({ kind: 'anything' }), true],
  [
    'a pod that it wants to be beside',
    podOf('x', '1', { affinity: beside }),
    ({ queue }) => queue.changed({ kind: 'came', pod: podOf('y', '0', {}, { app: 'db' }) }),
    true,
  ],
  [
    'a pod of another kind',
    podOf('x', '1', { affinity: beside }),
    ({ queue }) => queue.changed({ kind: 'came', pod: podOf('y', '0', {}, { app: 'web' }) }),
    false,
  ],
  [
    'one that it keeps away from leaves',
    podOf('x', '1', { affinity: apart }),
    ({ leave }) => leave('there'),
    true,
  ],
  [
    'its port is free',
    podOf('x', '1', {
      containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }],
    }),
    ({ leave }) => leave('there'),
    true,
  ],
];

for (const [name, waits, change, isTried] of hints)
  test(`PodQueue.changed() is ${isTried ? 'a' : 'no'} reason to try again: ${name}`, async () => {
    const own = desk();
    const ports = [{ containerPort: 80, hostPort: 80 }];
    const there = podOf('there', '3', {}, { app: 'web' });
    const [first] = there.spec?.containers ?? [];
    const containers = [{ ...first, ports }] as Spec['containers'];
    own.snapshot.setNode(nodeOf('a', '4'));
    own.snapshot.addPod('default/there', { ...there, spec: { ...there.spec, containers } }, 'a');
    own.offer(waits);
    own.run();
    assert.equal(own.queue.asideSize, 1, 'it fits nowhere');
    const before = own.planned();
    change(own);
    await own.pass(2000);
    assert.equal(own.planned() > before, isTried);
  });

test('PodQueue tries a pod again after 1 s, doubling to 10 s, when a change may help', async () => {
  const { queue, offer, pass, run, setNode, clock, planned } = desk();
  setNode(nodeOf('a', '1'));
  offer(podOf('x', '2'));
  run();
  const triedMs: number[] = [];
  let before = planned();
  for (let passed = 0; passed < 60_000; passed += 100) {
    queue.changed({ kind: 'anything' } satisfies QueueChange);
    await pass(100);
    if (planned() > before) triedMs.push(Math.round(clock.monotonicMs() / 100) / 10);
    before = planned();
  }
  const gaps = triedMs.map((at, index) => Math.round(at - (triedMs[index - 1] ?? 0)));
  assert.deepEqual(gaps.slice(0, 7), [1, 2, 4, 8, 10, 10, 10]);
});

test('PodQueue plans few of many that ask the same, and all for which there is room', async () => {
  const { queue, offer, pass, setNode, leave, planned, snapshot, nodeNameOf } = desk();
  setNode(nodeOf('a', '4'));
  offer(podOf('there', '4'));
  await pass(10);
  offer(...Array.from({ length: 5000 }, (_, i) => podOf(`p${i}`, '1')));
  await pass(100);
  assert.equal(queue.asideSize, 5000);
  assert.ok(planned() <= 102, `${planned()} were planned to know that none fits`);
  const before = planned();
  leave('there');
  await pass(3000);
  assert.equal(queue.asideSize, 4996);
  assert.ok(planned() - before < 100, `${planned() - before} were planned for a room for four`);
  assert.equal(nodeNameOf('p0'), 'a', 'who came first');
  for (let i = 0; i < 30; i++) setNode(nodeOf(`b${i}`, '100'));
  await pass(3000);
  assert.equal(queue.asideSize, 4996 - 3000);
  assert.equal(snapshot.facts(0)?.name, 'a');
});

test('PodQueue holds what a part does not admit, and takes companions together', () => {
  const closed = new Set(['default/a']);
  const part: SchedulerPart = {
    name: 'test',
    admits: ({ key }) => (closed.has(key) ? { reason: 'Held', message: 'not yet' } : undefined),
    companions: ({ key }) => (key === 'default/b' ? ['default/d'] : []),
  };
  const { queue } = desk([part]);
  for (const name of ['a', 'b', 'c', 'd']) queue.offer(`default/${name}`, podOf(name, '1'));
  assert.deepEqual(queue.held('default/a')?.hold, { reason: 'Held', message: 'not yet' });
  assert.deepEqual(
    queue.take(1).pods.map(({ key }) => key),
    ['default/b', 'default/d'],
  );
  assert.equal(queue.reconsider().length, 1);
  closed.clear();
  assert.deepEqual(queue.reconsider(), []);
  assert.deepEqual(
    queue.take(9).pods.map(({ key }) => key),
    ['default/c', 'default/a'],
  );
});
