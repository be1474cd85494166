/**
 * Structural merging: what an object owns, what changed between two, one laid over the other, paths taken out. Pure; nothing given is changed.
 *
 * Source: sigs.k8s.io/structured-merge-diff (typed). An object's own path is owned only where it is empty or an element of a list.
 */
import { sameJson } from '../../lib/index.ts';
import { FieldSet, leaf, made, noFields } from './field-set.ts';
import type { Shape } from './shape.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type ListShape = Extract<Shape, { kind: 'list' }>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The path elements of a list's elements, in order. Elements that are told apart by nothing are told apart by their place. */
function elementsOf(list: readonly unknown[], shape: ListShape | { kind: 'set' }): readonly string[] {
  return list.map((value, index) => {
    if (shape.kind === 'set') return `v:${JSON.stringify(value)}`;
    if (!isObject(value)) return `i:${index}`;
    const keys: Record<string, unknown> = {};
    for (const key of [...shape.keys].sort()) {
      const own = value[key] ?? shape.defaults[key];
      if (own !== undefined) keys[key] = own;
    }
    return `k:${JSON.stringify(keys)}`;
  });
}

/** Every path that the value sets. */
export function fieldsOf(value: unknown, shape: Shape): FieldSet {
  if (shape.kind === 'object' && isObject(value)) {
    const children = new Map<string, FieldSet>();
    for (const [field, below] of Object.entries(value))
      if (below !== undefined) children.set(`f:${field}`, fieldsOf(below, shape.shapeOf(field)));
    return children.size === 0 ? leaf : made(false, children);
  }
  if ((shape.kind === 'list' || shape.kind === 'set') && Array.isArray(value)) {
    const children = new Map<string, FieldSet>();
    elementsOf(value, shape).forEach((element, index) => {
      const below = shape.kind === 'list' ? fieldsOf(value[index], shape.element) : leaf;
      children.set(element, new FieldSet(true, below.children));
    });
    return children.size === 0 ? leaf : made(false, children);
  }
  return leaf;
}

export interface Comparison {
  /** Set now, and not before. */
  readonly added: FieldSet;
  readonly changed: FieldSet;
  /** Set before, and no longer. */
  readonly removed: FieldSet;
}

const alike: Comparison = { added: noFields, changed: noFields, removed: noFields };

/** What differs between two objects, path by path. */
export function compare(before: unknown, after: unknown, shape: Shape): Comparison {
  if (before === after) return alike;
  if (before === undefined) return { ...alike, added: fieldsOf(after, shape) };
  if (after === undefined) return { ...alike, removed: fieldsOf(before, shape) };
  if (shape.kind === 'object' && isObject(before) && isObject(after)) {
    const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
    const changes = compareParts(
      [...fields].map((field) => [`f:${field}`, before[field], after[field], shape.shapeOf(field), false]),
    );
    return withEmptiness(changes, Object.keys(before).length === 0, Object.keys(after).length === 0);
  }
  if ((shape.kind === 'list' || shape.kind === 'set') && Array.isArray(before) && Array.isArray(after)) {
    const [was, is] = [before, after].map(
      (list) => new Map(elementsOf(list, shape).map((element, index) => [element, list[index] as unknown])),
    );
    const elements = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]);
    const below: Shape = shape.kind === 'list' ? shape.element : { kind: 'whole' };
    const changes = compareParts(
      [...elements].map((element) => [element, was?.get(element), is?.get(element), below, true]),
    );
    return withEmptiness(changes, before.length === 0, after.length === 0);
  }
  return sameJson(before, after) ? alike : { ...alike, changed: leaf };
}

type Part = readonly [element: string, before: unknown, after: unknown, shape: Shape, isElement: boolean];

function compareParts(parts: readonly Part[]): Comparison {
  const [added, changed, removed] = [
    new Map<string, FieldSet>(),
    new Map<string, FieldSet>(),
    new Map<string, FieldSet>(),
  ];
  for (const [element, before, after, shape, isElement] of parts) {
    const one = compare(before, after, shape);
    const isNew = isElement && before === undefined;
    const isGone = isElement && after === undefined;
    if (!one.added.isEmpty || isNew)
      added.set(element, isNew ? new FieldSet(true, one.added.children) : one.added);
    if (!one.changed.isEmpty) changed.set(element, one.changed);
    if (!one.removed.isEmpty || isGone)
      removed.set(element, isGone ? new FieldSet(true, one.removed.children) : one.removed);
  }
  return { added: made(false, added), changed: made(false, changed), removed: made(false, removed) };
}

