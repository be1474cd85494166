import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../lib/index.ts';
import { type Command, helpFor, parseArguments } from './arguments.ts';
import { formatBytes, formatDuration, formatNumber, textTable } from './text.ts';

const command: Command = {
  name: 'try',
  summary: 'Tries.',
  words: 'KIND NAME',
  wordCount: { min: 1, max: 2 },
  options: [
    { name: 'data', value: 'DIR', help: 'where' },
    { name: 'output', short: 'o', value: 'FORMAT', help: 'how' },
    { name: 'api-port', value: 'PORT', help: 'port' },
    { name: 'purge', help: 'all' },
  ],
};

test('parseArguments() reads words, flags and values in any order and spelling', () => {
  const parsed = parseArguments(command, [
    'pod',
    '--data',
    '/x',
    '-o',
    'json',
    '--api-port=7',
    '--purge',
    'web',
  ]);
  assert.deepEqual(parsed.words, ['pod', 'web']);
  assert.equal(parsed.value('data'), '/x');
  assert.deepEqual(parseArguments(command, ['a', '--data', 'x', '--data=y']).values('data'), ['x', 'y']);
  assert.equal(parsed.value('output'), 'json');
  assert.equal(parsed.integer('api-port', 1, 65535), 7);
  assert.ok(parsed.flag('purge'));
  assert.ok(!parsed.has('help'));
  assert.deepEqual(parseArguments(command, ['--', '--odd']).words, ['--odd']);
});

for (const [argv, message] of [
  [['pod', '--dta', '/x'], /unknown option "--dta" \(did you mean "--data"\?\)/],
  [['pod', '--data'], /wants a value: --data DIR/],
  [['pod', '--purge=yes'], /takes no value/],
  [[], /it wants KIND NAME/],
  [['a', 'b', 'c'], /unexpected "c"/],
] as const) {
  test(`parseArguments() refuses ${JSON.stringify(argv)}`, () => {
    assert.throws(
      () => parseArguments(command, argv),
      (error) => isError(error, 'usage') && message.test(error.message),
    );
  });
}

test('integer() refuses what is no whole number in range', () => {
  const parsed = parseArguments(command, ['pod', '--api-port', '70000']);
  assert.throws(() => parsed.integer('api-port', 1, 65535), /whole number from 1 to 65535, not "70000"/);
});

test('helpFor() shows every option', () => {
  const help = helpFor(command);
  for (const word of ['--data DIR', '-o, --output FORMAT', '--purge', '-h, --help'])
    assert.ok(help.includes(word), word);
});

test('figures are shown for people', () => {
  assert.equal(formatBytes(512), '512 B');
  assert.equal(formatBytes(1536 * 1024), '1.5 MiB');
  assert.equal(formatDuration(900), '0.9 s');
  assert.equal(formatDuration(180_000), '3 min');
  assert.equal(formatNumber(12345.6), '12 346');
  assert.equal(formatNumber(0.83012), '0.8301');
  assert.equal(textTable(['A', 'BB'], [['xxx', 'y']]), 'A     BB\nxxx   y\n');
});
