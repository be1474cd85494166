import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, ResourceSlice } from '../../api/index.ts';
import { consumptionOf } from './device-capacity.ts';
import {
  ask,
  claim,
  devices,
  driver,
  exactly,
  numa,
  shared,
  slice,
  taken,
  told,
  wants,
} from './test-devices.ts';

for (const [what, slices, claims, allocated, wanted] of [
  ['the first that is free', [slice('s', devices(3))], [claim([exactly('a')])], [taken('d0')], 'a=d1'],
  ['several', [slice('s', devices(3))], [claim([exactly('a', { count: 2 })])], [taken('d1')], 'a=d0 a=d2'],
  ['no more than there are', [slice('s', devices(2))], [claim([exactly('a', { count: 3 })])], [], 'none'],
  [
    'each only once',
    [slice('s', devices(2))],
    [claim([exactly('a')]), claim([exactly('b')]), claim([exactly('c')])],
    [],
    'none',
  ],
  ['all', [slice('s', devices(2))], [claim([exactly('a', { allocationMode: 'All' })])], [], 'a=d0 a=d1'],
  [
    'all, unless one is taken',
    [slice('s', devices(2))],
    [claim([exactly('a', { allocationMode: 'All' })])],
    [taken('d1')],
    'none',
  ],
  [
    'all, unless there are none',
    [slice('s', [])],
    [claim([exactly('a', { allocationMode: 'All' })])],
    [],
    'none',
  ],
  [
    'taken ones for whoever looks after them',
    [slice('s', devices(2))],
    [claim([exactly('a', { allocationMode: 'All', adminAccess: true })])],
    [taken('d0', 'd1')],
    'a=d0 a=d1',
  ],
  [
    'what the class and the request select',
    [
      slice(
        's',
        devices(4, (index) => ({
          attributes: { size: { int: 1 + (index % 2) }, ready: { bool: index > 1 } },
        })),
      ),
    ],
    [
      claim([
        exactly('a', {
          deviceClassName: 'big',
          selectors: [{ cel: { expression: `device.attributes["${driver}"].ready` } }],
        }),
      ]),
    ],
    [],
    'a=d3',
  ],
  [
    'a fault of a selector is told',
    [slice('s', devices(1))],
    [claim([exactly('a', { deviceClassName: 'big' })])],
    [],
    'class big: selector #0: CEL runtime error: no such key: size',
  ],
  [
    'those that match',
    [slice('s', devices(4, numa))],
    [claim([exactly('a', { count: 2 })], [{ matchAttribute: `${driver}/numa` }])],
    [taken('d0')],
    'a=d1 a=d3',
  ],
  [
    'those that differ',
    [slice('s', devices(4, numa))],
    [claim([exactly('a'), exactly('b')], [{ distinctAttribute: `${driver}/numa` }])],
    [],
    'a=d0 b=d1',
  ],
  [
    'a constraint of other requests does not matter',
    [slice('s', devices(2, numa))],
    [claim([exactly('a'), exactly('b')], [{ matchAttribute: `${driver}/numa`, requests: ['a'] }])],
    [],
    'a=d0 b=d1',
  ],
  [
    'none that is tainted',
    [
      slice(
        's',
        devices(2, (index) => (index === 0 ? { taints: [{ key: 'broken', effect: 'NoSchedule' }] } : {})),
      ),
    ],
    [claim([exactly('a')])],
    [],
    'a=d1',
  ],
  [
    'a tainted one that is tolerated',
    [
      slice(
        's',
        devices(1, () => ({ taints: [{ key: 'broken', value: 'x', effect: 'NoExecute' }] })),
      ),
    ],
    [claim([exactly('a', { tolerations: [{ key: 'broken', operator: 'Equal', value: 'x' }] })])],
    [],
    'a=d0',
  ],
  [
    'a taint of no effect',
    [
      slice(
        's',
        devices(1, () => ({ taints: [{ key: 'odd', effect: 'None' }] })),
      ),
    ],
    [claim([exactly('a')])],
    [],
    'a=d0',
  ],
  [
    'the first alternative that is possible',
    [slice('s', devices(2))],
    [
      claim([
        {
          name: 'a',
          firstAvailable: [
            { name: 'two', deviceClassName: 'gpu', count: 2 },
            { name: 'one', deviceClassName: 'gpu', count: 1 },
          ],
        },
      ]),
    ],
    [taken('d0')],
    'a/one=d1',
  ],
  [
    'an earlier request gives way',
    [
      slice(
        's',
        devices(2, (index) => ({ attributes: { size: { int: 2 - index } } })),
      ),
    ],
    [claim([exactly('a'), exactly('b', { deviceClassName: 'big' })])],
    [],
    'a=d1 b=d0',
  ],
  [
    'a device of many as long as its capacity lasts',
    [
      slice(
        's',
        devices(1, () => shared('4Gi')),
      ),
    ],
    [claim([exactly('a', wants('1500Mi')), exactly('b', wants('2Gi'))])],
    [],
    'a=d0 b=d0',
  ],
  [
    'no more of it than its capacity',
    [
      slice(
        's',
        devices(1, () => shared('4Gi')),
      ),
    ],
    [claim([exactly('a', wants('2500Mi')), exactly('b', wants('2Gi'))])],
    [],
    'none',
  ],
  [
    'what others take of it counts',
    [
      slice(
        's',
        devices(2, () => shared('4Gi')),
      ),
    ],
    [claim([exactly('a', wants('2Gi'))])],
    [
      {
        devices: {
          results: [
            {
              request: 'r',
              driver,
              pool: 'n1',
              device: 'd0',
              shareID: 'x',
              consumedCapacity: { memory: '3Gi' },
            },
          ],
        },
      },
    ],
    'a=d1',
  ],
  [
    'no capacity that it has not',
    [
      slice(
        's',
        devices(1, () => shared('4Gi')),
      ),
    ],
    [claim([exactly('a', { capacity: { requests: { cores: '1' } } })])],
    [],
    'none',
  ],
  [
    'nothing of a pool of which slices are missing',
    [slice('s', devices(1), { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })],
    [claim([exactly('a')])],
    [],
    'none',
  ],
  [
    'all of such a pool is a fault',
    [slice('s', devices(1), { pool: { name: 'n1', generation: 1, resourceSliceCount: 2 } })],
    [claim([exactly('a', { allocationMode: 'All' })])],
    [],
    `claim default/c, request a: asks for all devices, but resource pool ${driver}/n1 is currently being updated`,
  ],
  [
    'no device twice in a pool',
    [slice('s', [{ name: 'd0' }, { name: 'd0' }])],
    [claim([exactly('a')])],
    [],
    'invalid resource pools were encountered',
  ],
  [
    'only the newest generation',
    [
      slice('s', devices(3)),
      slice('t', [{ name: 'new' }], { pool: { name: 'n1', generation: 2, resourceSliceCount: 1 } }),
    ],
    [claim([exactly('a')])],
    [],
    'a=new',
  ],
  [
    'nothing of other nodes',
    [slice('s', devices(1), { nodeName: 'n2' })],
    [claim([exactly('a')])],
    [],
    'none',
  ],
  [
    'devices of a network, by the labels of nodes',
    [
      slice(
        's',
        [
          {
            name: 'far',
            nodeSelector: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] }],
            },
          },
          { name: 'near', allNodes: true },
        ],
        {
          nodeName: undefined as never,
          perDeviceNodeSelection: true,
        },
      ),
    ],
    [claim([exactly('a')])],
    [],
    'a=near',
  ],
  [
    'too many',
    [slice('s', devices(40))],
    [claim([exactly('a', { count: 33 })])],
    [],
    'claim default/c: number of requested devices 33 exceeds the claim limit of 32',
  ],
] as const)
  test(`allocate() gives ${what}`, () => {
    assert.equal(told(ask(slices, claims, allocated)), wanted);
  });