/** An empty object or list owns its own path. */
function withEmptiness(changes: Comparison, wasEmpty: boolean, isEmpty: boolean): Comparison {
  if (wasEmpty === isEmpty) return changes;
  return wasEmpty
    ? { ...changes, removed: changes.removed.union(leaf) }
    : { ...changes, added: changes.added.union(leaf) };
}

/** `over` laid upon `under`: what both have is merged, part by part, as the shape says. */
export function overlay(under: unknown, over: unknown, shape: Shape): unknown {
  if (over === undefined) return under;
  if (under === undefined) return over;
  if (shape.kind === 'object' && isObject(under) && isObject(over)) {
    const merged: Record<string, unknown> = { ...under };
    for (const [field, value] of Object.entries(over))
      put(merged, field, overlay(own(under, field), value, shape.shapeOf(field)));
    return merged;
  }
  if ((shape.kind === 'list' || shape.kind === 'set') && Array.isArray(under) && Array.isArray(over))
    return overlayList(under, over, shape);
  return over;
}

const own = (object: JsonObject, field: string): unknown =>
  Object.hasOwn(object, field) ? object[field] : undefined;

/** Also a field called `__proto__` is just a field. */
function put(object: Record<string, unknown>, field: string, value: unknown): void {
  Object.defineProperty(object, field, { value, writable: true, enumerable: true, configurable: true });
}

/** The order of `over`; what only `under` has keeps its place before what followed it there, and comes before what is new. */
function overlayList(
  under: readonly unknown[],
  over: readonly unknown[],
  shape: ListShape | { kind: 'set' },
): unknown[] {
  const [were, are] = [elementsOf(under, shape), elementsOf(over, shape)];
  const wanted = new Set(are);
  const placeOf = new Map(were.map((element, index) => [element, index]));
  const merged: unknown[] = [];
  let next = 0;
  const passUntil = (end: number): void => {
    for (; next < end; next++) if (!wanted.has(were[next] as string)) merged.push(under[next]);
  };
  const passAlone = (): void => {
    for (; next < under.length && !wanted.has(were[next] as string); next++) merged.push(under[next]);
  };
  over.forEach((value, index) => {
    const place = placeOf.get(are[index] as string);
    if (place === undefined) passAlone();
    else {
      passUntil(place);
      next = Math.max(next, place + 1);
    }
    const before = place === undefined ? undefined : under[place];
    merged.push(shape.kind === 'list' ? overlay(before, value, shape.element) : value);
  });
  passUntil(under.length);
  return merged;
}

/** The value without those paths. undefined: nothing is left of it. */
export function remove(value: unknown, gone: FieldSet, shape: Shape): unknown {
  if (gone.isEmpty) return value;
  if (gone.children.size === 0) return undefined;
  if (shape.kind === 'object' && isObject(value)) {
    const left: Record<string, unknown> = {};
    for (const [field, below] of Object.entries(value)) {
      const part = gone.children.get(`f:${field}`);
      const kept = part === undefined ? below : remove(below, part, shape.shapeOf(field));
      if (kept !== undefined) put(left, field, kept);
    }
    return Object.keys(left).length === 0 ? undefined : left;
  }
  if ((shape.kind === 'list' || shape.kind === 'set') && Array.isArray(value)) {
    const left: unknown[] = [];
    elementsOf(value, shape).forEach((element, index) => {
      const part = gone.children.get(element);
      const below: Shape = shape.kind === 'list' ? shape.element : { kind: 'whole' };
      // An element of which only fields go stays, without them.
      const kept =
        part === undefined ? value[index] : part.isMember ? undefined : remove(value[index], part, below);
      if (kept !== undefined) left.push(kept);
    });
    return left.length === 0 ? undefined : left;
  }
  return gone.isMember ? undefined : value;
}

/** The first two elements of a list that are the same to its owners: an applied configuration must not have them. */
export function duplicateIn(
  value: unknown,
  shape: Shape,
  path: readonly string[] = [],
): readonly string[] | undefined {
  if (shape.kind === 'object' && isObject(value)) {
    for (const [field, below] of Object.entries(value)) {
      const found = duplicateIn(below, shape.shapeOf(field), [...path, `f:${field}`]);
      if (found !== undefined) return found;
    }
  } else if ((shape.kind === 'list' || shape.kind === 'set') && Array.isArray(value)) {
    const seen = new Set<string>();
    for (const [index, element] of elementsOf(value, shape).entries()) {
      if (seen.has(element)) return [...path, element];
      seen.add(element);
      const found =
        shape.kind === 'list' ? duplicateIn(value[index], shape.element, [...path, element]) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
