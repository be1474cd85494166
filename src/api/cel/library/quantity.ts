/** Kubernetes' quantities: `quantity('1Gi').isGreaterThan(quantity('500Mi'))`. */
import { quantityNano } from '../../quantity.ts';
import { canonicalQuantity } from '../../schema/quantity-text.ts';
import { type Definition, through } from '../function.ts';
import { doubleOf, Fault, intOf, Opaque } from '../value.ts';

/** In units of 10^-9. */
type Quantity = Opaque<bigint>;
type Int = number | bigint;

const one = 1_000_000_000n;
const make = (nano: bigint): Quantity => new Opaque('kubernetes.Quantity', nano);

/** Throws a fault for what is none. */
export function quantityOf(text: string): Quantity {
  const canonical = canonicalQuantity(text);
  const nano = typeof canonical === 'string' ? quantityNano(canonical) : undefined;
  if (nano === undefined)
    throw new Fault(typeof canonical === 'string' ? 'cannot parse quantity' : canonical.refusal);
  return make(nano);
}

function isInteger({ value }: Quantity): boolean {
  return value % one === 0n && BigInt.asIntN(64, value / one) === value / one;
}

function asInteger(quantity: Quantity): Int {
  if (!isInteger(quantity)) throw new Fault('cannot convert value to integer');
  return intOf(quantity.value / one);
}

const compare = ({ value: a }: Quantity, { value: b }: Quantity): number => (a < b ? -1 : a > b ? 1 : 0);
const first = { cost: through };

export const quantityFunctions: readonly Definition[] = [
  ['quantity(string): quantity', quantityOf, first],
  ['isQuantity(string): bool', (text: string) => typeof canonicalQuantity(text) === 'string', first],
  ['quantity . isInteger(): bool', isInteger],
  ['quantity . asInteger(): int', asInteger],
  ['quantity . asApproximateFloat(): double', ({ value }: Quantity) => doubleOf(Number(value) / 1e9)],
  ['quantity . sign(): int', ({ value }: Quantity) => (value < 0n ? -1 : value > 0n ? 1 : 0)],
  ['quantity . add(quantity): quantity', (a: Quantity, b: Quantity) => make(a.value + b.value)],
  ['quantity . add(int): quantity', (a: Quantity, b: Int) => make(a.value + BigInt(b) * one)],
  ['quantity . sub(quantity): quantity', (a: Quantity, b: Quantity) => make(a.value - b.value)],
  ['quantity . sub(int): quantity', (a: Quantity, b: Int) => make(a.value - BigInt(b) * one)],
  ['quantity . isLessThan(quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) < 0],
  ['quantity . isGreaterThan(quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) > 0],
  ['quantity . compareTo(quantity): int', compare],
];
