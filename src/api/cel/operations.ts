/** Compiles calls, operators, fields and indexes. */
import type { Compiler, Step } from './compile.ts';
import { noMatch } from './compile.ts';
import { converterOf } from './convert.ts';
import { equalityOf, unionOf } from './equality.ts';
import type { Run } from './frame.ts';
import { accepts, isUncertain, type Match, matchesOf, type Overload, through } from './function.ts';
import { regexProblem } from './regex.ts';
import { type Node, qualifiedName } from './syntax.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import type { CelType } from './type.ts';
import * as types from './type.ts';
import {
  Double,
  equal,
  Fault,
  isFields,
  isInt,
  lookUp,
  noKey,
  none,
  noOverload,
  Optional,
  sizeOfValue,
  some,
  Uint,
} from './value.ts';

type Of<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>;
type Functions = ReadonlyMap<string, readonly Overload[]>;

export function compileSelect(compiler: Compiler, node: Of<'select'>): Step {
  const of = compiler.step(node.of);
  const { field } = node;
  const isOnOptional = of.type.kind === 'optional';
  const base = of.type.kind === 'optional' ? of.type.of : of.type;
  let json = field;
  let type: CelType = types.dyn;
  if (base.kind === 'object') {
    const known = base.field(field);
    if (known === undefined) return compiler.flaw(node.at, `undefined field '${field}'`);
    json = known.json;
    type = known.type;
  } else if (base.kind === 'map') type = base.value;
  else if (!types.isOpen(base))
    return compiler.flaw(node.at, `type '${types.typeText(base)}' does not support field selection`);
  const convert = base.kind === 'object' ? converterOf(type) : undefined;
  const { run } = of;
  const cost = of.cost + 1;
  const read = (value: unknown): unknown => {
    const found = isFields(value) || value instanceof Map ? lookUp(value, json) : undefined;
    return found === undefined || convert === undefined ? found : convert(found);
  };
  if (node.isTest)
    return {
      type: types.bool,
      cost,
      run: (frame) => {
        frame.spend(1);
        let value = run(frame);
        if (value instanceof Optional) {
          if (!value.isPresent) return false;
          value = value.value;
        }
        return hasField(value, json);
      },
    };
  if (node.isOptional || isOnOptional)
    return {
      type: type.kind === 'optional' && !isOnOptional ? type : types.optionalOf(type),
      cost,
      run: (frame) => {
        frame.spend(1);
        return optionalRead(run(frame), read);
      },
    };
  return {
    type,
    cost,
    run: (frame) => {
      frame.spend(1);
      const value = run(frame);
      if (value instanceof Optional) return optionalRead(value, read);
      const found = read(value);
      if (found === undefined) throw noKey(field);
      return found;
    },
  };
}

function hasField(value: unknown, json: string): boolean {
  if (value instanceof Map) return value.has(json);
  if (isFields(value)) return lookUp(value, json) !== undefined;
  throw noKey(json);
}

function optionalRead(value: unknown, read: (value: unknown) => unknown): Optional {
  if (value instanceof Optional) {
    if (!value.isPresent) return none;
    value = value.value;
  }
  const found = read(value);
  return found === undefined ? none : some(found);
}

export function compileIndex(compiler: Compiler, node: Of<'index'>): Step {
  const of = compiler.step(node.of);
  const index = compiler.step(node.index);
  const isOnOptional = of.type.kind === 'optional';
  const base = of.type.kind === 'optional' ? of.type.of : of.type;
  const name = node.isOptional ? '_[?_]' : '_[_]';
  let type: CelType = types.dyn;
  if (base.kind === 'list') {
    if (!types.isOpen(index.type) && index.type.kind !== 'int')
      return noMatch(compiler, node.at, name, [of.type, index.type]);
    type = base.item;
  } else if (base.kind === 'map') {
    if (!types.fits(index.type, base.key, new Map()))
      return noMatch(compiler, node.at, name, [of.type, index.type]);
    type = base.value;
  } else if (!types.isOpen(base)) return noMatch(compiler, node.at, name, [of.type, index.type]);
  const { run } = of;
  const isOptional = node.isOptional || isOnOptional;
  return {
    type: isOptional ? types.optionalOf(type) : type,
    cost: of.cost + index.cost + 1,
    run: (frame) => {
      frame.spend(1);
      let value = run(frame);
      const key = index.run(frame);
      const isOpen = isOptional || value instanceof Optional;
      if (value instanceof Optional) {
        if (!value.isPresent) return none;
        value = value.value;
      }
      const found = itemAt(value, key, isOpen);
      if (isOpen) return found === undefined ? none : some(found);
      return found;
    },
  };
}

