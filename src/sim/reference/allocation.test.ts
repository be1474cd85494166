/**
 * The allocation verifier against the rules as the reference scheduler says them: after each placement it finds something exactly where the node should have
 * refused the pod. Three opinions: the engine places, the reference judges, the verifier looks at the result.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Node, Pod } from '../../api/index.ts';
import { plan, Snapshot } from '../../scheduler/index.ts';
import { verifyPlacement, verifyResourceAllocation } from '../../verify/index.ts';
import { judge, type PlacedPod } from './scheduler.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { habitsOf, nodeOf, podOf, podShape, resources, spaces } from './test-clusters.ts';

const withNode = (pod: Pod, nodeName: string): Pod => ({ ...pod, spec: { ...pod.spec, nodeName } }) as Pod;

function namespacesOf(choices: Choices): readonly Namespace[] {
  return spaces.map((name) => ({
    metadata: {
      name,
      labels: { 'kubernetes.io/metadata.name': name, ...choices.maybe(0.5, 'team', () => 'a') },
    },
  }));
}

test('verifyPlacement() finds something exactly where the node should have refused the pod', (t) => {
  const seen = { right: 0, wrong: 0 };
  forEachCase(t, 250, (choices) => {
    const habits = habitsOf(choices);
    const namespaces = namespacesOf(choices);
    const nodes: Node[] = choices.list(1, 5, (at) => nodeOf(choices, `n${at}`, habits));
    const shapes = choices.list(1, 4, () => podShape(choices, habits));
    const placed: PlacedPod[] = [];
    for (let at = 0; at < 12; at++) {
      const key = `p${at}`;
      const { nodeName: _, ...spec } = podOf(choices, choices.one(shapes), key).spec ?? { containers: [] };
      const pod = { ...podOf(choices, choices.one(shapes), key), spec } as Pod;
      const verdicts = judge({ nodes, pods: placed, namespaces }, pod, resources);
      const { node, ...verdict } = choices.one(verdicts);
      const there = withNode(pod, node);
      const pods = [...placed.map((one) => withNode(one.pod, one.nodeName)), there];
      const found = verifyPlacement({ nodes, pods, namespaces }, there);
      const isRight = verdict.kind === 'possible';
      const said = JSON.stringify({ verdict, found, there, nodes }, undefined, 1);
      assert.equal(found.length === 0, isRight, said);
      seen[isRight ? 'right' : 'wrong']++;
      if (isRight) placed.push({ key, pod, nodeName: node });
    }
  });
  assert.ok(seen.right > 300 && seen.wrong > 300, JSON.stringify(seen));
});

test('verifyResourceAllocation() holds for whatever the engine places', (t) => {
  forEachCase(t, 150, (choices) => {
    const habits = habitsOf(choices);
    const namespaces = namespacesOf(choices);
    const snapshot = new Snapshot();
    for (const one of namespaces) snapshot.setNamespace(one);
    const nodes: Node[] = choices.list(1, 5, (at) => nodeOf(choices, `n${at}`, habits));
    for (const one of nodes) snapshot.setNode(one);
    const shapes = choices.list(1, 4, () => podShape(choices, habits));
    const waiting = choices.list(1, 30, (at) => ({
      key: `shop/p${at}`,
      pod: podOf(choices, choices.one(shapes), `p${at}`),
    }));
    const byKey = new Map(waiting.map((one) => [one.key, one.pod]));
    const pods: Pod[] = [];
    for (const step of plan(snapshot, waiting)) {
      const pod = byKey.get(step.podKey) as Pod;
      if (step.kind === 'bind') pods.push(withNode(pod, step.nodeName));
    }
    const report = verifyResourceAllocation({ nodes, pods, namespaces });
    assert.equal(report.holds, true, JSON.stringify(report.findings, undefined, 1));
  });
});
