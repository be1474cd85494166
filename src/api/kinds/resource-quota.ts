/**
 * Resource quotas: how much a namespace may have, in all.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { ResourceQuota, ResourceQuotaSpec } from '../types/core.v1.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { isQuotaResource, validateAmounts, validateQuotaResourceName } from '../validation/resources.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const pods: readonly string[] = ['pods'];
const compute = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const claims: readonly string[] = ['persistentvolumeclaims', 'requests.storage'];

/** What each scope can be a part of. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  Terminating: [...pods, ...compute],
  NotTerminating: [...pods, ...compute],
  BestEffort: pods,
  NotBestEffort: [...pods, ...compute],
  PriorityClass: [...pods, ...compute],
  CrossNamespacePodAffinity: [...pods, ...compute],
  VolumeAttributesClass: claims,
};

/** Scopes that have no values: a pod is in them or not. */
const plainScopes = [
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
];

const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

/** `pods: 1/10`, of the limits or of all else. */
function usageCell({ status }: ResourceQuota, ofLimits: boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => name.startsWith('limits.') === ofLimits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  message: 'core.v1.ResourceQuota',
  description: 'ResourceQuota limits what a namespace may have in all.',
  returnsDeleted: true,
  shortNames: ['quota'],
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<ResourceQuota>('Request', 'What is used of what may be asked for.', (quota) =>
      usageCell(quota, false),
    ),
    column<ResourceQuota>('Limit', 'What is used of what limits may add up to.', (quota) =>
      usageCell(quota, true),
    ),
    ageColumn,
  ],
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec = {} }) {
    const problems: Problems = [];
    validateAmounts(problems, 'spec.hard', spec.hard ?? {}, validateQuotaResourceName);
    validateScopes(problems, 'spec.scopes', spec);
    validateScopeSelector(problems, 'spec.scopeSelector.matchExpressions', spec);
    return problems;
  },
  validateUpdate({ spec }, old) {
    const sorted = (names: readonly string[] | undefined) => [...new Set(names)].sort();
    return sameJson(sorted(spec?.scopes), sorted(old.spec?.scopes))
      ? []
      : [wrong('spec.scopes', spec?.scopes ?? null, immutableWhy)];
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateAmounts(problems, 'status.hard', status.hard ?? {}, validateQuotaResourceName);
    validateAmounts(problems, 'status.used', status.used ?? {}, validateQuotaResourceName);
    return problems;
  },
});

function validateScopes(problems: Problems, field: string, spec: ResourceQuotaSpec): void {
  const { scopes: wanted = [], hard = {} } = spec;
  for (const scope of wanted) {
    if (!Object.hasOwn(scopes, scope)) problems.push(wrong(field, wanted, 'unsupported scope'));
    for (const _ of strangers(scope, hard))
      problems.push(wrong(field, wanted, 'unsupported scope applied to resource'));
  }
  for (const pair of opposites)
    if (pair.every((scope) => wanted.includes(scope)))
      problems.push(wrong(field, wanted, 'conflicting scopes'));
}

/** Resources of the quota that a scope has no part of. */
function strangers(scope: string, hard: Readonly<Record<string, string>>): string[] {
  const parts = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  if (parts === undefined) return [];
  return Object.keys(hard).filter((name) => isQuotaResource(name) && !parts.includes(name));
}

function validateScopeSelector(problems: Problems, field: string, spec: ResourceQuotaSpec): void {
  const { scopeSelector, hard = {} } = spec;
  const requirements = scopeSelector?.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of requirements) {
    if (!Object.hasOwn(scopes, scopeName))
      problems.push(wrong(`${field}.scopeName`, scopeName, 'unsupported scope'));
    for (const _ of strangers(scopeName, hard))
      problems.push(wrong(field, scopeSelector, 'unsupported scope applied to resource'));
    if (plainScopes.includes(scopeName) && operator !== 'Exists')
      problems.push(
        wrong(
          `${field}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        problems.push(
          required(
            `${field}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        problems.push(
          wrong(
            `${field}.values`,
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        );
    } else problems.push(wrong(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  for (const pair of opposites)
    if (pair.every((scope) => names.includes(scope)))
      problems.push(wrong(field, spec.scopes ?? null, 'conflicting scopes'));
}
