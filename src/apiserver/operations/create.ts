/**
 * Creating an object.
 *
 *   draft ─▶ namespace, defaults ─▶ admission may change it ─▶ prepared by its kind, named ─▶ addresses reserved ─▶ validated
 *         ─▶ admission may refuse it ─▶ stored (must not exist)
 */
import {
  alreadyExists,
  applyTableDefaults,
  badRequest,
  type Draft,
  invalid,
  type Service,
  validateObjectMeta,
} from '../../api/index.ts';
import { CaelumError, flat, formatTime, nameSuffix } from '../../lib/index.ts';
import { rbacGroup } from '../access/access.ts';
import type { Passage } from '../admission/chain.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { userInfo } from '../reviews.ts';
import type { Answer } from './answer.ts';
import { encodingOf } from './encode.ts';
import { ownedByMaker } from './owners.ts';
import { companions } from './service-addresses.ts';
import { warn } from './warn.ts';

const nameTries = 8;
/** A generated name leaves room for its suffix. */
const prefixLengthMax = 58;

export async function createObject(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  draft: DraftObject,
  /** Who owns what, where that is known already: the object is made by applying. */
  managedFields?: unknown,
): Promise<Answer> {
  draft.metadata ??= {};
  settleNamespace(resource, request, draft);
  const { resourceVersion } = draft.metadata;
  if (resourceVersion !== undefined && resourceVersion !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  draft.apiVersion = resource.apiVersion;
  draft.kind = resource.kind.kind;
  applyTableDefaults(resource.message, draft);
  resource.kind.applyDefaults(draft);
  // Before admission: what that adds, and what the kind prepares, belongs to nobody.
  const owned = managedFields ?? ownedByMaker(context, resource, request, draft);
  const passage = context.admission.begin(request, {
    operation: 'CREATE',
    resource,
    subresource: '',
    name: draft.metadata.name ?? '',
    object: draft,
    oldObject: undefined,
  });
  if (passage === undefined)
    return make(context, resource, request, { draft, managedFields: owned, passage });
  let isStored = false;
  try {
    const pending = passage.mutate();
    if (pending !== undefined) await pending;
    const admitted = passage.object ?? draft;
    if (admitted !== draft) settleNamespace(resource, request, admitted);
    const answer = await make(context, resource, request, { draft: admitted, managedFields: owned, passage });
    isStored = answer.kind === 'stored';
    return answer;
  } finally {
    passage.settle(isStored);
  }
}

interface Creation {
  readonly draft: DraftObject;
  readonly managedFields: unknown;
  readonly passage: Passage | undefined;
}

async function make(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  { draft, managedFields, passage }: Creation,
): Promise<Answer> {
  const meta = draft.metadata;
  // What is prepared may tell the name: labels of a Job's pods.
  const prefix = settleName(context, resource, meta);
  prepare(context, resource, request, draft);
  if (managedFields !== undefined) (meta as { managedFields?: unknown }).managedFields = managedFields;
  for (let attempt = 0; ; attempt++) {
    const name = meta.name as string;
    const key = resource.key(request.namespace, name);
    const release = reserve(context, resource, key, draft);
    try {
      validate(resource, draft, name);
      if (resource.kind.group === rbacGroup)
        context.access.checkGrant(request.identity, resource.kind.resource, draft, undefined);
      const pending = attempt === 0 ? passage?.validate(draft) : undefined;
      if (pending !== undefined) await pending;
    } catch (error) {
      release();
      throw error;
    }
    if (request.warn !== undefined) warn(resource, request.warn, draft, undefined);
    if (request.dryRun) {
      release();
      if (context.store.latest(key) !== undefined) throw alreadyExists(resource.ref, name);
      return { kind: 'object', object: draft, created: true };
    }
    const formed = resource.toStored(draft);
    const stored = formed instanceof Promise ? await orRelease(formed, release) : formed;
    checkServed(resource, release);
    const outcome = await put(context, resource, key, stored, release);
    if (outcome !== undefined) {
      if (resource.prepare !== undefined) await resource.prepare([outcome]);
      return { kind: 'stored', resource, stored: outcome, created: true };
    }
    if (prefix === undefined || attempt >= nameTries) throw alreadyExists(resource.ref, name);
    meta.name = generatedName(context, prefix);
  }
}

/** Answers what the name was made from; undefined: it was given. */
function settleName(
  context: ApiContext,
  { kind }: Resource,
  meta: DraftObject['metadata'],
): string | undefined {
  if (meta.name !== undefined && meta.name !== '') return undefined;
  const prefix = meta.generateName;
  if (prefix === undefined || prefix === '')
    throw invalid({ group: kind.group, kind: kind.kind }, '', [
      {
        reason: 'FieldValueRequired',
        field: 'metadata.name',
        message: 'Required value: name or generateName is required',
      },
    ]);
  meta.name = generatedName(context, prefix);
  return prefix;
}

/** No object outlives the definition of its kind: asked in the same moment in which it is written. */
function checkServed({ kind }: Resource, release: () => void): void {
  if (kind.custom?.isEnding() !== true) return;
  release();
  throw new CaelumError(
    'methodNotAllowed',
    'create not allowed while custom resource definition is terminating',
  );
}

/** Gives back what was taken where it fails. */
async function orRelease<T>(work: Promise<T>, release: () => void): Promise<T> {
  try {
    return await work;
  } catch (error) {
    release();
    throw error;
  }
}

async function put(
  context: ApiContext,
  resource: Resource,
  key: string,
  draft: DraftObject,
  release: () => void,
) {
  try {
    const outcome = await context.store.transact([
      { kind: 'put', key, ifRevision: 0, ...encodingOf(draft) },
      ...companions(context, resource, draft, undefined),
    ]);
    if (outcome.kind === 'committed') return outcome.results[0];
  } catch (error) {
    release();
    throw error;
  }
  release();
  return undefined;
}

function generatedName(context: ApiContext, prefix: string): string {
  return flat(`${prefix.slice(0, prefixLengthMax)}${nameSuffix(context.random)}`);
}

/** The namespace is the request's; an object that says another is refused. */
export function settleNamespace(resource: Resource, request: WriteRequest, draft: DraftObject): void {
  const meta = draft.metadata;
  if (!resource.kind.namespaced) {
    delete meta.namespace;
    return;
  }
  if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== request.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  meta.namespace = request.namespace;
}

function prepare(
  context: ApiContext,
  resource: Resource,
  { identity }: WriteRequest,
  draft: DraftObject,
): void {
  const { kind } = resource;
  const meta = draft.metadata;
  const nowMs = context.clock.nowMs();
  // Some kinds are prepared with it: a job's pods bear it.
  meta.uid = context.random.uuid();
  kind.prepareCreate(draft, { nowMs, user: userInfo(identity) });
  meta.creationTimestamp = formatTime(nowMs);
  for (const field of [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
    'resourceVersion',
  ] as const)
    delete meta[field];
  if (kind.hasGeneration) meta.generation = 1;
  else delete meta.generation;
}

/** Virtual IPs and node ports. Throws `invalid`; answers how to give back what was taken. */
export function reserve(
  context: ApiContext,
  resource: Resource,
  key: string,
  draft: DraftObject,
  old?: Service,
): () => void {
  if (resource.groupResource !== 'services') return () => {};
  const { problems, release } = context.services.reserve(key, draft as unknown as Draft<Service>, old);
  if (problems.length > 0) throw invalid(resource.kind, draft.metadata.name ?? '', problems);
  return release;
}

function validate(resource: Resource, draft: DraftObject, name: string): void {
  const { kind } = resource;
  const problems = [
    ...validateObjectMeta(
      draft.metadata,
      kind.namespaced,
      (text) => kind.validateName(text),
      kind.custom !== undefined,
    ),
    ...kind.validate(draft),
    ...(kind.validateCreate?.(draft) ?? []),
  ];
  if (problems.length > 0) throw invalid(kind, name, problems);
}
