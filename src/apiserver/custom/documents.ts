/**
 * A custom resource's part of the OpenAPI documents: its schema with what every object has. Version 2 of OpenAPI cannot say everything: what it
 * cannot say is left out, so that clients refuse nothing that the server would take.
 *
 * Source: Kubernetes' documentation of custom resources (publish validation schema in OpenAPI).
 */
import type {
  CustomResourceDefinitionVersion,
  CustomSchemaDocument,
  JSONSchemaProps,
} from '../../api/index.ts';

type Document = Readonly<Record<string, unknown>>;

export interface Described {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
}

export function schemaDocument(
  of: Described,
  version: CustomResourceDefinitionVersion,
): CustomSchemaDocument {
  const schema = version.schema?.openAPIV3Schema ?? {};
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => ({
    fieldPath: jsonPath.replace(/^\./, ''),
  }));
  const root = of.group.split('.').reverse().join('.');
  return {
    name: `${root}.${of.version}.${of.kind}`,
    listName: `${root}.${of.version}.${of.listKind}`,
    listKind: of.listKind,
    schema: (dialect, metadata) => ({
      ...rootSchema(schema, dialect, metadata),
      ...(selectable.length === 0 ? {} : { 'x-kubernetes-selectable-fields': selectable }),
    }),
  };
}

const identity: Document = {
  apiVersion: {
    description: 'The group and version of this form of the object.',
    type: 'string',
  },
  kind: { description: 'What kind of object this is.', type: 'string' },
};

function rootSchema(schema: JSONSchemaProps, dialect: 'v2' | 'v3', metadata: Document): Document {
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  // Older clients take a schema with properties for one that is closed.
  const plain =
    dialect === 'v2' ? (preserves ? { description: schema.description } : v2Of(schema)) : v3Of(schema);
  const properties = (plain as { properties?: Document }).properties ?? {};
  const { description, ...rest } = plain as Document & { description?: string };
  return {
    ...(description === undefined ? {} : { description }),
    ...rest,
    type: 'object',
    properties: { ...properties, ...identity, metadata },
  };
}

function v3Of(schema: JSONSchemaProps): Document {
  return mapped(schema, v3Of, (name, value) => {
    if (name === 'x-kubernetes-int-or-string' && value === true && schema.anyOf === undefined)
      return [
        [name, value],
        ['oneOf', [{ type: 'integer' }, { type: 'string' }]],
      ];
    return [[name, value]];
  });
}

const unsaid = new Set(['oneOf', 'anyOf', 'not', 'nullable', 'default', 'allOf']);

/** Without what Swagger has no words for; where nulls or both texts and numbers may be, without a type. */
function v2Of(schema: JSONSchemaProps): Document {
  const isOpen = schema.nullable === true || schema['x-kubernetes-int-or-string'] === true;
  const embeds = schema['x-kubernetes-embedded-resource'] === true;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true && !embeds)
    return {
      ...(schema.description === undefined ? {} : { description: schema.description }),
      ...(schema.type === undefined || isOpen || schema.properties !== undefined
        ? {}
        : { type: schema.type }),
      'x-kubernetes-preserve-unknown-fields': true,
    };
  return mapped(schema, v2Of, (name, value) => {
    if (unsaid.has(name)) return [];
    if (isOpen && (name === 'type' || name === 'items' || name === 'properties')) return [];
    return [[name, value]];
  });
}

function mapped(
  schema: JSONSchemaProps,
  below: (schema: JSONSchemaProps) => Document,
  keep: (name: string, value: unknown) => readonly (readonly [string, unknown])[],
): Document {
  const entries: (readonly [string, unknown])[] = [];
  for (const [name, value] of Object.entries(schema) as [string, unknown][]) {
    for (const [kept, what] of keep(name, value)) {
      if (kept === 'properties')
        entries.push([
          kept,
          Object.fromEntries(
            Object.entries(what as Record<string, JSONSchemaProps>).map(([field, one]) => [
              field,
              below(one),
            ]),
          ),
        ]);
      else if (
        (kept === 'items' || kept === 'additionalProperties' || kept === 'not') &&
        typeof what === 'object'
      )
        entries.push([kept, below(what as JSONSchemaProps)]);
      else if (kept === name && (kept === 'allOf' || kept === 'anyOf' || kept === 'oneOf'))
        entries.push([kept, (what as readonly JSONSchemaProps[]).map(below)]);
      else entries.push([kept, what]);
    }
  }
  return Object.fromEntries(entries);
}
