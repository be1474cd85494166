/** What an elasticity policy may say. Each refusal tells what would be right. */
import { quantityMilli } from '../../quantity.ts';
import { durationNanoseconds } from '../../schema/scalars.ts';
import {
  duplicate,
  forbiddenField,
  notFoundField,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import type {
  ElasticityAction,
  ElasticityCapacity,
  ElasticityConstraints,
  ElasticityMetric,
  ElasticityPolicySpec,
  ElasticityPrediction,
  ElasticityTrigger,
} from './types.ts';

export const operators = ['!=', '<', '<=', '==', '>', '>='];
export const actionTypes = ['ScaleDown', 'ScaleIn', 'ScaleOut', 'ScaleUp', 'SetTo'];
const modes = ['Predictive', 'Reactive'];
const measures = ['AverageValue', 'Utilization', 'Value'];
const sources = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const;
const sourceTypes = Object.keys(sources);
const itemsMax = 32;
const countMax = 2 ** 31 - 1;
const second = 1_000_000_000n;
const day = 86_400n * second;

export function validatePolicySpec(problems: Problems, spec: ElasticityPolicySpec): void {
  const { scaleTargetRef, mode, triggers = [], actions = [], capacity, prediction, constraints } = spec;
  validateTarget(problems, scaleTargetRef);
  oneOf(problems, 'spec.mode', mode, modes);
  if (actions.length === 0 && capacity === undefined)
    problems.push(required('spec', 'must have actions with triggers, or a capacity, or both'));
  validateTriggers(problems, triggers);
  if (actions.length > itemsMax) problems.push(tooMany('spec.actions', actions.length, itemsMax));
  const names = new Set(triggers.map(({ name }) => name));
  actions.forEach((action, index) => {
    validateAction(problems, `spec.actions[${index}]`, action, names);
  });
  if (capacity !== undefined) validateCapacity(problems, capacity);
  if (mode === 'Predictive' && capacity === undefined)
    problems.push(required('spec.capacity', 'a Predictive policy forecasts the demand of its capacity'));
  if (prediction !== undefined) validatePrediction(problems, prediction, mode);
  validateConstraints(problems, constraints, [...triggers.map(({ metric }) => metric), capacity?.metric]);
  validateDuration(problems, 'spec.cooldown', spec.cooldown, 0n, day);
  validateDuration(problems, 'spec.scaleOutCooldown', spec.scaleOutCooldown, 0n, day);
}

function validateTarget(
  problems: Problems,
  target: ElasticityPolicySpec['scaleTargetRef'] | undefined,
): void {
  const at = 'spec.scaleTargetRef';
  const { kind = '', name = '', apiVersion = '' } = target ?? {};
  for (const [field, text] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (text === '') problems.push(required(`${at}.${field}`));
    for (const character of ['/', '%'])
      if (text.includes(character))
        problems.push(wrong(`${at}.${field}`, text, `may not contain '${character}'`));
  }
  if (apiVersion.split('/').length > 2)
    problems.push(wrong(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
}

function validateTriggers(problems: Problems, triggers: readonly ElasticityTrigger[]): void {
  if (triggers.length > itemsMax) problems.push(tooMany('spec.triggers', triggers.length, itemsMax));
  const seen = new Set<string>();
  triggers.forEach((trigger, index) => {
    const at = `spec.triggers[${index}]`;
    const { name = '', metric, measure, operator, threshold, duration } = trigger;
    if (name === '') problems.push(required(`${at}.name`));
    else if (seen.has(name)) problems.push(duplicate(`${at}.name`, name));
    seen.add(name);
    validateMetric(problems, `${at}.metric`, metric);
    oneOf(problems, `${at}.measure`, measure, measures);
    const type = metric?.type ?? '';
    if (measure === 'Utilization' && type !== 'Resource' && type !== 'ContainerResource')
      problems.push(
        wrong(`${at}.measure`, measure, 'only resources have a request that they can be a percentage of'),
      );
    oneOf(problems, `${at}.operator`, operator, operators, true);
    if (threshold === undefined || threshold === '') problems.push(required(`${at}.threshold`));
    validateDuration(problems, `${at}.duration`, duration, 0n, day);
  });
}

function validateMetric(problems: Problems, at: string, metric: ElasticityMetric | undefined): void {
  const type = metric?.type ?? '';
  oneOf(problems, `${at}.type`, type, sourceTypes, true);
  if (metric === undefined || !Object.hasOwn(sources, type)) return;
  const expected = sources[type as keyof typeof sources];
  for (const source of Object.values(sources))
    if (source !== expected && metric[source] !== undefined)
      problems.push(forbiddenField(`${at}.${source}`, `the metric is of type ${type}`));
  if (metric[expected] === undefined)
    problems.push(required(`${at}.${expected}`, `the metric is of type ${type}`));
  const { resource, containerResource, pods, object, external } = metric;
  const needs = (field: string, text: string | undefined): void => {
    if (text === undefined || text === '') problems.push(required(`${at}.${field}`));
  };
  if (resource !== undefined) needs('resource.name', resource.name);
  if (containerResource !== undefined) {
    needs('containerResource.name', containerResource.name);
    needs('containerResource.container', containerResource.container);
  }
  if (pods !== undefined) needs('pods.metric.name', pods.metric?.name);
  if (external !== undefined) needs('external.metric.name', external.metric?.name);
  if (object !== undefined) {
    needs('object.metric.name', object.metric?.name);
    needs('object.describedObject.kind', object.describedObject?.kind);
    needs('object.describedObject.name', object.describedObject?.name);
  }
}

function validateAction(
  problems: Problems,
  at: string,
  { type, amount, when = [] }: ElasticityAction,
  triggers: ReadonlySet<string>,
): void {
  oneOf(problems, `${at}.type`, type, actionTypes, true);
  if (amount === undefined) problems.push(required(`${at}.amount`));
  else if (type === 'SetTo') {
    if (typeof amount !== 'number' || amount < 0)
      problems.push(wrong(`${at}.amount`, amount, 'must be a number of replicas, 0 or more'));
  } else validatePortion(problems, `${at}.amount`, amount, 1, type === 'ScaleIn' || type === 'ScaleDown');
  if (when.length === 0) problems.push(required(`${at}.when`, 'must name the triggers that bring it about'));
  when.forEach((name, index) => {
    if (!triggers.has(name)) problems.push(notFoundField(`${at}.when[${index}]`, name));
  });
}

/** Replicas, or a percentage. */
function validatePortion(
  problems: Problems,
  field: string,
  value: number | string,
  least: number,
  isAtMostAll = false,
): void {
  const number =
    typeof value === 'number' ? value : /^\d{1,7}%$/.test(value) ? Number.parseInt(value, 10) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < least)
    problems.push(
      wrong(field, value, `must be a whole number of at least ${least}, or a percentage such as "25%"`),
    );
  else if (isAtMostAll && typeof value === 'string' && number > 100)
    problems.push(wrong(field, value, 'must not be greater than 100%'));
}

function validateCapacity(
  problems: Problems,
  { metric, perReplica, utilization, buffer, tolerance }: ElasticityCapacity,
): void {
  const at = 'spec.capacity';
  validateMetric(problems, `${at}.metric`, metric);
  if ((perReplica === undefined) === (utilization === undefined))
    problems.push(required(at, 'must have exactly one of `perReplica` and `utilization`'));
  if (perReplica !== undefined && (quantityMilli(perReplica) ?? 0) <= 0)
    problems.push(wrong(`${at}.perReplica`, perReplica, 'must be greater than 0'));
  if (utilization !== undefined) {
    if (utilization < 1) problems.push(wrong(`${at}.utilization`, utilization, 'must be greater than 0'));
    if (metric?.type !== 'Resource' && metric?.type !== 'ContainerResource')
      problems.push(
        wrong(
          `${at}.utilization`,
          utilization,
          'only resources have a request that they can be a percentage of',
        ),
      );
  }
  if (buffer !== undefined) validatePortion(problems, `${at}.buffer`, buffer, 0);
  if (tolerance === undefined) return;
  if (typeof tolerance !== 'string')
    problems.push(wrong(`${at}.tolerance`, tolerance, 'must be a percentage such as "10%"'));
  else validatePortion(problems, `${at}.tolerance`, tolerance, 0, true);
}

function validatePrediction(
  problems: Problems,
  { horizon, percentile, season, minHistory }: ElasticityPrediction,
  mode: string | undefined,
): void {
  const at = 'spec.prediction';
  if (mode !== 'Predictive') problems.push(forbiddenField(at, 'the mode is not Predictive'));
  validateDuration(problems, `${at}.horizon`, horizon, 15n * second, 3600n * second);
  validateDuration(problems, `${at}.season`, season, 600n * second, 7n * day);
  validateDuration(problems, `${at}.minHistory`, minHistory, 0n, 28n * day);
  if (percentile !== undefined && (percentile < 50 || percentile > 99))
    problems.push(wrong(`${at}.percentile`, percentile, 'must be between 50 and 99'));
}

function validateConstraints(
  problems: Problems,
  constraints: ElasticityConstraints | undefined,
  metrics: readonly (ElasticityMetric | undefined)[],
): void {
  const at = 'spec.constraints';
  const { minReplicas = 1, maxReplicas = 0, maxStep, maxRate, stabilization } = constraints ?? {};
  // None at all: only by what can be measured of nothing.
  const mayBeNone = metrics.some((one) => one?.type === 'Object' || one?.type === 'External');
  const least = mayBeNone ? 0 : 1;
  if (minReplicas < least)
    problems.push(wrong(`${at}.minReplicas`, minReplicas, `must be greater than or equal to ${least}`));
  if (maxReplicas < 1 || maxReplicas > countMax)
    problems.push(wrong(`${at}.maxReplicas`, maxReplicas, 'must be greater than 0'));
  else if (maxReplicas < minReplicas)
    problems.push(wrong(`${at}.maxReplicas`, maxReplicas, 'must be greater than or equal to `minReplicas`'));
  if (maxStep !== undefined) validatePortion(problems, `${at}.maxStep`, maxStep, 1);
  if (maxRate !== undefined) {
    if ((maxRate.replicas ?? 0) < 1)
      problems.push(wrong(`${at}.maxRate.replicas`, maxRate.replicas ?? 0, 'must be greater than 0'));
    if (maxRate.period === undefined) problems.push(required(`${at}.maxRate.period`));
    validateDuration(problems, `${at}.maxRate.period`, maxRate.period, second, day);
  }
  validateDuration(problems, `${at}.stabilization`, stabilization, 0n, day);
}

function validateDuration(
  problems: Problems,
  field: string,
  text: string | undefined,
  least: bigint,
  most: bigint,
): void {
  if (text === undefined) return;
  const value = durationNanoseconds(text);
  if (value === undefined || value < least || value > most)
    problems.push(wrong(field, text, `must be a duration between ${words(least)} and ${words(most)}`));
}

function words(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / second);
  if (seconds > 0 && seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
