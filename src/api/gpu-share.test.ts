import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotatedGpuMilli, gpuCountKey, gpuMilliKey } from './gpu-share.ts';
import { usageOf } from './quota/usage.ts';
import type { Pod } from './types/core.v1.ts';

const podWith = (annotations: Record<string, string>, requests: Record<string, string> = {}): Pod =>
  ({
    metadata: { name: 'p', namespace: 'n', annotations },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }] },
  }) as unknown as Pod;

test('annotatedGpuMilli() is thousandths of all GPUs together, and nothing where that makes no sense', () => {
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{}, 0],
    [{ [gpuMilliKey]: '460' }, 460],
    [{ [gpuCountKey]: '2' }, 2000],
    [{ [gpuMilliKey]: '500', [gpuCountKey]: '3' }, 1500],
    [{ [gpuMilliKey]: '1001' }, 0],
    [{ [gpuMilliKey]: 'much' }, 0],
    [{ [gpuCountKey]: '65' }, 0],
  ];
  for (const [annotations, milli] of cases) assert.equal(annotatedGpuMilli(podWith(annotations)), milli);
});

test('usageOf() counts a share of a GPU the same by annotation and by resource', () => {
  const name = `requests.${gpuMilliKey}`;
  assert.equal(usageOf('pods', podWith({ [gpuMilliKey]: '460' }))[name], '460');
  assert.equal(usageOf('pods', podWith({}, { [gpuMilliKey]: '460' }))[name], '460');
  assert.equal(usageOf('pods', podWith({ [gpuMilliKey]: '300' }, { [gpuMilliKey]: '460' }))[name], '460');
  assert.equal(usageOf('pods', podWith({}))[name], undefined);
});
