/** Deployments: replicas of a pod, and the roll-out of their changes. */
import type { Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy } from '../types/apps.v1.ts';
import {
  forbiddenField,
  notNegative,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { shareNumber, validateAtMostAll, validateShare } from '../validation/shares.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, replicasScale, scaleSubresource, statusSubresource } from './define.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import {
  templateColumns,
  validateCollisions,
  validateCounts,
  validateSameSelector,
  validateSelectorAndTemplate,
} from './workload.ts';

const share = '25%';

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  message: 'apps.v1.Deployment',
  description: 'Deployment keeps replicas of a pod running and rolls out changes to them.',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  hasStatus: true,
  statusIsApart: true,
  hasGeneration: true,
  scale: replicasScale,
  columns: [
    nameColumn,
    column<Deployment>(
      'Ready',
      'How many of its pods are ready, of how many.',
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    column<Deployment>(
      'Up-to-date',
      'How many of its pods have the template of now.',
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    column<Deployment>(
      'Available',
      'How many of its pods have been ready for long enough.',
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...templateColumns,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= share;
      spec.strategy.rollingUpdate.maxSurge ??= share;
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? ({} as DeploymentSpec));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateSameSelector(problems, object, old);
    return problems;
  },
  validateStatusUpdate({ status = {} }, old) {
    const problems: Problems = [];
    validateStatus(problems, status);
    validateCollisions(problems, status, old.status);
    return problems;
  },
});

function validateSpec(problems: Problems, spec: DeploymentSpec): void {
  notNegative(problems, 'spec.replicas', spec.replicas);
  validateSelectorAndTemplate(problems, spec);
  validateStrategy(problems, 'spec.strategy', spec.strategy ?? {});
  notNegative(problems, 'spec.minReadySeconds', spec.minReadySeconds);
  notNegative(problems, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const { progressDeadlineSeconds, minReadySeconds = 0 } = spec;
  notNegative(problems, 'spec.progressDeadlineSeconds', progressDeadlineSeconds);
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds)
    problems.push(
      wrong('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds'),
    );
}

function validateStrategy(problems: Problems, field: string, strategy: DeploymentStrategy): void {
  const at = `${field}.rollingUpdate`;
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined)
      problems.push(forbiddenField(at, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type !== 'RollingUpdate')
    problems.push(notSupported(field, strategy, ['Recreate', 'RollingUpdate']));
  else if (rollingUpdate === undefined)
    problems.push(required(at, 'this should be defaulted and never be nil'));
  else {
    const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
    validateShare(problems, `${at}.maxUnavailable`, maxUnavailable);
    validateShare(problems, `${at}.maxSurge`, maxSurge);
    if (shareNumber(maxUnavailable) === 0 && shareNumber(maxSurge) === 0)
      problems.push(wrong(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    validateAtMostAll(problems, `${at}.maxUnavailable`, maxUnavailable);
  }
}

function validateStatus(problems: Problems, status: DeploymentStatus): void {
  const why = 'cannot be greater than status.replicas';
  validateCounts(
    problems,
    status,
    [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ],
    [
      { part: 'updatedReplicas', whole: 'replicas', why },
      { part: 'readyReplicas', whole: 'replicas', why },
      { part: 'availableReplicas', whole: 'replicas', why },
      { part: 'availableReplicas', whole: 'readyReplicas', why: 'cannot be greater than readyReplicas' },
    ],
  );
}
