/** DaemonSets: one on each node that it is for. */
import type { DaemonSet, KubeObject, Node, Pod, Taint } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { beside, controlledBy, controllerOf, isActive, isGoing, isReady, sinceMs } from '../facts.ts';

const resource = 'daemonsets.apps';

/** The node that it was made for: bound, or named by its affinity. */
function nodeOf({ spec }: Pod): string {
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return spec?.nodeName || (terms[0]?.matchFields?.[0]?.values?.[0] ?? '');
}

/** What a DaemonSet's pods live with whatever their template says. */
const tolerated =
  /^node\.kubernetes\.io\/(not-ready|unreachable|disk-pressure|memory-pressure|pid-pressure|unschedulable)$/;

const isFor = ({ spec }: Node): boolean =>
  (spec?.taints ?? []).every(
    ({ key, effect }: Taint) => effect === 'PreferNoSchedule' || tolerated.test(key),
  );

export const daemonsOnce: Property = {
  name: 'workload/daemons-once',
  source: 'Kubernetes: DaemonSet, rolling update with and without surge',
  statement:
    'No pod of a DaemonSet is made for a node that has had one all the while; where updates surge, none where it has had two.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource: of, object, previous, name }) {
        if (of !== 'pods' || kind === 'delete' || previous !== undefined) return;
        const owner = controllerOf(object);
        if (owner?.kind !== 'DaemonSet') return;
        const set = truth.objects<DaemonSet>(resource).get(beside(object, owner.name));
        if (set === undefined || set.metadata.uid !== owner.uid) return;
        const surges = Number(set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0) > 0;
        const node = nodeOf(object as Pod);
        const since = sinceMs(world);
        const there = [...controlledBy(set, truth.objects<Pod>('pods').values())].filter((pod) => {
          const other = beside(pod, pod.metadata.name ?? '');
          const wasFree = (one: KubeObject | undefined): boolean =>
            one === undefined || !isActive(one as Pod) || nodeOf(one as Pod) !== node;
          return other !== name && !truth.heldSince('pods', other, since, wasFree);
        });
        if (there.length > (surges ? 1 : 0))
          broken(`${name} was made for ${node}, where ${there[0]?.metadata.name} is`);
      },
    };
  },
};

export const daemonsReached: Property = {
  name: 'workload/daemons-reached',
  source: 'Kubernetes: DaemonSet; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, every DaemonSet soon has one ready pod of its newest template on each node that it is for and none elsewhere, as far as there is room, and says so.',
  check({ truth }) {
    const isKeptOff = (nodeName: string): boolean => {
      const node = truth.objects<Node>('nodes').get(nodeName);
      return (
        node === undefined ||
        (node.spec?.taints ?? []).some(({ key, effect }) => effect === 'NoExecute' && !tolerated.test(key))
      );
    };
    return {
      goal() {
        const nodes = [...truth.objects<Node>('nodes')]
          .filter(([, node]) => isFor(node))
          .map(([name]) => name);
        for (const [name, set] of truth.objects<DaemonSet>(resource)) {
          if (isGoing(set)) return `${name} is still being deleted`;
          const { status, metadata } = set;
          if (status === undefined || status.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          const pods = [...controlledBy(set, truth.objects<Pod>('pods').values())].filter(isActive);
          if (status.desiredNumberScheduled !== nodes.length)
            return `${name}: its status says that it is for ${status.desiredNumberScheduled} nodes, there are ${nodes.length}`;
          if (pods.some((pod) => !pod.spec?.nodeName)) continue;
          for (const node of nodes) {
            const here = pods.filter((pod) => nodeOf(pod) === node);
            if (here.length !== 1) return `${name} has ${here.length} pods on ${node}`;
            if (!isReady(here[0] as Pod)) return `${name}: its pod on ${node} is not ready`;
          }
          // One that came when its node was open may stay where no other may begin.
          const stray = pods.find((pod) => !nodes.includes(nodeOf(pod)) && isKeptOff(nodeOf(pod)));
          if (stray !== undefined)
            return `${name} has ${stray.metadata.name} on ${nodeOf(stray)}, which it is not for`;
          if (status.updatedNumberScheduled !== undefined && status.updatedNumberScheduled !== nodes.length)
            return `${name}: ${status.updatedNumberScheduled} of ${nodes.length} pods are new`;
          if ((status.numberReady ?? 0) !== nodes.length)
            return `${name}: its status says ${status.numberReady} ready, ${nodes.length} are`;
        }
        return undefined;
      },
    };
  },
};
