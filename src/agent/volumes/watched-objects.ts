/**
 * ConfigMaps and Secrets that pods use: read once, then watched, each for as long as some pod uses it.
 *
 * Invariant: an object that no pod uses is neither watched nor kept.
 */
import type { ConfigMap, KubeObject, Secret } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { Backoff, type Clock, type Log, type Random } from '../../lib/index.ts';
import { configMapsRef, secretsRef } from '../objects.ts';

export type WatchedKind = 'configMap' | 'secret';

interface Entry {
  readonly ref: ResourceRef;
  readonly namespace: string;
  readonly name: string;
  readonly users: Set<string>;
  readonly loaded: PromiseWithResolvers<void>;
  readonly backoff: Backoff;
  object: KubeObject | undefined;
  isLoaded: boolean;
  watch: { cancel(): void } | undefined;
  closed: boolean;
}

export interface WatchedObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** An object that these pods (by uid) use has changed, appeared or gone. */
  readonly onChange: (podUids: ReadonlySet<string>) => void;
}

export class WatchedObjects {
  readonly #options: WatchedObjectsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: WatchedObjectsOptions) {
    this.#options = options;
  }

  /** From now on `podUid` uses exactly these. Resolves when all have been read once. */
  async use(
    podUid: string,
    namespace: string,
    references: readonly { readonly kind: WatchedKind; readonly name: string }[],
  ): Promise<void> {
    const keys = new Set(references.map(({ kind, name }) => `${kind}/${namespace}/${name}`));
    for (const [key, entry] of this.#entries)
      if (entry.users.has(podUid) && !keys.has(key)) this.#leave(key, entry, podUid);
    const waits: Promise<void>[] = [];
    for (const { kind, name } of references) {
      const key = `${kind}/${namespace}/${name}`;
      let entry = this.#entries.get(key);
      if (entry === undefined) {
        entry = this.#open(kind, namespace, name);
        this.#entries.set(key, entry);
      }
      entry.users.add(podUid);
      if (!entry.isLoaded) waits.push(entry.loaded.promise);
    }
    await Promise.all(waits);
  }

  release(podUid: string): void {
    for (const [key, entry] of this.#entries) if (entry.users.has(podUid)) this.#leave(key, entry, podUid);
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#entries.get(`configMap/${namespace}/${name}`)?.object as ConfigMap | undefined;
  }

  secret(namespace: string, name: string): Secret | undefined {
    return this.#entries.get(`secret/${namespace}/${name}`)?.object as Secret | undefined;
  }

  stop(): void {
    for (const entry of this.#entries.values()) this.#close(entry);
    this.#entries.clear();
  }

  #leave(key: string, entry: Entry, podUid: string): void {
    entry.users.delete(podUid);
    if (entry.users.size > 0) return;
    this.#entries.delete(key);
    this.#close(entry);
  }

  #close(entry: Entry): void {
    entry.closed = true;
    entry.watch?.cancel();
  }

  #open(kind: WatchedKind, namespace: string, name: string): Entry {
    const entry: Entry = {
      ref: kind === 'configMap' ? configMapsRef : secretsRef,
      namespace,
      name,
      users: new Set(),
      loaded: Promise.withResolvers(),
      backoff: new Backoff({ firstMs: 200, maxMs: 10_000, jitter: 0.3, random: this.#options.random }),
      object: undefined,
      isLoaded: false,
      watch: undefined,
      closed: false,
    };
    void this.#load(entry);
    return entry;
  }

  /** Lists (for a revision to watch from, whether it is there or not), then watches. Never rejects. */
  async #load(entry: Entry): Promise<void> {
    const { client, clock, log } = this.#options;
    const fieldSelector = `metadata.name=${entry.name}`;
    try {
      const { namespace } = entry;
      const list = await client.list(entry.ref, { namespace, fieldSelector });
      if (entry.closed) return;
      this.#set(entry, list.items[0]);
      entry.backoff.reset();
      const options = { namespace, fieldSelector, resourceVersion: list.resourceVersion };
      entry.watch = client.watch(entry.ref, options, {
        onEvent: (event) => {
          if (entry.closed || event.type === 'BOOKMARK') return;
          this.#set(entry, event.type === 'DELETED' ? undefined : event.object);
        },
        onEnd: () => {
          if (!entry.closed) clock.after(entry.backoff.next(), () => void this.#load(entry));
        },
      });
    } catch (error) {
      if (entry.closed) return;
      log.debug('cannot read an object that a pod uses', { name: entry.name, error });
      clock.after(entry.backoff.next(), () => {
        if (!entry.closed) void this.#load(entry);
      });
    }
  }

  #set(entry: Entry, object: KubeObject | undefined): void {
    const changed = entry.object?.metadata.resourceVersion !== object?.metadata.resourceVersion;
    entry.object = object;
    if (!entry.isLoaded) {
      entry.isLoaded = true;
      entry.loaded.resolve();
      return;
    }
    if (changed) this.#options.onChange(entry.users);
  }
}
