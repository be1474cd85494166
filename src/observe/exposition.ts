/**
 * Reads what programs tell of themselves in Prometheus' text format (0.0.4). Pure.
 *
 *   text ─▶ lines ─▶ names that are wanted ─▶ series: name, labels, value
 *
 * The text comes from whoever runs a pod, so all of it is bounded: what is too long, too many, or no such text, is refused as a whole, with the line that is
 * wrong. Values that are no numbers (NaN, infinities) are left out: a figure that says nothing shall not move anything.
 * Source: Prometheus documentation, "exposition formats".
 */
import { CaelumError } from '../lib/index.ts';

export interface Series {
  readonly name: string;
  /** Without a prototype: any label name is just that. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Only grows, so what counts is how fast. */
  readonly isCounter: boolean;
  /** When it was measured, where the program says so. */
  readonly atMs: number | undefined;
}

export interface Exposition {
  /** By name and labels; of two that are the same the last counts. */
  readonly series: ReadonlyMap<string, Series>;
  /** All names, wanted or not; no more than `namesMax`. */
  readonly names: ReadonlySet<string>;
}

const textLengthMax = 4 * 1024 * 1024;
const linesMax = 100_000;
const lineLengthMax = 64 * 1024;
const seriesMax = 2_000;
const namesMax = 1_000;
const labelsMax = 64;
const nameLengthMax = 256;
const valueLengthMax = 4_096;

const namePattern = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelPattern = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"/y;
const restPattern = /^\s+(\S+)(?:\s+([+-]?\d+))?\s*$/;
const numberPattern = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

const refused = (why: string): CaelumError => new CaelumError('invalid', why);

/** `isWanted`: by the name of a series. Throws `invalid`. */
export function parseExposition(text: string, isWanted: (name: string) => boolean): Exposition {
  if (text.length > textLengthMax) throw refused(`the text is longer than ${textLengthMax} characters`);
  const types = new Map<string, string>();
  const series = new Map<string, Series>();
  const names = new Set<string>();
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    line++;
    if (line > linesMax) throw refused(`more than ${linesMax} lines`);
    if (end - start > lineLengthMax) throw refused(`line ${line} is longer than ${lineLengthMax} characters`);
    try {
      readLine(text, start, end, { types, series, names }, isWanted);
    } catch (error) {
      throw refused(`line ${line}: ${error instanceof Error ? error.message : String(error)}`);
    }
    start = end + 1;
  }
  return { series, names };
}

interface Sink {
  readonly types: Map<string, string>;
  readonly series: Map<string, Series>;
  readonly names: Set<string>;
}

function readLine(
  text: string,
  start: number,
  end: number,
  { types, series, names }: Sink,
  isWanted: (name: string) => boolean,
): void {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  if (at === end) return;
  if (text.charCodeAt(at) === hash) {
    const [, name = '', type = ''] = /^#\s*TYPE\s+(\S+)\s+(\S+)\s*$/.exec(text.slice(at, end)) ?? [];
    if (name !== '' && types.size < namesMax) types.set(name, type);
    return;
  }
  namePattern.lastIndex = at;
  const found = namePattern.exec(text)?.[0] ?? '';
  if (found === '' || found.length > nameLengthMax) throw refused('a metric has no name, or one too long');
  const name = detached(found);
  if (names.size < namesMax) names.add(name);
  if (!isWanted(name)) return;
  const labels: Record<string, string> = Object.create(null);
  const rest = detached(text.slice(at + name.length, end));
  let open = 0;
  while (open < rest.length && isBlank(rest.charCodeAt(open))) open++;
  at = rest.charCodeAt(open) === brace ? readLabels(rest, open + 1, rest.length, labels) : 0;
  const [, number = '', time] = restPattern.exec(rest.slice(at)) ?? [];
  const value = numberOf(number);
  if (!Number.isFinite(value)) return;
  const isCounter = counts(name, types);
  series.set(keyOf(name, labels), {
    name,
    labels,
    value,
    isCounter,
    atMs: time === undefined ? undefined : Number(time),
  });
  if (series.size > seriesMax) throw refused(`more than ${seriesMax} series`);
}

/** A piece of a text keeps all of it in memory; a copy does not. */
const detached = (piece: string): string => ` ${piece}`.slice(1);

const hash = 35;
const brace = 123;
const closing = 125;
const comma = 44;
const quote = 34;
const backslash = 92;
const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13;

/** From after `{` to after `}`. */
function readLabels(text: string, start: number, end: number, labels: Record<string, string>): number {
  let at = start;
  for (let count = 0; ; count++) {
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    if (at >= end) throw refused('labels have no end');
    if (text.charCodeAt(at) === closing) return at + 1;
    if (count >= labelsMax) throw refused(`more than ${labelsMax} labels`);
    labelPattern.lastIndex = at;
    const match = labelPattern.exec(text);
    if (match === null || labelPattern.lastIndex > end) throw refused('a label is no name="value"');
    const [, name = ''] = match;
    if (name.length > nameLengthMax) throw refused('the name of a label is too long');
    at = readValue(text, labelPattern.lastIndex, end, (value) => {
      labels[name] = value;
    });
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === comma) at++;
    else if (text.charCodeAt(at) !== closing) throw refused('labels are parted by commas');
  }
}

/** From after the opening quote to after the closing one. */
function readValue(text: string, start: number, end: number, take: (value: string) => void): number {
  let value = '';
  let from = start;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      value += text.slice(from, at);
      if (value.length > valueLengthMax) throw refused('the value of a label is too long');
      take(value);
      return at + 1;
    }
    if (code !== backslash) continue;
    const next = text[at + 1];
    value += text.slice(from, at) + (next === 'n' ? '\n' : (next ?? ''));
    if (next !== 'n' && next !== '"' && next !== '\\') throw refused('only \\\\, \\" and \\n can be escaped');
    at++;
    from = at + 1;
  }
  throw refused('the value of a label has no end');
}

/** NaN also for what is one; infinities too. */
function numberOf(text: string): number {
  if (numberPattern.test(text)) return Number(text);
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) return Number.NaN;
  throw refused('a series has no value');
}

/** By its type, or by its name. */
function counts(name: string, types: ReadonlyMap<string, string>): boolean {
  const type = types.get(name);
  if (type !== undefined) return type === 'counter';
  if (name.endsWith('_total')) return true;
  const [, family = ''] = /^(.*)_(bucket|count|sum)$/.exec(name) ?? [];
  return ['histogram', 'summary'].includes(types.get(family) ?? '');
}

/** What distinguishes a series. */
export function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  const keys = Object.keys(labels).sort();
  return keys.length === 0 ? name : `${name}{${keys.map((key) => `${key}=${JSON.stringify(labels[key])}`)}}`;
}
