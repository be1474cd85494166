/**
 * Values while an expression runs. JSON is used as it is: texts, booleans, null, arrays and plain objects stand for themselves, and so do most numbers.
 *
 *   int        a number that is a safe integer; a bigint beyond
 *   double     any other number; `Double` holds those that look like an int
 *   uint       `Uint`            bytes      Uint8Array        map    a plain object, or a Map where the expression made it
 *   others     `Timestamp`, `Duration`, `Optional`, `TypeValue`, and `Opaque` for what only functions look into
 *
 * Invariant: every value tells its type by itself, so that `dyn` needs no wrapping.
 */

import { beginWork, work } from './work.ts';

/** An error of the running expression: it becomes the value of the operation unless `||`, `&&` or a loop absorbs it. */
export class Fault {
  readonly message: string;
  /** The cost limit: nothing absorbs that. */
  readonly isFinal: boolean;
  constructor(message: string, isFinal = false) {
    this.message = message;
    this.isFinal = isFinal;
  }
}

export const noOverload = (): Fault => new Fault('no such overload');
export const noKey = (key: unknown): Fault => new Fault(`no such key: ${textOf(key)}`);

/** What is neither JSON nor a number. */
export abstract class Special {
  abstract readonly typeName: string;
}

export class Double extends Special {
  readonly typeName = 'double';
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
}

export class Uint extends Special {
  readonly typeName = 'uint';
  readonly value: bigint;
  constructor(value: bigint) {
    super();
    this.value = value;
  }
}

export class Duration extends Special {
  readonly typeName = 'google.protobuf.Duration';
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }
}

/** Since 1970. */
export class Timestamp extends Special {
  readonly typeName = 'google.protobuf.Timestamp';
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }
}

export class Optional extends Special {
  readonly typeName = 'optional_type';
  readonly value: unknown;
  readonly isPresent: boolean;
  constructor(value: unknown, isPresent: boolean) {
    super();
    this.value = value;
    this.isPresent = isPresent;
  }
}

export const none = new Optional(undefined, false);
export const some = (value: unknown): Optional => new Optional(value, true);

export class TypeValue extends Special {
  readonly typeName = 'type';
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A value of a library. Two are equal where their `key`s are. */
export class Opaque<T = unknown> extends Special {
  readonly typeName: string;
  readonly value: T;
  readonly key: unknown;
  constructor(typeName: string, value: T, key: unknown = value) {
    super();
    this.typeName = typeName;
    this.value = value;
    this.key = key;
  }
}

export type Fields = Readonly<Record<string, unknown>>;
export type MapKey = string | number | bigint | boolean;
export type MapValue = ReadonlyMap<MapKey, unknown>;

/** A plain object: an object of the API, or a map with texts as keys. */
export function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Special) &&
    !(value instanceof Map) &&
    !(value instanceof Uint8Array)
  );
}

export const isInt = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || Number.isSafeInteger(value);

export const isDouble = (value: unknown): value is number | Double =>
  value instanceof Double || (typeof value === 'number' && !Number.isSafeInteger(value));

/** A double of that number. */
export const doubleOf = (value: number): number | Double =>
  Number.isSafeInteger(value) ? new Double(value) : value;

/** An int of that number, which must be within 64 bits. */
export const intOf = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;

/** The name of a value's type, as `type()` tells it. */
export function typeNameOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isSafeInteger(value) ? 'int' : 'double';
  }
  if (value === null || value === undefined) return 'null_type';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Special) return value.typeName;
  return 'map';
}

/** As a key of a Map: numbers that are equal are one key. undefined: it can be none. */
export function keyOf(value: unknown): MapKey | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? value : undefined;
  }
  if (value instanceof Uint) return intOf(value.value);
  if (value instanceof Double && !Object.is(value.value, -0)) return value.value;
  return undefined;
}

/** The value under a key of a map; undefined: there is none. */
export function lookUp(map: unknown, key: unknown): unknown {
  if (map instanceof Map) {
    const canonical = keyOf(key);
    return canonical === undefined ? undefined : (map as MapValue).get(canonical);
  }
  if (typeof key !== 'string' || !Object.hasOwn(map as Fields, key)) return undefined;
  return (map as Fields)[key];
}

export function keysOf(map: unknown): readonly unknown[] {
  return map instanceof Map
    ? [...map.keys()]
    : Object.keys(map as Fields).filter((key) => (map as Fields)[key] !== undefined);
}

/** Characters, bytes, items or entries; 1 for all else. */
export function sizeOfValue(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof Map) return value.size;
  if (isFields(value)) return Object.keys(value).length;
  return value instanceof Optional && value.isPresent ? sizeOfValue(value.value) : 1;
}

/** Any number as a number of JavaScript or a bigint, to compare by value; undefined: it is no number. */
export function numeric(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof Uint || value instanceof Double) return value.value;
  return undefined;
}

/** Numbers are equal by value whatever their types; values of different types are not equal. Never a fault. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return typeof a !== 'number' || !Number.isNaN(a);
  switch (typeof a) {
    case 'string':
    case 'boolean':
      return false;
    case 'number':
    case 'bigint': {
      // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
      return numeric(b) !== undefined && a == numeric(b);
    }
  }
  if (a === null || a === undefined || b === null || b === undefined || typeof b !== 'object') {
    const number = numeric(a);
    // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
    return number !== undefined && numeric(b) !== undefined && number == numeric(b);
  }
  if (a instanceof Special) return equalSpecial(a, b);
  work(1 + sizeOfValue(a));
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  if (b instanceof Special || Array.isArray(b) || b instanceof Uint8Array) return false;
  const keys = keysOf(a);
  if (keys.length !== keysOf(b).length) return false;
  for (const key of keys) {
    const other = lookUp(b, key);
    if (other === undefined || !equal(lookUp(a, key), other)) return false;
  }
  return true;
}

function equalSpecial(a: Special, b: unknown): boolean {
  const number = numeric(a);
  // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
  if (number !== undefined) return numeric(b) !== undefined && number == numeric(b);
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional)
    return b instanceof Optional && a.isPresent === b.isPresent && (!a.isPresent || equal(a.value, b.value));
  return a instanceof Opaque && b instanceof Opaque && a.typeName === b.typeName && a.key === b.key;
}

/** In messages. */
export function textOf(value: unknown): string {
  const number = numeric(value);
  if (number !== undefined) return String(number);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : typeNameOf(value);
}

/** As JSON, for results that leave the language. A fault where there is no such form. */
export function toJson(value: unknown): unknown {
  beginWork();
  return jsonOf(value);
}

function jsonOf(value: unknown): unknown {
  work();
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), jsonOf(item)]));
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Optional) return value.isPresent ? jsonOf(value.value) : null;
  if (value instanceof Uint8Array) return value.toBase64();
  if (value instanceof Special)
    throw new Fault(`unsupported type conversion from '${value.typeName}' to JSON`);
  if (isFields(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item)]));
  return value;
}
