/**
 * Schedules as CronJobs write them: `0 6 * * mon-fri`, `@daily`, `@every 90m`, with a time zone. Pure.
 *
 *   text ──parseCronSchedule──▶ CronSchedule ──nextTimeMs(after)──▶ the first moment after it that matches
 *
 * A moment matches when the clocks of its time zone show what the fields say: what falls into an hour that is skipped is skipped, what falls into an
 * hour that comes twice comes twice. Where days of the month and days of the week are both given, either will do.
 * Source: the syntax and messages of github.com/robfig/cron v3, as behaviour, which Kubernetes uses.
 */
import { formatTime } from './clock.ts';

export type CronSchedule =
  | {
      readonly kind: 'fields';
      readonly minutes: ReadonlySet<number>;
      readonly hours: ReadonlySet<number>;
      readonly days: ReadonlySet<number>;
      readonly months: ReadonlySet<number>;
      /** 0 is Sunday. */
      readonly weekdays: ReadonlySet<number>;
      /** One of the two says nothing: then both must match, otherwise either. */
      readonly bothDays: boolean;
      /** As the text itself names it (`CRON_TZ=…`). */
      readonly timeZone?: string;
    }
  | { readonly kind: 'every'; readonly seconds: number };

/** `why`: in the words of Kubernetes. */
export type ParsedSchedule =
  | { readonly kind: 'schedule'; readonly schedule: CronSchedule }
  | { readonly kind: 'error'; readonly why: string };

interface Range {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const monthNames = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const ranges: readonly Range[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: monthNames },
  { min: 0, max: 6, names: weekdayNames },
];

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Why a text is no schedule; caught where parsing begins. */
class Unreadable {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export function parseCronSchedule(text: string): ParsedSchedule {
  try {
    return { kind: 'schedule', schedule: parse(text) };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'error', why: error.why };
    throw error;
  }
}

function parse(text: string): CronSchedule {
  if (text === '') throw new Unreadable('empty spec string');
  let rest = text;
  let timeZone: string | undefined;
  if (text.startsWith('TZ=') || text.startsWith('CRON_TZ=')) {
    const space = text.includes(' ') ? text.indexOf(' ') : text.length;
    timeZone = text.slice(text.indexOf('=') + 1, space);
    if (!isTimeZone(timeZone))
      throw new Unreadable(`provided bad location ${timeZone}: unknown time zone ${timeZone}`);
    rest = text.slice(space).trim();
  }
  if (rest.startsWith('@')) {
    if (rest.startsWith('@every ')) return { kind: 'every', seconds: everySeconds(rest) };
    const fields = Object.hasOwn(descriptors, rest) ? descriptors[rest] : undefined;
    if (fields === undefined) throw new Unreadable(`unrecognized descriptor: ${rest}`);
    rest = fields;
  }
  const fields = rest.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== ranges.length)
    throw new Unreadable(
      `expected exactly ${ranges.length} fields, found ${fields.length}: [${fields.join(' ')}]`,
    );
  const [minutes, hours, days, months, weekdays] = fields.map((field, index) =>
    parseField(field, ranges[index] as Range),
  ) as [Field, Field, Field, Field, Field];
  return {
    kind: 'fields',
    minutes: minutes.values,
    hours: hours.values,
    days: days.values,
    months: months.values,
    weekdays: weekdays.values,
    bothDays: days.isStar || weekdays.isStar,
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

interface Field {
  readonly values: ReadonlySet<number>;
  readonly isStar: boolean;
}

/** `1,5-10/2,mon`. */
function parseField(text: string, range: Range): Field {
  const values = new Set<number>();
  let isStar = false;
  for (const part of text.split(',').filter((one) => one !== '')) {
    const { start, end, step, star } = parseRange(part, range);
    for (let value = start; value <= end; value += step) values.add(value);
    isStar ||= star;
  }
  return { values, isStar };
}

function parseRange(text: string, range: Range) {
  const [span = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...more] = span.split('-');
  let star = false;
  let start: number;
  let end: number;
  if (low === '*' || low === '?') {
    [start, end, star] = [range.min, range.max, true];
  } else {
    start = parseValue(low, range);
    if (more.length > 0) throw new Unreadable(`too many hyphens: ${text}`);
    end = high === undefined ? start : parseValue(high, range);
  }
  let step = 1;
  if (moreSteps.length > 0) throw new Unreadable(`too many slashes: ${text}`);
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    if (high === undefined) end = range.max;
    if (step > 1) star = false;
  }
  if (start < range.min)
    throw new Unreadable(`beginning of range (${start}) below minimum (${range.min}): ${text}`);
  if (end > range.max) throw new Unreadable(`end of range (${end}) above maximum (${range.max}): ${text}`);
  if (start > end)
    throw new Unreadable(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new Unreadable(`step of range should be a positive number: ${text}`);
  return { start, end, step, star };
}

function parseValue(text: string, { names }: Range): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 && text !== '' ? named : parseNumber(text);
}

