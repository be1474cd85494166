import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodDisruptionBudget } from '../api/index.ts';
import { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
import { preemptionsMax } from './preemption.ts';
import { Snapshot } from './snapshot.ts';

const node = (name: string, cpu = '4', labels: object = {}, spec: object = {}): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu, memory: '8Gi', pods: '10' } },
  }) as Node;

interface Shape {
  readonly cpu?: string;
  readonly start?: string;
  readonly meta?: object;
  readonly spec?: object;
  readonly status?: object;
}

const pod = (
  name: string,
  priority: number,
  { cpu = '1', start, meta, spec, status }: Shape = {},
): WaitingPod => ({
  key: `default/${name}`,
  pod: {
    metadata: { name, namespace: 'default', uid: `uid-${name}`, ...meta },
    spec: { priority, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...spec },
    status: { ...(start === undefined ? {} : { startTime: `2026-01-01T00:00:${start}Z` }), ...status },
  } as Pod,
});

/** By node: what is on it. */
function cloud(nodes: readonly (readonly [Node, readonly WaitingPod[]])[]): Snapshot {
  const snapshot = new Snapshot();
  for (const [one, pods] of nodes) {
    snapshot.setNode(one);
    for (const { key, pod: there } of pods) snapshot.addPod(key, there, one.metadata.name ?? '');
  }
  return snapshot;
}

function told(step: Step | undefined): string {
  if (step?.kind !== 'wait') return `bound to ${step?.nodeName}`;
  const { preemption } = step;
  if (preemption?.kind !== 'chosen')
    return waitMessage(step.nodes, step.refused, step.unresolved, preemption);
  return `${preemption.nodeName} without ${preemption.victims.map(({ pod: one }) => one.metadata.name).join(' ')}`;
}

const high = pod('high', 9);
const full = (name: string, ...pods: readonly WaitingPod[]) => [node(name, '4'), pods] as const;
const budget = { labels: { app: 'kept' } };
const clash = { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }] };
const apart = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
};

for (const [what, nodes, preemptor, expected] of [
  [
    'nobody of less priority is there',
    [full('a', pod('x', 9, { cpu: '4' }))],
    high,
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  ],
  [
    'room is not what lacks',
    [
      [node('a', '4', {}, { unschedulable: true }), [pod('x', 1, { cpu: '4' })]],
      full('b', pod('y', 9, { cpu: '4' })),
      [node('small', '500m'), [pod('z', 1, { cpu: '500m' })]],
    ],
    high,
    '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
  ],
  [
    'those that could go are not enough',
    [full('a', pod('x', 1), pod('y', 9, { cpu: '3' }))],
    pod('high', 9, { cpu: '2' }),
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Insufficient cpu.',
  ],
  [
    'it preempts nobody',
    [full('a', pod('x', 1, { cpu: '4' }))],
    pod('high', 9, { spec: { preemptionPolicy: 'Never' } }),
    '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
  ],
  [
    'as many stay as can, the important ones first',
    [full('a', pod('x', 1), pod('y', 2, { cpu: '2' }), pod('z', 3))],
    high,
    'a without x',
  ],
  [
    'of equals the older stays',
    [full('a', pod('x', 1, { cpu: '2', start: '10' }), pod('y', 1, { cpu: '2', start: '05' }))],
    high,
    'a without x',
  ],
  [
    'lower victims rather than few',
    [full('a', pod('x', 2, { cpu: '4' })), full('b', pod('y', 1, { cpu: '4' }), pod('z', 1, { cpu: '0' }))],
    high,
    'b without y',
  ],
  [
    'small victims together rather than large ones',
    [
      full('a', pod('x', 2, { cpu: '4' }), pod('w', 1, { cpu: '0' })),
      full('b', pod('y', 2), pod('z', 2, { cpu: '3' })),
    ],
    pod('high', 9, { cpu: '4' }),
    'a without x',
  ],
  [
    'those that started last',
    [full('a', pod('x', 1, { cpu: '4', start: '05' })), full('b', pod('y', 1, { cpu: '4', start: '06' }))],
    high,
    'b without y',
  ],
  [
    'else the first node',
    [full('a', pod('x', 1, { cpu: '4' })), full('b', pod('y', 1, { cpu: '4' }))],
    high,
    'a without x',
  ],
  [
    'those of no budget, even of more priority',
    [full('a', pod('x', 1, { cpu: '4', meta: budget })), full('b', pod('y', 5, { cpu: '4' }))],
    high,
    'b without y',
  ],
  [
    'those of a budget where nobody else is',
    [full('a', pod('x', 1, { cpu: '4', meta: budget }))],
    high,
    'a without x',
  ],
  [
    'on one node those of a budget stay first',
    [full('a', pod('x', 1, { cpu: '2', meta: budget }), pod('y', 5, { cpu: '2' }))],
    high,
    'a without y',
  ],
  [
    'a port that is taken',
    [[node('a'), [pod('x', 1, { spec: clash }), pod('y', 1)]]],
    pod('high', 9, { spec: clash }),
    'a without x',
  ],
  [
    'one that must not be beside it',
    [[node('a'), [pod('x', 1, { meta: { labels: { app: 'web' } } }), pod('y', 1)]]],
    pod('high', 9, { spec: apart }),
    'a without x',
  ],
  [
    'one that wants nobody beside it',
    [[node('a'), [pod('x', 1, { spec: apart }), pod('y', 1)]]],
    pod('high', 9, { meta: { labels: { app: 'web' } } }),
    'a without x',
  ],
] as const) {
  test(`plan() preempts: ${what}`, () => {
    const snapshot = cloud(nodes);
    snapshot.budgets.set('default/kept', {
      metadata: { name: 'kept', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'kept' } } },
      status: { disruptionsAllowed: 0 },
    } as PodDisruptionBudget);
    const free = Array.from({ length: snapshot.rows }, (_, row) => snapshot.cpuFree[row]);
    assert.equal(told(plan(snapshot, [preemptor])[0]), expected);
    assert.deepEqual(
      Array.from({ length: snapshot.rows }, (_, row) => snapshot.cpuFree[row]),
      free,
      'nothing is taken before it is there',
    );
  });
}

