/** Who is more important is placed first, and nobody else has to go for it. */
import type { Node, Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isTerminal, isVictim, milli, requestOf, sinceMs } from '../facts.ts';
import { pinnedTo } from '../storage/volumes.ts';
import { hasGpus } from './gpus.ts';
import { withoutKept } from './none-left-waiting.ts';
import { heldOn, isPlainWait, placeOf, podsOn } from './room.ts';
import { foesOn, refusal } from './rules-kept.ts';
import { isReclaimed } from './tenants.ts';

const priority = ({ spec }: Pod): number => spec?.priority ?? 0;
const isGated = ({ spec }: Pod): boolean => (spec?.schedulingGates?.length ?? 0) > 0;

export const importantFirst: Property = {
  name: 'scheduler/important-first',
  source: 'Kubernetes: pod priority and preemption; mission S1, R2',
  statement:
    'When faults and users have stopped, no pod that may preempt soon waits for a node on which it would fit if the pods of less priority were not there.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        for (const [name, pod] of truth.objects<Pod>('pods')) {
          if (!isPlainWait(world, pod)) continue;
          if (pod.spec?.preemptionPolicy === 'Never' || pod.spec?.resourceClaims !== undefined) continue;
          const pinned = pinnedTo(world, pod);
          for (const [nodeName, node] of truth.objects<Node>('nodes')) {
            if (pinned !== undefined && pinned !== nodeName) continue;
            if (refusal(pod, node) !== undefined) continue;
            if (foesOn(world, nodeName, pod).some((foe) => priority(foe) >= priority(pod))) continue;
            const here = podsOn(world, nodeName);
            const held = heldOn(world, nodeName);
            const kept = withoutKept(world, { cpu: 0, memory: 0, pods: 0 }, nodeName, pod);
            // Who has a place of a reservation stays.
            const staying = here.filter(
              (one) => priority(one) >= priority(pod) || placeOf(one) !== undefined,
            );
            // Without anybody in its way it is another property's affair.
            if (staying.length === here.length) continue;
            const hasRoom = (['cpu', 'memory'] as const).every(
              (of) =>
                staying.reduce(
                  (sum, one) => sum + requestOf(one, of),
                  requestOf(pod, of) + held[of] - kept[of],
                ) <= milli(node.status?.allocatable?.[of]),
            );
            if (
              hasRoom &&
              hasGpus(world, pod, node) &&
              staying.length < Number(node.status?.allocatable?.['pods'] ?? 0)
            )
              return `${name} (priority ${priority(pod)}) waits, and would fit on ${nodeName} in place of less important pods`;
          }
        }
        return undefined;
      },
    };
  },
};

export const victimsLower: Property = {
  name: 'scheduler/victims-lower',
  source: 'Kubernetes: pod priority and preemption; mission S1',
  statement:
    'A pod is preempted only while, as far as the scheduler may know, a pod of higher priority waits that may preempt others.',
  check(world, broken) {
    /** When a pod was last seen to wait that may preempt, by priority. */
    const waitedMs = new Map<number, number>();
    const note = (pod: Pod | undefined): void => {
      if (pod === undefined || pod.spec?.nodeName || isTerminal(pod)) return;
      if (pod.spec?.preemptionPolicy !== 'Never') waitedMs.set(priority(pod), world.nowMs());
    };
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (resource !== 'pods') return;
        note(previous as Pod | undefined);
        if (kind === 'delete') return;
        note(object as Pod);
        if (!isVictim(object as Pod) || isVictim(previous as Pod | undefined)) return;
        // Whose place it was by what his queue is guaranteed is another property's affair.
        if (isReclaimed(object as Pod)) return;
        for (const one of world.truth.objects<Pod>('pods').values()) note(one);
        const own = priority(object as Pod);
        const since = sinceMs(world);
        if (![...waitedMs].some(([of, atMs]) => of > own && atMs >= since))
          broken(`${name} (priority ${own}) was preempted, and no pod of higher priority waits`);
      },
    };
  },
};

export const gatesKept: Property = {
  name: 'scheduler/gates-kept',
  source: 'Kubernetes: pod scheduling readiness',
  statement: 'A pod that has scheduling gates is given no node.',
  check(_world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods' || previous === undefined) return;
        const before = previous as Pod;
        if (isGated(before) && !before.spec?.nodeName && (object as Pod).spec?.nodeName)
          broken(`${name} was bound though it has gates`);
      },
    };
  },
};
