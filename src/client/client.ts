/**
 * How every room reads and changes objects: the same interface in-process and over HTTPS.
 *
 * Errors are CaelumErrors with the API's codes, whatever the transport. Objects are shared and read-only.
 */
import type { KubeObject } from '../api/index.ts';

/** Names a resource in the API. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly namespaced: boolean;
}

export interface ReadOptions {
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends ReadOptions {
  /** All namespaces when undefined. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface ObjectList<T extends KubeObject> {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly items: readonly T[];
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly resourceVersion: string;
}

export interface WatchHandler<T extends KubeObject> {
  /** Called in order. Must not throw. */
  onEvent(event: WatchEvent<T>): void;
  /** The watch has ended: undefined when it ran its course, an error (`expired`: list again) otherwise. Called once. */
  onEnd(error: Error | undefined): void;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** `status`, `scale`, `binding`, `eviction`, `token`, … */
  readonly subresource?: string;
}

export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export interface Client {
  get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options?: ReadOptions,
  ): Promise<T>;
  list<T extends KubeObject>(ref: ResourceRef, options?: ListOptions): Promise<ObjectList<T>>;
  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: WatchOptions,
    handler: WatchHandler<T>,
  ): { cancel(): void };
  /** `object.metadata.namespace` says where. */
  create<T extends KubeObject>(ref: ResourceRef, object: T, options?: WriteOptions): Promise<T>;
  /** POST to a named subresource (`binding`, `eviction`, `token`): answers what the server answers. */
  createSubresource(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    subresource: string,
    body: KubeObject,
  ): Promise<unknown>;
  update<T extends KubeObject>(ref: ResourceRef, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<T>;
  delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options?: DeleteOptions,
  ): Promise<void>;
}

/** A local, always-current copy of a selection of objects. */
export interface Informer<T extends KubeObject> {
  /** By `namespace/name`, or `name`. */
  get(key: string): T | undefined;
  list(): Iterable<T>;
  readonly size: number;
  /** True after the first complete list. */
  readonly synced: boolean;
  /** Since when (monotonic) a watch runs; undefined while there is none, and what the copy says may be old. */
  readonly followingSinceMs: number | undefined;
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Called for each change, after the copy has it. `object` is the last state for a delete. Existing objects are reported as added. */
  onChange(handler: (change: Change<T>) => void): { cancel(): void };
  /** Objects by a derived key, kept up to date. Several keys an object are allowed. */
  index(name: string, keysOf: (object: T) => readonly string[]): (key: string) => readonly T[];
}

export type Change<T extends KubeObject> =
  | { readonly kind: 'added'; readonly key: string; readonly object: T }
  | { readonly kind: 'updated'; readonly key: string; readonly object: T; readonly previous: T }
  | { readonly kind: 'deleted'; readonly key: string; readonly object: T };

/** Informers shared by all who ask for the same selection: one list and one watch each. Relists on 410, never resyncs. */
export interface Informers {
  informer<T extends KubeObject>(
    ref: ResourceRef,
    selection?: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
  ): Informer<T>;
  /** Stops the informers of a resource that is served no longer. Whoever asks again gets new ones. */
  forget?(ref: ResourceRef): void;
  /** Stops every watch. */
  stop(): void;
}

/** `namespace/name`, or `name` when there is no namespace. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : (name ?? '');
}
