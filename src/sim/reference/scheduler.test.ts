import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { plan, type Step } from '../../scheduler/index.ts';
import { freeOf } from './scheduler.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { type Habits, habitsOf, nodeOf, podOf, podShape, resources, spaces } from './test-clusters.ts';
import { check, checkOrder, peaceful, Twin } from './test-twin.ts';

/** Nodes come, change, go and come back; pods are bound by others, begin to end, and end. */
function change(choices: Choices, twin: Twin, habits: Habits, shapes: readonly Pod[], round: number): void {
  for (let count = choices.between(0, 4); count > 0; count--) {
    const name = `n${choices.between(0, 12)}`;
    if (choices.chance(0.6)) twin.setNode(nodeOf(choices, name, habits));
    else twin.removeNode(name);
  }
  for (let count = choices.between(0, 6); count > 0; count--) {
    const name = `old-${round}-${count}`;
    twin.addPod(`shop/${name}`, podOf(choices, choices.one(shapes), name), `n${choices.between(0, 12)}`);
  }
  for (const { key, pod, nodeName } of choices.some(twin.pods, 4)) {
    const ending = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' } };
    const what = choices.between(0, 3);
    if (what === 0) twin.addPod(key, pod, `n${choices.between(0, 12)}`);
    else if (what === 1) twin.addPod(key, ending, nodeName);
    else twin.removePod(key);
  }
}

test('plan() decides as a scheduler that tries every node', (t) => {
  forEachCase(t, 300, (choices) => {
    const habits = habitsOf(choices);
    const shapes = choices.list(1, 6, () => podShape(choices, habits));
    const twin = new Twin(choices);
    for (let at = choices.between(0, 11); at >= 0; at--) twin.setNode(nodeOf(choices, `n${at}`, habits));
    for (let round = choices.between(0, 2); round >= 0; round--) {
      change(choices, twin, habits, shapes, round);
      const waiting = choices.list(1, 20, (at) => {
        const name = `new-${round}-${at}`;
        return { key: `shop/${name}`, pod: peaceful(podOf(choices, choices.one(shapes), name)) };
      });
      const steps = plan(twin.snapshot, waiting);
      for (const [at, pod] of checkOrder(waiting, steps).entries()) {
        const step = steps[at] as Step;
        check(twin, step, pod);
        if (step.kind !== 'bind') continue;
        twin.note(step.podKey, pod, step.nodeName);
      }
    }
  });
});

/** Pods come, move, begin to end and end; of nodes one in a while, of namespaces the labels. */
function churn(choices: Choices, twin: Twin, habits: Habits, shapes: readonly Pod[], round: number): void {
  if (choices.chance(0.15)) change(choices, twin, habits, shapes, round);
  for (let count = choices.between(0, 4); count > 0; count--) {
    const name = `other-${round}-${count}`;
    const pod = structuredClone(podOf(choices, choices.one(shapes), name));
    twin.addPod(`shop/${name}`, pod, `n${choices.between(0, 15)}`);
  }
  for (const { key, pod, nodeName } of choices.some(twin.pods, 8)) {
    const ending = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:01:00Z' } };
    const what = choices.between(0, 5);
    if (what === 0) twin.addPod(key, structuredClone(pod), nodeName);
    else if (what === 1) twin.addPod(key, ending, nodeName);
    else if (what === 2)
      twin.addPod(key, { ...pod, metadata: { ...pod.metadata, labels: { app: 'db' } } }, nodeName);
    else twin.removePod(key);
  }
  if (choices.chance(0.1))
    twin.relabel(
      choices.one(spaces),
      choices.maybe(0.5, 'team', () => 'a'),
    );
}

/** Of another owner, asking the same. */
const ofAnother = (shape: Pod): Pod => ({
  ...shape,
  metadata: {
    ...shape.metadata,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 's', uid: 's1', controller: true }],
  },
});

test('plan() decides so from plan to plan, when most of what it knows is from before', (t) => {
  forEachCase(t, 60, (choices) => {
    const habits = habitsOf(choices);
    const some = choices.list(1, 4, () => podShape(choices, habits));
    const shapes = some.flatMap((shape) => [shape, ofAnother(shape)]);
    const twin = new Twin(choices);
    for (let at = choices.between(2, 15); at >= 0; at--) twin.setNode(nodeOf(choices, `n${at}`, habits));
    for (let round = choices.between(3, 9); round >= 0; round--) {
      churn(choices, twin, habits, shapes, round);
      const waiting = choices.list(1, 8, (at) => {
        const name = `new-${round}-${at}`;
        const pod = peaceful(podOf(choices, choices.one(shapes), name));
        return { key: `shop/${name}`, pod: choices.chance(0.5) ? structuredClone(pod) : pod };
      });
      const steps = plan(twin.snapshot, waiting);
      for (const [at, pod] of checkOrder(waiting, steps).entries()) {
        const step = steps[at] as Step;
        check(twin, step, pod);
        if (step.kind === 'bind') twin.note(step.podKey, pod, step.nodeName);
      }
    }
  });
});

test('plan() never overcommits a node', (t) => {
  forEachCase(t, 300, (choices) => {
    const habits = habitsOf(choices);
    const shapes = choices.list(1, 6, () => podShape(choices, habits));
    const twin = new Twin(choices);
    for (let at = choices.between(0, 11); at >= 0; at--) twin.setNode(nodeOf(choices, `n${at}`, habits));
    const waiting = choices.list(1, 80, (at) => ({
      key: `shop/p${at}`,
      pod: podOf(choices, choices.one(shapes), `p${at}`),
    }));
    const podOfKey = new Map(waiting.map(({ key, pod }) => [key, pod]));
    for (const step of plan(twin.snapshot, waiting))
      if (step.kind === 'bind') twin.note(step.podKey, podOfKey.get(step.podKey) as Pod, step.nodeName);
    for (const node of twin.nodes) {
      const used = twin.pods.filter(({ nodeName }) => nodeName === node.metadata.name).length;
      assert.ok(used <= Number(node.status?.allocatable?.['pods']), 'too many pods');
      for (const resource of resources) assert.ok(freeOf(resource, twin, node) >= 0, resource);
    }
  });
});
