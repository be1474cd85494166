/**
 * Objects by the value of a field, so that a node's pods are found, and their changes told, without a look at all others.
 *
 *   store events ─▶ value before, value after ─▶ keys by value
 *                                             └▶ watchers of either value, one array a value and batch
 *
 * Invariant: whoever is told of a revision by the store, and asks, finds the index at that revision: it watches before anybody else does.
 */
import type { KubeObject } from '../api/index.ts';
import type { Store, Stored, StoreEvent, Subscription, Watcher } from '../store/index.ts';
import type { Resource, Resources } from './resource.ts';

/** What is worth it: fields by which many watch, each a little. */
const indexed: readonly (readonly [resource: string, path: string])[] = [['pods', 'spec.nodeName']];

interface Entry {
  readonly prefix: string;
  readonly after: number;
  readonly watcher: Watcher;
}

export class FieldIndex {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #keys = new Map<string, Set<string>>();
  readonly #values = new Map<string, string>();
  readonly #entries = new Map<string, Set<Entry>>();

  constructor(store: Store, prefix: string, read: (object: KubeObject) => string) {
    this.#store = store;
    this.#prefix = prefix;
    const listing = store.list(prefix);
    for (const stored of listing.items) this.#note(stored.key, read(stored.object() as KubeObject));
    store.watch(prefix, listing.revision, {
      onEvents: (events) => this.#onEvents(events, read),
      onEnd: (error) => {
        for (const entries of this.#entries.values())
          for (const entry of entries) {
            entries.delete(entry);
            entry.watcher.onEnd(error);
          }
      },
    });
  }

  /** In order of their keys, which begin with `prefix`. */
  list(value: string, prefix: string): readonly Stored[] {
    const keys: string[] = [];
    for (const key of this.#keys.get(value) ?? []) if (key.startsWith(prefix)) keys.push(key);
    return keys.sort().flatMap((key) => this.#store.get(key) ?? []);
  }

  /** As the store's own watch: past events first. They may hold others than of this value; all of this value are there. */
  watch(value: string, prefix: string, after: number, watcher: Watcher): Subscription {
    // What is past comes from the store's history, all at once.
    let isPast = true;
    const past = this.#store.watch(prefix, after, {
      onEvents: (events) => {
        if (isPast) watcher.onEvents(events);
      },
      onEnd: () => {},
    });
    isPast = false;
    past.cancel();
    const entry = { prefix, after: Math.max(after, this.#store.revision()), watcher };
    let entries = this.#entries.get(value);
    if (entries === undefined) {
      entries = new Set();
      this.#entries.set(value, entries);
    }
    entries.add(entry);
    return {
      cancel: () => {
        entries.delete(entry);
        if (entries.size === 0 && this.#entries.get(value) === entries) this.#entries.delete(value);
      },
    };
  }

  /** Answers the value before. */
  #note(key: string, value: string | undefined): string | undefined {
    const before = this.#values.get(key);
    if (before === value) return before;
    if (before !== undefined) {
      const keys = this.#keys.get(before);
      keys?.delete(key);
      if (keys?.size === 0) this.#keys.delete(before);
    }
    if (value === undefined) this.#values.delete(key);
    else {
      let keys = this.#keys.get(value);
      if (keys === undefined) {
        keys = new Set();
        this.#keys.set(value, keys);
      }
      keys.add(key);
      this.#values.set(key, value);
    }
    return before;
  }

  #onEvents(events: readonly StoreEvent[], read: (object: KubeObject) => string): void {
    const batches = new Map<string, StoreEvent[]>();
    const give = (value: string | undefined, event: StoreEvent): void => {
      if (value === undefined || !this.#entries.has(value)) return;
      const batch = batches.get(value);
      if (batch === undefined) batches.set(value, [event]);
      else batch.push(event);
    };
    for (const event of events) {
      const value = event.kind === 'delete' ? undefined : read(event.current.object() as KubeObject);
      const before = this.#note(event.key, value);
      give(before, event);
      if (value !== before) give(value, event);
    }
    for (const [value, batch] of batches)
      for (const entry of this.#entries.get(value) ?? []) deliver(entry, this.#prefix, batch);
  }
}

function deliver({ prefix, after, watcher }: Entry, whole: string, batch: readonly StoreEvent[]): void {
  const isAll = prefix === whole && (batch[0]?.revision ?? 0) > after;
  const own = isAll ? batch : batch.filter(({ key, revision }) => revision > after && key.startsWith(prefix));
  if (own.length > 0) watcher.onEvents(own);
}

export class FieldIndexes {
  readonly #byField = new Map<string, FieldIndex>();

  constructor(store: Store, resources: Resources) {
    for (const [name, path] of indexed) {
      const resource = resources.find('', 'v1', name);
      const read = resource?.kind.selectableFields[path];
      if (resource !== undefined && read !== undefined)
        this.#byField.set(`${resource.groupResource}|${path}`, new FieldIndex(store, resource.prefix, read));
    }
  }

  /** undefined: there is none of this field. */
  of(resource: Resource, path: string): FieldIndex | undefined {
    return resource.kind.storedAs === undefined
      ? this.#byField.get(`${resource.groupResource}|${path}`)
      : undefined;
  }
}
