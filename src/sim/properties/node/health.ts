/** Nodes that live are known to live. */
import type { Lease, Node } from '../../../api/index.ts';
import type { Property } from '../../property.ts';

const readiness = (node: Node): string =>
  node.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';

export const nodesHealthy: Property = {
  name: 'node/found-again',
  source: 'Kubernetes: node life cycle; mission C3',
  statement:
    'In a calm world no node that renews its lease is called lost; when faults have stopped, soon every node is Ready and bears no taint of the controller.',
  check(world, broken) {
    const { truth } = world;
    const renewedMs = new Map<string, number>();
    return {
      onEvent({ kind, resource, object, previous, name, atMs }) {
        if (
          resource === 'leases.coordination.k8s.io' &&
          kind === 'put' &&
          (object as Lease).metadata.namespace === 'kube-node-lease'
        )
          renewedMs.set(object.metadata.name ?? '', atMs);
        if (resource !== 'nodes' || kind !== 'put' || previous === undefined) return;
        if (readiness(object as Node) === 'True' || readiness(previous as Node) !== 'True') return;
        const calmSinceMs = world.calmSinceMs();
        if (calmSinceMs === undefined || atMs - calmSinceMs < 60_000) return;
        const silentMs = atMs - (renewedMs.get(name) ?? 0);
        if (silentMs < 35_000)
          broken(`${name} was called lost ${Math.round(silentMs / 1000)} s after it renewed its lease`);
      },
      goal() {
        for (const [name, node] of truth.objects<Node>('nodes')) {
          if (readiness(node) !== 'True') return `${name} is not Ready`;
          const taint = node.spec?.taints?.find(
            ({ key }) => key.startsWith('node.kubernetes.io/') && !key.endsWith('/unschedulable'),
          );
          if (taint !== undefined) return `${name} still bears the taint ${taint.key}`;
        }
        return truth.objects('nodes').size === world.plan.nodes.length
          ? undefined
          : 'not every node has registered';
      },
    };
  },
};
