/**
 * Vertical autoscalers and their checkpoints, as the Kubernetes autoscaler project defines them, there without a definition. Whoever brings that project's
 * definitions has those instead (`givesWay`).
 * Source: vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1 and its admission rules, as behaviour.
 */
import { compareQuantities, quantityMilli } from '../quantity.ts';
import { notSupported, oneOf, type Problems, required, tooMany, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import type {
  VerticalContainerPolicy,
  VerticalPodAutoscaler,
  VerticalPodAutoscalerCheckpoint,
  VerticalStartupBoost,
} from './vertical-autoscaler-spec/types.ts';

export const verticalUpdateModes = ['Off', 'Initial', 'Recreate', 'InPlaceOrRecreate', 'InPlace', 'Auto'];
const changeRequirements = ['TargetHigherThanRequests', 'TargetLowerThanRequests'];
const resources = ['cpu', 'memory'];

const first = ({ status }: VerticalPodAutoscaler, resource: string): string =>
  status?.recommendation?.containerRecommendations?.[0]?.target?.[resource] ?? '';

export const verticalPodAutoscaler = defineKind<VerticalPodAutoscaler>({
  group: 'autoscaling.k8s.io',
  version: 'v1',
  kind: 'VerticalPodAutoscaler',
  resource: 'verticalpodautoscalers',
  message: 'io.k8s.autoscaling.v1.VerticalPodAutoscaler',
  description:
    "VerticalPodAutoscaler recommends, and sets, what a workload's containers request, by what they use.",
  shortNames: ['vpa'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  givesWay: true,
  columns: [
    nameColumn,
    column<VerticalPodAutoscaler>(
      'Mode',
      'How pods come by what is recommended.',
      ({ spec }) => spec?.updatePolicy?.updateMode ?? '',
    ),
    column<VerticalPodAutoscaler>('CPU', 'Recommended for the first container.', (one) => first(one, 'cpu')),
    column<VerticalPodAutoscaler>('Mem', 'Recommended for the first container.', (one) =>
      first(one, 'memory'),
    ),
    column<VerticalPodAutoscaler>(
      'Provided',
      'Whether there is a recommendation.',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'RecommendationProvided')?.status ?? '',
    ),
    ageColumn,
  ],
  prepareCreate(object) {
    delete object.status;
  },
  validate: (object) => problemsOf(object),
});

export const verticalPodAutoscalerCheckpoint = defineKind<VerticalPodAutoscalerCheckpoint>({
  group: 'autoscaling.k8s.io',
  version: 'v1',
  kind: 'VerticalPodAutoscalerCheckpoint',
  resource: 'verticalpodautoscalercheckpoints',
  message: 'io.k8s.autoscaling.v1.VerticalPodAutoscalerCheckpoint',
  description: 'VerticalPodAutoscalerCheckpoint is what is remembered of the use of one container.',
  shortNames: ['vpacheckpoint'],
  givesWay: true,
});

function problemsOf({ spec }: VerticalPodAutoscaler): Problems {
  const problems: Problems = [];
  const { targetRef, updatePolicy, resourcePolicy, recommenders = [], startupBoost } = spec ?? {};
  if (targetRef === undefined) problems.push(required('spec.targetRef'));
  else
    for (const field of ['kind', 'name'] as const)
      if ((targetRef[field] ?? '') === '') problems.push(required(`spec.targetRef.${field}`));
  const at = 'spec.updatePolicy';
  const { updateMode, minReplicas, evictionRequirements = [] } = updatePolicy ?? {};
  if (updateMode !== undefined && !verticalUpdateModes.includes(updateMode))
    problems.push(notSupported(`${at}.updateMode`, updateMode, verticalUpdateModes));
  if (minReplicas !== undefined && minReplicas <= 0)
    problems.push(wrong(`${at}.minReplicas`, minReplicas, 'must be greater than 0'));
  evictionRequirements.forEach(({ resources: named = [], changeRequirement }, index) => {
    const field = `${at}.evictionRequirements[${index}]`;
    if (named.length === 0) problems.push(required(`${field}.resources`));
    oneOf(problems, `${field}.changeRequirement`, changeRequirement, changeRequirements, true);
  });
  if (recommenders.length > 1) problems.push(tooMany('spec.recommenders', recommenders.length, 1));
  validateBoost(problems, 'spec.startupBoost', startupBoost);
  const seen = new Set<string>();
  (resourcePolicy?.containerPolicies ?? []).forEach((policy, index) => {
    const field = `spec.resourcePolicy.containerPolicies[${index}]`;
    const { containerName = '' } = policy;
    if (containerName === '') problems.push(required(`${field}.containerName`));
    else if (seen.has(containerName))
      problems.push(
        wrong(`${field}.containerName`, containerName, 'each container may have only one policy'),
      );
    seen.add(containerName);
    validatePolicy(problems, field, policy);
  });
  return problems;
}

function validatePolicy(problems: Problems, at: string, policy: VerticalContainerPolicy): void {
  const { mode, controlledResources, controlledValues, minAllowed = {}, maxAllowed = {} } = policy;
  oneOf(problems, `${at}.mode`, mode, ['Auto', 'Off']);
  oneOf(problems, `${at}.controlledValues`, controlledValues, ['RequestsAndLimits', 'RequestsOnly']);
  if (mode === 'Off' && controlledValues !== undefined)
    problems.push(wrong(`${at}.controlledValues`, controlledValues, 'must not be set where mode is Off'));
  controlledResources?.forEach((name, index) => {
    oneOf(problems, `${at}.controlledResources[${index}]`, name, resources, true);
  });
  for (const [resource, least] of Object.entries(minAllowed)) {
    const most = maxAllowed[resource];
    if (most !== undefined && compareQuantities(most, least) < 0)
      problems.push(
        wrong(`${at}.maxAllowed[${resource}]`, most, `must not be lower than minAllowed, ${least}`),
      );
  }
  const { oomBumpUpRatio: ratio, oomMinBumpUp: least } = policy;
  if (ratio !== undefined && (quantityMilli(ratio) ?? 0) < 1000)
    problems.push(wrong(`${at}.oomBumpUpRatio`, ratio, 'must be greater than or equal to 1'));
  if (least !== undefined && (quantityMilli(least) ?? 0) < 0)
    problems.push(wrong(`${at}.oomMinBumpUp`, least, 'must be greater than or equal to 0'));
  validateBoost(problems, `${at}.startupBoost`, policy.startupBoost);
}

function validateBoost(problems: Problems, at: string, boost: VerticalStartupBoost | undefined): void {
  const cpu = boost?.cpu;
  if (cpu === undefined) return;
  oneOf(problems, `${at}.cpu.type`, cpu.type, ['Factor', 'Quantity'], true);
  const allow = (field: 'factor' | 'quantity', type: string): void => {
    if (cpu.type !== type && cpu[field] !== undefined)
      problems.push(wrong(`${at}.cpu.${field}`, cpu[field], `must not be set where the type is ${cpu.type}`));
  };
  allow('factor', 'Factor');
  allow('quantity', 'Quantity');
  if (cpu.type === 'Factor') {
    if (cpu.factor === undefined) problems.push(required(`${at}.cpu.factor`, 'the type is Factor'));
    else if (cpu.factor < 1)
      problems.push(wrong(`${at}.cpu.factor`, cpu.factor, 'must be greater than or equal to 1'));
  }
  if (cpu.type === 'Quantity' && cpu.quantity === undefined)
    problems.push(required(`${at}.cpu.quantity`, 'the type is Quantity'));
  if (cpu.quantity !== undefined && (quantityMilli(cpu.quantity) ?? 0) <= 0)
    problems.push(wrong(`${at}.cpu.quantity`, cpu.quantity, 'must be greater than 0'));
  if (cpu.durationSeconds !== undefined && cpu.durationSeconds < 0)
    problems.push(
      wrong(`${at}.cpu.durationSeconds`, cpu.durationSeconds, 'must be greater than or equal to 0'),
    );
}
