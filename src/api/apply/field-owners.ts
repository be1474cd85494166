/**
 * Who owns which fields of an object, kept in `metadata.managedFields`, and what applying a configuration does.
 *
 *   apply:  live ⊕ configuration − what this manager applied before and no longer names (and nobody else owns) ─▶ conflicts? ─▶ owners
 *   update: live → new: what changed belongs to who changed it, what went belongs to nobody
 *
 * Source: KEP-555 and k8s.io/apimachinery/pkg/util/managedfields. Pure.
 */
import { sameJson } from '../../lib/index.ts';
import type { ManagedFieldsEntry, ObjectMeta } from '../types/meta.v1.ts';
import { type FieldSet, fieldSetOf, leaf, made, noFields, pathText } from './field-set.ts';
import { compare, fieldsOf, overlay, remove } from './merge.ts';
import type { Shape } from './shape.ts';

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

interface Owner extends Manager {
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export interface Conflict {
  readonly manager: Manager;
  /** As people read them. */
  readonly fields: readonly string[];
}

type Draft = { metadata?: { managedFields?: unknown } & Record<string, unknown> } & Record<string, unknown>;

/** How many entries of plain updates are kept; the oldest are put together. */
const updatersMax = 10;

const set = (tree: Readonly<Record<string, unknown>>): FieldSet => {
  const children = new Map<string, FieldSet>();
  for (const [name, below] of Object.entries(tree))
    children.set(`f:${name}`, below === true ? leaf : set(below as Readonly<Record<string, unknown>>));
  return made(false, children);
};

/** What belongs to nobody: identity, and what the server sets. */
const systemFields = set({
  apiVersion: true,
  kind: true,
  metadata: Object.fromEntries(
    [
      'name',
      'namespace',
      'creationTimestamp',
      'selfLink',
      'uid',
      'clusterName',
      'generation',
      'managedFields',
      'resourceVersion',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
    ].map((name) => [name, true]),
  ),
});
const statusFields = set({ status: true });

/** Of a write: to the object the status does not belong, to its status nothing else does. */
function ownable(fields: FieldSet, subresource: string, hasStatus: boolean): FieldSet {
  const own = fields.outside(systemFields);
  if (subresource === 'status')
    return made(false, new Map([...own.children].filter(([element]) => element === 'f:status')));
  return hasStatus ? own.outside(statusFields) : own;
}

const isSame = (a: Manager, b: Manager): boolean =>
  a.name === b.name &&
  a.operation === b.operation &&
  a.apiVersion === b.apiVersion &&
  a.subresource === b.subresource;

/** undefined: what is there is not understood. */
function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): readonly Owner[] | undefined {
  if (entries === undefined) return [];
  try {
    return entries
      .filter((entry) => Object.keys(entry).length > 0)
      .map((entry) => {
        const { manager = '', operation, apiVersion = '', time, fieldsV1, subresource = '' } = entry;
        if (operation !== 'Apply' && operation !== 'Update')
          throw new TypeError('an operation is Apply or Update');
        return {
          name: manager,
          operation,
          apiVersion,
          subresource,
          time,
          fields: fieldSetOf(fieldsV1 ?? {}),
        };
      });
  } catch {
    return undefined;
  }
}

function writeOwners(owners: readonly Owner[]): readonly ManagedFieldsEntry[] {
  const rank = (owner: Owner): string =>
    [
      owner.operation === 'Apply' ? '0' : '1',
      owner.time ?? '',
      owner.name,
      owner.apiVersion,
      owner.subresource,
    ].join('\n');
  return [...owners]
    .filter(({ fields }) => !fields.isEmpty)
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map(({ name, operation, apiVersion, time, fields, subresource }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fields.toJson() as never,
      ...(subresource === '' ? {} : { subresource }),
    }));
}

const managedOf = (object: unknown): readonly ManagedFieldsEntry[] | undefined =>
  (object as { metadata?: ObjectMeta }).metadata?.managedFields;

