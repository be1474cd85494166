import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  created,
  type Document,
  kindOf,
  lines,
  nowMs,
  refusals,
  row,
  type Tree,
  withDefaults,
} from './test-submission.ts';

const definitions = kindOf('customresourcedefinitions', 'apiextensions.k8s.io');

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const version = (more: Tree = {}): Tree => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: anything },
  ...more,
});
const definition = (spec: Tree = {}, metadata: Tree = {}): Tree => ({
  metadata: { name: 'widgets.example.com', ...metadata },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [version()],
    ...spec,
  },
});
/** With this schema, in its only version. */
const shaped = (openAPIV3Schema: Tree, more: Tree = {}): Tree =>
  definition({ versions: [version({ schema: { openAPIV3Schema }, ...more })] });
/** With this schema as its `spec`. */
const field = (schema: Tree): Tree => shaped({ type: 'object', properties: { spec: schema } });
const at = 'spec.validation.openAPIV3Schema';
const inSpec = `${at}.properties[spec]`;
const statusOf = (object: Document): Tree => object['status'] as Tree;

test('names follow from the kind, and versions stay as they are', () => {
  const { names, conversion } = created(definitions, definition())['spec'] as Tree;
  assert.deepEqual(names, { plural: 'widgets', kind: 'Widget', singular: 'widget', listKind: 'WidgetList' });
  assert.deepEqual(conversion, { strategy: 'None' });
});

test('it is remembered in which versions objects were stored', () => {
  const old = created(definitions, { ...definition(), status: { storedVersions: ['v0'] } });
  assert.deepEqual(statusOf(old)['storedVersions'], ['v1']);
  const versions = [version({ storage: false }), version({ name: 'v2' })];
  const draft = withDefaults(definitions, definition({ versions }));
  draft['status'] = structuredClone(old['status']);
  definitions.prepareUpdate(draft, old, { nowMs });
  assert.deepEqual(statusOf(draft)['storedVersions'], ['v1', 'v2']);
  const without = withDefaults(definitions, definition({ versions: [version({ name: 'v2' })] }));
  without['status'] = { storedVersions: ['v1'] };
  assert.deepEqual(lines(definitions.validate(without)), [
    'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
    'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
  ]);
});

