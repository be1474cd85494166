import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queue } from '../../api/index.ts';
import { Resources } from './amounts.ts';
import { overcommitment, treeOf } from './queue-tree.ts';
import { fairCloud, type PodWords, podOf, queue } from './test-tenants.ts';

const gi = 2 ** 30;

interface Case {
  readonly what: string;
  readonly queues: readonly Queue[];
  /** What is there: `tenant`, how much. */
  readonly there?: readonly (readonly [string, PodWords])[];
  readonly asks: readonly [string, PodWords];
  readonly refusal?: string;
}

const cases: readonly Case[] = [
  { what: 'no limits', queues: [queue('a')], asks: ['a', { cpu: 99 }] },
  {
    what: 'above its limit',
    queues: [queue('a', { max: { cpu: '10' } })],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 4 }],
    refusal: 'queue a: 12 of at most 10 cpu',
  },
  {
    what: 'just at its limit',
    queues: [queue('a', { max: { cpu: '10', memory: '1Gi' } })],
    there: [['a', { cpu: '9500m', memory: '512Mi' }]],
    asks: ['a', { cpu: '500m', memory: '512Mi' }],
  },
  {
    what: 'shares of GPUs above its limit, however they are asked for',
    queues: [queue('a', { max: { 'scheduling.caelum.dev/gpu-milli': '2000' } })],
    there: [
      ['a', { annotations: { 'scheduling.caelum.dev/gpu-milli': '460' } }],
      ['a', { extended: { 'scheduling.caelum.dev/gpu-milli': '300' } }],
      ['a', { extended: { 'nvidia.com/gpu': '1' } }],
    ],
    asks: ['a', { annotations: { 'scheduling.caelum.dev/gpu-milli': '300' } }],
    refusal: 'queue a: 2060 of at most 2000 scheduling.caelum.dev/gpu-milli',
  },
  {
    what: 'an ask for GPUs that makes no sense counts for nothing',
    queues: [queue('a', { max: { 'scheduling.caelum.dev/gpu-milli': '1' } })],
    asks: ['a', { annotations: { 'scheduling.caelum.dev/gpu-milli': 'many' } }],
  },
  {
    what: 'memory above its limit',
    queues: [queue('a', { max: { cpu: '10', memory: '1Gi' } })],
    there: [['a', { memory: '512Mi' }]],
    asks: ['a', { cpu: '100m', memory: '1Gi' }],
    refusal: 'queue a: 1536Mi of at most 1Gi memory',
  },
  {
    what: 'too many pods',
    queues: [queue('a', { max: { pods: '1' } })],
    there: [['a', {}]],
    asks: ['a', {}],
    refusal: 'queue a: 2 of at most 1 pods',
  },
  {
    what: 'a device above the limit',
    queues: [queue('a', { max: { 'example.com/gpu': '2' } })],
    there: [['a', { extended: { 'example.com/gpu': '2' } }]],
    asks: ['a', { extended: { 'example.com/gpu': '1' } }],
    refusal: 'queue a: 3 of at most 2 example.com/gpu',
  },
  {
    what: 'nothing of what is limited',
    queues: [queue('a', { max: { cpu: '1' } })],
    there: [['a', { cpu: 1 }]],
    asks: ['a', { memory: '1Gi' }],
  },
  {
    what: 'above the limit of a queue above it',
    queues: [
      queue('org', { max: { cpu: '10' } }),
      queue('a', { parent: 'org' }),
      queue('b', { parent: 'org' }),
    ],
    there: [['b', { cpu: 7 }]],
    asks: ['a', { cpu: 4 }],
    refusal: 'queue a in org: 11 of at most 10 cpu',
  },
  {
    what: 'a queue that may not borrow',
    queues: [queue('a', { min: { cpu: '10' }, mayBorrow: false })],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 4 }],
    refusal: 'queue a: 12 of 10 cpu, and it may not borrow',
  },
  {
    what: 'what others are guaranteed and lend',
    queues: [queue('a', { min: { cpu: '10' } }), queue('b', { min: { cpu: '90' } })],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 4 }],
  },
  {
    what: 'what others are guaranteed and do not lend',
    queues: [queue('a', { min: { cpu: '10' } }), queue('b', { min: { cpu: '90' }, mayLend: false })],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 4 }],
    refusal: "queue a: 12 of 10 cpu, may borrow no more: b's guarantee keeps 90 cpu",
  },
  {
    what: 'its own guarantee beside theirs',
    queues: [queue('a', { min: { cpu: '10' } }), queue('b', { min: { cpu: '90' }, mayLend: false })],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 2 }],
  },
  {
    what: 'what others do not lend and have used',
    queues: [queue('a', { min: { cpu: '10' } }), queue('b', { min: { cpu: '50' }, mayLend: false })],
    there: [
      ['a', { cpu: 8 }],
      ['b', { cpu: 20 }],
    ],
    asks: ['a', { cpu: 42 }],
  },
  {
    what: 'a little more than that',
    queues: [
      queue('a', { min: { cpu: '10' } }),
      queue('b', { min: { cpu: '50' }, mayLend: false }),
      queue('c', { min: { cpu: '5' }, mayLend: false }),
    ],
    there: [
      ['a', { cpu: 8 }],
      ['b', { cpu: 20 }],
    ],
    asks: ['a', { cpu: 38 }],
    refusal: 'queue a: 46 of 10 cpu, may borrow no more: the guarantees of 2 queues keep 35 cpu',
  },
  {
    what: 'pods of no queue, of what is not lent',
    queues: [queue('b', { min: { cpu: '90' }, mayLend: false })],
    asks: ['elsewhere', { cpu: 11 }],
    refusal: "pods of no queue: 11 cpu, may borrow no more: b's guarantee keeps 90 cpu",
  },
  {
    what: 'what a sibling does not lend, within the limit of both',
    queues: [
      queue('org', { max: { cpu: '20' } }),
      queue('a', { parent: 'org' }),
      queue('b', { parent: 'org', min: { cpu: '10' }, mayLend: false }),
    ],
    there: [['a', { cpu: 8 }]],
    asks: ['a', { cpu: 4 }],
    refusal: 'queue a in org: 12 of 20 cpu, of which the guarantees of others keep 10',
  },
  {
    what: 'a queue without its parent',
    queues: [queue('a', { parent: 'org' })],
    asks: ['a', {}],
    refusal: 'queue a: its parent org does not exist',
  },
];

