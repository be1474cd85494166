import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { type Least, LossTree } from './loss-tree.ts';

interface Place {
  isCandidate: boolean;
  isFree: boolean;
  loss: number;
}

/** One after the other. */
function leastOf(places: readonly Place[], enough: number): Least | undefined {
  let [at, candidates, isFree] = [-1, 0, false];
  for (const [index, place] of places.entries()) {
    if (!place.isCandidate) continue;
    candidates++;
    isFree ||= place.isFree;
    if (at < 0 || place.loss < (places[at] as Place).loss) at = index;
    if (candidates >= enough && isFree) break;
  }
  return at < 0 ? undefined : { at, candidates };
}

test('least() finds what going through the places finds, however they change', () => {
  const seed = Number(process.env['CAELUM_SEED'] ?? 1);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const size = 1 + random.integer(round < 100 ? 5 : 70);
    const places = Array.from({ length: size }, () => ({ isCandidate: false, isFree: false, loss: 0 }));
    const tree = new LossTree(
      size,
      (at, other) => (places[at] as Place).loss < (places[other] as Place).loss,
    );
    for (let change = 0; change < 60; change++) {
      const at = random.integer(size);
      const place = places[at] as Place;
      place.isCandidate = random.integer(4) > 0;
      place.isFree = random.integer(3) === 0;
      place.loss = random.integer(6);
      tree.set(at, place.isCandidate, place.isFree);
      const enough = 1 + random.integer(size + 2);
      assert.deepEqual(
        tree.least(enough),
        leastOf(places, enough),
        `CAELUM_SEED=${seed}, round ${round}, change ${change}`,
      );
    }
    tree.clear();
    assert.equal(tree.least(1), undefined);
  }
});
