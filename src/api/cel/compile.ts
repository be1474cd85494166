/**
 * Compiles an expression: reads it, checks its types, and makes of it closures that run straight over JSON.
 *
 *   source ─▶ parse ─▶ Compiler (types, cost, closures in one pass) ─▶ Program ─▶ evaluate(bindings) ─▶ value or error, and what it cost
 *
 * Every part of the tree becomes a `Step`: its type, how to run it, and the most it can cost given the sizes its types allow. What cannot be known before
 * it runs (`dyn`) is checked as it runs. Invariants: compiling never throws for any source; a program has no state.
 * Source: the language definition of cel-spec; messages as cel-go words them.
 */
import { converterOf } from './convert.ts';
import { Frame, type Run } from './frame.ts';
import { functions } from './library/index.ts';
import { compileLoop, compileOptionalMap } from './loops.ts';
import { compileCall, compileIndex, compileSelect } from './operations.ts';
import { parse } from './parser.ts';
import { type Flaw, type Node, type Problem, problemOf, problemsText, qualifiedName } from './syntax.ts';
import type { CelType, ObjectType } from './type.ts';
import * as types from './type.ts';
import { doubleOf, Fault, intOf, keyOf, noOverload, Optional, TypeValue, textOf, Uint } from './value.ts';
import { beginWork } from './work.ts';

export interface Environment {
  readonly variables: Readonly<Record<string, CelType>>;
  /** Objects that expressions may make: `Object.spec{…}`. */
  readonly objects?: (name: string) => ObjectType | undefined;
  /** What it must give; one of several. `dyn` is none of them unless named. */
  readonly result?: CelType | readonly CelType[];
}

export interface Evaluation {
  readonly value?: unknown;
  /** Why there is no value. */
  readonly error?: string;
  /** The cost limit ended it. */
  readonly isOverLimit?: true;
  readonly cost: number;
}

export interface Program {
  readonly source: string;
  readonly type: CelType;
  /** The most that one run can cost, by the sizes that the types of the variables allow. */
  readonly costMax: number;
  /** The variables of the environment that it names. */
  readonly uses: ReadonlySet<string>;
  /** Values are JSON, or of the language (`value.ts`); `toJson` makes JSON of a result. */
  evaluate(
    bindings: Readonly<Record<string, unknown>>,
    options?: { readonly costLimit?: number },
  ): Evaluation;
}

export type Compiled =
  | { readonly program: Program; readonly problems?: never; readonly text?: never }
  | {
      readonly program?: never;
      readonly problems: readonly Problem[];
      /** The whole, as Kubernetes puts it into messages: `compilation failed: ERROR: <input>:1:1: …`, or `must evaluate to bool`. */
      readonly text: string;
    };

export interface Step {
  readonly type: CelType;
  readonly run: Run;
  readonly cost: number;
  /** Where its value is known. */
  readonly literal?: unknown;
}

const depthMax = 500;

export function compile(source: string, environment: Environment): Compiled {
  const parsed = parse(source);
  if ('flaws' in parsed) return failure(source, parsed.flaws);
  const compiler = new Compiler(environment);
  const step = compiler.step(parsed.node);
  if (compiler.flaws.length > 0) return failure(source, compiler.flaws);
  const wanted = environment.result === undefined ? [] : [environment.result].flat();
  if (wanted.length > 0 && !wanted.some((type) => isExactly(step.type, type))) {
    const names = wanted.map(types.typeText);
    const text =
      wanted.length === 1 ? `must evaluate to ${names[0]}` : `must evaluate to one of [${names.join(' ')}]`;
    return { problems: [{ line: 1, column: 1, message: text }], text };
  }
  return { program: programOf(source, compiler, step) };
}

function failure(source: string, flaws: readonly Flaw[]): Compiled {
  const problems = [...flaws].sort((a, b) => a.at - b.at).map((flaw) => problemOf(source, flaw));
  return { problems, text: `compilation failed: ${problemsText(source, problems)}` };
}

function isExactly(type: CelType, wanted: CelType): boolean {
  if (wanted.kind === 'dyn') return true;
  return (
    types.typeText(type) === types.typeText(wanted) ||
    (type.kind !== 'dyn' && types.fits(type, wanted, new Map()) && type.kind === wanted.kind)
  );
}

