/**
 * Where a gang may be as a whole: the domains of a topology (racks, zones), the tightest first. Pure.
 */
import { demandOf } from '../demand.ts';
import type { WaitingPod } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Gang } from './gang-book.ts';

export interface Domain {
  /** The value of the label. */
  readonly value: string;
  readonly rows: ReadonlySet<number>;
  readonly cpuFree: number;
  readonly memoryFree: number;
  readonly podsFree: number;
}

/**
 * All domains of the key; where members have a place already, only theirs. The one with the least room comes first, so that large ones are left for large
 * gangs.
 */
export function domainsOf(
  snapshot: Snapshot,
  gang: Gang,
  key: string,
  isAsked: (podKey: string) => boolean,
): readonly Domain[] {
  const taken = valueTaken(snapshot, gang, key, isAsked);
  const rowsOf = new Map<string, Set<number>>();
  for (let row = 0; row < snapshot.rows; row++) {
    const value = snapshot.facts(row)?.labels[key];
    if (value === undefined || (taken !== undefined && value !== taken)) continue;
    const rows = rowsOf.get(value);
    if (rows === undefined) rowsOf.set(value, new Set([row]));
    else rows.add(row);
  }
  const domains = Array.from(rowsOf, ([value, rows]) => {
    const free = { cpuFree: 0, memoryFree: 0, podsFree: 0 };
    for (const row of rows) {
      free.cpuFree += Math.max(0, snapshot.cpuFree[row] ?? 0);
      free.memoryFree += Math.max(0, snapshot.memoryFree[row] ?? 0);
      free.podsFree += Math.max(0, snapshot.podsFree[row] ?? 0);
    }
    return { value, rows, ...free };
  });
  return domains.sort((a, b) => a.cpuFree - b.cpuFree || (a.value < b.value ? -1 : 1));
}

function valueTaken(
  snapshot: Snapshot,
  gang: Gang,
  key: string,
  isAsked: (podKey: string) => boolean,
): string | undefined {
  for (const podKey of gang.members.keys()) {
    const placed = isAsked(podKey) ? undefined : snapshot.placed(podKey);
    const value = placed === undefined ? undefined : snapshot.facts(placed.row)?.labels[key];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Whether the sums allow it: so many of the least demanding members. What this refuses need not be tried. */
export function mayHold(domain: Domain, members: readonly WaitingPod[], need: number): boolean {
  const least = (amountOf: (waiting: WaitingPod) => number): number =>
    members
      .map(amountOf)
      .sort((a, b) => a - b)
      .slice(0, need)
      .reduce((sum, one) => sum + one, 0);
  return (
    domain.podsFree >= need &&
    domain.cpuFree >= least(({ pod }) => demandOf(pod).cpuMilli) &&
    domain.memoryFree >= least(({ pod }) => demandOf(pod).memoryBytes)
  );
}
