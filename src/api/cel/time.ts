/**
 * Timestamps and durations: their texts, their parts and their arithmetic. Exact to the nanosecond.
 * Source: RFC 3339; Go's time.ParseDuration; cel-spec, as behaviour.
 */
import { Duration, Fault, Timestamp } from './value.ts';

const second = 1_000_000_000n;
/** The years 1 to 9999. */
const first = -62135596800n * second;
const last = 253402300800n * second - 1n;
const durationMax = 2n ** 63n - 1n;

const stamp = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/** undefined: it is none. A bare date is midnight. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = stamp.exec(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, seconds, fraction = '', zone = ''] = match;
  const offset = /[Zz]/.test(zone) ? '+00:00' : zone;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${seconds}Z`);
  if (Number.isNaN(ms) || Number(hour) > 23 || new Date(ms).getUTCDate() !== Number(day)) return undefined;
  const shift = zoneMinutes(offset);
  if (shift === undefined) return undefined;
  const nanos = BigInt(ms - shift * 60_000) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  return nanos < first || nanos > last ? undefined : new Timestamp(nanos);
}

export function timestampText({ nanos }: Timestamp): string {
  const whole = floorDivide(nanos, second);
  const rest = nanos - whole * second;
  const text = new Date(Number(whole) * 1000).toISOString().slice(0, 19);
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${text}${fraction}Z`;
}

export function checkedTimestamp(nanos: bigint): Timestamp {
  if (nanos < first || nanos > last) throw new Fault('timestamp overflow');
  return new Timestamp(nanos);
}

export function checkedDuration(nanos: bigint): Duration {
  if (nanos > durationMax || nanos < -durationMax - 1n) throw new Fault('duration overflow');
  return new Duration(nanos);
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
};
const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** `1h30m`, `1.5s`, `-3ms`, `0`. undefined: it is none. */
export function parseDuration(text: string): Duration | undefined {
  const sign = text.startsWith('-') ? -1n : 1n;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return new Duration(0n);
  if (body === '' || text.length > 200) return undefined;
  let nanos = 0n;
  for (let at = 0; at < body.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(body);
    const [, whole = '', fraction = '', unit = ''] = match ?? [];
    if (match === null || (whole === '' && fraction === '')) return undefined;
    const scale = units[unit] ?? 1n;
    nanos +=
      BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  return nanos > durationMax ? undefined : new Duration(sign * nanos);
}

/** In seconds: `90s`, `1.5s`. */
export function durationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const rest = size % second;
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${nanos < 0n ? '-' : ''}${size / second}${fraction}s`;
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a / b - (a % b < 0n ? 1n : 0n);
}

/** `+05:30`, `-02:00`; undefined: no such offset. */
function zoneMinutes(zone: string): number | undefined {
  const match = /^([+-]?)(\d\d?):(\d\d)$/.exec(zone);
  if (match === null || Number(match[2]) > 23 || Number(match[3]) > 59) return undefined;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

export type TimestampPart =
  | 'getFullYear'
  | 'getMonth'
  | 'getDayOfYear'
  | 'getDayOfMonth'
  | 'getDate'
  | 'getDayOfWeek'
  | 'getHours'
  | 'getMinutes'
  | 'getSeconds'
  | 'getMilliseconds';

/** A part of a timestamp, in UTC or in a zone (`Europe/Berlin`, `+02:00`). */
export function timestampPart({ nanos }: Timestamp, part: TimestampPart, zone = 'UTC'): number {
  const ms = Number(floorDivide(nanos, 1_000_000n));
  const at = new Date(ms + offsetMs(ms, zone));
  switch (part) {
    case 'getFullYear':
      return at.getUTCFullYear();
    case 'getMonth':
      return at.getUTCMonth();
    case 'getDayOfYear': {
      const day = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
      return Math.round((day - Date.UTC(at.getUTCFullYear(), 0, 1)) / 86_400_000);
    }
    case 'getDayOfMonth':
      return at.getUTCDate() - 1;
    case 'getDate':
      return at.getUTCDate();
    case 'getDayOfWeek':
      return at.getUTCDay();
    case 'getHours':
      return at.getUTCHours();
    case 'getMinutes':
      return at.getUTCMinutes();
    case 'getSeconds':
      return at.getUTCSeconds();
    case 'getMilliseconds':
      return at.getUTCMilliseconds();
  }
}

const zones = new Map<string, Intl.DateTimeFormat>();

function offsetMs(ms: number, zone: string): number {
  if (zone === 'UTC' || zone === '') return 0;
  const minutes = zoneMinutes(zone);
  if (minutes !== undefined) return minutes * 60_000;
  let format = zones.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new Fault(`unknown time zone ${zone}`);
    }
    if (zones.size < 600) zones.set(zone, format);
  }
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(
    parts.get('year') ?? 0,
    (parts.get('month') ?? 1) - 1,
    parts.get('day') ?? 1,
    parts.get('hour') ?? 0,
    parts.get('minute') ?? 0,
    parts.get('second') ?? 0,
  );
  return local - Math.floor(ms / 1000) * 1000;
}
