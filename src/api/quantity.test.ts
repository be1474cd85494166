import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../lib/index.ts';
import {
  addQuantities,
  compareQuantities,
  nanoText,
  quantityMilli,
  quantityNano,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';
import { canonicalQuantity } from './schema/quantity-text.ts';

for (const [text, value, milli] of [
  ['250m', 0.25, 250],
  ['1', 1, 1000],
  ['0.1', 0.1, 100],
  ['.5', 0.5, 500],
  ['5.', 5, 5000],
  ['+2', 2, 2000],
  ['-1Ki', -1024, -1024000],
  ['1Gi', 1073741824, 1073741824000],
  ['1.5k', 1500, 1500000],
  ['1e3', 1000, 1000000],
  ['5E', 5e18, 5e21],
  ['100u', 1e-4, 1],
  ['1.0005', 1.0005, 1001],
  ['', undefined, undefined],
  ['.', undefined, undefined],
  ['1x', undefined, undefined],
  ['1 Gi', undefined, undefined],
] as const)
  test(`quantityValue("${text}") is ${value}`, () => {
    assert.equal(quantityValue(text), value);
    assert.equal(quantityMilli(text), milli);
  });

for (const [a, b, order] of [
  ['1', '1000m', 0],
  ['1Gi', '1024Mi', 0],
  ['1Gi', '1G', 1],
  ['-1', '0', -1],
  ['9E', '9000000000000000001', -1],
  ['1n', '2n', -1],
] as const)
  test(`compareQuantities("${a}", "${b}") is ${order}`, () => {
    assert.equal(compareQuantities(a, b), order);
    assert.equal(compareQuantities(b, a), order === 0 ? 0 : -order);
  });

for (const [a, b, sum, difference] of [
  ['1Gi', '512Mi', '1536Mi', '512Mi'],
  ['100m', '1.9', '2', '-1800m'],
  ['1Gi', '1', '1073741825', '1073741823'],
  ['0', '1Gi', '1Gi', '-1Gi'],
  ['1e3', '1', '1001', '999'],
  ['1k', '1Ki', '2024', '-24'],
] as const)
  test(`"${a}" and "${b}" are ${sum} together, ${difference} apart`, () => {
    assert.equal(addQuantities(a, b), sum);
    assert.equal(subtractQuantities(a, b), difference);
  });

/** A quantity as people and programs write them. */
function quantityOf(random: SeededRandom): string {
  const suffixes = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-3', 'E2'];
  const fraction = random.integer(3) === 0 ? `.${random.integer(10_000)}` : '';
  const sign = random.integer(5) === 0 ? '-' : '';
  return `${sign}${random.integer(100_000)}${fraction}${suffixes[random.integer(suffixes.length)]}`;
}

test('arithmetic on quantities is exact and canonical (property)', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new SeededRandom(seed);
    const [a, b] = [quantityOf(random), quantityOf(random)];
    const told = `seed ${seed}: ${a}, ${b}`;
    const sum = addQuantities(a, b);
    assert.equal(canonicalQuantity(sum), sum, `${told}: the sum is canonical`);
    assert.equal(quantityNano(sum), (quantityNano(a) ?? 0n) + (quantityNano(b) ?? 0n), `${told}: the sum`);
    assert.equal(compareQuantities(sum, addQuantities(b, a)), 0, `${told}: either way round`);
    assert.equal(compareQuantities(subtractQuantities(sum, b), a), 0, `${told}: there and back`);
    assert.equal(
      Math.sign(compareQuantities(sum, a)),
      Math.sign(compareQuantities(b, '0')),
      `${told}: order`,
    );
    assert.equal(
      compareQuantities(canonicalQuantity(a) as string, a),
      0,
      `${told}: the same in canonical form`,
    );
  }
});

test('nanoText() is the inverse of quantityNano() (property)', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = new SeededRandom(seed);
    const nano = BigInt(random.integer(2 ** 31)) * BigInt(random.integer(2 ** 31));
    for (const family of ['decimal', 'binary', 'exponent'] as const)
      assert.equal(quantityNano(nanoText(nano, family)), nano, `seed ${seed}, ${family}`);
  }
});
