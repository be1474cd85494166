/** How important a pod would have to be to put others out of their places. Pure: what is reckoned with is not changed. */
import { amountsOf, type Demand } from '../demand.ts';
import { priorityOf } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';

export interface Replacement {
  readonly node: string;
  /** It has to be above that. */
  readonly above: number;
  readonly victims: readonly string[];
}

const nodesMax = 500;

/** The least priority of all; of equals the one that costs fewest pods. */
export function leastPriority(
  snapshot: Snapshot,
  demand: Demand,
  rows: readonly number[],
): Replacement | undefined {
  let best: Replacement | undefined;
  for (const row of rows.slice(0, nodesMax)) {
    const found = onRow(snapshot, demand, row);
    if (found === undefined) continue;
    const isBetter =
      best === undefined ||
      found.above < best.above ||
      (found.above === best.above && found.victims.length < best.victims.length);
    if (isBetter) best = found;
  }
  return best;
}

function onRow(snapshot: Snapshot, demand: Demand, row: number): Replacement | undefined {
  if (demand.gpus !== undefined) return undefined;
  const lacks = new Map<string, number>([
    ['pods', 1 - (snapshot.podsFree[row] ?? 0)],
    ['cpu', demand.cpuMilli > 0 ? demand.cpuMilli - (snapshot.cpuFree[row] ?? 0) : 0],
    ['memory', demand.memoryBytes > 0 ? demand.memoryBytes - (snapshot.memoryFree[row] ?? 0) : 0],
    [
      'ephemeral-storage',
      demand.ephemeralBytes > 0 ? demand.ephemeralBytes - (snapshot.ephemeralFree[row] ?? 0) : 0,
    ],
    ...[...demand.extended].map(([name, amount]): [string, number] => [
      name,
      amount - snapshot.extendedFree(row, name),
    ]),
  ]);
  const isOpen = (): boolean => [...lacks.values()].every((amount) => amount <= 0);
  const pods = [...snapshot.placedOn(row)].sort(
    ([a, x], [b, y]) => priorityOf(x) - priorityOf(y) || (a < b ? -1 : 1),
  );
  const victims: string[] = [];
  for (const [key, pod] of pods) {
    if (isOpen()) break;
    const { cpuMilli, memoryBytes, ephemeralBytes, extended } = amountsOf(pod);
    const gives = new Map<string, number>([
      ['pods', 1],
      ['cpu', cpuMilli],
      ['memory', memoryBytes],
      ['ephemeral-storage', ephemeralBytes],
      ...extended,
    ]);
    const helps = [...lacks].some(([name, amount]) => amount > 0 && (gives.get(name) ?? 0) > 0);
    if (!helps) continue;
    for (const [name, amount] of lacks) lacks.set(name, amount - (gives.get(name) ?? 0));
    victims.push(key);
  }
  if (!isOpen() || victims.length === 0) return undefined;
  const above = Math.max(...victims.map((key) => priorityOf(snapshot.placed(key)?.pod ?? { metadata: {} })));
  return { node: snapshot.facts(row)?.name ?? '', above, victims };
}
