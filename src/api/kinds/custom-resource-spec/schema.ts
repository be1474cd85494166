/**
 * What a custom resource's OpenAPI schema may say: the parts of OpenAPI that are understood, kinds of lists and maps, rules.
 * Rules (`x-kubernetes-validations`) are looked at for their form here, and compiled in `rules.ts`.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation, as behaviour.
 */
import { countMaxOf } from '../../cel/index.ts';
import { regexProblem } from '../../cel/regex.ts';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions.v1.ts';
import { forbiddenField, notSupported, type Problems, required, wrong } from '../../validation/problems.ts';
import { validateDefault } from './defaults.ts';
import { RuleCosts, type RulePlace, validateRules } from './rules.ts';
import { additionalOf, itemsOf, structuralProblems } from './structural.ts';

type Schema = JSONSchemaProps;

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const listTypes = ['atomic', 'set', 'map'];
const mapTypes = ['atomic', 'granular'];
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const listType = 'x-kubernetes-list-type';
const listKeys = 'x-kubernetes-list-map-keys';
const mapType = 'x-kubernetes-map-type';
const embeds = 'x-kubernetes-embedded-resource';
const identity = new Set(['metadata', 'kind', 'apiVersion']);

/** What OpenAPI has and is not understood here. */
const unsupported = [
  'id',
  'additionalItems',
  'patternProperties',
  'definitions',
  'dependencies',
  '$ref',
] as const;

/** Allowed at the root beside a status subresource, as Kubernetes calls them. */
const rootFields: Readonly<Record<string, string>> = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
};

/** Where in an object a schema stands. */
interface Place {
  readonly isRoot: boolean;
  /** Within what every object has: metadata, kind, apiVersion. */
  readonly isIdentity: boolean;
  /** Why there may be no defaults. */
  readonly noDefaults: string | undefined;
  /** Of rules; undefined: within a junctor, where they are not compiled. */
  readonly rules: RulePlace | undefined;
  readonly costs: RuleCosts;
}

export function validateSchema(problems: Problems, field: string, schema: Schema, hasStatus: boolean): void {
  if (hasStatus) validateRoot(problems, field, schema);
  if (schema.nullable === true)
    problems.push(forbiddenField(`${field}.nullable`, 'nullable cannot be true at the root'));
  problems.push(...structuralProblems(field, schema));
  const rules: RulePlace = { isRoot: true, times: 1, uncorrelated: undefined };
  const costs = new RuleCosts();
  visit(problems, field, schema, { isRoot: true, isIdentity: false, noDefaults: undefined, rules, costs });
  costs.check(problems, field);
}

/** Below a list or map: rules run once for each of its elements. */
function eachOf(schema: Schema, field: string, rules: RulePlace | undefined): RulePlace | undefined {
  if (rules === undefined) return undefined;
  const isKnown = schema.type === 'array' ? schema[listType] === 'map' : schema[mapType] !== 'atomic';
  return {
    isRoot: false,
    times: rules.times * countMaxOf(schema),
    uncorrelated: rules.uncorrelated ?? (isKnown ? undefined : field),
  };
}

/** The schema of a status is taken out of the whole: nothing at the root may reach into it. */
function validateRoot(problems: Problems, field: string, schema: Schema): void {
  const { type } = schema;
  if (type !== undefined && type !== '' && type !== 'object') {
    const why =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    problems.push(wrong(`${field}.type`, type, why));
    return;
  }
  if (Object.keys(schema).every((name) => Object.hasOwn(rootFields, name))) return;
  const names = Object.values(rootFields).join(' ');
  const why = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  problems.push(wrong(field, schema, why));
}

