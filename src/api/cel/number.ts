/** Arithmetic on ints, uints and doubles. Ints and uints have 64 bits: what goes beyond is a fault. */
import { type Double, doubleOf, Fault, intOf, Uint } from './value.ts';

type Int = number | bigint;
type Real = number | Double;

const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;

/** An int of that value, or the fault that it does not fit. */
export function checkedInt(value: bigint): Int {
  if (value > intMax || value < -intMax - 1n) throw new Fault('integer overflow');
  return intOf(value);
}

export function checkedUint(value: bigint): Uint {
  if (value > uintMax || value < 0n) throw new Fault('unsigned integer overflow');
  return new Uint(value);
}

export const real = (value: Real): number => (typeof value === 'number' ? value : value.value);

export function addInts(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checkedInt(BigInt(a) + BigInt(b));
}

export function subtractInts(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checkedInt(BigInt(a) - BigInt(b));
}

export function multiplyInts(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    // No minus zero.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return checkedInt(BigInt(a) * BigInt(b));
}

export function divideInts(a: Int, b: Int): Int {
  if (Number(b) === 0) throw new Fault('division by zero');
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return checkedInt(BigInt(a) / BigInt(b));
}

export function remainderOfInts(a: Int, b: Int): Int {
  if (Number(b) === 0) throw new Fault('modulus by zero');
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return checkedInt(BigInt(a) % BigInt(b));
}

export const negateInt = (a: Int): Int => (typeof a === 'number' ? 0 - a : checkedInt(-a));

export const addDoubles = (a: Real, b: Real): Real => doubleOf(real(a) + real(b));
export const subtractDoubles = (a: Real, b: Real): Real => doubleOf(real(a) - real(b));
export const multiplyDoubles = (a: Real, b: Real): Real => doubleOf(real(a) * real(b));
export const divideDoubles = (a: Real, b: Real): Real => doubleOf(real(a) / real(b));
export const negateDouble = (a: Real): Real => doubleOf(-real(a));

export const addUints = (a: Uint, b: Uint): Uint => checkedUint(a.value + b.value);
export const subtractUints = (a: Uint, b: Uint): Uint => checkedUint(a.value - b.value);
export const multiplyUints = (a: Uint, b: Uint): Uint => checkedUint(a.value * b.value);

export function divideUints(a: Uint, b: Uint): Uint {
  if (b.value === 0n) throw new Fault('division by zero');
  return new Uint(a.value / b.value);
}

export function remainderOfUints(a: Uint, b: Uint): Uint {
  if (b.value === 0n) throw new Fault('modulus by zero');
  return new Uint(a.value % b.value);
}

/** Towards zero; a double beyond the integers is a fault. */
export function integerOf(value: number, what: 'integer' | 'unsigned integer'): bigint {
  const limit = what === 'integer' ? 2 ** 63 : 2 ** 64;
  if (!(value > (what === 'integer' ? -limit : -1) && value < limit)) throw new Fault(`${what} overflow`);
  return BigInt(Math.trunc(value));
}

/** As Go prints a double in its shortest form: `1e+06`, `0.1`, `+Inf`. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e21)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    const sign = exponent.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return Object.is(value, -0) ? '-0' : String(value);
}
