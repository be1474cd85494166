/**
 * Deleting an object: at once, gracefully (Pods), or when whoever holds it lets go (finalizers, namespaces).
 * Source: Kubernetes' API concepts; k8s.io/apiserver/pkg/registry/rest BeforeDelete.
 */
import { conflict, type KubeObject, notFound, type Pod } from '../../api/index.ts';
import type { DeleteOptions } from '../../client/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { Stored } from '../../store/index.ts';
import type { Passage } from '../admission/chain.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { deletedStatus } from '../status.ts';
import type { Answer } from './answer.ts';
import { encodingOf } from './encode.ts';
import { companions } from './service-addresses.ts';
import { settled } from './settled.ts';

const triesMax = 32;
const defaultGraceSeconds = 30;

export async function deleteObject(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  name: string,
  options: DeleteOptions,
  /** Admission has been asked already: an eviction. */
  isAdmitted = false,
): Promise<Answer> {
  const key = resource.key(request.namespace, name);
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const current = context.store.latest(key);
    if (current === undefined) {
      await settled(context);
      throw notFound(resource.ref, name);
    }
    if (resource.prepare !== undefined) await resource.prepare([current]);
    checkPreconditions(resource, name, resource.objectOf(current).metadata, options);
    const deletion = { resource, request, name, key, current, options };
    const passage = isAdmitted ? undefined : begin(context, deletion);
    const answer =
      passage === undefined
        ? await tryDelete(context, deletion)
        : await tryAdmitted(context, deletion, passage);
    if (answer !== undefined) return answer;
  }
  throw conflict(resource.ref, name);
}

interface Deletion {
  readonly resource: Resource;
  readonly request: WriteRequest;
  readonly name: string;
  readonly key: string;
  readonly current: Stored;
  readonly options: DeleteOptions;
}

function begin(
  context: ApiContext,
  { resource, request, name, current, options }: Deletion,
): Passage | undefined {
  const { dryRun: _, ...said } = options;
  return context.admission.begin(request, {
    operation: 'DELETE',
    resource,
    subresource: '',
    name,
    object: undefined,
    oldObject: resource.objectOf(current),
    options: {
      kind: 'DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      ...said,
      ...(request.dryRun ? { dryRun: ['All'] } : {}),
    },
  });
}

async function tryAdmitted(
  context: ApiContext,
  deletion: Deletion,
  passage: Passage,
): Promise<Answer | undefined> {
  let isDone = false;
  try {
    const mutating = passage.mutate();
    if (mutating !== undefined) await mutating;
    const validating = passage.validate(undefined);
    if (validating !== undefined) await validating;
    const answer = await tryDelete(context, deletion);
    isDone = answer !== undefined && !deletion.request.dryRun;
    return answer;
  } finally {
    passage.settle(isDone);
  }
}

/** undefined: something came between. */
async function tryDelete(
  context: ApiContext,
  { resource, request, name, key, current, options }: Deletion,
): Promise<Answer | undefined> {
  const draft =
    resource.kind.prepareDelete === undefined ? resource.metadataDraftOf(current) : resource.draftOf(current);
  const step = markDeleted(context, resource, draft, options);
  if (request.dryRun)
    return step === 'remove'
      ? lastAnswer(resource, name, current, draft)
      : { kind: 'object', object: draft, created: false };
  if (step === 'nothing') {
    await settled(context);
    return { kind: 'stored', resource, stored: current, created: false };
  }
  const formed = resource.toStored(draft);
  const encoding = encodingOf(formed instanceof Promise ? await formed : formed);
  const outcome = await context.store.transact([
    { kind: step === 'remove' ? 'delete' : 'put', key, ifRevision: current.revision, ...encoding },
    ...companions(context, resource, step === 'remove' ? undefined : draft, resource.objectOf(current)),
  ]);
  if (outcome.kind !== 'committed') return undefined;
  const [stored] = outcome.results;
  if (step === 'remove' || stored === undefined) return lastAnswer(resource, name, current, draft);
  if (resource.prepare !== undefined) await resource.prepare([stored]);
  return { kind: 'stored', resource, stored, created: false };
}

