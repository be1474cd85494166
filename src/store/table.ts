/**
 * The present versions of one resource, by key and in order.
 *
 *   cells: key ─▶ cell          blocks: [cell cell …] [cell …] …   sorted, at most `blockSize` each
 *
 * An update writes the cell, O(1). An insert moves at most one block and, once in hundreds, the list of blocks: cheap at a million
 * keys. Invariant: `blocks` holds exactly the cells of `cells`, in UTF-16 order; no block is empty except the only one.
 */
import { assert } from '../lib/index.ts';
import type { Version } from './version.ts';

interface Cell {
  readonly key: string;
  version: Version;
}

interface Position {
  readonly block: number;
  readonly offset: number;
}

export interface Page {
  readonly items: readonly Version[];
  readonly remaining: number;
}

const blockSize = 512;

export class Table {
  readonly #cells = new Map<string, Cell>();
  readonly #blocks: Cell[][] = [[]];

  get size(): number {
    return this.#cells.size;
  }

  get(key: string): Version | undefined {
    return this.#cells.get(key)?.version;
  }

  /** Returns what was there. */
  set(version: Version): Version | undefined {
    const cell = this.#cells.get(version.key);
    if (cell !== undefined) {
      const previous = cell.version;
      cell.version = version;
      return previous;
    }
    const added = { key: version.key, version };
    this.#cells.set(version.key, added);
    this.#insert(added);
    return undefined;
  }

  delete(key: string): Version | undefined {
    const cell = this.#cells.get(key);
    if (cell === undefined) return undefined;
    this.#cells.delete(key);
    const { block, offset } = this.#seek(key);
    const cells = this.#blockAt(block);
    assert(cells[offset] === cell, 'a table and its order agree');
    cells.splice(offset, 1);
    this.#shrink(block);
    return cell.version;
  }

  /** Up to `limit` versions with keys from `prefix` on, only after `after` where given. */
  page(prefix: string, after: string | undefined, limit: number): Page {
    const from = this.#startOf(prefix, after);
    const to = this.#seek(successor(prefix));
    const total = Math.max(0, this.#distance(from, to));
    const wanted = Math.min(limit, total);
    const items: Version[] = [];
    for (let { block, offset } = from; items.length < wanted; block++, offset = 0) {
      const cells = this.#blockAt(block);
      const end = Math.min(cells.length, offset + wanted - items.length);
      for (let at = offset; at < end; at++) items.push((cells[at] as Cell).version);
    }
    return { items, remaining: total - wanted };
  }

  /**
   * The same as things were: `past` holds, for each key of the range that has changed since, what it was (undefined: not there).
   */
  pastPage(
    prefix: string,
    after: string | undefined,
    limit: number,
    past: ReadonlyMap<string, Version | undefined>,
  ): Page {
    const from = this.#startOf(prefix, after);
    let left = Math.max(0, this.#distance(from, this.#seek(successor(prefix))));
    let total = left;
    for (const [key, version] of past)
      total += (version === undefined ? 0 : 1) - (this.#cells.has(key) ? 1 : 0);
    const wanted = Math.min(limit, total);
    const changed = [...past.keys()].sort();
    const items: Version[] = [];
    let next = 0;
    const takeChangedUntil = (key: string | undefined): void => {
      for (; next < changed.length && items.length < wanted; next++) {
        const candidate = changed[next] as string;
        if (key !== undefined && candidate > key) return;
        const version = past.get(candidate);
        if (version !== undefined) items.push(version);
      }
    };
    for (let { block, offset } = from; left > 0 && items.length < wanted; block++, offset = 0) {
      const cells = this.#blockAt(block);
      for (; offset < cells.length && left > 0; offset++, left--) {
        const { key, version } = cells[offset] as Cell;
        takeChangedUntil(key);
        if (items.length >= wanted) break;
        if (!past.has(key)) items.push(version);
      }
    }
    takeChangedUntil(undefined);
    return { items, remaining: total - items.length };
  }

  #startOf(prefix: string, after: string | undefined): Position {
    // The smallest string after a key is that key with U+0000 appended.
    return this.#seek(after !== undefined && after >= prefix ? `${after}\0` : prefix);
  }

  #blockAt(block: number): Cell[] {
    return this.#blocks[block] as Cell[];
  }

  /** Where the first key at or after `key` is, or would be. */
  #seek(key: string): Position {
    const blocks = this.#blocks;
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const first = this.#blockAt(middle)[0] as Cell;
      if (first.key <= key) low = middle;
      else high = middle - 1;
    }
    const cells = this.#blockAt(low);
    let offset = 0;
    let end = cells.length;
    while (offset < end) {
      const middle = (offset + end) >> 1;
      if ((cells[middle] as Cell).key < key) offset = middle + 1;
      else end = middle;
    }
    return { block: low, offset };
  }

  #distance(from: Position, to: Position): number {
    let count = to.offset - from.offset;
    for (let block = from.block; block < to.block; block++) count += this.#blockAt(block).length;
    return to.block < from.block ? 0 : count;
  }

  #insert(cell: Cell): void {
    const { block, offset } = this.#seek(cell.key);
    const cells = this.#blockAt(block);
    if (cells.length < blockSize) {
      cells.splice(offset, 0, cell);
      return;
    }
    // Keys that come in order fill blocks to the brim; others halve them.
    const atEnd = block === this.#blocks.length - 1 && offset === cells.length;
    const second = atEnd ? [] : cells.splice(blockSize >> 1);
    this.#blocks.splice(block + 1, 0, second);
    const half = cells.length;
    if (offset <= half && !atEnd) cells.splice(offset, 0, cell);
    else second.splice(offset - half, 0, cell);
  }

  #shrink(block: number): void {
    const cells = this.#blockAt(block);
    const next = this.#blocks[block + 1];
    if (cells.length === 0 && this.#blocks.length > 1) this.#blocks.splice(block, 1);
    else if (next !== undefined && cells.length + next.length <= blockSize >> 2) {
      cells.push(...next);
      this.#blocks.splice(block + 1, 1);
    }
  }
}

/** The smallest string that is greater than all that begin with `prefix`. */
function successor(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  assert(prefix !== '' && last < 0xffff, 'a prefix has a successor');
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
