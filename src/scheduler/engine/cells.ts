/** Which nodes no label tells apart, as far as certain topology keys and the score look at labels. Pure; remembered with what is suitable. */
import type { ZoneSpread } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Suitable } from '../suitable.ts';
import type { ValueColumn } from './value-column.ts';

/** What all rows of it have in common. */
export interface Cell {
  /** Values by column; -1: the key is missing. */
  readonly values: readonly number[];
  /** Of the relative parts of the score, by part. */
  readonly raw: readonly number[];
  readonly zone: number;
}

export interface CellMap {
  /** By row. */
  readonly cellOf: Int32Array;
  readonly cells: readonly Cell[];
}

interface Known extends CellMap {
  readonly columns: readonly ValueColumn[];
  readonly byZone: boolean;
}

const known = new WeakMap<Suitable, Known[]>();

export function cellsOf(
  snapshot: Snapshot,
  suitable: Suitable,
  columns: readonly ValueColumn[],
  zones: ZoneSpread | undefined,
): CellMap {
  const byZone = zones !== undefined;
  let there = known.get(suitable);
  if (there === undefined) {
    there = [];
    known.set(suitable, there);
  }
  let found = there.find(
    (one) =>
      one.byZone === byZone &&
      one.columns.length === columns.length &&
      one.columns.every((column, at) => column === columns[at]),
  );
  if (found === undefined) {
    found = { columns, byZone, ...workOut(snapshot, suitable, columns, zones) };
    there.push(found);
  }
  return found;
}

function workOut(
  snapshot: Snapshot,
  { rows, relative }: Suitable,
  columns: readonly ValueColumn[],
  zones: ZoneSpread | undefined,
): CellMap {
  const parts: ((at: number, row: number) => number)[] = [
    ...columns.map(
      ({ ids }) =>
        (_: number, row: number) =>
          ids[row] as number,
    ),
    ...relative.map(
      ({ raw }) =>
        (at: number) =>
          raw[at] as number,
    ),
    ...(zones === undefined ? [] : [(_: number, row: number) => zones.of(row)]),
  ];
  // Part by part, each combination gets the next number.
  const numbers = new Int32Array(rows.length);
  for (const part of parts) {
    const seen = new Map<number, Map<number, number>>();
    let count = 0;
    for (let at = 0; at < rows.length; at++) {
      const before = numbers[at] as number;
      const value = part(at, rows[at] as number);
      let next = seen.get(before);
      if (next === undefined) {
        next = new Map();
        seen.set(before, next);
      }
      let number = next.get(value);
      if (number === undefined) {
        number = count++;
        next.set(value, number);
      }
      numbers[at] = number;
    }
  }
  const cellOf = new Int32Array(snapshot.rows);
  const cells: Cell[] = [];
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const number = numbers[at] as number;
    cellOf[row] = number;
    cells[number] ??= {
      values: columns.map(({ ids }) => ids[row] as number),
      raw: relative.map(({ raw }) => raw[at] as number),
      zone: zones?.of(row) ?? 0,
    };
  }
  return { cellOf, cells };
}
