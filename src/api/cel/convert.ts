/**
 * From JSON to values where the type asks for something that JSON spells otherwise: times in texts, whole numbers that are doubles. Most types need nothing:
 * `undefined` says so, and costs nothing. Objects convert field by field as they are read.
 */
import { parseDuration, parseTimestamp } from './time.ts';
import type { CelType } from './type.ts';
import { doubleOf, Fault, isFields } from './value.ts';

export type Convert = (value: unknown) => unknown;

export function converterOf(type: CelType): Convert | undefined {
  switch (type.kind) {
    case 'double':
      return (value) => (typeof value === 'number' ? doubleOf(value) : value);
    case 'timestamp':
      return (value) => {
        if (typeof value !== 'string') return value;
        const at = parseTimestamp(value);
        if (at === undefined) throw new Fault(`error parsing timestamp ${JSON.stringify(value)}`);
        return at;
      };
    case 'duration':
      return (value) => {
        if (typeof value !== 'string') return value;
        const span = parseDuration(value);
        if (span === undefined) throw new Fault(`error parsing duration ${JSON.stringify(value)}`);
        return span;
      };
    case 'bytes':
      return (value) => {
        if (typeof value !== 'string') return value;
        try {
          return Uint8Array.fromBase64(value);
        } catch {
          throw new Fault('error decoding base64');
        }
      };
    case 'list': {
      const convert = converterOf(type.item);
      return convert === undefined
        ? undefined
        : (value) => (Array.isArray(value) ? value.map(convert) : value);
    }
    case 'map': {
      const convert = converterOf(type.value);
      return convert === undefined
        ? undefined
        : (value) =>
            isFields(value)
              ? new Map(Object.entries(value).map(([key, item]) => [key, convert(item)]))
              : value;
    }
    default:
      return undefined;
  }
}
