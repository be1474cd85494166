/**
 * Elasticity policies: triggers of metric, operator, threshold and duration that act, and capacity that follows demand with a buffer, now or as forecast.
 * A kind of our own, there without a definition.
 */
import { sameJson } from '../../lib/index.ts';
import { type Problems, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { applyPolicyDefaults } from './elasticity-spec/defaults.ts';
import type { ElasticityHistory, ElasticityPolicy, ElasticityPolicySpec } from './elasticity-spec/types.ts';
import { validatePolicySpec } from './elasticity-spec/validate.ts';

const group = 'autoscale.caelum.dev';

const conditionCell = ({ status }: ElasticityPolicy, type: string): string =>
  status?.conditions?.find((one) => one.type === type)?.status ?? 'Unknown';

export const elasticityPolicy = defineKind<ElasticityPolicy>({
  group,
  version: 'v1',
  kind: 'ElasticityPolicy',
  resource: 'elasticitypolicies',
  message: 'dev.caelum.autoscale.v1.ElasticityPolicy',
  description:
    'ElasticityPolicy scales a workload: by triggers with thresholds, and so that capacity is demand plus a buffer, now or as forecast.',
  shortNames: ['elasticity'],
  categories: [],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<ElasticityPolicy>(
      'Reference',
      'What it scales.',
      ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
    ),
    column<ElasticityPolicy>('Mode', 'Whether it looks ahead.', ({ spec }) => spec?.mode ?? 'Reactive'),
    column<ElasticityPolicy>('Min', 'How many replicas there are at least.', ({ spec }) =>
      String(spec?.constraints?.minReplicas ?? 1),
    ),
    column<ElasticityPolicy>(
      'Max',
      'How many replicas there are at most.',
      ({ spec }) => spec?.constraints?.maxReplicas ?? 0,
      'integer',
    ),
    column<ElasticityPolicy>(
      'Replicas',
      'How many replicas there are.',
      ({ status }) => status?.currentReplicas ?? 0,
      'integer',
    ),
    column<ElasticityPolicy>('Active', 'Whether it can decide.', (policy) =>
      conditionCell(policy, 'ScalingActive'),
    ),
    wideColumn<ElasticityPolicy>(
      'Demand',
      'What is demanded now.',
      ({ status }) => status?.demand ?? '<none>',
    ),
    wideColumn<ElasticityPolicy>('Predicting', 'Whether the forecast is used.', (policy) =>
      conditionCell(policy, 'Predicting'),
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec !== undefined) applyPolicyDefaults(spec);
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    validatePolicySpec(problems, spec ?? ({} as ElasticityPolicySpec));
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    for (const name of ['currentReplicas', 'desiredReplicas'] as const) {
      const value = status?.[name] ?? 0;
      if (value < 0) problems.push(wrong(`status.${name}`, value, 'must be greater than or equal to 0'));
    }
    return problems;
  },
});

/** The most that a history may hold: a week in quarters of an hour. */
const profileMax = 672;

export const elasticityHistory = defineKind<ElasticityHistory>({
  group,
  version: 'v1',
  kind: 'ElasticityHistory',
  resource: 'elasticityhistories',
  message: 'dev.caelum.autoscale.v1.ElasticityHistory',
  description: 'ElasticityHistory is what a predictive ElasticityPolicy has learnt of its demand.',
  shortNames: ['elastichistory'],
  columns: [
    nameColumn,
    column<ElasticityHistory>('Policy', 'Whose it is.', ({ spec }) => spec?.policyName ?? ''),
    column<ElasticityHistory>(
      'Steps',
      'How many steps have been seen.',
      ({ status }) => status?.steps ?? 0,
      'integer',
    ),
    ageColumn,
  ],
  validate({ status }) {
    const problems: Problems = [];
    for (const name of ['profile', 'seen'] as const) {
      const count = status?.[name]?.length ?? 0;
      if (count > profileMax)
        problems.push(wrong(`status.${name}`, count, `must have at most ${profileMax} items`));
    }
    return problems;
  },
  validateUpdate(object, old) {
    return sameJson(object.spec?.policyName, old.spec?.policyName)
      ? []
      : [wrong('spec.policyName', object.spec?.policyName, 'field is immutable')];
  },
});
