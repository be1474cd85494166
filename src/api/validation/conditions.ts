/**
 * What conditions in a status may look like.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation.
 */
import type { Condition } from '../types/meta.v1.ts';
import { qualifiedName } from './names.ts';
import { duplicate, notSupported, type Problems, required, tooLong, wrong } from './problems.ts';

const statuses = ['False', 'True', 'Unknown'];
const reasonLengthMax = 1024;
const messageLengthMax = 32 * 1024;
const reasonPattern = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;

export function validateConditions(
  problems: Problems,
  field: string,
  conditions: readonly Condition[],
): void {
  const types = new Set<string>();
  conditions.forEach((condition, index) => {
    const at = `${field}[${index}]`;
    if (types.has(condition.type)) problems.push(duplicate(`${at}.type`, condition.type));
    types.add(condition.type);
    validateCondition(problems, at, condition);
  });
}

function validateCondition(problems: Problems, field: string, condition: Condition): void {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition;
  for (const why of qualifiedName(type)) problems.push(wrong(`${field}.type`, type, why));
  if (!statuses.includes(status)) problems.push(notSupported(`${field}.status`, status, statuses));
  if (observedGeneration < 0)
    problems.push(
      wrong(`${field}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'),
    );
  if (!lastTransitionTime) problems.push(required(`${field}.lastTransitionTime`, 'must be set'));
  if (reason === '') problems.push(required(`${field}.reason`, 'must be set'));
  else {
    if (!reasonPattern.test(reason))
      problems.push(
        wrong(
          `${field}.reason`,
          reason,
          "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
        ),
      );
    if (reason.length > reasonLengthMax) problems.push(tooLong(`${field}.reason`, reasonLengthMax));
  }
  if (message.length > messageLengthMax) problems.push(tooLong(`${field}.message`, messageLengthMax));
}
