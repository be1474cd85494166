/** No node is promised more than it has. */
import type { Node, Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isTerminal, milli, requestOf } from '../facts.ts';

export const noOvercommit: Property = {
  name: 'scheduler/no-overcommit',
  source: 'Kubernetes: resource requests; mission S1 (safe placement)',
  statement:
    'When a pod is bound, the requests of all pods on its node that have not ended are within what the node can give.',
  check({ truth }, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods') return;
        const { nodeName } = (object as Pod).spec ?? {};
        if (!nodeName || (previous as Pod | undefined)?.spec?.nodeName === nodeName) return;
        const node = truth.objects<Node>('nodes').get(nodeName);
        if (node === undefined) return;
        const here = [...truth.objects<Pod>('pods').values()].filter(
          (pod) => pod.spec?.nodeName === nodeName && !isTerminal(pod),
        );
        for (const kind of ['cpu', 'memory'] as const) {
          const asked = here.reduce((sum, pod) => sum + requestOf(pod, kind), 0);
          const has = milli(node.status?.allocatable?.[kind]);
          if (asked > has + 1e-6)
            broken(
              `${name} was bound to ${nodeName}, whose pods now ask for ${asked / 1000} of ${kind}; it has ${has / 1000}`,
            );
        }
        const most = Number(node.status?.allocatable?.['pods'] ?? 0);
        if (here.length > most)
          broken(
            `${name} was bound to ${nodeName}, which now has ${here.length} pods; at most ${most} are allowed`,
          );
      },
    };
  },
};
