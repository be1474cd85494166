import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from './compile.ts';
import { outcome } from './test-expressions.ts';
import { bool, dyn, int, listOf, mapOf, objectOf, string } from './type.ts';

function holds(
  table: readonly (readonly [source: string, wanted: string])[],
  run = (source: string) => outcome(source),
): void {
  for (const [source, wanted] of table) assert.equal(run(source), wanted, source);
}

test('evaluate() computes numbers of each type, and refuses what goes beyond them', () => {
  holds([
    ['1 + 2 * 3 - 4 / 2 % 3', '5'],
    ['-7 / 2', '-3'],
    ['-7 % 3', '-1'],
    ['7.0 / 2.0', '3.5'],
    ['1u + 2u', '3'],
    ['0x1F + 0', '31'],
    ['1e3 + .5', '1000.5'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807 - 1', '9223372036854775806'],
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ['-9223372036854775808 - 1', 'error: integer overflow'],
    ['9223372036854775807 * 2', 'error: integer overflow'],
    ['-(-9223372036854775808)', 'error: integer overflow'],
    ['-9223372036854775808 / -1', 'error: integer overflow'],
    ['0u - 1u', 'error: unsigned integer overflow'],
    ['9007199254740993 == 9007199254740992', 'false'],
    ['9007199254740992 + 1 == 9007199254740993', 'true'],
    ['1 / 0', 'error: division by zero'],
    ['1 % 0', 'error: modulus by zero'],
    ['1u / 0u', 'error: division by zero'],
    ['1.0 / 0.0 > 1e300', 'true'],
    ['0 * -5', '0'],
    ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal'],
    ['int(1e19)', 'error: integer overflow'],
    ['int(-1.9)', '-1'],
    ['uint(-1)', 'error: unsigned integer overflow'],
    ['double(3) / 2.0', '1.5'],
    ['string(1.0)', '"1"'],
    ['string(dyn(2.0) / dyn(4.0))', '"0.5"'],
    ['dyn(1) / dyn(2)', '0'],
    ['dyn(1) + dyn(1.0)', 'error: no such overload'],
  ]);
});

test('evaluate() compares across types of numbers, and nothing else', () => {
  holds([
    ['1 < 1.5 && 2u > 1 && 1.0 <= 1u', 'true'],
    ['dyn(1) == 1.0 && dyn(1u) == 1', 'true'],
    ['dyn(1) == "1"', 'false'],
    ['1 == 1.0', "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, double)'"],
    ['"a" < 1', "ERROR: <input>:1:5: found no matching overload for '_<_' applied to '(string, int)'"],
    ['dyn("a") < 1', 'error: no such overload'],
    ['"a" < "b" && "a" < "aa" && "Z" < "a"', 'true'],
    ['"\\U0001F600" > "\\uffee"', 'true'],
    ['b"a" < b"b" && false < true', 'true'],
    ['[1, 2] == [1, 2] && [1] != [2]', 'true'],
    [
      '{"a": [1], 1 + 1: [2]} == {2: [2], "a": [1]}',
      "ERROR: <input>:1:14: expected type 'string' but found 'int'",
    ],
    ['{"a": 1} == {"a": 1} && {"a": 1} != {"b": 1}', 'true'],
    ['dyn({1: 2}) == dyn({1u: 2.0})', 'true'],
    ['null == null', 'true'],
    ['1.0 / 0.0 - 1.0 / 0.0 == 0.0', 'false'],
  ]);
});

test('evaluate() lets the side decide that can, whatever the other one fails with', () => {
  holds([
    ['false && 1 / 0 > 0', 'false'],
    ['1 / 0 > 0 && false', 'false'],
    ['1 / 0 > 0 || true', 'true'],
    ['1 / 0 > 0 || false', 'error: division by zero'],
    ['true ? 1 : 1 / 0', '1'],
    ['[1, 0].exists(x, 1 / x == 1)', 'true'],
    ['[0, 1].exists(x, 1 / x == 1)', 'true'],
    ['[0, 2].exists(x, 1 / x == 1)', 'error: division by zero'],
    ['[0, 2].all(x, 1 / x == 1)', 'false'],
    ['!dyn(1)', 'error: no such overload'],
    ['dyn(1) && true', 'error: no such overload'],
    ['1 && true', "ERROR: <input>:1:3: found no matching overload for '_&&_' applied to '(int, bool)'"],
  ]);
});

test('evaluate() reads texts, bytes and their escapes', () => {
  holds([
    [String.raw`'\u00e4\x41\101\n\'' == "äAA\n'"`, 'true'],
    ["r'\\n' == '\\\\n'", 'true'],
    ["'''a'b\nc''' == \"a'b\\nc\"", 'true'],
    ["size('\\U0001F600a')", '2'],
    ["b'\\xff\\101'", '"/0E="'],
    ["size(b'ä')", '2'],
    ['"a', `ERROR: <input>:1:1: Syntax error: token recognition error at: '"a'`],
    ["'\\q'", 'ERROR: <input>:1:1: invalid escape in a text'],
    ["string(b'\\xff')", 'error: invalid UTF-8 in bytes, cannot convert to string'],
  ]);
});

test('evaluate() goes through lists and maps', () => {
  holds([
    ['[1, 2, 3].map(x, x * 2)', '[2,4,6]'],
    ['[1, 2, 3].map(x, x > 1, x * 2)', '[4,6]'],
    ['[1, 2, 3].filter(x, x % 2 == 1)', '[1,3]'],
    ['[1, 2, 2].exists_one(x, x == 1) && ![1, 2, 2].exists_one(x, x == 2)', 'true'],
    ['{"a": 1, "b": 2}.all(k, k in ["a", "b"])', 'true'],
    ['{"a": 1}.map(k, k + "!")', '["a!"]'],
    ['[[1], [2, 3]].map(x, x.map(y, y + size(x)))', '[[2],[4,5]]'],
    ['[5, 6].all(i, v, v == i + 5)', 'true'],
    ['{"a": 1}.exists(k, v, k == "a" && v == 1)', 'true'],
    ['["a", "b"].transformList(i, v, string(i) + v)', '["0a","1b"]'],
    ['{"a": 1, "b": 2}.transformMap(k, v, v > 1, v * 10)', '{"b":20}'],
    ['["a"].transformMapEntry(i, v, {v: i})', '{"a":0}'],
    ['["a", "a"].transformMapEntry(i, v, {v: i})', 'error: Failed with repeated key "a"'],
    ['1 in [1, 2] && !("c" in {"a": 1})', 'true'],
    ['[1, 2][2]', 'error: index out of bounds: 2'],
    ['{"a": 1}["b"]', 'error: no such key: b'],
    ['{"a": {"b": 1}}.a.b', '1'],
    ['{1: "a", true: "b"}', "ERROR: <input>:1:10: expected type 'int' but found 'bool'"],
    ['{"a": 1, "a": 2}', 'error: Failed with repeated key "a"'],
    ['[] + [1]', '[1]'],
    ['cel.bind(x, [1, 2], x + x)', '[1,2,1,2]'],
    [
      '1.all(x, x)',
      "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    ],
    ['[1].all(1, true)', 'ERROR: <input>:1:9: argument must be a simple name'],
    ['[1].map(x, y)', "ERROR: <input>:1:12: undeclared reference to 'y' (in container '')"],
    ['[1].map(x, x) + [x]', "ERROR: <input>:1:18: undeclared reference to 'x' (in container '')"],
  ]);
});

test('evaluate() knows optional values', () => {
  const variables = { o: dyn, m: mapOf(string, int), l: listOf(int) };
  const bindings = { o: { a: { b: 1 } }, m: { x: 7 }, l: [3] };
  holds(
    [
      ['o.?a.b', 'some 1'],
      ['o.?z.b', 'none'],
      ['o.?a.?z.orValue(5)', '5'],
      ['m[?"x"].orValue(0) + m[?"y"].orValue(1)', '8'],
      ['l[?0].hasValue() && !l[?1].hasValue()', 'true'],
      ['optional.of(1).optMap(x, x + 1)', 'some 2'],
      ['optional.none().optMap(x, x)', 'none'],
      ['l[?0].optFlatMap(x, m[?"x"])', 'some 7'],
      ['optional.of(1).orValue(1 / 0)', '1'],
      ['optional.none().or(optional.of(2)).value()', '2'],
      ['optional.none().value()', 'error: optional.none() dereference'],
      ['[?m[?"x"], ?m[?"y"]]', '[7]'],
      ['{?"a": m[?"x"], ?"b": m[?"y"]}', '{"a":7}'],
      ['optional.ofNonZeroValue("") == optional.none()', 'true'],
      ['has(o.?a.b)', 'true'],
      [
        'm[?"x"] + 1',
        "ERROR: <input>:1:9: found no matching overload for '_+_' applied to '(optional_type(int), int)'",
      ],
    ],
    (source) => outcome(source, { variables }, bindings),
  );
});

test('compile() tells syntax errors with their place', () => {
  holds([
    [
      '1 +',
      "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
    ['(1', "ERROR: <input>:1:3: Syntax error: missing ')' at '<EOF>'"],
    ['1 2', "ERROR: <input>:1:3: Syntax error: mismatched input '2' expecting <EOF>"],
    ['true\n  && #', "ERROR: <input>:2:6: Syntax error: token recognition error at: '#'"],
    ['package', 'ERROR: <input>:1:1: reserved identifier: package'],
    ['has(1)', 'ERROR: <input>:1:5: invalid argument to has() macro'],
    [`${'('.repeat(400)}1`, 'ERROR: <input>:1:251: expression recursion limit exceeded: 250'],
  ]);
  const { text } = compile('self.ä\n  + 1', { variables: {} });
  assert.equal(
    text,
    "compilation failed: ERROR: <input>:1:6: Syntax error: token recognition error at: 'ä'\n | self.ä\n | .....^\nERROR: <input>:2:3: Syntax error: no viable alternative at input '.+'\n |   + 1\n | ..^",
  );
});

test('compile() tells type errors as the reference implementation does', () => {
  const variables = { n: int, o: objectOf('Pod', { spec: objectOf('Spec', { replicas: int }) }), d: dyn };
  holds(
    [
      ['foo', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')"],
      ['o.spek', "ERROR: <input>:1:2: undefined field 'spek'"],
      ['o.spec.replicas.x', "ERROR: <input>:1:16: type 'int' does not support field selection"],
      ['n.foo()', "ERROR: <input>:1:6: undeclared reference to 'foo' (in container '')"],
      ['n + "a"', "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'"],
      [
        'n.startsWith("a")',
        `ERROR: <input>:1:13: found no matching overload for 'startsWith' applied to 'int.(string)'`,
      ],
      ['size(n)', "ERROR: <input>:1:5: found no matching overload for 'size' applied to '(int)'"],
      [
        'n ? 1 : 2',
        "ERROR: <input>:1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'",
      ],
      ['n[0]', "ERROR: <input>:1:2: found no matching overload for '_[_]' applied to '(int, int)'"],
      ['[n, "a"]', "ERROR: <input>:1:5: expected type 'int' but found 'string'"],
      ['duration("1x")', 'ERROR: <input>:1:10: invalid duration argument'],
      ['d.a.b.c == n', 'error: no such key: a'],
      ['Foo{a: 1}', "ERROR: <input>:1:4: undeclared reference to 'Foo' (in container '')"],
      ['o == null', 'false'],
      ['n == null', "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, null)'"],
    ],
    (source) => outcome(source, { variables }, { n: 1, o: {}, d: {} }),
  );
  assert.equal(outcome('n', { variables, result: bool }), 'must evaluate to bool');
  assert.equal(outcome('d.x', { variables, result: bool }), 'must evaluate to bool');
  assert.equal(outcome('n', { variables, result: [bool, string] }), 'must evaluate to one of [bool string]');
});

test('compile() makes objects of the types that it is given, and only of those', () => {
  const objects = (name: string) =>
    name === 'Object' ? objectOf('Object', { spec: dyn, name: string }, true) : undefined;
  const run = (source: string) => outcome(source, { variables: {}, objects });
  assert.equal(run('Object{spec: {"a": 1}, ?name: optional.none()}'), '{"spec":{"a":1}}');
  assert.equal(run('Object{nope: 1}'), "ERROR: <input>:1:12: undefined field 'nope'");
  assert.equal(
    run('Object{name: 1}'),
    "ERROR: <input>:1:12: expected type of field 'name' is 'string' but provided type is 'int'",
  );
});

test('evaluate() stops at the cost limit, and nothing absorbs that', () => {
  const l = Array.from({ length: 1000 }, (_, index) => index);
  const run = (source: string, limit: number) =>
    outcome(source, { variables: { l: listOf(int) } }, { l }, limit);
  const over = 'error: operation cancelled: actual cost limit exceeded';
  assert.equal(run('l.all(x, l.all(y, x + y >= 0))', 100_000), over);
  assert.equal(run('l.all(x, l.all(y, x + y >= 0)) || true', 100_000), over);
  assert.equal(run('l.all(x, x >= 0)', 100_000), 'true');
  const { program } = compile('l.all(x, x >= 0)', { variables: { l: listOf(int) } });
  const evaluation = program?.evaluate({ l }, { costLimit: 10 });
  assert.equal(evaluation?.isOverLimit, true);
});

test('costMax bounds what a run costs, whatever the sizes within the bounds', () => {
  const variables = { l: listOf({ kind: 'string', maxSize: 20 }, 10), m: mapOf(string, int, 5), n: int };
  const bindings = {
    l: Array.from({ length: 10 }, (_, index) => 'x'.repeat(20 - index)),
    m: { a: 1, b: 2, c: 3, d: 4, e: 5 },
    n: 3,
  };
  for (const source of [
    'l.all(x, x.size() > 3 && x.contains("xx"))',
    'l.exists(x, l.all(y, x == y))',
    'l.map(x, x + x).filter(x, x.matches("x+y"))',
    'l.join(",").split(",").size() == n',
    'm.all(k, m[k] > n || k in l)',
    'm.transformMap(k, v, v * n) == m',
    'l.isSorted() ? l[0] : l[1].substring(1)',
    'sets.intersects(l, ["a", "b"])',
  ]) {
    const { program, text } = compile(source, { variables });
    assert.ok(program !== undefined, `${source}: ${text}`);
    const { cost, error } = program.evaluate(bindings);
    assert.equal(error, undefined, source);
    assert.ok(cost <= program.costMax, `${source}: ${cost} of ${program.costMax}`);
    assert.ok(program.costMax < 20_000, `${source}: ${program.costMax}`);
  }
});

test('uses names the variables of the environment, not those of loops', () => {
  const { program } = compile('self.all(x, x > 0 && oldSelf.size() > 0)', {
    variables: { self: listOf(int), oldSelf: listOf(int), other: int },
  });
  assert.deepEqual([...(program?.uses ?? [])].sort(), ['oldSelf', 'self']);
});
