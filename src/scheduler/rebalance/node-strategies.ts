/** What is wrong between a pod and its node alone: nodes that shall go, taints, node affinity, age and restarts. Pure. */
import { type RebalanceStrategy, selectsNode, tolerates } from '../../api/index.ts';
import { perPod, type Strategy } from './strategy.ts';
import { isBoundToNode, type Placed, type Trial } from './trial.ts';

const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Nodes that are named; without names those that are cordoned. */
export function drain({ nodeNames = [] }: RebalanceStrategy): Strategy {
  const named = new Set(nodeNames);
  const why = (trial: Trial, name: string): string | undefined => {
    if (named.size > 0) return named.has(name) ? `node ${name} shall go` : undefined;
    return trial.nodes.get(name)?.spec?.unschedulable === true ? `node ${name} is cordoned` : undefined;
  };
  // Who bears cordons may come back at once.
  const isMeant = ({ pod }: Placed): boolean =>
    !isBoundToNode(pod) && !tolerates(pod.spec?.tolerations ?? [], cordon);
  return perPod('Drain', (trial, one) => (isMeant(one) ? why(trial, one.node) : undefined), {
    *cordons(trial) {
      for (const name of named) if (trial.nodes.get(name)?.spec?.unschedulable !== true) yield name;
    },
  });
}

export function nodeTaints(): Strategy {
  return perPod('NodeTaints', (trial, { pod, node }) => {
    if (isBoundToNode(pod)) return undefined;
    const taint = (trial.nodes.get(node)?.spec?.taints ?? []).find(
      (one) => one.effect !== 'PreferNoSchedule' && !tolerates(pod.spec?.tolerations ?? [], one),
    );
    return taint === undefined
      ? undefined
      : `node ${node} has the taint ${taint.key}:${taint.effect}, which it does not tolerate`;
  });
}

export function nodeAffinity(): Strategy {
  return perPod('NodeAffinity', (trial, { pod, node }) => {
    const labels = trial.nodes.get(node)?.metadata.labels ?? {};
    for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {}))
      if (labels[key] !== value) return `node ${node} has not ${key}=${value} any more`;
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    return required === undefined || selectsNode(required, { labels, fields: { 'metadata.name': node } })
      ? undefined
      : `node ${node} is not what its node affinity requires any more`;
  });
}

export function restarts({ maxRestarts = 100 }: RebalanceStrategy): Strategy {
  const wrong = (_board: Trial, { pod }: Placed): string | undefined => {
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    const count = statuses.reduce((sum, one) => sum + one.restartCount, 0);
    return count >= maxRestarts ? `its containers have been restarted ${count} times` : undefined;
  };
  return perPod('Restarts', wrong, { isRenewal: true });
}

export function lifetime(maxMs: number): Strategy {
  const wrong = ({ nowMs }: Trial, { pod }: Placed): string | undefined => {
    const bornMs = Date.parse(pod.metadata.creationTimestamp ?? '');
    const hours = Math.round((nowMs - bornMs) / 360_000) / 10;
    return nowMs - bornMs > maxMs ? `it is ${hours} h old` : undefined;
  };
  return perPod('Lifetime', wrong, { isRenewal: true });
}
