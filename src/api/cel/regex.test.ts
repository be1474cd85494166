import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { compileRegex, regexProblem } from './regex.ts';

test('compileRegex() finds as the platform does, for every pattern that both understand', (context) => {
  const seed = Number(process.env['REGEX_SEED'] ?? 20260101);
  context.diagnostic(`REGEX_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
  const atoms = ['a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '(?:)', '\u00e4'];
  const pattern = (depth: number): string => {
    switch (random.integer(depth <= 0 ? 1 : 6)) {
      case 1:
        return pattern(depth - 1) + pattern(depth - 1);
      case 2:
        return `(${pattern(depth - 1)}|${pattern(depth - 1)})`;
      case 3:
        return `(?:${pattern(depth - 1)})${pick(['*', '+', '?', '{1,2}', '{2}', '{0,2}'])}${pick(['', '', '?'])}`;
      case 4:
        return pattern(depth - 1) + pick(atoms);
      default:
        return pick(atoms);
    }
  };
  for (let round = 0; round < 20_000; round++) {
    const source = pattern(4);
    const text = Array.from({ length: random.integer(8) }, () =>
      pick(['a', 'b', 'c', ' ', '\n', '\u00e4']),
    ).join('');
    // Beyond the basic plane the platform itself errs (`/[^a]$/u` finds nothing in one such character).
    // Where a loop's body may be empty, the two differ in which empty round they count: only whether there is a match is compared.
    const theirs = new RegExp(source, 'u').exec(text);
    const ours = compileRegex(source).find(text);
    const message = `${JSON.stringify(source)} in ${JSON.stringify(text)}`;
    assert.equal(ours === undefined, theirs === null, message);
    assert.equal(compileRegex(source).test(text), theirs !== null, message);
    if (theirs !== null) assert.equal(ours?.start, theirs.index, message);
    if (theirs !== null && !/[*+?}]/.test(source))
      assert.equal(text.slice(ours?.start, ours?.end), theirs[0], message);
  }
});

test('compileRegex() prefers what RE2 prefers', () => {
  for (const [pattern, text, wanted] of [
    ['a|ab', 'ab', 'a'],
    ['ab|a', 'ab', 'ab'],
    ['a+', 'caaa', 'aaa'],
    ['a+?', 'caaa', 'a'],
    ['(?U)a+', 'caaa', 'a'],
    ['a{2,3}', 'aaaa', 'aaa'],
    ['(?i)KELVIN', '\u212aelvin', '\u212aelvin'],
    ['(?i:a)b', 'Ab', 'Ab'],
    ['(?m)^b$', 'a\nb\nc', 'b'],
    ['\\Qa.b\\E', 'xa.b', 'a.b'],
    ['[[:alpha:]]+[^[:^digit:]]', 'ab1', 'ab1'],
    ['\\p{Greek}+\\pN', 'abγδ5', 'γδ5'],
    ['[\\d\\-a]+', 'x-a1', '-a1'],
    ['x\\x{41}\\x42\\101\\t', 'xABA\t', 'xABA\t'],
    ['{', 'a{', '{'],
    ['a{,2}', 'a{,2}', 'a{,2}'],
    ['[]a]+', 'x]a', ']a'],
    ['(?P<name>a)(?<other>b)', 'ab', 'ab'],
    ['', 'a', ''],
    ['.$', 'a\u{1f600}', '\u{1f600}'],
  ] as const) {
    const found = compileRegex(pattern).find(text);
    assert.equal(found === undefined ? undefined : text.slice(found.start, found.end), wanted, pattern);
  }
});

test('regexProblem() refuses what RE2 does not have', () => {
  for (const [pattern, why] of [
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['(', 'missing closing ): `(`'],
    [')', 'unexpected ): `)`'],
    ['[a', 'missing closing ]: `[a`'],
    ['*', 'missing argument to repetition operator: `*`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['(a{100}){100}', 'invalid repeat count: `{100}`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['\\', 'trailing backslash at end of expression: ``'],
    ['\\y', 'invalid escape sequence: `\\y`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
    ['('.repeat(1000), 'expression nests too deeply'],
  ] as const)
    assert.equal(regexProblem(pattern), `error parsing regexp: ${why}`, pattern.slice(0, 20));
});

test('compileRegex() takes time that grows with the text, whatever the pattern', () => {
  const text = `${'a'.repeat(20_000)}b`;
  for (const pattern of [
    '^(a+)+$',
    '^(a|a)*$',
    'a*a*a*a*a*c',
    `^${'(a?)'.repeat(30)}${'a'.repeat(30)}c`,
    '(x+x+)+y',
    '([a-z]+)*[0-9]',
  ]) {
    const before = process.cpuUsage();
    assert.equal(compileRegex(pattern).test(text), false, pattern);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 2_000_000, `${pattern}: ${user} µs`);
  }
});
