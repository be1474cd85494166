/**
 * Places pods that may use a reservation: into its places first. Pure.
 *
 *   pod ─▶ free places, a few nodes at a time: each out of the pod's way ─▶ placed there: the place is its ─ else: back as they were ─▶ the next few
 *                                                                                     └─ none left ─▶ as any other pod, unless it named the reservation
 *
 * Invariant: but for the place that the pod takes, every place stands as before when it returns.
 */
import type { Step, WaitingPod } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Held } from './hold-book.ts';

export interface HeldPlanner {
  readonly snapshot: Snapshot;
  readonly steps: Step[];
  /** No other rows come into question. */
  readonly within: ReadonlySet<number> | undefined;
  /** Plans one in these rows, preempting nobody; answers the step without keeping it. */
  place(waiting: WaitingPod, within: ReadonlySet<number>): Step | undefined;
}

/** On so many nodes at once places are looked at. */
const nodesMax = 32;

/** Answers those that found no place there and may go elsewhere. */
export function planHeld(
  group: readonly WaitingPod[],
  { held, isOnly }: { readonly held: Held; readonly isOnly: boolean },
  planner: HeldPlanner,
): readonly WaitingPod[] {
  const { snapshot, steps } = planner;
  const others: WaitingPod[] = [];
  for (const waiting of group) {
    const step = inPlaceOf(waiting, held, planner);
    if (step !== undefined) steps.push(step);
    else if (!isOnly) others.push(waiting);
    else
      steps.push({
        kind: 'wait',
        podKey: waiting.key,
        nodes: snapshot.nodeCount,
        refused: nothingRefused,
        note: whyNot(held),
      });
  }
  return others;
}

const nothingRefused: ReadonlyMap<string, number> = new Map();

function whyNot({ name, places }: Held): string {
  let free = 0;
  for (const { user } of places.values()) if (user === undefined) free++;
  const label = `Reservation ${JSON.stringify(name)}`;
  if (places.size === 0) return `${label} holds nothing yet`;
  return free === 0
    ? `all ${places.size} places of ${label} are used`
    : `it fits into none of the ${free} free places of ${label}`;
}

function inPlaceOf(waiting: WaitingPod, held: Held, planner: HeldPlanner): Step | undefined {
  const { snapshot, within } = planner;
  const nodes: { readonly row: number; readonly placeKey: string; readonly nodeName: string }[] = [];
  for (const [nodeName, placeKey] of snapshot.holds.free(held.key)) {
    const row = snapshot.rowOf(nodeName);
    if (row !== undefined && within?.has(row) !== false) nodes.push({ row, placeKey, nodeName });
  }
  nodes.sort((a, b) => a.row - b.row);
  for (let at = 0; at < nodes.length; at += nodesMax) {
    const some = nodes.slice(at, at + nodesMax);
    const places = some.map(({ placeKey }) => snapshot.placed(placeKey)?.pod);
    for (const { placeKey } of some) snapshot.removePod(placeKey);
    const step = planner.place(waiting, new Set(some.map(({ row }) => row)));
    some.forEach(({ placeKey, nodeName }, index) => {
      const pod = places[index];
      if (pod !== undefined && (step?.kind !== 'bind' || step.nodeName !== nodeName))
        snapshot.addPod(placeKey, pod, nodeName);
    });
    if (step?.kind !== 'bind') continue;
    const taken = some.find(({ nodeName }) => nodeName === step.nodeName);
    if (taken !== undefined)
      snapshot.holds.take(held.key, taken.placeKey, waiting.key, waiting.pod, snapshot);
    return { ...step, heldBy: held.uid };
  }
  return undefined;
}