const label =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const emptyField = 'Required value: must not be empty for specified object fields';
const unique = 'x-kubernetes-list-map-keys';

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['anything in it', definition(), []],
  [
    'another name',
    definition({}, { name: 'gadgets.example.com' }),
    ['metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural+"."+spec.group'],
  ],
  [
    'bad names',
    definition({
      group: 'example',
      scope: 'Global',
      names: { plural: 'widgets', kind: 'a.b', listKind: 'a.b', shortNames: ['W'], categories: ['1'] },
    }),
    [
      'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
      'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
      'spec.group: Invalid value: "example": should be a domain with at least one dot',
      `spec.names.singular: Invalid value: "a.b": ${label}`,
      `spec.names.kind: Invalid value: "a.b": may have mixed case, but should otherwise match: ${label}`,
      `spec.names.listKind: Invalid value: "a.b": may have mixed case, but should otherwise match: ${label}`,
      `spec.names.shortNames[0]: Invalid value: "W": ${label}`,
      'spec.names.listKind: Invalid value: "a.b": kind and listKind may not be the same',
      `spec.names.categories[0]: Invalid value: "1": ${label}`,
    ],
  ],
  [
    'a group of Kubernetes',
    definition({ group: 'x.k8s.io' }, { name: 'widgets.x.k8s.io' }),
    [
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ],
  ],
  [
    'a group of Kubernetes, approved',
    definition(
      { group: 'x.k8s.io' },
      { name: 'widgets.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://example.com/1' } },
    ),
    [],
  ],
  [
    'fields that are kept',
    definition({ preserveUnknownFields: true }),
    [
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
  ],
  [
    'no schema',
    definition({ versions: [version({ schema: {} })] }),
    ['spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required'],
  ],
  ['a field without a type', field({}), [`${inSpec}.type: ${emptyField}`]],
  [
    'a field without a type in one of two versions',
    definition({
      versions: [
        version(),
        version({
          name: 'v2',
          storage: false,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } },
        }),
      ],
    }),
    [`spec.versions[1].schema.openAPIV3Schema.properties[spec].type: ${emptyField}`],
  ],
  [
    'a bad root',
    shaped({ type: 'array', nullable: true, additionalProperties: true }),
    [
      `${at}.nullable: Forbidden: nullable cannot be true at the root`,
      `${at}.additionalProperties: Forbidden: must not be used at the root`,
      `${at}.items: Required value: must be specified`,
      `${at}.type: Invalid value: "array": must be object at the root`,
    ],
  ],
  [
    'a restricted root and a status',
    shaped({ type: 'object', enum: [1] }, { subresources: { status: {} } }),
    [
      `${at}: Invalid value: {"type":"object","enum":[1]}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled`,
    ],
  ],
  [
    'metadata of its own',
    shaped({
      type: 'object',
      properties: {
        metadata: { type: 'object', properties: { labels: anything } },
        kind: { type: 'integer' },
      },
    }),
    [
      `${at}.properties[kind].type: Invalid value: "integer": must be string`,
      `${at}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ],
  ],
  [
    'names that are restricted',
    shaped({
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 9 } } } },
    }),
    [],
  ],
  [
    'types below a junctor',
    field({
      type: 'object',
      properties: { a: { type: 'string' } },
      anyOf: [{ properties: { a: { type: 'string', nullable: true } } }],
    }),
    [
      `${inSpec}.anyOf[0].properties[a].nullable: Forbidden: must be false to be structural`,
      `${inSpec}.anyOf[0].properties[a].type: Forbidden: must be empty to be structural`,
    ],
  ],
  [
    'a restriction of nothing',
    shaped({ type: 'object', not: { required: ['a'], properties: { a: { maximum: 1 } } } }),
    [`${at}.properties[a]: Required value: because it is defined in ${at}.not.properties[a]`],
  ],
  [
    'numbers or texts',
    field({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }),
    [],
  ],
  [
    'numbers or texts, restricted',
    field({
      'x-kubernetes-int-or-string': true,
      allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: '1' }],
    }),
    [],
  ],
  [
    'too much at once',
    field({
      'x-kubernetes-int-or-string': true,
      'x-kubernetes-preserve-unknown-fields': true,
      'x-kubernetes-embedded-resource': true,
    }),
    [
      `${inSpec}.type: Required value: must be object if x-kubernetes-embedded-resource is true`,
      `${inSpec}.x-kubernetes-embedded-resource: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
      `${inSpec}.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
    ],
  ],
  [
    'an embedded resource of nothing',
    field({ type: 'object', 'x-kubernetes-embedded-resource': true }),
    [
      `${inSpec}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
    ],
  ],
  [
    'what is not understood',
    field({
      type: 'text',
      uniqueItems: true,
      $ref: '#/x',
      definitions: { a: { type: 'string' } },
      'x-kubernetes-preserve-unknown-fields': false,
    }),
    [
      `${inSpec}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      `${inSpec}.definitions: Forbidden: definitions is not supported`,
      `${inSpec}.$ref: Forbidden: $ref is not supported`,
      `${inSpec}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      `${inSpec}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    ],
  ],
  [
    'fields that are named and others',
    field({
      type: 'object',
      properties: { a: { type: 'string' } },
      additionalProperties: { type: 'string' },
    }),
    [`${inSpec}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
  ],
  [
    'a default of its kind',
    shaped({ type: 'object', properties: { kind: { type: 'string', default: 'X' } } }),
    [`${at}.properties[kind].default: Forbidden: must not be set in top-level kind`],
  ],
  [
    'a list by keys',
    field({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      [unique]: ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    }),
    [],
  ],
  [
    'bad lists',
    shaped({
      type: 'object',
      properties: {
        a: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          [unique]: ['x', 'y', 'y'],
          items: { type: 'object', nullable: true, properties: { y: { type: 'object', nullable: true } } },
        },
        b: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } },
        c: { type: 'string', 'x-kubernetes-list-type': 'bag', 'x-kubernetes-map-type': 'whole' },
        d: { type: 'array', [unique]: ['x'], items: { type: 'string' } },
        e: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'string' } },
      },
    }),
    [
      `${at}.properties[a].${unique}: Invalid value: ["x","y","y"]: entries must all be names of item properties`,
      `${at}.properties[a].items.properties[y].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
      `${at}.properties[a].items.properties[y].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
      `${at}.properties[a].${unique}: Invalid value: ["x","y","y"]: must not contain duplicate entries`,
      `${at}.properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map`,
      ...[1, 2].flatMap(() => [
        `${at}.properties[a].items.properties[y].default: Required value: this property is in ${unique}, so it must have a default or be a required property`,
        `${at}.properties[a].items.properties[y].nullable: Forbidden: this property is in ${unique}, so it cannot be nullable`,
      ]),
      `${at}.properties[b].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
      `${at}.properties[c].type: Invalid value: "string": must be object if x-kubernetes-map-type is specified`,
      `${at}.properties[c].x-kubernetes-map-type: Unsupported value: "whole": supported values: "atomic", "granular"`,
      `${at}.properties[c].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`,
      `${at}.properties[c].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"`,
      `${at}.properties[d].x-kubernetes-list-type: Required value: must be map if ${unique} is non-empty`,
      `${at}.properties[e].${unique}: Required value: must not be empty if x-kubernetes-list-type is map`,
      `${at}.properties[e].items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`,
    ],
  ],
  [
    'bad rules',
    shaped({
      type: 'object',
      'x-kubernetes-validations': [
        { rule: ' ' },
        { rule: 'true', message: 'a\nb', reason: 'Because', fieldPath: ' ' },
        { rule: 'true &&\ntrue', messageExpression: ' ' },
      ],
    }),
    [
      `${at}.x-kubernetes-validations[0].rule: Required value: rule is not specified`,
      `${at}.x-kubernetes-validations[1].message: Invalid value: "a\\nb": message must not contain line breaks`,
      `${at}.x-kubernetes-validations[1].reason: Unsupported value: "Because": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
      `${at}.x-kubernetes-validations[1].fieldPath: Invalid value: " ": fieldPath must be non-empty if specified`,
      `${at}.x-kubernetes-validations[2].message: Required value: message must be specified if rule contains line breaks`,
      `${at}.x-kubernetes-validations[2].messageExpression: Required value: messageExpression must be non-empty if specified`,
    ],
  ],
  [
    'bad versions',
    definition({
      versions: [
        version({ name: '1', deprecationWarning: 'x' }),
        version({ name: '1', deprecated: true, deprecationWarning: 'a\u0007' }),
      ],
    }),
    [
      `spec.versions[0].name: Invalid value: "1": ${label}`,
      'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions',
      `spec.versions[1].name: Invalid value: "1": ${label}`,
      'spec.versions[1].deprecationWarning: Invalid value: "a\\u0007": must only contain printable UTF-8 characters; non-printable character found at index 1',
    ],
  ],
  [
    'a bad scale',
    shaped(anything, {
      subresources: { scale: { specReplicasPath: '.x', statusReplicasPath: '', labelSelectorPath: 'x' } },
    }),
    [
      'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Required value',
      'spec.subresources.scale.labelSelectorPath: Invalid value: "x": must be a simple json path starting with .',
    ],
  ],
  [
    'bad columns',
    shaped(anything, {
      additionalPrinterColumns: [
        { name: '', type: '', jsonPath: '' },
        { name: 'a', type: 'text', format: 'x', jsonPath: 'spec' },
      ],
    }),
    [
      'spec.additionalPrinterColumns[0].name: Required value',
      'spec.additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Required value',
      'spec.additionalPrinterColumns[1].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[1].format: Invalid value: "x": must be one of byte,date,date-time,double,float,int32,int64,password',
      'spec.additionalPrinterColumns[1].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
    ],
  ],
  [
    'bad selectable fields',
    shaped(
      { type: 'object', properties: { spec: anything, color: { type: 'string' } } },
      {
        selectableFields: [
          { jsonPath: '.color' },
          { jsonPath: '.color' },
          { jsonPath: '.spec' },
          { jsonPath: '.spec.x' },
          { jsonPath: '' },
        ],
      },
    ),
    [
      'spec.selectableFields[1].jsonPath: Duplicate value: ".color"',
      'spec.selectableFields[2].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.selectableFields[3].jsonPath: Invalid value: ".spec.x": is an invalid path: does not refer to a valid field',
      'spec.selectableFields[4].jsonPath: Required value',
    ],
  ],
  [
    'a webhook that nobody names',
    definition({ conversion: { strategy: 'Webhook' } }),
    [
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Required value',
    ],
  ],
  [
    'a webhook without need',
    definition({
      conversion: { strategy: 'None', webhook: { clientConfig: {}, conversionReviewVersions: ['v1'] } },
    }),
    [
      'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
      'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
    ],
  ],
  [
    'a webhook',
    definition({
      conversion: {
        strategy: 'Webhook',
        webhook: {
          clientConfig: { service: { namespace: 'x', name: 'y' } },
          conversionReviewVersions: ['v1'],
        },
      },
    }),
    [],
  ],
];

for (const [name, object, expected] of cases)
  test(`a CustomResourceDefinition with ${name}`, () => {
    const found = refusals(definitions, object).filter(
      (line) => !line.startsWith('spec.versions: Invalid value: ['),
    );
    assert.deepEqual(found, expected);
  });

test('one version is stored, and no two are called alike', () => {
  const of = (...versions: Tree[]): string[] =>
    refusals(definitions, definition({ versions })).map((line) => line.replace(/\[\{.*\}\]/, '…'));
  assert.deepEqual(of(version({ storage: false })), [
    'spec.versions: Invalid value: …: must have exactly one version marked as storage version',
    'status.storedVersions: Invalid value: []: must have at least one stored version',
  ]);
  assert.deepEqual(of(version(), version()), [
    'spec.versions: Invalid value: …: must contain unique version names',
    'spec.versions: Invalid value: …: must have exactly one version marked as storage version',
  ]);
});

test('once established, a kind stays what it is', () => {
  const established = { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1'] };
  const changed = withDefaults(
    definitions,
    definition({ scope: 'Cluster', names: { plural: 'gadgets', kind: 'Gadget' } }),
  );
  const old = created(definitions, definition());
  const texts = (): string[] => lines(definitions.validateUpdate(changed, old));
  assert.deepEqual(texts(), ['spec.names.plural: Invalid value: "gadgets": field is immutable']);
  old['status'] = established;
  assert.deepEqual(texts(), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Gadget": field is immutable',
    'spec.names.plural: Invalid value: "gadgets": field is immutable',
  ]);
});

test('a row of definitions', () => {
  const object = definition({}, { creationTimestamp: '2026-01-01T00:00:00Z' });
  assert.equal(row(definitions, object), 'widgets.example.com | 2026-01-01T00:00:00Z');
});
