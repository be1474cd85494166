/**
 * The Client over HTTP: what the agent on a node, the command line and tests use.
 *
 * Objects come as the server sends them, parsed once. Watches are streams of lines that reconnect nowhere: informers do that.
 */
import type { KubeObject } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
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
} from '../client.ts';
import { listQuery, pathOf, readQuery, watchQuery, writeQuery } from '../paths.ts';
import { errorOfStatus } from '../status.ts';
import { Connection, type ConnectionOptions } from './connection.ts';

export interface HttpClientOptions extends ConnectionOptions {
  /** How long the server keeps a watch open; each is made up to half longer by chance. Default 300 s. */
  readonly watchSeconds?: number;
}

export interface HttpClient extends Client {
  /** Any path of the API, for what the interface does not name: discovery, `/version`, logs. */
  request(method: string, path: string, options?: { body?: unknown; signal?: AbortSignal }): Promise<unknown>;
  /** Closes all sockets; requests under way fail. Sockets at rest do not keep the process alive. */
  close(): void;
}

const patchTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The server says something at least this often on an idle watch: a bookmark a minute. */
const silenceMs = 150_000;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new OverHttp(options);
}

interface WireList<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: T[] | null;
}

interface WireEvent<T> {
  readonly type: string;
  readonly object: T;
}

class OverHttp implements HttpClient {
  readonly #connection: Connection;
  readonly #watchSeconds: number;

  constructor(options: HttpClientOptions) {
    this.#connection = new Connection(options);
    this.#watchSeconds = options.watchSeconds ?? 300;
  }

  request(
    method: string,
    path: string,
    options?: { body?: unknown; signal?: AbortSignal },
  ): Promise<unknown> {
    return this.#connection.request(method, path, options);
  }

  async get<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options?: ReadOptions,
  ): Promise<T> {
    const path = pathOf(ref, namespace, name) + readQuery(options);
    return (await this.#connection.request('GET', path, { signal: options?.signal })) as T;
  }

  async list<T extends KubeObject>(ref: ResourceRef, options?: ListOptions): Promise<ObjectList<T>> {
    const path = pathOf(ref, options?.namespace) + listQuery(options);
    const answer = await this.#connection.request('GET', path, { signal: options?.signal });
    const list = answer as WireList<T>;
    const { resourceVersion = '', continue: token } = list.metadata ?? {};
    const items = list.items ?? [];
    nameKind(items, list);
    return { resourceVersion, items, ...(token ? { continue: token } : {}) };
  }

  watch<T extends KubeObject>(
    ref: ResourceRef,
    options: WatchOptions,
    handler: WatchHandler<T>,
  ): { cancel(): void } {
    const seconds = Math.round(this.#watchSeconds * (1 + Math.random() / 2));
    const path = pathOf(ref, options.namespace) + watchQuery(options, seconds);
    const { signal } = options;
    let isOpen = true;
    const end = (error: Error | undefined): void => {
      if (!isOpen) return;
      isOpen = false;
      signal?.removeEventListener('abort', cancel);
      handler.onEnd(error);
    };
    const stream = this.#connection.stream(path, silenceMs, {
      onLine: (line) => {
        if (!isOpen) return;
        const problem = takeEvent(line, handler);
        if (problem === undefined) return;
        stream.cancel();
        end(problem);
      },
      onEnd: end,
    });
    const cancel = (): void => {
      isOpen = false;
      signal?.removeEventListener('abort', cancel);
      stream.cancel();
    };
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
    return { cancel };
  }

  async create<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const { subresource } = options;
    const path = pathOf(ref, namespace, subresource === undefined ? undefined : name, subresource);
    return (await this.#connection.request('POST', path + writeQuery(options), { body: object })) as T;
  }

  createSubresource(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    subresource: string,
    body: KubeObject,
  ): Promise<unknown> {
    return this.#connection.request('POST', pathOf(ref, namespace, name, subresource), { body });
  }

  async update<T extends KubeObject>(ref: ResourceRef, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = pathOf(ref, namespace, name, options.subresource) + writeQuery(options);
    return (await this.#connection.request('PUT', path, { body: object })) as T;
  }

  async patch<T extends KubeObject>(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const isApply = type === 'apply';
    // An apply must say who applies, and ours means what it says.
    const complete = isApply ? { fieldManager: 'caelum', ...options } : options;
    const query = writeQuery(complete, isApply ? true : undefined);
    const path = pathOf(ref, namespace, name, options.subresource) + query;
    const contentType = patchTypes[type];
    return (await this.#connection.request('PATCH', path, { body: patch, contentType })) as T;
  }

  async delete(
    ref: ResourceRef,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { dryRun, ...rest } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) };
    await this.#connection.request('DELETE', pathOf(ref, namespace, name), { body });
  }

  close(): void {
    this.#connection.close();
  }
}

/** Gives one line to the handler; answers why the watch cannot go on, if so. */
function takeEvent<T extends KubeObject>(line: string, handler: WatchHandler<T>): CaelumError | undefined {
  let event: WireEvent<T>;
  try {
    event = JSON.parse(line) as WireEvent<T>;
  } catch (error) {
    return new CaelumError('unavailable', 'Cannot read watch: a line is not JSON', { cause: error });
  }
  const { type, object } = event;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      handler.onEvent({ type, object });
      return undefined;
    case 'BOOKMARK':
      handler.onEvent({ type, resourceVersion: object.metadata.resourceVersion ?? '' });
      return undefined;
    case 'ERROR':
      return errorOfStatus(object, 0);
    default:
      return new CaelumError('unavailable', `Cannot read watch: unknown event "${type}"`);
  }
}

/** Items of a list come without their kind from some servers: it is the list's. The items are ours alone still. */
function nameKind<T extends KubeObject>(items: readonly T[], list: WireList<T>): void {
  const { apiVersion, kind } = list;
  if (apiVersion === undefined || kind === undefined || !kind.endsWith('List')) return;
  for (const item of items as readonly { kind?: string; apiVersion?: string }[]) {
    item.kind ??= kind.slice(0, -'List'.length);
    item.apiVersion ??= apiVersion;
  }
}
