/** What a schema does to documents: validation in Kubernetes' words, ratcheting, pruning, defaults, lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps, KubeObject } from '../../api/index.ts';
import { CustomVersion } from './custom-version.ts';

const versionOf = (schema: JSONSchemaProps, subresources: object = {}): CustomVersion =>
  new CustomVersion(
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources },
    () => undefined,
  );

const withSpec = (spec: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { spec } });

const lines = (schema: JSONSchemaProps, spec: unknown, old?: unknown): readonly string[] =>
  versionOf(withSpec(schema))
    .problemsOf(
      { metadata: {}, spec } as unknown as KubeObject,
      old === undefined ? undefined : ({ metadata: {}, spec: old } as unknown as KubeObject),
    )
    .map(({ field, message }) => `${field}: ${message}`);

const object = (
  properties: Record<string, JSONSchemaProps>,
  more: JSONSchemaProps = {},
): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});

const cases: readonly (readonly [
  what: string,
  schema: JSONSchemaProps,
  spec: unknown,
  ...expected: string[],
])[] = [
  ['right', object({ a: { type: 'string' } }), { a: 'x' }],
  [
    'wrong type',
    object({ replicas: { type: 'integer' } }),
    { replicas: 'many' },
    'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
  ],
  ['a whole number is an integer however written', object({ a: { type: 'integer' } }), { a: 1.0 }],
  [
    'a fraction is none',
    object({ a: { type: 'integer' } }),
    { a: 1.5 },
    'spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"',
  ],
  ['an integer is a number', object({ a: { type: 'number' } }), { a: 1 }],
  [
    'a list is no object',
    object({ a: { type: 'object' } }),
    { a: [] },
    'spec.a: Invalid value: "array": spec.a in body must be of type object: "array"',
  ],
  [
    'null',
    object({ a: { type: 'string' } }),
    { a: null },
    'spec.a: Invalid value: "null": spec.a in body must be of type string: "null"',
  ],
  ['null where it may be', object({ a: { type: 'string', nullable: true } }), { a: null }],
  ['missing', object({ a: { type: 'string' } }, { required: ['a'] }), {}, 'spec.a: Required value'],
  [
    'enum',
    object({ a: { type: 'string', enum: ['x', 'y'] } }),
    { a: 'z' },
    'spec.a: Unsupported value: "z": supported values: "x", "y"',
  ],
  [
    'minimum',
    object({ a: { type: 'integer', minimum: 1 } }),
    { a: 0 },
    'spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1',
  ],
  [
    'maximum',
    object({ a: { type: 'number', maximum: 1.5 } }),
    { a: 2 },
    'spec.a: Invalid value: 2: spec.a in body should be less than or equal to 1.5',
  ],
  [
    'exclusive',
    object({
      a: { type: 'integer', minimum: 1, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
    }),
    { a: 1 },
    'spec.a: Invalid value: 1: spec.a in body should be less than 1',
    'spec.a: Invalid value: 1: spec.a in body should be greater than 1',
  ],
  ['multiple', object({ a: { type: 'number', multipleOf: 0.1 } }), { a: 0.3 }],
  [
    'no multiple',
    object({ a: { type: 'integer', multipleOf: 5 } }),
    { a: 7 },
    'spec.a: Invalid value: 7: spec.a in body should be a multiple of 5',
  ],
  [
    'too long',
    object({ a: { type: 'string', maxLength: 2 } }),
    { a: 'abc' },
    'spec.a: Too long: may not be more than 2 bytes',
  ],
  [
    'characters are counted, not units',
    object({ a: { type: 'string', maxLength: 2, minLength: 2 } }),
    { a: '😀😀' },
  ],
  [
    'too short',
    object({ a: { type: 'string', minLength: 2 } }),
    { a: '😀' },
    'spec.a: Invalid value: "😀": spec.a in body should be at least 2 chars long',
  ],
  [
    'pattern',
    object({ a: { type: 'string', pattern: '^a+$' } }),
    { a: 'b' },
    `spec.a: Invalid value: "b": spec.a in body should match '^a+$'`,
  ],
  [
    'format',
    object({ a: { type: 'string', format: 'date-time' } }),
    { a: 'now' },
    'spec.a: Invalid value: "now": spec.a in body must be of type date-time: "now"',
  ],
  ['unknown format', object({ a: { type: 'string', format: 'odd' } }), { a: 'now' }],
  [
    'too many items',
    object({ a: { type: 'array', maxItems: 1, items: { type: 'integer' } } }),
    { a: [1, 2] },
    'spec.a: Too many: 2: must have at most 1 items',
  ],
  [
    'too few items',
    object({ a: { type: 'array', minItems: 1, items: { type: 'integer' } } }),
    { a: [] },
    'spec.a: Invalid value: 0: spec.a in body should have at least 1 items',
  ],
  [
    'items',
    object({ a: { type: 'array', items: { type: 'integer' } } }),
    { a: [1, 'x'] },
    'spec.a[1]: Invalid value: "string": spec.a[1] in body must be of type integer: "string"',
  ],
  [
    'too few properties',
    { type: 'object', minProperties: 1, additionalProperties: true },
    {},
    'spec: Invalid value: 0: spec in body should have at least 1 properties',
  ],
  [
    'too many properties',
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    { a: 1, b: 2 },
    'spec: Too many: 2: must have at most 1 items',
  ],
  [
    'additional',
    { type: 'object', additionalProperties: { type: 'string' } },
    { a: 1 },
    'spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"',
  ],
  [
    'int or string',
    object({ a: { 'x-kubernetes-int-or-string': true } }),
    { a: true },
    'spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
  ],
  [
    'any',
    object(
      { a: { type: 'string' }, b: { type: 'string' } },
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    ),
    {},
    '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
    'spec.a: Required value',
  ],
  [
    'one',
    object(
      { a: { type: 'string' }, b: { type: 'string' } },
      { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    ),
    { a: '', b: '' },
    '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    'all',
    object(
      { a: { type: 'integer' } },
      { allOf: [{ properties: { a: { minimum: 3 } } }, { properties: { a: { maximum: 9 } } }] },
    ),
    { a: 1 },
    'spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 3',
    '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)',
  ],
  [
    'not',
    object({ a: { type: 'string' } }, { not: { required: ['a'] } }),
    { a: 'x' },
    '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
  ],
  [
    'a set',
    object({ a: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' } }),
    { a: ['x', 'y', 'x'] },
    'spec.a[2]: Duplicate value: "x"',
  ],
  [
    'a map',
    object({
      a: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: object({ k: { type: 'string' }, v: { type: 'string' } }, { required: ['k'] }),
      },
    }),
    {
      a: [
        { k: 'x', v: '1' },
        { k: 'x', v: '2' },
      ],
    },
    'spec.a[1]: Duplicate value: {"k":"x"}',
  ],
  [
    'embedded',
    object({
      a: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    }),
    { a: { metadata: { labels: { 'a b': '' } } } },
    'spec.a.apiVersion: Required value: must not be empty',
    'spec.a.kind: Required value: must not be empty',
  ],
];

for (const [what, schema, spec, ...expected] of cases)
  test(`CustomVersion.problemsOf() tells: ${what}`, () => {
    const found = lines(schema, spec);
    if (what === 'embedded') assert.deepEqual(found.slice(0, 2), expected);
    else assert.deepEqual(found, expected);
  });

test('CustomVersion.problemsOf() lets pass what was wrong before and has not changed', () => {
  const list: JSONSchemaProps = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: object({ k: { type: 'string' }, v: { type: 'integer', minimum: 5 } }),
  };
  const schema = object({
    a: { type: 'integer', minimum: 5 },
    b: { type: 'string' },
    list,
    plain: { type: 'array', items: { type: 'integer', minimum: 5 } },
  });
  assert.deepEqual(lines(schema, { a: 1, b: 'new' }, { a: 1, b: 'old' }), []);
  assert.equal(lines(schema, { a: 2 }, { a: 1 }).length, 1);
  const before = { list: [{ k: 'x', v: 1 }] };
  assert.deepEqual(
    lines(
      schema,
      {
        list: [
          { k: 'y', v: 9 },
          { k: 'x', v: 1 },
        ],
      },
      before,
    ),
    [],
  );
  assert.equal(lines(schema, { list: [{ k: 'x', v: 2 }] }, before).length, 1);
  assert.equal(
    lines(schema, { plain: [1, 9] }, { plain: [1] }).length,
    1,
    'elements of plain lists are nobody in particular',
  );
  assert.deepEqual(lines(schema, { plain: [1] }, { plain: [1] }), []);
});

test('CustomVersion.problemsOf() holds numbers of replicas to what a scale can say', () => {
  const version = versionOf(withSpec(object({ replicas: { type: 'integer' } })), {
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  });
  const [problem] = version.problemsOf(
    { metadata: {}, spec: { replicas: -1 } } as unknown as KubeObject,
    undefined,
  );
  assert.equal(
    `${problem?.field}: ${problem?.message}`,
    'spec.replicas: Invalid value: -1: should be a non-negative integer',
  );
});

const prunings: readonly (readonly [
  what: string,
  schema: JSONSchemaProps,
  before: unknown,
  after: unknown,
  unknown: readonly string[],
])[] = [
  ['unknown fields go', object({ a: { type: 'string' } }), { a: '1', b: 2 }, { a: '1' }, ['spec.b']],
  [
    'within lists',
    object({ l: { type: 'array', items: object({ a: { type: 'string' } }) } }),
    { l: [{ a: '1' }, { b: 1 }] },
    { l: [{ a: '1' }, {}] },
    ['spec.l[1].b'],
  ],
  [
    'within maps',
    { type: 'object', additionalProperties: object({ a: { type: 'string' } }) },
    { x: { a: '1', c: 1 } },
    { x: { a: '1' } },
    ['spec.x.c'],
  ],
  [
    'preserved',
    object({ a: object({ x: object({}) }, { 'x-kubernetes-preserve-unknown-fields': true }) }),
    { a: { y: 1, x: { z: 1 } } },
    { a: { y: 1, x: {} } },
    ['spec.a.x.z'],
  ],
  [
    'embedded objects keep what all objects have',
    object({
      a: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: object({}) } },
    }),
    { a: { apiVersion: 'v1', kind: 'A', metadata: { name: 'x', odd: 1 }, data: 1 } },
    { a: { apiVersion: 'v1', kind: 'A', metadata: { name: 'x' } } },
    ['spec.a.metadata.odd', 'spec.a.data'],
  ],
];

for (const [what, schema, before, after, expected] of prunings)
  test(`CustomVersion.pruned(): ${what}`, () => {
    const version = versionOf(withSpec(schema));
    const given = { apiVersion: 'x/v1', kind: 'X', metadata: {}, spec: before };
    const copy = structuredClone(given);
    const unknown: string[] = [];
    assert.deepEqual(version.pruned(given, unknown).spec, after);
    assert.deepEqual(unknown, expected);
    assert.deepEqual(given, copy, 'what is given is not changed');
    const clean = { ...given, spec: after };
    assert.equal(version.pruned(clean), clean, 'what is clean is shared');
  });

const defaultings: readonly (readonly [
  what: string,
  schema: JSONSchemaProps,
  before: unknown,
  after: unknown,
])[] = [
  ['a value', object({ a: { type: 'integer', default: 1 } }), {}, { a: 1 }],
  ['not where there is one', object({ a: { type: 'integer', default: 1 } }), { a: 0 }, { a: 0 }],
  [
    'within a default',
    object({ a: object({ b: { type: 'integer', default: 2 } }, { default: {} }) }),
    {},
    { a: { b: 2 } },
  ],
  ['not within what is missing', object({ a: object({ b: { type: 'integer', default: 2 } }) }), {}, {}],
  [
    'in elements',
    object({ l: { type: 'array', items: object({ b: { type: 'integer', default: 2 } }) } }),
    { l: [{}, { b: 1 }] },
    { l: [{ b: 2 }, { b: 1 }] },
  ],
  [
    'in maps',
    { type: 'object', additionalProperties: object({ b: { type: 'integer', default: 2 } }) },
    { x: {} },
    { x: { b: 2 } },
  ],
  ['for null', object({ a: { type: 'integer', default: 1 } }), { a: null }, { a: 1 }],
  [
    'not for null where it may be',
    object({ a: { type: 'integer', default: 1, nullable: true } }),
    { a: null },
    { a: null },
  ],
  ['null without a default goes', object({ a: { type: 'integer' } }), { a: null }, {}],
];

for (const [what, schema, before, after] of defaultings)
  test(`CustomVersion.defaulted(): ${what}`, () => {
    const version = versionOf(withSpec(schema));
    const given = { metadata: {}, spec: before };
    const copy = structuredClone(given);
    const filled = version.defaulted(given);
    assert.deepEqual(filled.spec, after);
    assert.deepEqual(given, copy, 'what is given is not changed');
    assert.equal(version.defaulted(filled), filled, 'what is whole is shared');
  });
