/**
 * The Client for parts in the API server's own process: the same operations, no bytes in between. Objects are the store's own, shared and read-only.
 */
import {
  type ComputedApi,
  type ComputedRequest,
  type Draft,
  draftOf,
  type KubeObject,
  notFound,
} from '../api/index.ts';
import type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectList,
  PatchType,
  ReadOptions,
  ResourceRef,
  WatchHandler,
  WatchOptions,
  WriteOptions,
} from '../client/index.ts';
import { assert } from '../lib/index.ts';
import type { Subscription } from '../store/index.ts';
import type { ApiContext, WriteRequest } from './context.ts';
import type { Identity } from './identity.ts';
import { type Answer, objectOf } from './operations/answer.ts';
import { createObject } from './operations/create.ts';
import { deleteObject } from './operations/delete.ts';
import { patchObject } from './operations/patch.ts';
import { getObject, type ListRequest, listObjects } from './operations/read.ts';
import { changeSubresource, createAtSubresource, partOf } from './operations/subresources.ts';
import { changeObject } from './operations/update.ts';
import { watchObjects } from './operations/watch.ts';
import type { DraftObject, Resource } from './resource.ts';

export function createLocalClient(context: ApiContext, identity: Identity): Client {
  const resourceOf = (ref: ResourceRef): Resource => {
    const resource = context.resources.find(ref.group, ref.version, ref.resource);
    if (resource === undefined) throw notFound(ref, '');
    return resource;
  };
  const computedOf = (ref: ResourceRef): ComputedApi | undefined =>
    context.computed.find(ref.group, ref.version);
  const request = (
    namespace: string | undefined,
    options: { readonly dryRun?: boolean; readonly fieldManager?: string } = {},
  ): WriteRequest => ({
    identity,
    namespace: namespace ?? '',
    dryRun: options.dryRun ?? false,
    fieldValidation: 'Strict',
    manager: options.fieldManager,
  });
  return {
    async get<T extends KubeObject>(
      ref: ResourceRef,
      namespace: string | undefined,
      name: string,
      options: ReadOptions = {},
    ): Promise<T> {
      const computed = computedOf(ref);
      if (computed !== undefined) {
        const answer = await computed.answer(question(ref, 'get', namespace, name, {}));
        return (answer.kind === 'object' ? answer.object : answer) as T;
      }
      const resource = resourceOf(ref);
      return resource.objectOf(
        await getObject(context, resource, namespace ?? '', name, options.resourceVersion),
      ) as T;
    },
    async list<T extends KubeObject>(ref: ResourceRef, options: ListOptions = {}): Promise<ObjectList<T>> {
      const computed = computedOf(ref);
      if (computed !== undefined) {
        const answer = await computed.answer(question(ref, 'list', options.namespace, '', options));
        return { resourceVersion: '', items: (answer.kind === 'list' ? answer.items : []) as readonly T[] };
      }
      const resource = resourceOf(ref);
      const answer = await listObjects(context, resource, listRequest(options));
      return {
        resourceVersion: String(answer.revision),
        ...(answer.continue === undefined ? {} : { continue: answer.continue }),
        items: answer.items.map((stored) => resource.objectOf(stored) as T),
      };
    },
    watch: (ref, options, handler) => startWatch(context, resourceOf(ref), options, handler),
    async create<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
      assert(options.subresource === undefined, 'createSubresource creates at a subresource');
      const answer = await createObject(
        context,
        resourceOf(ref),
        request(object.metadata.namespace, options),
        draftOf(object) as unknown as DraftObject,
      );
      return objectOf(answer) as T;
    },
    async createSubresource(ref, namespace, name, subresource, body): Promise<unknown> {
      const draft = draftOf(body) as unknown as DraftObject;
      return objectOf(
        await createAtSubresource(context, resourceOf(ref), request(namespace), name, subresource, draft),
      );
    },
    async update<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
      const resource = resourceOf(ref);
      const name = object.metadata.name ?? '';
      const { resourceVersion } = object.metadata;
      const wanted = (): DraftObject => draftOf(object) as Draft<KubeObject> as DraftObject;
      const at = request(object.metadata.namespace, options);
      const answer: Answer =
        options.subresource === undefined || partOf(resource, options.subresource) !== undefined
          ? await changeObject(context, resource, at, {
              name,
              part: partOf(resource, options.subresource ?? '') ?? 'main',
              ...(resourceVersion === undefined ? {} : { resourceVersion }),
              make: wanted,
            })
          : await changeSubresource(context, resource, at, name, options.subresource, wanted);
      return objectOf(answer) as T;
    },
    async patch<T extends KubeObject>(
      ref: ResourceRef,
      namespace: string | undefined,
      name: string,
      type: PatchType,
      patch: unknown,
      options: WriteOptions = {},
    ): Promise<T> {
      const resource = resourceOf(ref);
      const part = partOf(resource, options.subresource ?? '');
      assert(part !== undefined, `subresource ${options.subresource ?? ''} can be patched`);
      const { answer } = await patchObject(context, resource, request(namespace, options), {
        name,
        part,
        type,
        patch,
        force: true,
      });
      return objectOf(answer) as T;
    },
    async delete(
      ref: ResourceRef,
      namespace: string | undefined,
      name: string,
      options: DeleteOptions = {},
    ): Promise<void> {
      await deleteObject(context, resourceOf(ref), request(namespace, options), name, options);
    },
  };
}

function question(
  { resource }: ResourceRef,
  verb: 'get' | 'list',
  namespace: string | undefined,
  name: string,
  { labelSelector, fieldSelector }: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>,
): ComputedRequest {
  const parameters: Readonly<Record<string, string | undefined>> = { labelSelector, fieldSelector };
  const parameter = (one: string): string | undefined => parameters[one];
  return { verb, namespace: namespace ?? '', resource, name, subresource: '', parameter };
}

function listRequest(options: ListOptions): ListRequest {
  const { namespace, signal: _signal, ...rest } = options;
  return { namespace: namespace ?? '', ...rest };
}

function startWatch<T extends KubeObject>(
  context: ApiContext,
  resource: Resource,
  options: WatchOptions,
  handler: WatchHandler<T>,
): { cancel(): void } {
  let cancelled = false;
  let subscription: Subscription | undefined;
  const end = (error: Error | undefined): void => {
    if (cancelled) return;
    cancelled = true;
    handler.onEnd(error);
  };
  const { namespace, labelSelector, fieldSelector, resourceVersion } = options;
  watchObjects(
    context,
    resource,
    {
      namespace: namespace ?? '',
      resourceVersion,
      bookmarks: true,
      sendInitialEvents: undefined,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    },
    {
      onChanges: (changes) => {
        for (const { type, stored } of changes)
          if (!cancelled) handler.onEvent({ type, object: resource.objectOf(stored) as T });
      },
      onBookmark: (revision) => {
        if (!cancelled) handler.onEvent({ type: 'BOOKMARK', resourceVersion: String(revision) });
      },
      onEnd: end,
    },
  ).then(
    (started) => {
      subscription = started;
      if (cancelled) started.cancel();
    },
    (error: unknown) => end(error instanceof Error ? error : new Error(String(error))),
  );
  const cancel = (): void => {
    cancelled = true;
    subscription?.cancel();
  };
  if (options.signal?.aborted) cancel();
  else options.signal?.addEventListener('abort', cancel, { once: true });
  return { cancel };
}
