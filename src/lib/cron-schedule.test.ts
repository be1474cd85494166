import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTimeIn, isTimeZone, nextTimeMs, parseCronSchedule } from './cron-schedule.ts';

const next = (text: string, after: string, timeZone?: string): string | undefined => {
  const parsed = parseCronSchedule(text);
  assert.equal(parsed.kind, 'schedule', JSON.stringify(parsed));
  if (parsed.kind !== 'schedule') return undefined;
  const ms = nextTimeMs(parsed.schedule, Date.parse(after), timeZone);
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
};

for (const [text, after, expected, timeZone] of [
  ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  ['* * * * *', '2026-01-01T00:00:30.5Z', '2026-01-01T00:01:00Z'],
  ['*/15 * * * *', '2026-01-01T00:15:00Z', '2026-01-01T00:30:00Z'],
  ['5-7/2,40 3 * * *', '2026-01-01T03:06:00Z', '2026-01-01T03:07:00Z'],
  ['50/5 * * * *', '2026-01-01T00:56:00Z', '2026-01-01T01:50:00Z'],
  ['0 6 * * mon-fri', '2026-01-02T06:00:00Z', '2026-01-05T06:00:00Z'],
  ['0 0 31 * *', '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z'],
  ['0 0 29 Feb *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
  // Either day will do.
  ['0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['0 0 13 * fri', '2026-01-09T00:00:00Z', '2026-01-13T00:00:00Z'],
  ['0 0 13 * ?', '2026-01-01T00:00:00Z', '2026-01-13T00:00:00Z'],
  ['@daily', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['@every 1h30m', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z'],
  ['@every 10ms', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'],
  ['0 6 * * *', '2026-01-01T00:00:00Z', '2026-01-01T05:00:00Z', 'Europe/Berlin'],
  ['TZ=Asia/Tokyo 0 6 * * *', '2026-01-01T00:00:00Z', '2026-01-01T21:00:00Z'],
  // In spring 2:30 is not there; in autumn it is there twice.
  ['30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00Z', 'Europe/Berlin'],
  ['30 2 * * *', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z', 'Europe/Berlin'],
  ['30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', 'Europe/Berlin'],
  ['0 0 * * *', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'Europe/Berlin'],
  // Midnight itself is skipped there.
  ['0 0 * * sun', '2026-09-05T12:00:00Z', '2026-09-13T03:00:00Z', 'America/Santiago'],
] as const)
  test(`nextTimeMs() of "${text}" after ${after}${timeZone === undefined ? '' : ` in ${timeZone}`}`, () => {
    assert.equal(next(text, after, timeZone), expected);
  });

for (const [text, why] of [
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['0 * * * * *', 'expected exactly 5 fields, found 6: [0 * * * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['-1 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
  ['@fortnightly', 'unrecognized descriptor: @fortnightly'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ['TZ=Mars/Olympus * * * * *', 'provided bad location Mars/Olympus: unknown time zone Mars/Olympus'],
] as const)
  test(`parseCronSchedule() refuses "${text}"`, () => {
    assert.deepEqual(parseCronSchedule(text), { kind: 'error', why });
  });

test('isTimeZone() knows zones by their names, written just so', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'US/Eastern', 'Etc/GMT+1', 'America/Argentina/Buenos_Aires'])
    assert.equal(isTimeZone(name), true, name);
  for (const name of ['', 'europe/berlin', 'Nowhere', '+01:00', '../UTC', 'Europe//Berlin'])
    assert.equal(isTimeZone(name), false, name);
});

for (const [ms, zone, text] of [
  [Date.UTC(2026, 0, 1, 4, 30), 'UTC', '2026-01-01T04:30:00Z'],
  [Date.UTC(2026, 0, 1, 4, 30), 'Europe/London', '2026-01-01T04:30:00Z'],
  [Date.UTC(2026, 6, 1, 4, 30), 'Europe/London', '2026-07-01T05:30:00+01:00'],
  [Date.UTC(2026, 0, 1, 4, 30, 15), 'America/St_Johns', '2026-01-01T01:00:15-03:30'],
  [Date.UTC(2025, 11, 31, 23), 'Asia/Kolkata', '2026-01-01T04:30:00+05:30'],
] as const)
  test(`formatTimeIn() of ${zone} shows ${text}`, () => {
    assert.equal(formatTimeIn(ms, zone), text);
  });
