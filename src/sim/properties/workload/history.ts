/** The past is kept, but not all of it. */
import type { Deployment, Pod, ReplicaSet } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { controlledBy, isActive, isGoing } from '../facts.ts';

export const historyShort: Property = {
  name: 'workload/history-short',
  source: 'Kubernetes: Deployment, revisionHistoryLimit',
  statement:
    'When faults and users have stopped, a Deployment whose rollout is complete soon has at most revisionHistoryLimit old ReplicaSets.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, deployment] of truth.objects<Deployment>('deployments.apps')) {
          const limit = deployment.spec?.revisionHistoryLimit ?? 10;
          const sets = [...controlledBy(deployment, truth.objects<ReplicaSet>('replicasets.apps').values())];
          if (isGoing(deployment) || deployment.spec?.paused === true || sets.length <= limit + 1) continue;
          const waits = sets.some((set) =>
            [...controlledBy(set, truth.objects<Pod>('pods').values())].some(
              (pod) => isActive(pod) && !pod.spec?.nodeName,
            ),
          );
          if (!waits) return `${name} has ${sets.length} ReplicaSets, of which ${limit} may be old ones`;
        }
        return undefined;
      },
    };
  },
};
