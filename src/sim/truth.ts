/**
 * What really is in the store, as properties see it: every durable event in order, across all lives of the API server.
 *
 *   store (each life) ──events──▶ truth ──▶ properties, history hash
 *
 * When the API server comes back, what it read from disk is compared with what was there: nothing that anybody was told may be missing.
 */
import type { KubeObject } from '../api/index.ts';
import type { Store, StoreEvent } from '../store/index.ts';

export interface TruthEvent {
  readonly kind: 'put' | 'delete';
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  /** `namespace/name`, or `name`. */
  readonly name: string;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly revision: number;
  /** Found when the store was read again: other changes of the object may have come before it, unseen. */
  readonly isFound: boolean;
  /** World time, milliseconds. */
  readonly atMs: number;
}

export interface Version {
  readonly atMs: number;
  readonly revision: number;
  /** undefined: deleted. */
  readonly object: KubeObject | undefined;
}

export interface TruthOptions {
  readonly nowMs: () => number;
  /** Each durable change, once. */
  readonly onEvent: (event: TruthEvent, bytes: Uint8Array) => void;
  readonly onBroken: (property: string, message: string) => void;
  /** Keys that a dying server wrote last, unheard. */
  readonly unheard: () => ReadonlySet<string>;
  /** The newest revision on disk. */
  readonly diskRevision: () => number;
}

/** Versions of one object that are remembered. */
const versionsMax = 24;
const lossless = 'store/nothing-acknowledged-lost';
const ordered = 'store/one-history';
const durable = 'store/durable-before-visible';

export class Truth {
  readonly #options: TruthOptions;
  /** Current objects by resource, then name. */
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #versions = new Map<string, Version[]>();
  readonly #revisions = new Map<string, { readonly revision: number; readonly bytes: Uint8Array }>();
  /** The newest revision that somebody was told of, by key. */
  readonly #acknowledged = new Map<string, number>();
  #isReading = false;
  revision = 0;
  changes = 0;

  constructor(options: TruthOptions) {
    this.#options = options;
  }

