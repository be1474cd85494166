/**
 * Strategic merge patch: a merge patch that knows the kind, so that lists merge by key where their field says so.
 *
 *   field's strategy          list                                        object
 *   (none), replace           the patch's list replaces                   objects merge; `replace` replaces
 *   merge                     by merge key; primitives as a set           merge
 *   retainKeys                beside either: `$retainKeys` clears every other key first
 *
 * Directives in a patch: `$patch: replace|delete|merge` in an object or a list's element, `$deleteFromPrimitiveList/FIELD`,
 * `$setElementOrder/FIELD`, `$retainKeys`. Null deletes. Source: the Kubernetes design note on strategic merge patch and
 * k8s.io/apimachinery/pkg/util/strategicpatch.
 *
 * Invariant: no directive and no null of the patch ends up in the result.
 */
import { CaelumError } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type { Field, Message } from '../schema/message.ts';
import { messageOf } from '../schema/messages.ts';
import { orderElements } from './element-order.ts';
import { copyOf, isObject, isSame, type JsonObject, own, put } from './json.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deleteFromList = '$deleteFromPrimitiveList/';
const setOrder = '$setElementOrder/';

/** What is known of an object: its message, or, in a map, what each of its values is. Undefined: nothing (free JSON). */
type Schema =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'map'; readonly field: Field }
  | undefined;

/** `original` changed by `patch`: a private copy. Patches that make no sense are refused as `badRequest`. */
export function strategicMergePatch<T>(message: Message, original: T, patch: unknown): Draft<T> {
  return sharingStrategicMergePatch(message, copyOf(original), patch) as Draft<T>;
}

/** The same, but what the patch does not name is `original`'s own: to be read, not to be changed. */
export function sharingStrategicMergePatch<T>(message: Message, original: T, patch: unknown): T {
  if (!isObject(patch)) throw refused('invalid JSON document: the patch is not an object');
  return mergeObject(original as JsonObject, copyOf(patch), { kind: 'message', message }) as T;
}

/** Changes and keeps `patch`, never `before`. */
function mergeObject(before: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const how = takeDirective(patch);
  if (how === 'replace') return clean(patch) as JsonObject;
  if (how === 'delete') return {};
  const original = { ...before };
  applyRetainKeys(original, patch);
  applyElementOrders(original, patch, schema);
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (key.startsWith(deleteFromList)) {
      deletePrimitives(original, key.slice(deleteFromList.length), value);
    } else if (value === null) {
      delete original[key];
    } else {
      put(original, key, mergeValue(own(original, key), value, fieldOf(schema, key), schema));
    }
  }
  return original;
}

function mergeValue(old: unknown, value: unknown, field: Field | undefined, schema: Schema): unknown {
  if (isObject(old) && isObject(value)) {
    if (field?.patchStrategies?.includes('replace')) return clean(value);
    return mergeObject(old, value, schemaBelow(field, schema));
  }
  if (Array.isArray(old) && Array.isArray(value)) return mergeList(old, value, field);
  return clean(value);
}

function fieldOf(schema: Schema, key: string): Field | undefined {
  return schema?.kind === 'message' ? schema.message.fields.get(key) : undefined;
}

/** What is known of the object under `field`, or, in a map, of each of its values. */
function schemaBelow(field: Field | undefined, schema: Schema): Schema {
  if (field?.map) return { kind: 'map', field };
  const type = field?.type ?? (schema?.kind === 'map' ? schema.field.type : undefined);
  return type?.kind === 'message' ? { kind: 'message', message: messageOf(type.message) } : undefined;
}

function mergeList(original: unknown[], patch: unknown[], field: Field | undefined): unknown[] {
  if (field?.map || !field?.patchStrategies?.includes('merge')) return clean(patch) as unknown[];
  const key = field.patchMergeKey;
  if (patch.length === 0) return original;
  if (key === undefined) {
    const merged = [...original];
    for (const item of patch) if (!merged.some((other) => isSame(other, item))) merged.push(item);
    return orderElements(merged, patch, original, undefined);
  }
  return mergeElements(original, patch, key, field);
}

