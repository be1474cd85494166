import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { understandConfiguration } from './configuration.ts';

const base = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' };

test('understandConfiguration() makes profiles of weights and scoring strategies, and says what it leaves out', () => {
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ];
  const scoringStrategy = {
    type: 'RequestedToCapacityRatio',
    resources: [{ name: 'cpu', weight: 1 }],
    requestedToCapacityRatio: { shape },
  };
  const { profiles, remarks } = understandConfiguration({
    ...base,
    leaderElection: { leaderElect: true },
    percentageOfNodesToScore: 50,
    extenders: [{}],
    profiles: [
      { schedulerName: 'default-scheduler' },
      {
        schedulerName: 'packing',
        plugins: {
          score: {
            disabled: [{ name: '*' }],
            enabled: [{ name: 'NodeResourcesFit', weight: 5 }, { name: 'Yoda' }],
          },
          filter: { disabled: [{ name: 'NodePorts' }] },
        },
        pluginConfig: [
          { name: 'NodeResourcesFit', args: { scoringStrategy } },
          { name: 'PodTopologySpread', args: { defaultingType: 'List' } },
        ],
      },
    ],
  });
  assert.deepEqual(
    profiles.map(({ metadata, spec }) => [metadata.name, spec]),
    [
      ['default-scheduler', { schedulerName: 'default-scheduler' }],
      [
        'packing',
        {
          schedulerName: 'packing',
          weights: {
            NodeResourcesFit: 5,
            NodeResourcesBalancedAllocation: 0,
            TaintToleration: 0,
            NodeAffinity: 0,
            PodTopologySpread: 0,
            InterPodAffinity: 0,
            ImageLocality: 0,
          },
          scoringStrategy,
        },
      ],
    ],
  );
  assert.deepEqual(remarks, [
    'extenders: not heeded: no other program is asked; a custom score can be an expression',
    'profile packing: plugin Yoda is not known: its score does not count',
    'profile packing: plugins.filter: not heeded: all filters are always asked',
    'profile packing: arguments of PodTopologySpread (defaultingType): not heeded: replicas of one owner are spread over hosts and zones without constraints',
  ]);
});

test('understandConfiguration() tells other documents apart', () => {
  for (const other of [
    undefined,
    [],
    'text',
    { apiVersion: 'v1', kind: 'Pod' },
    { ...base, apiVersion: 'kubelet.config.k8s.io/v1beta1' },
    { ...base, profiles: 7 },
  ])
    assert.throws(
      () => understandConfiguration(other),
      (error) => isError(error, 'invalid') && error.message.startsWith('Cannot read the configuration:'),
    );
});
