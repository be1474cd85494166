/** For the tests of kinds: objects as the API server takes them in, and what it would say of them. */
import type { FieldProblem, Kind } from '../kind.ts';
import { type Draft, draftOf, type KubeObject } from '../object.ts';
import { builtinKinds } from '../registry.ts';
import { checkShape } from '../schema/check-shape.ts';
import { messageOf } from '../schema/messages.ts';
import { applyTableDefaults } from '../schema/table-defaults.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../validation/object-meta.ts';

export type Tree = { [key: string]: unknown };
export type Document = Draft<KubeObject> & Tree;

export const nowMs = Date.parse('2026-01-02T03:04:05Z');

export function kindOf(resource: string, group = '', version = 'v1'): Kind {
  const kind = builtinKinds.byResource(group, version, resource);
  if (kind === undefined) throw new Error(`no resource ${resource} in "${group}"`);
  return kind;
}

/** With defaults, as created. */
export function created(kind: Kind, object: Tree): Document {
  const draft = withDefaults(kind, object);
  draft.metadata.uid ??= 'f1d2d2f9';
  kind.prepareCreate(draft, { nowMs });
  return draft;
}

/** With defaults, as read from a client. */
export function withDefaults(kind: Kind, object: Tree): Document {
  const draft = draftOf(object) as Document;
  draft.metadata ??= {};
  draft.metadata.name ??= 'a';
  if (kind.namespaced) draft.metadata.namespace ??= 'default';
  const { problems } = checkShape(messageOf(kind.message), draft);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  applyTableDefaults(messageOf(kind.message), draft);
  kind.applyDefaults(draft);
  return draft;
}

export const lines = (problems: readonly FieldProblem[]): string[] =>
  problems.map(({ field, message }) => `${field}: ${message}`);

/** What a create would be refused for. */
export function refusals(kind: Kind, object: Tree): string[] {
  const draft = created(kind, object);
  return lines([
    ...validateObjectMeta(draft.metadata, kind.namespaced, (name) => kind.validateName(name)),
    ...kind.validate(draft),
    ...(kind.validateCreate?.(draft) ?? []),
  ]);
}

/** What an update would be refused for. `old` as a client would have created it. */
export function updateRefusals(kind: Kind, old: Tree, object: Tree): string[] {
  const before = created(kind, old);
  const draft = withDefaults(kind, object);
  draft.metadata.uid ??= before.metadata.uid as string;
  if (before['status'] !== undefined) draft['status'] = draftOf(before['status']);
  kind.prepareUpdate(draft, before, { nowMs });
  return lines([
    ...validateObjectMetaUpdate(draft.metadata, before.metadata),
    ...kind.validate(draft),
    ...kind.validateUpdate(draft, before),
  ]);
}

/** The cells of one object, joined: those always shown, then those of `-o wide`. */
export function row(kind: Kind, object: Tree, priority: 0 | 1 = 0): string {
  return kind.columns
    .filter((column) => column.priority <= priority)
    .map((column) => String(column.cell(object as never, nowMs)))
    .join(' | ');
}

/** RFC 3339, so many seconds ago. */
export const ago = (seconds: number): string =>
  `${new Date(nowMs - seconds * 1000).toISOString().slice(0, 19)}Z`;
