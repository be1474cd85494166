/** A cluster twice: as the scheduler keeps it and as plain lists; and whether a step is what the reference says of it. */
import assert from 'node:assert/strict';
import type { Namespace, Node, Pod } from '../../api/index.ts';
import { Snapshot, type Step, type WaitingPod } from '../../scheduler/index.ts';
import { type Cluster, judge, type PlacedPod } from './scheduler.ts';
import type { Choices } from './test-cases.ts';
import { resources, spaces } from './test-clusters.ts';

/** The same cluster twice: as the scheduler keeps it, changed bit by bit, and as plain lists. */
export class Twin implements Cluster {
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

function reasonsOf(verdicts: ReturnType<typeof judge>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const verdict of verdicts)
    if (verdict.kind === 'refused')
      for (const reason of verdict.reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** `more`: what else refuses a node that has room. */
export function check(twin: Twin, step: Step, pod: Pod, more?: (node: Node) => readonly string[]): void {
  const verdicts = judge(twin, pod, resources, more);
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

export function checkOrder(waiting: readonly WaitingPod[], steps: readonly Step[]): readonly Pod[] {
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
export const peaceful = (pod: Pod): Pod =>
  pod.spec === undefined ? pod : { ...pod, spec: { ...pod.spec, preemptionPolicy: 'Never' } };
