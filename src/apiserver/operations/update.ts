/**
 * Changing an object: every write of something that is there goes through here (PUT, PATCH, status, scale, binding, finalizers).
 *
 *   newest state ─▶ wanted draft ─▶ carried over what may not change ─▶ defaults ─▶ admission may change it ─▶ validated ─▶ admission may refuse it
 *                ─▶ stored, if nothing came between ─▶ otherwise again
 *
 * Invariants: a write that says a resourceVersion succeeds only on that version. A write that changes nothing raises no revision.
 * An object that is being deleted and has lost its last finalizer is gone.
 */
import {
  applyTableDefaults,
  badRequest,
  conflict,
  draftOf,
  type FieldProblem,
  invalid,
  type KubeObject,
  messageOf,
  notFound,
  type ObjectPart,
  type Service,
  sameOwners,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { Stored } from '../../store/index.ts';
import { rbacGroup } from '../access/access.ts';
import type { Passage } from '../admission/chain.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import type { Answer } from './answer.ts';
import { reserve, settleNamespace } from './create.ts';
import { encodingOf } from './encode.ts';
import { trackChange } from './owners.ts';
import { companions } from './service-addresses.ts';
import { settled } from './settled.ts';
import { changedByStatus, withChanges } from './status-metadata.ts';
import { warn } from './warn.ts';

/**
 * Which part of the object a write may change: all but the status, the status alone, just what `make` changed (our own operations), or what one
 * subresource takes.
 */
export type Part = 'main' | 'status' | 'exact' | ObjectPart;

/** The subresource through which a part is written; '' for the object itself. */
export function subresourceOf(part: Part): string {
  if (typeof part === 'object') return part.name;
  return part === 'status' ? 'status' : '';
}

export interface Change {
  readonly name: string;
  readonly part: Part;
  /** Of the write, for the owners of fields: `status`, `scale`; default: the part. */
  readonly subresource?: string;
  /** `make` has said already who owns what. */
  readonly isApplied?: boolean;
  /** Must be current; undefined, '' or '0': whatever is. */
  readonly resourceVersion?: string;
  /** How admission sees it; default: as an update of the object or its part. `admitted`: it has been asked already. */
  readonly admission?: 'admitted' | AdmittedAs;
  /** What the object shall be. May be called again when another write came between. `old` is shared: never change it. */
  readonly make: (old: KubeObject, draft: () => DraftObject) => DraftObject;
}

/** A write that is shown to admission as something else: a scale. */
export interface AdmittedAs {
  readonly subresource: string;
  /** What admission sees of an object; default: all of it. */
  readonly show?: (object: KubeObject) => DraftObject;
  /** Takes over into the object what admission has made of what it was shown. */
  readonly take?: (draft: DraftObject, shown: DraftObject) => void;
}

const triesMax = 32;

export async function changeObject(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  change: Change,
): Promise<Answer> {
  const key = resource.key(request.namespace, change.name);
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const current = context.store.latest(key);
    if (current === undefined) {
      await settled(context);
      throw notFound(resource.ref, change.name);
    }
    if (resource.prepare !== undefined) await resource.prepare([current]);
    const old = resource.objectOf(current);
    const expected = change.resourceVersion ?? '';
    // "0" is no version: whatever is.
    if (expected !== '' && expected !== '0' && expected !== old.metadata.resourceVersion) {
      await settled(context);
      throw conflict(resource.ref, change.name);
    }
    const draft = settle(
      context,
      resource,
      request,
      change,
      old,
      change.make(old, () => resource.draftOf(current)),
    );
    // Before admission: what that adds belongs to nobody, so that who applies later need not name it.
    if (change.isApplied !== true) trackChange(context, resource, request, change, old, draft);
    const attempt = {
      key,
      current,
      old,
      draft,
      change,
      passage: begin(context, resource, request, change, old, draft),
    };
    const answer = await tryChange(context, resource, request, attempt);
    if (answer !== undefined) return answer;
  }
  throw conflict(resource.ref, change.name);
}

function begin(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  change: Change,
  old: KubeObject,
  draft: DraftObject,
): Passage | undefined {
  const { admission: as } = change;
  if (as === 'admitted') return undefined;
  return context.admission.begin(request, {
    operation: 'UPDATE',
    resource,
    subresource: as?.subresource ?? change.subresource ?? subresourceOf(change.part),
    name: change.name,
    object: as?.show?.(draft as KubeObject) ?? draft,
    oldObject: as?.show?.(old) ?? old,
  });
}

/** undefined: something came between. */
async function tryChange(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  attempt: Attempt,
): Promise<Answer | undefined> {
  const { passage } = attempt;
  if (passage === undefined) return writeReserved(context, resource, request, attempt);
  let isStored = false;
  try {
    const shown = passage.object;
    const pending = passage.mutate();
    if (pending !== undefined) await pending;
    const draft = takeAdmitted(context, resource, request, attempt, shown, passage.object);
    const answer = await writeReserved(context, resource, request, { ...attempt, draft });
    isStored = answer?.kind === 'stored' && answer.stored !== attempt.current;
    return answer;
  } finally {
    passage.settle(isStored);
  }
}

