/**
 * Structural schemas: schemas from which the type of every field can be told without looking at a value, so that unknown fields can be
 * dropped and defaults filled in.
 *
 * A schema has one structure; what stands below `allOf`, `anyOf`, `oneOf` and `not` only restricts values, and says nothing new.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema, as behaviour; "Specifying a structural schema" in Kubernetes' documentation.
 */
import { sameJson } from '../../../lib/index.ts';
import type { FieldProblem } from '../../kind.ts';
import type { JSONSchemaProps } from '../../types/apiextensions.v1.ts';
import { forbiddenField, type Problems, required, wrong } from '../../validation/problems.ts';

type Schema = JSONSchemaProps;
type Level = 'root' | 'field' | 'item';

const emptyTypeWhy: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};
const intOrString = [{ type: 'integer' }, { type: 'string' }];
const embeds = 'x-kubernetes-embedded-resource';
const preserves = 'x-kubernetes-preserve-unknown-fields';
const isIntOrString = 'x-kubernetes-int-or-string';

/** What keeps it from being structural, in the order of the texts. */
export function structuralProblems(field: string, schema: Schema): readonly FieldProblem[] {
  const problems: Problems = [];
  validateInvariants(problems, field, schema, 'root');
  validateCompleteness(problems, schema, schema, field, field);
  const text = (problem: FieldProblem): string => `${problem.field}: ${problem.message}`;
  return problems.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** The one schema of an array's items; undefined: none, or many. */
export function itemsOf({ items }: Schema): Schema | undefined {
  return items === undefined || isList(items) ? undefined : items;
}

const isList = (items: Schema | readonly Schema[]): items is readonly Schema[] => Array.isArray(items);

/** The schema of properties that are not named. */
export function additionalOf({ additionalProperties: more }: Schema): Schema | undefined {
  return typeof more === 'object' ? more : undefined;
}

function validateInvariants(problems: Problems, field: string, schema: Schema, level: Level): void {
  const { type = '', properties = {} } = schema;
  const items = itemsOf(schema);
  if (type === 'array' && schema.items === undefined)
    problems.push(required(`${field}.items`, 'must be specified'));
  if (items !== undefined) validateInvariants(problems, `${field}.items`, items, 'item');
  for (const [name, property] of Object.entries(properties))
    validateInvariants(problems, `${field}.properties[${name}]`, property, 'field');
  const more = additionalOf(schema);
  if (schema.additionalProperties !== undefined && level === 'root')
    problems.push(forbiddenField(`${field}.additionalProperties`, 'must not be used at the root'));
  if (more !== undefined) validateInvariants(problems, `${field}.additionalProperties`, more, 'field');
  validateExtensions(problems, field, schema);
  validateJunctors(problems, field, schema, exceptionOf(schema));
  validateType(problems, field, schema, level);
  if (schema[embeds] === true && schema.additionalProperties !== undefined)
    problems.push(forbiddenField(`${field}.additionalProperties`, `must not be used if ${embeds} is set`));
  if (level === 'root' && type !== '' && type !== 'object')
    problems.push(wrong(`${field}.type`, type, 'must be object at the root'));
  if (level === 'root' || schema[embeds] === true) validateIdentity(problems, field, properties, level);
  if (schema[embeds] === true && schema[preserves] !== true && Object.keys(properties).length === 0)
    problems.push(
      required(`${field}.properties`, `must not be empty if ${embeds} is true without ${preserves}`),
    );
}

function validateType(problems: Problems, field: string, schema: Schema, level: Level): void {
  const { type = '' } = schema;
  if (schema[embeds] === true && type !== 'object') {
    const why = `must be object if ${embeds} is true`;
    problems.push(type === '' ? required(`${field}.type`, why) : wrong(`${field}.type`, type, why));
  } else if (type === '' && schema[isIntOrString] !== true && schema[preserves] !== true)
    problems.push(required(`${field}.type`, emptyTypeWhy[level]));
}

function validateExtensions(problems: Problems, field: string, schema: Schema): void {
  if (schema[isIntOrString] !== true) return;
  for (const extension of [preserves, embeds] as const)
    if (schema[extension] === true)
      problems.push(wrong(`${field}.${extension}`, true, `must be false if ${isIntOrString} is true`));
}

/** What every object has is known: of its metadata a schema may restrict only the name. */
function validateIdentity(
  problems: Problems,
  field: string,
  properties: Readonly<Record<string, Schema>>,
  level: Level,
): void {
  for (const [name, type] of [
    ['kind', 'string'],
    ['apiVersion', 'string'],
    ['metadata', 'object'],
  ] as const) {
    const property = properties[name];
    if (property !== undefined && property.type !== type)
      problems.push(wrong(`${field}.properties[${name}].type`, property.type ?? '', `must be ${type}`));
  }
  const { metadata } = properties;
  if (metadata === undefined || level !== 'root') return;
  const { properties: own = {}, type: _, default: __, ...rest } = metadata;
  const isBare = Object.keys(own).every((name) => name === 'name' || name === 'generateName');
  if (!isBare || structuralFields.some((name) => rest[name] !== undefined))
    problems.push(
      forbiddenField(
        `${field}.properties[metadata]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
}

/** What makes a structure, beside properties, type and default. */
const structuralFields = [
  'items',
  'additionalProperties',
  'title',
  'description',
  'nullable',
  preserves,
  embeds,
  isIntOrString,
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const;

type Exception = 'anyOf' | 'firstAllOf' | undefined;

/** Where an int-or-string may name its types. */
function exceptionOf(schema: Schema): Exception {
  if (schema[isIntOrString] !== true) return undefined;
  if (sameJson(schema.anyOf, intOrString)) return 'anyOf';
  return sameJson(schema.allOf?.[0]?.anyOf, intOrString) ? 'firstAllOf' : undefined;
}

function validateJunctors(problems: Problems, field: string, schema: Schema, exception: Exception): void {
  if (exception !== 'anyOf')
    schema.anyOf?.forEach((one, index) => {
      validateNested(problems, `${field}.anyOf[${index}]`, one);
    });
  schema.allOf?.forEach((one, index) => {
    const isExcepted = exception === 'firstAllOf' && index === 0;
    validateNested(problems, `${field}.allOf[${index}]`, one, isExcepted ? 'anyOf' : undefined);
  });
  schema.oneOf?.forEach((one, index) => {
    validateNested(problems, `${field}.oneOf[${index}]`, one);
  });
  if (schema.not !== undefined) validateNested(problems, `${field}.not`, schema.not);
}

/** Below a junctor: nothing that would say what there is. */
function validateNested(problems: Problems, field: string, schema: Schema, exception?: Exception): void {
  validateJunctors(problems, field, schema, exception);
  const items = itemsOf(schema);
  if (items !== undefined) validateNested(problems, `${field}.items`, items);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    validateNested(problems, `${field}.properties[${name}]`, property);
  for (const [name, must] of nestedRules) {
    const value: unknown = schema[name];
    const isEmpty = value === undefined || value === '' || value === false;
    if (!isEmpty && !(Array.isArray(value) && value.length === 0))
      problems.push(forbiddenField(`${field}.${name}`, `must be ${must} to be structural`));
  }
  if (schema.properties?.['metadata'] !== undefined)
    problems.push(
      forbiddenField(`${field}.properties[metadata]`, 'must not be specified in a nested context'),
    );
}

const nestedRules = [
  ['type', 'empty'],
  ['additionalProperties', 'undefined'],
  ['default', 'undefined'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  [preserves, 'false'],
  [embeds, 'false'],
  [isIntOrString, 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
] as const;

/** Every field that a junctor at the root restricts is there in the structure: Kubernetes looks no deeper. `at` is the structure's field, `from` the restriction's. */
function validateCompleteness(
  problems: Problems,
  restriction: Schema,
  structure: Schema,
  at: string,
  from: string,
): void {
  const nested: (readonly [string, Schema])[] = [];
  if (restriction.not !== undefined) nested.push([`${from}.not`, restriction.not]);
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const)
    restriction[junctor]?.forEach((one, index) => {
      nested.push([`${from}.${junctor}[${index}]`, one]);
    });
  for (const [path, one] of nested) validateNestedCompleteness(problems, one, structure, at, path);
}

function validateNestedCompleteness(
  problems: Problems,
  restriction: Schema,
  structure: Schema,
  at: string,
  from: string,
): void {
  validateCompleteness(problems, restriction, structure, at, from);
  const needs = (path: string, part: Schema, other: Schema | undefined): void => {
    if (other === undefined)
      problems.push(required(`${at}.${path}`, `because it is defined in ${from}.${path}`));
    else validateNestedCompleteness(problems, part, other, `${at}.${path}`, `${from}.${path}`);
  };
  const items = itemsOf(restriction);
  if (items !== undefined) needs('items', items, itemsOf(structure));
  for (const [name, property] of Object.entries(restriction.properties ?? {}))
    needs(`properties[${name}]`, property, structure.properties?.[name]);
}
