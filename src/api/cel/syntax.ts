/**
 * The tree of an expression, as the parser leaves it and the compiler reads it. Macros are nodes of their own.
 * `at` is the offset in the source of what a problem with that node points at.
 */

/** What a literal says; integers exactly. */
export type Literal =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'uint'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array };

export interface Entry {
  readonly key: Node;
  readonly value: Node;
  readonly isOptional: boolean;
  readonly at: number;
}

export type LoopKind =
  | 'all'
  | 'exists'
  | 'existsOne'
  | 'map'
  | 'filter'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry';

export type Node = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'name'; readonly name: string }
  /** `a.b`; optional: `a.?b`; test: `has(a.b)`. */
  | {
      readonly kind: 'select';
      readonly of: Node;
      readonly field: string;
      readonly isOptional: boolean;
      readonly isTest: boolean;
    }
  | { readonly kind: 'index'; readonly of: Node; readonly index: Node; readonly isOptional: boolean }
  /** Operators too, by the names that messages give them: `_+_`, `!_`, `@in`. */
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly target: Node | undefined;
      readonly args: readonly Node[];
    }
  | { readonly kind: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'choice'; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | {
      readonly kind: 'list';
      readonly items: readonly { readonly value: Node; readonly isOptional: boolean }[];
    }
  | { readonly kind: 'map'; readonly entries: readonly Entry[] }
  | { readonly kind: 'object'; readonly name: string; readonly entries: readonly FieldEntry[] }
  /** `range.all(x, body)`; `second` with two variables; `test` is the condition of map and the transforms, where they have one. */
  | {
      readonly kind: 'loop';
      readonly loop: LoopKind;
      readonly range: Node;
      readonly first: string;
      readonly second: string | undefined;
      readonly test: Node | undefined;
      readonly body: Node;
    }
  | { readonly kind: 'bind'; readonly name: string; readonly value: Node; readonly body: Node }
  /** `optional.optMap(x, body)`: as an optional, or flat where the body is one itself. */
  | {
      readonly kind: 'optionalMap';
      readonly of: Node;
      readonly name: string;
      readonly body: Node;
      readonly isFlat: boolean;
    }
);

export interface FieldEntry {
  readonly name: string;
  readonly value: Node;
  readonly isOptional: boolean;
  readonly at: number;
}

/** What is wrong, and where: line and column from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Something wrong at an offset. */
export interface Flaw {
  readonly at: number;
  readonly message: string;
}

export function problemOf(source: string, { at, message }: Flaw): Problem {
  const before = source.slice(0, at).split('\n');
  // Columns count characters, not units of UTF-16.
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1, message };
}

/** All problems as the reference implementation prints them: each with its line and a caret below. */
export function problemsText(source: string, problems: readonly Problem[]): string {
  const lines = source.split('\n');
  return problems
    .map(({ line, column, message }) => {
      const text = (lines[line - 1] ?? '').replaceAll('\t', ' ');
      const dots = '.'.repeat(column - 1);
      return `ERROR: <input>:${line}:${column}: ${message}\n | ${text}\n | ${dots}^`;
    })
    .join('\n');
}

/** No name that means something has more parts. */
const partsMax = 16;

/** `a.b.c`, where the node spells a name. */
export function qualifiedName(node: Node, parts = 1): string | undefined {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'select' || node.isOptional || node.isTest || parts > partsMax) return undefined;
  const of = qualifiedName(node.of, parts + 1);
  return of === undefined ? undefined : `${of}.${node.field}`;
}