for (const { what, queues, there = [], asks, refusal } of cases)
  test(`refusal() of ${what}`, () => {
    const { tenants, place } = fairCloud(queues, 100, 100 * gi);
    there.forEach(([tenant, words], at) => {
      place(podOf(tenant, `there${at}`, words));
    });
    const pod = podOf(asks[0], 'new', asks[1]);
    assert.equal(tenants.refusal(tenants.leafOf(pod), tenants.askOf(pod))?.message, refusal);
  });

const problems = (queues: readonly Queue[]): Record<string, string> => {
  const { problems: found } = treeOf(queues, new Resources());
  return Object.fromEntries([...found].map(([name, { reason, message }]) => [name, `${reason}: ${message}`]));
};

test('treeOf() tells what is wrong with parents', () => {
  assert.deepEqual(
    problems([
      queue('a', { parent: 'b' }),
      queue('b', { parent: 'c' }),
      queue('c', { parent: 'b' }),
      queue('lost', { parent: 'nobody' }),
      queue('child', { parent: 'lost' }),
      queue('fine'),
    ]),
    {
      a: 'ParentNotReady: its parent b is not ready: its parent c is not ready: it is above its own parent b',
      b: 'ParentNotReady: its parent c is not ready: it is above its own parent b',
      c: 'ParentCycle: it is above its own parent b',
      child: 'ParentNotReady: its parent lost is not ready: its parent nobody does not exist',
      lost: 'UnknownParent: its parent nobody does not exist',
    },
  );
});

test('treeOf() tells what is wrong with guarantees', () => {
  const children = [
    queue('a', { parent: 'org', min: { cpu: '6' } }),
    queue('b', { parent: 'org', min: { cpu: '6', memory: '1Gi' } }),
  ];
  assert.deepEqual(problems([queue('org'), ...children]), {});
  assert.deepEqual(problems([queue('org', { min: { cpu: '12' } }), ...children]), {});
  assert.deepEqual(problems([queue('org', { min: { cpu: '10' } }), ...children]), {
    org: 'GuaranteesExceedOwn: the queues below it are guaranteed 12 cpu, it is guaranteed 10',
  });
  assert.deepEqual(problems([queue('org', { max: { cpu: '11500m' } }), ...children]), {
    org: 'GuaranteesExceedLimit: the queues below it are guaranteed 12 cpu, it may have 11500m',
  });
});

test('overcommitment() tells when the cloud is too small', () => {
  const resources = new Resources();
  const tree = treeOf([queue('a', { min: { cpu: '6' } }), queue('b', { min: { cpu: '6' } })], resources);
  assert.equal(overcommitment(tree, [12_000], resources), undefined);
  assert.equal(
    overcommitment(tree, [10_000], resources)?.message,
    'all queues together are guaranteed 12 cpu, the cloud has 10',
  );
});
