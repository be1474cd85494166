/**
 * Reads a regular expression in RE2's syntax into a program for the machine in `regex.ts`.
 *
 *   pattern ─▶ Reader ─▶ tree ─▶ instructions: a set of characters, a fork, an assertion, a match
 *
 * What RE2 lacks (looking around, back-references) is refused, in the words of Go's regexp/syntax. Repetitions are written out; a thousand is the most.
 * Source: github.com/google/re2/wiki/Syntax; R. Cox, "Regular Expression Matching: the Virtual Machine Approach" (2009).
 */
import { Charset, type CharsetParts, perlClasses, posixClasses, propertyTest } from './regex-charset.ts';
import { Fault } from './value.ts';

export type Assertion = 'begin' | 'end' | 'lineBegin' | 'lineEnd' | 'word' | 'noWord';

export type Instruction =
  | { readonly op: 'set'; readonly set: Charset; readonly next: number }
  /** `first` is preferred. */
  | { readonly op: 'fork'; first: number; second: number }
  | { readonly op: 'assert'; readonly what: Assertion; readonly next: number }
  | { readonly op: 'match' };

type Tree =
  | { readonly kind: 'set'; readonly set: Charset }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Tree[] }
  | {
      readonly kind: 'repeat';
      readonly of: Tree;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    };

const repeatMax = 1000;
const instructionsMax = 20_000;
const depthMax = 200;

interface Flags {
  readonly ignoresCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
  readonly isLazy: boolean;
}

const noFlags: Flags = { ignoresCase: false, dotAll: false, multiline: false, isLazy: false };

/** Throws a fault for what is no regular expression. */
export function programOf(pattern: string): readonly Instruction[] {
  const tree = new Reader(pattern).whole();
  const program: Instruction[] = [];
  const start = emit(program, tree, push(program, { op: 'match' }));
  // The machine begins at the end: everything was written back to front.
  push(program, { op: 'fork', first: start, second: start });
  return program;
}

function push(program: Instruction[], instruction: Instruction): number {
  if (program.length >= instructionsMax) throw new Fault('expression too large');
  return program.push(instruction) - 1;
}

/** Writes it before `next`, and answers where it begins. */
function emit(program: Instruction[], tree: Tree, next: number): number {
  switch (tree.kind) {
    case 'set':
      return push(program, { op: 'set', set: tree.set, next });
    case 'assert':
      return push(program, { op: 'assert', what: tree.what, next });
    case 'all':
      return tree.parts.reduceRight((after, part) => emit(program, part, after), next);
    case 'any': {
      const starts = tree.parts.map((part) => emit(program, part, next));
      return starts.reduceRight((second, first) => push(program, { op: 'fork', first, second }));
    }
    case 'repeat': {
      const { of, min, max, isLazy } = tree;
      let at = next;
      if (max === Number.POSITIVE_INFINITY) {
        const fork: Instruction = { op: 'fork', first: next, second: next };
        at = push(program, fork);
        const body = emit(program, of, at);
        if (isLazy) fork.second = body;
        else fork.first = body;
      } else
        for (let count = min; count < max; count++) {
          const body = emit(program, of, at);
          at = push(
            program,
            isLazy ? { op: 'fork', first: next, second: body } : { op: 'fork', first: body, second: next },
          );
        }
      for (let count = 0; count < min; count++) at = emit(program, of, at);
      return at;
    }
  }
}

const error = (why: string): Fault => new Fault(`error parsing regexp: ${why}`);

class Reader {
  private readonly pattern: string;
  private at = 0;
  private depth = 0;
  private flags = noFlags;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  whole(): Tree {
    const tree = this.choice();
    if (this.at < this.pattern.length) throw error(`unexpected ): \`${this.pattern}\``);
    return tree;
  }

  private get rest(): string {
    return this.pattern.slice(this.at, this.at + 64);
  }

  private skip(text: string): boolean {
    const found = this.pattern.startsWith(text, this.at);
    if (found) this.at += text.length;
    return found;
  }

  private choice(): Tree {
    if (++this.depth > depthMax) throw error('expression nests too deeply');
    const parts = [this.sequence()];
    while (this.skip('|')) parts.push(this.sequence());
    this.depth--;
    return parts.length === 1 ? (parts[0] as Tree) : { kind: 'any', parts };
  }

