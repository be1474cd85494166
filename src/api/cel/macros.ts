/**
 * Macros: calls that are read as something else. A macro whose arguments do not fit its shape is refused in the reference implementation's words.
 */
import { type Flaw, type LoopKind, type Node, qualifiedName } from './syntax.ts';

const loops: Readonly<Record<string, LoopKind>> = {
  all: 'all',
  exists: 'exists',
  exists_one: 'existsOne',
  existsOne: 'existsOne',
  map: 'map',
  filter: 'filter',
  transformList: 'transformList',
  transformMap: 'transformMap',
  transformMapEntry: 'transformMapEntry',
};

/** How many arguments, with one variable and with two. */
const shapes: Readonly<Record<LoopKind, { one: readonly number[]; two: readonly number[] }>> = {
  all: { one: [2], two: [3] },
  exists: { one: [2], two: [3] },
  existsOne: { one: [2], two: [3] },
  map: { one: [2, 3], two: [] },
  filter: { one: [2], two: [] },
  transformList: { one: [], two: [3, 4] },
  transformMap: { one: [], two: [3, 4] },
  transformMapEntry: { one: [], two: [3, 4] },
};

/** undefined: it is an ordinary call. */
export function expandMacro(
  at: number,
  name: string,
  target: Node | undefined,
  args: readonly Node[],
): Node | Flaw | undefined {
  if (target === undefined) return name === 'has' && args.length === 1 ? has(at, args[0]) : undefined;
  if (name === 'bind' && args.length === 3 && qualifiedName(target) === 'cel') return bind(at, args);
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    const [variable, body] = args as [Node, Node];
    if (variable.kind !== 'name')
      return { at: variable.at, message: `${name}() variable name must be a simple identifier` };
    return { kind: 'optionalMap', at, of: target, name: variable.name, body, isFlat: name === 'optFlatMap' };
  }
  const loop = Object.hasOwn(loops, name) ? loops[name] : undefined;
  return loop === undefined ? undefined : loopOf(at, loop, target, args);
}

function has(at: number, argument: Node | undefined): Node | Flaw {
  if (argument?.kind !== 'select' || argument.isTest)
    return { at: argument?.at ?? at, message: 'invalid argument to has() macro' };
  return { ...argument, isTest: true };
}

function bind(at: number, args: readonly Node[]): Node | Flaw {
  const [variable, value, body] = args as [Node, Node, Node];
  if (variable.kind !== 'name')
    return { at: variable.at, message: 'cel.bind() variable names must be simple identifiers' };
  return { kind: 'bind', at, name: variable.name, value, body };
}

function loopOf(at: number, loop: LoopKind, range: Node, args: readonly Node[]): Node | Flaw | undefined {
  const { one, two } = shapes[loop];
  const isTwo = two.includes(args.length);
  if (!isTwo && !one.includes(args.length)) return undefined;
  const [first, second] = args as [Node, Node];
  const variables = isTwo ? [first, second] : [first];
  const names: string[] = [];
  for (const variable of variables) {
    if (variable.kind !== 'name') return { at: variable.at, message: 'argument must be a simple name' };
    if (variable.name === '__result__' || variable.name === '@result')
      return { at: variable.at, message: `iteration variable overwrites accumulator variable` };
    if (names.includes(variable.name))
      return { at: variable.at, message: `duplicate variable name: ${variable.name}` };
    names.push(variable.name);
  }
  const rest = args.slice(variables.length);
  const body = rest.at(-1) as Node;
  const test = rest.length === 2 ? rest[0] : undefined;
  return { kind: 'loop', at, loop, range, first: names[0] ?? '', second: names[1], test, body };
}