function programOf(source: string, compiler: Compiler, { type, run, cost }: Step): Program {
  const { inputs, slots } = compiler;
  const loads = [...inputs].map(([name, { slot, type: of }]) => ({ name, slot, convert: converterOf(of) }));
  return {
    source,
    type,
    costMax: cost,
    uses: new Set(inputs.keys()),
    evaluate(bindings, { costLimit = Number.POSITIVE_INFINITY } = {}) {
      const vars = new Array<unknown>(slots);
      for (const { name, slot, convert } of loads) {
        const value = bindings[name];
        vars[slot] = convert === undefined || value === undefined ? value : convert(value);
      }
      const frame = new Frame(vars, costLimit);
      beginWork();
      try {
        const value = run(frame);
        return { value, cost: frame.cost };
      } catch (error) {
        if (error instanceof Fault)
          return error.isFinal
            ? { error: error.message, isOverLimit: true, cost: frame.cost }
            : { error: error.message, cost: frame.cost };
        if (error instanceof RangeError) return { error: 'expression nested too deeply', cost: frame.cost };
        throw error;
      }
    },
  };
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'int',
  uint: 'uint',
  double: 'double',
  bool: 'bool',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  type: 'type',
  null_type: 'null_type',
  optional_type: 'optional_type',
  'google.protobuf.Timestamp': 'google.protobuf.Timestamp',
  'google.protobuf.Duration': 'google.protobuf.Duration',
  'net.IP': 'net.IP',
  'net.CIDR': 'net.CIDR',
  'kubernetes.Quantity': 'kubernetes.Quantity',
  'kubernetes.URL': 'kubernetes.URL',
  'kubernetes.Semver': 'kubernetes.Semver',
};

/** Something that a flaw was told of: fits everywhere, so that it is told once. */
const broken: Step = {
  type: types.dyn,
  cost: 0,
  run: () => {
    throw noOverload();
  },
};

export class Compiler {
  readonly flaws: Flaw[] = [];
  /** The environment's variables that are named, and where they stand in a frame. */
  readonly inputs = new Map<string, { readonly slot: number; readonly type: CelType }>();
  slots = 0;
  private readonly environment: Environment;
  private readonly scope: { readonly name: string; readonly slot: number; readonly type: CelType }[] = [];
  private depth = 0;
  /** Within arguments of `format`, where items of a list need not be of one type. */
  private mixedDepth = 0;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  flaw(at: number, message: string): Step {
    if (this.flaws.length < 100) this.flaws.push({ at, message });
    return broken;
  }

  step(node: Node): Step {
    if (this.depth > depthMax) return this.flaw(node.at, `expression recursion limit exceeded: ${depthMax}`);
    this.depth++;
    const step = this.stepOf(node);
    this.depth--;
    return step;
  }

  /** With variables of a loop in sight. */
  within(
    variables: readonly (readonly [name: string, type: CelType])[],
    inside: (slots: readonly number[]) => Step,
  ): Step {
    const slots = variables.map(([name, type]) => {
      const slot = this.slots++;
      this.scope.push({ name, slot, type });
      return slot;
    });
    const step = inside(slots);
    this.scope.length -= variables.length;
    return step;
  }

  /** With lists in it whose items may differ in type. */
  mixed(node: Node): Step {
    this.mixedDepth++;
    const step = this.step(node);
    this.mixedDepth--;
    return step;
  }

  /** Whether a variable of that name is in sight. */
  knows(name: string): boolean {
    return this.scope.some((one) => one.name === name) || Object.hasOwn(this.environment.variables, name);
  }

  private stepOf(node: Node): Step {
    switch (node.kind) {
      case 'literal':
        return this.literal(node);
      case 'name':
        return (
          this.name(node.name) ??
          this.flaw(node.at, `undeclared reference to '${node.name}' (in container '')`)
        );
      case 'select': {
        const name = qualifiedName(node);
        const root = name?.split('.')[0] ?? '';
        if (name !== undefined && Object.hasOwn(this.environment.variables, name))
          return this.name(name) ?? broken;
        if (name !== undefined && !this.knows(root) && Object.hasOwn(typeNames, name))
          return typeStep(typeNames[name] ?? name);
        return compileSelect(this, node);
      }
      case 'index':
        return compileIndex(this, node);
      case 'call':
        return compileCall(this, node, functions());
      case 'and':
      case 'or':
        return this.logic(node);
      case 'choice':
        return this.choice(node);
      case 'list':
        return this.list(node);
      case 'map':
        return this.map(node);
      case 'object':
        return this.object(node);
      case 'loop':
        return compileLoop(this, node);
      case 'optionalMap':
        return compileOptionalMap(this, node);
      case 'bind': {
        const value = this.step(node.value);
        return this.within([[node.name, value.type]], ([slot = 0]) => {
          const body = this.step(node.body);
          return {
            type: body.type,
            cost: value.cost + body.cost + 1,
            run: (frame) => {
              frame.vars[slot] = value.run(frame);
              return body.run(frame);
            },
          };
        });
      }
    }
  }

