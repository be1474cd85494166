/** Kubernetes' functions of lists: isSorted, sum, min, max, indexOf, lastIndexOf. */
import type { Definition } from '../function.ts';
import * as number from '../number.ts';
import { compareValues } from '../order.ts';
import { checkedDuration } from '../time.ts';
import { Double, Duration, equal, Fault, Uint } from '../value.ts';

type List = readonly unknown[];

const whole = { cost: (a: number) => a };
const ordered = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

const isSorted = (list: List): boolean =>
  list.every((item, index) => index === 0 || compareValues(list[index - 1], item) <= 0);

function best(list: List, name: string, isBetter: (order: number) => boolean): unknown {
  if (list.length === 0) throw new Fault(`${name} called on empty list`);
  return list.reduce((found, item) => (isBetter(compareValues(item, found)) ? item : found));
}

const min = (list: List): unknown => best(list, 'min', (order) => order < 0);
const max = (list: List): unknown => best(list, 'max', (order) => order > 0);

export const listFunctions: readonly Definition[] = [
  ...ordered.flatMap((type): Definition[] => [
    [`list(${type}) . isSorted(): bool`, isSorted, whole],
    [`list(${type}) . min(): ${type}`, min, whole],
    [`list(${type}) . max(): ${type}`, max, whole],
  ]),
  ['list(int) . sum(): int', sumOf, whole],
  ['list(uint) . sum(): uint', sumOf, whole],
  ['list(double) . sum(): double', sumOf, whole],
  ['list(duration) . sum(): duration', sumOf, whole],
  [
    'list(A) . indexOf(A): int',
    (list: List, item: unknown) => list.findIndex((one) => equal(one, item)),
    whole,
  ],
  [
    'list(A) . lastIndexOf(A): int',
    (list: List, item: unknown) => list.findLastIndex((one) => equal(one, item)),
    whole,
  ],
];

/** By what is in it: the type of a list is not known as it runs. */
function sumOf(list: List): unknown {
  const [first] = list;
  if (first === undefined) return 0;
  return list.slice(1).reduce((sum, item) => plus(sum, item), first);
}

function plus(a: unknown, b: unknown): unknown {
  if (a instanceof Duration && b instanceof Duration) return checkedDuration(a.nanos + b.nanos);
  if (a instanceof Uint && b instanceof Uint) return number.addUints(a, b);
  if (isWhole(a) && isWhole(b)) return number.addInts(a, b);
  if (isReal(a) && isReal(b)) return number.addDoubles(a, b);
  throw new Fault('no such overload');
}

const isWhole = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || Number.isSafeInteger(value);
const isReal = (value: unknown): value is number | Double =>
  typeof value === 'number' || value instanceof Double;
