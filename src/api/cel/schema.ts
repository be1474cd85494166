/**
 * The types of values that an OpenAPI schema describes, with the bounds it sets on their sizes; and of the messages of built-in kinds.
 *
 * Names that are no names in an expression are escaped: `__dot__`, `__dash__`, `__slash__`, `__underscores__`, and `__namespace__` for words of the language.
 * Source: "Validation rules" of custom resources in Kubernetes' documentation; k8s.io/apiserver/pkg/cel, as behaviour.
 */

import type { Field, Message } from '../schema/message.ts';
import { findMessage, messageOf } from '../schema/messages.ts';
import type { JSONSchemaProps } from '../types/apiextensions.v1.ts';
import type { CelType, ObjectField, ObjectType } from './type.ts';
import * as types from './type.ts';

type Schema = JSONSchemaProps;

const words = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** As expressions spell a field. undefined: they cannot. */
export function escapeName(name: string): string | undefined {
  if (words.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}

export interface SchemaPlace {
  /** The whole object: it has apiVersion, kind and metadata, of which the name can be read. */
  readonly isRoot?: boolean;
  /** How its type is called in messages. */
  readonly name?: string;
}

/** Short formats of texts, and how long they are. */
const formatSizes: Readonly<Record<string, number>> = { duration: 32, date: 10, 'date-time': 35 };

export function typeOfSchema(schema: Schema, place: SchemaPlace = {}): CelType {
  const { name = 'selfType', isRoot = false } = place;
  if (schema['x-kubernetes-int-or-string'] === true) return types.dyn;
  const embeds = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  switch (schema.type) {
    case 'array': {
      const items = Array.isArray(schema.items) ? undefined : (schema.items as Schema | undefined);
      const item = items === undefined ? types.dyn : typeOfSchema(items, { name: `${name}.@idx` });
      return { kind: 'list', item, maxSize: countMaxOf(schema), ...listKindOf(schema) };
    }
    case 'object': {
      const more = schema.additionalProperties;
      if (typeof more === 'object')
        return types.mapOf(types.string, typeOfSchema(more, { name: `${name}.@elem` }), countMaxOf(schema));
      if (schema.properties === undefined && !embeds)
        return schema['x-kubernetes-preserve-unknown-fields'] === true || more === true
          ? types.mapOf(types.string, types.dyn)
          : objectOfSchema(name, schema, false);
      return objectOfSchema(name, schema, embeds);
    }
    case 'string':
      return textType(schema);
    case 'boolean':
      return types.bool;
    case 'number':
      return types.double;
    case 'integer':
      return types.int;
    default:
      return types.dyn;
  }
}

function listKindOf(schema: Schema): { listType?: 'set' | 'map'; keys?: readonly string[] } {
  const list = schema['x-kubernetes-list-type'];
  if (list === 'set') return { listType: 'set' };
  return list === 'map' ? { listType: 'map', keys: schema['x-kubernetes-list-map-keys'] ?? [] } : {};
}

function textType({ format, maxLength, enum: words }: Schema): CelType {
  switch (format) {
    case 'date':
    case 'date-time':
      return types.timestamp;
    case 'duration':
      return types.duration;
    case 'byte':
      return { kind: 'bytes', maxSize: maxLength ?? types.sizeMax };
  }
  const longest = words?.reduce<number>((most, word) => Math.max(most, String(word).length), 0);
  // A character may take four bytes of the request.
  return { kind: 'string', maxSize: longest ?? (maxLength === undefined ? types.sizeMax : maxLength * 4) };
}

function objectOfSchema(name: string, schema: Schema, embeds: boolean): ObjectType {
  const properties: Record<string, Schema> = { ...schema.properties };
  if (embeds) {
    properties['apiVersion'] ??= { type: 'string' };
    properties['kind'] ??= { type: 'string' };
    properties['metadata'] = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        generateName: { type: 'string' },
        ...properties['metadata']?.properties,
      },
    };
  }
  const known = new Map<string, { json: string; schema: Schema }>();
  for (const [json, of] of Object.entries(properties)) {
    const escaped = escapeName(json);
    if (escaped !== undefined) known.set(escaped, { json, schema: of });
    // Words are fields too where nothing else can be meant, and so is what stands in backticks.
    if (!known.has(json)) known.set(json, { json, schema: of });
  }
  const made = new Map<string, ObjectField>();
  return {
    kind: 'object',
    name,
    field(field) {
      const found = made.get(field);
      if (found !== undefined) return found;
      const property = known.get(field);
      if (property === undefined) return undefined;
      const type = typeOfSchema(property.schema, { name: `${name}.${property.json}` });
      const one = { json: property.json, type };
      made.set(field, one);
      return one;
    },
  };
}

