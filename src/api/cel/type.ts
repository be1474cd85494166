/**
 * The types of expressions, as the checker sees them, and how they fit each other.
 *
 * `dyn` fits everything and is looked at when the expression runs. `free` is the item of an empty list: it becomes what it meets. Sizes (`maxSize`, in
 * characters, items or entries) say how large a value can become; they bound the estimated cost and have no part in whether types fit.
 * Source: the language definition of cel-spec; k8s.io/apiserver/pkg/cel, as behaviour.
 */

/** A field of an object: under which JSON name it is kept. */
export interface ObjectField {
  readonly json: string;
  readonly type: CelType;
}

export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  /** By name as expressions spell it (`__dot__` and the like escaped). */
  field(name: string): ObjectField | undefined;
  /** Expressions may make one: `Name{field: value}`. */
  readonly isMade?: boolean;
}

export interface ListType {
  readonly kind: 'list';
  readonly item: CelType;
  readonly maxSize?: number;
  /** How two such lists are held to be equal, and added: by keys, as sets, or one by one. */
  readonly listType?: 'set' | 'map';
  readonly keys?: readonly string[];
}

export interface MapType {
  readonly kind: 'map';
  readonly key: CelType;
  readonly value: CelType;
  readonly maxSize?: number;
}

export type CelType =
  | { readonly kind: 'dyn' | 'free' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'timestamp' | 'duration' }
  | { readonly kind: 'string' | 'bytes'; readonly maxSize?: number }
  | ListType
  | MapType
  | ObjectType
  | { readonly kind: 'optional'; readonly of: CelType }
  | { readonly kind: 'type' }
  /** A value only functions look into: `kubernetes.Quantity`, `net.IP`. */
  | { readonly kind: 'opaque'; readonly name: string }
  /** In the signatures of functions: any type, the same one everywhere in one call. */
  | { readonly kind: 'param'; readonly name: string };

export const dyn: CelType = { kind: 'dyn' };
export const free: CelType = { kind: 'free' };
export const nullType: CelType = { kind: 'null' };
export const bool: CelType = { kind: 'bool' };
export const int: CelType = { kind: 'int' };
export const uint: CelType = { kind: 'uint' };
export const double: CelType = { kind: 'double' };
export const string: CelType = { kind: 'string' };
export const bytes: CelType = { kind: 'bytes' };
export const timestamp: CelType = { kind: 'timestamp' };
export const duration: CelType = { kind: 'duration' };
export const typeType: CelType = { kind: 'type' };
export const listOf = (item: CelType, maxSize?: number): ListType =>
  maxSize === undefined ? { kind: 'list', item } : { kind: 'list', item, maxSize };
export const mapOf = (key: CelType, value: CelType, maxSize?: number): MapType =>
  maxSize === undefined ? { kind: 'map', key, value } : { kind: 'map', key, value, maxSize };
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of });
export const opaque = (name: string): CelType => ({ kind: 'opaque', name });
export const param = (name: string): CelType => ({ kind: 'param', name });

/** An object whose fields are known. `fields` by the name that expressions use. */
export function objectOf(
  name: string,
  fields: Readonly<Record<string, CelType>>,
  isMade = false,
): ObjectType {
  const known = new Map(Object.entries(fields).map(([json, type]) => [json, { json, type }]));
  return { kind: 'object', name, field: (field) => known.get(field), ...(isMade ? { isMade } : {}) };
}

const words: Readonly<Partial<Record<CelType['kind'], string>>> = {
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  null: 'null',
  free: 'dyn',
};

/** As messages name it: `list(int)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.item)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'optional':
      return `optional_type(${typeText(type.of)})`;
    case 'object':
    case 'opaque':
    case 'param':
      return type.name;
    default:
      return words[type.kind] ?? type.kind;
  }
}

/** What the parameters of a signature stand for in one call. */
export type Bound = Map<string, CelType>;

/** Kinds whose variables may hold null. */
const nullable = new Set<CelType['kind']>(['object', 'opaque', 'timestamp', 'duration', 'optional']);