export interface Ownership {
  readonly manager: Manager;
  readonly shape: Shape;
  /** RFC 3339. */
  readonly now: string;
  /** The kind has a status of its own, written apart. */
  readonly hasStatus: boolean;
}

/**
 * Notes in `next.metadata.managedFields` who owns what after a plain write. `before` is undefined when the object is made. What the writer says about
 * `managedFields` itself counts where it is understood; an empty list begins anew.
 */
export function trackUpdate(before: unknown, next: Draft, ownership: Ownership): void {
  const { manager, shape, now, hasStatus } = ownership;
  const given = next.metadata?.managedFields as readonly ManagedFieldsEntry[] | undefined;
  const live = before === undefined ? [] : (readOwners(managedOf(before)) ?? []);
  const owners = (given === undefined ? undefined : readOwners(given)) ?? live;
  const changes = compare(before === undefined ? {} : before, next, shape);
  const came = ownable(changes.added.union(changes.changed), manager.subresource, hasStatus);
  const moved = changes.added.union(changes.changed);
  const kept: Owner[] = [];
  let mine: Owner = { ...manager, time: undefined, fields: noFields };
  for (const owner of owners) {
    if (isSame(owner, manager)) mine = owner;
    else kept.push({ ...owner, fields: owner.fields.without(moved).without(changes.removed) });
  }
  const fields = mine.fields.without(changes.removed).union(came);
  const isChanged = !came.isEmpty || !fields.equals(mine.fields);
  kept.push({ ...mine, fields, time: isChanged ? now : mine.time });
  setManaged(next, foldOldUpdaters(kept));
}

const ownerKey = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
  [manager, operation, apiVersion, subresource].join('\n');

/** Whether two lists say the same but for when: what changes nothing else shall not be written for its time. */
export function sameOwners(
  a: readonly ManagedFieldsEntry[] | undefined,
  b: readonly ManagedFieldsEntry[] | undefined,
): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return a === b;
  const others = new Map(b.map((entry) => [ownerKey(entry), entry]));
  return a.every((entry) => sameJson(entry.fieldsV1, others.get(ownerKey(entry))?.fieldsV1));
}

function setManaged(object: Draft, owners: readonly Owner[]): void {
  object.metadata ??= {};
  const entries = writeOwners(owners);
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}

function foldOldUpdaters(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation, fields }) => operation === 'Update' && !fields.isEmpty);
  if (updaters.length <= updatersMax) return owners;
  const oldest = [...updaters]
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1))
    .slice(0, updaters.length - updatersMax + 1);
  const [first] = oldest;
  if (first === undefined) return owners;
  const fields = oldest.reduce((all, one) => all.union(one.fields), noFields);
  return [
    ...owners.filter((one) => !oldest.includes(one)),
    { ...first, name: 'ancient-changes', subresource: '', fields },
  ];
}

export type Applied =
  | { readonly kind: 'object'; readonly object: Draft; readonly isChanged: boolean }
  | { readonly kind: 'conflicts'; readonly conflicts: readonly Conflict[] };