/** undefined only where `isOpen`, and there is none. */
function itemAt(value: unknown, key: unknown, isOpen: boolean): unknown {
  if (Array.isArray(value)) {
    const index = key instanceof Uint || key instanceof Double ? Number(key.value) : key;
    if (!isInt(index)) throw new Fault(`unsupported index type '${typeof key}' in list`);
    const found: unknown = value[Number(index)];
    if (found === undefined && !isOpen) throw new Fault(`index out of bounds: ${index}`);
    return found;
  }
  if (!(value instanceof Map) && !isFields(value)) throw noOverload();
  const found = lookUp(value, key);
  if (found === undefined && !isOpen) throw noKey(key);
  return found;
}

export function compileCall(compiler: Compiler, node: Of<'call'>, functions: Functions): Step {
  const { at, name } = node;
  const namespace = node.target === undefined ? undefined : qualifiedName(node.target);
  const full = namespace === undefined ? undefined : `${namespace}.${name}`;
  const isGlobal =
    full !== undefined && functions.has(full) && !compiler.knows(namespace?.split('.')[0] ?? '');
  const target = node.target === undefined || isGlobal ? undefined : compiler.step(node.target);
  const given = node.args.map((arg) => (name === 'format' ? compiler.mixed(arg) : compiler.step(arg)));
  switch (name) {
    case '_==_':
    case '_!=_':
      return equality(compiler, at, name, given as [Step, Step]);
    case '@in':
      return membership(compiler, at, given as [Step, Step]);
    case 'or':
    case 'orValue':
      if (target !== undefined && given.length === 1)
        return otherwise(compiler, at, name, target, given[0] as Step);
  }
  const overloads = functions.get(isGlobal ? full : name);
  const args = target === undefined ? given : [target, ...given];
  if (overloads === undefined)
    return compiler.flaw(at, `undeclared reference to '${name}' (in container '')`);
  const argTypes = args.map(({ type }) => type);
  const matches = matchesOf(overloads, target !== undefined, argTypes);
  const [first] = matches;
  if (first === undefined)
    return noMatch(
      compiler,
      at,
      isGlobal ? full : name,
      given.map(({ type }) => type),
      target?.type,
    );
  const refused = refusedLiteral(name, args);
  if (refused !== undefined) return compiler.flaw(node.args.at(-1)?.at ?? at, refused);
  return callStep(matches, first, args, argTypes);
}

/** Texts that are known and can never be what they are to be. */
function refusedLiteral(name: string, args: readonly Step[]): string | undefined {
  const text = args.at(-1)?.literal;
  if (typeof text !== 'string') return undefined;
  if (name === 'duration' && parseDuration(text) === undefined) return 'invalid duration argument';
  if (name === 'timestamp' && parseTimestamp(text) === undefined) return 'invalid timestamp argument';
  return name === 'matches' && regexProblem(text) !== undefined ? 'invalid matches argument' : undefined;
}

function callStep(
  matches: readonly Match[],
  first: Match,
  args: readonly Step[],
  argTypes: readonly CelType[],
): Step {
  const sizes = argTypes.map(types.sizeOf);
  const [a = 1, b = 1, c = 1] = sizes;
  let cost = 0;
  let result = first.result;
  for (const match of matches) {
    const { overload } = match;
    cost = Math.max(cost, overload.cost?.(a, b, c) ?? 0);
    if (types.typeText(match.result) !== types.typeText(result)) result = types.dyn;
  }
  const { size } = first.overload;
  if (size !== undefined) result = types.sized(result, size(a, b, c));
  result = sizedItems(result, first.overload.name, argTypes, [a, b]);
  for (const arg of args) cost += arg.cost;
  const runs = args.map(({ run }) => run);
  const isChosen = matches.length > 1 || isUncertain(first.overload, argTypes);
  let run = isChosen
    ? choosing(
        matches.map(({ overload }) => overload),
        runs,
      )
    : calling(first.overload, runs);
  const union = first.overload.name === '_+_' ? unionOf(argTypes[0]) : undefined;
  if (union !== undefined) {
    result = { ...(argTypes[0] as types.ListType), maxSize: a + b };
    const [left, right] = runs as [Run, Run];
    run = (frame) => {
      const [x, y] = [left(frame), right(frame)] as [unknown[], unknown[]];
      frame.spend(1 + x.length * y.length);
      return union(x, y);
    };
    cost += a * b;
  }
  return { type: result, cost: cost + 1, run };
}

