/** JSON Merge Patch (RFC 7386): objects merge, null deletes, everything else replaces. Returns a private copy. */
import { copyOf, isObject, type JsonObject, own, put } from './json.ts';

export function jsonMergePatch(original: unknown, patch: unknown): unknown {
  return merge(copyOf(original), patch);
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return copyOf(patch);
  const merged: JsonObject = isObject(target) ? target : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else put(merged, key, merge(own(merged, key), value));
  }
  return merged;
}
