/**
 * What a StatefulSet does about its pods in one look, rule by rule. Pure; names of pods only, claims and labels are left out.
 *
 * Source: "StatefulSet" (deployment and scaling guarantees, update strategies, pod management policies) and the fields' documentation.
 */

export interface Member {
  readonly ordinal: number;
  readonly state: 'available' | 'unready' | 'ended';
  readonly isOld: boolean;
  readonly isTerminating: boolean;
}

export interface Wish {
  readonly start: number;
  readonly replicas: number;
  readonly isParallel: boolean;
  readonly isOnDelete: boolean;
  readonly partition: number;
  readonly maxUnavailable: number;
}

export interface Deed {
  readonly create: readonly number[];
  readonly delete: readonly number[];
}

const none: Deed = { create: [], delete: [] };
const rising = (numbers: readonly number[]): readonly number[] => [...numbers].sort((a, b) => a - b);
const isUp = ({ state, isTerminating }: Member): boolean => state === 'available' && !isTerminating;

export function deedOf(wish: Wish, members: readonly Member[]): Deed {
  const wanted = Array.from({ length: wish.replicas }, (_, at) => wish.start + at);
  const isWanted = ({ ordinal }: Member): boolean => wanted.includes(ordinal);
  const kept = members.filter(isWanted);
  const surplus = members.filter((member) => !isWanted(member));
  return wish.isParallel ? allAtOnce(wish, wanted, kept, surplus) : oneByOne(wish, wanted, kept, surplus);
}

/** "Before a scaling operation is applied to a Pod, all of its predecessors must be Running and Ready." */
function oneByOne(
  wish: Wish,
  wanted: readonly number[],
  kept: readonly Member[],
  surplus: readonly Member[],
): Deed {
  for (const ordinal of wanted) {
    const member = kept.find((one) => one.ordinal === ordinal);
    if (member === undefined) return { create: [ordinal], delete: [] };
    if (isUp(member)) continue;
    const isOver = member.state === 'ended' && !member.isTerminating;
    return isOver ? { create: [], delete: [ordinal] } : none;
  }
  // "Before a Pod is terminated, all of its successors must be completely shutdown": from the highest, and only one that runs, or the first that does not.
  const highest = surplus.find((one) => surplus.every((other) => other.ordinal <= one.ordinal));
  if (highest !== undefined) {
    const lowestDown = rising(surplus.filter((one) => !isHealthy(one)).map(({ ordinal }) => ordinal))[0];
    const mayGo = isUp(highest) || (!highest.isTerminating && highest.ordinal === lowestDown);
    return mayGo ? { create: [], delete: [highest.ordinal] } : none;
  }
  return { create: [], delete: updated(wish, kept) };
}

/** It runs and is ready, or will go by itself in any case. */
const isHealthy = ({ state, isTerminating }: Member): boolean => state === 'available' && !isTerminating;

function allAtOnce(
  wish: Wish,
  wanted: readonly number[],
  kept: readonly Member[],
  surplus: readonly Member[],
): Deed {
  const create = wanted.filter((ordinal) => kept.every((one) => one.ordinal !== ordinal));
  const ended = kept.filter(({ state, isTerminating }) => state === 'ended' && !isTerminating);
  const over = surplus.filter(({ isTerminating }) => !isTerminating);
  const gone = [...ended, ...over].map(({ ordinal }) => ordinal);
  return { create, delete: rising([...gone, ...updated(wish, kept)]) };
}

/** From the highest ordinal to the partition; those that do not run anyway cost nothing (Parallel), others as much as may be unavailable. */
function updated(wish: Wish, kept: readonly Member[]): readonly number[] {
  if (wish.isOnDelete) return [];
  const old = kept
    .filter(({ ordinal, isOld, isTerminating, state }) => {
      const isOurs = ordinal >= wish.start + wish.partition;
      return isOurs && isOld && !isTerminating && state !== 'ended';
    })
    .sort((a, b) => b.ordinal - a.ordinal);
  const down = old.filter((one) => !isUp(one));
  const up = old.filter(isUp);
  const missing = wish.replicas - kept.filter(isUp).length;
  const chosen = up.slice(0, Math.max(0, wish.maxUnavailable - missing));
  return rising([...(wish.isParallel ? down : []), ...chosen].map(({ ordinal }) => ordinal));
}