  private sequence(): Tree {
    const parts: Tree[] = [];
    while (this.at < this.pattern.length && !/[|)]/.test(this.pattern[this.at] ?? '')) {
      const atom = this.atom();
      if (atom !== undefined) parts.push(this.repeated(atom));
    }
    return parts.length === 1 ? (parts[0] as Tree) : { kind: 'all', parts };
  }

  private repeated(of: Tree): Tree {
    const from = this.at;
    const bounds = this.bounds();
    if (bounds === undefined) return of;
    const isLazy = this.skip('?') !== this.flags.isLazy;
    const second = this.at;
    if (this.bounds() !== undefined)
      throw error(`invalid nested repetition operator: \`${this.pattern.slice(from, this.at)}\``);
    this.at = second;
    const [min, max] = bounds;
    if (countOf(of) * Math.max(min, max === Number.POSITIVE_INFINITY ? 1 : max, 1) > repeatMax)
      throw error(`invalid repeat count: \`${this.pattern.slice(from, second)}\``);
    return { kind: 'repeat', of, min, max, isLazy };
  }

  private bounds(): readonly [min: number, max: number] | undefined {
    if (this.skip('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.skip('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.skip('?')) return [0, 1];
    const match = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.rest);
    if (match === null) return undefined;
    this.at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > repeatMax || (max !== Number.POSITIVE_INFINITY && max > repeatMax) || max < min)
      throw error(`invalid repeat count: \`${match[0]}\``);
    return [min, max];
  }

  /** undefined: flags only. */
  private atom(): Tree | undefined {
    const character = String.fromCodePoint(this.pattern.codePointAt(this.at) ?? 0);
    switch (character) {
      case '(':
        return this.group();
      case '[':
        return this.setTree(this.characterClass());
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw error(`missing argument to repetition operator: \`${character}\``);
    }
    this.at += character.length;
    switch (character) {
      case '.':
        return this.setTree({ ranges: this.flags.dotAll ? [] : [[10, 10]], tests: [], isNegated: true });
      case '^':
        return { kind: 'assert', what: this.flags.multiline ? 'lineBegin' : 'begin' };
      case '$':
        return { kind: 'assert', what: this.flags.multiline ? 'lineEnd' : 'end' };
    }
    return this.characterTree(character.codePointAt(0) ?? 0);
  }

  private characterTree(code: number): Tree {
    return this.setTree({ ranges: [[code, code]], tests: [], isNegated: false });
  }

  private setTree(parts: CharsetParts): Tree {
    return { kind: 'set', set: new Charset(parts, this.flags.ignoresCase) };
  }

  private group(): Tree | undefined {
    const outer = this.flags;
    const { rest } = this;
    this.at++;
    if (this.skip('?')) {
      const name = /^\(\?P?<([^>]*)>/.exec(rest);
      const flags = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
      if (name !== null && /^\w+$/.test(name[1] ?? '')) this.at += name[0].length - 2;
      else if (flags !== null && rest !== '(?)') {
        this.at += flags[0].length - 2;
        this.flags = flagsWith(outer, flags[1] ?? '', flags[2] ?? '');
        if (flags[3] === ')') return undefined;
      } else throw error(`invalid or unsupported Perl syntax: \`${rest.slice(0, 3)}\``);
    }
    const tree = this.choice();
    if (!this.skip(')')) throw error(`missing closing ): \`${this.pattern}\``);
    this.flags = outer;
    return tree;
  }

  private escape(): Tree | undefined {
    const next = this.pattern[this.at + 1] ?? '';
    const assertions: Readonly<Record<string, Assertion>> = { A: 'begin', z: 'end', b: 'word', B: 'noWord' };
    const what = assertions[next];
    if (what !== undefined) {
      this.at += 2;
      return { kind: 'assert', what };
    }
    if (next === 'Q') return this.quoted();
    const parts = this.escapedClass();
    return parts === undefined ? this.characterTree(this.escapedCharacter()) : this.setTree(parts);
  }

  private quoted(): Tree {
    const from = this.at + 2;
    const end = this.pattern.indexOf('\\E', from);
    const text = this.pattern.slice(from, end < 0 ? undefined : end);
    this.at = end < 0 ? this.pattern.length : end + 2;
    return { kind: 'all', parts: Array.from(text, (one) => this.characterTree(one.codePointAt(0) ?? 0)) };
  }

  /** `\d`, `\pL`; undefined: something else, and nothing is read. */
  private escapedClass(): CharsetParts | undefined {
    const next = this.pattern[this.at + 1] ?? '';
    const perl = perlClasses[next];
    if (perl !== undefined) {
      this.at += 2;
      return perl;
    }
    const match = /^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/.exec(this.rest);
    if (match === null) {
      if (next === 'p' || next === 'P')
        throw error(`invalid character class range: \`${this.rest.slice(0, 3)}\``);
      return undefined;
    }
    const test = propertyTest(match[3] ?? match[4] ?? '');
    if (test === undefined) throw error(`invalid character class range: \`${match[0]}\``);
    this.at += match[0].length;
    return { ranges: [], tests: [test], isNegated: (match[1] === 'P') !== (match[2] === '^') };
  }

  private escapedCharacter(): number {
    const { rest } = this;
    if (rest.length < 2) throw error('trailing backslash at end of expression: ``');
    const match =
      /^\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|(0[0-7]{0,2}|[1-7][0-7]{2})|([aftnrv])|([^\w\s]))/su.exec(
        rest,
      );
    const [whole, long, short, octal, named, sign] = match ?? [];
    const code =
      long !== undefined || short !== undefined
        ? Number.parseInt(long ?? short ?? '', 16)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : named !== undefined
            ? controls[named]
            : sign?.codePointAt(0);
    if (whole === undefined || code === undefined || code > 0x10ffff)
      throw error(`invalid escape sequence: \`${Array.from(rest).slice(0, 2).join('')}\``);
    this.at += whole.length;
    return code;
  }

  private characterClass(): CharsetParts {
    const from = this.at;
    this.at++;
    const isNegated = this.skip('^');
    const ranges: [number, number][] = [];
    const tests: ((code: number) => boolean)[] = [];
    const add = (parts: CharsetParts): void => {
      if (parts.isNegated) {
        const set = new Charset(parts, false);
        tests.push((code) => set.has(code));
      } else {
        ranges.push(...parts.ranges.map(([low, high]): [number, number] => [low, high]));
        tests.push(...parts.tests);
      }
    };
    for (let isFirst = true; ; isFirst = false) {
      if (this.at >= this.pattern.length) throw error(`missing closing ]: \`${this.pattern.slice(from)}\``);
      if (!isFirst && this.skip(']')) break;
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.rest);
      if (posix !== null) {
        const known = posixClasses[posix[2] ?? ''];
        if (known === undefined) throw error(`invalid character class range: \`${posix[0]}\``);
        this.at += posix[0].length;
        add({ ranges: known, tests: [], isNegated: posix[1] === '^' });
        continue;
      }
      const parts = this.pattern[this.at] === '\\' ? this.escapedClass() : undefined;
      if (parts !== undefined) {
        add(parts);
        continue;
      }
      const start = this.at;
      const low = this.classCharacter();
      if (!/^-[^\]]/su.test(this.rest)) {
        ranges.push([low, low]);
        continue;
      }
      this.at++;
      const high = this.classCharacter();
      if (high < low) throw error(`invalid character class range: \`${this.pattern.slice(start, this.at)}\``);
      ranges.push([low, high]);
    }
    return { ranges, tests, isNegated };
  }

  private classCharacter(): number {
    if (this.pattern[this.at] === '\\') return this.escapedCharacter();
    const code = this.pattern.codePointAt(this.at) ?? 0;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }
}

const controls: Readonly<Record<string, number>> = { a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 };

function flagsWith(flags: Flags, on: string, off: string): Flags {
  const has = (letter: string, before: boolean): boolean =>
    on.includes(letter) || (before && !off.includes(letter));
  return {
    ignoresCase: has('i', flags.ignoresCase),
    dotAll: has('s', flags.dotAll),
    multiline: has('m', flags.multiline),
    isLazy: has('U', flags.isLazy),
  };
}

/** How often the innermost of it is written out. */
function countOf(tree: Tree): number {
  switch (tree.kind) {
    case 'all':
    case 'any':
      return tree.parts.reduce((most, part) => Math.max(most, countOf(part)), 1);
    case 'repeat':
      return countOf(tree.of) * Math.max(tree.min, tree.max === Number.POSITIVE_INFINITY ? 1 : tree.max, 1);
    default:
      return 1;
  }
}
