/**
 * Roles: what may be done, in one namespace or everywhere. Who may do it is said by bindings.
 * Source: Kubernetes 1.36, pkg/apis/rbac/validation, as behaviour.
 */
import type { ClusterRole, PolicyRule, Role } from '../types/rbac.v1.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { pathSegmentName } from '../validation/names.ts';
import { type Problems, required, wrong } from '../validation/problems.ts';
import { createdAtColumn, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const of = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  columns: [nameColumn, createdAtColumn],
  validateName: pathSegmentName,
} as const;

export const role = defineKind<Role>({
  ...of,
  kind: 'Role',
  resource: 'roles',
  message: 'rbac.v1.Role',
  description: 'Role is a set of permissions within its namespace.',
  validate({ rules }) {
    const problems: Problems = [];
    validateRules(problems, rules, true);
    return problems;
  },
});

export const clusterRole = defineKind<ClusterRole>({
  ...of,
  kind: 'ClusterRole',
  resource: 'clusterroles',
  message: 'rbac.v1.ClusterRole',
  description:
    'ClusterRole is a set of permissions, granted everywhere or in the namespaces of its bindings.',
  namespaced: false,
  validate({ rules, aggregationRule }) {
    const problems: Problems = [];
    validateRules(problems, rules, false);
    if (aggregationRule === undefined) return problems;
    const field = 'aggregationRule.clusterRoleSelectors';
    const { clusterRoleSelectors: selectors = [] } = aggregationRule;
    if (selectors.length === 0)
      problems.push(
        required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
      );
    selectors.forEach((selector, index) => {
      validateLabelSelector(problems, `${field}[${index}]`, selector);
    });
    return problems;
  },
});

function validateRules(
  problems: Problems,
  rules: readonly PolicyRule[] | undefined,
  isNamespaced: boolean,
): void {
  rules?.forEach((rule, index) => {
    validateRule(problems, `rules[${index}]`, rule, isNamespaced);
  });
}

/** A rule speaks either of resources or of paths that are none. */
function validateRule(
  problems: Problems,
  field: string,
  { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule,
  isNamespaced: boolean,
): void {
  if (verbs.length === 0) problems.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const at = `${field}.nonResourceURLs`;
    if (isNamespaced)
      problems.push(wrong(at, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0)
      problems.push(
        wrong(at, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
      );
    return;
  }
  if (apiGroups.length === 0)
    problems.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    problems.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
}
