/** Boards against each node by itself, for pods that look at others while some of these only are to come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { demandOf } from '../demand.ts';
import { staticRefusal } from '../filters.ts';
import { Fit } from '../fit.ts';
import { Guard } from '../neighbours.ts';
import { Nominees } from '../nominees.ts';
import { plan } from '../plan.ts';
import { Snapshot } from '../snapshot.ts';

const zone = 'topology.kubernetes.io/zone';
const host = 'kubernetes.io/hostname';

function rulesOf(random: SeededRandom): object {
  const chance = (of: number): boolean => random.float() < of;
  const key = (): string => (chance(0.5) ? zone : host);
  const selector = () => ({ matchLabels: { app: chance(0.5) ? 'a' : 'b' } });
  const terms = () => [{ topologyKey: key(), labelSelector: selector() }];
  const spread = () => ({
    maxSkew: 1 + random.integer(2),
    topologyKey: key(),
    whenUnsatisfiable: chance(0.8) ? 'DoNotSchedule' : 'ScheduleAnyway',
    labelSelector: selector(),
  });
  return {
    ...(chance(0.5) && { topologySpreadConstraints: chance(0.3) ? [spread(), spread()] : [spread()] }),
    affinity: {
      ...(chance(0.4) && { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms() } }),
      ...(chance(0.3) && { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms() } }),
    },
  };
}

function podOf(name: string, app: string, priority: number, rules: object): Pod {
  return {
    metadata: { name, namespace: 'default', uid: name, labels: { app } },
    spec: {
      priority,
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }],
      ...rules,
    },
  } as unknown as Pod;
}

function nodeOf(random: SeededRandom, at: number): Node {
  const labels = { [host]: `n${at}`, ...(random.float() < 0.9 && { [zone]: `z${random.integer(3)}` }) };
  const allocatable = { cpu: String(2 + random.integer(5)), memory: '8Gi', pods: '110' };
  return { metadata: { name: `n${at}`, labels }, status: { allocatable } } as Node;
}

/** Of each row, one after the other; `possible` beside it. */
function judged(snapshot: Snapshot, pod: Pod): { refused: Record<string, number>; possible: string[] } {
  const nominees = new Nominees(snapshot);
  nominees.holdFrom(pod.spec?.priority ?? 0);
  const demand = demandOf(pod);
  const fit = new Fit(snapshot, demand, new Guard(snapshot, demand), nominees);
  fit.begin(pod);
  const refused: Record<string, number> = {};
  const possible: string[] = [];
  for (let row = 0; row < snapshot.rows; row++) {
    const fixed = staticRefusal(demand, snapshot, row);
    const reasons = fixed === undefined ? fit.reasons(row) : [fixed];
    if (reasons.length === 0) possible.push(snapshot.facts(row)?.name ?? '');
    for (const one of reasons) refused[one] = (refused[one] ?? 0) + 1;
  }
  nominees.end();
  return { refused, possible };
}

test('plan() answers of each node what it says itself, while somebody is nominated', () => {
  let bound = 0;
  let waiting = 0;
  let careful = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const random = new SeededRandom(`nominated/${seed}`);
    const snapshot = new Snapshot();
    const count = 4 + random.integer(6);
    for (let at = 0; at < count; at++) snapshot.setNode(nodeOf(random, at));
    const app = (): string => (random.float() < 0.5 ? 'a' : 'b');
    const rules = Array.from({ length: 3 }, () => rulesOf(random));
    for (let at = 0; at < 12; at++) {
      for (let more = random.integer(2); more > 0; more--) {
        const pod = podOf(`n-${seed}-${at}-${more}`, app(), 5, random.float() < 0.5 ? {} : rulesOf(random));
        const key = `default/${pod.metadata.name}`;
        snapshot.nominations.set(key, { pod, nodeName: `n${random.integer(count)}` });
      }
      const [gone] = snapshot.nominations.keys();
      if (gone !== undefined && random.float() < 0.3) snapshot.nominations.delete(gone);
      const pod = podOf(`p-${seed}-${at}`, app(), random.integer(2) * 5, {
        ...rules[random.integer(3)],
        preemptionPolicy: 'Never',
      });
      const expected = judged(snapshot, pod);
      const bare = new Map(snapshot.nominations);
      snapshot.nominations.clear();
      const without = judged(snapshot, pod);
      for (const [key, one] of bare) snapshot.nominations.set(key, one);
      if (JSON.stringify(without) !== JSON.stringify(expected)) careful++;
      const [step] = plan(snapshot, [{ key: `default/${pod.metadata.name}`, pod }]);
      const told = `seed ${seed}, pod ${at}: ${JSON.stringify(pod.spec)}`;
      assert.ok(step !== undefined);
      assert.deepEqual(Object.fromEntries(step.refused), expected.refused, told);
      if (step.kind === 'bind') {
        bound++;
        assert.equal(step.possible, expected.possible.length, told);
        assert.ok(expected.possible.includes(step.nodeName), told);
      } else {
        waiting++;
        assert.deepEqual(expected.possible, [], told);
      }
    }
  }
  assert.ok(
    bound > 200 && waiting > 100 && careful > 300,
    `${bound} bound, ${waiting} wait, ${careful} careful`,
  );
});