function parseNumber(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    const why = Number.isNaN(value) ? 'invalid syntax' : 'value out of range';
    throw new Unreadable(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`,
    );
  }
  if (value < 0) throw new Unreadable(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

function everySeconds(text: string): number {
  const duration = text.slice('@every '.length);
  const parts = [...duration.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (duration === '' || parts.map(([part]) => part).join('') !== duration)
    throw new Unreadable(
      `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`,
    );
  const seconds = parts.reduce(
    (sum, [, amount = '0', unit = 's']) => sum + Number(amount) * (unitSeconds[unit] ?? 0),
    0,
  );
  return Math.max(1, Math.floor(seconds));
}

/** Whether there is such a zone, written just so. */
export function isTimeZone(name: string): boolean {
  if (!name.split('/').every((part) => /^[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}$/.test(part))) return false;
  if (/^[+\d]/.test(name)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    // Zones may have several names; of one and the same name the case must be right.
    return known.toLowerCase() !== name.toLowerCase() || known === name;
  } catch {
    return false;
  }
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
const yearsMax = 5;

/** The first moment after `afterMs` at which the schedule falls due; undefined when there is none in five years (30 February). */
export function nextTimeMs(schedule: CronSchedule, afterMs: number, timeZone = 'UTC'): number | undefined {
  if (schedule.kind === 'every') return Math.floor(afterMs / 1000) * 1000 + schedule.seconds * 1000;
  const wallOf = wallClock(schedule.timeZone ?? timeZone);
  let ms = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  const lastYear = wallOf(ms).year + yearsMax;
  for (let wall = wallOf(ms); wall.year <= lastYear; wall = wallOf(ms)) {
    if (!schedule.months.has(wall.month) || !isDay(schedule, wall)) ms = nextDayMs(ms, wall, wallOf);
    else if (!schedule.hours.has(wall.hour)) ms += (60 - wall.minute) * minuteMs;
    else if (!schedule.minutes.has(wall.minute)) ms += minuteMs;
    else return ms;
  }
  return undefined;
}

function isDay(schedule: CronSchedule & { kind: 'fields' }, { day, weekday }: Wall): boolean {
  const [ofMonth, ofWeek] = [schedule.days.has(day), schedule.weekdays.has(weekday)];
  return schedule.bothDays ? ofMonth && ofWeek : ofMonth || ofWeek;
}

interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

/** Where the next day begins. Days of 23 hours are overshot: then back; those of 25 are not reached: then the caller comes again. */
function nextDayMs(ms: number, wall: Wall, wallOf: (ms: number) => Wall): number {
  const next = ms + (dayMinutes - wall.hour * 60 - wall.minute) * minuteMs;
  const there = wallOf(next);
  const over = there.hour * 60 + there.minute;
  if (there.day === wall.day || over === 0) return next;
  const back = next - over * minuteMs;
  return wallOf(back).day === there.day ? back : next;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show. */
function wallClock(timeZone: string): (ms: number) => Wall {
  if (timeZone === 'UTC') return (ms) => wallFields(ms);
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(timeZone, format);
  }
  const known = format;
  return (ms) => {
    const parts = Object.fromEntries(known.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return wallFields(Date.UTC(year, month - 1, day, hour, minute));
  };
}

/** RFC 3339 as the clocks of a zone show it: `2026-03-29T03:00:00+02:00`, to the second. */
export function formatTimeIn(ms: number, timeZone = 'UTC'): string {
  const { year, month, day, hour, minute } = wallClock(timeZone)(ms);
  const wholeMinuteMs = Math.floor(ms / minuteMs) * minuteMs;
  const wallMs = Date.UTC(year, month - 1, day, hour, minute) + (ms - wholeMinuteMs);
  const offset = Math.round((wallMs - ms) / minuteMs);
  if (offset === 0) return formatTime(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${formatTime(wallMs).slice(0, -1)}${offset < 0 ? '-' : '+'}${text}`;
}

function wallFields(ms: number): Wall {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    weekday: date.getUTCDay(),
  };
}
