/** Narrows what is suitable to some rows, as a gang that has to be together wants it. Pure. */
import type { Suitable } from '../suitable.ts';

export function suitableWithin(suitable: Suitable, within: ReadonlySet<number>): Suitable {
  const kept: number[] = [];
  suitable.rows.forEach((row, index) => {
    if (within.has(row)) kept.push(index);
  });
  return {
    ...suitable,
    rows: Int32Array.from(kept, (index) => suitable.rows[index] as number),
    fixed: Float64Array.from(kept, (index) => suitable.fixed[index] as number),
    relative: suitable.relative.map((column) => ({
      ...column,
      raw: Float64Array.from(kept, (index) => column.raw[index] as number),
    })),
  };
}
