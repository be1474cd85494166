/**
 * Takes away what a structural schema does not know. Nothing given is changed: what stays whole is shared, so a document that holds nothing unknown
 * costs a walk and no memory.
 *
 * Source: Kubernetes' documentation of custom resources (field pruning); k8s.io/apiextensions-apiserver schema/pruning, as behaviour.
 */
import { messageOf } from '../schema/messages.ts';
import { isIdentity, isObject, type JsonObject, type Place, put } from './structure.ts';

/** `unknown`: gets the paths of what was taken away. */
export function pruned<T>(value: T, place: Place, unknown?: string[]): T {
  return prune(value, place, '', unknown) as T;
}

function prune(
  value: unknown,
  place: Place | undefined,
  path: string,
  unknown: string[] | undefined,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (place?.preserves === true) return pass(value, place, path, unknown);
  if (Array.isArray(value)) return pruneList(value, place?.items, path, unknown, prune);
  return pruneObject(value as JsonObject, place, path, unknown, false);
}

/** Where unknown fields stay, the known ones are looked into all the same. */
function pass(
  value: unknown,
  place: Place | undefined,
  path: string,
  unknown: string[] | undefined,
): unknown {
  if (place === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return pruneList(value, place.items, path, unknown, pass);
  return pruneObject(value as JsonObject, place, path, unknown, true);
}

function pruneList(
  list: readonly unknown[],
  items: Place | undefined,
  path: string,
  unknown: string[] | undefined,
  each: typeof prune,
): unknown {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    if (typeof item !== 'object' || item === null) continue;
    const kept = each(item, items, unknown === undefined ? '' : `${path}[${index}]`, unknown);
    if (kept === item) continue;
    changed ??= [...list];
    changed[index] = kept;
  }
  return changed ?? list;
}

function pruneObject(
  object: JsonObject,
  place: Place | undefined,
  path: string,
  unknown: string[] | undefined,
  keeps: boolean,
): JsonObject {
  let changed: JsonObject | undefined;
  const copy = (): JsonObject => {
    changed ??= { ...object };
    return changed;
  };
  for (const field in object) {
    const value = object[field];
    if (place?.embeds === true && isIdentity(field)) {
      if (place.isRoot || field !== 'metadata' || !isObject(value)) continue;
      const kept = prunedMetadata(value, path === '' ? field : `${path}.${field}`, unknown);
      if (kept !== value) put(copy(), field, kept);
      continue;
    }
    const property = place?.properties.get(field);
    if (property === undefined && place?.isOpen !== true) {
      if (keeps) continue;
      unknown?.push(path === '' ? field : `${path}.${field}`);
      delete copy()[field];
      continue;
    }
    if (typeof value !== 'object' || value === null) continue;
    const below = unknown === undefined ? '' : path === '' ? field : `${path}.${field}`;
    const kept = prune(value, property ?? place?.additional, below, unknown);
    if (kept !== value) put(copy(), field, kept);
  }
  return changed ?? object;
}

/** Metadata has the same fields everywhere. What is of the wrong type is told by validation. */
function prunedMetadata(metadata: JsonObject, path: string, unknown: string[] | undefined): JsonObject {
  const { fields } = messageOf('meta.v1.ObjectMeta');
  let changed: JsonObject | undefined;
  for (const field in metadata) {
    if (fields.has(field)) continue;
    unknown?.push(`${path}.${field}`);
    changed ??= { ...metadata };
    delete changed[field];
  }
  return changed ?? metadata;
}

/** Nulls where the schema allows none say nothing: they go, so that defaults can come. Only properties: elements of lists stay. */
export function withoutNulls<T>(value: T, place: Place): T {
  return dropNulls(value, place) as T;
}

function dropNulls(value: unknown, place: Place | undefined): unknown {
  if (place === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let changed: unknown[] | undefined;
    if (place.items === undefined) return value;
    for (let index = 0; index < value.length; index++) {
      const kept = dropNulls(value[index], place.items);
      if (kept === value[index]) continue;
      changed ??= [...(value as readonly unknown[])];
      changed[index] = kept;
    }
    return changed ?? value;
  }
  const object = value as JsonObject;
  let changed: JsonObject | undefined;
  for (const field in object) {
    const below = place.properties.get(field) ?? place.additional;
    if (below === undefined) continue;
    const one = object[field];
    if (one === null) {
      if (below.nullable || below.defaultValue !== undefined) continue;
      changed ??= { ...object };
      delete changed[field];
      continue;
    }
    const kept = dropNulls(one, below);
    if (kept === one) continue;
    changed ??= { ...object };
    put(changed, field, kept);
  }
  return changed ?? object;
}
