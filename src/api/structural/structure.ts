/**
 * A structural schema, made ready to be walked along with a document: what each place may hold, and what is the default there. Made once a version.
 *
 * Source: Kubernetes' documentation of custom resources (structural schemas).
 */
import type { Json } from '../object.ts';
import type { JSONSchemaProps } from '../types/apiextensions.v1.ts';

export interface Place {
  readonly schema: JSONSchemaProps;
  readonly properties: ReadonlyMap<string, Place>;
  /** What unnamed properties hold; undefined where there may be none, or none is said. */
  readonly additional: Place | undefined;
  /** `additionalProperties: true`, or a schema. */
  readonly isOpen: boolean;
  readonly items: Place | undefined;
  /** Unknown fields stay. */
  readonly preserves: boolean;
  /** An object of the API: `apiVersion`, `kind` and `metadata` are known without being said. */
  readonly embeds: boolean;
  /** The whole object, whose metadata is looked at elsewhere. */
  readonly isRoot: boolean;
  readonly nullable: boolean;
  readonly defaultValue: Json | undefined;
  /** Here or below. */
  readonly hasDefaults: boolean;
}

/** Of the root: it is an object of the API. */
export function structureOf(schema: JSONSchemaProps | undefined): Place {
  return { ...placeOf(schema ?? {}), embeds: true, isRoot: true };
}

const noProperties: ReadonlyMap<string, Place> = new Map();

function placeOf(schema: JSONSchemaProps): Place {
  const { additionalProperties, items } = schema;
  const properties =
    schema.properties === undefined
      ? noProperties
      : new Map(Object.entries(schema.properties).map(([name, one]) => [name, placeOf(one)]));
  const additional = typeof additionalProperties === 'object' ? placeOf(additionalProperties) : undefined;
  const item = items === undefined || isList(items) ? undefined : placeOf(items);
  const below = [
    ...properties.values(),
    ...(additional === undefined ? [] : [additional]),
    ...(item === undefined ? [] : [item]),
  ];
  return {
    schema,
    properties,
    additional,
    isOpen: additionalProperties === true || additional !== undefined,
    items: item,
    preserves: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embeds: schema['x-kubernetes-embedded-resource'] === true,
    isRoot: false,
    nullable: schema.nullable === true,
    defaultValue: schema.default,
    hasDefaults: below.some((one) => one.hasDefaults || one.defaultValue !== undefined),
  };
}

const isList = (value: object): value is readonly JSONSchemaProps[] => Array.isArray(value);

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What every object of the API has, whatever its schema says. */
export const isIdentity = (field: string): boolean =>
  field === 'apiVersion' || field === 'kind' || field === 'metadata';

/** Also a field called `__proto__` is just a field. */
export function put(object: JsonObject, field: string, value: unknown): void {
  if (field === '__proto__')
    Object.defineProperty(object, field, { value, writable: true, enumerable: true, configurable: true });
  else object[field] = value;
}
