/** Which value of a topology key each node has, as numbers. Pure; worked out once for all questions, until a node changes. */
import type { Snapshot } from '../snapshot.ts';

export interface ValueColumn {
  /** By row; -1: the node lacks the key. */
  readonly ids: Int32Array;
  /** Numbers are below it. */
  readonly size: number;
  /** No two nodes share a value, as it is with host names. */
  readonly isFine: boolean;
}

interface Known {
  readonly version: number;
  readonly columns: Map<string, ValueColumn>;
}

const known = new WeakMap<Snapshot, Known>();

export function valueColumn(snapshot: Snapshot, key: string): ValueColumn {
  let there = known.get(snapshot);
  if (there === undefined || there.version !== snapshot.staticVersion) {
    there = { version: snapshot.staticVersion, columns: new Map() };
    known.set(snapshot, there);
  }
  let column = there.columns.get(key);
  if (column === undefined) {
    column = numbered(snapshot, key);
    there.columns.set(key, column);
  }
  return column;
}

function numbered(snapshot: Snapshot, key: string): ValueColumn {
  const ids = new Int32Array(snapshot.rows).fill(-1);
  const numbers = new Map<string, number>();
  let count = 0;
  for (let row = 0; row < ids.length; row++) {
    const value = snapshot.facts(row)?.labels[key];
    if (value === undefined) continue;
    count++;
    let id = numbers.get(value);
    if (id === undefined) {
      id = numbers.size;
      numbers.set(value, id);
    }
    ids[row] = id;
  }
  return { ids, size: numbers.size, isFine: numbers.size === count };
}

/** Each node with the key stands for itself, whatever its value. */
export function rowColumn(snapshot: Snapshot, key: string): ValueColumn {
  const { ids } = valueColumn(snapshot, key);
  return { ids: ids.map((id, row) => (id < 0 ? -1 : row)), size: ids.length, isFine: true };
}
