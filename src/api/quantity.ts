/**
 * Quantities as numbers, for arithmetic: `250m` → 0.25, `1Gi` → 1073741824. Exact up to 2^53 units; `canonicalQuantity` is for texts.
 */
const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** In units. Undefined when the text is no quantity. */
export function quantityValue(text: string | number | undefined): number | undefined {
  if (typeof text === 'number') return text;
  const match = /^([+-]?\d*\.?\d*)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text ?? '');
  const [, digits = '', exponent, suffix = ''] = match ?? [];
  if (!/\d/.test(digits)) return undefined;
  if (exponent !== undefined) return Number(`${digits}e${exponent}`);
  return Number(digits) * (factors[suffix] ?? 1);
}

/** In thousandths, rounded up: something asked for is never nothing. */
export function quantityMilli(text: string | number | undefined): number | undefined {
  const value = quantityValue(text);
  // 0.1 * 1000 and the like come out a hair above the integer.
  return value === undefined ? undefined : Math.ceil(value * 1000 - 1e-6);
}
