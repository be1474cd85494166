/** The order of texts (by code points) and bytes, and of any two values of one ordered type. */
import { Duration, Fault, noOverload, numeric, Timestamp } from './value.ts';

export function compareText(a: string | Uint8Array, b: string | Uint8Array): number {
  if (typeof a === 'string' && typeof b === 'string') {
    // Units of UTF-16 are in the order of code points except where surrogates meet what stands above them.
    if (a === b) return 0;
    const end = Math.min(a.length, b.length);
    for (let index = 0; index < end; index++) {
      const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
      if (x === y) continue;
      const [isHighX, isHighY] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
      return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
    }
    return a.length - b.length;
  }
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const difference = Number(a[index]) - Number(b[index]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Negative, zero or positive. A fault where the two have no order. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareText(a, b);
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration))
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  throw a === null || b === null ? new Fault('no such overload') : noOverload();
}
