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

/** What has happened since the last plan: pods end, come, start later than was known; budgets change. */
function change(
  choices: Choices,
  snapshot: Snapshot,
  pods: PlacedPod[],
  shapes: readonly Pod[],
  nodes: number,
): void {
  for (const one of choices.some(pods, 3)) {
    pods.splice(pods.indexOf(one), 1);
    if (choices.chance(0.5)) {
      snapshot.removePod(one.key);
      continue;
    }
    const pod = { ...one.pod, status: { startTime: `2026-01-01T00:0${choices.between(0, 5)}:00Z` } };
    pods.push({ ...one, pod });
    snapshot.addPod(one.key, pod, one.nodeName);
  }
  for (let count = choices.between(0, 3); count > 0; count--) {
    const name = `later-${pods.length}-${count}-${choices.between(0, 999)}`;
    const pod = withSpec(podOf(choices, choices.one(shapes), name), { priority: choices.between(-1, 3) });
    const nodeName = `n${choices.between(0, nodes - 1)}`;
    const key = `${pod.metadata.namespace}/${name}`;
    if (snapshot.placed(key) !== undefined) continue;
    pods.push({ key, pod, nodeName });
    snapshot.addPod(key, pod, nodeName);
  }
}

test('plan() preempts so one after the other, when most of what it knows is from before', (t) => {
  let chosen = 0;
  forEachCase(t, 200, (choices) => {
    const habits = { ...habitsOf(choices), ...choices.one([{ neighbours: 0, spread: 0, ports: 0 }, {}]) };
    const shapes = choices.list(1, 5, () => podShape(choices, habits));
    const nodes: Node[] = choices.list(2, 8, (at) => nodeOf(choices, `n${at}`, habits));
    const snapshot = new Snapshot();
    for (const node of nodes) snapshot.setNode(node);
    const namespaces = spaces.map((name) => ({ metadata: { name } }));
    for (const namespace of namespaces) snapshot.setNamespace(namespace);
    const pods: PlacedPod[] = [];
    for (let at = 0; at < 4; at++) change(choices, snapshot, pods, shapes, nodes.length);
    let budgets: readonly PodDisruptionBudget[] = [];
    const preemptors = choices.list(1, 2, () => ({
      shape: choices.one(shapes),
      priority: choices.between(1, 4),
    }));
    for (let round = 0; round < 8; round++) {
      if (choices.chance(0.5)) change(choices, snapshot, pods, shapes, nodes.length);
      if (choices.chance(0.3)) {
        snapshot.budgets.clear();
        budgets = choices.list(0, 3, (at) => budgetOf(choices, `b${at}`));
        for (const [at, budget] of budgets.entries()) snapshot.budgets.set(`${at}`, budget);
      }
      const { shape, priority } = choices.one(preemptors);
      const pod = withSpec(podOf(choices, shape, `new-${round}`), { priority });
      const key = `${pod.metadata.namespace}/new-${round}`;
      const [step] = plan(snapshot, [{ key, pod }]);
      if (step?.kind !== 'wait') {
        snapshot.removePod(key);
        continue;
      }
      const found =
        step.preemption?.kind === 'chosen'
          ? {
              nodeName: step.preemption.nodeName,
              victims: step.preemption.victims.map((victim) => victim.key),
              violations: step.preemption.violations,
            }
          : undefined;
      assert.deepEqual(
        found,
        choose({ nodes, pods, namespaces }, pod, budgets, resources),
        JSON.stringify(pod),
      );
      if (found !== undefined) chosen++;
      snapshot.nominations.delete(key);
      snapshot.going.clear();
    }
  });
  t.diagnostic(`${chosen} cases with victims`);
  if (process.env['CAELUM_SEED'] === undefined) assert.ok(chosen > 30, `${chosen} cases with victims`);
});
