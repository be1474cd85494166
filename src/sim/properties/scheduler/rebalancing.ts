/** Pods are moved only where somebody wants it, no more of them than allowed, and not for ever. */
import type { Node, Pod, RebalancePolicy } from '../../../api/index.ts';
import { rebalancerName } from '../../plan.ts';
import type { Property } from '../../property.ts';
import { controllerOf, sinceMs } from '../facts.ts';
import { gangKeyOf, prefix } from './room.ts';

const resource = 'rebalancepolicies.scheduling.caelum.dev';
/** A plan is carried out within; it waits for pods to come back for 60 s at most, with each of some nodes. */
const carriedOutMs = 600_000;

const mayMove = ({ spec }: RebalancePolicy): boolean => spec.mode === 'Apply' && spec.suspend !== true;

/** Why a pod may not be moved at all. */
function stays(pod: Pod): string | undefined {
  const controller = controllerOf(pod);
  if (controller === undefined) return 'nobody makes it anew';
  if (controller.kind === 'Job') return 'it is of a Job';
  if (controller.kind === 'DaemonSet') return 'it is of a DaemonSet';
  if (gangKeyOf(pod) !== undefined) return 'it is in a gang';
  if (pod.spec?.resourceClaims !== undefined) return 'it has devices';
  if (pod.metadata.annotations?.[`${prefix}keep`] === 'true') return 'it says that it stays';
  return undefined;
}

export const movesWithinLimits: Property = {
  name: 'scheduler/moves-within-limits',
  source: 'mission: rebalancing (within budgets, as plans that can be shown)',
  statement:
    'Only where a policy that is to be carried out is known, pods are evicted to be moved, and none that stays by its nature; a plan has no more moves than its policy allows, of all and of one node.',
  check(world, broken) {
    const { truth } = world;
    let allowedMs = Number.NEGATIVE_INFINITY;
    const note = (): void => {
      if ([...truth.objects<RebalancePolicy>(resource).values()].some(mayMove)) allowedMs = world.nowMs();
    };
    return {
      onSecond: note,
      onWrite({ by, verb, resource: of, name }) {
        if (by !== rebalancerName || verb !== 'eviction' || of !== 'pods') return;
        note();
        // What it had begun when it was told otherwise it ends.
        if (allowedMs < Math.min(sinceMs(world), world.nowMs() - carriedOutMs))
          broken(`${name} was moved, and nobody wants that`);
        const pod = truth.objects<Pod>('pods').get(name);
        const why = pod === undefined ? undefined : stays(pod);
        if (why !== undefined) broken(`${name} was moved, though ${why}`);
      },
      onEvent({ kind, resource: of, object, previous, name }) {
        if (of !== resource) return;
        if (previous !== undefined && mayMove(previous as RebalancePolicy)) allowedMs = world.nowMs();
        if (kind === 'delete') return;
        const { metadata, spec, status } = object as RebalancePolicy;
        const before = (previous as RebalancePolicy | undefined)?.status;
        if (status === undefined || status.observedGeneration !== metadata.generation) return;
        const { moves = 20, movesPerNode = moves } = spec.limits ?? {};
        if ((status.planned ?? 0) > moves)
          broken(`${name} has a plan of ${status.planned} moves, of at most ${moves}`);
        const of1 = Map.groupBy(status.moves ?? [], ({ from }) => from);
        for (const [node, some] of of1)
          if (some.length > movesPerNode)
            broken(`${name} moves ${some.length} pods of ${node}, of at most ${movesPerNode}`);
        if ((status.done ?? 0) - (before?.done ?? 0) > moves)
          broken(
            `${name} has moved ${(status.done ?? 0) - (before?.done ?? 0)} pods at once, of at most ${moves}`,
          );
        if (!mayMove(object as RebalancePolicy) && (status.done ?? 0) > (before?.done ?? 0))
          broken(`${name} has moved pods, and is only to propose`);
      },
    };
  },
};

export const movesEnd: Property = {
  name: 'scheduler/moves-end',
  source: 'mission: rebalancing (comes to an end), C3 (no oscillation)',
  statement:
    'When faults and users have stopped, soon no pod is moved any more, no plan undoes what another has done, and no node is kept free for it.',
  check(world, broken) {
    const wasKilled = world.plan.faults.some(
      (fault) => fault.kind === 'kill' && fault.process === rebalancerName,
    );
    let movedMs = Number.NEGATIVE_INFINITY;
    return {
      onWrite({ by, verb, resource: of, name }) {
        if (by !== rebalancerName || verb !== 'eviction' || of !== 'pods') return;
        movedMs = world.nowMs();
        if (world.isAtRest()) broken(`${name} was moved when all was at rest`);
      },
      goal() {
        // Of one that was killed somebody finds them later.
        for (const [name, node] of world.truth.objects<Node>('nodes'))
          if (!wasKilled && node.spec?.taints?.some(({ key }) => key === `${prefix}rebalancing`))
            return `${name} is kept free still for pods to be moved`;
        const agoMs = world.nowMs() - movedMs;
        return agoMs < 40_000 ? `a pod was moved ${Math.round(agoMs / 1000)} s ago` : undefined;
      },
    };
  },
};