/** What admission has put in the draft's place is settled like what was asked for. */
function takeAdmitted(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  { change, old, draft }: Attempt,
  shown: DraftObject | undefined,
  admitted: DraftObject | undefined,
): DraftObject {
  const { admission: as } = change;
  if (admitted === undefined) return draft;
  if (as === 'admitted' || as?.take === undefined)
    return admitted === shown ? draft : settle(context, resource, request, change, old, admitted);
  as.take(draft, admitted);
  return draft;
}

async function writeReserved(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  attempt: Attempt,
): Promise<Answer | undefined> {
  const { change, key, old, draft } = attempt;
  const release = change.part === 'main' ? reserve(context, resource, key, draft, old as Service) : () => {};
  try {
    const answer = await write(context, resource, request, attempt);
    if (answer === undefined) release();
    return answer;
  } catch (error) {
    release();
    throw error;
  }
}

interface Attempt {
  readonly key: string;
  readonly current: Stored;
  readonly old: KubeObject;
  readonly draft: DraftObject;
  readonly change: Change;
  readonly passage: Passage | undefined;
}

/** undefined: something came between. */
async function write(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  attempt: Attempt,
): Promise<Answer | undefined> {
  const { key, current, old, draft, change, passage } = attempt;
  const { part } = change;
  if (part !== 'exact') validate(resource, draft, old, part);
  if (resource.kind.group === rbacGroup)
    context.access.checkGrant(request.identity, resource.kind.resource, draft, old);
  if (resource.kind.hasGeneration && raisesGeneration(part) && isNewWish(resource, draft, old))
    draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
  draft.metadata.resourceVersion = old.metadata.resourceVersion as string;
  if (passage !== undefined) {
    const { admission: as } = change;
    const pending = passage.validate((as !== 'admitted' && as?.show?.(draft as KubeObject)) || draft);
    if (pending !== undefined) await pending;
  }
  if (request.warn !== undefined && part === 'main') warn(resource, request.warn, draft, old);
  if (isSame(draft, old) && resource.isCurrent(current)) {
    await settled(context);
    return { kind: 'stored', resource, stored: current, created: false };
  }
  if (request.dryRun) return { kind: 'object', object: draft, created: false };
  const formed = resource.toStored(draft);
  const encoding = encodingOf(
    formed instanceof Promise ? await formed : formed,
    current.object() as KubeObject,
  );
  const isRemoved = isGone(resource, draft);
  const outcome = await context.store.transact([
    { kind: isRemoved ? 'delete' : 'put', key, ifRevision: current.revision, ...encoding },
    ...companions(context, resource, isRemoved ? undefined : draft, old),
  ]);
  if (outcome.kind !== 'committed') return undefined;
  const [result] = outcome.results;
  if (result !== undefined && resource.prepare !== undefined) await resource.prepare([result]);
  return result === undefined ? undefined : { kind: 'stored', resource, stored: result, created: false };
}

/** Nothing is other than it was, but perhaps when somebody said so: then the old time stays. */
function isSame(draft: DraftObject, old: KubeObject): boolean {
  const meta = draft.metadata as { managedFields?: unknown };
  const { managedFields } = draft.metadata;
  const before = old.metadata.managedFields;
  if (managedFields === undefined || before === undefined || sameJson(managedFields, before))
    return sameJson(draft, old);
  if (!sameOwners(managedFields, before)) return false;
  meta.managedFields = before;
  if (sameJson(draft, old)) return true;
  meta.managedFields = managedFields;
  return false;
}

/** Deleted, its grace over, and nobody holds it any more. */
function isGone(resource: Resource, draft: DraftObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = draft.metadata;
  if (
    deletionTimestamp === undefined ||
    (finalizers?.length ?? 0) > 0 ||
    (deletionGracePeriodSeconds ?? 0) > 0
  )
    return false;
  if (resource.groupResource !== 'namespaces') return true;
  return ((draft['spec'] as { finalizers?: readonly string[] } | undefined)?.finalizers?.length ?? 0) === 0;
}

const raisesGeneration = (part: Part): boolean => part !== 'status' && part !== 'exact';

const isNewWish = ({ kind }: Resource, draft: DraftObject, old: KubeObject): boolean =>
  kind.raisesGeneration === undefined
    ? !sameJson(specOf(draft), specOf(old))
    : kind.raisesGeneration(draft, old);

const specOf = (object: unknown): unknown => (object as { spec?: unknown }).spec;

