/** Disruption budgets: how many pods of one kind must stay, or may be away, when somebody makes room. */

import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../types/policy.v1.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { notNegative, notSupported, type Problems, wrong } from '../validation/problems.ts';
import { validateAtMostAll, validateShare } from '../validation/shares.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const absent = 'N/A';
const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget'];
const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  message: 'policy.v1.PodDisruptionBudget',
  description: 'PodDisruptionBudget says how many pods must stay when somebody makes room.',
  shortNames: ['pdb'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<PodDisruptionBudget>('Min Available', 'How many must stay.', ({ spec }) =>
      String(spec?.minAvailable ?? absent),
    ),
    column<PodDisruptionBudget>('Max Unavailable', 'How many may be away.', ({ spec }) =>
      String(spec?.maxUnavailable ?? absent),
    ),
    column<PodDisruptionBudget>(
      'Allowed Disruptions',
      'How many may be evicted now.',
      ({ status }) => status?.disruptionsAllowed ?? 0,
      'integer',
    ),
    ageColumn,
  ],
  prepareCreate(object) {
    object.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate({ spec = {} }) {
    const problems: Problems = [];
    validateSpec(problems, spec);
    return problems;
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateConditions(problems, 'status.conditions', status.conditions ?? []);
    for (const name of counts) notNegative(problems, `status.${name}`, status[name]);
    return problems;
  },
});

function validateSpec(problems: Problems, spec: PodDisruptionBudgetSpec): void {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    problems.push(wrong('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  for (const [name, share] of [
    ['minAvailable', minAvailable],
    ['maxUnavailable', maxUnavailable],
  ] as const)
    if (share !== undefined) {
      validateShare(problems, `spec.${name}`, share);
      validateAtMostAll(problems, `spec.${name}`, share);
    }
  validateLabelSelector(problems, 'spec.selector', spec.selector);
  if (policy !== undefined && !evictionPolicies.includes(policy))
    problems.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, evictionPolicies));
}
