import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePath } from './json-path.ts';

const object = {
  metadata: { name: 'n', labels: { 'a.b/c': 'l' } },
  spec: {
    n: 3,
    list: [1, 2, 3, 4],
    hosts: [
      { name: 'x', port: 1 },
      { name: 'y', port: 2 },
    ],
    empty: [],
    none: null,
  },
  status: {
    conditions: [
      { type: 'A', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
};

const cases: readonly (readonly [path: string, ...expected: unknown[]])[] = [
  ['.metadata.name', 'n'],
  ['.spec.n', 3],
  ['.spec.missing.deeper'],
  ['.spec.none', null],
  [".metadata.labels['a.b/c']", 'l'],
  ['.metadata.labels.a\\.b/c', 'l'],
  ['.spec.list[0]', 1],
  ['.spec.list[-1]', 4],
  ['.spec.list[9]'],
  ['.spec.list[1:3]', 2, 3],
  ['.spec.list[::2]', 1, 3],
  ['.spec.list[0,2]', 1, 3],
  ['.spec.hosts[*].name', 'x', 'y'],
  ['.spec.hosts[?(@.port>1)].name', 'y'],
  ['.spec.hosts[?(@.name!="x")].port', 2],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".status.conditions[?(@.type=='Ready')].status", 'True'],
  ['.status.conditions[?(@.missing)].status'],
  ['.spec.*', 3, object.spec.list, object.spec.hosts, [], null],
  ['..port', 1, 2],
  ['.', object],
];

for (const [path, ...expected] of cases)
  test(`compilePath() finds ${path}`, () => {
    assert.deepEqual(compilePath(path)(object), expected);
  });

test('compilePath() refuses what is no path', () => {
  for (const path of ['.a[', '.a]', '.a[?(@.b]', '.a b', '.a[x]'])
    assert.throws(() => compilePath(path), { code: 'usage' }, path);
});
