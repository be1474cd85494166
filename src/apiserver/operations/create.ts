/**
 * Creating an object.
 *
 *   draft ─▶ name, namespace ─▶ defaults ─▶ prepared by its kind ─▶ admitted ─▶ addresses reserved ─▶ validated ─▶ stored (must not exist)
 */
import {
  alreadyExists,
  applyTableDefaults,
  badRequest,
  type Draft,
  invalid,
  type Pod,
  type Service,
  validateObjectMeta,
} from '../../api/index.ts';
import { formatTime, nameSuffix } from '../../lib/index.ts';
import { rbacGroup } from '../access/access.ts';
import { admitIntoNamespace } from '../admission/namespace.ts';
import { admitPod } from '../admission/pod.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { userInfo } from '../reviews.ts';
import type { Answer } from './answer.ts';
import { encodingOf } from './encode.ts';
import { trackCreation } from './owners.ts';

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
  const { kind } = resource;
  draft.metadata ??= {};
  const meta = draft.metadata;
  settleNamespace(resource, request, draft);
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  const prefix = meta.name === undefined || meta.name === '' ? meta.generateName : undefined;
  if (prefix !== undefined && prefix !== '') meta.name = generatedName(context, prefix);
  if (meta.name === undefined || meta.name === '') {
    throw invalid({ group: kind.group, kind: kind.kind }, '', [
      {
        reason: 'FieldValueRequired',
        field: 'metadata.name',
        message: 'Required value: name or generateName is required',
      },
    ]);
  }
  admitIntoNamespace(context, resource, request.namespace, meta.name);
  fill(context, resource, request, draft);
  if (managedFields === undefined) trackCreation(context, resource, request, draft);
  else (meta as { managedFields?: unknown }).managedFields = managedFields;
  for (let attempt = 0; ; attempt++) {
    const name = meta.name as string;
    const key = resource.key(request.namespace, name);
    const release = reserve(context, resource, key, draft);
    try {
      validate(resource, draft, name);
      if (resource.kind.group === rbacGroup)
        context.access.checkGrant(request.identity, resource.kind.resource, draft, undefined);
    } catch (error) {
      release();
      throw error;
    }
    if (request.dryRun) {
      release();
      if (context.store.latest(key) !== undefined) throw alreadyExists(resource.ref, name);
      return { kind: 'object', object: draft, created: true };
    }
    const outcome = await put(context, key, resource.toStored(draft), release);
    if (outcome !== undefined) return { kind: 'stored', resource, stored: outcome, created: true };
    if (prefix === undefined || attempt >= nameTries) throw alreadyExists(resource.ref, name);
    meta.name = generatedName(context, prefix);
  }
}

async function put(context: ApiContext, key: string, draft: DraftObject, release: () => void) {
  try {
    const outcome = await context.store.transact([{ kind: 'put', key, ifRevision: 0, ...encodingOf(draft) }]);
    if (outcome.kind === 'committed') return outcome.results[0];
  } catch (error) {
    release();
    throw error;
  }
  release();
  return undefined;
}

function generatedName(context: ApiContext, prefix: string): string {
  return `${prefix.slice(0, prefixLengthMax)}${nameSuffix(context.random)}`;
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

function fill(context: ApiContext, resource: Resource, { identity }: WriteRequest, draft: DraftObject): void {
  const { kind } = resource;
  const meta = draft.metadata;
  const nowMs = context.clock.nowMs();
  draft.apiVersion = resource.apiVersion;
  draft.kind = kind.kind;
  applyTableDefaults(resource.message, draft);
  kind.applyDefaults(draft);
  // Some kinds are prepared with it: a job's pods bear it.
  meta.uid = context.random.uuid();
  kind.prepareCreate(draft, { nowMs, user: userInfo(identity) });
  if (resource.groupResource === 'pods') admitPod(context, draft as unknown as Draft<Pod>);
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
    ...validateObjectMeta(draft.metadata, kind.namespaced, (text) => kind.validateName(text)),
    ...kind.validate(draft),
    ...(kind.validateCreate?.(draft) ?? []),
  ];
  if (problems.length > 0) throw invalid(kind, name, problems);
}
