/** Which planted fault was found by what, as a table. Pure. */
import type { Mutant } from './mutants.ts';

export interface Found {
  readonly mutant: Mutant;
  readonly found: { readonly property: string; readonly seed: number; readonly message: string } | undefined;
  readonly seeds: number;
  readonly tookMs: number;
  readonly unclean: readonly number[];
}

const widths = [34, 30, 6, 8] as const;

const row = (cells: readonly string[]): string =>
  cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join(' ')
    .trimEnd();

export const tableHead = row(['mutant', 'found by', 'seed', 'seconds', 'what it saw']);

export function tableRow({ mutant, found, seeds, tookMs }: Found): string {
  const seconds = (tookMs / 1000).toFixed(1);
  if (found === undefined) return row([mutant.name, 'NOT FOUND', `(${seeds})`, seconds, mutant.sentence]);
  return row([mutant.name, found.property, String(found.seed), seconds, found.message.slice(0, 140)]);
}

export function summary(results: readonly Found[], harmless: readonly Mutant[]): string {
  const missed = results.filter(({ found }) => found === undefined);
  const lines = [`${results.length - missed.length} of ${results.length} planted faults found`];
  const byProperty = new Map<string, number>();
  for (const { found } of results)
    if (found !== undefined) byProperty.set(found.property, (byProperty.get(found.property) ?? 0) + 1);
  for (const [property, count] of [...byProperty].sort((a, b) => b[1] - a[1]))
    lines.push(`  ${String(count).padStart(3)} by ${property}`);
  for (const { mutant } of missed) lines.push(`not found: ${mutant.name}: ${mutant.sentence}`);
  const unclean = [...new Set(results.flatMap((result) => result.unclean))].sort((a, b) => a - b);
  if (unclean.length > 0) lines.push(`seeds that fail without a fault: ${unclean.join(', ')}`);
  for (const { name, harmless: why } of harmless) lines.push(`not counted: ${name}: ${why}`);
  return lines.join('\n');
}
