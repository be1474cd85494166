/** Validation rules: what they find, where it is told, transitions, ratcheting, budgets; and what is wrong with rules themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds, type JSONSchemaProps, type KubeObject, type ValidationRule } from '../../api/index.ts';
import { CustomVersion } from './custom-version.ts';
import { rulesOf } from './rules.ts';
import { aDefinition } from './test-definition.ts';

const rules = (...list: ValidationRule[]): JSONSchemaProps => ({ 'x-kubernetes-validations': list });
const object = (
  properties: Record<string, JSONSchemaProps>,
  more: JSONSchemaProps = {},
): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});

function lines(spec: JSONSchemaProps, now: unknown, old?: unknown): readonly string[] {
  const schema = object({ spec });
  const version = new CustomVersion(
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
    rulesOf,
  );
  const whole = (value: unknown) =>
    ({ apiVersion: 'a/v1', kind: 'A', metadata: { name: 'n' }, spec: value }) as unknown as KubeObject;
  return version
    .problemsOf(whole(now), old === undefined ? undefined : whole(old))
    .map(({ field, message }) => `${field}: ${message}`);
}

const sizes = object({ min: { type: 'integer' }, max: { type: 'integer' } });
const keyed: JSONSchemaProps = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
  items: object({
    k: { type: 'string' },
    v: { type: 'integer', ...rules({ rule: 'self >= oldSelf', message: 'may only grow' }) },
  }),
};

const cases: readonly (readonly [
  what: string,
  schema: JSONSchemaProps,
  now: unknown,
  old: unknown,
  ...expected: string[],
])[] = [
  [
    'a rule that holds',
    { ...sizes, ...rules({ rule: 'self.min <= self.max' }) },
    { min: 1, max: 2 },
    undefined,
  ],
  [
    'a rule that does not',
    { ...sizes, ...rules({ rule: 'self.min <= self.max' }) },
    { min: 3, max: 2 },
    undefined,
    'spec: Invalid value: "object": failed rule: self.min <= self.max',
  ],
  [
    'a message',
    { ...sizes, ...rules({ rule: 'self.min <= self.max', message: 'too small' }) },
    { min: 3, max: 2 },
    undefined,
    'spec: Invalid value: "object": too small',
  ],
  [
    'a message made by an expression',
    {
      ...sizes,
      ...rules({ rule: 'self.min <= self.max', messageExpression: '"at least " + string(self.min)' }),
    },
    { min: 3, max: 2 },
    undefined,
    'spec: Invalid value: "object": at least 3',
  ],
  [
    'a message that cannot be made',
    { ...sizes, ...rules({ rule: 'self.min <= self.max', messageExpression: '"x" + string(self.min / 0)' }) },
    { min: 3, max: 2 },
    undefined,
    'spec: Invalid value: "object": failed rule: self.min <= self.max',
  ],
  [
    'a reason and a path',
    {
      ...sizes,
      ...rules({
        rule: 'self.min <= self.max',
        reason: 'FieldValueForbidden',
        fieldPath: '.max',
        message: 'no',
      }),
    },
    { min: 3, max: 2 },
    undefined,
    'spec.max: Forbidden: no',
  ],
  [
    'an error',
    { ...sizes, ...rules({ rule: 'self.min / self.max > 0' }) },
    { min: 3, max: 0 },
    undefined,
    'spec: Invalid value: "object": division by zero evaluating rule: self.min / self.max > 0',
  ],
  [
    'in a list',
    object({ l: { type: 'array', items: { type: 'integer', ...rules({ rule: 'self > 0' }) } } }),
    { l: [1, -1] },
    undefined,
    'spec.l[1]: Invalid value: "integer": failed rule: self > 0',
  ],
  [
    'in a map',
    object({
      m: { type: 'object', additionalProperties: { type: 'integer', ...rules({ rule: 'self > 0' }) } },
    }),
    { m: { a: -1 } },
    undefined,
    'spec.m[a]: Invalid value: "integer": failed rule: self > 0',
  ],
  [
    'within allOf',
    { ...sizes, allOf: [rules({ rule: 'self.min > 0' })] },
    { min: 0 },
    undefined,
    'spec: Invalid value: "object": failed rule: self.min > 0',
  ],
  [
    'a transition, at the beginning',
    object({ a: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'immutable' }) } }),
    { a: 'x' },
    undefined,
  ],
  [
    'a transition',
    object({ a: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'immutable' }) } }),
    { a: 'x' },
    { a: 'y' },
    'spec.a: Invalid value: "string": immutable',
  ],
  [
    'a transition of an element',
    object({ l: keyed }),
    {
      l: [
        { k: 'b', v: 1 },
        { k: 'a', v: 1 },
      ],
    },
    { l: [{ k: 'a', v: 2 }] },
    'spec.l[1].v: Invalid value: "integer": may only grow',
  ],
  [
    'an optional before',
    object({
      a: {
        type: 'string',
        ...rules({ rule: 'oldSelf.hasValue() || self == "first"', optionalOldSelf: true }),
      },
    }),
    { a: 'x' },
    undefined,
    'spec.a: Invalid value: "string": failed rule: oldSelf.hasValue() || self == "first"',
  ],
  [
    'an optional before that is there',
    object({
      a: { type: 'string', ...rules({ rule: 'oldSelf.orValue("") != "locked"', optionalOldSelf: true }) },
    }),
    { a: 'x' },
    { a: 'locked' },
    'spec.a: Invalid value: "string": failed rule: oldSelf.orValue("") != "locked"',
  ],
  [
    'ratcheted',
    { ...object({ a: { type: 'integer', ...rules({ rule: 'self > 5' }) }, b: { type: 'string' } }) },
    { a: 1, b: 'new' },
    { a: 1, b: 'old' },
  ],
  [
    'not ratcheted',
    { ...object({ a: { type: 'integer', ...rules({ rule: 'self > 5' }) } }) },
    { a: 2 },
    { a: 1 },
    'spec.a: Invalid value: "integer": failed rule: self > 5',
  ],
  [
    'not run on what is of the wrong type',
    { ...sizes, ...rules({ rule: 'self.min > 5' }) },
    { min: 'x' },
    undefined,
    'spec.min: Invalid value: "string": spec.min in body must be of type integer: "string"',
    '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  ],
];

for (const [what, schema, now, old, ...expected] of cases)
  test(`rulesOf() tells: ${what}`, () => {
    assert.deepEqual(lines(schema, now, old), expected);
  });

test('rulesOf() ends when a request has cost enough', () => {
  const dear: JSONSchemaProps = {
    type: 'array',
    items: { type: 'integer' },
    ...rules({ rule: 'self.all(x, self.all(y, x <= y + 100000))' }),
  };
  const [line] = lines(object({ l: dear }), { l: Array.from({ length: 2000 }, (_, index) => index) });
  assert.match(
    line ?? '',
    /^spec\.l: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run/,
  );
});

const definitionKind = builtinKinds.byKind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');

function definitionLines(spec: JSONSchemaProps): readonly string[] {
  const definition = aDefinition({ spec }) as unknown as KubeObject;
  definitionKind?.applyDefaults(definition as never);
  return (definitionKind?.validate(definition) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const at = 'spec.validation.openAPIV3Schema.properties[spec]';
const wrong: readonly (readonly [what: string, schema: JSONSchemaProps, ...expected: RegExp[]])[] = [
  ['right', { ...sizes, ...rules({ rule: 'self.min < self.max' }) }],
  [
    'a field that is not there',
    { ...sizes, ...rules({ rule: 'self.minn < self.max' }) },
    /^spec.validation.openAPIV3Schema.properties\[spec\].x-kubernetes-validations\[0\].rule: Invalid value: "self.minn < self.max": compilation failed: ERROR: <input>:1:5: undefined field 'minn'/,
  ],
  [
    'no condition',
    { ...sizes, ...rules({ rule: 'self.min' }) },
    /rule: Invalid value: "self.min": cel expression must evaluate to a bool$/,
  ],
  [
    'no text',
    { ...sizes, ...rules({ rule: 'true', messageExpression: 'self.min' }) },
    /messageExpression: Invalid value: "self.min": messageExpression must evaluate to a string$/,
  ],
  [
    'a path to nowhere',
    { ...sizes, ...rules({ rule: 'true', fieldPath: '.other' }) },
    /fieldPath: Invalid value: ".other": fieldPath must be a valid path: does not refer to a valid field$/,
  ],
  [
    'comparing what cannot be told apart',
    object({
      l: {
        type: 'array',
        items: { type: 'string', maxLength: 5, ...rules({ rule: 'self == oldSelf' }) },
        maxItems: 5,
      },
    }),
    /items.x-kubernetes-validations\[0\].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties\[spec\].properties\[l\]$/,
  ],
  [
    'optional without need',
    { ...sizes, ...rules({ rule: 'true', optionalOldSelf: true }) },
    /optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule$/,
  ],
  [
    'too dear',
    object({
      l: { type: 'array', items: { type: 'string' }, ...rules({ rule: 'self.all(x, self.all(y, x != y))' }) },
    }),
    /rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying the rule/,
    /^spec.validation.openAPIV3Schema.properties\[spec\].*contributed to estimated rule & messageExpression cost total/,
    /^spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x/,
  ],
];

const defaults: readonly (readonly [what: string, schema: JSONSchemaProps, ...expected: string[]])[] = [
  ['right', { type: 'integer', default: 3 }],
  [
    'of the wrong type',
    { type: 'integer', default: 'x' },
    'Invalid value: "string":  in body must be of type integer: "string"',
  ],
  [
    'with unknown fields',
    object({ b: { type: 'string' } }, { default: { c: 1 } }),
    'Invalid value: {"c":1}: must not have unknown fields',
  ],
  [
    'out of bounds',
    { type: 'integer', minimum: 5, default: 3 },
    'Invalid value: 3:  in body should be greater than or equal to 5',
  ],
];

for (const [what, schema, ...expected] of defaults)
  test(`CustomResourceDefinition defaults: ${what}`, () => {
    const at = 'spec.validation.openAPIV3Schema.properties[spec].properties[a].default';
    assert.deepEqual(
      definitionLines(object({ a: schema })),
      expected.map((line) => `${at}: ${line}`),
    );
  });

for (const [what, schema, ...expected] of wrong)
  test(`CustomResourceDefinition rules: ${what}`, () => {
    const found = definitionLines(schema);
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern);
    assert.ok(at.length > 0);
  });
