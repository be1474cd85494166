import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodGroup } from '../../api/index.ts';
import { desk } from '../gangs/test-desk.ts';
import { plan } from '../plan.ts';
import { defaultPolicy } from '../scores.ts';
import { Snapshot } from '../snapshot.ts';
import { gangRemediesOf } from './gang.ts';
import type { Remedies } from './remedies.ts';

const node = (name: string, cpu: string, labels: Readonly<Record<string, string>> = {}): Node =>
  ({
    metadata: { name, labels },
    status: { allocatable: { cpu, memory: '64Gi', pods: '110' } },
  }) as Node;

const member = (name: string, cpu = '1', spec: object = {}): Pod =>
  ({
    metadata: { name, namespace: 'n', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }],
      schedulingGroup: { podGroupName: 'g' },
      ...spec,
    },
  }) as Pod;

const group = (minCount: number, topology?: string): PodGroup =>
  ({
    metadata: { name: 'g', namespace: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      schedulingPolicy: { gang: { minCount } },
      ...(topology === undefined ? {} : { schedulingConstraints: { topology: [{ key: topology }] } }),
    },
  }) as PodGroup;

interface Setting {
  readonly nodes: readonly Node[];
  readonly group?: PodGroup;
  readonly pods: readonly Pod[];
}

function cloud({ nodes, group: one, pods }: Setting) {
  const snapshot = new Snapshot();
  for (const each of nodes) snapshot.setNode(each);
  if (one !== undefined) snapshot.gangs.setGroup(one);
  const waiting = pods.map((pod) => ({ key: `n/${pod.metadata.name}`, pod }));
  for (const { key, pod } of waiting) snapshot.gangs.setPod(key, pod);
  const ask = (): Remedies | undefined => {
    const gang = snapshot.gangs.gang('n/g');
    assert.ok(gang !== undefined);
    return gangRemediesOf(snapshot, gang, defaultPolicy);
  };
  return { snapshot, waiting, ask };
}

const members = (count: number, cpu = '1', spec: object = {}): Pod[] =>
  Array.from({ length: count }, (_, at) => member(`x-${at}`, cpu, spec));

const texts = (remedies: Remedies | undefined) => remedies?.ways.map(({ text }) => text);

test('gangRemediesOf() tells how many fit, what the next one needs, and what all of them do', () => {
  const { snapshot, waiting, ask } = cloud({
    nodes: [node('a', '2500m'), node('b', '3')],
    group: group(8),
    pods: members(8),
  });
  const remedies = ask();
  assert.deepEqual(remedies?.gang, {
    label: 'PodGroup "g"',
    needs: 8,
    fit: 5,
    next: 'n/x-5',
    whole: [
      {
        kind: 'node',
        text: '3 more nodes with 1 cpu to give, or one with 3 cpu to give',
        nodes: [],
      },
    ],
  });
  assert.deepEqual(texts(remedies), [
    'needs 500m cpu more on any of 2 nodes (nearest: a)',
    'one more node with 1 cpu to give',
  ]);
  assert.equal(snapshot.cpuFree[0], 2500);
  assert.equal(snapshot.cpuFree[1], 3000);
  assert.equal(snapshot.table.size, 0);
  // As it says.
  snapshot.setNode(node('a', '3'));
  assert.equal(ask()?.gang?.fit, 6);
  snapshot.setNode(node('a', '2500m'));
  snapshot.setNode(node('c', '2999m'));
  assert.equal(ask()?.gang?.fit, 7);
  snapshot.setNode(node('c', '3'));
  assert.deepEqual(ask(), { ways: [], nearest: [] });
  assert.ok(plan(snapshot, waiting).every(({ kind }) => kind === 'bind'));
  assert.equal(ask(), undefined);
});

test('gangRemediesOf() looks at the domain that takes most', () => {
  const { snapshot, ask } = cloud({
    nodes: [
      node('a1', '1', { rack: 'a' }),
      node('b1', '2', { rack: 'b' }),
      node('b2', '1500m', { rack: 'b' }),
      node('c', '9'),
    ],
    group: group(4, 'rack'),
    pods: members(4),
  });
  const remedies = ask();
  assert.equal(remedies?.gang?.fit, 3);
  assert.deepEqual(remedies?.gang?.whole, []);
  assert.deepEqual(texts(remedies), [
    'needs 500m cpu more on any of 2 nodes (nearest: b2)',
    'one more node with the label rack=b and 1 cpu to give',
  ]);
  snapshot.setNode(node('d', '1', { rack: 'b' }));
  assert.deepEqual(ask(), { ways: [], nearest: [] });
});

test('gangRemediesOf() says that no node is in any domain', () => {
  const { ask } = cloud({ nodes: [node('a', '9')], group: group(2, 'rack'), pods: members(2) });
  assert.deepEqual(texts(ask()), ['one more node with the label rack and 1 cpu to give']);
});

test('gangRemediesOf() counts those that have their place, and names what they wait for', () => {
  const few = cloud({ nodes: [node('a', '9')], group: group(4), pods: members(2) });
  assert.deepEqual(texts(few.ask()), ['waiting for 2 more pods of PodGroup "g"']);
  const none = cloud({ nodes: [node('a', '9')], pods: members(2) });
  assert.deepEqual(texts(none.ask()), ['waiting for PodGroup "g" to be created']);
  const some = cloud({ nodes: [node('a', '2')], group: group(3), pods: members(3) });
  some.snapshot.addPod('n/x-0', member('x-0'), 'a');
  assert.equal(some.ask()?.gang?.fit, 2);
});

test('gangRemediesOf() promises nothing for all where pods keep apart', () => {
  const podAntiAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'kubernetes.io/hostname', labelSelector: {} },
    ],
  };
  const { ask } = cloud({
    nodes: [node('a', '9', { 'kubernetes.io/hostname': 'a' })],
    group: group(3),
    pods: members(3, '1', { affinity: { podAntiAffinity } }),
  });
  const remedies = ask();
  assert.equal(remedies?.gang?.fit, 1);
  assert.deepEqual(remedies?.gang?.whole, []);
  assert.ok(texts(remedies)?.includes('one more node with 1 cpu to give'));
});

test('explain() of a pod in a gang tells what would make the gang fit', async (t) => {
  const { run, addNode, addGroup, addMember, scheduler } = desk(t);
  addNode('a', '2');
  addGroup('g', 4);
  for (const name of ['x-0', 'x-1']) addMember(name);
  await run(3000);
  const early = scheduler.explain('n/x-0');
  assert.ok(early?.decision === 'waits');
  assert.equal(early.message, 'waiting for 2 more pods of PodGroup "g"');
  assert.deepEqual(texts(early.remedies), ['waiting for 2 more pods of PodGroup "g"']);
  for (const name of ['x-2', 'x-3']) addMember(name);
  await run(3000);
  const late = scheduler.explain('n/x-0');
  assert.ok(late?.decision === 'waits');
  assert.equal(late.remedies?.gang?.fit, 2);
  assert.equal(late.remedies?.gang?.needs, 4);
});
