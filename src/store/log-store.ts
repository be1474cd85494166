/**
 * Transactions over the index: checked at once, made durable in groups, then shown to everyone.
 *
 *   transact ──▶ check against newest ──▶ revision, encode ──▶ open ──flush──▶ sent ──durable──▶ index.apply ──▶ watchers ──▶ resolve
 *                                                               └───────── failed ─────────▶ all that came after is refused too
 *
 * `newest` overlays the index with what is accepted but not yet durable. Whatever was answered on the grounds of such a write (a
 * failed precondition, a delete of nothing) is answered when that write is durable.
 * Invariants: batches become durable in the order in which they were sent. A refused write is in no durable state, ever.
 */
import { assert, CaelumError } from '../lib/index.ts';
import type { Change } from './history.ts';
import type { ObjectIndex } from './object-index.ts';
import type {
  Committed,
  Listing,
  ListOptions,
  PreconditionFailure,
  Store,
  Stored,
  StoreStats,
  Subscription,
  Watcher,
  Write,
} from './store.ts';
import { Version } from './version.ts';

/** Where batches go to survive. */
export interface Durability {
  /** Calls `flush` soon, once: when the work at hand has been accepted. */
  schedule(flush: () => void): void;
  /**
   * Resolves when durable. Rejects when certainly not, and then every batch submitted before that rejection was known fails too. Never
   * settles when the outcome cannot be known: the process has to stop.
   */
  submit(changes: readonly Change[], revision: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes a consistent copy of a state to a file. */
export type SaveCopy = (
  file: string,
  state: { readonly revision: number; readonly versions: readonly Version[] },
) => Promise<void>;

type Answer = Committed | PreconditionFailure;

interface Accepted {
  readonly answer: Answer;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly changes: Change[];
  readonly accepted: Accepted[];
  /** The newest revision in it. */
  revision: number;
}

interface Encoding {
  readonly key: string;
  readonly encode: (revision: number) => Buffer;
  readonly decoded?: (revision: number, kin?: unknown) => unknown;
}

interface Newest {
  readonly version: Version | undefined;
  readonly revision: number;
}

export interface LogStoreOptions {
  readonly index: ObjectIndex;
  readonly durability: Durability;
  readonly save: SaveCopy;
  /** The first id that is free for a new key. */
  readonly nextId: number;
  /** Nothing needs the bytes of a write: where a writer has the object, that is kept, and bytes are made when asked for. */
  readonly keepsObjects?: boolean;
}

export function createLogStore(options: LogStoreOptions): Store {
  return new LogStore(options);
}

class LogStore implements Store {
  readonly #index: ObjectIndex;
  readonly #durability: Durability;
  readonly #save: SaveCopy;
  readonly #newest = new Map<string, Newest>();
  /** In order; the last may be `#open`, which is not yet sent. */
  #waiting: Batch[] = [];
  #open: Batch | undefined;
  readonly #keepsObjects: boolean;
  #revision: number;
  #nextId: number;
  #closed = false;
  #commits = 0;
  #commitMs = 0;

  constructor({ index, durability, save, nextId, keepsObjects = false }: LogStoreOptions) {
    this.#keepsObjects = keepsObjects;
    this.#index = index;
    this.#durability = durability;
    this.#save = save;
    this.#nextId = nextId;
    this.#revision = index.revision;
  }

  revision(): number {
    return this.#index.revision;
  }

  get(key: string): Stored | undefined {
    return this.#index.get(key);
  }

  latest(key: string): Stored | undefined {
    return this.#latest(key);
  }

  list(prefix: string, options?: ListOptions): Listing {
    return this.#index.list(prefix, options);
  }

  async transact(writes: readonly Write[]): Promise<Answer> {
    if (this.#closed) throw new CaelumError('unavailable', 'Cannot write: the store is closed');
    const failed = writes.find((write) => !this.#holds(write));
    if (failed !== undefined)
      return this.#afterWaiting({ kind: 'precondition', key: failed.key, current: this.#latest(failed.key) });
    if (writes.length > 1) {
      const keys = new Set(writes.map((write) => write.key));
      assert(keys.size === writes.length, 'a transaction writes each key at most once');
    }
    const isEmpty = writes.every((write) => write.kind === 'delete' && this.#latest(write.key) === undefined);
    if (isEmpty)
      return this.#afterWaiting({
        kind: 'committed',
        revision: this.#revision,
        results: writes.map(() => undefined),
      });
    return this.#accept(writes);
  }

  #latest(key: string): Version | undefined {
    const newest = this.#newest.get(key);
    return newest === undefined ? this.#index.get(key) : newest.version;
  }

  #holds({ key, ifRevision }: Write): boolean {
    return ifRevision === undefined || ifRevision === (this.#latest(key)?.revision ?? 0);
  }

  #accept(writes: readonly Write[]): Promise<Answer> {
    const revision = ++this.#revision;
    // Encoding may throw: nothing has been noted until all of it is done.
    const changes = writes.map((write) => this.#changeOf(write, revision));
    let batch = this.#open;
    if (batch === undefined) {
      batch = { changes: [], accepted: [], revision };
      this.#open = batch;
      this.#waiting.push(batch);
      this.#durability.schedule(() => this.#flush());
    }
    batch.revision = revision;
    for (const change of changes) {
      if (change === undefined) continue;
      batch.changes.push(change);
      this.#newest.set(change.key, {
        version: change.kind === 'put' ? change.current : undefined,
        revision,
      });
    }
    return promiseIn(batch, {
      kind: 'committed',
      revision,
      results: changes.map((change) => change?.current),
    });
  }