/** Texts made of parts of a text, and of texts, are as large as these allow. */
function sizedItems(
  result: CelType,
  name: string,
  [of, ...rest]: readonly CelType[],
  [a, b]: readonly [number, number],
): CelType {
  if (name === 'join' && of?.kind === 'list')
    return types.sized(result, a * (types.sizeOf(of.item) + (rest.length > 0 ? b : 0)));
  if (of?.kind === 'string' && result.kind === 'list')
    return { ...result, item: types.sized(result.item, a) };
  return result;
}

function calling({ apply, cost }: Overload, runs: readonly Run[]): Run {
  const [first, second] = runs;
  if (cost === undefined && runs.length === 1 && first !== undefined)
    return (frame) => {
      frame.spend(1);
      return apply(first(frame));
    };
  if (cost === undefined && runs.length === 2 && first !== undefined && second !== undefined)
    return (frame) => {
      frame.spend(1);
      return apply(first(frame), second(frame));
    };
  return (frame) => {
    const args = runs.map((run) => run(frame));
    frame.spend(1 + (cost === undefined ? 0 : costOf(cost, args)));
    return apply(...args);
  };
}

function costOf(cost: (a: number, b: number, c: number) => number, args: readonly unknown[]): number {
  return cost(sizeOfValue(args[0]), sizeOfValue(args[1]), sizeOfValue(args[2]));
}

/** By the values: the first overload that takes them. */
function choosing(overloads: readonly Overload[], runs: readonly Run[]): Run {
  return (frame) => {
    const args = runs.map((run) => run(frame));
    for (const overload of overloads)
      if (accepts(overload, args)) {
        frame.spend(1 + (overload.cost === undefined ? 0 : costOf(overload.cost, args)));
        return overload.apply(...args);
      }
    throw noOverload();
  };
}

function equality(compiler: Compiler, at: number, name: string, [left, right]: [Step, Step]): Step {
  const joined = types.join(left.type, right.type);
  if (joined === undefined) return noMatch(compiler, at, name, [left.type, right.type]);
  const same = equalityOf(left.type) ?? equalityOf(right.type) ?? equal;
  const isSame = name === '_==_';
  const [first, second] = [left.run, right.run];
  return {
    type: types.bool,
    cost: left.cost + right.cost + 1 + through(Math.min(types.sizeOf(left.type), types.sizeOf(right.type))),
    run: (frame) => {
      const [a, b] = [first(frame), second(frame)];
      frame.spend(typeof a === 'number' ? 1 : 1 + through(Math.min(sizeOfValue(a), sizeOfValue(b))));
      return same(a, b) === isSame;
    },
  };
}

function membership(compiler: Compiler, at: number, [item, of]: [Step, Step]): Step {
  const items =
    of.type.kind === 'list' || of.type.kind === 'map' || types.isOpen(of.type)
      ? types.itemOf(of.type)
      : undefined;
  const itemCost = of.type.kind === 'list' || types.isOpen(of.type) ? types.sizeOf(of.type) : 0;
  if (items === undefined || types.join(item.type, items) === undefined)
    return noMatch(compiler, at, '@in', [item.type, of.type]);
  const same = equalityOf(items) ?? equal;
  return {
    type: types.bool,
    cost: item.cost + of.cost + 1 + itemCost,
    run: (frame) => {
      const [value, list] = [item.run(frame), of.run(frame)];
      if (Array.isArray(list)) {
        frame.spend(1 + list.length);
        return typeof value === 'string' ? list.includes(value) : list.some((one) => same(one, value));
      }
      frame.spend(1);
      if (!(list instanceof Map) && !isFields(list)) throw noOverload();
      return lookUp(list, value) !== undefined;
    },
  };
}

/** `a.or(b)`, `a.orValue(b)`: `b` is looked at only where `a` has no value. */
function otherwise(compiler: Compiler, at: number, name: string, of: Step, other: Step): Step {
  const inner = of.type.kind === 'optional' ? of.type.of : types.isOpen(of.type) ? types.dyn : undefined;
  const wanted = inner === undefined ? undefined : name === 'or' ? types.optionalOf(inner) : inner;
  const type = wanted === undefined ? undefined : types.join(wanted, other.type);
  if (type === undefined) return noMatch(compiler, at, name, [other.type], of.type);
  return {
    type,
    cost: of.cost + other.cost + 1,
    run: (frame) => {
      frame.spend(1);
      const value = of.run(frame);
      if (!(value instanceof Optional)) throw noOverload();
      if (!value.isPresent) return other.run(frame);
      return name === 'or' ? value : value.value;
    },
  };
}