  private name(name: string): Step | undefined {
    const local = this.scope.findLast((one) => one.name === name);
    if (local !== undefined) return variableStep(local.slot, local.type);
    const type = Object.hasOwn(this.environment.variables, name)
      ? this.environment.variables[name]
      : undefined;
    if (type !== undefined) {
      let input = this.inputs.get(name);
      if (input === undefined) {
        input = { slot: this.slots++, type };
        this.inputs.set(name, input);
      }
      const { slot } = input;
      return {
        type,
        cost: 1,
        run: (frame) => {
          frame.spend(1);
          const value = frame.vars[slot];
          if (value === undefined) throw new Fault(`no such attribute(s): ${name}`);
          return value;
        },
      };
    }
    return Object.hasOwn(typeNames, name) ? typeStep(typeNames[name] ?? name) : undefined;
  }

  private literal({ literal }: Extract<Node, { kind: 'literal' }>): Step {
    const of = (type: CelType, value: unknown): Step => ({ type, cost: 0, run: () => value, literal: value });
    switch (literal.type) {
      case 'null':
        return of(types.nullType, null);
      case 'bool':
        return of(types.bool, literal.value);
      case 'int':
        return of(types.int, intOf(literal.value));
      case 'uint':
        return of(types.uint, new Uint(literal.value));
      case 'double':
        return of(types.double, doubleOf(literal.value));
      case 'string':
        return of({ kind: 'string', maxSize: literal.value.length }, literal.value);
      case 'bytes':
        return of({ kind: 'bytes', maxSize: literal.value.length }, literal.value);
    }
  }

  /** The side that decides decides, even where the other one fails. */
  private logic({ kind, at, ...sides }: Extract<Node, { kind: 'and' | 'or' }>): Step {
    const left = this.step(sides.left);
    const right = this.step(sides.right);
    const name = kind === 'and' ? '_&&_' : '_||_';
    if (!isBool(left.type) || !isBool(right.type)) return noMatch(this, at, name, [left.type, right.type]);
    const decides = kind === 'or';
    return {
      type: types.bool,
      cost: left.cost + right.cost,
      run: (frame) => {
        let failed: Fault | undefined;
        try {
          const value = left.run(frame);
          if (value === decides) return decides;
          if (typeof value !== 'boolean') failed = noOverload();
        } catch (error) {
          if (!(error instanceof Fault) || error.isFinal) throw error;
          failed = error;
        }
        const value = right.run(frame);
        if (value === decides) return decides;
        if (failed !== undefined) throw failed;
        if (typeof value !== 'boolean') throw noOverload();
        return !decides;
      },
    };
  }

  private choice(node: Extract<Node, { kind: 'choice' }>): Step {
    const [condition, yes, no] = [this.step(node.condition), this.step(node.yes), this.step(node.no)];
    const type = types.join(yes.type, no.type);
    if (!isBool(condition.type) || type === undefined)
      return noMatch(this, node.at, '_?_:_', [condition.type, yes.type, no.type]);
    return {
      type,
      cost: condition.cost + Math.max(yes.cost, no.cost),
      run: (frame) => {
        const value = condition.run(frame);
        if (value === true) return yes.run(frame);
        if (value === false) return no.run(frame);
        throw noOverload();
      },
    };
  }

  private list(node: Extract<Node, { kind: 'list' }>): Step {
    let item: CelType = types.free;
    let cost = 10;
    const steps = node.items.map(({ value, isOptional }) => {
      const step = this.step(value);
      const own = isOptional ? this.unwrapped(value.at, step.type) : step.type;
      item = this.joined(value.at, item, own);
      cost += step.cost;
      return { run: step.run, isOptional };
    });
    return {
      type: types.listOf(item, steps.length),
      cost,
      run: (frame) => {
        frame.spend(10);
        const list: unknown[] = [];
        for (const { run, isOptional } of steps) addTo(list, run(frame), isOptional);
        return list;
      },
    };
  }

