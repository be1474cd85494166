/**
 * Cuts the source of an expression into tokens. Never throws: what is no token is a flaw.
 * Source: the grammar of cel-spec, doc/langdef.md.
 */
import type { Flaw, Literal } from './syntax.ts';

export type Token = { readonly at: number; readonly end: number } & (
  | { readonly kind: 'name'; readonly text: string }
  /** A field's name in backticks. */
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string; readonly literal: Literal }
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'end'; readonly text: '<EOF>' }
);

const space = /(?:[ \t\r\n\f]|\/\/[^\n]*)*/y;
const number =
  /0x([0-9a-fA-F]+)([uU]?)|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+)([uU]?)/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const quoted = /`([A-Za-z0-9_.\-/ ]+)`/y;
const mark = /==|!=|<=|>=|&&|\|\||[!+\-*/%<>?:.,()[\]{}]/y;
const opening = /([rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;

const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;

export function tokensOf(source: string): { tokens: readonly Token[]; flaws: readonly Flaw[] } {
  const tokens: Token[] = [];
  const flaws: Flaw[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  for (;;) {
    at += match(space)?.[0].length ?? 0;
    if (at >= source.length) break;
    const open = match(opening);
    if (open !== null) {
      const read = readText(source, at, open[1] ?? '', open[2] ?? '');
      if ('message' in read) {
        flaws.push({ at, message: read.message });
        at = read.end;
      } else {
        tokens.push({
          kind: 'literal',
          at,
          end: read.end,
          text: source.slice(at, read.end),
          literal: read.literal,
        });
        at = read.end;
      }
      continue;
    }
    const name = match(word) ?? undefined;
    if (name !== undefined) {
      tokens.push({ kind: 'name', at, end: at + name[0].length, text: name[0] });
      at += name[0].length;
      continue;
    }
    const digits = match(number);
    if (digits !== null) {
      const literal = numberOf(digits, tokens.at(-1), at);
      if (typeof literal === 'string') flaws.push({ at, message: literal });
      else tokens.push({ kind: 'literal', at, end: at + digits[0].length, text: digits[0], literal });
      at += digits[0].length;
      continue;
    }
    const field = match(quoted);
    const sign = field ?? match(mark);
    if (sign === null) {
      const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
      flaws.push({ at, message: `Syntax error: token recognition error at: '${character}'` });
      at += character.length;
      continue;
    }
    const end = at + sign[0].length;
    tokens.push({ kind: field === null ? 'mark' : 'quoted', at, end, text: field?.[1] ?? sign[0] });
    at = end;
  }
  tokens.push({ kind: 'end', at: source.length, end: source.length, text: '<EOF>' });
  return { tokens, flaws };
}

/** The smallest integer is written with its sign, so that one more is let through here behind a minus. */
function numberOf(match: RegExpExecArray, before: Token | undefined, at: number): Literal | string {
  const [text, hex, hexUnsigned, fraction, digits, unsigned] = match;
  if (fraction !== undefined) {
    const value = Number(fraction);
    return Number.isFinite(value) ? { type: 'double', value } : 'invalid double literal';
  }
  const value = BigInt(hex === undefined ? (digits ?? '0') : `0x${hex}`);
  if ((hex === undefined ? unsigned : hexUnsigned) !== '')
    return value <= uintMax ? { type: 'uint', value } : 'invalid uint literal';
  const isNegated = before?.kind === 'mark' && before.text === '-' && before.end === at;
  if (value > intMax + (isNegated ? 1n : 0n) || text === '') return 'invalid int literal';
  return { type: 'int', value };
}

type ReadText =
  | { readonly end: number; readonly literal: Literal }
  | { readonly end: number; readonly message: string };

function readText(source: string, at: number, prefix: string, quote: string): ReadText {
  const isRaw = /r/i.test(prefix);
  const isBytes = /b/i.test(prefix);
  let end = at + prefix.length + quote.length;
  const start = end;
  for (;;) {
    if (end >= source.length || (quote.length === 1 && (source[end] === '\n' || source[end] === '\r'))) {
      const text = source.slice(at, end);
      return { end, message: `Syntax error: token recognition error at: '${text}'` };
    }
    if (source.startsWith(quote, end)) break;
    end += source[end] === '\\' && !isRaw ? 2 : 1;
  }
  const body = source.slice(start, end);
  end += quote.length;
  if (isRaw)
    return {
      end,
      literal: isBytes
        ? { type: 'bytes', value: new TextEncoder().encode(body) }
        : { type: 'string', value: body },
    };
  const units = unescaped(body, isBytes);
  if (units === undefined) return { end, message: 'invalid escape in a text' };
  return {
    end,
    literal: typeof units === 'string' ? { type: 'string', value: units } : { type: 'bytes', value: units },
  };
}

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};

const escapes =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))|\\|[^\\]+/g;

/** undefined: it holds an escape that is none. In bytes `\x` and octals are bytes, in texts characters. */
function unescaped(body: string, isBytes: boolean): string | Uint8Array | undefined {
  let text = '';
  const out: number[] = [];
  const encoder = new TextEncoder();
  for (const [whole, sign, hex, four, eight, octal] of body.matchAll(escapes)) {
    let piece: string;
    if (whole === '\\') return undefined;
    if (sign !== undefined) piece = simple[sign] ?? '';
    else if (hex !== undefined || octal !== undefined) {
      const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
      if (isBytes) {
        out.push(code);
        continue;
      }
      piece = String.fromCharCode(code);
    } else if (four !== undefined || eight !== undefined) {
      const code = Number.parseInt(four ?? eight ?? '', 16);
      if (isBytes || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
      piece = String.fromCodePoint(code);
    } else piece = whole;
    if (isBytes) out.push(...encoder.encode(piece));
    else text += piece;
  }
  return isBytes ? Uint8Array.from(out) : text;
}