/** A value of type `from` may stand where `to` is asked. Binds parameters of `to`. */
export function fits(from: CelType, to: CelType, bound: Bound): boolean {
  if (to.kind === 'param') {
    const known = bound.get(to.name);
    if (known === undefined) {
      bound.set(to.name, from);
      return true;
    }
    const both = join(known, from);
    if (both === undefined) return false;
    bound.set(to.name, both);
    return true;
  }
  if (isOpen(from) || isOpen(to)) return true;
  if (from.kind === 'null' || to.kind === 'null')
    return from.kind === to.kind || nullable.has(from.kind) || nullable.has(to.kind);
  if (from.kind !== to.kind) return false;
  switch (from.kind) {
    case 'list':
      return to.kind === 'list' && fits(from.item, to.item, bound);
    case 'map':
      return to.kind === 'map' && fits(from.key, to.key, bound) && fits(from.value, to.value, bound);
    case 'optional':
      return to.kind === 'optional' && fits(from.of, to.of, bound);
    case 'object':
    case 'opaque':
      return (to.kind === 'object' || to.kind === 'opaque') && from.name === to.name;
    default:
      return true;
  }
}

/** What is known of it is seen only when the expression runs. */
export const isOpen = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'free';

/** The type that holds values of both, as the two branches of a condition. undefined: there is none. */
export function join(a: CelType, b: CelType): CelType | undefined {
  if (a === b || b.kind === 'free') return a;
  if (a.kind === 'free') return b;
  if (a.kind === 'dyn' || b.kind === 'dyn') return dyn;
  if (a.kind === 'null') return nullable.has(b.kind) || b.kind === 'null' ? b : undefined;
  if (b.kind === 'null') return nullable.has(a.kind) ? a : undefined;
  if (a.kind !== b.kind) return undefined;
  if (a.kind === 'list' && b.kind === 'list') {
    const item = join(a.item, b.item);
    return item === undefined ? undefined : sized(listOf(item), larger(a, b));
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = join(a.key, b.key);
    const value = join(a.value, b.value);
    return key === undefined || value === undefined ? undefined : sized(mapOf(key, value), larger(a, b));
  }
  if (a.kind === 'optional' && b.kind === 'optional') {
    const of = join(a.of, b.of);
    return of === undefined ? undefined : optionalOf(of);
  }
  if ((a.kind === 'object' && b.kind === 'object') || (a.kind === 'opaque' && b.kind === 'opaque'))
    return a.name === b.name ? a : undefined;
  if (a.kind === 'string' || a.kind === 'bytes') return sized({ kind: a.kind }, larger(a, b));
  return a;
}

/** A signature's type with its parameters replaced. */
export function substitute(type: CelType, bound: Bound): CelType {
  switch (type.kind) {
    case 'param':
      return bound.get(type.name) ?? dyn;
    case 'list':
      return sized(listOf(substitute(type.item, bound)), type.maxSize);
    case 'map':
      return sized(mapOf(substitute(type.key, bound), substitute(type.value, bound)), type.maxSize);
    case 'optional':
      return optionalOf(substitute(type.of, bound));
    default:
      return type;
  }
}

/** How much one request can carry: what has no bound of its own is no larger. */
export const sizeMax = 3 * 1024 * 1024;

/** The most characters, items or entries of a value of that type. */
export function sizeOf(type: CelType): number {
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'list':
    case 'map':
      return type.maxSize ?? sizeMax;
    case 'dyn':
    case 'param':
      return sizeMax;
    case 'optional':
      return sizeOf(type.of);
    default:
      return 1;
  }
}

/** The type with a bound on its size. */
export function sized(type: CelType, maxSize: number | undefined): CelType {
  if (maxSize === undefined) return type;
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'list':
    case 'map':
      return { ...type, maxSize };
    default:
      return type;
  }
}

function larger(a: CelType, b: CelType): number {
  return Math.max(sizeOf(a), sizeOf(b));
}

/** The type of what a loop over it goes through; undefined: nothing can. */
export function itemOf(type: CelType): CelType | undefined {
  switch (type.kind) {
    case 'list':
      return type.item;
    case 'map':
      return type.key;
    case 'dyn':
    case 'free':
      return dyn;
    default:
      return undefined;
  }
}