test('plan() keeps the room of a nominated pod from those of the same and less priority, not from those of more', () => {
  const snapshot = cloud([full('a', pod('x', 1, { cpu: '2' }))]);
  const nominated = pod('nominated', 5, { cpu: '3' });
  assert.equal(told(plan(snapshot, [nominated])[0]), 'a without x');
  snapshot.removePod('default/x');
  const steps = plan(snapshot, [pod('less', 4, { cpu: '2' }), pod('same', 5, { cpu: '2' })]);
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['wait', 'wait'],
  );
  assert.equal(told(plan(snapshot, [pod('small', 0)])[0]), 'bound to a');
  assert.equal(told(plan(snapshot, [nominated])[0]), 'bound to a');
  assert.equal(snapshot.nominations.size, 0);
});

test('plan() waits for those that make room, and takes the nomination from pods of less priority', () => {
  const snapshot = cloud([full('a', pod('x', 1, { cpu: '4' }))]);
  const middle = pod('middle', 5, { cpu: '4' });
  assert.equal(told(plan(snapshot, [middle])[0]), 'a without x');
  assert.match(
    told(plan(snapshot, [middle])[0]),
    /not eligible due to a terminating pod on the nominated node\.$/,
  );
  const [step] = plan(snapshot, [pod('top', 9, { cpu: '4' })]);
  assert.equal(told(step), 'a without x');
  const displaced =
    step?.kind === 'wait' && step.preemption?.kind === 'chosen' ? step.preemption.displaced : [];
  assert.deepEqual(
    displaced.map(({ key }) => key),
    ['default/middle'],
  );
  assert.deepEqual([...snapshot.nominations.keys()], ['default/top']);
});

test('plan() knows from the pod itself that it makes room: another scheduler may have been at work before', () => {
  const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }];
  const ending = pod('x', 1, {
    cpu: '4',
    meta: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    status: { conditions },
  });
  const snapshot = cloud([full('a', ending), full('b', pod('y', 1, { cpu: '4' }))]);
  snapshot.nominations.set(high.key, { pod: high.pod, nodeName: 'a' });
  assert.match(told(plan(snapshot, [high])[0]), /terminating pod on the nominated node\.$/);
});

test('plan() lets nobody count on a nominated pod that has not come', () => {
  const snapshot = cloud([full('a', pod('x', 1, { cpu: '4' })), [node('b'), []]]);
  const web = { meta: { labels: { app: 'web' } } };
  snapshot.nominations.set('default/first', {
    pod: pod('first', 9, { cpu: '1', ...web }).pod,
    nodeName: 'b',
  });
  const { podAntiAffinity: podAffinity } = apart.affinity;
  const [step] = plan(snapshot, [pod('friend', 5, { spec: { affinity: { podAffinity } } })]);
  assert.match(told(step), /1 node\(s\) didn't match pod affinity rules/);
});

test('plan() preempts for each of several pods, others for each', () => {
  const victims = [1, 2, 3].map((n) => full(`n${n}`, pod(`v${n}`, 1, { cpu: '4' })));
  const steps = plan(
    cloud(victims),
    [1, 2, 3, 4].map((n) => pod(`p${n}`, 9, { cpu: '4' })),
  );
  assert.deepEqual(steps.map(told), [
    'n1 without v1',
    'n2 without v2',
    'n3 without v3',
    '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 Insufficient cpu.',
  ]);
});

test('plan() preempts for so many pods at most, and for the others the next time', () => {
  const count = preemptionsMax + 5;
  const all = Array.from({ length: count }, (_, n) => n);
  const snapshot = cloud(all.map((n) => full(`n${n}`, pod(`v${n}`, 1, { cpu: '4' }))));
  const waiting = all.map((n) => pod(`p${n}`, 9, { cpu: '4' }));
  const chosen = (): number =>
    plan(snapshot, waiting).filter((step) => step.kind === 'wait' && step.preemption?.kind === 'chosen')
      .length;
  assert.deepEqual([chosen(), chosen(), chosen()], [preemptionsMax, 5, 0]);
  for (const n of all) snapshot.removePod(`default/v${n}`);
  assert.ok(plan(snapshot, waiting).every(({ kind }) => kind === 'bind'));
});