/** A GPU that can be had whole or in parts. */
const partitions = (): readonly ResourceSlice[] => {
  const pool = { name: 'n1', generation: 1, resourceSliceCount: 2 };
  const consumes = (memory: string) => ({
    consumesCounters: [{ counterSet: 'gpu0', counters: { memory: { value: memory } } }],
  });
  return [
    {
      ...slice('counters', []),
      spec: {
        driver,
        pool,
        nodeName: 'n1',
        sharedCounters: [{ name: 'gpu0', counters: { memory: { value: '8Gi' } } }],
      },
    },
    slice(
      's',
      [
        { name: 'whole', ...consumes('8Gi') },
        { name: 'half0', ...consumes('4Gi') },
        { name: 'half1', ...consumes('4Gi') },
      ],
      { pool },
    ),
  ];
};

test('allocate() shares counters between the parts of a device', () => {
  assert.equal(told(ask(partitions(), [claim([exactly('a')])])), 'a=whole');
  assert.equal(told(ask(partitions(), [claim([exactly('a', { count: 2 })])])), 'a=half0 a=half1');
  assert.equal(told(ask(partitions(), [claim([exactly('a')])], [taken('half0')])), 'a=half1');
  assert.equal(told(ask(partitions(), [claim([exactly('a')])], [taken('whole')])), 'none');
  assert.equal(told(ask(partitions(), [claim([exactly('a', { count: 3 })])])), 'none');
});

