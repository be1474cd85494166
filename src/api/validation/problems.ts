/**
 * Field problems, worded as Kubernetes words them. `message` is the whole text after the field's path.
 * Source: k8s.io/apimachinery/pkg/util/validation/field.
 */
import type { FieldProblem } from '../kind.ts';

export type Problems = FieldProblem[];

export function required(field: string, why = ''): FieldProblem {
  return {
    reason: 'FieldValueRequired',
    field,
    message: why === '' ? 'Required value' : `Required value: ${why}`,
  };
}

export function wrong(field: string, value: unknown, why: string): FieldProblem {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${shown(value)}: ${why}` };
}

/** Where no one value is to blame, or the value is not to be shown. */
export function wrongAsWhole(field: string, why: string): FieldProblem {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${why}` };
}

/** `supported` in the order in which it is to be named: Kubernetes sorts most of its lists. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldProblem {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${shown(value)}: supported values: ${list}`,
  };
}

export function duplicate(field: string, value: unknown): FieldProblem {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}` };
}

export function forbiddenField(field: string, why: string): FieldProblem {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` };
}

export function tooLong(field: string, maximum: number): FieldProblem {
  return {
    reason: 'FieldValueTooLong',
    field,
    message: `Too long: may not be more than ${maximum} bytes`,
  };
}

export function notFoundField(field: string, value: unknown): FieldProblem {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${shown(value)}` };
}

export function tooMany(field: string, count: number, maximum: number): FieldProblem {
  return {
    reason: 'FieldValueTooMany',
    field,
    message: `Too many: ${count}: must have at most ${maximum} items`,
  };
}

/** Texts quoted, all else as JSON. */
function shown(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** `value` stands in `supported`, or there is a problem; a missing value is a problem only where `isRequired`. */
export function oneOf(
  problems: Problems,
  field: string,
  value: string | undefined,
  supported: readonly string[],
  isRequired = false,
): void {
  if (value === undefined || value === '') {
    if (isRequired) problems.push(required(field));
  } else if (!supported.includes(value)) problems.push(notSupported(field, value, supported));
}

export const notNegativeWhy = 'must be greater than or equal to 0';

export function notNegative(problems: Problems, field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) problems.push(wrong(field, value, notNegativeWhy));
}

export const immutableWhy = 'field is immutable';
