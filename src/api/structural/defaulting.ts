/**
 * Fills in what a structural schema gives as default: into requests, and into what is read from the store. Nothing given is changed; what needs nothing
 * is shared.
 *
 * Source: Kubernetes' documentation of custom resources (defaulting).
 */
import { draftOf, type Json } from '../object.ts';
import { isIdentity, isObject, type JsonObject, type Place, put } from './structure.ts';

export function defaulted<T>(value: T, place: Place): T {
  return fill(value, place) as T;
}

const isMissing = (value: unknown, place: Place): boolean =>
  value === undefined || (value === null && !place.nullable);

const copyOfDefault = (place: Place): unknown => draftOf<Json | undefined>(place.defaultValue);

function fill(value: unknown, place: Place): unknown {
  if (!place.hasDefaults) return value;
  if (isObject(value)) return fillObject(value, place);
  if (!Array.isArray(value) || place.items === undefined) return value;
  const { items } = place;
  let changed: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const item: unknown = value[index];
    const wanted =
      item === null && !items.nullable && items.defaultValue !== undefined ? copyOfDefault(items) : item;
    const filled = fill(wanted, items);
    if (filled === item) continue;
    changed ??= [...(value as readonly unknown[])];
    changed[index] = filled;
  }
  return changed ?? value;
}

function fillObject(object: JsonObject, place: Place): JsonObject {
  let changed: JsonObject | undefined;
  const set = (field: string, value: unknown): void => {
    changed ??= { ...object };
    put(changed, field, value);
  };
  for (const [field, property] of place.properties) {
    if (property.defaultValue === undefined && !property.hasDefaults) continue;
    const own = Object.hasOwn(object, field) ? object[field] : undefined;
    const wanted =
      property.defaultValue !== undefined && isMissing(own, property) ? copyOfDefault(property) : own;
    if (wanted === undefined) continue;
    const filled = fill(wanted, property);
    if (filled !== own) set(field, filled);
  }
  const { additional } = place;
  if (additional === undefined || (additional.defaultValue === undefined && !additional.hasDefaults))
    return changed ?? object;
  for (const field in object) {
    if (place.properties.has(field) || (place.embeds && isIdentity(field))) continue;
    const own = object[field];
    const wanted =
      own === null && !additional.nullable && additional.defaultValue !== undefined
        ? copyOfDefault(additional)
        : own;
    const filled = fill(wanted, additional);
    if (filled !== own) set(field, filled);
  }
  return changed ?? object;
}
