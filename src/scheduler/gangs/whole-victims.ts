/** Who goes with those that are preempted: the other members of groups that are disrupted only as a whole (`disruptionMode: PodGroup`). Pure. */
import type { Victim } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Gang } from './gang-book.ts';

/** Nobody twice, and none of the victims themselves. From now on they are going. */
export function alsoVictims(snapshot: Snapshot, victims: readonly Victim[]): readonly Victim[] {
  const { gangs, going } = snapshot;
  const others: Victim[] = [];
  if (gangs.isEmpty) return others;
  const keys = new Set(victims.map(({ key }) => key));
  const whole = new Set<Gang>();
  for (const { key, pod } of victims) {
    // It goes whoever comes: it is not put out, and nobody with it (found by seed 36).
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    const gang = gangs.gangOf(key);
    if (gang?.rule?.goesTogether === true) whole.add(gang);
  }
  for (const { members } of whole)
    for (const key of members.keys()) {
      const pod = keys.has(key) ? undefined : snapshot.placed(key)?.pod;
      if (pod === undefined) continue;
      others.push({ key, pod });
      going.set(key, pod.metadata.uid);
    }
  return others;
}
