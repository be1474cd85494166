import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodGroup } from '../../api/index.ts';
import { plan, type Step, type WaitingPod } from '../plan.ts';
import { Snapshot } from '../snapshot.ts';

const node = (name: string, cpu: string, labels: Readonly<Record<string, string>> = {}): Node =>
  ({
    metadata: { name, labels },
    status: { allocatable: { cpu, memory: '64Gi', pods: '110' } },
  }) as Node;

interface Ask {
  readonly cpu?: string;
  readonly group?: string;
  readonly priority?: number;
  readonly since?: string;
}

const pod = (name: string, { cpu = '1', group, priority, since = '2026-01-01T00:00:00Z' }: Ask = {}): Pod =>
  ({
    metadata: { name, namespace: 'n', uid: `u-${name}`, creationTimestamp: since },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
      ...(group === undefined ? {} : { schedulingGroup: { podGroupName: group } }),
      ...(priority === undefined ? {} : { priority }),
    },
  }) as Pod;

const group = (name: string, minCount: number, topology?: string, since = '2026-01-01T00:00:00Z'): PodGroup =>
  ({
    metadata: { name, namespace: 'n', creationTimestamp: since },
    spec: {
      schedulingPolicy: { gang: { minCount } },
      ...(topology === undefined ? {} : { schedulingConstraints: { topology: [{ key: topology }] } }),
    },
  }) as PodGroup;

function cloud(nodes: readonly Node[], groups: readonly PodGroup[] = []) {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  for (const one of groups) snapshot.gangs.setGroup(one);
  const waiting = (pods: readonly Pod[]): WaitingPod[] =>
    pods.map((one) => {
      const key = `n/${one.metadata.name}`;
      snapshot.gangs.setPod(key, one);
      return { key, pod: one };
    });
  const place = (nodeName: string, ...pods: Pod[]): void => {
    for (const one of pods) {
      snapshot.gangs.setPod(`n/${one.metadata.name}`, one);
      snapshot.addPod(`n/${one.metadata.name}`, one, nodeName);
    }
  };
  const run = (...pods: Pod[]): readonly Step[] => plan(snapshot, waiting(pods));
  return { snapshot, run, place };
}

const said = (steps: readonly Step[]): string[] =>
  steps
    .map((step) =>
      step.kind === 'bind' ? `${step.podKey} on ${step.nodeName}` : `${step.podKey}: ${step.note ?? ''}`,
    )
    .sort();

const members = (name: string, count: number, ask: Ask = {}): Pod[] =>
  Array.from({ length: count }, (_, index) => pod(`${name}-${index}`, { group: name, ...ask }));

test('plan() binds a gang that fits', () => {
  const { run } = cloud([node('a', '2'), node('b', '2')], [group('g', 4)]);
  assert.deepEqual(said(run(...members('g', 4))), ['n/g-0 on a', 'n/g-1 on b', 'n/g-2 on a', 'n/g-3 on b']);
});

test('plan() places nothing of a gang that does not fit, and says how many would', () => {
  const { run, snapshot } = cloud([node('a', '2'), node('b', '3')], [group('g', 8)]);
  const steps = run(...members('g', 8));
  assert.equal(steps.length, 8);
  for (const step of steps) {
    assert.equal(step.kind, 'wait');
    if (step.kind === 'wait') assert.equal(step.note, 'only 5 of 8 pods of PodGroup "g" fit.');
    assert.deepEqual([...step.refused], [['Insufficient cpu', 2]]);
  }
  assert.equal(snapshot.cpuFree[0], 2000);
  assert.equal(snapshot.cpuFree[1], 3000);
});

test('plan() does not place fewer members than the gang needs', () => {
  const { run } = cloud([node('a', '8')], [group('g', 3)]);
  assert.deepEqual(said(run(...members('g', 2))), [
    'n/g-0: waiting for 1 more pod of PodGroup "g"',
    'n/g-1: waiting for 1 more pod of PodGroup "g"',
  ]);
});

test('plan() binds those beyond the number that fit', () => {
  const { run } = cloud([node('a', '3')], [group('g', 2)]);
  const steps = run(...members('g', 4));
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['bind', 'bind', 'bind', 'wait'],
  );
});

test('plan() counts members that have a place already', () => {
  const { run, place } = cloud([node('a', '2')], [group('g', 2)]);
  const [first, ...rest] = members('g', 2);
  place('a', first as Pod);
  assert.deepEqual(said(run(...rest)), ['n/g-1 on a']);
});

test('plan() leaves the room of a gang that does not fit to others', () => {
  const { run } = cloud([node('a', '4')], [group('g', 5)]);
  const steps = run(...members('g', 5), pod('x', { cpu: '4', since: '2026-01-02T00:00:00Z' }));
  assert.deepEqual(said(steps).at(-1), 'n/x on a');
});

