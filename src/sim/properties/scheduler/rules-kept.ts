/** A pod is placed only where it may be. */
import type { KubeObject, Node, Pod } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isTerminal, sinceMs, tolerates } from '../facts.ts';

/** Why this pod may not be on this node, by taints, cordon and its node selector alone. */
export function refusal(pod: Pod, node: Node): string | undefined {
  for (const [label, value] of Object.entries(pod.spec?.nodeSelector ?? {}))
    if (node.metadata.labels?.[label] !== value) return `it has no label ${label}=${value}`;
  const tolerations = pod.spec?.tolerations ?? [];
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  if (node.spec?.unschedulable === true && !tolerates(tolerations, cordon)) return 'it is cordoned';
  const taint = node.spec?.taints?.find(
    (one) => one.effect !== 'PreferNoSchedule' && !tolerates(tolerations, one),
  );
  return taint === undefined ? undefined : `it has the taint ${taint.key}:${taint.effect}`;
}

/** Labels that a pod will not share a node with. */
export function repelledBy(pod: Pod): readonly Readonly<Record<string, string>>[] {
  const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms
    .filter(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname')
    .map(({ labelSelector }) => (labelSelector?.matchLabels ?? {}) as Readonly<Record<string, string>>);
}

const matches = (labels: Readonly<Record<string, string>>, pod: Pod): boolean =>
  Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);

/** Pods on the node that this one will not be with, or that will not be with it. */
export function foesOn(world: Checked, nodeName: string, pod: Pod): readonly Pod[] {
  const own = repelledBy(pod);
  return [...world.truth.objects<Pod>('pods').values()].filter(
    (other) =>
      other.metadata.uid !== pod.metadata.uid &&
      other.metadata.namespace === pod.metadata.namespace &&
      other.spec?.nodeName === nodeName &&
      !isTerminal(other) &&
      (own.some((labels) => matches(labels, other)) ||
        repelledBy(other).some((labels) => matches(labels, pod))),
  );
}

export const rulesKept: Property = {
  name: 'scheduler/rules-kept',
  source: 'Kubernetes: taints, cordon, required anti-affinity; mission S1',
  statement:
    'When a pod is bound, its node bore no taint that it does not tolerate, was not cordoned, and held no pod that it may not be with, at a moment of which the scheduler may still be thinking.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods') return;
        const pod = object as Pod;
        const { nodeName } = pod.spec ?? {};
        if (!nodeName || (previous as Pod | undefined)?.spec?.nodeName === nodeName) return;
        const isFit = (node: KubeObject | undefined): boolean =>
          node !== undefined && refusal(pod, node as Node) === undefined;
        if (!world.truth.heldSince('nodes', nodeName, sinceMs(world), isFit)) {
          const node = world.truth.objects<Node>('nodes').get(nodeName);
          broken(
            `${name} was bound to ${nodeName}, though ${node === undefined ? 'it is not there' : refusal(pod, node)}`,
          );
        }
        // Whoever was relabelled of late may have been somebody else when it was decided.
        const foes = foesOn(world, nodeName, pod).filter(
          (foe) =>
            !world.truth.heldSince(
              'pods',
              `${foe.metadata.namespace}/${foe.metadata.name}`,
              sinceMs(world),
              (was) =>
                was !== undefined &&
                JSON.stringify(was.metadata.labels) !== JSON.stringify(foe.metadata.labels),
            ),
        );
        const [foe] = foes;
        if (foe !== undefined)
          broken(`${name} was bound to ${nodeName}, where ${foe.metadata.name} is: they may not be together`);
      },
    };
  },
};
