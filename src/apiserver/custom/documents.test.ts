import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../api/index.ts';
import { schemaDocument } from './documents.ts';

const of = { group: 'a.example.com', version: 'v1', kind: 'Foo', listKind: 'FooList' };
const ref = { $ref: 'meta' };

/** Without what every object has. */
function told(schema: JSONSchemaProps, dialect: 'v2' | 'v3'): Record<string, unknown> {
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } };
  const document = structuredClone(schemaDocument(of, version).schema(dialect, ref)) as {
    properties?: Record<string, unknown>;
  };
  for (const name of ['apiVersion', 'kind', 'metadata']) delete document.properties?.[name];
  return document;
}

const text: JSONSchemaProps = { type: 'string' };
const open = 'x-kubernetes-preserve-unknown-fields';
const root = (properties: Record<string, JSONSchemaProps>): JSONSchemaProps => ({
  type: 'object',
  properties,
});

const cases: readonly (readonly [what: string, given: JSONSchemaProps, v2: object, v3?: object])[] = [
  [
    'a plain schema',
    { ...root({ a: { type: 'array', items: { ...text, enum: ['x'] } } }), description: 'D' },
    { ...root({ a: { type: 'array', items: { ...text, enum: ['x'] } } }), description: 'D' },
  ],
  ['junctors', root({ a: { ...text, anyOf: [{ minLength: 1 }], not: { maxLength: 3 } } }), root({ a: text })],
  [
    'null',
    { ...root({ a: { ...text, nullable: true }, b: text }), required: ['a', 'b'] },
    { ...root({ a: {}, b: text }), required: ['b'] },
  ],
  [
    'unknown fields below',
    root({ a: { ...root({ b: text }), [open]: true } }),
    root({ a: { [open]: true } }),
  ],
  [
    'unknown fields in a list',
    root({ a: { type: 'array', [open]: true, items: text } }),
    root({ a: { [open]: true } }),
  ],
  [
    'text or number',
    root({ a: { 'x-kubernetes-int-or-string': true } }),
    root({ a: { 'x-kubernetes-int-or-string': true } }),
    root({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
  ],
  ['a default', root({ a: { ...text, default: 'x' } }), root({ a: { ...text, default: 'x' } })],
];

for (const [what, given, v2, v3 = given] of cases)
  test(`schemaDocument() tells ${what}`, () => {
    assert.deepEqual(told(given, 'v2'), v2);
    assert.deepEqual(told(given, 'v3'), v3);
  });

test('schemaDocument() tells nothing in version 2 where the root is open, and completes embedded objects', () => {
  assert.deepEqual(told({ ...root({ a: text }), [open]: true }, 'v2'), { type: 'object' });
  const embedded = told(root({ a: { ...root({ b: text }), 'x-kubernetes-embedded-resource': true } }), 'v3');
  const { a } = embedded['properties'] as { a: { properties: object; required: string[] } };
  assert.deepEqual(
    [Object.keys(a.properties).sort(), a.required],
    [
      ['apiVersion', 'b', 'kind', 'metadata'],
      ['apiVersion', 'kind'],
    ],
  );
  const { name, listName } = schemaDocument(of, { name: 'v1', served: true, storage: true });
  assert.deepEqual([name, listName], ['com.example.a.v1.Foo', 'com.example.a.v1.FooList']);
});
