/** Reservations: what is held is given to nobody else, and in the end what can be held is. */
import type { KubeObject, Node, Pod, Reservation } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isGoing, isTerminal, milli, requestOf, sinceMs } from '../facts.ts';
import {
  fitting,
  freeOn,
  heldBy,
  isAnswered,
  placeOf,
  podsOn,
  reservationOf,
  reservationsOf,
} from './room.ts';
import { refusal } from './rules-kept.ts';

const resource = 'reservations.scheduling.caelum.dev';

const epochMs = Date.UTC(2026, 0, 1);
/** How late a scheduler may hear of it, write it, and be wrong by its clock where that was not set. */
const lateMs = 60_000;

/** Its end is not near, and it is to hold no less than it says that it does. */
function isFirm({ plan, nowMs }: Checked, { spec, status }: Reservation): boolean {
  if ((status?.allocated ?? 0) > spec.count) return false;
  const end = status?.expireTime;
  if (end === undefined) return spec.ttl === undefined;
  return (
    epochMs + nowMs() + 5000 < Date.parse(end) && !plan.faults.some(({ kind }) => kind.startsWith('clock'))
  );
}

export const heldRoomKept: Property = {
  name: 'scheduler/held-room-kept',
  source: 'mission S1: reservations (allocate, hold, release)',
  statement:
    'A pod is bound only where the node holds, with it, all its pods and what reservations have said of late, and say, to hold there; and a pod has a place only of a reservation whose places it may use.',
  check(world, broken) {
    const { truth } = world;
    const changedMs = new Map<string, number>();
    /** The least that it has held there since then, for who uses it now. */
    const leastHeld = (
      name: string,
      node: string,
      here: readonly Pod[],
      since: number,
      of: 'cpu' | 'memory',
    ): number => {
      let least = Number.POSITIVE_INFINITY;
      const versions = truth.versions(resource, name);
      for (let at = versions.length - 1; at >= 0; at--) {
        const version = versions[at];
        if (version === undefined) break;
        const { object } = version;
        const holds = object !== undefined && isFirm(world, object as Reservation);
        least = Math.min(least, holds ? heldBy(object as Reservation, node, here)[of] : 0);
        if (version.atMs <= since) return least;
      }
      // Before it was there it held nothing.
      return 0;
    };
    return {
      onEvent({ kind, resource: of, object, previous, name, atMs }) {
        if (of === 'nodes') {
          const told = (node: KubeObject | undefined): string => {
            const { spec, metadata, status } = (node ?? { metadata: {} }) as Node;
            return JSON.stringify([spec, metadata.labels, status?.allocatable]);
          };
          if (kind === 'delete' || told(object) !== told(previous)) changedMs.set(name, atMs);
        }
        if (of !== 'pods' || kind === 'delete') return;
        const { nodeName = '' } = (object as Pod).spec ?? {};
        if (nodeName === '' || (previous as Pod | undefined)?.spec?.nodeName) return;
        const node = truth.objects<Node>('nodes').get(nodeName);
        const since = sinceMs(world);
        // Where it is no good any more nothing is held.
        if (node === undefined || (changedMs.get(nodeName) ?? 0) >= since) return;
        const here = podsOn(world, nodeName);
        for (const what of ['cpu', 'memory'] as const) {
          let held = 0;
          for (const key of reservationsOf(world).keys()) held += leastHeld(key, nodeName, here, since, what);
          const asked = here.reduce((sum, one) => sum + requestOf(one, what), 0);
          const has = milli(node.status?.allocatable?.[what]);
          if (held > 0 && asked + held > has + 1e-6)
            broken(
              `${name} was bound to ${nodeName}, whose pods ask for ${asked / 1000} of ${what}; of its ${has / 1000} reservations hold ${held / 1000}`,
            );
        }
      },
    };
  },
};

const isOver = ({ plan, nowMs }: Checked, end: string | undefined): boolean =>
  end !== undefined &&
  epochMs + nowMs() > Date.parse(end) + lateMs &&
  !plan.faults.some(({ kind }) => kind === 'clockJump');

/** Not deleted, not refused, not over. */
const isLive = ({ metadata, status }: Reservation): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== 'Refused' && status?.phase !== 'Expired';

function lacks(world: Checked, reservation: Reservation): string | undefined {
  const { spec, status, metadata } = reservation;
  const { allocated = 0, places = [] } = status ?? {};
  if (allocated > spec.count && places.some(({ count, pods = [] }) => count > pods.length))
    return `holds ${allocated} places of ${spec.count}`;
  const lack = spec.count - allocated;
  if (lack <= 0) return undefined;
  const requests = spec.template.requests;
  const place = {
    metadata,
    spec: { containers: [{ name: 'place', resources: { requests } }] },
  } as unknown as Pod;
  let room = 0;
  for (const node of world.truth.objects<Node>('nodes').values())
    if (refusal(place, node) === undefined) room += fitting(freeOn(world, node), place);
  // What it once had as a whole it finds again one by one; that is not told, so all are waited for.
  const need = spec.mode === 'Partial' ? 1 : lack;
  return room >= need ? `lacks ${lack} places, and there is room for ${room}` : undefined;
}

export const reservationsReached: Property = {
  name: 'scheduler/reservations-reached',
  source: 'mission S1: reservations; R2 (no starvation)',
  statement:
    'When faults and users have stopped, soon every reservation holds what there is room for, says truly who uses it, and has no pod wait for a place that is free.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        for (const [name, reservation] of reservationsOf(world)) {
          const { metadata, status } = reservation;
          if (status?.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          if (status?.phase === 'Expired') continue;
          if (isOver(world, status?.expireTime)) return `${name} should have ended at ${status?.expireTime}`;
          const users = [...truth.objects<Pod>('pods').values()].filter(
            (pod) => pod.spec?.nodeName && !isTerminal(pod) && placeOf(pod) === metadata.uid,
          );
          if (status?.phase !== 'Refused' && status?.used !== users.length)
            return `${name} says that ${status?.used} of its places are used, ${users.length} are`;
          const why = isLive(reservation) ? lacks(world, reservation) : undefined;
          if (why !== undefined) return `${name} ${why}`;
          const mine = waiters(world, reservation);
          for (const { node: nodeName, count, pods = [] } of status?.places ?? []) {
            const node = truth.objects<Node>('nodes').get(nodeName);
            if (node === undefined || count <= pods.length) continue;
            const free = freeOn(world, node);
            const { requests } = reservation.spec.template;
            for (const pod of mine)
              if (
                refusal(pod, node) === undefined &&
                (['cpu', 'memory'] as const).every(
                  (of) => requestOf(pod, of) <= free[of] + milli(requests[of]),
                )
              )
                return `${pod.metadata.name} waits for a place of ${name}, and one on ${nodeName} is free`;
          }
        }
        return undefined;
      },
    };
  },
};

const waiters = (world: Checked, { metadata }: Reservation): readonly Pod[] =>
  [...world.truth.objects<Pod>('pods').values()].filter(
    (pod) =>
      pod.metadata.namespace === metadata.namespace &&
      reservationOf(pod) === metadata.name &&
      !pod.spec?.nodeName &&
      !isGoing(pod) &&
      !isTerminal(pod) &&
      isAnswered(world, pod),
  );
