/** The controller of aggregated cluster roles. Decisions are in `plan.ts`. */
import type { ClusterRole } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { clusterRolesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

export function clusterRoleController(informers: Informers): Controller<Observed> {
  const roles = informers.informer<ClusterRole>(clusterRolesRef);
  return {
    name: 'clusterrole-aggregation-controller',
    workers: 1,
    watches: [
      watch<ClusterRole>(informers, clusterRolesRef, function* ({ key }) {
        yield key;
        // Whoever is put together from others may be put together from this one.
        for (const role of roles.list())
          if (role.aggregationRule !== undefined && role.metadata.name !== key)
            yield role.metadata.name ?? '';
      }),
    ],
    observe(name) {
      const role = roles.get(name);
      return role === undefined ? undefined : { role, others: roles.list() };
    },
    plan,
  };
}
