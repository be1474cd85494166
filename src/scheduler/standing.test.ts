import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../api/index.ts';
import { plan } from './plan.ts';
import { Snapshot } from './snapshot.ts';
import { normalised, Standing } from './standing.ts';

test('normalised() scales a value among others', () => {
  assert.equal(normalised('share', 5, 1, 10), 50);
  assert.equal(normalised('shareReversed', 5, 1, 10), 50);
  assert.equal(normalised('shareReversed', 0, 0, 0), 100);
  assert.equal(normalised('share', 0, 0, 0), 0);
  assert.equal(normalised('range', 4, 2, 6), 50);
  assert.equal(normalised('range', 4, 4, 4), 0);
});

test('Standing tells when those that are left are worth something else', () => {
  const raw = Float64Array.of(2, 1, 1, 0);
  const standing = new Standing([{ name: 'x', weight: 3, how: 'shareReversed', raw }]);
  for (let index = 0; index < 4; index++) standing.add(index);
  assert.equal(standing.value(1), 150);
  assert.equal(standing.remove(1), false);
  assert.equal(standing.remove(0), true);
  assert.equal(standing.value(2), 0);
  assert.equal(standing.value(3), 300);
});

const node = (name: string, pods: number, effects: readonly string[]): Node => ({
  metadata: { name },
  spec: { taints: effects.map((key) => ({ key, effect: 'PreferNoSchedule' })) },
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: String(pods) } },
});

test('plan() compares anew when the node that others were compared with is full', () => {
  const snapshot = new Snapshot();
  // Of two unwanted taints one is half as bad; alone it is as bad as can be.
  snapshot.setNode(node('worst', 0, ['a', 'b']));
  snapshot.setNode(node('clean', 3, []));
  snapshot.setNode(node('bad', 10, ['a']));
  const pods = Array.from({ length: 6 }, (_, at) => {
    const pod: Pod = {
      metadata: { name: `p${at}`, namespace: 'd', uid: `p${at}` },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1m' } } }] },
    };
    return { key: `d/p${at}`, pod };
  });
  const steps = plan(snapshot, pods);
  assert.deepEqual(
    steps.map((step) => (step.kind === 'bind' ? step.nodeName : 'waits')),
    ['clean', 'clean', 'clean', 'bad', 'bad', 'bad'],
  );
  const scores = steps.map((step) => (step.kind === 'bind' ? step.score : 0));
  const [last = 0, first = 0] = [scores[3], scores[2]];
  // With `clean` gone nothing is better than one taint: its 300 points are lost.
  assert.ok(first - last > 250 && first - last < 350, `${first} and ${last}`);
});
