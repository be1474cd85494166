/** Operators on numbers, texts, times, lists. Equality, logic, fields and indexes are the compiler's own. */

import { type Definition, through } from '../function.ts';
import * as number from '../number.ts';
import { compareText } from '../order.ts';
import { checkedDuration, checkedTimestamp } from '../time.ts';
import { type Duration, numeric, type Timestamp } from '../value.ts';

const both = { size: (a: number, b: number) => a + b };
const concatenation = { cost: (a: number, b: number) => through(a + b), ...both };
const comparison = { cost: (a: number, b: number) => through(Math.min(a, b)) };

type Compare = (a: never, b: never) => boolean;

/** Not a number is neither less nor greater. */
const orders: Readonly<Record<string, { numbers: Compare; texts: Compare; times: Compare; bools: Compare }>> =
  {
    '_<_': orderOf((order) => order < 0),
    '_<=_': orderOf((order) => order <= 0),
    '_>_': orderOf((order) => order > 0),
    '_>=_': orderOf((order) => order >= 0),
  };

function orderOf(
  holds: (order: number) => boolean,
): Record<'numbers' | 'texts' | 'times' | 'bools', Compare> {
  return {
    numbers: (a: unknown, b: unknown) => {
      const [x, y] = [numeric(a) as number, numeric(b) as number];
      if (Number.isNaN(x) || Number.isNaN(y)) return false;
      return holds(x < y ? -1 : x > y ? 1 : 0);
    },
    texts: (a: string | Uint8Array, b: string | Uint8Array) => holds(compareText(a, b)),
    times: (a: Timestamp, b: Timestamp) => holds(a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0),
    bools: (a: boolean, b: boolean) => holds(Number(a) - Number(b)),
  };
}

const numbers = ['int', 'uint', 'double'];

const comparisons: Definition[] = Object.entries(orders).flatMap(([name, of]): Definition[] => [
  ...numbers.flatMap((a) => numbers.map((b): Definition => [`${name}(${a}, ${b}): bool`, of.numbers])),
  [`${name}(string, string): bool`, of.texts, comparison],
  [`${name}(bytes, bytes): bool`, of.texts, comparison],
  [`${name}(bool, bool): bool`, of.bools],
  [`${name}(timestamp, timestamp): bool`, of.times],
  [`${name}(duration, duration): bool`, of.times],
]);

export const operators: readonly Definition[] = [
  ['_+_(int, int): int', number.addInts],
  ['_+_(uint, uint): uint', number.addUints],
  ['_+_(double, double): double', number.addDoubles],
  ['_+_(string, string): string', (a: string, b: string) => a + b, concatenation],
  [
    '_+_(bytes, bytes): bytes',
    (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]),
    concatenation,
  ],
  ['_+_(list(A), list(A)): list(A)', (a: unknown[], b: unknown[]) => [...a, ...b], concatenation],
  ['_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos + b.nanos)],
  ['_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => checkedTimestamp(a.nanos + b.nanos)],
  ['_+_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos + b.nanos)],
  ['_-_(int, int): int', number.subtractInts],
  ['_-_(uint, uint): uint', number.subtractUints],
  ['_-_(double, double): double', number.subtractDoubles],
  ['_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => checkedDuration(a.nanos - b.nanos)],
  ['_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos - b.nanos)],
  ['_-_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos - b.nanos)],
  ['_*_(int, int): int', number.multiplyInts],
  ['_*_(uint, uint): uint', number.multiplyUints],
  ['_*_(double, double): double', number.multiplyDoubles],
  ['_/_(int, int): int', number.divideInts],
  ['_/_(uint, uint): uint', number.divideUints],
  ['_/_(double, double): double', number.divideDoubles],
  ['_%_(int, int): int', number.remainderOfInts],
  ['_%_(uint, uint): uint', number.remainderOfUints],
  ['-_(int): int', number.negateInt],
  ['-_(double): double', number.negateDouble],
  ['!_(bool): bool', (a: boolean) => !a],
  ...comparisons,
];
