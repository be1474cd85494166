/**
 * Plans a batch in which there are gangs: each gang as a whole, in its turn among the others. Pure.
 * Invariant: members of a gang stand together, at the place of its priority and age.
 */
import type { Nominees } from '../nominees.ts';
import type { Step, WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import type { Policy } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Gang } from './gang-book.ts';
import { planGang } from './plan-gang.ts';
import { tightPolicy } from './tight.ts';

export interface BatchPlanner {
  readonly snapshot: Snapshot;
  readonly nominees: Nominees;
  readonly steps: Step[];
  readonly left: { preemptions: number };
  /** As pods that are in no gang are planned. */
  place(
    pods: readonly WaitingPod[],
    into: Step[],
    limits: { readonly left: { preemptions: number }; readonly within?: ReadonlySet<number> | undefined },
    /** By what they are placed, where it is not by what they say themselves. */
    by?: Policy,
  ): void;
}

interface Unit {
  readonly priority: number;
  readonly since: string;
  readonly key: string;
  readonly gang: Gang | undefined;
  readonly pods: readonly WaitingPod[];
}

type InOrder = (pods: readonly WaitingPod[]) => readonly WaitingPod[];

export function planWithGangs(pods: readonly WaitingPod[], inOrder: InOrder, planner: BatchPlanner): void {
  const { snapshot, nominees, steps, left } = planner;
  for (const { gang, priority, pods: some } of unitsOf(pods, inOrder, snapshot)) {
    if (gang === undefined) planner.place(some, steps, { left });
    else {
      if (snapshot.nominations.size > 0) nominees.holdFrom(priority);
      const place = (
        members: readonly WaitingPod[],
        within: ReadonlySet<number> | undefined,
        preemptions: number,
        isTight?: boolean,
      ): Step[] => {
        const own: Step[] = [];
        planner.place(
          members,
          own,
          { left: { preemptions }, within },
          isTight === true ? tightPolicy : undefined,
        );
        return own;
      };
      steps.push(...planGang(some, gang, { snapshot, nominees, place }));
    }
  }
}

/** Gangs, and runs of pods between them. */
function unitsOf(pods: readonly WaitingPod[], inOrder: InOrder, snapshot: Snapshot): readonly Unit[] {
  const single: WaitingPod[] = [];
  const membersOf = new Map<Gang, WaitingPod[]>();
  for (const waiting of pods) {
    const gang = snapshot.gangs.gangOf(waiting.key);
    if (gang === undefined) single.push(waiting);
    else {
      const members = membersOf.get(gang);
      if (members === undefined) membersOf.set(gang, [waiting]);
      else members.push(waiting);
    }
  }
  const units: Unit[] = Array.from(membersOf, ([gang, members]) => ({
    gang,
    key: gang.key,
    // As important as the least of its members, unless it says so itself.
    priority: gang.rule?.priority ?? Math.min(...members.map(({ pod }) => priorityOf(pod))),
    since: gang.rule?.since ?? '',
    pods: inOrder(members),
  })).sort(byTurn);
  if (single.length === 0) return units;
  const whole: Unit[] = [];
  let run: WaitingPod[] = [];
  const close = (): void => {
    if (run.length > 0) whole.push({ priority: 0, since: '', key: '', gang: undefined, pods: run });
    run = [];
  };
  let next = 0;
  for (const waiting of inOrder(single)) {
    const own = {
      priority: priorityOf(waiting.pod),
      since: waiting.pod.metadata.creationTimestamp ?? '',
      key: waiting.key,
    };
    for (let unit = units[next]; unit !== undefined && byTurn(unit, own) < 0; unit = units[++next]) {
      close();
      whole.push(unit);
    }
    run.push(waiting);
  }
  close();
  return [...whole, ...units.slice(next)];
}

type Turn = Pick<Unit, 'priority' | 'since' | 'key'>;

function byTurn(a: Turn, b: Turn): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.since !== b.since) return a.since < b.since ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
