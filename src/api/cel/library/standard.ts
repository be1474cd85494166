/** The functions of the language's definition: sizes, conversions, texts, times; and those of optionals. */
import { type Definition, through } from '../function.ts';
import { checkedInt, checkedUint, doubleText, integerOf, real } from '../number.ts';
import { compileRegex } from '../regex.ts';
import {
  durationText,
  parseDuration,
  parseTimestamp,
  type TimestampPart,
  timestampPart,
  timestampText,
} from '../time.ts';
import * as values from '../value.ts';
import { work } from '../work.ts';

const { Fault } = values;

/** Characters, not units of UTF-16. */
export function textSize(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0xd800 && code <= 0xdbff && index + 1 < text.length) {
      size--;
      index++;
    }
  }
  return size;
}

function intOfText(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text))
    throw new Fault(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) !== value)
    throw new Fault(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return values.intOf(value);
}

function uintOfText(text: string): values.Uint {
  if (!/^\d+$/.test(text))
    throw new Fault(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return checkedUint(BigInt(text));
}

function doubleOfText(text: string): number | values.Double {
  const named: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    infinity: Number.POSITIVE_INFINITY,
  };
  const word = named[text.replace(/^[+-]/, '').toLowerCase()];
  if (word !== undefined) return text.startsWith('-') ? -word : word;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text))
    throw new Fault(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return values.doubleOf(Number(text));
}

