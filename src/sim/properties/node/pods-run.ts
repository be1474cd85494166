/** Who has a node runs. */
import type { Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isGoing, isReady, isTerminal } from '../facts.ts';

export const podsRun: Property = {
  name: 'node/pods-run',
  source: 'Kubernetes: pod life cycle',
  statement:
    'When faults and users have stopped, soon every pod that has a node runs and is Ready, or has ended; what has ended never runs again.',
  check({ truth }, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (
          kind === 'put' &&
          resource === 'pods' &&
          previous !== undefined &&
          isTerminal(previous as Pod) &&
          !isTerminal(object as Pod)
        )
          broken(
            `${name} had ended (${(previous as Pod).status?.phase}) and is now ${(object as Pod).status?.phase}`,
          );
      },
      goal() {
        for (const [name, pod] of truth.objects<Pod>('pods')) {
          if (!pod.spec?.nodeName || isGoing(pod) || isTerminal(pod)) continue;
          if (pod.status?.phase !== 'Running')
            return `${name} is on ${pod.spec.nodeName} and ${pod.status?.phase ?? 'has no phase'}`;
          if (pod.metadata.annotations?.['hollow.caelum.dev/exit-after-ms'] !== undefined)
            return `${name} has still to end`;
          if (!isReady(pod)) return `${name} runs on ${pod.spec.nodeName} and is not Ready`;
        }
        return undefined;
      },
    };
  },
};
