/** What runs where is right, in the eyes of the allocation verifier, which knows nothing of the scheduler's code. */
import type { Namespace, Node, PersistentVolumeClaim, Pod } from '../../../api/index.ts';
import { type Finding, verifyPlacement, verifyResourceAllocation } from '../../../verify/index.ts';
import type { Checked, Property } from '../../property.ts';
import { sinceMs } from '../facts.ts';

/** What may never be, whatever has changed since; others are asked of each placement. */
const lasting = /^(capacity\/(resources|pods|host-ports|devices|volume-exclusive)|isolation\/gates)$/;
/** What the pod and its node say alone. */
const ofNode = /^isolation\/(node-selector|node-affinity|taints|cordon|namespace-nodes)$/;
const everyMs = 5000;

export const allocationVerified: Property = {
  name: 'scheduler/allocation-verified',
  source: 'mission X2 (verifyResourceAllocation); Kubernetes: requests, host ports, selectors, taints',
  statement:
    'The allocation verifier finds no violation at any moment: a pod is placed only on nodes that it asks for and that have room, at a moment of which the scheduler may still be thinking; no node, port, device or volume is given away twice.',
  check(world, broken) {
    const { truth } = world;
    const allocation = (pods: Iterable<Pod>) => ({
      nodes: [...truth.objects<Node>('nodes').values()],
      pods: [...pods],
      namespaces: [...truth.objects<Namespace>('namespaces').values()],
      claims: [...truth.objects<PersistentVolumeClaim>('persistentvolumeclaims').values()],
    });
    let lookedMs = world.nowMs();
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods') return;
        const pod = object as Pod;
        const { nodeName = '' } = pod.spec ?? {};
        if (nodeName === '' || (previous as Pod | undefined)?.spec?.nodeName === nodeName) return;
        // Neighbours are asked by `scheduler/rules-kept`, which knows what may not have been heard of them.
        const here = [...truth.objects<Pod>('pods').values()].filter(
          (one) => one.spec?.nodeName === nodeName,
        );
        const around = allocation(here);
        for (const finding of verifyPlacement(around, pod)) {
          if (lasting.test(finding.rule)) broken(`${name}: ${finding.message}`);
          else if (ofNode.test(finding.rule) && !wasRight(world, pod, nodeName, finding))
            broken(`${name}: ${finding.message}`);
        }
      },
      onSecond() {
        if (world.nowMs() - lookedMs < everyMs) return;
        lookedMs = world.nowMs();
        const { findings } = verifyResourceAllocation(allocation(truth.objects<Pod>('pods').values()));
        for (const { rule, severity, message } of findings)
          if (severity === 'violation' && lasting.test(rule)) broken(message);
      },
    };
  },
};

/** Whether the node was otherwise at a moment of which the scheduler may still be thinking. */
function wasRight(world: Checked, pod: Pod, nodeName: string, { rule }: Finding): boolean {
  return world.truth.heldSince(
    'nodes',
    nodeName,
    sinceMs(world),
    (node) =>
      node !== undefined &&
      verifyPlacement({ nodes: [node as Node], pods: [pod] }, pod).every((one) => one.rule !== rule),
  );
}
