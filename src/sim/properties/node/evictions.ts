/** Who does not tolerate a node's taint leaves it; who tolerates it for a time, after that time. */
import type { KubeObject, Node, Pod, Taint } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isActive, tolerates } from '../facts.ts';

const isExecuting = (node: KubeObject | undefined, pod: Pod): boolean =>
  (node as Node | undefined)?.spec?.taints?.some(
    (taint: Taint) => taint.effect === 'NoExecute' && !tolerates(pod.spec?.tolerations ?? [], taint),
  ) === true;

export const evicted: Property = {
  name: 'node/evicted',
  source: 'Kubernetes: taint-based eviction',
  statement:
    'In a calm world a pod is not left on a node whose NoExecute taint it does not tolerate, once all have heard of it.',
  check(world, broken) {
    const { truth } = world;
    return {
      onSecond() {
        const known = world.knownToAllMs();
        if (known <= 0) return;
        for (const [name, pod] of truth.objects<Pod>('pods')) {
          const { nodeName } = pod.spec ?? {};
          if (!nodeName || !isActive(pod)) continue;
          if (!isExecuting(truth.objects<Node>('nodes').get(nodeName), pod)) continue;
          const wasFree =
            truth.heldSince('nodes', nodeName, known, (node) => !isExecuting(node, pod)) ||
            truth.heldSince(
              'pods',
              name,
              known,
              (was) => (was as Pod | undefined)?.spec?.nodeName !== nodeName,
            );
          if (!wasFree) broken(`${name} is left on ${nodeName}, whose taint it does not tolerate`);
        }
      },
    };
  },
};