/** The most items or entries that a request can carry, or that the schema allows. */
export function countMaxOf(schema: Schema): number {
  if (schema.type === 'array') {
    const items = Array.isArray(schema.items) ? undefined : (schema.items as Schema | undefined);
    return schema.maxItems ?? Math.floor(types.sizeMax / (bytesMinOf(items) + 1));
  }
  const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  // A key of no letters, its quotes, a colon.
  return schema.maxProperties ?? Math.floor(types.sizeMax / (bytesMinOf(more) + 4));
}

/** The fewest bytes in which a value can be written. */
function bytesMinOf(schema: Schema | undefined, depth = 0): number {
  switch (schema?.type) {
    case 'string':
      return formatSizes[schema.format ?? ''] === undefined ? 2 : schema.format === 'duration' ? 3 : 12;
    case 'boolean':
      return 4;
    case 'array':
      return 2;
    case 'object': {
      let bytes = 2;
      if (depth > 10) return bytes;
      for (const name of schema.required ?? [])
        bytes += name.length + 4 + bytesMinOf(schema.properties?.[name], depth + 1);
      return bytes;
    }
    default:
      return 1;
  }
}

const ofMessages = new Map<string, ObjectType>();

/** The type of a message of a built-in kind: `core.v1.Pod`. undefined: no table holds it. */
export function typeOfMessage(name: string): ObjectType | undefined {
  const known = ofMessages.get(name);
  if (known !== undefined) return known;
  const message = findMessage(name);
  if (message === undefined) return undefined;
  const type = objectOfMessage(message);
  ofMessages.set(name, type);
  return type;
}

function objectOfMessage(message: Message): ObjectType {
  const byName = new Map<string, Field>();
  for (const [json, field] of message.fields) {
    const escaped = escapeName(json);
    if (escaped !== undefined) byName.set(escaped, field);
    if (!byName.has(json)) byName.set(json, field);
  }
  const made = new Map<string, ObjectField>();
  return {
    kind: 'object',
    name: message.name,
    field(name) {
      const found = made.get(name);
      if (found !== undefined) return found;
      const field = byName.get(name);
      if (field === undefined)
        return message.isKind && (name === 'apiVersion' || name === 'kind')
          ? { json: name, type: types.string }
          : undefined;
      const one = { json: field.name, type: typeOfField(field) };
      made.set(name, one);
      return one;
    },
  };
}

function typeOfField(field: Field): CelType {
  let type: CelType =
    field.type.kind === 'message' ? typeOfPart(field.type.message) : scalarType(field.type.scalar);
  if (field.repeated)
    type = {
      kind: 'list',
      item: type,
      ...(field.listType === 'set' ? { listType: 'set' as const } : {}),
      ...(field.listType === 'map' ? { listType: 'map' as const, keys: field.listMapKeys ?? [] } : {}),
    };
  return field.map ? types.mapOf(types.string, type) : type;
}

/** Messages that are the value of one of their fields have no type of their own. */
function typeOfPart(name: string): CelType {
  return messageOf(name).isUnion ? types.dyn : (typeOfMessage(name) ?? types.dyn);
}

function scalarType(scalar: string): CelType {
  switch (scalar) {
    case 'int32':
    case 'int64':
      return types.int;
    case 'double':
      return types.double;
    case 'bool':
      return types.bool;
    case 'bytes':
      return types.bytes;
    case 'time':
    case 'microTime':
      return types.timestamp;
    case 'duration':
    case 'string':
    case 'quantity':
      return types.string;
    default:
      return types.dyn;
  }
}