  #changeOf(write: Write, revision: number): Change | undefined {
    const { key } = write;
    const previous = this.#latest(key);
    if (write.kind === 'delete') {
      if (previous === undefined) return undefined;
      const current =
        write.encode === undefined
          ? new Version(key, revision, previous.bytes, previous.id, undefined, undefined, this.#index.kin)
          : this.#versionOf({ ...write, encode: write.encode }, revision, previous.id, previous);
      return { kind: 'delete', revision, key, current, previous };
    }
    const id = previous?.id ?? this.#nextId++;
    return { kind: 'put', revision, key, current: this.#versionOf(write, revision, id, previous), previous };
  }

  #versionOf(
    write: Encoding & Pick<Write, 'kind'>,
    revision: number,
    id: number,
    previous: Version | undefined,
  ): Version {
    const { key, encode, decoded } = write;
    const { kin } = this.#index;
    // Nobody stores the bytes of what is deleted: they are made when a watcher asks for them.
    const isKept = (this.#keepsObjects || write.kind === 'delete') && decoded !== undefined;
    // Before it is decoded: parts that are shared may have their keys in another order.
    const bytes = isKept ? undefined : ownBytes(encode(revision));
    const object = decoded?.(revision, previous?.decoded ?? kin.of(key));
    if (object === undefined)
      return new Version(key, revision, bytes ?? ownBytes(encode(revision)), id, undefined, undefined, kin);
    const size = bytes?.length ?? previous?.size;
    kin.note(key, object, size ?? 0);
    return new Version(key, revision, bytes, id, object, size, kin);
  }

  /** Answers when all that is accepted so far is durable. */
  #afterWaiting(answer: Answer): Promise<Answer> {
    const last = this.#waiting.at(-1);
    return last === undefined ? Promise.resolve(answer) : promiseIn(last, answer);
  }

  #flush(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    const sentMs = this.#index.nowMs();
    this.#durability.submit(batch.changes, batch.revision).then(
      () => {
        this.#commits++;
        this.#commitMs += this.#index.nowMs() - sentMs;
        this.#onDurable(batch);
      },
      (error: unknown) => this.#onFailed(batch, error),
    );
  }

  #onDurable(batch: Batch): void {
    assert(this.#waiting[0] === batch, 'batches become durable in order');
    this.#waiting.shift();
    for (const { key, revision } of batch.changes)
      if (this.#newest.get(key)?.revision === revision) this.#newest.delete(key);
    this.#index.apply(batch.changes, batch.revision);
    for (const { answer, resolve } of batch.accepted) resolve(answer);
  }

  #onFailed(batch: Batch, error: unknown): void {
    const at = this.#waiting.indexOf(batch);
    if (at < 0) return; // Refused already, with one before it.
    const refused = this.#waiting.splice(at);
    this.#open = undefined;
    this.#newest.clear();
    for (const { changes } of this.#waiting) {
      for (const { key, kind, current, revision } of changes)
        this.#newest.set(key, { version: kind === 'put' ? current : undefined, revision });
    }
    for (const { accepted } of refused) for (const { reject } of accepted) reject(error);
  }

  watch(prefix: string, afterRevision: number, watcher: Watcher): Subscription {
    if (this.#closed) throw new CaelumError('unavailable', 'Cannot watch: the store is closed');
    return this.#index.watch(prefix, afterRevision, watcher);
  }

  waitFor(revision: number, timeoutMs: number): Promise<boolean> {
    return this.#index.waitFor(revision, timeoutMs);
  }

  compact(revision: number): void {
    this.#index.compact(revision);
  }

  stats(): StoreStats {
    const waiting = this.#waiting.reduce((sum, { changes }) => sum + changes.length, 0);
    return { ...this.#index.stats(), waiting, commits: this.#commits, commitMs: this.#commitMs };
  }

  async save(file: string): Promise<{ readonly revision: number; readonly keys: number }> {
    const { revision } = this.#index;
    const versions = this.#index.versions();
    await this.#save(file, { revision, versions });
    return { revision, keys: versions.length };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    const last = this.#waiting.at(-1);
    if (last !== undefined) await this.#settled(last);
    await this.#durability.close();
    this.#index.close();
  }

  #settled(batch: Batch): Promise<void> {
    return new Promise((resolve) => {
      const answer: Answer = { kind: 'committed', revision: batch.revision, results: [] };
      batch.accepted.push({ answer, resolve: () => resolve(), reject: () => resolve() });
    });
  }
}

function promiseIn(batch: Batch, answer: Answer): Promise<Answer> {
  return new Promise((resolve, reject) => batch.accepted.push({ answer, resolve, reject }));
}

/** Small buffers are cut from a pool: one that is kept for long would keep all its neighbours. */
function ownBytes(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