function boolOfText(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new Fault(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Fault('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function timestampOfText(text: string): values.Timestamp {
  const value = parseTimestamp(text);
  if (value === undefined || !text.includes(':'))
    throw new Fault(`invalid timestamp ${JSON.stringify(text)}`);
  return value;
}

function durationOfText(text: string): values.Duration {
  const value = parseDuration(text);
  if (value === undefined) throw new Fault(`time: invalid duration ${JSON.stringify(text)}`);
  return value;
}

const second = 1_000_000_000n;
const floorSeconds = (nanos: bigint): bigint => nanos / second - (nanos % second < 0n ? 1n : 0n);
const size = (value: unknown): number => values.sizeOfValue(value);
const converted = { cost: through, size: (a: number) => a };

const sizes: readonly Definition[] = [
  ['string', textSize as (text: never) => number],
  ['bytes', size],
  ['list(A)', size],
  ['map(A, B)', size],
].flatMap(([type, apply]): Definition[] => [
  [`size(${type}): int`, apply as (value: never) => number],
  [`${type} . size(): int`, apply as (value: never) => number],
]);

const conversions: readonly Definition[] = [
  ['int(int): int', (a: number) => a],
  ['int(uint): int', (a: values.Uint) => checkedInt(a.value)],
  ['int(double): int', (a: number | values.Double) => checkedInt(integerOf(real(a), 'integer'))],
  ['int(string): int', intOfText],
  ['int(timestamp): int', (a: values.Timestamp) => values.intOf(floorSeconds(a.nanos))],
  ['int(duration): int', (a: values.Duration) => values.intOf(a.nanos)],
  ['uint(uint): uint', (a: values.Uint) => a],
  ['uint(int): uint', (a: number | bigint) => checkedUint(BigInt(a))],
  ['uint(double): uint', (a: number | values.Double) => checkedUint(integerOf(real(a), 'unsigned integer'))],
  ['uint(string): uint', uintOfText],
  ['double(double): double', (a: number) => a],
  ['double(int): double', (a: number | bigint) => values.doubleOf(Number(a))],
  ['double(uint): double', (a: values.Uint) => values.doubleOf(Number(a.value))],
  ['double(string): double', doubleOfText],
  ['string(string): string', (a: string) => a, { size: (a) => a }],
  ['string(bool): string', String, { size: () => 5 }],
  ['string(int): string', String, { size: () => 20 }],
  ['string(uint): string', (a: values.Uint) => String(a.value), { size: () => 20 }],
  ['string(double): string', (a: number | values.Double) => doubleText(real(a)), { size: () => 25 }],
  ['string(bytes): string', textOfBytes, converted],
  ['string(timestamp): string', timestampText, { size: () => 30 }],
  ['string(duration): string', durationText, { size: () => 30 }],
  ['bytes(bytes): bytes', (a: Uint8Array) => a],
  ['bytes(string): bytes', (a: string) => new TextEncoder().encode(a), { cost: through, size: (a) => a * 4 }],
  ['bool(bool): bool', (a: boolean) => a],
  ['bool(string): bool', boolOfText],
  ['timestamp(timestamp): timestamp', (a: values.Timestamp) => a],
  ['timestamp(string): timestamp', timestampOfText],
  ['timestamp(int): timestamp', (a: number | bigint) => new values.Timestamp(BigInt(a) * second)],
  ['duration(duration): duration', (a: values.Duration) => a],
  ['duration(string): duration', durationOfText],
  ['duration(int): duration', (a: number | bigint) => new values.Duration(BigInt(a))],
  ['dyn(A): dyn', (a: unknown) => a, { size: (a) => a }],
  ['type(A): type', (a: unknown) => new values.TypeValue(values.typeNameOf(a))],
];

const texts: readonly Definition[] = [
  [
    'string . contains(string): bool',
    (a: string, b: string) => a.includes(b),
    { cost: (a, b) => through(a) * through(b) },
  ],
  [
    'string . startsWith(string): bool',
    (a: string, b: string) => a.startsWith(b),
    { cost: (_, b) => through(b) },
  ],
  [
    'string . endsWith(string): bool',
    (a: string, b: string) => a.endsWith(b),
    { cost: (_, b) => through(b) },
  ],
  ['string . matches(string): bool', matches, { cost: matchCost }],
  ['matches(string, string): bool', matches, { cost: matchCost }],
];

function matches(text: string, pattern: string): boolean {
  const regex = compileRegex(pattern);
  work((text.length * regex.size) / 64);
  return regex.test(text);
}

export function matchCost(text: number, pattern: number): number {
  return Math.ceil((text + 1) * 0.1) * Math.ceil(pattern * 0.25);
}

const timestampParts: readonly TimestampPart[] = [
  'getFullYear',
  'getMonth',
  'getDayOfYear',
  'getDayOfMonth',
  'getDate',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
];

const durationParts: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / (3600n * second),
  getMinutes: (nanos) => nanos / (60n * second),
  getSeconds: (nanos) => nanos / second,
  getMilliseconds: (nanos) => (nanos % second) / 1_000_000n,
};

const times: readonly Definition[] = [
  ...timestampParts.flatMap((part): Definition[] => [
    [`timestamp . ${part}(): int`, (at: values.Timestamp) => timestampPart(at, part)],
    [
      `timestamp . ${part}(string): int`,
      (at: values.Timestamp, zone: string) => timestampPart(at, part, zone),
    ],
  ]),
  ...Object.entries(durationParts).map(
    ([part, of]): Definition => [
      `duration . ${part}(): int`,
      (a: values.Duration) => values.intOf(of(a.nanos)),
    ],
  ),
];

function presentValue(optional: values.Optional): unknown {
  if (!optional.isPresent) throw new Fault('optional.none() dereference');
  return optional.value;
}

const isZero = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  // biome-ignore lint/suspicious/noDoubleEquals: a number or a bigint
  values.numeric(value) == 0 ||
  (typeof value === 'object' && !(value instanceof values.Special) && values.sizeOfValue(value) === 0);

const optionals: readonly Definition[] = [
  ['optional.of(A): optional(A)', values.some],
  ['optional.none(): optional(free)', () => values.none],
  [
    'optional.ofNonZeroValue(A): optional(A)',
    (value: unknown) => (isZero(value) ? values.none : values.some(value)),
  ],
  ['optional(A) . hasValue(): bool', (a: values.Optional) => a.isPresent],
  ['optional(A) . value(): A', presentValue],
  ['optional.unwrap(list(optional(A))): list(A)', unwrap],
  ['list(optional(A)) . unwrapOpt(): list(A)', unwrap],
  ['list(A) . first(): optional(A)', (a: unknown[]) => (a.length === 0 ? values.none : values.some(a[0]))],
  ['list(A) . last(): optional(A)', (a: unknown[]) => (a.length === 0 ? values.none : values.some(a.at(-1)))],
];

function unwrap(list: readonly unknown[]): unknown[] {
  return list.flatMap((item) => (item instanceof values.Optional && item.isPresent ? [item.value] : []));
}

export const standardFunctions: readonly Definition[] = [
  ...sizes,
  ...conversions,
  ...texts,
  ...times,
  ...optionals,
];
