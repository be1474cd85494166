/**
 * Objects of the API within a custom resource: they say what they are, and their metadata is metadata.
 * Source: k8s.io/apiextensions-apiserver schema/objectmeta, as behaviour.
 */
import type { KubeObject } from '../object.ts';
import { checkShape } from '../schema/check-shape.ts';
import { messageOf } from '../schema/messages.ts';
import { validateObjectMeta } from '../validation/object-meta.ts';
import type { Findings } from './findings.ts';
import type { ListCheck } from './list-types.ts';
import { isObject, type JsonObject, type Place } from './structure.ts';

/** undefined: the schema has none. */
export function embeddedCheck(place: Place): ListCheck | undefined {
  return below(place);
}

function checkOf(place: Place): ListCheck | undefined {
  const inner = below(place);
  if (!place.embeds) return inner;
  return (value, findings) => {
    if (!isObject(value)) return;
    checkEmbedded(value, findings);
    inner?.(value, findings);
  };
}

function below(place: Place): ListCheck | undefined {
  const items = place.items === undefined ? undefined : checkOf(place.items);
  const additional = place.additional === undefined ? undefined : checkOf(place.additional);
  const properties = new Map<string, ListCheck>();
  for (const [name, property] of place.properties) {
    const check = checkOf(property);
    if (check !== undefined) properties.set(name, check);
  }
  if (items === undefined && additional === undefined && properties.size === 0) return undefined;
  return (value, findings) => {
    if (Array.isArray(value)) {
      if (items !== undefined)
        value.forEach((item, index) => {
          findings.enter(index);
          items(item, findings);
          findings.leave();
        });
    } else if (isObject(value))
      for (const field in value) {
        const check = properties.get(field) ?? (place.properties.has(field) ? undefined : additional);
        if (check === undefined) continue;
        findings.enter(field);
        check(value[field], findings);
        findings.leave();
      }
  };
}

function checkEmbedded(object: JsonObject, findings: Findings): void {
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = object[field];
    if (typeof value === 'string' && value !== '') continue;
    findings.add('FieldValueRequired', 'Required value: must not be empty', `${findings.path}.${field}`);
  }
  const { metadata } = object;
  if (metadata === undefined) return;
  const path = `${findings.path}.metadata`;
  if (!isObject(metadata)) {
    findings.add('FieldValueInvalid', `Invalid value: ${JSON.stringify(metadata)}: must be an object`, path);
    return;
  }
  const { problems } = checkShape(messageOf('meta.v1.ObjectMeta'), structuredClone(metadata));
  for (const problem of problems)
    findings.add('FieldValueInvalid', `Invalid value: ${JSON.stringify(metadata)}: ${problem}`, path);
  if (problems.length > 0) return;
  const { metadata: meta } = { metadata } as unknown as KubeObject;
  for (const { reason, field, message } of validateObjectMeta(meta, (meta.namespace ?? '') !== '', () => []))
    if (field !== 'metadata.name') findings.add(reason, message, `${findings.path}.${field}`);
}
