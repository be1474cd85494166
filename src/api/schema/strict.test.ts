import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuplicateFields, strictDecodingError } from './strict.ts';

const cases: readonly [json: string, duplicates: readonly string[]][] = [
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"a":1,"a":2,"a":3}', ['a']],
  ['{"spec":{"replicas":1,"replicas":2}}', ['spec.replicas']],
  ['{"spec":{"containers":[{"image":"a"},{"image":"a","image":"b"}]}}', ['spec.containers[1].image']],
  ['{"a":"x,\\"a\\":{","b":["a","a"]}', []],
  ['{"a\\"":1,"a\\"":2}', ['a"']],
  ['{"a":"\\\\","a":1}', ['a']],
  ['{"a":{"x":1},"a":{"x":2}}', ['a']],
  ['[{"a":1},{"a":1}]', []],
  ['{"__proto__":1,"__proto__":2}', ['__proto__']],
];

for (const [json, duplicates] of cases) {
  test(`findDuplicateFields() finds ${JSON.stringify(duplicates)} in ${json}`, () => {
    JSON.parse(json);
    assert.deepEqual(findDuplicateFields(json), duplicates);
  });
}

test('strictDecodingError() words unknown and duplicate fields', () => {
  assert.equal(strictDecodingError([], []), undefined);
  assert.equal(
    strictDecodingError(['spec.foo'], ['spec.replicas']),
    'strict decoding error: unknown field "spec.foo", duplicate field "spec.replicas"',
  );
});