function mergeElements(original: unknown[], patch: unknown[], key: string, field: Field): unknown[] {
  let merged: unknown[] = original;
  let replaces = false;
  const ordinary: JsonObject[] = [];
  for (const item of patch) {
    if (!isObject(item)) throw refused(`invalid patch format: the elements of ${field.name} must be objects`);
    const how = takeDirective(item);
    if (how === 'replace') {
      replaces = true;
      if (Object.keys(item).length > 0) ordinary.push(item);
    } else if (how === 'delete') {
      const value = keyValue(item, key);
      merged = merged.filter((old) => !hasKey(old, key, value));
    } else {
      ordinary.push(item);
    }
  }
  if (replaces) return clean(ordinary) as unknown[];
  merged = [...merged];
  for (const item of ordinary) {
    const value = keyValue(item, key);
    const at = merged.findIndex((old) => hasKey(old, key, value));
    if (at < 0) merged.push(clean(item));
    else merged[at] = mergeObject(merged[at] as JsonObject, item, schemaBelow(field, undefined));
  }
  return orderElements(merged, ordinary, original, key);
}

function keyValue(item: JsonObject, key: string): unknown {
  const value = own(item, key);
  if (value === undefined) {
    throw refused(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
  }
  return value;
}

function hasKey(item: unknown, key: string, value: unknown): boolean {
  return isObject(item) && isSame(own(item, key), value);
}

function takeDirective(patch: JsonObject): 'replace' | 'delete' | undefined {
  const how = own(patch, directive);
  if (how === undefined) return undefined;
  delete patch[directive];
  if (how === 'replace' || how === 'delete') return how;
  if (how === 'merge') return undefined;
  throw refused(`unknown patch type: ${String(how)}`);
}

function applyRetainKeys(original: JsonObject, patch: JsonObject): void {
  const keys = own(patch, retainKeys);
  if (keys === undefined) return;
  delete patch[retainKeys];
  if (!Array.isArray(keys)) throw refused('invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    const isDirective = key.startsWith(deleteFromList) || key.startsWith(setOrder);
    if (patch[key] !== null && !isDirective && !keys.includes(key)) {
      throw refused('invalid patch format of retainKeys');
    }
  }
  for (const key of Object.keys(original)) if (!keys.includes(key)) delete original[key];
}

/** Merges each list that has a `$setElementOrder`, puts it into that order, and takes both out of the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(setOrder)) continue;
    const order = patch[name];
    delete patch[name];
    const key = name.slice(setOrder.length);
    if (!Array.isArray(order)) throw refused('invalid patch format of setElementOrder list');
    const field = fieldOf(schema, key);
    const old = own(original, key);
    const change = own(patch, key);
    if (change === null || (change === undefined && !Array.isArray(old))) continue;
    if (change !== undefined && !Array.isArray(change)) {
      throw refused('invalid patch format of setElementOrder list');
    }
    checkOrder(change ?? [], order, field?.patchMergeKey);
    delete patch[key];
    const before = Array.isArray(old) ? [...old] : [];
    const merged = Array.isArray(old)
      ? change === undefined
        ? old
        : mergeList(old, change, field)
      : (clean(change) as unknown[]);
    put(original, key, orderElements(merged, order, before, field?.patchMergeKey));
  }
}

/** Whatever the patch sets must have its place in the order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], key: string | undefined): void {
  for (const item of change) {
    if (isObject(item) && own(item, directive) !== undefined) continue;
    const isListed = order.some((other) =>
      key === undefined || !isObject(item) ? isSame(other, item) : hasKey(other, key, own(item, key)),
    );
    if (!isListed) {
      throw refused(
        `The order in patch list:\n${JSON.stringify(change)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
      );
    }
  }
}

function deletePrimitives(original: JsonObject, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw refused('invalid patch format of primitive list');
  const old = own(original, key);
  if (!Array.isArray(old)) return;
  put(
    original,
    key,
    old.filter((item) => !values.some((value) => isSame(item, value))),
  );
}

/** What a part of the patch leaves where nothing was before: itself, without nulls and directives. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isObject(item) || own(item, directive) !== 'delete').map(clean);
  }
  if (!isObject(value)) return value;
  const cleaned: JsonObject = {};
  for (const key of Object.keys(value)) {
    const isDirective =
      key === directive || key === retainKeys || key.startsWith(deleteFromList) || key.startsWith(setOrder);
    if (value[key] !== null && !isDirective) put(cleaned, key, clean(value[key]));
  }
  return cleaned;
}

function refused(why: string): CaelumError {
  return new CaelumError('badRequest', why);
}
