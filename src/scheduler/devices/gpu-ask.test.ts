import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { demandOf } from '../demand.ts';
import { givenGpus, gpusOf } from './gpu-ask.ts';

const pod = (annotations: Record<string, string>, limits: Record<string, string> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', annotations },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: limits, limits } }] },
});
const key = (name: string): string => `scheduling.caelum.dev/${name}`;

const asks: readonly [string, Pod, object | string | undefined][] = [
  ['nothing', pod({}), undefined],
  ['other annotations', pod({ 'example.com/a': 'b' }), undefined],
  ['models alone', pod({ [key('gpu-models')]: 'T4' }), undefined],
  ['a share', pod({ [key('gpu-milli')]: '460' }), { count: 1, milli: 460, models: [], resource: '' }],
  [
    'a share of certain models',
    pod({ [key('gpu-milli')]: '1', [key('gpu-models')]: 'V100M16|V100M32' }),
    { count: 1, milli: 1, models: ['V100M16', 'V100M32'], resource: '' },
  ],
  ['whole ones', pod({ [key('gpu-count')]: '2' }), { count: 2, milli: 1000, models: [], resource: '' }],
  [
    'shares of two',
    pod({ [key('gpu-count')]: '2', [key('gpu-milli')]: '500' }),
    { count: 2, milli: 500, models: [], resource: '' },
  ],
  [
    'whole ones as device plugins have it',
    pod({ [key('gpu-models')]: 'T4' }, { 'nvidia.com/gpu': '4' }),
    { count: 4, milli: 1000, models: ['T4'], resource: 'nvidia.com/gpu' },
  ],
  [
    'a share as a resource',
    pod({}, { [key('gpu-milli')]: '250' }),
    { count: 1, milli: 250, models: [], resource: '' },
  ],
  [
    'whole ones in thousandths',
    pod({}, { [key('gpu-milli')]: '3000' }),
    { count: 3, milli: 1000, models: [], resource: '' },
  ],
  [
    'neither',
    pod({}, { [key('gpu-milli')]: '1500' }),
    '1500 thousandths are neither a share of one GPU nor whole GPUs',
  ],
  [
    'no number',
    pod({ [key('gpu-milli')]: 'half' }),
    'annotation scheduling.caelum.dev/gpu-milli: Invalid value: "half": must be an integer from 1 to 1000',
  ],
  [
    'too much',
    pod({ [key('gpu-milli')]: '1001' }),
    'annotation scheduling.caelum.dev/gpu-milli: Invalid value: "1001": must be an integer from 1 to 1000',
  ],
  [
    'nothing at all',
    pod({ [key('gpu-milli')]: '0' }),
    'annotation scheduling.caelum.dev/gpu-milli: Invalid value: "0": must be an integer from 1 to 1000',
  ],
  [
    'more than machines have',
    pod({ [key('gpu-count')]: '65' }),
    'annotation scheduling.caelum.dev/gpu-count: Invalid value: "65": must be an integer from 1 to 64',
  ],
  [
    'two ways at once',
    pod({ [key('gpu-milli')]: '460' }, { 'nvidia.com/gpu': '1' }),
    'the pod asks for whole GPUs by nvidia.com/gpu and for others besides',
  ],
  [
    'a share in two ways',
    pod({ [key('gpu-milli')]: '460' }, { [key('gpu-milli')]: '460' }),
    'the pod asks for GPUs by the resource scheduling.caelum.dev/gpu-milli and by annotations',
  ],
];
for (const [name, asking, wanted] of asks)
  test(`gpuAskOf() understands ${name}`, () => {
    const { gpus, impossible, extended } = demandOf(asking);
    if (typeof wanted === 'string') assert.equal(impossible, wanted);
    else {
      assert.equal(impossible, undefined);
      assert.deepEqual(gpus, wanted);
    }
    assert.equal(extended.has(key('gpu-milli')), false, 'no node is asked for thousandths');
  });

test('givenGpus() takes only what makes sense', () => {
  const given = (text: string, count: number): readonly number[] | undefined =>
    givenGpus(pod({ [key('gpu-devices')]: text }), count);
  assert.deepEqual(given('0', 1), [0]);
  assert.deepEqual(given('3,1', 2), [3, 1]);
  for (const [text, count] of [
    ['', 1],
    ['0', 2],
    ['1,1', 2],
    ['-1', 1],
    ['0,', 1],
    ['a', 1],
    ['999', 1],
  ] as const)
    assert.equal(given(text, count), undefined, text);
});

const nodes: readonly [string, Record<string, string>, Record<string, string>, object | undefined][] = [
  ['no GPUs', {}, { cpu: '1' }, undefined],
  [
    'a device plugin',
    { [key('gpu-model')]: 'T4' },
    { 'nvidia.com/gpu': '2' },
    { count: 2, model: 'T4', resource: 'nvidia.com/gpu' },
  ],
  [
    'feature discovery',
    { 'nvidia.com/gpu.product': 'A10' },
    { 'nvidia.com/gpu': '1' },
    { count: 1, model: 'A10', resource: 'nvidia.com/gpu' },
  ],
  [
    'labels alone',
    { [key('gpu-count')]: '4', [key('gpu-model')]: 'P100' },
    {},
    { count: 4, model: 'P100', resource: '' },
  ],
  ['a plugin that has none left', {}, { 'nvidia.com/gpu': '0' }, undefined],
  ['a label that makes no sense', { [key('gpu-count')]: 'many' }, {}, undefined],
];
for (const [name, labels, allocatable, wanted] of nodes)
  test(`gpusOf() understands ${name}`, () => assert.deepEqual(gpusOf(labels, allocatable), wanted));
