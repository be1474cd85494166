import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError, SeededRandom } from '../lib/index.ts';
import type { KubeObject } from './object.ts';
import { builtinKinds } from './registry.ts';
import { fieldPredicate, parseFieldTerms, parseLabelSelector, parseLabelTerms } from './selector.ts';

const labels = { app: 'web', tier: 'front', 'example.com/size': '12', empty: '' };

for (const [text, expected] of [
  ['app=web', true],
  ['app==web', true],
  ['app = web', true],
  ['app!=web', false],
  ['zone!=a', true],
  ['app=web,tier=back', false],
  ['app in (web,db)', true],
  [' app in ( db , web ) , tier', true],
  ['app notin (web)', false],
  ['zone notin (a)', true],
  ['zone in (a)', false],
  ['app', true],
  ['!app', false],
  ['!zone', true],
  ['empty', true],
  ['empty=', true],
  ['zone=', false],
  ['empty in (,a)', true],
  ['example.com/size>11', true],
  ['example.com/size<12', false],
  ['app>1', false],
  ['constructor', false],
  ['!constructor', true],
  ['constructor!=x', true],
] as const)
  test(`the label selector "${text}" ${expected ? 'matches' : 'does not match'}`, () => {
    assert.equal(parseLabelSelector(text)?.(labels), expected);
  });

test('an empty label selector is none', () => {
  for (const text of [undefined, '', '  ']) assert.equal(parseLabelSelector(text), undefined);
});

test('objects without labels have none of them', () => {
  assert.equal(parseLabelSelector('a')?.(undefined), false);
  assert.equal(parseLabelSelector('!a')?.(undefined), true);
  assert.equal(parseLabelSelector('a!=b,c notin (d)')?.(undefined), true);
});

const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

for (const [text, message] of [
  ['=a', "found '=', expected: !, identifier, or 'end of string'"],
  ['a=b,', "found '', expected: identifier after ','"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['a=b=c', "found '=', expected: ',' or 'end of string'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a=(b)', "unable to parse requirement: found '(', expected: identifier"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a in (b c)', "unable to parse requirement: found 'c', expected: ',' or ')'"],
  [
    'a in ()',
    "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  ],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['a$=b', `unable to parse requirement: <nil>: Invalid value: "a$": ${namePart}`],
  [
    'a=$',
    `unable to parse requirement: values[0][a]: Invalid value: "$": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
  [
    'a>b',
    `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
] as const)
  test(`the label selector "${text}" is refused`, () => {
    assert.throws(
      () => parseLabelSelector(text),
      (error) => {
        assert.ok(isError(error, 'badRequest'));
        assert.equal(error.message, message);
        return true;
      },
    );
  });

test('parseLabelTerms() reads what was written (property)', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new SeededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
    const blank = (): string => ' '.repeat(random.integer(2));
    const terms = Array.from({ length: 1 + random.integer(4) }, () => ({
      key: pick(['a', 'b.c', 'x.y/z', 'in_a', 'notin-a']),
      operator: pick(['In', 'NotIn', 'Exists', 'DoesNotExist']),
      values: [...new Set([pick(['1', '2']), pick(['2', 'x-y', 'in'])])].sort(),
    }));
    const texts = terms.map(({ key, operator, values }) => {
      if (operator === 'Exists') return key;
      if (operator === 'DoesNotExist') return `!${blank()}${key}`;
      const list = values
        .toReversed()
        .map((value) => blank() + value + blank())
        .join(',');
      return `${key} ${operator.toLowerCase()} ${blank()}(${list})`;
    });
    const text = texts.join(`${blank()},${blank()}`);
    assert.deepEqual(
      parseLabelTerms(text).map(({ key, operator, values }) => ({ key, operator, values })),
      terms.map(({ key, operator, values }) => ({
        key,
        operator,
        values: operator.endsWith('In') ? values : undefined,
      })),
      `seed ${seed}: ${text}`,
    );
  }
});

test('parseLabelSelector() refuses nonsense with badRequest and nothing else (property)', () => {
  const parts = ['a', 'b/c', '=', '!=', '==', '!', '(', ')', ',', ' in ', ' notin ', '<', '>', ' ', '$', '1'];
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new SeededRandom(seed);
    const text = Array.from({ length: random.integer(8) }, () => parts[random.integer(parts.length)]).join(
      '',
    );
    try {
      const matched = parseLabelSelector(text)?.(labels);
      assert.ok(matched === undefined || typeof matched === 'boolean', `seed ${seed}`);
    } catch (error) {
      assert.ok(isError(error, 'badRequest'), `seed ${seed}: ${text}: ${String(error)}`);
    }
  }
});

const pods = builtinKinds.byResource('', 'v1', 'pods');
const leases = builtinKinds.byResource('coordination.k8s.io', 'v1', 'leases');
assert.ok(pods && leases);
const pod = {
  metadata: { name: 'web', namespace: 'default' },
  spec: { nodeName: 'n1', containers: [] },
  status: { phase: 'Running' },
} as KubeObject;

for (const [text, expected] of [
  ['metadata.name=web', true],
  ['metadata.name==web,metadata.namespace=default', true],
  ['metadata.name!=web', false],
  ['spec.nodeName=n1,status.phase!=Failed', true],
  ['spec.nodeName=', false],
  ['status.nominatedNodeName=', true],
  ['spec.hostNetwork=false', true],
  [',metadata.name=web,', true],
  ['metadata.name=w\\,b', false],
] as const)
  test(`the field selector "${text}" ${expected ? 'matches' : 'does not match'}`, () => {
    assert.equal(fieldPredicate(parseFieldTerms(text, pods), pods)?.(pod), expected);
  });

test('an empty field selector is none', () => {
  for (const text of [undefined, '', ','])
    assert.equal(fieldPredicate(parseFieldTerms(text, pods), pods), undefined);
});

test('values are read without their backslashes', () => {
  assert.deepEqual(parseFieldTerms('metadata.name=a\\,b\\=c\\\\d', pods), [
    { path: 'metadata.name', operator: '=', value: 'a,b=c\\d' },
  ]);
});

for (const [text, kind, message] of [
  ['spec.foo=1', pods, 'field label not supported: spec.foo'],
  ['constructor=1', pods, 'field label not supported: constructor'],
  [
    'spec.holderIdentity=1',
    leases,
    '"spec.holderIdentity" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  ['metadata.name', pods, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ['metadata.name=a\\b', pods, 'invalid field selector: invalid escape sequence: \\b'],
] as const)
  test(`the field selector "${text}" of ${kind.resource} is refused`, () => {
    assert.throws(() => parseFieldTerms(text, kind), { code: 'badRequest', message });
  });
