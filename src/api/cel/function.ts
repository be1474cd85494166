/**
 * Functions: their signatures, which one a call means, and what it costs.
 *
 *   'string . contains(string): bool'      of a value: what stands before ` . ` is its type
 *   'size(list(A)): int'                   capital letters stand for any type, the same everywhere in one call
 *
 * A call whose types are known means one overload before it runs; where something is `dyn`, the values choose.
 */
import { assert } from '../../lib/index.ts';
import { type Bound, type CelType, fits, isOpen, opaque, optionalOf, param, substitute } from './type.ts';
import * as values from './value.ts';

/** From the sizes of the arguments, the value that it is called on first. */
export type BySizes = (a: number, b: number, c: number) => number;

export interface Overload {
  readonly name: string;
  readonly isMember: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly apply: (...args: unknown[]) => unknown;
  /** Beyond the one of every call. */
  readonly cost: BySizes | undefined;
  /** How large the result can become. */
  readonly size: BySizes | undefined;
}

export interface Costs {
  readonly cost?: BySizes;
  readonly size?: BySizes;
}

/** signature, what it does, what it costs. */
export type Definition = readonly [string, (...args: never[]) => unknown, Costs?];

/** The price of going through a text or list of that size. */
export const through = (size: number): number => Math.ceil(size * 0.1);

const opaqueNames: Readonly<Record<string, string>> = {
  quantity: 'kubernetes.Quantity',
  url: 'kubernetes.URL',
  ip: 'net.IP',
  cidr: 'net.CIDR',
  semver: 'kubernetes.Semver',
  format: 'kubernetes.NamedFormat',
  authorizer: 'kubernetes.authorization.Authorizer',
  pathCheck: 'kubernetes.authorization.PathCheck',
  groupCheck: 'kubernetes.authorization.GroupCheck',
  resourceCheck: 'kubernetes.authorization.ResourceCheck',
  decision: 'kubernetes.authorization.Decision',
};
const kinds = new Set('dyn free null bool int uint double string bytes timestamp duration type'.split(' '));

/** `map(string, list(A))`. */
function typeOfText(text: string): CelType {
  const open = text.indexOf('(');
  if (open < 0) {
    if (/^[A-Z]$/.test(text)) return param(text);
    if (kinds.has(text)) return { kind: text } as CelType;
    const name = opaqueNames[text];
    assert(name !== undefined, `"${text}" is a type`);
    return opaque(name);
  }
  const [first, second] = argumentsOf(text.slice(open + 1, -1)).map(typeOfText);
  assert(first !== undefined, `"${text}" has an argument`);
  switch (text.slice(0, open)) {
    case 'list':
      return { kind: 'list', item: first };
    case 'map':
      assert(second !== undefined, `"${text}" has two arguments`);
      return { kind: 'map', key: first, value: second };
    default:
      return optionalOf(first);
  }
}

/** At the commas outside of parentheses. */
function argumentsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of text.replaceAll(' ', '')) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  if (part !== '') parts.push(part);
  return parts;
}

export function overloadOf([signature, apply, costs = {}]: Definition): Overload {
  const match = /^(?:(\S.*) \. )?([^\s(]+)\((.*)\): (.+)$/.exec(signature);
  assert(match !== null, `"${signature}" is a signature`);
  const [, of, name = '', args = '', result = ''] = match;
  return {
    name,
    isMember: of !== undefined,
    args: [...(of === undefined ? [] : [of]), ...argumentsOf(args)].map(typeOfText),
    result: typeOfText(result.replaceAll(' ', '')),
    apply: apply as (...args: unknown[]) => unknown,
    cost: costs.cost,
    size: costs.size,
  };
}

export interface Match {
  readonly overload: Overload;
  readonly result: CelType;
}

/** The overloads that a call with arguments of these types can mean. */
export function matchesOf(
  overloads: readonly Overload[],
  isMember: boolean,
  types: readonly CelType[],
): readonly Match[] {
  const matches: Match[] = [];
  for (const overload of overloads) {
    if (overload.isMember !== isMember || overload.args.length !== types.length) continue;
    const bound: Bound = new Map();
    if (!overload.args.every((arg, index) => fits(types[index] as CelType, arg, bound))) continue;
    matches.push({ overload, result: substitute(overload.result, bound) });
  }
  return matches;
}

/** Whether the values must choose: something that matters is known only then. */
export function isUncertain(overload: Overload, types: readonly CelType[]): boolean {
  return types.some((type, index) => {
    const asked = overload.args[index];
    return asked !== undefined && asked.kind !== 'dyn' && asked.kind !== 'param' && isOpenFor(type);
  });
}

const isOpenFor = (type: CelType): boolean => isOpen(type) || type.kind === 'null';

/** A value may stand for an argument of that type. Items of lists and maps are not looked at. */
export function isOf(type: CelType, value: unknown): boolean {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return values.isInt(value);
    case 'double':
      return values.isDouble(value);
    case 'uint':
      return value instanceof values.Uint;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'null':
      return value === null;
    case 'timestamp':
      return value instanceof values.Timestamp;
    case 'duration':
      return value instanceof values.Duration;
    case 'list':
      return Array.isArray(value);
    case 'map':
      return value instanceof Map || values.isFields(value);
    case 'object':
      return values.isFields(value);
    case 'optional':
      return value instanceof values.Optional;
    case 'type':
      return value instanceof values.TypeValue;
    case 'opaque':
      return value instanceof values.Special && value.typeName === type.name;
    default:
      return true;
  }
}

/** Whether a value fits all arguments of an overload. */
export function accepts(overload: Overload, args: readonly unknown[]): boolean {
  return overload.args.every((type, index) => isOf(type, args[index]));
}
