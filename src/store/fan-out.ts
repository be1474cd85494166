/**
 * Who watches what. An event finds its watchers by looking up the prefixes of its key, so that it costs nothing to watchers of
 * other resources and namespaces; all watchers of one prefix share one array of events.
 *
 *   a key `pods/default/web-1` belongs to the groups `pods/`, `pods/default/`, and to odd prefixes such as `pods/default/web`
 */
import type { StoreEvent, Subscription, Watcher } from './store.ts';

interface Entry {
  readonly watcher: Watcher;
  /** Events up to this revision are not for it: it asked for later ones, or has had them. */
  readonly after: number;
}

interface Group {
  readonly prefix: string;
  readonly entries: Set<Entry>;
  /** What the batch being delivered holds for it. */
  batch: StoreEvent[];
}

export class FanOut {
  readonly #groups = new Map<string, Group>();
  /** Groups whose prefix does not end in a slash: tried one by one. */
  readonly #odd = new Set<Group>();

  get size(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.entries.size;
    return count;
  }

  add(prefix: string, after: number, watcher: Watcher): Subscription {
    let group = this.#groups.get(prefix);
    if (group === undefined) {
      group = { prefix, entries: new Set(), batch: [] };
      this.#groups.set(prefix, group);
      if (!prefix.endsWith('/')) this.#odd.add(group);
    }
    const entry = { watcher, after };
    const { entries } = group;
    entries.add(entry);
    return {
      cancel: () => {
        entries.delete(entry);
        if (entries.size === 0 && this.#groups.get(prefix)?.entries === entries) this.#drop(prefix);
      },
    };
  }

  /** Gives each watcher its share of `events`, which are new and in order. */
  deliver(events: readonly StoreEvent[]): void {
    if (this.#groups.size === 0) return;
    const touched: Group[] = [];
    const give = (group: Group, event: StoreEvent): void => {
      if (group.batch.length === 0) touched.push(group);
      group.batch.push(event);
    };
    for (const event of events) {
      for (let slash = event.key.indexOf('/'); slash >= 0; slash = event.key.indexOf('/', slash + 1)) {
        const group = this.#groups.get(event.key.slice(0, slash + 1));
        if (group !== undefined) give(group, event);
      }
      for (const group of this.#odd) if (event.key.startsWith(group.prefix)) give(group, event);
    }
    for (const group of touched) {
      const { batch } = group;
      group.batch = [];
      deliverTo(group, batch);
    }
  }

  /** Ends every watch. */
  end(error: Error | undefined): void {
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    this.#odd.clear();
    for (const { entries } of groups) {
      for (const entry of entries) {
        entries.delete(entry);
        entry.watcher.onEnd(error);
      }
    }
  }

  #drop(prefix: string): void {
    const group = this.#groups.get(prefix);
    if (group === undefined) return;
    this.#groups.delete(prefix);
    this.#odd.delete(group);
  }
}

/** Watchers that come while this runs have had the batch from history: their `after` says so. */
function deliverTo(group: Group, batch: readonly StoreEvent[]): void {
  const first = batch[0]?.revision ?? 0;
  for (const { watcher, after } of group.entries) {
    if (after < first) watcher.onEvents(batch);
    else {
      const late = batch.filter((event) => event.revision > after);
      if (late.length > 0) watcher.onEvents(late);
    }
  }
}
