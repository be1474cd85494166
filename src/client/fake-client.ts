/**
 * An API in memory for unit tests of controllers, the scheduler and the agent: the Client interface without a server.
 *
 * As the real one: resourceVersion conflicts, uid, generation, status kept apart, finalizers, graceful deletion of bound pods,
 * binding and eviction, watches with history and `expired`. Left out: validation, defaults, admission, garbage collection.
 * Objects handed out are frozen, so that a test fails where code changes a shared object. Nothing is delivered from inside a call
 * of the tested code: every answer and event comes a microtask later.
 */
import {
  alreadyExists,
  conflict,
  draftOf,
  expired,
  groupResourceOf,
  invalid,
  type KubeObject,
  notFound,
} from '../api/index.ts';
import {
  CaelumError,
  type Clock,
  formatTime,
  nameSuffix,
  type Random,
  SeededRandom,
  SimulatedClock,
} from '../lib/index.ts';
import {
  type Client,
  type DeleteOptions,
  keyOf,
  type ListOptions,
  type ObjectList,
  type PatchType,
  type ResourceRef,
  type WatchEvent,
  type WatchHandler,
  type WatchOptions,
  type WriteOptions,
} from './client.ts';
import { jsonPatch, mergePatch, strategicPatch } from './fake-patch.ts';
import { fieldMatcher, labelMatcher } from './selector.ts';

export interface FakeRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** The object or patch sent. */
  readonly body: unknown;
}

export interface FakeClient extends Client {
  /** Every request so far, in order. */
  readonly requests: FakeRequest[];
  /** Set to answer a request with an error instead of carrying it out (a watch: to end it at once). */
  intercept: ((request: FakeRequest) => Error | undefined) | undefined;
  /** Set to answer POSTs to subresources other than `binding` and `eviction`. */
  onSubresource: ((request: FakeRequest) => unknown) | undefined;
  /** Puts objects there as they are, status and all, with events to watchers; makes up what the metadata lacks. */
  seed<T extends KubeObject>(ref: ResourceRef, ...objects: readonly T[]): void;
  /** Takes an object away whatever its finalizers. */
  remove(ref: ResourceRef, key: string): void;
  /** The present objects, ordered by `namespace/name`. */
  objects<T extends KubeObject>(ref: ResourceRef): readonly T[];
  /** Present object by `namespace/name`. */
  peek<T extends KubeObject>(ref: ResourceRef, key: string): T | undefined;
  /** Ends every watch, as a lost connection does; an error can be given. */
  dropWatches(error?: Error): void;
  /** Forgets all history: watches from older revisions get `expired`. */
  compact(): void;
  /** How many watches are open. */
  watchCount(): number;
}

interface Entry {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

interface Watch {
  readonly resource: string;
  readonly matches: (object: KubeObject) => boolean;
  readonly handler: WatchHandler<KubeObject>;
  open: boolean;
}

type Tree = Record<string, unknown>;

export function createFakeClient(options: { clock?: Clock; random?: Random } = {}): FakeClient {
  return new Fake(options.clock ?? new SimulatedClock(), options.random ?? new SeededRandom(1));
}

const nameOf = (ref: ResourceRef): string => groupResourceOf(ref.group, ref.resource);
const joinKey = (namespace: string | undefined, name: string): string =>
  namespace ? `${namespace}/${name}` : name;

class Fake implements FakeClient {
  readonly requests: FakeRequest[] = [];
  intercept: ((request: FakeRequest) => Error | undefined) | undefined;
  onSubresource: ((request: FakeRequest) => unknown) | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tables = new Map<string, Map<string, KubeObject>>();
  readonly #watches = new Set<Watch>();
  #history: Entry[] = [];
  #revision = 1;
  #compacted = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  async get<T extends KubeObject>(ref: ResourceRef, namespace: string | undefined, name: string): Promise<T> {
    await this.#admit({ verb: 'get', resource: nameOf(ref), namespace, name });
    return this.#existing(ref, joinKey(namespace, name)) as T;
  }