/** What is said of an object that is no more. */
function lastAnswer(resource: Resource, name: string, current: Stored, draft: DraftObject): Answer {
  if (resource.kind.returnsDeleted === true)
    return { kind: 'stored', resource, stored: current, created: false };
  return { kind: 'status', status: deletedStatus(resource.ref, name, draft.metadata.uid) };
}

export function checkPreconditions(
  resource: Resource,
  name: string,
  metadata: KubeObject['metadata'],
  options: DeleteOptions,
): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      resource.ref,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      resource.ref,
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion ?? ''}`,
    );
}

/** Writes into the draft what deleting means now. `remove`: nothing holds it. `nothing`: it is being deleted already. */
function markDeleted(
  context: ApiContext,
  resource: Resource,
  draft: DraftObject,
  options: DeleteOptions,
): 'remove' | 'mark' | 'nothing' {
  const meta = draft.metadata;
  const before = JSON.stringify(meta);
  if (meta.deletionTimestamp === undefined)
    resource.kind.prepareDelete?.(draft, { nowMs: context.clock.nowMs() });
  setFinalizers(draft, policyOf(resource, draft, options));
  const nowMs = context.clock.nowMs();
  const graceSeconds = graceOf(resource, draft, options);
  if (meta.deletionTimestamp === undefined) {
    if (meta.generation !== undefined) meta.generation++;
    meta.deletionTimestamp = formatTime(nowMs + graceSeconds * 1000);
    meta.deletionGracePeriodSeconds = graceSeconds;
  } else if (graceSeconds < (meta.deletionGracePeriodSeconds ?? 0)) {
    // Less patience than before: the end comes sooner, never later.
    const startedMs = Date.parse(meta.deletionTimestamp) - (meta.deletionGracePeriodSeconds ?? 0) * 1000;
    meta.deletionTimestamp = formatTime(Math.max(nowMs, startedMs + graceSeconds * 1000));
    meta.deletionGracePeriodSeconds = graceSeconds;
  }
  if (resource.groupResource === 'namespaces') {
    draft['status'] = { ...(draft['status'] as object | undefined), phase: 'Terminating' };
    const held = (draft['spec'] as { finalizers?: readonly string[] } | undefined)?.finalizers;
    if ((held?.length ?? 0) > 0) return JSON.stringify(meta) === before ? 'nothing' : 'mark';
  }
  if ((meta.finalizers?.length ?? 0) === 0 && meta.deletionGracePeriodSeconds === 0) return 'remove';
  return JSON.stringify(meta) === before ? 'nothing' : 'mark';
}

function graceOf(resource: Resource, draft: DraftObject, options: DeleteOptions): number {
  if (resource.groupResource !== 'pods') return 0;
  const { spec, status } = draft as unknown as Pod;
  // Nothing runs: nothing to wait for.
  if (
    spec?.nodeName === undefined ||
    spec.nodeName === '' ||
    status?.phase === 'Succeeded' ||
    status?.phase === 'Failed'
  )
    return 0;
  const asked =
    options.gracePeriodSeconds ??
    draft.metadata.deletionGracePeriodSeconds ??
    spec.terminationGracePeriodSeconds ??
    defaultGraceSeconds;
  return asked < 0 ? 1 : asked;
}

/** What is said, then what was said before, then what is usual for the kind. */
function policyOf(resource: Resource, { metadata }: DraftObject, options: DeleteOptions) {
  if (options.propagationPolicy !== undefined || resource.kind.orphansByDefault !== true)
    return options.propagationPolicy;
  const isSaid = metadata.finalizers?.some((one) => one === 'orphan' || one === 'foregroundDeletion');
  return isSaid === true ? undefined : 'Orphan';
}

function setFinalizers(draft: DraftObject, policy: DeleteOptions['propagationPolicy']): void {
  if (policy === undefined) return;
  const meta = draft.metadata;
  const kept = (meta.finalizers ?? []).filter((one) => one !== 'orphan' && one !== 'foregroundDeletion');
  if (policy === 'Foreground') kept.push('foregroundDeletion');
  if (policy === 'Orphan') kept.push('orphan');
  if (kept.length > 0) meta.finalizers = kept;
  else delete meta.finalizers;
}
