/**
 * Paths into objects as printer columns have them: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.spec.hosts[*]`,
 * `.metadata.labels['a.b/c']`, `.metadata.labels.a\.b/c`, `.spec.list[-1]`, `.spec.list[0:2]`, `..name`.
 *
 * Source: Kubernetes' documentation of JSONPath; client-go util/jsonpath, as behaviour.
 */
import { structural } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';

type Step =
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'below' }
  | {
      readonly kind: 'slice';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly by: number;
    }
  | { readonly kind: 'index'; readonly indexes: readonly number[] }
  | {
      readonly kind: 'filter';
      readonly path: readonly Step[];
      readonly operator: string;
      readonly operand: Operand;
    };

type Operand = { readonly value: unknown } | { readonly path: readonly Step[] } | undefined;

/** Every value that the path leads to. */
export type PathReader = (object: unknown) => readonly unknown[];

/** Throws `usage` for what is no path. */
export function compilePath(text: string): PathReader {
  const steps = new Parser(text).parse();
  return (object) => walk([object], steps);
}

function walk(values: readonly unknown[], steps: readonly Step[]): readonly unknown[] {
  return steps.reduce<readonly unknown[]>(
    (found, step) => found.flatMap((value) => take(value, step)),
    values,
  );
}

function take(value: unknown, step: Step): readonly unknown[] {
  switch (step.kind) {
    case 'field':
      return structural.isObject(value)
        ? step.names.filter((name) => Object.hasOwn(value, name)).map((name) => value[name])
        : [];
    case 'all':
      return Array.isArray(value) ? value : structural.isObject(value) ? Object.values(value) : [];
    case 'below':
      return [value, ...take(value, { kind: 'all' }).flatMap((one) => take(one, step))];
    case 'index':
      return Array.isArray(value)
        ? step.indexes
            .map((index) => (index < 0 ? value.length + index : index))
            .flatMap((at) => (at in value ? [value[at] as unknown] : []))
        : [];
    case 'slice':
      return Array.isArray(value)
        ? value.slice(step.from, step.to).filter((_one, index) => index % step.by === 0)
        : [];
    case 'filter':
      return Array.isArray(value) ? value.filter((one) => passes(one, step)) : [];
  }
}

function passes(value: unknown, { path, operator, operand }: Extract<Step, { kind: 'filter' }>): boolean {
  const [left] = walk([value], path);
  if (operand === undefined) return left !== undefined;
  const right = 'path' in operand ? walk([value], operand.path)[0] : operand.value;
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    default:
      return typeof left === typeof right && (typeof left === 'number' || typeof left === 'string')
        ? isInOrder(left, operator, right as never)
        : false;
  }
}

function isInOrder(left: number | string, operator: string, right: number | string): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly Step[] {
    const steps = this.#steps();
    if (this.#at < this.#text.length) throw this.#wrong();
    return steps;
  }

  #wrong(): CaelumError {
    return new CaelumError(
      'usage',
      `Cannot read path ${JSON.stringify(this.#text)} at character ${this.#at}`,
    );
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #steps(): readonly Step[] {
    const steps: Step[] = [];
    this.#match(/[$@]/y);
    while (this.#at < this.#text.length) {
      if (this.#match(/\.\./y) !== undefined) {
        steps.push({ kind: 'below' });
        const name = this.#match(/(?:\\.|[^.[\]()=!<>\s\\])+/y);
        if (name !== undefined) steps.push(fieldStep(name[0]));
      } else if (this.#match(/\.?\[/y) !== undefined) steps.push(this.#bracket());
      else if (this.#match(/\./y) !== undefined) {
        const name = this.#match(/(?:\\.|[^.[\]()=!<>\s\\])+/y);
        // A lone dot is the whole.
        if (name !== undefined) steps.push(fieldStep(name[0]));
        else if (this.#at < this.#text.length) throw this.#wrong();
      } else break;
    }
    return steps;
  }

  #bracket(): Step {
    if (this.#match(/\s*\*\s*\]/y) !== undefined) return { kind: 'all' };
    if (this.#match(/\s*\?\(/y) !== undefined) return this.#filter();
    const names = this.#match(
      /\s*((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?:\s*,\s*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"))*)\s*\]/y,
    );
    if (names !== undefined) {
      const quoted = names[1]?.match(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g) ?? [];
      return { kind: 'field', names: quoted.map((one) => one.slice(1, -1).replaceAll(/\\(.)/g, '$1')) };
    }
    const slice = this.#match(/\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(\d+))?\s*\]/y);
    if (slice !== undefined) {
      const [, from, to, by] = slice;
      const number = (text: string | undefined): number | undefined =>
        text === undefined ? undefined : Number(text);
      return { kind: 'slice', from: number(from), to: number(to), by: Math.max(1, Number(by ?? 1)) };
    }
    const indexes = this.#match(/\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]/y);
    if (indexes !== undefined) return { kind: 'index', indexes: (indexes[1] ?? '').split(',').map(Number) };
    throw this.#wrong();
  }

  #filter(): Step {
    this.#match(/\s*/y);
    const path = this.#steps();
    const operator = this.#match(/\s*(==|!=|<=|>=|<|>)\s*/y)?.[1];
    const operand = operator === undefined ? undefined : this.#operand();
    if (this.#match(/\s*\)\s*\]/y) === undefined) throw this.#wrong();
    return { kind: 'filter', path, operator: operator ?? '', operand };
  }

  #operand(): Operand {
    const text = this.#match(/'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"/y);
    if (text !== undefined) return { value: (text[1] ?? text[2] ?? '').replaceAll(/\\(.)/g, '$1') };
    const word = this.#match(/-?\d+(?:\.\d+)?|true|false/y);
    if (word !== undefined) return { value: JSON.parse(word[0]) as unknown };
    return { path: this.#steps() };
  }
}

const fieldStep = (name: string): Step =>
  name === '*' ? { kind: 'all' } : { kind: 'field', names: [name.replaceAll(/\\(.)/g, '$1')] };