  async list<T extends KubeObject>(ref: ResourceRef, options: ListOptions = {}): Promise<ObjectList<T>> {
    await this.#admit({ verb: 'list', resource: nameOf(ref), namespace: options.namespace });
    const [revisionText = '', after = ''] = options.continue?.split(' ') ?? [];
    const revision = options.continue === undefined ? this.#revision : Number(revisionText);
    if (revision < this.#compacted)
      throw expired('The provided continue parameter is too old to display a consistent list result.');
    const matches = matcherOf(options);
    const all = [...this.#tableAt(nameOf(ref), revision)]
      .filter(([key, object]) => key > after && matches(object))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const page = all.slice(0, options.limit ?? all.length);
    const last = page.at(-1);
    const more = last !== undefined && page.length < all.length;
    return {
      resourceVersion: String(revision),
      ...(more ? { continue: `${revision} ${last[0]}` } : {}),
      items: page.map(([, object]) => object as T),
    };
  }

  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: WatchOptions,
    handler: WatchHandler<T>,
  ): { cancel(): void } {
    const resource = nameOf(ref);
    const watch: Watch = {
      resource,
      matches: matcherOf(options),
      handler: handler as WatchHandler<KubeObject>,
      open: true,
    };
    const cancel = (): void => {
      watch.open = false;
      this.#watches.delete(watch);
    };
    options.signal?.addEventListener('abort', cancel, { once: true });
    void this.#startWatch(watch, Number(options.resourceVersion || '0'), options.namespace);
    return { cancel };
  }

  async #startWatch(watch: Watch, after: number, namespace: string | undefined): Promise<void> {
    try {
      await this.#admit({ verb: 'watch', resource: watch.resource, namespace });
      if (after < this.#compacted) throw expired();
    } catch (error) {
      if (!watch.open) return;
      watch.open = false;
      watch.handler.onEnd(error as Error);
      return;
    }
    for (const entry of this.#history) if (entry.revision > after) deliver(watch, entry);
    if (watch.open) this.#watches.add(watch);
  }

  async create<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const draft = draftOf(object) as Tree & { metadata: Tree };
    const { metadata } = draft;
    if (!metadata['name'] && metadata['generateName'])
      metadata['name'] = `${metadata['generateName'] as string}${nameSuffix(this.#random)}`;
    const key = keyOf(draft as unknown as KubeObject);
    await this.#admit({ verb: 'create', resource: nameOf(ref), ...placeOf(key), body: object });
    if (this.#table(nameOf(ref)).has(key)) throw alreadyExists(ref, placeOf(key).name);
    if (metadata['resourceVersion'])
      throw new CaelumError('badRequest', 'resourceVersion should not be set on objects to be created');
    delete draft['status'];
    for (const name of ['uid', 'creationTimestamp', 'deletionTimestamp', 'generation']) delete metadata[name];
    if (options.dryRun) return this.#complete(draft) as T;
    return this.#put(ref, this.#complete(draft)) as T;
  }

  async update<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object);
    const request = { ...placeOf(key), subresource: options.subresource, body: object };
    await this.#admit({ verb: 'update', resource: nameOf(ref), ...request });
    return this.#replace(ref, key, object, options) as T;
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const key = joinKey(namespace, name);
    const request = { namespace, name, subresource: options.subresource, body: patch };
    await this.#admit({ verb: 'patch', resource: nameOf(ref), ...request });
    if (type === 'apply' && !this.#table(nameOf(ref)).has(key)) {
      const { status: _, ...object } = draftOf(patch) as Tree;
      return this.#put(ref, this.#complete(object)) as T;
    }
    const old = this.#existing(ref, key);
    const sent = draftOf(patch) as Tree & { metadata?: Tree };
    const patched =
      type === 'json'
        ? jsonPatch(old, sent)
        : type === 'merge'
          ? mergePatch(old, sent)
          : strategicPatch(old, sent);
    return this.#replace(ref, key, patched as KubeObject, options) as T;
  }

