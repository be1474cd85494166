import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { jsonPatch } from './json-patch.ts';

const vectors = new URL('../../../../shared/data/json-patch/', import.meta.url);
const skip = existsSync(vectors) ? false : 'shared/data/json-patch is absent';

interface Vector {
  readonly comment?: string;
  readonly doc?: unknown;
  readonly patch?: unknown;
  readonly expected?: unknown;
  readonly error?: string;
  readonly disabled?: boolean;
}

for (const file of ['tests.json', 'spec_tests.json']) {
  test(`jsonPatch() passes the vectors of ${file}`, { skip }, () => {
    const all = JSON.parse(readFileSync(new URL(file, vectors), 'utf8')) as Vector[];
    for (const [index, vector] of all.entries()) {
      if (vector.patch === undefined || vector.disabled === true) continue;
      const name = `${index}: ${vector.comment ?? JSON.stringify(vector.patch)}`;
      const before = structuredClone(vector.doc);
      if (vector.error !== undefined) {
        assert.throws(
          () => jsonPatch(vector.doc, vector.patch),
          (error) => isError(error, 'invalid', 'badRequest'),
          name,
        );
      } else {
        const result = jsonPatch(vector.doc, vector.patch);
        if (Object.hasOwn(vector, 'expected')) assert.deepEqual(result, vector.expected, name);
      }
      assert.deepEqual(vector.doc, before, `${name}: the original is untouched`);
    }
  });
}

const cases: readonly [
  name: string,
  doc: unknown,
  patch: unknown,
  outcome: { value: unknown } | { why: RegExp },
][] = [
  ['adds a key', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { value: { a: 1, b: 2 } }],
  ['escapes ~1 and ~0', {}, [{ op: 'add', path: '/a~1b~0c', value: 1 }], { value: { 'a/b~c': 1 } }],
  ['inserts into a list', [1, 3], [{ op: 'add', path: '/1', value: 2 }], { value: [1, 2, 3] }],
  ['moves', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { value: { b: 1 } }],
  [
    'keeps __proto__ a plain key',
    {},
    [{ op: 'add', path: '/__proto__', value: 1 }],
    { value: JSON.parse('{"__proto__":1}') },
  ],
  [
    'refuses a failed test',
    { a: 1 },
    [{ op: 'test', path: '/a', value: 2 }],
    { why: /^testing value \/a failed/ },
  ],
  ['refuses to remove what is not there', {}, [{ op: 'remove', path: '/a' }], { why: /nonexistent key: a/ }],
  [
    'refuses to replace what is not there',
    {},
    [{ op: 'replace', path: '/a', value: 1 }],
    { why: /missing key: \/a/ },
  ],
  [
    'refuses a missing parent',
    {},
    [{ op: 'add', path: '/a/b', value: 1 }],
    { why: /doc is missing path: "\/a\/b"/ },
  ],
  ['refuses an index out of range', [], [{ op: 'add', path: '/2', value: 1 }], { why: /invalid index: 2/ }],
  ['refuses an unknown operation', {}, [{ op: 'x', path: '/a' }], { why: /Unexpected kind: x/ }],
];

for (const [name, doc, patch, outcome] of cases) {
  test(`jsonPatch() ${name}`, () => {
    if ('value' in outcome) {
      assert.deepEqual(jsonPatch(doc, patch), outcome.value);
      return;
    }
    assert.throws(
      () => jsonPatch(doc, patch),
      (error) => isError(error, 'invalid') && outcome.why.test(error.details.causes?.[0]?.message ?? ''),
    );
  });
}

test('jsonPatch() refuses a patch that is no list', () => {
  assert.throws(() => jsonPatch({}, {}), /^CaelumError: error decoding patch: json: cannot unmarshal object/);
});
