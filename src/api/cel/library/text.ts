/** The extended functions of texts. Places count characters. Source: cel-go's ext.Strings, as behaviour. */
import { type Definition, through } from '../function.ts';
import { Fault } from '../value.ts';
import { work } from '../work.ts';
import { textSize } from './standard.ts';
import { formatText } from './text-format.ts';

type Place = number | bigint;

const whole = { cost: through, size: (a: number) => a };
const searched = { cost: (a: number, b: number) => through(a * Math.max(1, b)) };

/** The text in characters, where these are not its units. */
function charactersOf(text: string): string | readonly string[] {
  return textSize(text) === text.length ? text : Array.from(text);
}

const sliced = (characters: string | readonly string[], from: number, to: number): string =>
  typeof characters === 'string' ? characters.slice(from, to) : characters.slice(from, to).join('');

function charAt(text: string, place: Place): string {
  const characters = charactersOf(text);
  const at = Number(place);
  if (at < 0 || at > characters.length) throw new Fault(`index out of range: ${at}`);
  return characters[at] ?? '';
}

function substring(text: string, from: Place, to?: Place): string {
  const characters = charactersOf(text);
  const [start, end] = [Number(from), to === undefined ? characters.length : Number(to)];
  if (start < 0 || start > characters.length) throw new Fault(`index out of range: ${start}`);
  if (end < 0 || end > characters.length) throw new Fault(`index out of range: ${end}`);
  if (start > end) throw new Fault(`invalid substring range. start: ${start}, end: ${end}`);
  return sliced(characters, start, end);
}

/** In characters. */
function indexOf(text: string, part: string, from: Place = 0): number {
  const start = Number(from);
  const characters = charactersOf(text);
  if (start < 0 || (start > characters.length && part !== ''))
    throw new Fault(`index out of range: ${start}`);
  if (part === '') return Math.min(start, characters.length);
  const offset = sliced(characters, 0, start).length;
  const found = text.indexOf(part, offset);
  return found < 0 ? -1 : textSize(text.slice(0, found));
}

function lastIndexOf(text: string, part: string, until?: Place): number {
  const characters = charactersOf(text);
  const end = until === undefined ? characters.length : Number(until);
  if (end < 0 || (until !== undefined && end >= characters.length && part !== ''))
    throw new Fault(`index out of range: ${end}`);
  if (part === '') return Math.min(end, characters.length);
  const found = text.lastIndexOf(part, sliced(characters, 0, end).length);
  return found < 0 ? -1 : textSize(text.slice(0, found));
}

function replace(text: string, from: string, to: string, limit: Place = -1): string {
  const count = Number(limit);
  // At most so often can it be found.
  work((((text.length + 1) / Math.max(1, from.length)) * to.length) / 16);
  if (count < 0) return text.replaceAll(from, () => to);
  let left = count;
  return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
}

function split(text: string, separator: string, limit: Place = -1): string[] {
  const count = Number(limit);
  if (count === 0) return [];
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

const ascii = (text: string, range: RegExp, turn: (part: string) => string): string =>
  text.replace(range, turn);

/** What Unicode calls white space. */
const trim = (text: string): string => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '');

const quotes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is quoted
  return `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (sign) => quotes[sign] ?? sign)}"`;
}

function join(list: readonly unknown[], separator = ''): string {
  for (const item of list) if (typeof item !== 'string') throw new Fault('no such overload');
  let size = list.length * separator.length;
  for (const item of list) size += (item as string).length;
  work(size / 16);
  return list.join(separator);
}

export const textFunctions: readonly Definition[] = [
  ['string . charAt(int): string', charAt, { cost: through, size: () => 1 }],
  ['string . indexOf(string): int', (text: string, part: string) => indexOf(text, part), searched],
  ['string . indexOf(string, int): int', indexOf, searched],
  ['string . lastIndexOf(string): int', (text: string, part: string) => lastIndexOf(text, part), searched],
  ['string . lastIndexOf(string, int): int', lastIndexOf, searched],
  ['list(string) . join(): string', (list: string[]) => join(list), { cost: through }],
  ['list(string) . join(string): string', join, { cost: through }],
  [
    'string . lowerAscii(): string',
    (text: string) => ascii(text, /[A-Z]+/g, (part) => part.toLowerCase()),
    whole,
  ],
  [
    'string . upperAscii(): string',
    (text: string) => ascii(text, /[a-z]+/g, (part) => part.toUpperCase()),
    whole,
  ],
  [
    'string . replace(string, string): string',
    (text: string, from: string, to: string) => replace(text, from, to),
    { cost: through, size: (a, _, c) => a * Math.max(1, c) },
  ],
  [
    'string . replace(string, string, int): string',
    replace,
    { cost: through, size: (a, _, c) => a * Math.max(1, c) },
  ],
  ['string . split(string): list(string)', (text: string, by: string) => split(text, by), whole],
  ['string . split(string, int): list(string)', split, whole],
  ['string . substring(int): string', (text: string, from: Place) => substring(text, from), whole],
  ['string . substring(int, int): string', substring, whole],
  ['string . trim(): string', trim, whole],
  ['string . reverse(): string', (text: string) => Array.from(text).reverse().join(''), whole],
  ['string . format(list(dyn)): string', formatText, { cost: (a, b) => through(a) + b }],
  // Kubernetes': a key as a part of a JSON pointer.
  [
    'jsonpatch.escapeKey(string): string',
    (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'),
    { cost: through, size: (a) => a * 2 },
  ],
  ['strings.quote(string): string', quote, { cost: through, size: (a) => a * 2 + 2 }],
];
