/**
 * Plans for pods whose queue is at its limit: less important ones of it go, if these pods then have a place. Pure.
 *
 *   who would have to go for the limit ─▶ without them, where do the pods fit? ─▶ these go, and the pods are nominated there
 *                                            └─ nowhere ─▶ who would have to go for a node, and who besides for the limit?
 *
 * Invariant: nobody goes unless all of the pods have a place then, on nodes and within all limits. What was tried is not in the snapshot when it returns.
 */
import { takeBack } from '../gangs/plan-gang.ts';
import { plan, type Step } from '../plan.ts';
import type { Victim } from '../preemption.ts';
import type { RoomInQueue } from '../queue/part.ts';
import type { Policy } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';

/** What became of it: who is nominated and who goes is in the snapshot, and the first step names those that go. */
export type RoomFound =
  | { readonly steps: readonly (Step & { readonly kind: 'wait' })[]; readonly message: string }
  | { readonly steps: undefined; readonly why?: string };

const namedMax = 3;
const notEnough = 'those less important pods of it that may go are not enough';
const noNode = 'it would fit on no node if less important pods of it went';

export function planRoom(snapshot: Snapshot, room: RoomInQueue, policy: Policy): RoomFound {
  const forLimit = room.victims([]);
  if (forLimit === undefined) return { steps: undefined, why: notEnough };
  // Others are going already, and that is enough.
  if (forLimit.length === 0) return { steps: undefined };
  let best = found(room, forLimit, tryWithout(snapshot, room, forLimit, policy));
  if (best !== undefined && best.victims.length > forLimit.length)
    best = fewer(best, onNode(snapshot, room, policy));
  best ??= onNode(snapshot, room, policy);
  return best === undefined ? { steps: undefined, why: noNode } : carryOut(snapshot, room, best);
}

interface Found {
  readonly victims: readonly Victim[];
  /** Nodes by pod. */
  readonly nodes: ReadonlyMap<string, string>;
}

const fewer = (a: Found, b: Found | undefined): Found =>
  b !== undefined && b.victims.length < a.victims.length ? b : a;

/** First those that are in the way on a node, which may be enough for the limit. */
function onNode(snapshot: Snapshot, room: RoomInQueue, policy: Policy): Found | undefined {
  const steps = tryWithout(snapshot, room, [], policy);
  const gone = victimsOf(steps);
  const more = gone === undefined ? undefined : room.victims(gone);
  return more === undefined ? undefined : found(room, more, steps);
}

/** Who goes for nodes; undefined: a budget would rather keep one. */
function victimsOf(steps: readonly Planned[]): readonly Victim[] | undefined {
  const victims: Victim[] = [];
  for (const { step } of steps) {
    if (step.kind === 'bind' || step.preemption?.kind !== 'chosen') continue;
    if (step.preemption.violations > 0) return undefined;
    victims.push(...step.preemption.victims);
  }
  return victims;
}

function found(room: RoomInQueue, others: readonly Victim[], steps: readonly Planned[]): Found | undefined {
  const nodes = new Map<string, string>();
  for (const { step, nodeName } of steps) if (nodeName !== undefined) nodes.set(step.podKey, nodeName);
  const own = victimsOf(steps);
  if (own === undefined || nodes.size < room.pods.length) return undefined;
  const victims = [...new Map([...others, ...own].map((one) => [one.key, one])).values()];
  return room.mayGo(victims) ? { victims, nodes } : undefined;
}

interface Planned {
  readonly step: Step;
  /** Where it would be, at once or when others have gone. */
  readonly nodeName: string | undefined;
}

/** What the plan would be without these pods. Everything is as before then. */
function tryWithout(
  snapshot: Snapshot,
  { pods }: RoomInQueue,
  victims: readonly Victim[],
  policy: Policy,
): readonly Planned[] {
  const nominations = new Map(snapshot.nominations);
  const going = new Map(snapshot.going);
  const gone: (Victim & { readonly nodeName: string })[] = [];
  for (const victim of victims) {
    const row = snapshot.placed(victim.key)?.row;
    const nodeName = row === undefined ? undefined : snapshot.facts(row)?.name;
    if (nodeName === undefined) continue;
    snapshot.removePod(victim.key);
    gone.push({ ...victim, nodeName });
  }
  const planned = plan(snapshot, pods, policy).map((step): Planned => {
    const nominated = snapshot.nominations.get(step.podKey)?.nodeName;
    return { step, nodeName: step.kind === 'bind' ? step.nodeName : nominated };
  });
  for (const { step } of planned) if (step.kind === 'bind') takeBack(snapshot, step.podKey);
  snapshot.nominations.clear();
  for (const [key, nomination] of nominations) snapshot.nominations.set(key, nomination);
  snapshot.going.clear();
  for (const [key, uid] of going) snapshot.going.set(key, uid);
  for (const { key, pod, nodeName } of gone) snapshot.addPod(key, pod, nodeName);
  return planned;
}

function carryOut(snapshot: Snapshot, room: RoomInQueue, { victims, nodes }: Found): RoomFound {
  const { message, because } = room;
  const note = `${message}; ${goingText(victims)}`;
  for (const { key, pod } of victims) snapshot.going.set(key, pod.metadata.uid);
  const steps = room.pods.map(({ key, pod }, index) => {
    const nodeName = nodes.get(key) ?? '';
    snapshot.nominations.set(key, { pod, nodeName });
    const step = { kind: 'wait', podKey: key, nodes: snapshot.nodeCount, refused: new Map(), note } as const;
    const preemption = {
      kind: 'chosen',
      nodeName,
      victims,
      violations: 0,
      displaced: [],
      candidates: 1,
      because,
    } as const;
    return index === 0 ? { ...step, preemption } : step;
  });
  return { steps, message: note };
}

function goingText(victims: readonly Victim[]): string {
  const names = victims.slice(0, namedMax).map(({ key }) => key);
  const more = victims.length - names.length;
  const list = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return victims.length === 1 ? `less important ${list} goes for it` : `less important ${list} go for it`;
}
