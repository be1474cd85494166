/**
 * What every stored thing has. Objects are plain JSON values, read-only by type: readers share them, so nobody may change one.
 * To change an object, make a draft (`draftOf`), change that, and write it.
 */
import { copyOf } from './merge/json.ts';
import type { ObjectMeta } from './types/meta.v1.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** `T` with every property writable, all the way down. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Draft<T[Key]> }
    : T;

/** A private deep copy that may be changed. */
export function draftOf<T>(value: T): Draft<T> {
  return copyOf(value) as Draft<T>;
}

/** A kind's address: `group` is '' for the core group. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The inverse of `apiVersionOf`. */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `pods`, `deployments.apps`: the name under which a resource is stored and spoken of. */
export function groupResourceOf(group: string, resource: string): string {
  return group === '' ? resource : `${resource}.${group}`;
}
