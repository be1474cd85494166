/** GPUs through the engine: who gets which, who waits and what for, and what a scheduler knows that was just started. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { plan, type Step, type WaitingPod, waitMessage } from '../plan.ts';
import type { Policy } from '../scorer.ts';
import { defaultPolicy, defaultWeights } from '../scores.ts';
import { Snapshot } from '../snapshot.ts';
import { FragmentationScorer } from './fragmentation.ts';
import { gpuDevicesKey } from './gpu-ask.ts';

const seed = process.env['CAELUM_SEED'] ?? '1';
const prefix = 'scheduling.caelum.dev/';

const node = (name: string, gpus: number, model = 'T4', cpu = '64'): Node => ({
  metadata: { name, labels: { [`${prefix}gpu-model`]: model } },
  status: { allocatable: { cpu, memory: '256Gi', pods: '110', 'nvidia.com/gpu': String(gpus) } },
});

interface Asked {
  readonly milli?: number;
  readonly count?: number;
  readonly models?: string;
  readonly nvidia?: number;
  readonly cpu?: string;
  readonly priority?: number;
}

function pod(name: string, { milli, count, models, nvidia, cpu = '1', priority }: Asked): WaitingPod {
  const annotations = {
    ...(milli === undefined ? {} : { [`${prefix}gpu-milli`]: String(milli) }),
    ...(count === undefined ? {} : { [`${prefix}gpu-count`]: String(count) }),
    ...(models === undefined ? {} : { [`${prefix}gpu-models`]: models }),
  };
  const requests = { cpu, ...(nvidia === undefined ? {} : { 'nvidia.com/gpu': String(nvidia) }) };
  const made: Pod = {
    metadata: { name, namespace: 'default', uid: name, annotations },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests } }],
      ...(priority === undefined ? {} : { priority }),
    },
  };
  return { key: `default/${name}`, pod: made };
}

function snapshotOf(...nodes: readonly Node[]): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  return snapshot;
}

const told = (step: Step | undefined): string =>
  step === undefined
    ? 'no step'
    : step.kind === 'bind'
      ? `${step.nodeName} ${step.gpus?.join(',') ?? 'no GPU'}`
      : waitMessage(step.nodes, step.refused, step.unresolved, step.preemption, step.note);

const freeOn = (snapshot: Snapshot, name: string): readonly number[] => [
  ...(snapshot.gpus.pool(snapshot.rowOf(name) ?? -1)?.free ?? []),
];

test('plan() gives shares of one GPU as far as they go, then of the next', () => {
  const snapshot = snapshotOf(node('a', 2));
  const steps = plan(
    snapshot,
    [1, 2, 3].map((at) => pod(`p-${at}`, { milli: 460 })),
  );
  assert.deepEqual(steps.map(told), ['a 0', 'a 0', 'a 1']);
  assert.deepEqual(freeOn(snapshot, 'a'), [80, 540]);
  assert.equal(
    told(plan(snapshot, [pod('large', { milli: 541 })])[0]),
    '0/1 nodes are available: 1 node(s) had no GPU with 541 thousandths free. The largest free share of a GPU is 540 thousandths, on node a. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
});

test('plan() keeps whole GPUs that device plugins know and shares of them apart', () => {
  const snapshot = snapshotOf(node('a', 2));
  assert.deepEqual(plan(snapshot, [pod('share', { milli: 100 })]).map(told), ['a 0']);
  assert.deepEqual(plan(snapshot, [pod('whole', { nvidia: 1 })]).map(told), ['a 1']);
  assert.match(
    told(plan(snapshot, [pod('more', { nvidia: 1 })])[0]),
    /1 Insufficient nvidia.com\/gpu\. At most|largest free share of a GPU is 900/,
  );
  assert.deepEqual(plan(snapshot, [pod('rest', { milli: 900 })]).map(told), ['a 0']);
});

test('plan() looks for the models that a pod names', () => {
  const snapshot = snapshotOf(node('old', 4, 'P100'), node('new', 1, 'V100M32'), node('none', 0));
  assert.deepEqual(plan(snapshot, [pod('a', { milli: 800, models: 'V100M16|V100M32' })]).map(told), [
    'new 0',
  ]);
  assert.equal(
    told(plan(snapshot, [pod('b', { milli: 300, models: 'V100M16|V100M32' })])[0]),
    '0/3 nodes are available: 1 node(s) had no GPU with 300 thousandths free, 1 node(s) had no GPUs, 1 node(s) had no GPUs of model V100M16|V100M32. ' +
      'The largest free share of a GPU of model V100M16|V100M32 is 200 thousandths, on node new. ' +
      'preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
  );
});

test('plan() refuses at once what no node could ever give', () => {
  const wrong = plan(snapshotOf(node('a', 2)), [pod('p', { milli: 0 })])[0];
  assert.equal(
    told(wrong),
    '0/1 nodes are available: annotation scheduling.caelum.dev/gpu-milli: Invalid value: "0": must be an integer from 1 to 1000. ' +
      'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
});

test('plan() makes room on a GPU for a pod that is more important', () => {
  const snapshot = snapshotOf(node('a', 2));
  plan(snapshot, [pod('x', { milli: 600 }), pod('y', { milli: 700, cpu: '2' })]);
  const [step] = plan(snapshot, [pod('important', { milli: 1000, priority: 10 })]);
  assert.equal(step?.kind === 'wait' && step.preemption?.kind, 'chosen');
  const victims = step?.kind === 'wait' && step.preemption?.kind === 'chosen' ? step.preemption.victims : [];
  assert.equal(victims.length, 1, 'one GPU is enough');
  assert.deepEqual(freeOn(snapshot, 'a'), [400, 300], 'nobody has gone yet');
});

test('A scheduler that was just started knows by the annotations which GPUs are given', () => {
  const snapshot = snapshotOf(node('a', 3));
  const bound = (name: string, asked: Asked, devices: string): void => {
    const { key, pod: one } = pod(name, asked);
    const annotations = { ...one.metadata.annotations, [gpuDevicesKey]: devices };
    const spec = { ...one.spec, containers: one.spec?.containers ?? [], nodeName: 'a' };
    snapshot.addPod(key, { ...one, metadata: { ...one.metadata, annotations }, spec }, 'a');
  };
  bound('p', { milli: 300 }, '2');
  bound('q', { nvidia: 1 }, '1');
  assert.deepEqual(freeOn(snapshot, 'a'), [1000, 0, 700]);
  assert.deepEqual(plan(snapshot, [pod('r', { milli: 700 })]).map(told), ['a 2']);
  snapshot.removePod('default/q');
  assert.deepEqual(plan(snapshot, [pod('s', { count: 2 })]).map(told), ['a 0,1']);
});

test('What a copied manifest says of GPUs does not count: the plan gives others', () => {
  const snapshot = snapshotOf(node('a', 2));
  plan(snapshot, [pod('first', { milli: 1000 })]);
  const { key, pod: one } = pod('copy', { milli: 600 });
  const annotations = { ...one.metadata.annotations, [gpuDevicesKey]: '0' };
  const copy = { key, pod: { ...one, metadata: { ...one.metadata, annotations } } };
  assert.deepEqual(plan(snapshot, [copy]).map(told), ['a 1']);
  assert.deepEqual(freeOn(snapshot, 'a'), [0, 400]);
});

const fragmentation = new FragmentationScorer('fragmentation', defaultWeights);

test('fragmentation-aware: shares go where others fit beside them, and whole GPUs stay whole', () => {
  const policy: Policy = { scorerOf: () => fragmentation };
  const snapshot = snapshotOf(node('a', 4), node('b', 4), node('c', 4));
  for (let at = 0; at < 15; at++)
    plan(
      snapshot,
      [pod(`p-${at}`, at % 3 === 0 ? { count: 1 } : { milli: at % 3 === 1 ? 300 : 700 })],
      policy,
    );
  const all = ['a', 'b', 'c'].flatMap((name) => freeOn(snapshot, name));
  assert.ok(all.filter((one) => one > 0 && one < 1000).length <= 2, `few are broken: ${all.join(' ')}`);
});

test('fragmentation-aware: pods without GPUs leave the processors to those with some', () => {
  const policy: Policy = { scorerOf: () => fragmentation };
  const plainNode: Node = {
    metadata: { name: 'z' },
    status: { allocatable: { cpu: '64', memory: '256Gi', pods: '110' } },
  };
  const snapshot = snapshotOf(node('a', 8), plainNode);
  plan(
    snapshot,
    Array.from({ length: 3 }, (_, at) => pod(`g-${at}`, { count: 1, cpu: '8' })),
    policy,
  );
  assert.deepEqual(plan(snapshot, [pod('web', { cpu: '20' })], policy).map(told), ['z no GPU']);
});

for (const [name, policy] of [
  ['the default', defaultPolicy],
  ['fragmentation-aware', { scorerOf: () => fragmentation }],
] as const)
  test(`plan() never gives more of a GPU than it has: ${name}`, () => {
    const random = new SeededRandom(`plan-gpus ${seed}`);
    for (let round = 0; round < 15; round++) {
      const nodes = Array.from({ length: 1 + random.integer(4) }, (_, at) =>
        node(`n-${at}`, random.integer(4), random.float() < 0.5 ? 'T4' : 'A10'),
      );
      const snapshot = snapshotOf(...nodes);
      const placed = new Map<string, { node: string; gpus: readonly number[]; milli: number }>();
      for (let step = 0; step < 25; step++) {
        const waiting = Array.from({ length: 1 + random.integer(5) }, (_, at) => {
          const asked: Asked =
            random.float() < 0.2
              ? { nvidia: 1 + random.integer(2) }
              : {
                  milli: 100 * (1 + random.integer(10)),
                  count: 1 + random.integer(2),
                  ...(random.float() < 0.3 ? { models: 'T4' } : {}),
                };
          return { ...pod(`p-${step}-${at}`, asked), asked };
        });
        const freeNow = ({ metadata, status }: Node): number[] => {
          const free = Array.from({ length: Number(status?.allocatable?.['nvidia.com/gpu']) }, () => 1000);
          for (const { node: there, gpus, milli } of placed.values())
            if (there === metadata.name) for (const at of gpus) free[at] = (free[at] ?? 0) - milli;
          return free;
        };
        for (const one of plan(snapshot, waiting, policy)) {
          const { asked } = waiting.find(({ key }) => key === one.podKey) as (typeof waiting)[number];
          const { milli = 1000, count = asked.nvidia ?? 1, models } = asked;
          const takes = (of: Node): boolean =>
            (models === undefined || of.metadata.labels?.[`${prefix}gpu-model`] === models) &&
            freeNow(of).filter((free) => free >= milli).length >= count;
          const why = `CAELUM_SEED=${seed}, round ${round}, step ${step}, ${one.podKey} ${JSON.stringify(asked)}`;
          if (one.kind === 'wait') assert.equal(nodes.some(takes), false, `a node would take it: ${why}`);
          else {
            const there = nodes.find(({ metadata }) => metadata.name === one.nodeName);
            assert.ok(there !== undefined && takes(there), `its node does not take it: ${why}`);
            assert.equal(one.gpus?.length, count, why);
            placed.set(one.podKey, { node: one.nodeName, gpus: one.gpus ?? [], milli });
          }
        }
        for (const key of [...placed.keys()])
          if (random.float() < 0.2) {
            placed.delete(key);
            snapshot.removePod(key);
          }
        for (const one of nodes) {
          const { name = '' } = one.metadata;
          const free = freeNow(one);
          const why = `CAELUM_SEED=${seed}, round ${round}, step ${step}, ${name}: ${free.join(' ')}`;
          assert.ok(
            free.every((part) => part >= 0),
            why,
          );
          assert.deepEqual(freeOn(snapshot, name), free, why);
        }
      }
    }
  });
