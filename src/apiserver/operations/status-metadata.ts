/**
 * What a write of a status (or of an approval) may change of the metadata: labels, annotations, finalizers, owners. Pure.
 * Source: the status strategies of Kubernetes' registries, as behaviour; those of custom resources take the status alone.
 */
import type { KubeObject, ObjectMeta } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { DraftObject, Resource } from '../resource.ts';

const taken = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;
/** What others own is not changed by who reports. */
const kept: Readonly<Record<string, readonly string[]>> = {
  pods: ['ownerReferences'],
  'deployments.apps': ['labels'],
};

/** The fields that differ, as they are wanted; undefined: none. */
export function changedByStatus(
  { kind, groupResource }: Resource,
  wanted: DraftObject['metadata'] | undefined,
  old: KubeObject,
): Partial<ObjectMeta> | undefined {
  if (kind.custom !== undefined || wanted === undefined) return undefined;
  let changed: Record<string, unknown> | undefined;
  for (const field of taken) {
    const [now, before] = [wanted[field], old.metadata[field]];
    if (now === before || sameJson(now ?? empty, before ?? empty) || isEmpty(now, before)) continue;
    if (kept[groupResource]?.includes(field)) continue;
    changed ??= {};
    changed[field] = now;
  }
  return changed as Partial<ObjectMeta> | undefined;
}

const empty: readonly never[] = [];
/** Absent and empty are the same. */
const isEmpty = (a: object | undefined, b: object | undefined): boolean =>
  Object.keys(a ?? {}).length === 0 && Object.keys(b ?? {}).length === 0;

/** `undefined` takes a field away. */
export function withChanges(
  metadata: Record<string, unknown>,
  changed: Partial<ObjectMeta> | undefined,
): void {
  if (changed === undefined) return;
  for (const [field, value] of Object.entries(changed))
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
}
