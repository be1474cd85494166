/**
 * Lists that are sets or maps hold nothing twice. Compiled: places without such lists are not visited.
 * Source: k8s.io/apiextensions-apiserver schema/listtype, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Findings } from './findings.ts';
import { isObject, type Place } from './structure.ts';
import { keyOf } from './validation.ts';

export type ListCheck = (value: unknown, findings: Findings) => void;

/** undefined: there are none. */
export function compileListTypes(place: Place): ListCheck | undefined {
  const own = ownCheck(place);
  const items = place.items === undefined ? undefined : compileListTypes(place.items);
  const additional = place.additional === undefined ? undefined : compileListTypes(place.additional);
  const properties = new Map<string, ListCheck>();
  for (const [name, property] of place.properties) {
    const check = compileListTypes(property);
    if (check !== undefined) properties.set(name, check);
  }
  if (own === undefined && items === undefined && additional === undefined && properties.size === 0)
    return undefined;
  return (value, findings) => {
    if (Array.isArray(value)) {
      own?.(value, findings);
      if (items === undefined) return;
      value.forEach((item, index) => {
        findings.enter(index);
        items(item, findings);
        findings.leave();
      });
    } else if (isObject(value) && (properties.size > 0 || additional !== undefined)) {
      for (const field in value) {
        const check = properties.get(field) ?? (place.properties.has(field) ? undefined : additional);
        if (check === undefined) continue;
        findings.enter(field);
        check(value[field], findings);
        findings.leave();
      }
    }
  };
}

function ownCheck({ schema }: Place): ListCheck | undefined {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return checkSet;
  const keys = schema['x-kubernetes-list-map-keys'];
  if (type !== 'map' || keys === undefined) return undefined;
  return (value, findings) => {
    const seen = new Set<string>();
    const told = new Set<string>();
    (value as readonly unknown[]).forEach((element, index) => {
      const key = keyOf(element, keys);
      if (key === '' || !isObject(element)) return;
      if (seen.has(key) && !told.has(key)) {
        told.add(key);
        findings.enter(index);
        findings.duplicate(
          Object.fromEntries(
            keys.flatMap((name) => (element[name] === undefined ? [] : [[name, element[name]]])),
          ),
        );
        findings.leave();
      }
      seen.add(key);
    });
  };
}

function checkSet(value: unknown, findings: Findings): void {
  const list = value as readonly unknown[];
  const seen = new Set<unknown>();
  const objects: unknown[] = [];
  list.forEach((element, index) => {
    const isPlain = typeof element !== 'object';
    const isTwin = isPlain ? seen.has(element) : objects.some((other) => sameJson(other, element));
    if (isPlain) seen.add(element);
    else objects.push(element);
    if (!isTwin) return;
    findings.enter(index);
    findings.duplicate(element);
    findings.leave();
  });
}
