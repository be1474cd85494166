/**
 * What label selector objects may look like.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation.
 */
import type { LabelSelector } from '../types/meta.v1.ts';
import { labelValue, qualifiedName } from './names.ts';
import { validateLabels } from './object-meta.ts';
import { forbiddenField, type Problems, required, wrong } from './problems.ts';

export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export function validateLabelSelector(
  problems: Problems,
  field: string,
  selector: LabelSelector | undefined,
): void {
  if (selector === undefined) return;
  if (selector.matchLabels !== undefined)
    validateLabels(problems, `${field}.matchLabels`, selector.matchLabels);
  selector.matchExpressions?.forEach((requirement, index) => {
    validateRequirement(problems, `${field}.matchExpressions[${index}]`, requirement);
  });
}

/** `Gt` and `Lt` are for node selectors alone. */
export function validateRequirement(
  problems: Problems,
  field: string,
  { key, operator, values = [] }: Requirement,
  comparesNumbers = false,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      problems.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      problems.push(
        forbiddenField(
          `${field}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
      );
  } else if (comparesNumbers && (operator === 'Gt' || operator === 'Lt')) {
    if (values.length !== 1)
      problems.push(
        required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
      );
  } else problems.push(wrong(`${field}.operator`, operator ?? '', 'not a valid selector operator'));
  validateLabelKey(problems, `${field}.key`, key ?? '');
  values.forEach((value, index) => {
    for (const why of labelValue(value)) problems.push(wrong(`${field}.values[${index}]`, value, why));
  });
}

export function validateLabelKey(problems: Problems, field: string, key: string): void {
  for (const why of qualifiedName(key)) problems.push(wrong(field, key, why));
}

/** It selects everything. */
export function isEmptySelector({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions?.length ?? 0) === 0;
}
