/**
 * Quantities (`250m`, `1Gi`, `1e3`) for arithmetic.
 *
 *   text ──▶ quantityValue, quantityMilli    numbers, exact up to 2^53: for what a machine has
 *        ──▶ nanoOf ──▶ compare, add, subtract ──▶ text    exact for any size: for limits, quotas and bills
 *
 * `canonicalQuantity` (schema/quantity-text.ts) is the one writer of texts. Source: k8s.io/apimachinery/pkg/api/resource.
 */
import { assert } from '../lib/index.ts';
import { canonicalQuantity } from './schema/quantity-text.ts';

/** Powers of ten, so that the value is the nearest number to the text. */
const exponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** What texts mean: a cloud has few different ones, and asks again and again. */
const known = new Map<string, number>();
const knownMax = 4096;

/** In units. Undefined when the text is no quantity. */
export function quantityValue(text: string | number | undefined): number | undefined {
  if (typeof text === 'number' || text === undefined) return text;
  const before = known.get(text);
  if (before !== undefined) return before;
  const value = parsed(text);
  if (known.size >= knownMax) known.clear();
  // Nonsense may be of any length.
  if (value !== undefined && text.length <= 32) known.set(text, value);
  return value;
}

function parsed(text: string): number | undefined {
  const match = pattern.exec(text);
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = match ?? [];
  if (whole === '' && fraction === '') return undefined;
  const digits = `${sign}${whole || '0'}.${fraction || '0'}`;
  const power = binary.indexOf(suffix) + 1;
  if (power > 0) return Number(digits) * 1024 ** power;
  return Number(`${digits}e${exponent ?? exponents[suffix] ?? 0}`);
}

/** In thousandths, rounded up: something asked for is never nothing. */
export function quantityMilli(text: string | number | undefined): number | undefined {
  const value = quantityValue(text);
  // 0.1 * 1000 and the like come out a hair above the integer.
  return value === undefined ? undefined : Math.ceil(value * 1000 - 1e-6);
}

const nanoPlaces = 9;

/** In units of 10^-9, finer parts rounded away from zero. Undefined when the text is no quantity. */
export function quantityNano(text: string | undefined): bigint | undefined {
  const match = pattern.exec(text ?? '');
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = match ?? [];
  if (whole === '' && fraction === '') return undefined;
  const power = binary.indexOf(suffix) + 1;
  const digits = BigInt(whole + fraction) * 1024n ** BigInt(power);
  const places = nanoPlaces + Number(exponent ?? exponents[suffix] ?? 0) - fraction.length;
  if (places > 1000 || places < -1000) return undefined;
  const divisor = 10n ** BigInt(Math.max(0, -places));
  const nano = places >= 0 ? digits * 10n ** BigInt(places) : (digits + divisor - 1n) / divisor;
  return sign === '-' ? -nano : nano;
}

function nanoOf(text: string): bigint {
  const nano = quantityNano(text);
  assert(nano !== undefined, `"${text}" is a quantity`);
  return nano;
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. Both must be quantities. */
export function compareQuantities(a: string, b: string): number {
  if (a === b) return 0;
  const difference = nanoOf(a) - nanoOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** In canonical form, in the family of suffixes of `a` (of `b` where `a` is zero). Both must be quantities. */
export function addQuantities(a: string, b: string): string {
  return nanoText(nanoOf(a) + nanoOf(b), familyOf(nanoOf(a) === 0n ? b : a));
}

export function subtractQuantities(a: string, b: string): string {
  return nanoText(nanoOf(a) - nanoOf(b), familyOf(nanoOf(a) === 0n ? b : a));
}

type Family = 'binary' | 'decimal' | 'exponent';

function familyOf(text: string): Family {
  if (text.endsWith('i')) return 'binary';
  return /[eE][+-]?\d/.test(text) ? 'exponent' : 'decimal';
}

/** The canonical text of so many 10^-9 units. */
export function nanoText(nano: bigint, family: Family = 'decimal'): string {
  const one = 10n ** BigInt(nanoPlaces);
  const wholes = nano % one === 0n ? nano / one : undefined;
  const written =
    family === 'exponent'
      ? `${nano}e-${nanoPlaces}`
      : family === 'binary' && wholes !== undefined && wholes % 1024n === 0n
        ? `${wholes / 1024n}Ki`
        : `${nano}n`;
  const text = canonicalQuantity(written);
  assert(typeof text === 'string', `${written} is a quantity`);
  return text;
}
