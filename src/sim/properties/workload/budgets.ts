/** Budgets: what may be disrupted, and that no more is. */
import { labelPredicate, type Pod, type PodDisruptionBudget } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isActive, isGoing, isReady, isWhole, sinceMs } from '../facts.ts';

const resource = 'poddisruptionbudgets.policy';

const covers = ({ metadata, spec }: PodDisruptionBudget, pod: Pod): boolean =>
  metadata.namespace === pod.metadata.namespace && labelPredicate(spec?.selector)(pod.metadata.labels ?? {});

export const budgetsKept: Property = {
  name: 'workload/budgets-kept',
  source: 'Kubernetes: PodDisruptionBudget, eviction; mission T1',
  statement:
    'No ready pod is evicted that a budget covers unless the budget had allowed it: it says so before the pod begins to go, and never allows less than none.',
  check(world, broken) {
    const { truth } = world;
    /** Evictions that have been asked for, by the name of the pod. */
    const asked = new Set<string>();
    const deleted = new Set<string>();
    return {
      onAsked({ verb, resource: of, name }) {
        if (of !== 'pods') return;
        if (verb === 'eviction') asked.add(name);
        if (verb === 'delete') deleted.add(name);
      },
      onEvent({ kind, resource: of, object, previous, name }) {
        if (of === resource && kind === 'put') {
          const { disruptionsAllowed = 0 } = (object as PodDisruptionBudget).status ?? {};
          if (disruptionsAllowed < 0) broken(`${name} allows ${disruptionsAllowed} disruptions`);
        }
        if (of !== 'pods' || previous === undefined || isGoing(previous)) return;
        if (kind === 'put' && !isGoing(object)) return;
        // Another may have deleted it all the same: only what nobody else asked for is surely an eviction.
        if (!asked.has(name) || deleted.has(name)) return;
        const pod = previous as Pod;
        if (!isReady(pod) || !isActive(pod)) return;
        const since = sinceMs(world);
        for (const [budget, of] of truth.objects<PodDisruptionBudget>(resource)) {
          if (!covers(of, pod) || isGoing(of) || !isWhole(world, resource, budget)) continue;
          // One that is new may not have been known, nor one whose pod was not ready a moment ago.
          const wasKnown = !truth.heldSince(resource, budget, since, (one) => one === undefined);
          const wasReady = !truth.heldSince(
            'pods',
            name,
            since,
            (one) => one === undefined || !isReady(one as Pod),
          );
          const isNoted = truth
            .versions(resource, budget)
            .some(
              ({ object: one }) =>
                (one as PodDisruptionBudget | undefined)?.status?.disruptedPods?.[pod.metadata.name ?? ''] !==
                undefined,
            );
          if (wasKnown && wasReady && !isNoted)
            broken(`${name} was evicted, and the budget ${budget} did not allow it`);
        }
      },
    };
  },
};

export const budgetsTold: Property = {
  name: 'workload/budgets-told',
  source: 'Kubernetes: PodDisruptionBudget status',
  statement:
    'When faults and users have stopped, every budget soon says how many of its pods are healthy, and allows what that leaves.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, budget] of truth.objects<PodDisruptionBudget>(resource)) {
          const { status, metadata } = budget;
          if (status === undefined || status.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          const healthy = [...truth.objects<Pod>('pods').values()].filter(
            (pod) => covers(budget, pod) && isActive(pod) && isReady(pod),
          ).length;
          if (status.currentHealthy !== healthy)
            return `${name}: its status says ${status.currentHealthy} healthy, ${healthy} are`;
          const allowed = Math.max(0, healthy - (status.desiredHealthy ?? 0));
          if ((status.expectedPods ?? 0) > 0 && status.disruptionsAllowed !== allowed)
            return `${name} allows ${status.disruptionsAllowed} disruptions, and should allow ${allowed}`;
        }
        return undefined;
      },
    };
  },
};