test('allocate() ends soon where devices are alike, and gives up where they are not', () => {
  const many = slice(
    's',
    devices(64, (index) => ({ attributes: { numa: { int: index % 2 }, uuid: { string: `u${index}` } } })),
  );
  const asks = claim(
    [exactly('a', { count: 16 }), exactly('b', { count: 17 - 1 })],
    [{ matchAttribute: `${driver}/numa`, requests: ['a'] }, { matchAttribute: `${driver}/numa` }],
  );
  assert.equal(ask([many], [asks], [taken('d0', 'd1')]).kind, 'none');
  const odd = slice(
    's',
    devices(40, (index) => ({ attributes: { size: { int: index } } })),
  );
  const differing = claim(
    [exactly('a', { count: 20 }), exactly('b', { count: 12 })],
    [{ distinctAttribute: `${driver}/size` }, { matchAttribute: `${driver}/size`, requests: ['b'] }],
  );
  assert.equal(ask([odd], [differing]).kind, 'tooLong');
});

test('consumptionOf() rounds as the policy says', () => {
  const capacity = (policy: object | undefined): Device => ({
    name: 'd',
    capacity: { m: { value: '10', ...(policy && { requestPolicy: policy }) } },
  });
  const asked = (amount: string | undefined) =>
    amount === undefined ? undefined : { requests: { [`${driver}/m`]: amount } };
  for (const [policy, amount, wanted] of [
    [undefined, undefined, 10n],
    [undefined, '3', 3n],
    [undefined, '11', undefined],
    [{ default: '2' }, undefined, 2n],
    [{ default: '2', validValues: ['2', '4', '8'] }, '3', 4n],
    [{ default: '2', validValues: ['2', '4', '8'] }, '9', undefined],
    [{ default: '1', validRange: { min: '2' } }, '1', 2n],
    [{ default: '1', validRange: { min: '1', step: '3' } }, '5', 7n],
    [{ default: '1', validRange: { min: '1', max: '6', step: '3' } }, '5', undefined],
  ] as const)
    assert.equal(
      consumptionOf(driver, capacity(policy), asked(amount))?.get('m'),
      wanted === undefined ? undefined : wanted * 10n ** 9n,
      JSON.stringify([policy, amount]),
    );
});
