/** What a reservation's status says. Pure. */
import type { Reservation } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { Held } from './hold-book.ts';

/** Why places are not held. */
export interface Refusal {
  readonly reason: 'ConstraintsForbid' | 'InsufficientCapacity';
  readonly message: string;
}

export type Outcome = 'expired' | 'live' | 'refused';

type Status = NonNullable<Reservation['status']>;

export const heldType = 'Held';

/** When it holds no more; undefined: it has no end. */
export function endMsOf(
  { metadata, spec }: Reservation,
  ttlMs: (text: string) => number,
): number | undefined {
  if (spec.expireTime !== undefined) return Date.parse(spec.expireTime);
  if (spec.ttl === undefined) return undefined;
  return Date.parse(metadata.creationTimestamp ?? '') + ttlMs(spec.ttl);
}

export interface Facts {
  readonly held: Held | undefined;
  readonly outcome: Outcome;
  readonly refusal: Refusal | undefined;
  readonly endMs: number | undefined;
  readonly nowMs: number;
}

export function statusOf(reservation: Reservation, facts: Facts): Status {
  const { held, outcome, refusal, endMs, nowMs } = facts;
  const { count } = reservation.spec;
  const places = outcome === 'expired' ? [] : placesOf(held);
  const allocated = places.reduce((sum, place) => sum + place.count, 0);
  const used = places.reduce((sum, place) => sum + place.pods.length, 0);
  const [phase, status, reason, message] = standing(allocated, count, outcome, refusal, endMs);
  const known = reservation.status?.conditions?.find(({ type }) => type === heldType);
  const { generation } = reservation.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    allocated,
    used,
    ...(endMs === undefined ? {} : { expireTime: formatTime(endMs) }),
    places,
    conditions: [
      {
        type: heldType,
        status,
        reason,
        message,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        lastTransitionTime:
          known?.status === status && known.lastTransitionTime !== undefined
            ? known.lastTransitionTime
            : formatTime(nowMs),
      },
    ],
  };
}

function standing(
  allocated: number,
  count: number,
  outcome: Outcome,
  refusal: Refusal | undefined,
  endMs: number | undefined,
): readonly [phase: string, status: string, reason: string, message: string] {
  if (outcome === 'expired')
    return ['Expired', 'False', 'Expired', `it held until ${formatTime(endMs ?? 0)}`];
  if (allocated >= count) return ['Held', 'True', 'Held', `all ${allocated} places are held`];
  const phase = allocated > 0 ? 'Partial' : outcome === 'refused' ? 'Refused' : 'Pending';
  if (refusal === undefined) return [phase, 'False', 'Pending', 'places are being looked for'];
  return [phase, 'False', refusal.reason, refusal.message];
}

function placesOf(held: Held | undefined): { node: string; count: number; pods: string[] }[] {
  const byNode = new Map<string, { node: string; count: number; pods: string[] }>();
  for (const { nodeName, user } of held?.places.values() ?? []) {
    let place = byNode.get(nodeName);
    if (place === undefined) {
      place = { node: nodeName, count: 0, pods: [] };
      byNode.set(nodeName, place);
    }
    place.count++;
    if (user !== undefined) place.pods.push(user.slice(user.indexOf('/') + 1));
  }
  const sorted = [...byNode.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  for (const { pods } of sorted) pods.sort();
  return sorted;
}

/** Of what the plan said of one place. */
export function refusalOf(reasons: Iterable<string>, message: string): Refusal {
  const isRoom = [...reasons].some((one) => one.startsWith('Insufficient') || one === 'Too many pods');
  return { reason: isRoom ? 'InsufficientCapacity' : 'ConstraintsForbid', message };
}
