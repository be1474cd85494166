/** Tenants have what they are guaranteed. */
import type { Node, Pod, Queue } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isGoing, isTerminal, milli, requestOf, sinceMs } from '../facts.ts';
import { gangKeyOf, isWithinQueue, limitOf, queueOf, queuesOf, usedBy } from './room.ts';
import { refusal } from './rules-kept.ts';

const cpuOf = (pods: Iterable<Pod>): number => [...pods].reduce((sum, pod) => sum + requestOf(pod, 'cpu'), 0);
const guaranteed = (queue: Queue | undefined): number | undefined =>
  queue?.spec?.min?.['cpu'] === undefined ? undefined : milli(queue.spec.min['cpu']);

export const guaranteesKept: Property = {
  name: 'scheduler/guarantees-kept',
  source: 'mission: fairness (guarantees, borrowing, reclaiming)',
  statement:
    'When faults and users have stopped, no pod that is within what its queue is guaranteed soon waits while a pod of a queue that has enough without it is where it would fit.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        const queues = truth.objects<Queue>('queues.scheduling.caelum.dev');
        if (queues.size === 0) return undefined;
        const placed = [...truth.objects<Pod>('pods').values()].filter(
          (pod) => pod.spec?.nodeName && !isTerminal(pod),
        );
        const used = (queue: Queue): number => cpuOf(placed.filter((pod) => queueOf(queues, pod) === queue));
        for (const [name, pod] of truth.objects<Pod>('pods')) {
          const queue = queueOf(queues, pod);
          const least = guaranteed(queue);
          if (
            pod.spec?.nodeName ||
            isGoing(pod) ||
            isTerminal(pod) ||
            queue === undefined ||
            least === undefined ||
            gangKeyOf(pod) !== undefined ||
            !isWithinQueue(world, pod)
          )
            continue;
          if (used(queue) + requestOf(pod, 'cpu') > least) continue;
          for (const [nodeName, node] of truth.objects<Node>('nodes')) {
            if (refusal(pod, node) !== undefined) continue;
            const here = placed.filter((one) => one.spec?.nodeName === nodeName);
            const free = milli(node.status?.allocatable?.['cpu']) - cpuOf(here) - requestOf(pod, 'cpu');
            for (const other of here) {
              const theirs = queueOf(queues, other);
              const its = requestOf(other, 'cpu');
              if (theirs === undefined || theirs === queue || free + its < 0) continue;
              if (used(theirs) - its >= (guaranteed(theirs) ?? 0))
                return `${name} waits within what ${queue.metadata.name} is guaranteed, and ${other.metadata.name} of ${theirs.metadata.name} is on ${nodeName} beyond that`;
            }
          }
        }
        return undefined;
      },
    };
  },
};

/** It had to go for what another queue is guaranteed. */
export const isReclaimed = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(
    ({ type, status, message }) =>
      type === 'DisruptionTarget' && status === 'True' && message?.includes('reclaiming what queue') === true,
  ) === true;

export const reclaimedForSomebody: Property = {
  name: 'scheduler/reclaimed-for-somebody',
  source: 'mission: fairness (reclaiming)',
  statement:
    'A pod of one queue is put out for another only while, as far as the scheduler may know, a pod of a queue that is guaranteed something waits.',
  check(world, broken) {
    let waitedMs = Number.NEGATIVE_INFINITY;
    const note = (pod: Pod | undefined): void => {
      if (pod === undefined || pod.spec?.nodeName || isTerminal(pod)) return;
      const queue = queueOf(world.truth.objects<Queue>('queues.scheduling.caelum.dev'), pod);
      if ((guaranteed(queue) ?? 0) > 0) waitedMs = world.nowMs();
    };
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (resource !== 'pods') return;
        note(previous as Pod | undefined);
        if (kind === 'delete') return;
        note(object as Pod);
        if (!isReclaimed(object as Pod) || isReclaimed(previous as Pod | undefined)) return;
        for (const one of world.truth.objects<Pod>('pods').values()) note(one);
        if (waitedMs < sinceMs(world))
          broken(`${name} was put out, and nobody who is guaranteed something waits`);
      },
    };
  },
};

export const queuesWithinMax: Property = {
  name: 'scheduler/queues-within-max',
  source: 'mission: fairness (quotas)',
  statement:
    'When a pod of a queue gets a node, the queue has no more with it than it may have, or might have at a moment of which the scheduler may still be thinking.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (resource !== 'pods' || kind === 'delete') return;
        const pod = object as Pod;
        if (!pod.spec?.nodeName || (previous as Pod | undefined)?.spec?.nodeName) return;
        const queues = queuesOf(world);
        const queue = queueOf(queues, pod);
        if (queue === undefined || limitOf(queue) === undefined) return;
        const used = usedBy(world, queues, queue);
        const key = queue.metadata.name ?? '';
        const allowed = world.truth.heldSince(
          'queues.scheduling.caelum.dev',
          key,
          sinceMs(world),
          (one) => one === undefined || used <= (limitOf(one as Queue) ?? Number.POSITIVE_INFINITY),
        );
        if (!allowed)
          broken(
            `${name} got a node, and queue ${key} has ${used / 1000} of at most ${(limitOf(queue) ?? 0) / 1000} cpu with it`,
          );
      },
    };
  },
};
