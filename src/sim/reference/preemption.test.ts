import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodDisruptionBudget } from '../../api/index.ts';
import { plan, Snapshot } from '../../scheduler/index.ts';
import { choose } from './preemption.ts';
import { type Cluster, judge, type PlacedPod } from './scheduler.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { habitsOf, nodeOf, podOf, podShape, resources, spaces } from './test-clusters.ts';

const budgetOf = (choices: Choices, name: string): PodDisruptionBudget => ({
  metadata: { name, namespace: choices.one(spaces) },
  spec: { selector: { matchLabels: choices.one([{ app: 'web' }, { app: 'db' }, { tier: 'front' }, {}]) } },
  status: {
    disruptionsAllowed: choices.between(0, 2),
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
  },
});

const withSpec = (pod: Pod, more: object, status: object = {}): Pod =>
  ({ ...pod, spec: { ...pod.spec, ...more }, status: { ...pod.status, ...status } }) as Pod;

test('plan() preempts whom a scheduler that tries everything would', (t) => {
  let chosen = 0;
  forEachCase(t, 400, (choices) => {
    const habits = habitsOf(choices);
    const shapes = choices.list(1, 5, () => podShape(choices, habits));
    const nodes: Node[] = choices.list(1, 6, (at) => nodeOf(choices, `n${at}`, habits));
    const snapshot = new Snapshot();
    for (const node of nodes) snapshot.setNode(node);
    const namespaces = spaces.map((name) => ({ metadata: { name } }));
    for (const namespace of namespaces) snapshot.setNamespace(namespace);
    const pods: PlacedPod[] = [];
    // As full as they get: each goes where it may.
    for (let at = choices.between(4, 30); at > 0; at--) {
      const pod = withSpec(
        podOf(choices, choices.one(shapes), `old-${at}`),
        { priority: choices.between(-1, 3) },
        choices.maybe(0.7, 'startTime', () => `2026-01-01T00:0${choices.between(0, 5)}:00Z`),
      );
      const cluster: Cluster = { nodes, pods, namespaces };
      const possible = judge(cluster, pod, resources).filter(({ kind }) => kind === 'possible');
      const nodeName = possible.length > 0 ? choices.one(possible).node : '';
      if (nodeName === '') continue;
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      pods.push({ key, pod, nodeName });
      snapshot.addPod(key, pod, nodeName);
    }
    const budgets = choices.list(0, 3, (at) => budgetOf(choices, `b${at}`));
    for (const [at, budget] of budgets.entries()) snapshot.budgets.set(`${at}`, budget);
    const pod = withSpec(podOf(choices, choices.one(shapes), 'new'), { priority: choices.between(1, 4) });
    const [step] = plan(snapshot, [{ key: `${pod.metadata.namespace}/new`, pod }]);
    if (step?.kind !== 'wait') return;
    const expected = choose({ nodes, pods, namespaces }, pod, budgets, resources);
    const { preemption } = step;
    const found =
      preemption?.kind === 'chosen'
        ? {
            nodeName: preemption.nodeName,
            victims: preemption.victims.map(({ key }) => key),
            violations: preemption.violations,
          }
        : undefined;
    assert.deepEqual(found, expected, JSON.stringify(pod));
    if (found !== undefined) chosen++;
    // Whom it tried to do without is there again.
    for (const { key, nodeName } of pods)
      assert.equal(snapshot.facts(snapshot.placed(key)?.row ?? -1)?.name, nodeName);
  });
  t.diagnostic(`${chosen} cases with victims`);
  if (process.env['CAELUM_SEED'] === undefined) assert.ok(chosen > 30, `${chosen} cases with victims`);
});