/** Applies a configuration to the live object (undefined: there is none). The result carries its owners. */
export function applyConfiguration(
  live: unknown,
  configuration: unknown,
  ownership: Ownership & {
    readonly force: boolean;
    /** What the same client applied last from its own side: what of it still stands is no conflict, whoever wrote it. */
    readonly lastApplied?: unknown;
  },
): Applied {
  const { manager, shape, now, hasStatus, force, lastApplied } = ownership;
  const owners = liveOwners(live, ownership);
  const wanted = ownable(fieldsOf(configuration, shape), manager.subresource, hasStatus);
  const mine = owners.find((owner) => isSame(owner, manager));
  // What was applied before by an older version of the API is ours too.
  const earlier = owners.filter(
    (owner) =>
      owner.name === manager.name && owner.operation === 'Apply' && owner.subresource === manager.subresource,
  );
  const others = owners.filter((owner) => !earlier.includes(owner));
  const applied = earlier.reduce((all, one) => all.union(one.fields), noFields);
  const gone = removable(
    applied.without(wanted),
    others.reduce((all, one) => all.union(one.fields), noFields).union(wanted),
  );
  const merged = overlay(remove(live ?? {}, gone, shape) ?? {}, configuration, shape) as Draft;
  const changes = compare(live ?? {}, merged, shape);
  // What this write leaves as it is anyway, such as a status that came along, is no conflict.
  const moved = ownable(changes.added.union(changes.changed), manager.subresource, hasStatus);
  const mayTake = force || lastApplied === undefined ? noFields : standing(lastApplied, live, shape);
  const conflicts: Conflict[] = [];
  const kept: Owner[] = [];
  for (const owner of others) {
    const contested = owner.fields.intersection(moved);
    const refused = force ? noFields : contested.without(mayTake);
    if (!refused.isEmpty) conflicts.push({ manager: owner, fields: [...refused.paths()].map(pathText) });
    kept.push({ ...owner, fields: owner.fields.without(contested).without(changes.removed) });
  }
  if (conflicts.length > 0) return { kind: 'conflicts', conflicts };
  const isSameSet = mine?.fields.equals(wanted) === true;
  const isChanged = !moved.isEmpty || !changes.removed.isEmpty || !isSameSet;
  kept.push({ ...manager, fields: wanted, time: isSameSet && !isChanged ? mine?.time : now });
  setManaged(merged, kept);
  return { kind: 'object', object: merged, isChanged };
}

/** Of what was applied: what still is as it was then. */
function standing(lastApplied: unknown, live: unknown, shape: Shape): FieldSet {
  const { added, changed, removed } = compare(lastApplied, live ?? {}, shape);
  return fieldsOf(lastApplied, shape).without(changed).without(added).without(removed);
}

/** Objects that were made before anybody applied belong to all their writers together. */
function liveOwners(live: unknown, { manager, shape, now, hasStatus }: Ownership): readonly Owner[] {
  if (live === undefined) return [];
  const known = readOwners(managedOf(live)) ?? [];
  if (known.length > 0) return known;
  const fields = ownable(fieldsOf(live, shape), '', hasStatus);
  const { creationTimestamp } = (live as { metadata?: ObjectMeta }).metadata ?? {};
  return [
    {
      name: 'before-first-apply',
      operation: 'Update',
      apiVersion: manager.apiVersion,
      subresource: '',
      time: creationTimestamp ?? now,
      fields,
    },
  ];
}

/** Of what a manager lets go: the paths that nobody else owns, with nothing below them that somebody does. */
function removable(dropped: FieldSet, owned: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, below] of dropped.children) {
    const rest = removable(below, owned.at(element));
    if (!rest.isEmpty) children.set(element, rest);
  }
  const isFree = dropped.isMember && owned.isEmpty;
  // A path that goes takes everything below it along.
  return isFree ? leaf : made(false, children);
}

/** The error of Kubernetes: `Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas`. */
export function conflictMessage(conflicts: readonly Conflict[]): string {
  const count = conflicts.reduce((sum, { fields }) => sum + fields.length, 0);
  const parts = conflicts.map(({ manager, fields }) => {
    const who = `${managerText(manager)}`;
    return fields.length === 1
      ? `conflict with ${who}: ${fields[0]}`
      : `conflicts with ${who}:\n${fields.map((field) => `- ${field}`).join('\n')}`;
  });
  return `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${parts.join('\n')}`;
}

export function managerText({ name, subresource, operation, apiVersion }: Manager): string {
  const part = subresource === '' ? '' : ` with subresource "${subresource}"`;
  return operation === 'Apply' ? `"${name}"${part}` : `"${name}"${part} using ${apiVersion}`;
}
