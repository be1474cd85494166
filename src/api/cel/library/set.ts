/** Lists as sets: sets.contains, sets.equivalent, sets.intersects. */
import type { Definition } from '../function.ts';
import { equal } from '../value.ts';

type List = readonly unknown[];

const costs = { cost: (a: number, b: number) => a * b };
const has = (list: List, item: unknown): boolean =>
  typeof item === 'string' ? list.includes(item) : list.some((one) => equal(one, item));
const contains = (a: List, b: List): boolean => b.every((item) => has(a, item));

export const setFunctions: readonly Definition[] = [
  ['sets.contains(list(A), list(A)): bool', contains, costs],
  [
    'sets.equivalent(list(A), list(A)): bool',
    (a: List, b: List) => contains(a, b) && contains(b, a),
    { cost: (a, b) => 2 * a * b },
  ],
  ['sets.intersects(list(A), list(A)): bool', (a: List, b: List) => b.some((item) => has(a, item)), costs],
];
