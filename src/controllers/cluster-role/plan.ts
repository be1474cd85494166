/** Roles that are put together: their rules are those of all roles with the labels that they ask for. Pure. */
import { type ClusterRole, labelPredicate, type PolicyRule } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { clusterRolesRef } from '../resources.ts';
import type { Step } from '../step.ts';

export interface Observed {
  readonly role: ClusterRole;
  /** All there are. */
  readonly others: Iterable<ClusterRole>;
}

export function plan({ role, others }: Observed): readonly Step[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  if (selectors.length === 0 || role.metadata.deletionTimestamp !== undefined) return [];
  const matches = selectors.map((selector) => labelPredicate(selector));
  const rules: PolicyRule[] = [];
  const parts = [...others]
    .filter(
      (one) =>
        one.metadata.name !== role.metadata.name && matches.some((match) => match(one.metadata.labels ?? {})),
    )
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  for (const part of parts)
    for (const rule of part.rules ?? []) if (!rules.some((one) => sameJson(one, rule))) rules.push(rule);
  if (sameJson(rules, role.rules ?? [])) return [];
  const { name = '', uid } = role.metadata;
  const patch = { metadata: { uid }, rules };
  return [{ kind: 'patch', ref: clusterRolesRef, namespace: undefined, name, type: 'merge', patch }];
}
