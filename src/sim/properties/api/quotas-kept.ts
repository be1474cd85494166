/** What a namespace may have in all. */
import {
  addUsage,
  compareQuantities,
  contribution,
  countedKinds,
  nothingUsed,
  type ResourceQuota,
  resourceQuotas,
} from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import type { Truth } from '../../truth.ts';
import { isGoing } from '../facts.ts';

/** Without pods that are going: whether these still count is a matter of clocks. */
function countedIn(truth: Truth, quota: ResourceQuota): Record<string, string> {
  const used = nothingUsed(quota);
  for (const resource of countedKinds(Object.keys(used)))
    for (const object of truth.objects(resource).values())
      if (object.metadata.namespace === quota.metadata.namespace && !(resource === 'pods' && isGoing(object)))
        addUsage(used, contribution(quota, resource, object) ?? {});
  return used;
}

export const quotasKept: Property = {
  name: 'api/quotas-kept',
  source: 'Kubernetes: ResourceQuota admission and controller',
  statement:
    'However many create at once, a namespace never has more than its quota lets it; soon after faults have stopped the status of the quota says how much it has.',
  check({ truth }, broken) {
    const quotas = (): ReadonlyMap<string, ResourceQuota> =>
      truth.objects<ResourceQuota>(resourceQuotas.resource);
    return {
      onEvent({ kind, resource, name, object, previous }) {
        if (kind === 'delete' || previous !== undefined) return;
        for (const quota of quotas().values()) {
          if (quota.metadata.namespace !== object.metadata.namespace) continue;
          if (contribution(quota, resource, object) === undefined) continue;
          for (const [what, used] of Object.entries(countedIn(truth, quota)))
            if (compareQuantities(used, quota.spec?.hard?.[what] ?? used) > 0)
              broken(
                `with ${resource} ${name} the namespace has ${used} ${what}: ${quota.spec?.hard?.[what]} are allowed`,
              );
        }
      },
      goal() {
        for (const [name, quota] of quotas())
          for (const [what, used] of Object.entries(countedIn(truth, quota))) {
            const said = quota.status?.used?.[what];
            if (said === undefined || compareQuantities(said, used) !== 0)
              return `quota ${name} says that ${said} ${what} are used: there are ${used}`;
          }
        return undefined;
      },
    };
  },
};
