/**
 * Equality and addition of lists that the schema says are sets, or maps by key: in any order, and each element once.
 * Source: "Merge strategy" and `x-kubernetes-list-type` in Kubernetes' documentation of validation rules.
 */
import type { CelType, ListType } from './type.ts';
import { equal, isFields, lookUp } from './value.ts';

export type Equality = (a: unknown, b: unknown) => boolean;

/** undefined: as everywhere. */
export function equalityOf(type: CelType): Equality | undefined {
  if (type.kind !== 'list') return undefined;
  const items = equalityOf(type.item);
  const same = items ?? equal;
  switch (type.listType) {
    case 'set':
      return (a, b) =>
        Array.isArray(a) &&
        Array.isArray(b) &&
        a.length === b.length &&
        a.every((item) => b.some((other) => same(item, other)));
    case 'map': {
      const keys = type.keys ?? [];
      return (a, b) =>
        Array.isArray(a) &&
        Array.isArray(b) &&
        a.length === b.length &&
        a.every((item) => b.some((other) => sameKeys(keys, item, other) && same(item, other)));
    }
    default:
      return items === undefined
        ? undefined
        : (a, b) =>
            Array.isArray(a) &&
            Array.isArray(b) &&
            a.length === b.length &&
            a.every((item, index) => items(item, b[index]));
  }
}

function sameKeys(keys: readonly string[], a: unknown, b: unknown): boolean {
  return keys.every((key) => isFields(a) && isFields(b) && equal(lookUp(a, key), lookUp(b, key)));
}

/** How such lists are added; undefined: one behind the other. */
export function unionOf(type: CelType | undefined): ((a: unknown[], b: unknown[]) => unknown[]) | undefined {
  if (type?.kind !== 'list' || type.listType === undefined) return undefined;
  const { keys = [], listType }: ListType = type;
  if (listType === 'set')
    return (a, b) => [...a, ...b.filter((item) => !a.some((other) => equal(item, other)))];
  return (a, b) => {
    const replaced = a.map((item) => b.find((other) => sameKeys(keys, item, other)) ?? item);
    return [...replaced, ...b.filter((item) => !a.some((other) => sameKeys(keys, item, other)))];
  };
}
