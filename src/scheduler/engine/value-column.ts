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
  readonly sets: Map<string, Uint8Array>;
}

/** So many of each are remembered. */
const rememberedMax = 64;

const known = new WeakMap<Snapshot, Known>();

export function valueColumn(snapshot: Snapshot, key: string): ValueColumn {
  return remembered(knownOf(snapshot).columns, key, () => numbered(snapshot, key));
}

/** Each node with the key stands for itself, whatever its value. */
export function rowColumn(snapshot: Snapshot, key: string): ValueColumn {
  const { columns } = knownOf(snapshot);
  return remembered(columns, `${key} by row`, () => {
    const { ids } = valueColumn(snapshot, key);
    return { ids: ids.map((id, row) => (id < 0 ? -1 : row)), size: ids.length, isFine: true };
  });
}

/** 1 for each row whose facts are so; `key` says how. */
export function rowSet(snapshot: Snapshot, key: string, has: (facts: Facts) => boolean): Uint8Array {
  return remembered(knownOf(snapshot).sets, key, () => {
    const set = new Uint8Array(snapshot.rows);
    for (let row = 0; row < set.length; row++) {
      const facts = snapshot.facts(row);
      if (facts !== undefined && has(facts)) set[row] = 1;
    }
    return set;
  });
}

type Facts = NonNullable<ReturnType<Snapshot['facts']>>;

function knownOf(snapshot: Snapshot): Known {
  let there = known.get(snapshot);
  if (there === undefined || there.version !== snapshot.staticVersion) {
    there = { version: snapshot.staticVersion, columns: new Map(), sets: new Map() };
    known.set(snapshot, there);
  }
  return there;
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  let one = known.get(key);
  if (one === undefined) {
    one = make();
    if (known.size >= rememberedMax) known.clear();
    known.set(key, one);
  }
  return one;
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
