/** Who can be placed is placed. */
import type { Node, Pod } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { requestOf } from '../facts.ts';
import { pinnedTo } from '../storage/volumes.ts';
import { hasDevices } from './devices.ts';
import { hasGpus } from './gpus.ts';
import { fitting, freeOn, isPlainWait, type Room } from './room.ts';
import { foesOn, refusal } from './rules-kept.ts';

/** Without what is kept for others who wait for theirs to come together or to go, and who are no less important. */
export function withoutKept({ truth }: Checked, room: Room, nodeName: string, pod: Pod): Room {
  const priority = (one: Pod): number => one.spec?.priority ?? 0;
  const kept = [...truth.objects<Pod>('pods').values()].filter(
    (one) =>
      one !== pod &&
      !one.spec?.nodeName &&
      one.status?.nominatedNodeName === nodeName &&
      priority(one) >= priority(pod),
  );
  const sum = (of: 'cpu' | 'memory'): number => kept.reduce((all, one) => all + requestOf(one, of), 0);
  return { cpu: room.cpu - sum('cpu'), memory: room.memory - sum('memory'), pods: room.pods - kept.length };
}

export const noneLeftWaiting: Property = {
  name: 'scheduler/none-left-waiting',
  source: 'Kubernetes: scheduling; mission S1 (progress), R2 (no starvation)',
  statement:
    'When faults and users have stopped, no pod soon waits for a node while there is one that it fits on.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        for (const [name, pod] of truth.objects<Pod>('pods')) {
          if (!isPlainWait(world, pod)) continue;
          const pinned = pinnedTo(world, pod);
          for (const [nodeName, node] of truth.objects<Node>('nodes')) {
            if (pinned !== undefined && pinned !== nodeName) continue;
            if (pod.spec?.resourceClaims !== undefined && !hasDevices(world, pod, nodeName)) continue;
            if (refusal(pod, node) !== undefined || foesOn(world, nodeName, pod).length > 0) continue;
            if (
              hasGpus(world, pod, node) &&
              fitting(withoutKept(world, freeOn(world, node), nodeName, pod), pod) > 0
            )
              return `${name} waits, and would fit on ${nodeName}`;
          }
        }
        return undefined;
      },
    };
  },
};
