/** What is said of pods that look at others; that it helps is tried on random clusters (sim/reference/remedies.test.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { Snapshot } from '../snapshot.ts';
import { remediesOf } from './remedies.ts';

const hostname = 'kubernetes.io/hostname';
const labelSelector = { matchLabels: { app: 'web' } };

function cloud(): Snapshot {
  const snapshot = new Snapshot();
  for (const name of ['a', 'b'])
    snapshot.setNode({
      metadata: { name, labels: { [hostname]: name } },
      status: { allocatable: { cpu: name === 'a' ? '4' : '1', memory: '4Gi', pods: '10' } },
    } as unknown as Node);
  for (const name of ['1', '2']) snapshot.addPod(`shop/${name}`, pod(name, {}), 'a');
  return snapshot;
}

const pod = (name: string, spec: object): Pod =>
  ({
    metadata: { name, namespace: 'shop', uid: name, labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1500m' } } }], ...spec },
  }) as unknown as Pod;

const texts = (spec: object): readonly string[] =>
  remediesOf(cloud(), pod('x', spec)).ways.map(({ text }) => text);

test('remediesOf() names the skew that would let a pod in', () => {
  const topologySpreadConstraints = [
    { maxSkew: 1, topologyKey: hostname, whenUnsatisfiable: 'DoNotSchedule', labelSelector },
  ];
  const small = { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], nodeName: 'a' };
  assert.deepEqual(texts({ topologySpreadConstraints, ...small }), [
    `would fit on node a with maxSkew 3 for ${hostname} instead of 1`,
  ]);
});

test('remediesOf() names the pods that are in the way', () => {
  const podAntiAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: hostname, labelSelector }],
  };
  const small = {
    containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }],
    nodeSelector: { [hostname]: 'a' },
  };
  assert.deepEqual(texts({ affinity: { podAntiAffinity }, ...small }), [
    `would fit on node b with the label ${hostname}=a`,
    'would fit on node a if shop/1 and shop/2 were not there',
    `one more node with the label ${hostname}=a and 1 cpu to give`,
  ]);
});

test('remediesOf() tells gates, and what makes no sense', () => {
  const gated = remediesOf(cloud(), pod('x', { schedulingGates: [{ name: 'a.example/later' }] }));
  assert.deepEqual(
    gated.ways.map(({ kind, text }) => [kind, text]),
    [['gates', 'once its scheduling gates are removed: a.example/later']],
  );
});