  async delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#admit({ verb: 'delete', resource: nameOf(ref), namespace, name, body: options });
    const key = joinKey(namespace, name);
    const old = this.#existing(ref, key);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(ref, name, `Precondition failed: UID in precondition: ${uid}`);
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(ref, name, 'Precondition failed: ResourceVersion in precondition');
    if (options.dryRun) return;
    this.#beginDelete(ref, key, old, options);
  }

  /** Deletes, or marks as being deleted where something has to happen first. */
  #beginDelete(ref: ResourceRef, key: string, old: KubeObject, options: DeleteOptions): void {
    const draft = draftOf(old) as unknown as { metadata: Tree & { finalizers?: string[] }; spec?: Tree };
    const { metadata, spec } = draft;
    const finalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined };
    const finalizer = finalizers[options.propagationPolicy ?? 'Background'];
    if (finalizer !== undefined && !metadata.finalizers?.includes(finalizer))
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    const bound = nameOf(ref) === 'pods' && Boolean(spec?.['nodeName']);
    const wanted = options.gracePeriodSeconds ?? (spec?.['terminationGracePeriodSeconds'] as number) ?? 30;
    const graceSeconds = bound ? wanted : 0;
    if (graceSeconds === 0 && (metadata.finalizers ?? []).length === 0) {
      this.#drop(nameOf(ref), key);
      return;
    }
    const before = metadata['deletionGracePeriodSeconds'] as number | undefined;
    if (metadata['deletionTimestamp'] !== undefined && (before ?? 0) <= graceSeconds) return;
    metadata['deletionTimestamp'] = formatTime(this.#clock.nowMs() + graceSeconds * 1000);
    metadata['deletionGracePeriodSeconds'] = graceSeconds;
    this.#put(ref, draft as unknown as KubeObject);
  }

  async createSubresource(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    subresource: string,
    body: KubeObject,
  ): Promise<unknown> {
    const request = { verb: 'create' as const, resource: nameOf(ref), namespace, name, subresource, body };
    await this.#admit(request);
    const key = joinKey(namespace, name);
    if (subresource === 'binding') {
      const draft = draftOf(this.#existing(ref, key)) as unknown as { metadata: Tree; spec: Tree };
      const binding = body as unknown as { metadata?: { annotations?: Tree }; target?: { name?: string } };
      const target = binding.target?.name;
      if (draft.spec['nodeName'])
        throw conflict(ref, name, `pod ${name} is already assigned to node "${draft.spec['nodeName']}"`);
      draft.spec['nodeName'] = target;
      const given = binding.metadata?.annotations;
      if (given !== undefined)
        draft.metadata['annotations'] = { ...(draft.metadata['annotations'] as Tree | undefined), ...given };
      this.#put(ref, draft as unknown as KubeObject);
    } else if (subresource === 'eviction') {
      this.#beginDelete(ref, key, this.#existing(ref, key), {});
    } else if (this.onSubresource !== undefined) {
      return this.onSubresource(request);
    } else throw notFound(ref, `${name}/${subresource}`);
    return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success' };
  }

  seed<T extends KubeObject>(ref: ResourceRef, ...objects: readonly T[]): void {
    for (const object of objects) {
      // An object that is there already stays itself.
      const { uid, creationTimestamp } = this.#table(nameOf(ref)).get(keyOf(object))?.metadata ?? {};
      const same = uid === undefined ? {} : { uid, creationTimestamp };
      const draft = draftOf(object) as unknown as Tree & { metadata: Tree };
      this.#put(ref, this.#complete({ ...draft, metadata: { ...same, ...draft.metadata } }));
    }
  }

  remove(ref: ResourceRef, key: string): void {
    if (this.#table(nameOf(ref)).has(key)) this.#drop(nameOf(ref), key);
  }

  objects<T extends KubeObject>(ref: ResourceRef): readonly T[] {
    const entries = [...this.#table(nameOf(ref))].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([, object]) => object as T);
  }

  peek<T extends KubeObject>(ref: ResourceRef, key: string): T | undefined {
    return this.#table(nameOf(ref)).get(key) as T | undefined;
  }

  dropWatches(error?: Error): void {
    for (const watch of [...this.#watches]) {
      watch.open = false;
      this.#watches.delete(watch);
      watch.handler.onEnd(error);
    }
  }

  compact(): void {
    this.#compacted = this.#revision;
    this.#history = [];
  }

  watchCount(): number {
    return this.#watches.size;
  }

  async #admit(request: Pick<FakeRequest, 'verb' | 'resource'> & Partial<FakeRequest>): Promise<void> {
    const whole = { namespace: undefined, name: undefined, subresource: undefined, body: undefined };
    const complete: FakeRequest = { ...whole, ...request };
    this.requests.push(complete);
    await Promise.resolve();
    const error = this.intercept?.(complete);
    if (error !== undefined) throw error;
  }

  /** A write to an existing object: conflict check, status kept apart, generation, last finalizer. */
  #replace(ref: ResourceRef, key: string, object: KubeObject, options: WriteOptions): KubeObject {
    const old = this.#existing(ref, key);
    const { metadata } = object;
    const { name = '' } = old.metadata;
    if (metadata.resourceVersion && metadata.resourceVersion !== old.metadata.resourceVersion)
      throw conflict(ref, name);
    if (metadata.uid && metadata.uid !== old.metadata.uid)
      throw conflict(ref, name, `Precondition failed: UID in precondition: ${metadata.uid}`);
    const next = this.#nextOf(old, draftOf(object) as unknown as Tree, options.subresource);
    if (JSON.stringify(next) === JSON.stringify(old)) return old;
    if (options.dryRun) return next;
    const gone = old.metadata.deletionTimestamp !== undefined && !next.metadata.finalizers?.length;
    if (gone && !next.metadata.deletionGracePeriodSeconds) {
      this.#drop(nameOf(ref), key);
      return next;
    }
    return this.#put(ref, next);
  }

  #nextOf(old: KubeObject, draft: Tree, subresource: string | undefined): KubeObject {
    const before = draftOf(old) as unknown as Tree & { metadata: Tree };
    if (subresource === 'status') {
      return { ...before, ...('status' in draft ? { status: draft['status'] } : {}) };
    }
    if (subresource === 'scale') {
      const replicas = (draft['spec'] as Tree | undefined)?.['replicas'];
      draft = { ...before, spec: { ...(before['spec'] as Tree), replicas } };
    }
    if ('status' in before) draft['status'] = before['status'];
    else delete draft['status'];
    const metadata = { ...(draft['metadata'] as Tree) };
    for (const name of [
      'uid',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'generation',
    ]) {
      if (name in before.metadata) metadata[name] = before.metadata[name];
      else delete metadata[name];
    }
    if (JSON.stringify(draft['spec']) !== JSON.stringify(before['spec']))
      metadata['generation'] = ((before.metadata['generation'] as number | undefined) ?? 1) + 1;
    metadata['resourceVersion'] = before.metadata['resourceVersion'];
    if (metadata['name'] === undefined) throw invalid({ group: '', kind: String(draft['kind']) }, '', []);
    return { ...draft, metadata } as unknown as KubeObject;
  }

  #complete(draft: Tree): KubeObject {
    const made: Tree = {
      uid: this.#random.uuid(),
      creationTimestamp: formatTime(this.#clock.nowMs()),
      ...('spec' in draft ? { generation: 1 } : {}),
    };
    return { ...draft, metadata: { ...made, ...(draft['metadata'] as Tree) } } as unknown as KubeObject;
  }

  #put(ref: ResourceRef, object: KubeObject): KubeObject {
    const resource = nameOf(ref);
    const key = keyOf(object);
    const previous = this.#table(resource).get(key);
    const revision = ++this.#revision;
    const group = ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
    const stored = freeze({
      apiVersion: group,
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    }) as KubeObject;
    this.#table(resource).set(key, stored);
    const type = previous === undefined ? 'ADDED' : 'MODIFIED';
    this.#record({ revision, resource, key, type, object: stored, previous });
    return stored;
  }

  #drop(resource: string, key: string): void {
    const previous = this.#table(resource).get(key) as KubeObject;
    const revision = ++this.#revision;
    this.#table(resource).delete(key);
    const object = freeze({
      ...previous,
      metadata: { ...previous.metadata, resourceVersion: String(revision) },
    });
    this.#record({ revision, resource, key, type: 'DELETED', object, previous });
  }

  #record(entry: Entry): void {
    this.#history.push(entry);
    for (const watch of [...this.#watches]) deliver(watch, entry);
  }

  #existing(ref: ResourceRef, key: string): KubeObject {
    const object = this.#table(nameOf(ref)).get(key);
    if (object === undefined) throw notFound(ref, placeOf(key).name);
    return object;
  }

  #table(resource: string): Map<string, KubeObject> {
    const table = this.#tables.get(resource) ?? new Map<string, KubeObject>();
    this.#tables.set(resource, table);
    return table;
  }

  /** The objects of a past revision: history undone. */
  #tableAt(resource: string, revision: number): Map<string, KubeObject> {
    const table = new Map(this.#table(resource));
    for (const entry of this.#history.toReversed()) {
      if (entry.revision <= revision) break;
      if (entry.resource !== resource) continue;
      if (entry.previous === undefined) table.delete(entry.key);
      else table.set(entry.key, entry.previous);
    }
    return table;
  }
}

function placeOf(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

function matcherOf(
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
): (object: KubeObject) => boolean {
  const labels = labelMatcher(options.labelSelector);
  const fields = fieldMatcher(options.fieldSelector);
  return (object) =>
    (options.namespace === undefined || object.metadata.namespace === options.namespace) &&
    labels(object.metadata.labels) &&
    fields(object);
}

/** An object that comes to match is added; one that ceases to match is deleted. */
function deliver(watch: Watch, entry: Entry): void {
  if (!watch.open || entry.resource !== watch.resource) return;
  const before = entry.previous !== undefined && watch.matches(entry.previous);
  const now = entry.type !== 'DELETED' && watch.matches(entry.object);
  if (!before && !now) return;
  const type: WatchEvent<KubeObject>['type'] = now ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
  watch.handler.onEvent({ type, object: entry.object });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