/** Carries over what this part may not change, and brings the draft into full form. */
function settle(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  change: Change,
  old: KubeObject,
  draft: DraftObject,
): DraftObject {
  const { kind } = resource;
  if (change.part === 'exact') return draft;
  if (change.part === 'status' && kind.statusIsApart === true) {
    const changed = withStatus(resource, change.isApplied === true, old, draft);
    kind.prepareStatusUpdate?.(changed, old, { nowMs: context.clock.nowMs() });
    return changed;
  }
  draft.metadata ??= {};
  draft.apiVersion = resource.apiVersion;
  draft.kind = kind.kind;
  if (change.part === 'status' || typeof change.part === 'object') {
    takePart(context, resource, change.part, change.isApplied === true, old, draft);
  } else {
    checkIdentity(resource, change, old, draft);
    settleNamespace(resource, request, draft);
    carryMetadata(old, draft);
    if (kind.hasStatus) {
      const { status } = old as { status?: unknown };
      if (status === undefined) delete draft['status'];
      else draft['status'] = draftOf(status);
    }
  }
  applyTableDefaults(resource.message, draft);
  kind.applyDefaults(draft);
  if (change.part === 'main') kind.prepareUpdate(draft, old, { nowMs: context.clock.nowMs() });
  if (change.part === 'status') kind.prepareStatusUpdate?.(draft, old, { nowMs: context.clock.nowMs() });
  return draft;
}

/** `old` with the status that is wanted, brought into full form; all else is shared. */
function withStatus(
  resource: Resource,
  isApplied: boolean,
  old: KubeObject,
  { metadata: wanted, ['status']: status }: DraftObject,
): DraftObject {
  const { ['status']: _, ...rest } = old as KubeObject & { readonly status?: unknown };
  const { managedFields } = wanted ?? {};
  const own = isApplied && managedFields !== undefined ? { managedFields } : {};
  const changed: Record<string, unknown> = {
    ...rest,
    apiVersion: resource.apiVersion,
    kind: resource.kind.kind,
    metadata: { ...old.metadata, ...own },
    status: draftOf(status ?? {}),
  };
  const metadata = changed['metadata'] as Record<string, unknown>;
  if (!isApplied) withChanges(metadata, changedByStatus(resource, wanted, old));
  const field = resource.message.fields.get('status');
  if (field?.type.kind === 'message')
    applyTableDefaults(messageOf(field.type.message), changed['status'] as object);
  return changed as DraftObject;
}

/** Of what is wanted only one part is taken, and who owns it: all else stays as it is. */
function takePart(
  context: ApiContext,
  resource: Resource,
  part: 'status' | ObjectPart,
  isApplied: boolean,
  old: KubeObject,
  draft: DraftObject,
): void {
  const wanted = { ...draft };
  for (const field of Object.keys(draft)) delete draft[field];
  Object.assign(draft, draftOf(old));
  if (typeof part === 'object') part.take(draft as never, wanted as never, { nowMs: context.clock.nowMs() });
  else if (wanted['status'] === undefined) delete draft['status'];
  else draft['status'] = wanted['status'];
  const { managedFields } = wanted.metadata;
  if (isApplied && managedFields !== undefined) draft.metadata.managedFields = managedFields;
  if (!isApplied && (part === 'status' || part.name === 'approval'))
    withChanges(draft.metadata, changedByStatus(resource, wanted.metadata, old));
}

function checkIdentity(resource: Resource, change: Change, old: KubeObject, draft: DraftObject): void {
  const { uid, name } = draft.metadata;
  if (name !== undefined && name !== '' && name !== change.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${change.name})`);
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid)
    throw conflict(
      resource.ref,
      change.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
    );
}

function carryMetadata(old: KubeObject, draft: DraftObject): void {
  const meta = draft.metadata as Record<string, unknown>;
  const before = old.metadata as Readonly<Record<string, unknown>>;
  for (const field of [
    'uid',
    'name',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
    'selfLink',
  ])
    if (before[field] === undefined) delete meta[field];
    else meta[field] = before[field];
  // Who says nothing of owners leaves them as they are.
  if (meta['managedFields'] === undefined && before['managedFields'] !== undefined)
    meta['managedFields'] = draftOf(before['managedFields']);
}

function validate(resource: Resource, draft: DraftObject, old: KubeObject, part: Part): void {
  const { kind } = resource;
  const problems: FieldProblem[] = [];
  if (part === 'status') {
    if (changedByStatus(resource, draft.metadata, old) !== undefined)
      problems.push(
        ...validateObjectMeta(draft.metadata, kind.namespaced, (text) => kind.validateName(text)),
        ...validateObjectMetaUpdate(draft.metadata, old.metadata),
      );
    problems.push(...kind.validateStatusUpdate(draft, old));
  } else {
    problems.push(
      ...validateObjectMeta(
        draft.metadata,
        kind.namespaced,
        (text) => kind.validateName(text),
        kind.custom !== undefined,
      ),
      ...validateObjectMetaUpdate(draft.metadata, old.metadata),
      ...kind.validate(draft),
    );
    const isSound = problems.length === 0;
    try {
      problems.push(
        ...(typeof part === 'object'
          ? part.validateUpdate(draft as never, old as never)
          : kind.validateUpdate(draft, old)),
      );
    } catch (error) {
      // What a comparison counts on may be missing: then that has been said already.
      if (isSound) throw error;
    }
  }
  if (problems.length > 0) throw invalid(kind, old.metadata.name ?? '', problems);
}
