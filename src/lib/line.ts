/**
 * Things that wait in line, each at most once, and a map that keeps its newest entries. A Set or Map alone would do, but for their cost: what is taken from
 * the front leaves holes that every later look at the front has to step over.
 */

/** First in, first out, without duplicates. O(1) each. */
export class Line<K> {
  readonly #members = new Set<K>();
  #order: (K | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#members.size;
  }

  has(key: K): boolean {
    return this.#members.has(key);
  }

  /** At the end, unless it waits already. */
  add(key: K): void {
    if (this.#members.has(key)) return;
    this.#members.add(key);
    this.#order.push(key);
  }

  /** The first, taken out. Only when `size` > 0. */
  take(): K {
    const first = this.#order[this.#head] as K;
    this.#order[this.#head++] = undefined;
    this.#members.delete(first);
    if (this.#head >= 64 && this.#head * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  clear(): void {
    this.#members.clear();
    this.#order = [];
    this.#head = 0;
  }
}

interface Entry<K, V> {
  readonly key: K;
  value: V;
  newer: Entry<K, V> | undefined;
  older: Entry<K, V> | undefined;
}

/** The `max` entries that were set last. O(1) each. */
export class NewestMap<K, V> {
  readonly #max: number;
  readonly #entries = new Map<K, Entry<K, V>>();
  #newest: Entry<K, V> | undefined;
  #oldest: Entry<K, V> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Makes it the newest; when there are too many, the oldest goes. */
  set(key: K, value: V): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, value, newer: undefined, older: undefined };
      this.#entries.set(key, entry);
    } else {
      entry.value = value;
      this.#unlink(entry);
    }
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    if (this.#entries.size > this.#max && this.#oldest !== undefined) this.delete(this.#oldest.key);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  #unlink(entry: Entry<K, V>): void {
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
  }
}
