import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Node, Pod } from '../../api/index.ts';
import { plan, Snapshot, type Step, type WaitingPod } from '../../scheduler/index.ts';
import { type Cluster, freeOf, judge, type PlacedPod } from './scheduler.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { type Habits, habitsOf, nodeOf, podOf, podShape, resources, spaces } from './test-clusters.ts';

/** The same cluster twice: as the scheduler keeps it, changed bit by bit, and as plain lists. */
class Twin implements Cluster {
  readonly snapshot = new Snapshot();
  readonly pods: PlacedPod[] = [];
  readonly namespaces: Namespace[];
  readonly #nodes = new Map<string, Node>();
  knowsZones = false;

  constructor(choices: Choices) {
    this.namespaces = spaces.map((name) => ({
      metadata: {
        name,
        labels: { 'kubernetes.io/metadata.name': name, ...choices.maybe(0.5, 'team', () => 'a') },
      },
    }));
    for (const namespace of this.namespaces) this.snapshot.setNamespace(namespace);
  }

  relabel(name: string, labels: Record<string, string>): void {
    const at = this.namespaces.findIndex(({ metadata }) => metadata.name === name);
    const namespace = { metadata: { name, labels } };
    this.namespaces[at] = namespace;
    this.snapshot.setNamespace(namespace);
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  setNode(node: Node): void {
    this.#nodes.set(node.metadata.name ?? '', node);
    this.snapshot.setNode(node);
    this.knowsZones ||= (node.metadata.labels?.['topology.kubernetes.io/zone'] ?? '') !== '';
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
    this.snapshot.removeNode(name);
  }

  /** Known to the lists alone: `plan()` has told the snapshot already. */
  note(key: string, pod: Pod, nodeName: string): void {
    const at = this.pods.findIndex((one) => one.key === key);
    if (at >= 0) this.pods.splice(at, 1);
    this.pods.push({ key, pod, nodeName });
  }

  addPod(key: string, pod: Pod, nodeName: string): void {
    this.note(key, pod, nodeName);
    this.snapshot.addPod(key, pod, nodeName);
  }

  removePod(key: string): void {
    const at = this.pods.findIndex((one) => one.key === key);
    if (at >= 0) this.pods.splice(at, 1);
    this.snapshot.removePod(key);
  }
}

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

function reasonsOf(verdicts: ReturnType<typeof judge>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const verdict of verdicts)
    if (verdict.kind === 'refused')
      for (const reason of verdict.reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function check(twin: Twin, step: Step, pod: Pod): void {
  const verdicts = judge(twin, pod, resources);
  const possible = verdicts.filter((one) => one.kind === 'possible');
  const told = `${step.podKey} ${JSON.stringify(pod)}`;
  assert.deepEqual(Object.fromEntries(step.refused), reasonsOf(verdicts), `reasons for ${told}`);
  if (step.kind === 'wait') {
    assert.deepEqual(possible, [], `waits, though there is a node for ${told}`);
    assert.equal(step.nodes, twin.nodes.length);
    return;
  }
  assert.equal(step.possible, possible.length, `how many nodes are possible for ${told}`);
  const chosen = possible.find(({ node }) => node === step.nodeName);
  assert.ok(chosen !== undefined, `${step.nodeName} is not possible for ${told}`);
  assert.ok(
    Math.abs(chosen.score - step.score) < 1e-6,
    `score ${step.score} of ${step.nodeName} is ${chosen.score} for ${told}`,
  );
  const best = Math.max(...possible.map(({ score }) => score));
  assert.ok(
    chosen.score >= best - 1e-6,
    `${step.nodeName} has ${chosen.score}, another ${best}, for ${told}`,
  );
}

function checkOrder(waiting: readonly WaitingPod[], steps: readonly Step[]): readonly Pod[] {
  const podOfKey = new Map(waiting.map(({ key, pod }) => [key, pod]));
  assert.deepEqual(steps.map(({ podKey }) => podKey).sort(), [...podOfKey.keys()].sort(), 'every pod once');
  const pods = steps.map(({ podKey }) => podOfKey.get(podKey) as Pod);
  for (const [at, pod] of pods.entries()) {
    const next = pods[at + 1];
    if (next === undefined) break;
    const [mine, theirs] = [pod.spec?.priority ?? 0, next.spec?.priority ?? 0];
    assert.ok(mine >= theirs, 'higher priority first');
    const [age, other] = [pod.metadata.creationTimestamp ?? '', next.metadata.creationTimestamp ?? ''];
    assert.ok(mine > theirs || age <= other, 'older first');
  }
  return pods;
}

/** Whom others preempt is compared in preemption.test.ts. */
const peaceful = (pod: Pod): Pod =>
  pod.spec === undefined ? pod : { ...pod, spec: { ...pod.spec, preemptionPolicy: 'Never' } };

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
