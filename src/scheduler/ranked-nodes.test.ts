import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../api/index.ts';
import { plan } from './plan.ts';
import { rankNodes } from './ranked-nodes.ts';
import { defaultPolicy } from './scores.ts';
import { Snapshot } from './snapshot.ts';

const node = (name: string, cpu: string, effects: readonly string[] = []): Node => ({
  metadata: { name, labels: { disk: name === 'b' ? 'ssd' : 'hdd' } },
  spec: { taints: effects.map((effect) => ({ key: 'k', effect })) },
  status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
});

test('rankNodes() tells the scores of the best nodes by aspect, as they were when the pod was placed', () => {
  const snapshot = new Snapshot();
  snapshot.setNode(node('a', '4', ['PreferNoSchedule']));
  snapshot.setNode(node('b', '2'));
  snapshot.setNode(node('c', '4'));
  snapshot.setNode(node('d', '4', ['NoSchedule']));
  const preference = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] };
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'd', uid: 'p' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1', memory: '2Gi' } } }],
      affinity: {
        nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference }] },
      },
    },
  };
  const [step] = plan(snapshot, [{ key: 'd/p', pod }]);
  assert.ok(step?.kind === 'bind');
  const bound = { ...pod, spec: { ...pod.spec, nodeName: step.nodeName } } as Pod;
  snapshot.addPod('d/p', bound, step.nodeName);
  const ranked = rankNodes(snapshot, 'd/p', bound, defaultPolicy);
  assert.equal(ranked?.possibleNodes, 3);
  assert.deepEqual(
    ranked.nodes.map((one) => one.node),
    ['b', 'c', 'a'],
  );
  const [best] = ranked.nodes;
  assert.equal(best?.node, step.nodeName);
  assert.ok(Math.abs((best?.score ?? 0) - step.score) < 0.01, `${best?.score} and ${step.score}`);
  assert.deepEqual(best?.aspects, {
    NodeResourcesFit: 62.5,
    NodeResourcesBalancedAllocation: 68.75,
    TaintToleration: 300,
    NodeAffinity: 200,
  });
  for (const { score, aspects } of ranked.nodes) {
    const sum = Object.values(aspects).reduce((all, one) => all + one, 0);
    assert.ok(Math.abs(sum - score) < 0.05, `${sum} and ${score}`);
  }
  // The pod is where it was.
  assert.equal(snapshot.placed('d/p')?.pod, bound);
  assert.equal(snapshot.cpuFree[1], 1000);
});
