/** When a probe's answers count: so many in a row. Pure. */
export interface ProbeCount {
  readonly result: 'unknown' | 'success' | 'failure';
  readonly inRow: number;
  readonly last: 'success' | 'failure' | undefined;
}

export const freshCount: ProbeCount = { result: 'unknown', inRow: 0, last: undefined };

export function countProbe(
  before: ProbeCount,
  outcome: 'success' | 'failure',
  thresholds: { readonly success: number; readonly failure: number },
): ProbeCount {
  const inRow = before.last === outcome ? before.inRow + 1 : 1;
  const needed = outcome === 'success' ? thresholds.success : thresholds.failure;
  return { result: inRow >= needed ? outcome : before.result, inRow, last: outcome };
}
