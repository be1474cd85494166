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
    // Kubernetes' own tests look for how it begins.
    description: 'APIVersion defines the group and version of this form of the object.',
    type: 'string',
  },
  kind: { description: 'What kind of object this is.', type: 'string' },
};

const preserve = 'x-kubernetes-preserve-unknown-fields';
const embeds = 'x-kubernetes-embedded-resource';

function rootSchema(schema: JSONSchemaProps, dialect: 'v2' | 'v3', metadata: Document): Document {
  // Older clients take a schema with properties for one that is closed: here they get none.
  if (dialect === 'v2' && schema[preserve] === true) return { type: 'object' };
  const { properties = {}, ...rest } = (dialect === 'v2' ? v2Of : v3Of)(schema, metadata) as {
    properties?: Document;
  };
  return { ...rest, type: 'object', properties: { ...properties, ...identity, metadata } };
}

function v3Of(schema: JSONSchemaProps, metadata: Document): Document {
  const isEither = schema['x-kubernetes-int-or-string'] === true && schema.anyOf === undefined;
  const plain = mapped(
    schema,
    (below) => v3Of(below, metadata),
    () => true,
  );
  return {
    ...(schema[embeds] === true ? embedded(plain, metadata) : plain),
    ...(isEither ? { anyOf: [{ type: 'integer' }, { type: 'string' }] } : {}),
  };
}

/** An object of the API says what it is, and has metadata. */
function embedded(schema: Document, metadata: Document): Document {
  const { properties = {}, required = [] } = schema as {
    properties?: Document;
    required?: readonly string[];
  };
  return {
    ...schema,
    properties: { ...properties, ...identity, metadata },
    required: [...new Set([...required, 'apiVersion', 'kind'])],
  };
}

const unsaid = new Set(['oneOf', 'anyOf', 'allOf', 'not', 'nullable']);

/** Without what Swagger has no words for. Where nulls or unknown fields may be, clients are told nothing of what is within. */
function v2Of(schema: JSONSchemaProps, metadata: Document): Document {
  const { nullable = false, properties = {}, additionalProperties } = schema;
  const preserves = schema[preserve] === true;
  const hides = nullable || preserves;
  const isUntyped =
    nullable ||
    (schema.type === 'object' && preserves) ||
    (schema.type === 'array' && (hides || schema.items === undefined));
  const isMapOfNulls = typeof additionalProperties === 'object' && additionalProperties.nullable === true;
  const required = isMapOfNulls
    ? []
    : (schema.required ?? []).filter((name) => properties[name]?.nullable !== true);
  const { required: _, ...plain } = mapped(
    schema,
    (below) => v2Of(below, metadata),
    (name) =>
      !unsaid.has(name) &&
      !(isUntyped && name === 'type') &&
      !(hides && (name === 'items' || name === 'properties')),
  ) as Document & { required?: unknown };
  const whole = required.length === 0 ? plain : { ...plain, required };
  return schema[embeds] === true && !preserves ? embedded(whole, metadata) : whole;
}

/** The fields of a schema that `keeps` lets pass, and the same below. */
function mapped(
  schema: JSONSchemaProps,
  below: (schema: JSONSchemaProps) => Document,
  keeps: (name: string) => boolean,
): Document {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema) as [string, unknown][]) {
    if (!keeps(name)) continue;
    if (name === 'properties') {
      const fields = Object.entries(value as Record<string, JSONSchemaProps>);
      made[name] = Object.fromEntries(fields.map(([field, one]) => [field, below(one)]));
    } else if (name === 'items' || name === 'additionalProperties' || name === 'not')
      made[name] = typeof value === 'object' ? below(value as JSONSchemaProps) : value;
    else if (name === 'allOf' || name === 'anyOf' || name === 'oneOf')
      made[name] = (value as readonly JSONSchemaProps[]).map(below);
    else made[name] = value;
  }
  return made;
}
