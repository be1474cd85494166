/**
 * Conditions of the form that all newer kinds share.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation.
 */
import type { Condition } from '../types/meta.v1.ts';
import { validateLabelKey } from './label-selectors.ts';
import { duplicate, notNegative, notSupported, type Problems, required, tooLong, wrong } from './problems.ts';

const statuses = ['False', 'True', 'Unknown'];
const messageBytesMax = 32 * 1024;
const reasonBytesMax = 1024;
const reasonText = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${reasonText}$`);
const reasonWhy = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${reasonText}')`;

export function validateConditions(
  problems: Problems,
  field: string,
  conditions: readonly Condition[] | undefined,
): void {
  const types = new Set<string>();
  conditions?.forEach((condition, index) => {
    const at = `${field}[${index}]`;
    if (types.has(condition.type)) problems.push(duplicate(`${at}.type`, condition.type));
    types.add(condition.type);
    validateCondition(problems, at, condition);
  });
}

function validateCondition(
  problems: Problems,
  field: string,
  { type = '', status = '', observedGeneration, lastTransitionTime, reason = '', message = '' }: Condition,
): void {
  validateLabelKey(problems, `${field}.type`, type);
  if (!statuses.includes(status)) problems.push(notSupported(`${field}.status`, status, statuses));
  notNegative(problems, `${field}.observedGeneration`, observedGeneration);
  if ((lastTransitionTime ?? '') === '')
    problems.push(required(`${field}.lastTransitionTime`, 'must be set'));
  if (reason === '') problems.push(required(`${field}.reason`, 'must be set'));
  else {
    if (!reasonPattern.test(reason)) problems.push(wrong(`${field}.reason`, reason, reasonWhy));
    if (Buffer.byteLength(reason) > reasonBytesMax) problems.push(tooLong(`${field}.reason`, reasonBytesMax));
  }
  if (Buffer.byteLength(message) > messageBytesMax)
    problems.push(tooLong(`${field}.message`, messageBytesMax));
}
