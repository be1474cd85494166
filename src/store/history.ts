/**
 * The recent events, per resource and in order, so that watches can start and lists can be answered in the past.
 *
 *   trail:  oldest ◀─ { table, revision, bytes, atMs } ─▶ newest      what to forget next
 *   tables: resource ─▶ its events, oldest first
 *
 * Forgotten as soon as a hard bound (events, bytes) is passed, and when older than `keepMs` and beyond the last `keepEvents`.
 * Invariant: every event with a revision after `compacted` is held.
 */
import type { StoreEvent } from './store.ts';
import type { Version } from './version.ts';

/** An event as the store keeps it. */
export interface Change extends StoreEvent {
  readonly current: Version;
  readonly previous: Version | undefined;
}

export interface HistoryLimits {
  readonly keepEvents: number;
  readonly keepMs: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export const defaultLimits: HistoryLimits = {
  keepEvents: 10_000,
  keepMs: 5 * 60_000,
  maxEvents: 100_000,
  maxBytes: 64 * 2 ** 20,
};

/** What an event costs beside its bytes, roughly. */
const eventOverheadBytes = 300;

interface Step {
  readonly events: Queue<Change>;
  readonly change: Change;
  readonly bytes: number;
  readonly atMs: number;
}

export class History {
  readonly #limits: HistoryLimits;
  readonly #tables = new Map<string, Queue<Change>>();
  readonly #trail = new Queue<Step>();
  #bytes = 0;
  #compacted: number;

  constructor(limits: HistoryLimits, compacted: number) {
    this.#limits = limits;
    this.#compacted = compacted;
  }

  /** States and events up to this revision are forgotten (the state at exactly this revision is still known). */
  get compacted(): number {
    return this.#compacted;
  }

  get size(): number {
    return this.#trail.size;
  }

  add(table: string, change: Change, atMs: number): void {
    let events = this.#tables.get(table);
    if (events === undefined) {
      events = new Queue();
      this.#tables.set(table, events);
    }
    events.push(change);
    const bytes = change.current.size + eventOverheadBytes;
    this.#bytes += bytes;
    this.#trail.push({ events, change, bytes, atMs });
  }

  /** Forgets what the limits do not keep. */
  trim(nowMs: number): void {
    const { keepEvents, keepMs, maxEvents, maxBytes } = this.#limits;
    for (let first = this.#trail.first; first !== undefined; first = this.#trail.first) {
      const over = this.#trail.size > maxEvents || this.#bytes > maxBytes;
      const old = this.#trail.size > keepEvents && nowMs - first.atMs > keepMs;
      if (!over && !old) return;
      this.#forgetFirst(first);
    }
  }

  compact(revision: number): void {
    for (let first = this.#trail.first; first !== undefined; first = this.#trail.first) {
      if (first.change.revision > revision) break;
      this.#forgetFirst(first);
    }
    this.#compacted = Math.max(this.#compacted, revision);
  }

  /** The events of one resource after `revision`, oldest first. */
  since(table: string, revision: number): readonly Change[] {
    return this.#tables.get(table)?.from((change) => change.revision > revision) ?? [];
  }

  /** The events of all resources after `revision`, oldest first. */
  sinceAnywhere(revision: number): readonly Change[] {
    return this.#trail.from((step) => step.change.revision > revision).map((step) => step.change);
  }

  #forgetFirst(first: Step): void {
    this.#trail.shift();
    first.events.shift();
    this.#bytes -= first.bytes;
    this.#compacted = Math.max(this.#compacted, first.change.revision);
  }
}

/** First in, first out; O(1) at both ends. */
class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): void {
    this.#items[this.#head++] = undefined;
    if (this.#head < 64 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** From the first item on for which `late` holds; it holds for all after that. */
  from(late: (item: T) => boolean): T[] {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (late(this.#items[middle] as T)) high = middle;
      else low = middle + 1;
    }
    return this.#items.slice(low) as T[];
  }
}
