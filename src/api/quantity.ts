/**
 * Quantities as numbers, for arithmetic: `250m` → 0.25, `1Gi` → 1073741824. Exact up to 2^53 units; `canonicalQuantity` is for texts.
 */
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

/** In units. Undefined when the text is no quantity. */
export function quantityValue(text: string | number | undefined): number | undefined {
  if (typeof text === 'number') return text;
  const match = /^([+-]?\d*\.?\d*)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text ?? '');
  const [, digits = '', exponent, suffix = ''] = match ?? [];
  if (!/\d/.test(digits)) return undefined;
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
