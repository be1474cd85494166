/**
 * When a job counts as failed or as done before all its pods are: pod failure policies, success policies.
 * Source: Kubernetes 1.36, pkg/apis/batch/validation, as behaviour.
 */
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from '../../types/batch.v1.ts';
import { qualifiedName } from '../../validation/names.ts';
import {
  duplicate,
  notNegative,
  notSupported,
  type Problems,
  required,
  tooLong,
  tooMany,
  wrong,
  wrongAsWhole,
} from '../../validation/problems.ts';
import { parseIndexes } from './indexes.ts';

const rulesMax = 20;
const exitCodesMax = 255;
const indexesBytesMax = 64 * 1024;

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const operators = ['In', 'NotIn'];
const conditionStatuses = ['False', 'True', 'Unknown'];

const validValues = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function oneOfThese(
  problems: Problems,
  field: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value === undefined || value === '') problems.push(required(field, validValues(supported)));
  else if (!supported.includes(value)) problems.push(notSupported(field, value, supported));
}

export function validatePodFailurePolicy(
  problems: Problems,
  field: string,
  { rules = [] }: PodFailurePolicy,
  spec: JobSpec,
): void {
  const at = `${field}.rules`;
  if (rules.length > rulesMax) problems.push(tooMany(at, rules.length, rulesMax));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  rules.forEach((rule, index) => {
    validateFailureRule(problems, `${at}[${index}]`, rule, spec, names);
  });
}

function validateFailureRule(
  problems: Problems,
  field: string,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
): void {
  oneOfThese(problems, `${field}.action`, action, actions);
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
    problems.push(wrong(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  if (onExitCodes !== undefined) validateExitCodes(problems, `${field}.onExitCodes`, onExitCodes, containers);
  validatePodConditions(problems, `${field}.onPodConditions`, onPodConditions);
  if (onExitCodes !== undefined && onPodConditions.length > 0)
    problems.push(wrongAsWhole(field, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  if (onExitCodes === undefined && onPodConditions.length === 0)
    problems.push(wrongAsWhole(field, 'specifying one of OnExitCodes and OnPodConditions is required'));
}

function validatePodConditions(
  problems: Problems,
  field: string,
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
): void {
  if (patterns.length > rulesMax) problems.push(tooMany(field, patterns.length, rulesMax));
  patterns.forEach(({ type, status }, index) => {
    const at = `${field}[${index}]`;
    for (const why of qualifiedName(type ?? '')) problems.push(wrong(`${at}.type`, type ?? '', why));
    oneOfThese(problems, `${at}.status`, status, conditionStatuses);
  });
}

function validateExitCodes(
  problems: Problems,
  field: string,
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>,
): void {
  oneOfThese(problems, `${field}.operator`, operator, operators);
  if (containerName !== undefined && !containers.has(containerName))
    problems.push(
      wrong(
        `${field}.containerName`,
        containerName,
        'must be one of the container or initContainer names in the pod template',
      ),
    );
  const at = `${field}.values`;
  if (values.length === 0) problems.push(wrong(at, values, 'at least one value is required'));
  else if (values.length > exitCodesMax) problems.push(tooMany(at, values.length, exitCodesMax));
  const seen = new Set<number>();
  values.forEach((value, index) => {
    if (operator === 'In' && value === 0)
      problems.push(wrong(`${at}[${index}]`, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) problems.push(duplicate(`${at}[${index}]`, value));
    seen.add(value);
  });
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value))
    problems.push(wrong(at, values, 'must be ordered'));
}

/** Of an indexed job, whose completions are known. */
export function validateSuccessPolicy(
  problems: Problems,
  field: string,
  { rules = [] }: SuccessPolicy,
  completions: number,
): void {
  const at = `${field}.rules`;
  if (rules.length === 0)
    problems.push(required(at, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > rulesMax) problems.push(tooMany(at, rules.length, rulesMax));
  rules.forEach((rule, index) => {
    validateSuccessRule(problems, `${at}[${index}]`, rule, completions);
  });
}

function validateSuccessRule(
  problems: Problems,
  field: string,
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
): void {
  if (succeededCount === undefined && succeededIndexes === undefined)
    problems.push(required(field, 'at least one of succeededCount or succeededIndexes must be specified'));
  let count = 0;
  if (succeededIndexes !== undefined) {
    const at = `${field}.succeededIndexes`;
    if (succeededIndexes.length > indexesBytesMax) problems.push(tooLong(at, indexesBytesMax));
    const indexes = parseIndexes(succeededIndexes, completions);
    if (indexes.kind === 'indexes') count = indexes.count;
    else problems.push(wrong(at, succeededIndexes, `error parsing succeededIndexes: ${indexes.why}`));
  }
  if (succeededCount === undefined) return;
  const at = `${field}.succeededCount`;
  notNegative(problems, at, succeededCount);
  if (succeededCount > completions)
    problems.push(
      wrong(
        at,
        succeededCount,
        `must be less than or equal to ${completions} (the number of specified completions)`,
      ),
    );
  if (succeededIndexes !== undefined && succeededCount > count)
    problems.push(
      wrong(
        at,
        succeededCount,
        `must be less than or equal to ${count} (the number of indexes in the specified succeededIndexes field)`,
      ),
    );
}
