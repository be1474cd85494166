import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchRefusal } from './patch-refusal.ts';

test('patchRefusal() tells of a strategic merge patch in the words of its converter', () => {
  const told = (why: string, patch: unknown): string => patchRefusal('strategic', patch, {})(why).message;
  const within = (from: string, to: string): string =>
    `json: cannot unmarshal ${from} into Go struct field ObjectMeta.metadata.labels of type ${to}`;
  assert.equal(
    told(within('string', 'map[string]string'), { metadata: { labels: 'invalid' } }),
    ' "" is invalid: patch: Invalid value: "map[metadata:map[labels:invalid]]": cannot restore map from string',
  );
  for (const [from, to, expected] of [
    ['number 5', 'string', 'cannot convert int64 to string'],
    ['number 1.5', 'int32', 'cannot convert float64 to int32'],
    ['number', 'string', 'cannot convert int64 to string'],
    ['string', 'int32', 'unrecognized type: int32'],
    ['bool', 'string', 'unrecognized type: string'],
    ['object', 'string', 'unrecognized type: string'],
    ['array', 'v1.PodSpec', 'cannot restore struct from: slice'],
    ['object', '[]v1.Container', 'cannot restore slice from map'],
  ] as const)
    assert.ok(told(within(from, to), {}).endsWith(`"map[]": ${expected}`), `${from} ─▶ ${to}`);
  assert.ok(
    told('quantities must match', { b: [1, null, 'x'], a: {} }).includes(
      '"map[a:map[] b:[1 <nil> x]]": quant',
    ),
  );
});

test('patchRefusal() tells of a merge patch what it would have made', () => {
  const error = patchRefusal('merge', { spec: 1 }, { kind: 'Pod', spec: 1 })('json: cannot unmarshal number');
  assert.equal(error.code, 'invalid');
  assert.equal(
    error.message,
    ' "" is invalid: patch: Invalid value: "{\\"kind\\":\\"Pod\\",\\"spec\\":1}": json: cannot unmarshal number',
  );
});