  objects<T extends KubeObject>(resource: string): ReadonlyMap<string, T> {
    return (this.#objects.get(resource) ?? new Map()) as ReadonlyMap<string, T>;
  }

  /** The bytes of an object as they were written. */
  bytes(resource: string, name: string): Uint8Array | undefined {
    return this.#revisions.get(`${resource}/${name}`)?.bytes;
  }

  resources(): Iterable<string> {
    return this.#objects.keys();
  }

  /** Newest last; the newest `versionsMax`. */
  versions(resource: string, name: string): readonly Version[] {
    return this.#versions.get(`${resource}/${name}`) ?? [];
  }

  /** Whether `holds` was true of the object at some moment since `sinceMs`. */
  heldSince(
    resource: string,
    name: string,
    sinceMs: number,
    holds: (object: KubeObject | undefined) => boolean,
  ): boolean {
    const versions = this.versions(resource, name);
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i] as Version;
      if (holds(version.object)) return true;
      // The one that was current at `sinceMs` is the last to be asked.
      if (version.atMs <= sinceMs) return false;
    }
    if (versions.length === 0) return holds(undefined);
    // What was before the oldest that is remembered cannot be said; before the first of all it was not there.
    return versions.length >= versionsMax || holds(undefined);
  }

  acknowledge(key: string, revision: number): void {
    this.#acknowledged.set(key, Math.max(revision, this.#acknowledged.get(key) ?? 0));
  }

  /** Follows a life of the store from its opening. */
  attach(store: Store): void {
    const listing = store.list('');
    const found = new Map(listing.items.map((stored) => [stored.key, stored]));
    const unheard = this.#options.unheard();
    for (const [key, { revision }] of this.#revisions) {
      const now = found.get(key);
      if ((now === undefined || now.revision < revision) && !unheard.has(key))
        this.#options.onBroken(
          lossless,
          `${key} was visible at revision ${revision}, and is ${now === undefined ? 'gone' : `at ${now.revision}`} after a restart`,
        );
    }
    for (const [key, revision] of this.#acknowledged) {
      const now = found.get(key);
      if (now !== undefined ? now.revision < revision : this.#revisions.has(key) && !unheard.has(key))
        this.#options.onBroken(
          lossless,
          `${key} was acknowledged at revision ${revision}, and is not there after a restart`,
        );
    }
    this.#isReading = true;
    for (const stored of listing.items) {
      const known = this.#revisions.get(stored.key);
      if (known?.revision === stored.revision) continue;
      if (known !== undefined && !unheard.has(stored.key))
        this.#options.onBroken(
          ordered,
          `${stored.key} changed from revision ${known.revision} to ${stored.revision} while nobody ran`,
        );
      const object = stored.object() as KubeObject;
      const [resource, name] = splitKey(stored.key);
      const before = this.#objects.get(resource)?.get(name);
      // In one last breath one was deleted and another of its name was made.
      if (before !== undefined && before.metadata.uid !== object.metadata.uid)
        this.#delete(stored.key, stored.revision);
      this.#put(stored.key, stored.revision, stored.bytes, object);
    }
    for (const key of [...this.#revisions.keys()]) if (!found.has(key)) this.#delete(key, listing.revision);
    this.#isReading = false;
    this.revision = Math.max(this.revision, listing.revision);
    store.watch('', listing.revision, {
      onEvents: (events) => {
        for (const event of events) this.#onEvent(event);
      },
      onEnd: () => {},
    });
  }

  #onEvent(event: StoreEvent): void {
    const { key, revision, current } = event;
    if (revision < this.revision)
      this.#options.onBroken(ordered, `revision ${revision} of ${key} came after ${this.revision}`);
    this.revision = revision;
    if (revision > this.#options.diskRevision())
      this.#options.onBroken(
        durable,
        `revision ${revision} of ${key} is visible, the disk has ${this.#options.diskRevision()}`,
      );
    const known = this.#revisions.get(key);
    if (known?.revision !== event.previous?.revision)
      this.#options.onBroken(
        ordered,
        `${key}: the event says that revision ${event.previous?.revision} was before, it was ${known?.revision}`,
      );
    if (event.kind === 'delete') this.#delete(key, revision, current.object() as KubeObject, current.bytes);
    else this.#put(key, revision, current.bytes, current.object() as KubeObject);
  }

  #put(key: string, revision: number, bytes: Uint8Array, object: KubeObject): void {
    const [resource, name] = splitKey(key);
    let map = this.#objects.get(resource);
    if (map === undefined) {
      map = new Map();
      this.#objects.set(resource, map);
    }
    const previous = map.get(name);
    map.set(name, object);
    this.#revisions.set(key, { revision, bytes });
    this.#tell(
      {
        kind: 'put',
        resource,
        name,
        object,
        previous,
        revision,
        isFound: this.#isReading,
        atMs: this.#options.nowMs(),
      },
      key,
      bytes,
    );
  }

  #delete(key: string, revision: number, last?: KubeObject, bytes: Uint8Array = new Uint8Array()): void {
    const [resource, name] = splitKey(key);
    const map = this.#objects.get(resource);
    const previous = map?.get(name);
    map?.delete(name);
    this.#revisions.delete(key);
    this.#acknowledged.delete(key);
    const object = last ?? previous;
    if (object === undefined) return;
    this.#tell(
      {
        kind: 'delete',
        resource,
        name,
        object,
        previous,
        revision,
        isFound: this.#isReading,
        atMs: this.#options.nowMs(),
      },
      key,
      bytes,
    );
  }

  #tell(event: TruthEvent, key: string, bytes: Uint8Array): void {
    this.changes++;
    let versions = this.#versions.get(key);
    if (versions === undefined) {
      versions = [];
      this.#versions.set(key, versions);
    }
    versions.push({
      atMs: event.atMs,
      revision: event.revision,
      object: event.kind === 'put' ? event.object : undefined,
    });
    if (versions.length > versionsMax) versions.shift();
    this.#options.onEvent(event, bytes);
  }
}

function splitKey(key: string): [string, string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
