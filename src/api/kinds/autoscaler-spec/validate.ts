/**
 * What an autoscaler may say: what it scales, between which numbers, by which metrics, how fast.
 * Source: Kubernetes 1.36, pkg/apis/autoscaling/validation, as behaviour.
 */
import { quantityNano } from '../../quantity.ts';
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../types/autoscaling.v2.ts';
import { labelName } from '../../validation/names.ts';
import {
  forbiddenField,
  notNegativeWhy,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';

const sources = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const;
const sourceTypes = Object.keys(sources).sort();
const targetTypes = ['Utilization', 'Value', 'AverageValue'];
const selectPolicies = ['Disabled', 'Max', 'Min'];
const policyTypes = ['Percent', 'Pods'];
const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

export function validateAutoscalerSpec(problems: Problems, spec: HorizontalPodAutoscalerSpec): void {
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior } = spec;
  // None at all: only by what can be measured of nothing (as with Kubernetes' gate HPAScaleToZero).
  const mayBeNone = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (minReplicas !== undefined && minReplicas < (mayBeNone ? 0 : 1))
    problems.push(
      wrong('spec.minReplicas', minReplicas, `must be greater than or equal to ${mayBeNone ? 0 : 1}`),
    );
  if (maxReplicas < 1) problems.push(wrong('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    problems.push(wrong('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  const target = scaleTargetRef ?? { kind: '', name: '' };
  // Of core's kinds only this one can be scaled.
  validateReference(problems, 'spec.scaleTargetRef', target, target.kind === 'ReplicationController');
  metrics.forEach((metric, index) => {
    validateMetric(problems, `spec.metrics[${index}]`, metric);
  });
  for (const name of ['scaleUp', 'scaleDown'] as const)
    if (behavior?.[name] !== undefined) validateRules(problems, `spec.behavior.${name}`, behavior[name]);
}

function validateReference(
  problems: Problems,
  field: string,
  { kind = '', name = '', apiVersion = '' }: CrossVersionObjectReference,
  mayBeCore: boolean,
): void {
  validateSegment(problems, `${field}.kind`, kind);
  validateSegment(problems, `${field}.name`, name);
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2)
    problems.push(wrong(`${field}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (!mayBeCore && (parts.length < 2 || parts[0] === ''))
    problems.push(wrong(`${field}.apiVersion`, apiVersion, 'apiVersion must specify API group'));
}

/** It can stand in a path. */
function validateSegment(problems: Problems, field: string, text: string, why = ''): void {
  if (text === '') problems.push(required(field, why));
  if (text === '.' || text === '..') problems.push(wrong(field, text, `may not be '${text}'`));
  for (const character of ['/', '%'])
    if (text.includes(character)) problems.push(wrong(field, text, `may not contain '${character}'`));
}

function validateMetric(problems: Problems, field: string, metric: MetricSpec): void {
  const { type = '' } = metric;
  if (type === '') problems.push(required(`${field}.type`, 'must specify a metric source type'));
  if (!sourceTypes.includes(type)) problems.push(notSupported(`${field}.type`, type, sourceTypes));
  const present = Object.values(sources).filter((name) => metric[name] !== undefined);
  const [first] = present;
  if (first !== undefined) validateSource(problems, `${field}.${first}`, metric, first);
  const expected = Object.hasOwn(sources, type) ? sources[type as keyof typeof sources] : undefined;
  if (expected === undefined) problems.push(notSupported(`${field}.type`, type, sourceTypes));
  else if (!present.includes(expected))
    problems.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1)
    for (const name of present)
      if (name !== expected)
        problems.push(forbiddenField(`${field}.${name}`, 'must populate the given metric source only'));
}

function validateSource(
  problems: Problems,
  field: string,
  metric: MetricSpec,
  name: (typeof sources)[keyof typeof sources],
): void {
  const target: MetricTarget = metric[name]?.target ?? { type: '' };
  const { value, averageValue, averageUtilization } = target;
  const at = `${field}.target`;
  const needs = (part: string, why: string): void => {
    problems.push(required(`${at}.${part}`, why));
  };
  if (name === 'object' && metric.object !== undefined) {
    validateReference(problems, `${field}.describedObject`, metric.object.describedObject, true);
    validateIdentifier(problems, `${field}.metric`, metric.object.metric);
  } else if (name === 'external' || name === 'pods')
    validateIdentifier(problems, `${field}.metric`, metric[name]?.metric);
  else if (name !== 'object') {
    if ((metric[name]?.name ?? '') === '')
      problems.push(required(`${field}.name`, 'must specify a resource name'));
    if (name === 'containerResource') {
      const container = metric.containerResource?.container ?? '';
      if (container === '') problems.push(required(`${field}.container`, 'must specify a container'));
      else for (const why of labelName(container)) problems.push(wrong(`${field}.container`, container, why));
    }
  }
  validateTarget(problems, at, target);
  if (name === 'object' && value === undefined && averageValue === undefined)
    needs('averageValue', 'must set either a target value or averageValue');
  if (name === 'external') {
    if (value === undefined && averageValue === undefined)
      needs('averageValue', 'must set either a target value for metric or a per-pod target');
    if (value !== undefined && averageValue !== undefined)
      problems.push(
        forbiddenField(`${at}.value`, 'may not set both a target value for metric and a per-pod target'),
      );
  }
  if (name === 'pods' && averageValue === undefined)
    needs('averageValue', 'must specify a positive target averageValue');
  if (name !== 'resource' && name !== 'containerResource') return;
  if (averageUtilization === undefined && averageValue === undefined)
    needs('averageUtilization', 'must set either a target raw value or a target utilization');
  if (averageUtilization !== undefined && averageValue !== undefined)
    problems.push(
      forbiddenField(`${at}.averageValue`, 'may not set both a target raw value and a target utilization'),
    );
}

const validateIdentifier = (problems: Problems, field: string, metric: MetricIdentifier | undefined): void =>
  validateSegment(problems, `${field}.name`, metric?.name ?? '', 'must specify a metric name');

function validateTarget(problems: Problems, field: string, target: MetricTarget): void {
  const { type = '', averageUtilization } = target;
  if (type === '') problems.push(required(`${field}.type`, 'must specify a metric target type'));
  if (!targetTypes.includes(type))
    problems.push(wrong(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  for (const name of ['value', 'averageValue'] as const) {
    const amount = target[name];
    if (amount !== undefined && (quantityNano(amount) ?? 0n) <= 0n)
      problems.push(wrong(`${field}.${name}`, amount, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    problems.push(wrong(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0'));
}

function validateRules(problems: Problems, field: string, rules: HPAScalingRules): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const at = `${field}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0)
    problems.push(wrong(at, seconds, 'must be greater than or equal to zero'));
  if (seconds !== undefined && seconds > windowSecondsMax)
    problems.push(wrong(at, seconds, `must be less than or equal to ${windowSecondsMax}`));
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy))
    problems.push(notSupported(`${field}.selectPolicy`, selectPolicy, selectPolicies));
  if (policies.length === 0) problems.push(required(`${field}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, index) => {
    validatePolicy(problems, `${field}.policies[${index}]`, policy);
  });
  if (tolerance?.startsWith('-')) problems.push(wrong(`${field}.tolerance`, tolerance, notNegativeWhy));
}

function validatePolicy(
  problems: Problems,
  field: string,
  { type, value, periodSeconds }: HPAScalingPolicy,
): void {
  if (!policyTypes.includes(type)) problems.push(notSupported(`${field}.type`, type, policyTypes));
  if (!(value > 0)) problems.push(wrong(`${field}.value`, value, 'must be greater than zero'));
  const at = `${field}.periodSeconds`;
  if (!(periodSeconds > 0)) problems.push(wrong(at, periodSeconds, 'must be greater than zero'));
  if (periodSeconds > periodSecondsMax)
    problems.push(wrong(at, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
}
