/**
 * Regular expressions in RE2's syntax, run by the platform's engine: what the two spell differently is translated, and what RE2 does not have
 * (looking around, back-references) is refused. Compiled once each.
 * Source: github.com/google/re2/wiki/Syntax.
 */
import { Fault } from './value.ts';

const known = new Map<string, RegExp | string>();
const knownMax = 2000;

/** Throws a fault for what is no regular expression. */
export function compileRegex(pattern: string): RegExp {
  let compiled = known.get(pattern);
  if (compiled === undefined) {
    compiled = compile(pattern);
    if (known.size >= knownMax) known.clear();
    known.set(pattern, compiled);
  }
  if (typeof compiled === 'string') throw new Fault(compiled);
  return compiled;
}

/** What is wrong with it; undefined: nothing. */
export function regexProblem(pattern: string): string | undefined {
  const compiled = compile(pattern);
  return typeof compiled === 'string' ? compiled : undefined;
}

function compile(pattern: string): RegExp | string {
  try {
    const { source, flags } = translate(pattern);
    return new RegExp(source, `u${flags}`);
  } catch (error) {
    const why = error instanceof Fault ? error.message : `invalid or unsupported Perl syntax: \`${pattern}\``;
    return `error parsing regexp: ${why}`;
  }
}

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** Signs that stand for themselves behind a backslash, and need one here. */
const syntax = /[\^$\\.*+?()[\]{}|/-]/;

function translate(pattern: string): { source: string; flags: string } {
  let flags = '';
  let source = '';
  let index = 0;
  const head = /^\(\?([ims]+)\)/.exec(pattern);
  if (head !== null) {
    flags = [...new Set(head[1])].join('');
    index = head[0].length;
  }
  let isInClass = false;
  while (index < pattern.length) {
    const rest = pattern.slice(index, index + 1000);
    const character = pattern[index] as string;
    if (character === '\\') {
      const [text, length] = escapeOf(rest, isInClass);
      source += text;
      index += length;
    } else if (isInClass) {
      const named = /^\[:(\^?)([a-z]+):\]/.exec(rest);
      if (named !== null && named[1] === '' && classes[named[2] ?? ''] !== undefined) {
        source += classes[named[2] ?? ''];
        index += named[0].length;
        continue;
      }
      if (character === ']') isInClass = false;
      // These are syntax in a class of the `u` mode nowhere, but a bare `[` is clearer escaped.
      source += character === '[' ? '\\[' : character;
      index++;
    } else if (character === '[') {
      isInClass = true;
      const open = /^\[\^?\]?/.exec(rest)?.[0] ?? '[';
      source += open.endsWith(']') ? `${open.slice(0, -1)}\\]` : open;
      index += open.length;
    } else if (character === '(' && rest[1] === '?') {
      const [text, length] = groupOf(rest);
      source += text;
      index += length;
    } else if (character === '{' && !/^\{\d+(,\d*)?\}/.test(rest)) {
      source += '\\{';
      index++;
    } else if (character === '}' && !/\{\d+(,\d*)?$/.test(source)) {
      source += '\\}';
      index++;
    } else if (character === ']') {
      source += '\\]';
      index++;
    } else if (/^[*+?]\+|^\{\d+(,\d*)?\}[*+]/.test(rest)) {
      throw new Fault(`invalid nested repetition operator: \`${rest.slice(0, 2)}\``);
    } else {
      source += character;
      index++;
    }
  }
  if (isInClass) throw new Fault(`missing closing ]: \`${pattern}\``);
  return { source, flags };
}

function escapeOf(rest: string, isInClass: boolean): [string, number] {
  const next = rest[1] ?? '';
  if (next === '') throw new Fault('trailing backslash at end of expression: ``');
  if (next === 'A' && !isInClass) return ['(?<![\\s\\S])', 2];
  if (next === 'z' && !isInClass) return ['(?![\\s\\S])', 2];
  if (next === 'a') return ['\\x07', 2];
  // Spaces of RE2 are those of ASCII without the vertical tab.
  if (next === 's') return [isInClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]', 2];
  if (next === 'S' && !isInClass) return ['[^\\t\\n\\f\\r ]', 2];
  if (next === 'Q') {
    const body = rest.slice(2);
    const end = body.indexOf('\\E');
    if (end < 0) throw new Fault('invalid escape sequence: `\\Q`');
    return [body.slice(0, end).replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&'), end + 4];
  }
  const hex = /^\\x\{([0-9a-fA-F]{1,6})\}/.exec(rest);
  if (hex !== null) return [`\\u{${hex[1]}}`, hex[0].length];
  const short = /^\\([pP])([A-Z])/.exec(rest);
  if (short !== null) return [`\\${short[1]}{${short[2]}}`, 3];
  const long = /^\\([pP])\{(\^?)([A-Za-z_]+)\}/.exec(rest);
  if (long !== null) {
    const sign = long[2] === '^' ? (long[1] === 'p' ? 'P' : 'p') : long[1];
    const name = long[3] ?? '';
    return [`\\${sign}{${name.length <= 2 ? name : `Script=${name}`}}`, long[0].length];
  }
  if (/[1-9]/.test(next)) throw new Fault(`invalid escape sequence: \`\\${next}\``);
  if (/[a-zA-Z0-9]/.test(next)) {
    if (!/[bBdDwWSfnrtvx0]/.test(next)) throw new Fault(`invalid escape sequence: \`\\${next}\``);
    return [`\\${next}`, 2];
  }
  if (next === '-' && !isInClass) return ['-', 2];
  return [syntax.test(next) ? `\\${next}` : next, 2];
}

function groupOf(rest: string): [string, number] {
  const name = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
  if (name !== null) return [`(?<${name[1]}>`, name[0].length];
  const flags = /^\(\?([ims]*)(-[ims]+)?:/.exec(rest);
  if (flags !== null) return [`(?${flags[1] ?? ''}${flags[2] ?? ''}:`, flags[0].length];
  throw new Fault(`invalid or unsupported Perl syntax: \`${rest.slice(0, 3)}\``);
}
