import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { compile } from './compile.ts';
import { dyn, int, listOf, string } from './type.ts';

const pieces =
  `1 -1 2u 1.5 0x1f 9223372036854775807 "a" 'b' r"\\d" b"x" """q""" true false null self l s n x y foo in ( ) [ ] { } . , ? : ?. [? + - * / % ! == != < <= > >= && || .all( .exists( .map( .filter( .size() has( self.a self.b.c [1,2] {"a":1} optional.none() .orValue( cel.bind( .transformMap( // # \\ \` " ' \u00e4 \ud800 \n quantity( .format( .matches( duration( type( dyn(`.split(
    ' ',
  );

test('compile() and evaluate() answer for any source whatever', (context) => {
  const seed = Number(process.env['CEL_SEED'] ?? 20260101);
  context.diagnostic(`CEL_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const variables = { self: dyn, l: listOf(int), s: string, n: int };
  const bindings = { self: { a: 1, b: { c: [1, 'x', null, { d: 2.5 }] } }, l: [3, 1], s: 'text', n: 4 };
  let compiled = 0;
  for (let round = 0; round < 20_000; round++) {
    const length = 1 + random.integer(12);
    const source = Array.from({ length }, () => pieces[random.integer(pieces.length)]).join(
      random.float() < 0.5 ? '' : ' ',
    );
    const { program, problems } = compile(source, { variables });
    if (program === undefined) {
      assert.ok(problems.length > 0, source);
      for (const { line, column } of problems) assert.ok(line >= 1 && column >= 1, source);
      continue;
    }
    compiled++;
    const { cost } = program.evaluate(bindings, { costLimit: 10_000 });
    assert.ok(cost >= 0, source);
  }
  assert.ok(compiled > 500, `only ${compiled} were expressions at all`);
});

test('compile() answers for what is deep, wide or long', () => {
  const variables = { n: int };
  for (const source of [
    '('.repeat(50_000),
    '['.repeat(50_000),
    '{1:'.repeat(20_000),
    '!'.repeat(90_000),
    '-'.repeat(90_000),
    `n${'+n'.repeat(45_000)}`,
    `n${'.a'.repeat(45_000)}`,
    `n${'[0]'.repeat(30_000)}`,
    `n == 1${' && n == 1'.repeat(9_000)}`,
    'n ? '.repeat(20_000),
    `${'[1].map(x, '.repeat(3_000)}1${')'.repeat(3_000)}`,
    'a'.repeat(200_000),
    '"'.repeat(99_999),
  ]) {
    const { problems = [] } = compile(source, { variables });
    assert.ok(problems.length > 0 || source.startsWith('n =='), source.slice(0, 20));
  }
});

test('evaluate() makes and looks at no more than it may, however parts are shared', () => {
  const doubling = (start: string, next: string, last: string, rounds = 40) =>
    `cel.bind(x, ${start}, ${`cel.bind(x, ${next}, `.repeat(rounds)}${last}${')'.repeat(rounds + 1)}`;
  const text = 'a'.repeat(1_000_000);
  for (const source of [
    doubling('"aa"', 'x + x', 'x.size() > 0'),
    doubling('[1]', 'x + x', 'x.size() > 0'),
    doubling('dyn([1])', 'dyn([x, x])', `x == ${doubling('dyn([1])', 'dyn([x, x])', 'x')}`),
    doubling('dyn([1])', 'dyn([x, x])', 'x in [x] || "%s".format([x]) == ""'),
    doubling('"a"', '"%s%s".format([x, x])', 'x != ""'),
    doubling('"a"', 'x.replace("", x)', 'x != ""', 10),
    doubling('["a"]', '[x.join(x.join()), x.join(x.join())]', 'true'),
    's.matches("^(a{1000})*b$")',
    's.replace("a", s) == ""',
    's.split("").map(c, s).join() == ""',
  ]) {
    const { program, text: why } = compile(source, { variables: { s: string } });
    assert.ok(program !== undefined, why ?? '');
    const before = process.cpuUsage();
    program.evaluate({ s: text }, { costLimit: 1_000_000 });
    const { user } = process.cpuUsage(before);
    assert.ok(user < 3_000_000, `${source.slice(0, 60)}: ${user} µs`);
  }
});
