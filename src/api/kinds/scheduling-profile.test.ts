import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCustomScore } from './scheduling-profile-spec/custom-score.ts';
import type { SchedulingProfileSpec } from './scheduling-profile-spec/types.ts';
import { validateProfileSpec } from './scheduling-profile-spec/validate.ts';

const refusals: readonly (readonly [string, SchedulingProfileSpec, string | undefined])[] = [
  ['nothing', {}, undefined],
  [
    'all that there is',
    {
      schedulerName: 'batch',
      strategy: 'Custom',
      workloads: [{ type: 'CPUIntensive', strategy: 'BinPack' }],
      weights: { NodeAffinity: 5, ImageLocality: 0 },
      scoringStrategy: {
        type: 'RequestedToCapacityRatio',
        resources: [{ name: 'example.com/gpu', weight: 3 }],
        requestedToCapacityRatio: {
          shape: [
            { utilization: 0, score: 0 },
            { utilization: 100, score: 10 },
          ],
        },
      },
      custom: { expression: '100.0 * free.cpu / node.cpu' },
      prices: [{ capacityType: 'Spot', hourly: '0.03' }],
      locations: { preferred: [{ zone: 'a', weight: 10 }], labels: { rack: 'example.com/rack' } },
    },
    undefined,
  ],
  ['a strategy that is none', { strategy: 'Best' }, 'spec.strategy'],
  ['a type that is none', { workloads: [{ type: 'Big', strategy: 'BinPack' }] }, 'spec.workloads[0].type'],
  ['an aspect that is none', { weights: { Luck: 1 } }, 'spec.weights[Luck]'],
  ['a weight below zero', { weights: { NodeAffinity: -1 } }, 'spec.weights[NodeAffinity]'],
  ['no custom score', { strategy: 'Custom' }, 'spec.custom'],
  ['two custom scores', { custom: { expression: '1', function: 'f' } }, 'spec.custom'],
  ['a custom score that is no number', { custom: { expression: 'node.name' } }, 'spec.custom.expression'],
  [
    'a custom score with a typing error',
    { custom: { expression: 'node.cpus * 2.0' } },
    'spec.custom.expression',
  ],
  ['a price that is none', { prices: [{ hourly: 'cheap' }] }, 'spec.prices[0].hourly'],
  ['a place that is none', { locations: { preferred: [{ weight: 1 }] } }, 'spec.locations.preferred[0]'],
  [
    'a shape that falls back',
    {
      scoringStrategy: {
        type: 'RequestedToCapacityRatio',
        requestedToCapacityRatio: {
          shape: [
            { utilization: 50, score: 0 },
            { utilization: 50, score: 10 },
          ],
        },
      },
    },
    'spec.scoringStrategy.requestedToCapacityRatio.shape[1].utilization',
  ],
];

for (const [what, spec, field] of refusals)
  test(`validateProfileSpec() ${field === undefined ? 'accepts' : 'refuses'} ${what}`, () => {
    const problems: Parameters<typeof validateProfileSpec>[0] = [];
    validateProfileSpec(problems, spec);
    assert.deepEqual(
      problems.map((one) => one.field),
      field === undefined ? [] : [field],
      JSON.stringify(problems),
    );
  });

const question = {
  node: { name: 'n', labels: { disk: 'ssd' }, taints: [], cpu: 4, memory: 8e9, resources: {} },
  pod: { namespace: 'd', labels: {}, annotations: {}, cpu: 1, memory: 1e9, resources: {} },
  free: { cpu: 3, memory: 2e9, pods: 100, resources: {} },
};

test('compileCustomScore() gives numbers, and says why where there is none', () => {
  const score = (expression: string) => {
    const { scoring, text } = compileCustomScore(expression);
    assert.ok(scoring !== undefined, text ?? '');
    return scoring.score(question);
  };
  assert.equal(score('100.0 * free.cpu / node.cpu').value, 75);
  assert.equal(score('free.memory > pod.memory ? 50 : 0').value, 50);
  assert.equal(score('node.labels["disk"] == "ssd" ? 100.0 : 0.0').value, 100);
  assert.match(score('node.labels["zone"] == "a" ? 100.0 : 0.0').error ?? '', /no such key: zone/);
  const numbers = `[${Array.from({ length: 60 }, (_, at) => at).join(',')}]`;
  const endless = `${numbers}.all(a, ${numbers}.all(b, ${numbers}.all(c, a + b + c >= 0))) ? 1.0 : 0.0`;
  assert.match(score(endless).error ?? '', /cut off/);
});
