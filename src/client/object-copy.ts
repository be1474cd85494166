/**
 * The copy that an informer keeps: objects by key, indices over them, and who is told of changes. Pure.
 *
 * Invariant: a handler that registers at any moment, even inside another's call, is told of each object exactly once as added.
 */
import type { KubeObject } from '../api/index.ts';
import { type Change, type Informer, keyOf } from './client.ts';

interface Handler<T extends KubeObject> {
  readonly tell: (change: Change<T>) => void;
  /** It has been told of everything up to this change. */
  readonly since: number;
}

export class ObjectCopy<T extends KubeObject> implements Informer<T> {
  readonly #objects = new Map<string, T>();
  readonly #handlers = new Set<Handler<T>>();
  readonly #indices = new Map<string, ObjectsByKey<T>>();
  readonly #waiting = new Set<() => void>();
  #changes = 0;
  #synced = false;
  followingSinceMs: number | undefined;

  get size(): number {
    return this.#objects.size;
  }

  get synced(): boolean {
    return this.#synced;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): Iterable<T> {
    return this.#objects.values();
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.delete(done);
        reject(signal?.reason as Error);
      };
      const done = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  onChange(tell: (change: Change<T>) => void): { cancel(): void } {
    const handler = { tell, since: this.#changes };
    let cancelled = false;
    // What is there now, as one picture: changes that come meanwhile are told as changes.
    const present = [...this.#objects];
    this.#handlers.add(handler);
    for (const [key, object] of present) {
      if (cancelled) break;
      tell({ kind: 'added', key, object });
    }
    return {
      cancel: () => {
        cancelled = true;
        this.#handlers.delete(handler);
      },
    };
  }

  index(name: string, keysOf: (object: T) => readonly string[]): (key: string) => readonly T[] {
    let index = this.#indices.get(name);
    if (index === undefined) {
      index = new ObjectsByKey(keysOf);
      for (const [key, object] of this.#objects) index.add(key, object);
      this.#indices.set(name, index);
    }
    const found = index;
    return (key) => found.get(key);
  }

  /** An object as it is now. Tells nobody when it is the version that is known. */
  set(object: T): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous !== undefined && isSameVersion(previous, object)) return;
    if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {
      // Another object of the same name: its predecessor's end was missed.
      this.delete(previous);
      this.set(object);
      return;
    }
    this.#objects.set(key, object);
    for (const index of this.#indices.values()) {
      if (previous === undefined) index.add(key, object);
      else index.replace(key, previous, object);
    }
    this.#tell(
      previous === undefined ? { kind: 'added', key, object } : { kind: 'updated', key, object, previous },
    );
  }

  /** `last` is its last known state. */
  delete(last: T): void {
    const key = keyOf(last);
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    for (const index of this.#indices.values()) index.remove(key, previous);
    this.#tell({ kind: 'deleted', key, object: last });
  }

  /** The whole selection as it is now: tells the differences. */
  replace(objects: readonly T[]): void {
    const keys = new Set(objects.map(keyOf));
    for (const [key, object] of [...this.#objects]) if (!keys.has(key)) this.delete(object);
    for (const object of objects) this.set(object);
    if (this.#synced) return;
    this.#synced = true;
    for (const done of this.#waiting) done();
    this.#waiting.clear();
  }

  #tell(change: Change<T>): void {
    const number = ++this.#changes;
    for (const handler of this.#handlers) if (handler.since < number) handler.tell(change);
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  const { resourceVersion, uid } = a.metadata;
  return (
    resourceVersion !== undefined && resourceVersion === b.metadata.resourceVersion && uid === b.metadata.uid
  );
}

/** Objects by derived keys. */
class ObjectsByKey<T extends KubeObject> {
  readonly #keysOf: (object: T) => readonly string[];
  readonly #byKey = new Map<string, { readonly objects: Map<string, T>; list: readonly T[] | undefined }>();

  constructor(keysOf: (object: T) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  /** The same array until something changes. */
  get(derived: string): readonly T[] {
    const entry = this.#byKey.get(derived);
    if (entry === undefined) return [];
    entry.list ??= [...entry.objects.values()];
    return entry.list;
  }

  add(key: string, object: T): void {
    for (const derived of this.#keysOf(object)) {
      let entry = this.#byKey.get(derived);
      if (entry === undefined) {
        entry = { objects: new Map(), list: undefined };
        this.#byKey.set(derived, entry);
      }
      entry.objects.set(key, object);
      entry.list = undefined;
    }
  }

  replace(key: string, previous: T, object: T): void {
    const before = this.#keysOf(previous);
    const after = this.#keysOf(object);
    if (before.length !== 1 || after.length !== 1 || before[0] !== after[0]) {
      if (before.length > 0) this.remove(key, previous);
      if (after.length > 0) this.add(key, object);
      return;
    }
    // In its place, as nearly all changes leave it.
    const entry = this.#byKey.get(after[0] as string);
    entry?.objects.set(key, object);
    if (entry !== undefined) entry.list = undefined;
  }

  remove(key: string, object: T): void {
    for (const derived of this.#keysOf(object)) {
      const entry = this.#byKey.get(derived);
      if (entry === undefined) continue;
      entry.objects.delete(key);
      entry.list = undefined;
      if (entry.objects.size === 0) this.#byKey.delete(derived);
    }
  }
}
