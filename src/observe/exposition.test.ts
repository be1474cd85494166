/** Prometheus' text format, as programs write it and as nobody should: tables and seeded noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaelumError, SeededRandom } from '../lib/index.ts';
import { parseExposition } from './exposition.ts';
import { figuresOf, type Scrape, sourcesOf, sumOf } from './figures.ts';

const all = (): boolean => true;
const read = (text: string) =>
  [...parseExposition(text, all).series.values()].map(({ name, labels, value, isCounter, atMs }) => [
    name,
    { ...labels },
    value,
    isCounter,
    ...(atMs === undefined ? [] : [atMs]),
  ]);

test('parseExposition() reads what programs write', () => {
  const text = [
    '# HELP http_requests_total The total number of HTTP requests.',
    '# TYPE http_requests_total counter',
    'http_requests_total{method="post",code="200"} 1027 1395066363000',
    'http_requests_total{method="post",code="400",}    3',
    '# Escaping in label values:',
    'msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9\r',
    'metric_without_timestamp_and_labels 12.47',
    'something_weird{problem="division by zero"} +Inf -3982045',
    'nothing NaN',
    '',
    '# TYPE rpc_duration_seconds summary',
    'rpc_duration_seconds{quantile="0.99"} 76656',
    'rpc_duration_seconds_count 2693',
    '  indented { le = "+Inf" , a="b" } -.5e-1',
    'last_without_newline{__proto__="x",constructor="y"} 1',
  ].join('\n');
  assert.deepEqual(read(text), [
    ['http_requests_total', { method: 'post', code: '200' }, 1027, true, 1395066363000],
    ['http_requests_total', { method: 'post', code: '400' }, 3, true],
    [
      'msdos_file_access_time_seconds',
      { path: 'C:\\DIR\\FILE.TXT', error: 'Cannot find file:\n"FILE.TXT"' },
      1.458255915e9,
      false,
    ],
    ['metric_without_timestamp_and_labels', {}, 12.47, false],
    ['rpc_duration_seconds', { quantile: '0.99' }, 76656, false],
    ['rpc_duration_seconds_count', {}, 2693, true],
    ['indented', { le: '+Inf', a: 'b' }, -0.05, false],
    [
      'last_without_newline',
      Object.fromEntries([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
      1,
      false,
    ],
  ]);
  const { series, names } = parseExposition(text, (name) => name === 'nothing' || name === 'indented');
  assert.deepEqual([series.size, names.size], [1, 9]);
});

test('parseExposition() refuses the whole text where a line is wrong, and says which', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['ok 1\n{a="b"} 1', /^line 2: a metric has no name/],
    ['ok', /^line 1: a series has no value/],
    ['ok one', /^line 1: a series has no value/],
    ['ok 1 2 3', /^line 1: a series has no value/],
    ['ok{a="b" 1', /^line 1: labels are parted by commas/],
    ['ok{a="b', /^line 1: the value of a label has no end/],
    ['ok{a="b\\t"} 1', /^line 1: only/],
    ['ok{a=b} 1', /^line 1: a label is no name="value"/],
    ['ok{1a="b"} 1', /^line 1: a label is no name="value"/],
    ['ok{a="b"\n,c="d"} 1', /^line 1: labels are parted by commas/],
    ['ok{', /^line 1: labels have no end/],
    [`${'x'.repeat(300)} 1`, /^line 1: a metric has no name, or one too long/],
    [`ok{a="${'x'.repeat(5000)}"} 1`, /^line 1: the value of a label is too long/],
    [
      `ok{${Array.from({ length: 65 }, (_, at) => `a${at}="b"`).join(',')}} 1`,
      /^line 1: more than 64 labels/,
    ],
    [`ok ${' '.repeat(70_000)}1`, /^line 1 is longer than/],
    [
      Array.from({ length: 2001 }, (_, at) => `ok{a="${at}"} 1`).join('\n'),
      /^line 2001: more than 2000 series/,
    ],
    ['ok 1\n'.repeat(100_001), /^more than 100000 lines/],
    ['x'.repeat(5 * 1024 * 1024), /^the text is longer/],
  ];
  for (const [text, expected] of cases)
    assert.throws(
      () => parseExposition(text, all),
      (error: unknown) => error instanceof CaelumError && expected.test(error.message),
      `${text.slice(0, 40)} …`,
    );
});

test('parseExposition() ends quickly on any noise, with series or with a refusal', () => {
  const seed = Number(process.env['CAELUM_SEED'] ?? 20261121);
  const random = new SeededRandom(seed);
  const pieces = [
    'a',
    '_',
    ':',
    '{',
    '}',
    '"',
    '\\',
    ',',
    '=',
    ' ',
    '\t',
    '\n',
    '\r',
    '1',
    '.',
    'e',
    '+',
    '-',
    'NaN',
    '#',
    'TYPE',
    '\u0000',
    'é',
    '\ud800',
  ];
  const before = process.cpuUsage();
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random.integer(60) }, () => pieces[random.integer(pieces.length)]).join(
      '',
    );
    try {
      for (const { value, labels } of parseExposition(text, all).series.values()) {
        assert.ok(Number.isFinite(value));
        assert.equal(Object.getPrototypeOf(labels), null);
      }
    } catch (error) {
      assert.ok(
        error instanceof CaelumError,
        `seed ${seed}, round ${round}: ${JSON.stringify(text)}: ${error}`,
      );
    }
  }
  // No pattern goes back and forth for long.
  for (const long of [
    `a{${'b="c",'.repeat(60)}`,
    `a${' '.repeat(60_000)}`,
    `a ${'1'.repeat(60_000)}x`,
    '#'.repeat(60_000),
    `# TYPE ${' '.repeat(60_000)}`,
  ])
    try {
      parseExposition(long, all);
    } catch (error) {
      assert.ok(error instanceof CaelumError);
    }
  assert.ok(process.cpuUsage(before).user < 5_000_000);
});

const scrape = (seconds: number, text: string): Scrape => ({
  monotonicMs: seconds * 1000,
  atMs: seconds * 1000,
  series: parseExposition(text, all).series,
});

test('figuresOf() takes a series as it is, or how fast its counter grows', () => {
  const before = scrape(100, 'hits_total{a="x"} 10\nhits_total{a="y"} 50\nsize 3\nbytes_count 5\nold 1 1000');
  const last = scrape(
    110,
    'hits_total{a="x"} 30\nhits_total{a="y"} 5\nhits_total{a="z"} 9\nsize 4\nold 1 1000',
  );
  const cases: readonly (readonly [string, Scrape | undefined, readonly number[], number | undefined])[] = [
    ['size', before, [4], undefined],
    ['size', undefined, [4], undefined],
    ['hits_total', before, [30, 5, 9], undefined],
    // The second began anew; of the third there is only one reading.
    ['hits', before, [2, 0.5], 10_000],
    ['hits_per_second', before, [2, 0.5], 10_000],
    ['hits_total_per_second', before, [2, 0.5], 10_000],
    ['hits', undefined, [], undefined],
    ['size_per_second', before, [], undefined],
    ['none', before, [], undefined],
  ];
  for (const [metric, earlier, expected, windowMs] of cases) {
    const figures = figuresOf(metric, last, earlier);
    assert.deepEqual(
      figures.map(({ value }) => value),
      expected,
      metric,
    );
    if (expected.length > 0) assert.equal(figures[0]?.windowMs, windowMs, metric);
  }
  // Measured long before it was told.
  assert.deepEqual(figuresOf('old', scrape(1000, 'old 1 1000'), undefined), []);
  assert.deepEqual(sourcesOf('a_per_second'), { plain: 'a_per_second', counters: ['a', 'a_total'] });
  assert.equal(sumOf([]), undefined);
});