test('plan() gives the room of two gangs to one of them', () => {
  const { run } = cloud(
    [node('a', '2'), node('b', '2')],
    [group('g', 3), group('h', 3, undefined, '2025-01-01T00:00:00Z')],
  );
  const steps = run(...members('g', 3), ...members('h', 3));
  assert.deepEqual(
    steps.filter(({ kind }) => kind === 'bind').map(({ podKey }) => podKey),
    ['n/h-0', 'n/h-1', 'n/h-2'],
  );
});

test('plan() puts a gang into the tightest rack that holds it', () => {
  const rack = (name: string, cpu: string, value: string): Node => node(name, cpu, { rack: value });
  const { run } = cloud(
    [
      rack('a', '2', 'r1'),
      rack('b', '1', 'r1'),
      rack('c', '4', 'r2'),
      rack('d', '2', 'r3'),
      rack('e', '2', 'r3'),
    ],
    [group('g', 4, 'rack')],
  );
  const steps = run(...members('g', 4));
  assert.deepEqual([...new Set(steps.map((step) => (step.kind === 'bind' ? step.nodeName : '')))], ['c']);
});

test('plan() says so when no rack holds a gang', () => {
  const rack = (name: string, value: string): Node => node(name, '2', { rack: value });
  const { run } = cloud([rack('a', 'r1'), rack('b', 'r2'), node('z', '9')], [group('g', 3, 'rack')]);
  assert.equal(
    said(run(...members('g', 3)))[0],
    'n/g-0: only 0 of 3 pods of PodGroup "g" fit into one rack.',
  );
});

test('plan() keeps later members in the rack of the first', () => {
  const rack = (name: string, value: string): Node => node(name, '4', { rack: value });
  const { run, place } = cloud([rack('a', 'r1'), rack('b', 'r2'), rack('c', 'r2')], [group('g', 2, 'rack')]);
  const [first, second, third] = members('g', 3) as [Pod, Pod, Pod];
  place('c', first, second);
  assert.match(said(run(third))[0] ?? '', /on [bc]$/);
});

test('plan() preempts for the whole gang', () => {
  const { run, place, snapshot } = cloud([node('a', '2'), node('b', '2'), node('c', '1')], [group('g', 3)]);
  place('a', pod('low-a', { cpu: '2' }));
  place('b', pod('low-b', { cpu: '2' }));
  const steps = run(...members('g', 3, { priority: 10 }));
  assert.deepEqual(said(steps), [
    'n/g-0: room is being made for PodGroup "g".',
    'n/g-1: room is being made for PodGroup "g".',
    'n/g-2: room is being made for PodGroup "g".',
  ]);
  assert.deepEqual([...snapshot.nominations.keys()].sort(), ['n/g-0', 'n/g-1', 'n/g-2']);
  const going = [...snapshot.going.keys()];
  // Two of them share the room of one victim, the third needs nobody's.
  assert.equal(going.length, 1);
  assert.equal(snapshot.placed('n/g-0'), undefined);
  // It waits while its victims go, and preempts nobody else.
  assert.deepEqual(said(run(...members('g', 3, { priority: 10 }))), said(steps));
  assert.equal(snapshot.going.size, 1);
  // It is bound when they have gone.
  snapshot.removePod(going[0] ?? '');
  snapshot.going.clear();
  assert.deepEqual(
    run(...members('g', 3, { priority: 10 })).map(({ kind }) => kind),
    ['bind', 'bind', 'bind'],
  );
});

test('plan() preempts nobody for a gang that would not fit all the same', () => {
  const { run, place, snapshot } = cloud([node('a', '2'), node('b', '2')], [group('g', 5)]);
  place('a', pod('low-a', { cpu: '2' }));
  const steps = run(...members('g', 5, { priority: 10 }));
  assert.equal(said(steps)[0], 'n/g-0: only 2 of 5 pods of PodGroup "g" fit.');
  assert.equal(snapshot.going.size + snapshot.nominations.size, 0);
  assert.deepEqual([snapshot.cpuFree[0], snapshot.cpuFree[1]], [0, 2000]);
});

test('plan() gives up what a gang was to have when it cannot be had any more', () => {
  const { run, snapshot } = cloud([node('a', '2')], [group('g', 3)]);
  const pods = members('g', 3, { priority: 10 });
  snapshot.nominations.set('n/g-0', { pod: pods[0] as Pod, nodeName: 'a' });
  run(...pods);
  assert.equal(snapshot.nominations.size, 0);
  assert.equal(snapshot.cpuFree[0], 2000);
});

test('planGang() packs members of different sizes where what is best for each would leave no room for the last', () => {
  const { run } = cloud([node('a', '2'), node('b', '2')], [group('g', 3)]);
  const steps = run(
    pod('x', { group: 'g' }),
    pod('y', { group: 'g' }),
    pod('z', { group: 'g', cpu: '2' }),
    pod('w', { group: 'g', cpu: '2' }),
  );
  assert.equal(steps.filter(({ kind }) => kind === 'bind').length, 3);
});
