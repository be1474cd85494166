/**
 * The object log: a map from key to bytes with one global revision, in which every change is an event.
 *
 *   transact ──▶ checked against the newest state ──▶ revision given ──▶ group commit (durable) ──▶ applied ──▶ watchers ──▶ resolved
 *
 * Keys are `<groupResource>/<namespace>/<name>` or `<groupResource>/<name>`, ordered by their UTF-16 code units.
 * Values are the object's JSON as UTF-8, complete with its resourceVersion, written once and shared by every reader.
 *
 * Invariants: revisions only grow (gaps are allowed: a failed commit burns its numbers). Reads and watches see only what is
 * durable. A watcher sees every event of its prefix after its revision, once, in order. Nothing acknowledged is ever lost.
 */

/** One version of one object. `object()` decodes it once while it is current, and is shared: never change it. */
export interface Stored {
  readonly key: string;
  /** The revision at which this version was written. */
  readonly revision: number;
  /** The JSON, UTF-8. Shared: never change it. */
  readonly bytes: Buffer;
  object(): unknown;
}

export type Write =
  | {
      readonly kind: 'put';
      readonly key: string;
      /** undefined: any; 0: must not exist; otherwise the exact revision that must be current. */
      readonly ifRevision?: number;
      /** Called once, synchronously, with the revision the write gets. */
      readonly encode: (revision: number) => Buffer;
      /**
       * What parsing the bytes would give, where the writer has that at hand (undefined: it has not). Called like `encode`, after or in place of it: a
       * store that keeps nothing on disk makes the bytes when somebody asks for them. Never changed afterwards. `kin`: a decoded form that is likely to say
       * much the same, and may lend what is equal; never changed either.
       */
      readonly decoded?: (revision: number, kin?: unknown) => unknown;
    }
  | {
      readonly kind: 'delete';
      readonly key: string;
      readonly ifRevision?: number;
      /** The last state that watchers are shown with the delete event (with the revision of the deletion). Default: the current bytes. */
      readonly encode?: (revision: number) => Buffer;
      readonly decoded?: (revision: number, kin?: unknown) => unknown;
    };

/** Why a transaction was not carried out: the first write whose precondition failed, and what is there instead. */
export interface PreconditionFailure {
  readonly kind: 'precondition';
  readonly key: string;
  readonly current: Stored | undefined;
}

export interface Committed {
  readonly kind: 'committed';
  readonly revision: number;
  /** One per write, in order; undefined for deletes of nothing. For deletes the last state. */
  readonly results: readonly (Stored | undefined)[];
}

export interface StoreEvent {
  readonly kind: 'put' | 'delete';
  readonly revision: number;
  readonly key: string;
  /** For a delete: the last state, carrying the revision of the deletion. */
  readonly current: Stored;
  /** What was there before; undefined when the key was created. */
  readonly previous: Stored | undefined;
}

export interface ListOptions {
  readonly limit?: number;
  /** Only keys after this one. */
  readonly after?: string;
  /** The state as of this revision; throws `expired` when compacted, `timeout` when it does not arrive in time. Default: the newest. */
  readonly revision?: number;
}

export interface Listing {
  readonly revision: number;
  readonly items: readonly Stored[];
  /** True when `limit` cut the list. */
  readonly more: boolean;
  /** How many items follow in all, where cheap to know. */
  readonly remaining: number;
}

export interface Watcher {
  /** Events in order; called synchronously as they become durable. Must not throw. */
  onEvents(events: readonly StoreEvent[]): void;
  /** The watch has ended and delivers no more (store closed, or the watcher fell behind what history holds). */
  onEnd(error: Error | undefined): void;
}

export interface Subscription {
  cancel(): void;
}

export interface StoreStats {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly keys: number;
  readonly bytes: number;
  /** Writes that are accepted and not yet durable. */
  readonly waiting: number;
  /** Groups of writes that became durable, and how long all of them took. */
  readonly commits: number;
  readonly commitMs: number;
}

export interface Store {
  /** The revision of the newest durable state. */
  revision(): number;
  get(key: string): Stored | undefined;
  /**
   * The newest version including writes that are accepted but not yet durable. Only to base a transaction on: its precondition then
   * holds unless something else comes first, and the transaction is acknowledged after both are durable.
   */
  latest(key: string): Stored | undefined;
  list(prefix: string, options?: ListOptions): Listing;
  /**
   * All writes or none, at one revision. Resolves once durable; without writes, once all that was accepted before is durable. A failed precondition is an answer, not an error.
   * Throws `storageFull`, `unavailable`, `corrupt`.
   */
  transact(writes: readonly Write[]): Promise<Committed | PreconditionFailure>;
  /** Events with key prefix `prefix` and revision > `afterRevision`, past ones first (synchronously). Throws `expired` when compacted. */
  watch(prefix: string, afterRevision: number, watcher: Watcher): Subscription;
  /** Resolves when the durable state has reached `revision`; false when it has not within `timeoutMs`. */
  waitFor(revision: number, timeoutMs: number): Promise<boolean>;
  /** Forgets history up to `revision`. */
  compact(revision: number): void;
  stats(): StoreStats;
  /** Writes a consistent copy to a file (durable when resolved). Memory store: the same format. */
  save(file: string): Promise<{ readonly revision: number; readonly keys: number }>;
  /** Waits for accepted writes, then closes. */
  close(): Promise<void>;
}
