/** bin-pack through the engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { plan, type WaitingPod } from '../plan.ts';
import { Snapshot } from '../snapshot.ts';
import { Profiles, strategyAnnotation } from '../strategies/profiles.ts';

const seed = process.env['CAELUM_SEED'] ?? '1';
const policy = new Profiles({ nowMs: () => 0, tell: () => {} });

const node = (name: string, cpu = 15, labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  status: { allocatable: { cpu: String(cpu), memory: '64Gi', pods: '110' } },
});

function pod(name: string, cpu: number, spec: object = {}, strategy = 'BinPack'): WaitingPod {
  const requests = { cpu: String(cpu), memory: '64Mi' };
  return {
    key: `default/${name}`,
    pod: {
      metadata: { name, namespace: 'default', annotations: { [strategyAnnotation]: strategy } },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }], ...spec },
    },
  };
}

function snapshotOf(...nodes: readonly Node[]): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes) snapshot.setNode(one);
  return snapshot;
}

const used = (snapshot: Snapshot, pods: readonly WaitingPod[]): readonly (string | undefined)[] =>
  plan(snapshot, pods, policy).map((step) => (step.kind === 'bind' ? step.nodeName : undefined));

test('bin-pack: pods of a plan are packed together', () => {
  const snapshot = snapshotOf(node('a'), node('b'), node('c'));
  const found = used(
    snapshot,
    [6, 5, 5, 3, 3, 2, 2, 2, 2].map((cpu, at) => pod(`p-${at}`, cpu)),
  );
  assert.equal(new Set(found).size, 2);
  assert.equal(found.includes(undefined), false);
});

test('bin-pack: nodes that are in use are filled first; pods that every node has do not count', () => {
  const snapshot = snapshotOf(node('a'), node('b'), node('c'));
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd', controller: true };
  for (const name of ['a', 'b', 'c']) {
    const { key, pod: one } = pod(`d-${name}`, 1);
    snapshot.addPod(key, { ...one, metadata: { ...one.metadata, ownerReferences: [owner] } }, name);
  }
  const there = pod('there', 1);
  snapshot.addPod(there.key, there.pod, 'b');
  assert.deepEqual([...new Set(used(snapshot, [pod('x', 4), pod('y', 3)]))], ['b']);
});

test('bin-pack: what nodes and priorities say is kept', () => {
  const snapshot = snapshotOf(node('a', 4, { disk: 'ssd' }), node('b', 15));
  const found = plan(
    snapshot,
    [
      pod('large', 4, { priority: 0 }),
      pod('small', 1, { priority: 0, nodeSelector: { disk: 'ssd' } }),
      pod('first', 3, { priority: 5, nodeSelector: { disk: 'ssd' } }),
    ],
    policy,
  );
  const where = Object.fromEntries(
    found.map((step) => [step.podKey, step.kind === 'bind' ? step.nodeName : '']),
  );
  assert.deepEqual(where, { 'default/first': 'a', 'default/small': 'a', 'default/large': 'b' });
});

test('bin-pack: more pods than can be looked at together are all placed too', () => {
  const snapshot = snapshotOf(...Array.from({ length: 10 }, (_, at) => node(`n-${at}`, 40)));
  const found = used(
    snapshot,
    Array.from({ length: 200 }, (_, at) => pod(`p-${at}`, 1 + (at % 2))),
  );
  assert.equal(found.filter((one) => one !== undefined).length, 200);
  assert.ok(new Set(found).size <= 8);
});

test('bin-pack never overcommits a node, nor leaves a pod without one that fits beside the others', () => {
  const random = new SeededRandom(`plan-packed ${seed}`);
  for (let round = 0; round < 12; round++) {
    const names = Array.from({ length: 1 + random.integer(5) }, (_, at) => `n-${at}`);
    const snapshot = snapshotOf(...names.map((name) => node(name, 4 + random.integer(12))));
    for (let batch = 0; batch < 3; batch++) {
      const pods = Array.from({ length: 1 + random.integer(12) }, (_, at) =>
        pod(`p-${batch}-${at}`, 1 + random.integer(8), {}, random.float() < 0.8 ? 'BinPack' : 'Default'),
      );
      const steps = plan(snapshot, pods, policy);
      const told = `CAELUM_SEED=${seed}, round ${round}, batch ${batch}`;
      assert.equal(steps.length, pods.length, told);
      assert.equal(new Set(steps.map(({ podKey }) => podKey)).size, pods.length, told);
      const most = Math.max(...names.map((name) => snapshot.cpuFree[snapshot.rowOf(name) ?? -1] ?? 0));
      assert.ok(
        names.every((name) => (snapshot.cpuFree[snapshot.rowOf(name) ?? -1] ?? 0) >= 0),
        told,
      );
      for (const step of steps) {
        const one = pods.find(({ key }) => key === step.podKey);
        const cpu = Number(one?.pod.spec?.containers[0]?.resources?.requests?.['cpu']);
        if (step.kind === 'wait') assert.ok(cpu * 1000 > most, `${step.podKey} would fit: ${told}`);
      }
    }
  }
});
