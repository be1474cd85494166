/**
 * The durable state in memory: every present version in order, the recent past, and who watches.
 *
 *   apply(changes) ──▶ tables ──▶ history ──▶ watchers ──▶ whoever waits for the revision
 *
 * Owns reads. Does not own transactions or durability: what is applied is durable.
 * Invariant: after `apply` returns, every reader and watcher has the same revision.
 */
import { expired } from '../api/index.ts';
import { assert, CaelumError, type Clock } from '../lib/index.ts';
import { FanOut } from './fan-out.ts';
import { type Change, defaultLimits, History, type HistoryLimits } from './history.ts';
import { Kin } from './kin.ts';
import type { Listing, ListOptions, StoreStats, Subscription, Watcher } from './store.ts';
import { Table } from './table.ts';
import type { Version } from './version.ts';

interface Waiting {
  readonly revision: number;
  readonly resolve: (reached: boolean) => void;
}

export class ObjectIndex {
  readonly #clock: Clock;
  readonly #tables = new Map<string, Table>();
  readonly #history: History;
  readonly #fanOut = new FanOut();
  readonly kin = new Kin();
  readonly #waiting = new Set<Waiting>();
  #revision: number;
  #keys = 0;
  #bytes = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly revision: number;
    /** States before this are unknown; default: `revision`. */
    readonly compacted?: number;
    readonly limits?: HistoryLimits;
  }) {
    this.#clock = options.clock;
    this.#revision = options.revision;
    this.#history = new History(options.limits ?? defaultLimits, options.compacted ?? options.revision);
  }

  get revision(): number {
    return this.#revision;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Where it begins, once everything is loaded. */
  startAt(revision: number, compacted: number): void {
    assert(this.#history.size === 0 && revision >= compacted, 'an index starts before its first change');
    this.#revision = revision;
    this.#history.compact(compacted);
  }

  /** Puts what is there at the start; not an event. False when the key is there already. */
  load(version: Version): boolean {
    const previous = this.#table(tableOf(version.key)).set(version);
    this.#keys++;
    this.#bytes += version.size;
    return previous === undefined;
  }

  get(key: string): Version | undefined {
    return this.#tables.get(tableOf(key))?.get(key);
  }

  list(prefix: string, options: ListOptions = {}): Listing {
    const revision = options.revision ?? this.#revision;
    if (revision > this.#revision)
      throw new CaelumError('timeout', `Too large resource version: ${revision}, current: ${this.#revision}`);
    if (revision < this.#history.compacted)
      throw expired('The provided resource version is too old to list from.');
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const name = tableOf(prefix);
    if (name === '') return this.#listAll(prefix, { ...options, revision, limit });
    const table = this.#tables.get(name);
    if (table === undefined) return { revision, items: [], more: false, remaining: 0 };
    const { items, remaining } =
      revision === this.#revision
        ? table.page(prefix, options.after, limit)
        : table.pastPage(prefix, options.after, limit, this.#past(name, prefix, options.after, revision));
    return { revision, items, more: remaining > 0, remaining };
  }

  /** Across resources: rare, for tools and tests. */
  #listAll(prefix: string, options: { after?: string; revision: number; limit: number }): Listing {
    const names = [...this.#tables.keys()].filter((name) => name.startsWith(prefix)).sort();
    const lists = names.map((name) => this.list(name, { revision: options.revision }));
    const all = lists.flatMap((list) => list.items).filter((item) => item.key > (options.after ?? ''));
    const items = all.slice(0, options.limit);
    const remaining = all.length - items.length;
    return { revision: options.revision, items, more: remaining > 0, remaining };
  }

  /** For each key that has changed after `revision`: what it was then. */
  #past(
    name: string,
    prefix: string,
    after: string | undefined,
    revision: number,
  ): ReadonlyMap<string, Version | undefined> {
    const past = new Map<string, Version | undefined>();
    const changes = this.#history.since(name, revision);
    for (let at = changes.length - 1; at >= 0; at--) {
      const { key, previous } = changes[at] as Change;
      if (key.startsWith(prefix) && (after === undefined || key > after)) past.set(key, previous);
    }
    return past;
  }

  /** `revision` is the newest of `changes`, which are in order and durable. */
  apply(changes: readonly Change[], revision: number): void {
    assert(revision >= this.#revision, 'revisions only grow');
    const nowMs = this.#clock.monotonicMs();
    for (const change of changes) {
      const name = tableOf(change.key);
      const table = this.#table(name);
      const isPut = change.kind === 'put';
      const previous = isPut ? table.set(change.current) : table.delete(change.key);
      assert(previous === change.previous, 'a transaction was checked against the state that it meets');
      this.#keys += (isPut ? 1 : 0) - (previous === undefined ? 0 : 1);
      this.#bytes += (isPut ? change.current.size : 0) - (previous?.size ?? 0);
      this.#history.add(name, change, nowMs);
    }
    this.#history.trim(nowMs);
    this.#revision = revision;
    this.#fanOut.deliver(changes);
    for (const { current, previous } of changes) {
      previous?.forget();
      current.forgetUnused();
    }
    for (const waiting of this.#waiting) if (waiting.revision <= revision) waiting.resolve(true);
  }

  watch(prefix: string, afterRevision: number, watcher: Watcher): Subscription {
    if (afterRevision < this.#history.compacted) throw expired();
    const subscription = this.#fanOut.add(prefix, Math.max(afterRevision, this.#revision), watcher);
    if (afterRevision >= this.#revision) return subscription;
    const name = tableOf(prefix);
    const changes =
      name === '' ? this.#history.sinceAnywhere(afterRevision) : this.#history.since(name, afterRevision);
    const past = prefix === name ? changes : changes.filter((change) => change.key.startsWith(prefix));
    if (past.length > 0) watcher.onEvents(past);
    return subscription;
  }

  waitFor(revision: number, timeoutMs: number): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        revision,
        resolve: (reached) => {
          this.#waiting.delete(waiting);
          timer.cancel();
          resolve(reached);
        },
      };
      this.#waiting.add(waiting);
      const timer = this.#clock.after(timeoutMs, () => waiting.resolve(false));
    });
  }

  compact(revision: number): void {
    this.#history.compact(Math.min(revision, this.#revision));
  }

  stats(): Omit<StoreStats, 'waiting' | 'commits' | 'commitMs'> {
    return {
      revision: this.#revision,
      compactedRevision: this.#history.compacted,
      keys: this.#keys,
      bytes: this.#bytes,
    };
  }

  /** Every present version, in order: a consistent copy. */
  versions(): readonly Version[] {
    const names = [...this.#tables.keys()].sort();
    return names.flatMap((name) => this.#table(name).page(name, undefined, Number.POSITIVE_INFINITY).items);
  }

  close(): void {
    this.#fanOut.end(undefined);
    for (const waiting of this.#waiting) waiting.resolve(false);
  }

  #table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      assert(name !== '', 'a key begins with its resource and a slash');
      table = new Table();
      this.#tables.set(name, table);
    }
    return table;
  }
}

/** `pods/` of `pods/default/web-1`; '' when there is no slash. */
function tableOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1);
}