function visit(problems: Problems, field: string, schema: Schema, place: Place): void {
  validateSupported(problems, field, schema, place);
  const rules = place.rules === undefined ? undefined : { ...place.rules, isRoot: false };
  const inside: Place = { ...place, isRoot: false, rules };
  const additional = additionalOf(schema);
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  if (hasProperties && schema.additionalProperties !== undefined && schema.additionalProperties !== true)
    problems.push(
      forbiddenField(
        `${field}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  if (additional !== undefined) {
    const reason = 'inside additionalProperties applying to object metadata';
    const beyond = place.isIdentity ? { ...inside, noDefaults: reason } : inside;
    const each = eachOf(schema, field, place.rules);
    visit(problems, `${field}.additionalProperties`, additional, { ...beyond, rules: each });
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    visit(problems, `${field}.properties[${name}]`, property, { ...placeOf(name, schema, place), rules });
  const restricting: Place = { ...inside, rules: undefined };
  if (schema.not !== undefined) visit(problems, `${field}.not`, schema.not, restricting);
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const)
    schema[junctor]?.forEach((one, index) => {
      visit(problems, `${field}.${junctor}[${index}]`, one, restricting);
    });
  const items = itemsOf(schema);
  if (items !== undefined)
    visit(problems, `${field}.items`, items, { ...inside, rules: eachOf(schema, field, place.rules) });
  validateKinds(problems, field, schema);
  schema['x-kubernetes-validations']?.forEach((rule, index) => {
    validateRule(problems, `${field}.x-kubernetes-validations[${index}]`, rule);
  });
  if (place.rules === undefined) return;
  if (place.noDefaults === undefined) validateDefault(problems, field, schema);
  validateRules(problems, field, schema, place.rules, place.costs);
}

function placeOf(name: string, parent: Schema, place: Place): Place {
  if (!identity.has(name) || !(place.isRoot || parent[embeds] === true)) return { ...place, isRoot: false };
  return {
    ...place,
    isRoot: false,
    isIdentity: true,
    noDefaults: place.isRoot ? `in top-level ${name}` : place.noDefaults,
  };
}

function validateSupported(problems: Problems, field: string, schema: Schema, place: Place): void {
  const { type = '' } = schema;
  if (type !== '' && !types.includes(type)) problems.push(notSupported(`${field}.type`, type, types));
  if (schema.default !== undefined && place.noDefaults !== undefined)
    problems.push(forbiddenField(`${field}.default`, `must not be set ${place.noDefaults}`));
  for (const name of unsupported)
    if (schema[name] !== undefined && schema[name] !== '')
      problems.push(forbiddenField(`${field}.${name}`, `${name} is not supported`));
  if (type === 'null')
    problems.push(
      forbiddenField(`${field}.type`, 'type cannot be set to null, use nullable as an alternative'),
    );
  if (Array.isArray(schema.items) && schema.items.length > 0)
    problems.push(forbiddenField(`${field}.items`, 'items must be a schema object and not an array'));
  const { pattern = '' } = schema;
  const why = pattern === '' ? undefined : regexProblem(pattern);
  if (why !== undefined)
    problems.push(
      wrong(`${field}.pattern`, pattern, `must be a valid regular expression, but isn't: ${why}`),
    );
  if (place.isIdentity && schema[embeds] === true)
    problems.push(forbiddenField(`${field}.${embeds}`, 'must not be used inside of resource meta'));
  if (schema.uniqueItems === true)
    problems.push(
      forbiddenField(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
}

/** A field that must have a type, told as missing or as wrong. */
function mustBe(problems: Problems, field: string, type: string, wanted: string, extension: string): void {
  if (type === wanted) return;
  const why = `must be ${wanted} if ${extension} is specified`;
  problems.push(type === '' ? required(field, why) : wrong(field, type, why));
}

function validateKinds(problems: Problems, field: string, schema: Schema): void {
  const { type = '' } = schema;
  const list = schema[listType];
  const map = schema[mapType];
  const keys = schema[listKeys] ?? [];
  const preserve = 'x-kubernetes-preserve-unknown-fields';
  if (schema[preserve] === false)
    problems.push(wrong(`${field}.${preserve}`, false, 'must be true or undefined'));
  if (map !== undefined) {
    mustBe(problems, `${field}.type`, type, 'object', mapType);
    if (!mapTypes.includes(map)) problems.push(notSupported(`${field}.${mapType}`, map, mapTypes));
  }
  if (list !== undefined) {
    mustBe(problems, `${field}.type`, type, 'array', listType);
    if (list === 'set' && type === 'array') validateSetItems(problems, `${field}.items`, itemsOf(schema));
    if (!listTypes.includes(list)) problems.push(notSupported(`${field}.${listType}`, list, listTypes));
  }
  if (keys.length > 0 && list !== 'map') {
    const why = `must be map if ${listKeys} is non-empty`;
    problems.push(
      list === undefined ? required(`${field}.${listType}`, why) : wrong(`${field}.${listType}`, list, why),
    );
  }
  if (list === 'map') validateMapItems(problems, field, schema, keys);
  if (list !== 'set' && list !== 'map') return;
  if (itemsOf(schema)?.nullable === true)
    problems.push(
      forbiddenField(`${field}.items.nullable`, `cannot be nullable when ${listType} is ${list}`),
    );
  if (list === 'map') validateKeysPresent(problems, `${field}.items`, itemsOf(schema), keys);
}

/** Elements of sets are compared as a whole. */
function validateSetItems(problems: Problems, field: string, items: Schema | undefined): void {
  const why = `must be atomic as item of a list with ${listType}=set`;
  const list = items?.[listType];
  if (items?.type === 'array' && list !== undefined && list !== 'atomic')
    problems.push(wrong(`${field}.${listType}`, list, why));
  if (items?.type === 'object' && items[mapType] !== 'atomic')
    problems.push(wrong(`${field}.${mapType}`, items[mapType], why));
}

function validateMapItems(problems: Problems, field: string, schema: Schema, keys: readonly string[]): void {
  if (keys.length === 0)
    problems.push(required(`${field}.${listKeys}`, `must not be empty if ${listType} is map`));
  if (schema.items === undefined)
    problems.push(required(`${field}.items`, `must have a schema if ${listType} is map`));
  const items = itemsOf(schema);
  if (schema.items !== undefined && items === undefined)
    problems.push(
      wrong(`${field}.items`, schema.items, `must only have a single schema if ${listType} is map`),
    );
  if (items === undefined) return;
  if (items.type !== 'object') {
    const why = `must be object if parent array's ${listType} is map`;
    problems.push(wrong(`${field}.items.type`, items.type ?? '', why));
    return;
  }
  keys.forEach((key, index) => {
    const property = items.properties?.[key];
    if (property === undefined)
      problems.push(wrong(`${field}.${listKeys}`, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object')
      problems.push(
        wrong(
          `${field}.items.properties[${key}].type`,
          items.type,
          `must be a scalar type if parent array's ${listType} is map`,
        ),
      );
    if (keys.indexOf(key) < index)
      problems.push(wrong(`${field}.${listKeys}`, keys, 'must not contain duplicate entries'));
  });
}

/** By its keys an element is known: each must be there. */
function validateKeysPresent(
  problems: Problems,
  field: string,
  items: Schema | undefined,
  keys: readonly string[],
): void {
  for (const key of keys) {
    const property = items?.properties?.[key];
    if (property === undefined) continue;
    const at = `${field}.properties[${key}]`;
    if (!(items?.required ?? []).includes(key) && property.default === undefined)
      problems.push(
        required(
          `${at}.default`,
          `this property is in ${listKeys}, so it must have a default or be a required property`,
        ),
      );
    if (property.nullable === true)
      problems.push(
        forbiddenField(`${at}.nullable`, `this property is in ${listKeys}, so it cannot be nullable`),
      );
  }
}

const hasLineBreaks = (text: string): boolean => /[\n\r]/.test(text);
const isBlank = (text: string): boolean => text !== '' && text.trim() === '';

function validateRule(
  problems: Problems,
  field: string,
  { rule = '', message = '', messageExpression = '', reason, fieldPath = '' }: ValidationRule,
): void {
  if (rule.trim() === '') problems.push(required(`${field}.rule`, 'rule is not specified'));
  else if (isBlank(message))
    problems.push(wrong(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (hasLineBreaks(message.trim()))
    problems.push(wrong(`${field}.message`, message, 'message must not contain line breaks'));
  else if (hasLineBreaks(rule.trim()) && message === '')
    problems.push(required(`${field}.message`, 'message must be specified if rule contains line breaks'));
  if (isBlank(messageExpression))
    problems.push(required(`${field}.messageExpression`, 'messageExpression must be non-empty if specified'));
  if (reason !== undefined && !reasons.includes(reason))
    problems.push(notSupported(`${field}.reason`, reason, reasons));
  if (isBlank(fieldPath))
    problems.push(wrong(`${field}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'));
  if (hasLineBreaks(fieldPath))
    problems.push(wrong(`${field}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'));
}
