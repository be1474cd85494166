/** Compiles loops (`all`, `exists`, `map`, …, with one variable or two) and `optMap`. */
import { addEntry, type Compiler, isBool, noMatch, type Step } from './compile.ts';
import type { Frame } from './frame.ts';
import type { LoopKind, Node } from './syntax.ts';
import type { CelType } from './type.ts';
import * as types from './type.ts';
import { Fault, isFields, keysOf, lookUp, none, noOverload, Optional, some } from './value.ts';

type Loop = Extract<Node, { kind: 'loop' }>;

/** What each round costs beyond its parts: its condition, its result so far. */
const roundCost = 3;
const buildCost = 12;

export function compileLoop(compiler: Compiler, node: Loop): Step {
  const range = compiler.step(node.range);
  const item = types.itemOf(range.type);
  if (item === undefined)
    return compiler.flaw(
      node.range.at,
      `expression of type '${types.typeText(range.type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    );
  const variables: [string, CelType][] = [[node.first, item]];
  if (node.second !== undefined) {
    variables[0] = [node.first, range.type.kind === 'list' ? types.int : item];
    variables.push([node.second, valueTypeOf(range.type)]);
  }
  return compiler.within(variables, (slots) => {
    const test = node.test === undefined ? undefined : compiler.step(node.test);
    const body = compiler.step(node.body);
    if (test !== undefined && !isBool(test.type))
      return noMatch(compiler, node.test?.at ?? node.at, '_?_:_', [test.type, body.type, body.type]);
    if (isTesting(node.loop) && !isBool(body.type))
      return noMatch(compiler, node.body.at, testNames[node.loop] ?? '', [types.bool, body.type]);
    const rounds = types.sizeOf(range.type);
    const isBuilding = !isTesting(node.loop) || node.loop === 'filter';
    const round = (test?.cost ?? 0) + body.cost + roundCost + (isBuilding ? buildCost : 0);
    const each = eachOf(range, slots[0] ?? 0, slots[1]);
    return {
      type: types.sized(typeOfLoop(compiler, node, item, body), rounds),
      cost: range.cost + rounds * round,
      run: runOf(node.loop, each, test, body, slots[0] ?? 0),
    };
  });
}

const testNames: Partial<Record<LoopKind, string>> = {
  all: '_&&_',
  exists: '_||_',
  existsOne: '_?_:_',
  filter: '_?_:_',
};
const isTesting = (loop: LoopKind): boolean => Object.hasOwn(testNames, loop);

function valueTypeOf(type: CelType): CelType {
  return type.kind === 'list' ? type.item : type.kind === 'map' ? type.value : types.dyn;
}

function typeOfLoop(compiler: Compiler, node: Loop, item: CelType, body: Step): CelType {
  switch (node.loop) {
    case 'map':
    case 'transformList':
      return types.listOf(body.type);
    case 'filter':
      return types.listOf(item);
    case 'transformMap':
      return types.mapOf(item, body.type);
    case 'transformMapEntry':
      if (body.type.kind === 'map') return body.type;
      if (!types.isOpen(body.type))
        compiler.flaw(node.body.at, `expected type 'map(dyn, dyn)' but found '${types.typeText(body.type)}'`);
      return types.mapOf(types.dyn, types.dyn);
    default:
      return types.bool;
  }
}

/** Calls `visit` for each round, until it says false. */
type Each = (frame: Frame, visit: (key: unknown) => boolean) => void;

function eachOf(range: Step, first: number, second: number | undefined): Each {
  return (frame, visit) => {
    const value = range.run(frame);
    const { vars } = frame;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        frame.spend(roundCost);
        vars[first] = second === undefined ? value[index] : index;
        if (second !== undefined) vars[second] = value[index];
        if (!visit(index)) return;
      }
      return;
    }
    if (!(value instanceof Map) && !isFields(value)) throw noOverload();
    for (const key of keysOf(value)) {
      frame.spend(roundCost);
      vars[first] = key;
      if (second !== undefined) vars[second] = lookUp(value, key);
      if (!visit(key)) return;
    }
  };
}

function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw noOverload();
  return value;
}

function runOf(loop: LoopKind, each: Each, test: Step | undefined, body: Step, slot: number): Step['run'] {
  switch (loop) {
    case 'all':
      return absorbing(each, body, false);
    case 'exists':
      return absorbing(each, body, true);
    case 'existsOne':
      return (frame) => {
        let count = 0;
        each(frame, () => {
          if (truth(body.run(frame))) count++;
          return true;
        });
        return count === 1;
      };
    case 'filter':
      return (frame) => {
        const list: unknown[] = [];
        each(frame, () => {
          const item = frame.vars[slot];
          if (truth(body.run(frame))) {
            frame.spend(buildCost);
            list.push(item);
          }
          return true;
        });
        return list;
      };
    case 'map':
    case 'transformList':
      return (frame) => {
        const list: unknown[] = [];
        each(frame, () => {
          if (test !== undefined && !truth(test.run(frame))) return true;
          frame.spend(buildCost);
          list.push(body.run(frame));
          return true;
        });
        return list;
      };
    case 'transformMap':
    case 'transformMapEntry':
      return (frame) => {
        const map = new Map<unknown, unknown>();
        each(frame, (key) => {
          if (test !== undefined && !truth(test.run(frame))) return true;
          frame.spend(buildCost);
          const value = body.run(frame);
          if (loop === 'transformMap') map.set(key, value);
          else if (value instanceof Map || isFields(value))
            for (const one of keysOf(value)) addEntry(map, one, lookUp(value, one));
          else throw noOverload();
          return true;
        });
        return map;
      };
  }
}

/** The first round that decides decides, whatever failed before it. */
function absorbing(each: Each, body: Step, decides: boolean): Step['run'] {
  return (frame) => {
    let result = !decides;
    let failed: Fault | undefined;
    each(frame, () => {
      try {
        result = truth(body.run(frame));
      } catch (error) {
        if (!(error instanceof Fault) || error.isFinal) throw error;
        failed ??= error;
        return true;
      }
      return result !== decides;
    });
    if (result !== decides && failed !== undefined) throw failed;
    return result;
  };
}

export function compileOptionalMap(compiler: Compiler, node: Extract<Node, { kind: 'optionalMap' }>): Step {
  const of = compiler.step(node.of);
  const name = node.isFlat ? 'optFlatMap' : 'optMap';
  if (of.type.kind !== 'optional' && !types.isOpen(of.type))
    return noMatch(compiler, node.at, name, [], of.type);
  const inner = of.type.kind === 'optional' ? of.type.of : types.dyn;
  return compiler.within([[node.name, inner]], ([slot = 0]) => {
    const body = compiler.step(node.body);
    if (node.isFlat && body.type.kind !== 'optional' && !types.isOpen(body.type))
      return noMatch(compiler, node.body.at, name, [body.type], of.type);
    return {
      type: node.isFlat ? body.type : types.optionalOf(body.type),
      cost: of.cost + body.cost + 2,
      run: (frame) => {
        frame.spend(2);
        const value = of.run(frame);
        if (!(value instanceof Optional)) throw noOverload();
        if (!value.isPresent) return none;
        frame.vars[slot] = value.value;
        const made = body.run(frame);
        return node.isFlat ? made : some(made);
      },
    };
  });
}
