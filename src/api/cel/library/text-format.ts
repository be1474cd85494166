/** `'%s has %d'.format([…])`. Source: cel-go's ext.Strings, as behaviour. */
import { doubleText, real } from '../number.ts';
import { durationText, timestampText } from '../time.ts';
import {
  Double,
  Duration,
  Fault,
  isDouble,
  isFields,
  isInt,
  keysOf,
  lookUp,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
} from '../value.ts';
import { work } from '../work.ts';

const clause = /%(?:\.(\d+))?(.?)/gs;

export function formatText(format: string, args: readonly unknown[]): string {
  let index = 0;
  work(format.length / 16);
  return format.replace(clause, (_, precisionText: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (index >= args.length) throw new Fault(`index ${index} out of range`);
    const precision = precisionText === undefined ? 6 : Math.min(100, Number(precisionText));
    return formatted(verb, args[index++], precision);
  });
}

function formatted(verb: string, value: unknown, precision: number): string {
  switch (verb) {
    case 's':
      return shown(value);
    case 'd':
      if (value instanceof Uint || isInt(value)) return String(value instanceof Uint ? value.value : value);
      if (isDouble(value)) return doubleText(real(value));
      return refused('decimal', value, 'integers');
    case 'f':
      return special(value) ?? numberOf('fixed-point', value).toFixed(precision);
    case 'e': {
      const named = special(value);
      if (named !== undefined) return named;
      const [digits = '', exponent = '+0'] = numberOf('scientific', value)
        .toExponential(precision)
        .split('e');
      return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
    }
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : wholeOf('binary', value).toString(2);
    case 'o':
      return wholeOf('octal', value).toString(8);
    case 'x':
      return hex(value);
    case 'X':
      return hex(value).toUpperCase();
    default:
      throw new Fault(
        `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb)}`,
      );
  }
}

function refused(what: string, value: unknown, wanted: string): never {
  throw new Fault(
    `error during formatting: ${what} clause can only be used on ${wanted}, was given ${typeNameOf(value)}`,
  );
}

function special(value: unknown): string | undefined {
  if (!isDouble(value) || Number.isFinite(real(value))) return undefined;
  return Number.isNaN(real(value)) ? 'NaN' : real(value) > 0 ? 'Infinity' : '-Infinity';
}

function numberOf(what: string, value: unknown): number {
  if (isDouble(value)) return real(value);
  if (isInt(value)) return Number(value);
  return value instanceof Uint ? Number(value.value) : refused(what, value, 'doubles');
}

function wholeOf(what: string, value: unknown): bigint {
  if (value instanceof Uint) return value.value;
  return isInt(value) ? BigInt(value) : refused(what, value, 'integers');
}

function hex(value: unknown): string {
  if (typeof value === 'string') return new TextEncoder().encode(value).toHex();
  return value instanceof Uint8Array ? value.toHex() : wholeOf('hex', value).toString(16);
}

function shown(value: unknown): string {
  work(typeof value === 'string' ? 1 + value.length / 16 : 1);
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (value instanceof Double) return doubleText(value.value);
  if (isDouble(value)) return special(value) ?? doubleText(real(value));
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (value instanceof Map || isFields(value)) {
    const entries = keysOf(value).map((key) => `${shown(key)}: ${shown(lookUp(value, key))}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if (typeof value === 'object')
    return refused(
      'string',
      value,
      'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    );
  return String(value);
}
