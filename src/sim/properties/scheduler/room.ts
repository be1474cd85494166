/** What is free on a node, and what else than room a pod may wait for: of reservations, gangs, GPUs, queues and profiles. In the plainest words. */
import type { Node, Pod, Queue, Reservation, SchedulingProfile } from '../../../api/index.ts';
import type { Checked } from '../../property.ts';
import { isGoing, isTerminal, milli, requestOf } from '../facts.ts';

export const prefix = 'scheduling.caelum.dev/';
export const reservationsOf = ({ truth }: Checked): ReadonlyMap<string, Reservation> =>
  truth.objects<Reservation>('reservations.scheduling.caelum.dev');

export interface Room {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
}

export const podsOn = ({ truth }: Checked, nodeName: string): readonly Pod[] =>
  [...truth.objects<Pod>('pods').values()].filter(
    (pod) => pod.spec?.nodeName === nodeName && !isTerminal(pod),
  );

/** Of which reservation it has a place, by its uid. */
export const placeOf = ({ metadata }: Pod): string | undefined => metadata.annotations?.[`${prefix}held-by`];

/** What a reservation holds there and nobody uses; with the places that are used, what their pods leave of them. */
export function heldBy(
  { metadata, spec, status }: Reservation,
  nodeName: string,
  here: readonly Pod[],
): Room {
  const users = here.filter((pod) => placeOf(pod) === metadata.uid);
  const count = (status?.places ?? [])
    .filter(({ node }) => node === nodeName)
    .reduce((sum, place) => sum + place.count, 0);
  const free = Math.max(0, count - users.length);
  const left = (of: 'cpu' | 'memory'): number => {
    const place = milli(spec.template.requests[of]);
    return free * place + users.reduce((sum, pod) => sum + Math.max(0, place - requestOf(pod, of)), 0);
  };
  return count === 0 ? nothing : { cpu: left('cpu'), memory: left('memory'), pods: free };
}

const nothing: Room = { cpu: 0, memory: 0, pods: 0 };

/** What all of them hold, as their status says. */
export function heldOn(world: Checked, nodeName: string): Room {
  const here = podsOn(world, nodeName);
  let sum = nothing;
  for (const reservation of reservationsOf(world).values()) {
    const { cpu, memory, pods } = heldBy(reservation, nodeName, here);
    sum = { cpu: sum.cpu + cpu, memory: sum.memory + memory, pods: sum.pods + pods };
  }
  return sum;
}

/** What pods and reservations leave of a node. */
export function freeOn(world: Checked, node: Node): Room {
  const name = node.metadata.name ?? '';
  const here = podsOn(world, name);
  const held = heldOn(world, name);
  const has = node.status?.allocatable ?? {};
  const sum = (of: 'cpu' | 'memory'): number => here.reduce((all, pod) => all + requestOf(pod, of), 0);
  return {
    cpu: milli(has['cpu']) - sum('cpu') - held.cpu,
    memory: milli(has['memory']) - sum('memory') - held.memory,
    pods: Number(has['pods'] ?? 0) - here.length - held.pods,
  };
}

/** How many such pods fit into it. */
export const fitting = ({ cpu, memory, pods }: Room, pod: Pod): number =>
  Math.max(
    0,
    Math.min(
      Math.floor(cpu / Math.max(1, requestOf(pod, 'cpu'))),
      Math.floor(memory / Math.max(1, requestOf(pod, 'memory'))),
      pods,
    ),
  );

/** The group that it says it is in. */
export function gangKeyOf({ metadata, spec }: Pod): string | undefined {
  const name = spec?.schedulingGroup?.podGroupName ?? metadata.labels?.[`${prefix}pod-group`];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}

export const reservationOf = ({ metadata }: Pod): string | undefined =>
  metadata.annotations?.[`${prefix}reservation`];

/** Whether somebody answers to the name of the scheduler that it wants. */
export function isAnswered({ truth }: Checked, { spec }: Pod): boolean {
  const { schedulerName = 'default-scheduler' } = spec ?? {};
  if (schedulerName === 'default-scheduler') return true;
  return [...truth.objects<SchedulingProfile>('schedulingprofiles.scheduling.caelum.dev').values()].some(
    (profile) => profile.spec?.schedulerName === schedulerName,
  );
}

/** In these worlds a queue takes one namespace. */
export function queueOf(queues: ReadonlyMap<string, Queue>, pod: Pod): Queue | undefined {
  for (const queue of queues.values())
    if (queue.spec?.namespaces?.includes(pod.metadata.namespace ?? '') === true) return queue;
  return undefined;
}

export const queuesOf = ({ truth }: Checked): ReadonlyMap<string, Queue> =>
  truth.objects<Queue>('queues.scheduling.caelum.dev');

/** The cpu that a queue has now. */
export const usedBy = ({ truth }: Checked, queues: ReadonlyMap<string, Queue>, queue: Queue): number =>
  [...truth.objects<Pod>('pods').values()]
    .filter((pod) => pod.spec?.nodeName && !isTerminal(pod) && queueOf(queues, pod) === queue)
    .reduce((sum, pod) => sum + requestOf(pod, 'cpu'), 0);

/** What a queue may have; undefined: as much as there is. */
export function limitOf({ spec }: Queue): number | undefined {
  const max = spec?.max?.['cpu'] === undefined ? undefined : milli(spec.max['cpu']);
  const min = spec?.min?.['cpu'] === undefined ? undefined : milli(spec.min['cpu']);
  const own = spec?.mayBorrow === false ? min : undefined;
  return max === undefined ? own : own === undefined ? max : Math.min(max, own);
}

export function isWithinQueue(world: Checked, pod: Pod): boolean {
  const queues = queuesOf(world);
  const queue = queueOf(queues, pod);
  const most = queue === undefined ? undefined : limitOf(queue);
  return most === undefined || usedBy(world, queues, queue as Queue) + requestOf(pod, 'cpu') <= most;
}

/** It waits by itself for a node, and for nothing but room: not for its gang, a reservation, its queue's limit, or somebody who answers to its scheduler's name. */
export const isPlainWait = (world: Checked, pod: Pod): boolean =>
  !pod.spec?.nodeName &&
  !isGoing(pod) &&
  !isTerminal(pod) &&
  (pod.spec?.schedulingGates?.length ?? 0) === 0 &&
  gangKeyOf(pod) === undefined &&
  reservationOf(pod) === undefined &&
  isAnswered(world, pod) &&
  isWithinQueue(world, pod);
