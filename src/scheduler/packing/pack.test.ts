import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { type Bin, costOf, type Item, type Packing, pack } from './pack.ts';

const seed = process.env['CAELUM_SEED'] ?? '1';
const item = (...size: readonly number[]): Item => ({ size, allowed: undefined });
const bin = (cost: number, ...free: readonly number[]): Bin => ({ free, cost });

function check(bins: readonly Bin[], items: readonly Item[], packing: Packing, told: string): void {
  assert.equal(packing.length, items.length, told);
  for (const [at, { free }] of bins.entries())
    for (const [dimension, most] of free.entries()) {
      let taken = 0;
      for (const [one, { size }] of items.entries()) if (packing[one] === at) taken += size[dimension] ?? 0;
      assert.ok(taken <= most, `bin ${at} holds ${taken} of ${most}: ${told}`);
    }
  for (const [one, at] of packing.entries())
    if (at >= 0) assert.notEqual(items[one]?.allowed?.[at], 0, `item ${one} may be in bin ${at}: ${told}`);
}

test('pack() finds what largest first does not', () => {
  // Largest first puts 6 and 4 aside, and needs three bins.
  const items = [6, 5, 5, 3, 3, 2, 2, 2, 2].map((size) => item(size));
  const bins = Array.from({ length: 4 }, () => bin(1, 15));
  const packing = pack(bins, items);
  check(bins, items, packing, 'two bins');
  assert.equal(costOf(bins, packing), 2);
});

test('pack() fills bins that are in use before it opens others', () => {
  const bins = [bin(1, 10, 10), bin(0, 4, 10), bin(0, 5, 10)];
  const items = [item(4, 1), item(5, 1)];
  const packing = pack(bins, items);
  assert.deepEqual([...packing], [1, 2]);
});

test('pack() keeps items out of bins that they may not be in', () => {
  const bins = [bin(0, 10), bin(1, 10)];
  const packing = pack(bins, [{ size: [6], allowed: Uint8Array.of(0, 1) }, item(5)]);
  assert.deepEqual([...packing], [1, 0]);
});

test('pack() takes as much as can be where not all fit', () => {
  const bins = [bin(0, 10)];
  const packing = pack(bins, [item(6), item(5), item(5)]);
  assert.deepEqual([...packing], [-1, 0, 0]);
});

test('pack() leaves out what fits nowhere, and ends', () => {
  assert.deepEqual([...pack([bin(1, 10)], [item(11), item(3)])], [-1, 0]);
  assert.deepEqual([...pack([], [item(1)])], [-1]);
  assert.deepEqual([...pack([bin(1, 10)], [])], []);
  assert.deepEqual([...pack([bin(0, -5)], [item(1)])], [-1]);
});

/** Of all ways: the most that can be taken, and the fewest bins for it. */
function best(
  bins: readonly Bin[],
  items: readonly Item[],
): { readonly taken: number; readonly bins: number } {
  const free = bins.map((one) => [...one.free]);
  const used = bins.map(() => 0);
  let found = { taken: -1, bins: 0 };
  const look = (at: number, taken: number): void => {
    if (at === items.length) {
      const count = used.filter((one) => one > 0).length;
      if (taken > found.taken || (taken === found.taken && count < found.bins))
        found = { taken, bins: count };
      return;
    }
    const { size } = items[at] as Item;
    for (const [one, room] of free.entries()) {
      if (!size.every((amount, d) => amount <= (room[d] as number))) continue;
      for (const [d, amount] of size.entries()) room[d] = (room[d] as number) - amount;
      used[one] = (used[one] as number) + 1;
      look(at + 1, taken + 1);
      used[one] = (used[one] as number) - 1;
      for (const [d, amount] of size.entries()) room[d] = (room[d] as number) + amount;
    }
    look(at + 1, taken);
  };
  look(0, 0);
  return found;
}

test('pack() needs no more bins than the best of all ways', () => {
  const random = new SeededRandom(`pack ${seed}`);
  let compared = 0;
  for (let round = 0; round < 60; round++) {
    const bins = Array.from({ length: 3 }, () => bin(1, 10, 10));
    const items = Array.from({ length: 3 + random.integer(4) }, () =>
      item(1 + random.integer(6), 1 + random.integer(6)),
    );
    const told = `CAELUM_SEED=${seed}, round ${round}`;
    const packing = pack(bins, items);
    check(bins, items, packing, told);
    const wanted = best(bins, items);
    if (wanted.taken < items.length) continue;
    compared++;
    assert.equal(packing.includes(-1), false, told);
    assert.equal(costOf(bins, packing), wanted.bins, told);
  }
  assert.ok(compared > 20);
});

test('pack() is the same every time', () => {
  const random = new SeededRandom(`pack again ${seed}`);
  const bins = Array.from({ length: 4 }, () => bin(1, 10, 10));
  const items = Array.from({ length: 14 }, () => item(1 + random.integer(6), 1 + random.integer(6)));
  assert.deepEqual(pack(bins, items), pack(bins, items));
});
