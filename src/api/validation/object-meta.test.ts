import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta } from '../types/meta.v1.ts';
import { subdomainName } from './names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const meta = (more: Partial<ObjectMeta> = {}): ObjectMeta => ({ name: 'a', namespace: 'b', ...more });
const told = (more: Partial<ObjectMeta>, namespaced = true): string[] =>
  validateObjectMeta(meta(more), namespaced, subdomainName).map(
    ({ field, message }) => `${field}: ${message}`,
  );

const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' };

const cases: readonly (readonly [string, Partial<ObjectMeta>, readonly string[]])[] = [
  [
    'all that is good',
    {
      labels: { 'a.b/c_D': 'x.Y' },
      annotations: { 'A.b/C': '\n' },
      finalizers: ['a/b', 'orphan'],
      ownerReferences: [owner],
    },
    [],
  ],
  ['no name', { name: '' }, ['metadata.name: Required value: name or generateName is required']],
  ['a prefix that ends in a dash', { generateName: 'web-' }, []],
  ['no namespace', { namespace: '' }, ['metadata.namespace: Required value']],
  [
    'a long name',
    { name: 'a'.repeat(254) },
    [`metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 bytes`],
  ],
  ['a bad key of a label', { labels: { 'a b': '' } }, [`metadata.labels: Invalid value: "a b": ${namePart}`]],
  [
    'an empty prefix of a label',
    { labels: { '/a': '' } },
    ['metadata.labels: Invalid value: "/a": prefix part must be non-empty'],
  ],
  [
    'a long value of a label',
    { labels: { a: 'x'.repeat(64) } },
    [`metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`],
  ],
  [
    'a bad key of an annotation',
    { annotations: { 'a b': '' } },
    [`metadata.annotations: Invalid value: "a b": ${namePart}`],
  ],
  [
    'too much said',
    { annotations: { a: 'ä'.repeat(128 * 1024) } },
    ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  ],
  ['just enough said', { annotations: { a: `${'ä'.repeat(128 * 1024 - 1)}x` } }, []],
  [
    'a finalizer of no domain',
    { finalizers: ['mine'] },
    [
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
  [
    'finalizers at odds',
    { finalizers: ['orphan', 'foregroundDeletion'] },
    [
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ],
  [
    'an owner without identity',
    { ownerReferences: [{ ...owner, uid: '' }] },
    ['metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
  ],
];

for (const [name, more, expected] of cases)
  test(`validateObjectMeta() of ${name}`, () => assert.deepEqual(told(more), expected));

test('validateObjectMeta() allows one controller', () => {
  const owners = [1, 2].map((n) => ({ ...owner, name: `p${n}`, uid: `${n}`, controller: true }));
  assert.match(
    told({ ownerReferences: owners }).join(),
    /Only one reference can have Controller set to true\. Found "true" in references for p1 and p2$/,
  );
});

test('validateObjectMeta() of a cluster-wide object has no namespace', () => {
  assert.deepEqual(told({ namespace: '' }, false), []);
  assert.deepEqual(told({}, false), ['metadata.namespace: Forbidden: not allowed on this type']);
});

test('validateObjectMetaUpdate() keeps what an object is', () => {
  const problems = validateObjectMetaUpdate(meta({ name: 'x', uid: '2' }), meta({ uid: '1' }));
  assert.deepEqual(
    problems.map(({ field, message }) => `${field}: ${message}`),
    [
      'metadata.name: Invalid value: "x": field is immutable',
      'metadata.uid: Invalid value: "2": field is immutable',
    ],
  );
});

test('validateObjectMetaUpdate() adds no finalizers to what is being deleted', () => {
  const going = meta({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] });
  assert.deepEqual(validateObjectMetaUpdate({ ...going, finalizers: [] }, going), []);
  assert.match(
    validateObjectMetaUpdate({ ...going, finalizers: ['a/b', 'c/d'] }, going)[0]?.message ?? '',
    /^Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"c\/d"\}$/,
  );
});
