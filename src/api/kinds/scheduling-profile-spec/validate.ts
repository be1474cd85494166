/** What a scheduling profile may say. Each refusal tells what would be right. */
import { quantityMilli } from '../../quantity.ts';
import { subdomainName } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  oneOf,
  type Problems,
  required,
  tooLong,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { compileCustomScore, expressionMax } from './custom-score.ts';
import type {
  CustomScore,
  NodePrice,
  ProfileLocations,
  SchedulingProfileSpec,
  ScoringStrategy,
  ShapePoint,
} from './types.ts';

export const strategyNames = [
  'BinPack',
  'ConsistentHash',
  'CostAware',
  'Custom',
  'Default',
  'FragmentationAware',
  'IPHash',
  'LeastConnections',
  'LeastLoaded',
  'LeastResponseTime',
  'LocationAware',
  'RoundRobin',
  'Spread',
  'WeightedRoundRobin',
] as const;
export type StrategyName = (typeof strategyNames)[number];
export const workloadTypes = ['CPUIntensive', 'LatencySensitive', 'MemoryIntensive'] as const;
export const scorePlugins = [
  'ImageLocality',
  'InterPodAffinity',
  'NodeAffinity',
  'NodeResourcesBalancedAllocation',
  'NodeResourcesFit',
  'PodTopologySpread',
  'TaintToleration',
] as const;
export const capacityTypes = ['OnDemand', 'Reserved', 'Spot'];
const fitTypes = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'];
const weightMax = 1000;
const itemsMax = 256;
const levels = ['region', 'zone', 'datacenter', 'rack'] as const;

export function validateProfileSpec(problems: Problems, spec: SchedulingProfileSpec): void {
  const { schedulerName, strategy, workloads = [], weights = {}, strategyWeight } = spec;
  for (const why of schedulerName === undefined ? [] : subdomainName(schedulerName))
    problems.push(wrong('spec.schedulerName', schedulerName, why));
  oneOf(problems, 'spec.strategy', strategy, strategyNames);
  if (strategyWeight !== undefined) weight(problems, 'spec.strategyWeight', strategyWeight, 0);
  const seen = new Set<string>();
  workloads.forEach(({ type, strategy: own }, index) => {
    const at = `spec.workloads[${index}]`;
    oneOf(problems, `${at}.type`, type, workloadTypes);
    oneOf(problems, `${at}.strategy`, own, strategyNames);
    if (seen.has(type)) problems.push(duplicate(`${at}.type`, type));
    seen.add(type);
  });
  for (const [name, value] of Object.entries(weights)) {
    oneOf(problems, `spec.weights[${name}]`, name, scorePlugins);
    weight(problems, `spec.weights[${name}]`, value, 0);
  }
  if (spec.scoringStrategy !== undefined) validateScoring(problems, spec.scoringStrategy);
  if (spec.custom !== undefined) validateCustom(problems, spec.custom);
  const isCustom = [strategy, ...workloads.map((one) => one.strategy)].includes('Custom');
  if (isCustom && spec.custom === undefined)
    problems.push(required('spec.custom', 'the strategy Custom needs an expression or a function'));
  validatePrices(problems, spec.prices ?? []);
  if (spec.locations !== undefined) validateLocations(problems, spec.locations);
}

function weight(problems: Problems, field: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    problems.push(wrong(field, value, `must be greater than or equal to ${least}`));
  if (value > weightMax) problems.push(wrong(field, value, `must be less than or equal to ${weightMax}`));
}

/** As kube-scheduler validates NodeResourcesFitArgs. */
function validateScoring(problems: Problems, scoring: ScoringStrategy): void {
  const at = 'spec.scoringStrategy';
  const { type, resources = [], requestedToCapacityRatio } = scoring;
  oneOf(problems, `${at}.type`, type, fitTypes);
  if (resources.length > itemsMax) problems.push(tooMany(`${at}.resources`, resources.length, itemsMax));
  const names = new Set<string>();
  resources.forEach(({ name, weight: own = 1 }, index) => {
    if (name === '') problems.push(required(`${at}.resources[${index}].name`));
    if (names.has(name)) problems.push(duplicate(`${at}.resources[${index}].name`, name));
    names.add(name);
    if (own < 1 || own > 100)
      problems.push(
        wrong(`${at}.resources[${index}].weight`, own, 'resource weight must be in the range [1, 100]'),
      );
  });
  if (type === 'RequestedToCapacityRatio')
    validateShape(problems, `${at}.requestedToCapacityRatio.shape`, requestedToCapacityRatio?.shape ?? []);
  else if (requestedToCapacityRatio !== undefined)
    problems.push(
      forbiddenField(
        `${at}.requestedToCapacityRatio`,
        'may only be set when `type` is RequestedToCapacityRatio',
      ),
    );
}

function validateShape(problems: Problems, at: string, shape: readonly ShapePoint[]): void {
  if (shape.length === 0) problems.push(required(at, 'at least one point must be specified'));
  shape.forEach(({ utilization, score }, index) => {
    const before = shape[index - 1];
    if (utilization < 0 || utilization > 100)
      problems.push(
        wrong(`${at}[${index}].utilization`, utilization, 'utilization values must be in the range [0, 100]'),
      );
    if (before !== undefined && utilization <= before.utilization)
      problems.push(
        wrong(
          `${at}[${index}].utilization`,
          utilization,
          'utilization values must be sorted in increasing order',
        ),
      );
    if (score < 0 || score > 10)
      problems.push(wrong(`${at}[${index}].score`, score, 'score values must be in the range [0, 10]'));
  });
}

function validateCustom(problems: Problems, { expression, function: name }: CustomScore): void {
  const at = 'spec.custom';
  if ((expression === undefined) === (name === undefined))
    problems.push(required(at, 'exactly one of `expression` and `function` is required'));
  if (name === '') problems.push(required(`${at}.function`));
  if (expression === undefined) return;
  if (expression.trim() === '') problems.push(required(`${at}.expression`));
  else if (expression.length > expressionMax) problems.push(tooLong(`${at}.expression`, expressionMax));
  else {
    const { text } = compileCustomScore(expression);
    if (text !== undefined) problems.push(wrong(`${at}.expression`, expression, text));
  }
}

function validatePrices(problems: Problems, prices: readonly NodePrice[]): void {
  if (prices.length > itemsMax) problems.push(tooMany('spec.prices', prices.length, itemsMax));
  prices.forEach(({ capacityType, hourly }, index) => {
    const at = `spec.prices[${index}]`;
    oneOf(problems, `${at}.capacityType`, capacityType, capacityTypes);
    const milli = quantityMilli(hourly);
    if (milli === undefined)
      problems.push(wrong(`${at}.hourly`, hourly, "must be a decimal number, as '0.096'"));
    else if (milli < 0) problems.push(wrong(`${at}.hourly`, hourly, 'must be greater than or equal to 0'));
  });
}

function validateLocations(problems: Problems, { preferred = [], labels = {} }: ProfileLocations): void {
  const at = 'spec.locations';
  if (preferred.length > itemsMax) problems.push(tooMany(`${at}.preferred`, preferred.length, itemsMax));
  preferred.forEach((place, index) => {
    if (levels.every((level) => (place[level] ?? '') === ''))
      problems.push(
        required(`${at}.preferred[${index}]`, 'must name at least one of region, zone, datacenter and rack'),
      );
    if (place.weight !== undefined) weight(problems, `${at}.preferred[${index}].weight`, place.weight, 1);
  });
  for (const level of levels)
    if (labels[level] === '') problems.push(required(`${at}.labels.${level}`, 'must be the key of a label'));
}
