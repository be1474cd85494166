/**
 * Keyed entries (ConfigMap, Secret): keys, total size, and what is sealed by `immutable`.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import { configKey } from './names.ts';
import { forbiddenField, type Problems, wrong } from './problems.ts';

export const entriesBytesMax = 1024 * 1024;

export type Entries = Readonly<Record<string, string>>;

export function validateKeys(problems: Problems, field: string, entries: Entries | undefined): void {
  for (const key in entries)
    for (const why of configKey(key)) problems.push(wrong(`${field}[${key}]`, key, why));
}

export function textBytes(entries: Entries | undefined): number {
  let bytes = 0;
  for (const key in entries) bytes += Buffer.byteLength(entries[key] ?? '');
  return bytes;
}

/** Of values in base64. */
export function binaryBytes(entries: Entries | undefined): number {
  let bytes = 0;
  for (const key in entries) bytes += Buffer.byteLength(entries[key] ?? '', 'base64');
  return bytes;
}

/** `fields` may not change once `immutable` is set, nor may `immutable`. */
export function validateSealed<T extends { readonly immutable?: boolean }>(
  problems: Problems,
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): void {
  if (old.immutable !== true) return;
  const why = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) problems.push(forbiddenField('immutable', why));
  for (const field of fields)
    if (!sameJson(object[field] ?? {}, old[field] ?? {})) problems.push(forbiddenField(field, why));
}