  private map(node: Extract<Node, { kind: 'map' }>): Step {
    let key: CelType = types.free;
    let value: CelType = types.free;
    let cost = 30;
    const steps = node.entries.map((entry) => {
      const [k, v] = [this.step(entry.key), this.step(entry.value)];
      key = this.joined(entry.key.at, key, k.type);
      value = this.joined(
        entry.value.at,
        value,
        entry.isOptional ? this.unwrapped(entry.value.at, v.type) : v.type,
      );
      cost += k.cost + v.cost;
      return { key: k.run, value: v.run, isOptional: entry.isOptional };
    });
    return {
      type: types.mapOf(key, value, steps.length),
      cost,
      run: (frame) => {
        frame.spend(30);
        const map = new Map<unknown, unknown>();
        for (const { key: k, value: v, isOptional } of steps) addEntry(map, k(frame), v(frame), isOptional);
        return map;
      },
    };
  }

  private object(node: Extract<Node, { kind: 'object' }>): Step {
    const type = this.environment.objects?.(node.name);
    if (type === undefined) {
      for (const { value } of node.entries) this.step(value);
      return this.flaw(node.at, `undeclared reference to '${node.name}' (in container '')`);
    }
    let cost = 40;
    const steps = node.entries.flatMap(({ at, name, value, isOptional }) => {
      const step = this.step(value);
      const field = type.field(name);
      cost += step.cost;
      if (field === undefined) {
        this.flaw(at, `undefined field '${name}'`);
        return [];
      }
      const given = isOptional ? this.unwrapped(value.at, step.type) : step.type;
      if (!types.fits(given, field.type, new Map()))
        this.flaw(
          at,
          `expected type of field '${name}' is '${types.typeText(field.type)}' but provided type is '${types.typeText(given)}'`,
        );
      return [{ json: field.json, run: step.run, isOptional }];
    });
    return {
      type,
      cost,
      run: (frame) => {
        frame.spend(40);
        const fields: [string, unknown][] = [];
        for (const { json, run, isOptional } of steps) {
          const value = run(frame);
          if (!isOptional) fields.push([json, value]);
          else if (value instanceof Optional && value.isPresent) fields.push([json, value.value]);
        }
        return Object.fromEntries(fields);
      },
    };
  }

  private joined(at: number, known: CelType, type: CelType): CelType {
    const both = types.join(known, type);
    if (both !== undefined) return both;
    if (this.mixedDepth > 0) return types.dyn;
    this.flaw(at, `expected type '${types.typeText(known)}' but found '${types.typeText(type)}'`);
    return known;
  }

  private unwrapped(at: number, type: CelType): CelType {
    if (type.kind === 'optional') return type.of;
    if (!types.isOpen(type))
      this.flaw(
        at,
        `expected type 'optional_type(${types.typeText(type)})' but found '${types.typeText(type)}'`,
      );
    return types.dyn;
  }
}

function addTo(list: unknown[], value: unknown, isOptional: boolean): void {
  if (!isOptional) list.push(value);
  else if (!(value instanceof Optional)) throw noOverload();
  else if (value.isPresent) list.push(value.value);
}

/** Adds to a map that is being made. */
export function addEntry(map: Map<unknown, unknown>, key: unknown, value: unknown, isOptional = false): void {
  if (isOptional) {
    if (!(value instanceof Optional)) throw noOverload();
    if (!value.isPresent) return;
    value = value.value;
  }
  const canonical = keyOf(key);
  if (canonical === undefined) throw new Fault('unsupported key type');
  if (map.has(canonical)) throw new Fault(`Failed with repeated key "${textOf(key)}"`);
  map.set(canonical, value);
}

const typeStep = (name: string): Step => {
  const value = new TypeValue(name);
  return { type: types.typeType, cost: 0, run: () => value };
};

const variableStep = (slot: number, type: CelType): Step => ({
  type,
  cost: 1,
  run: (frame) => {
    frame.spend(1);
    return frame.vars[slot];
  },
});

export const isBool = (type: CelType): boolean => type.kind === 'bool' || types.isOpen(type);

export function noMatch(
  compiler: Compiler,
  at: number,
  name: string,
  given: readonly CelType[],
  of?: CelType,
): Step {
  const list = `(${given.map(types.typeText).join(', ')})`;
  const applied = of === undefined ? list : `'${types.typeText(of)}.${list}'`;
  return compiler.flaw(
    at,
    `found no matching overload for '${name}' applied to ${of === undefined ? `'${applied}'` : applied}`,
  );
}
