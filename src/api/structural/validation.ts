/**
 * A schema as a function that holds documents against it: made once a version, closures all the way down.
 *
 *   schema ─compile─▶ check(value, old, findings)        no allocation while all is well
 *
 * Ratcheting: what was there before and has not changed may stay as it is, however wrong.
 * Messages as Kubernetes': clients and tests match on them. Source: Kubernetes' documentation of custom resources (validation, validation ratcheting);
 * k8s.io/kube-openapi validation, as behaviour.
 */

import { sameJson } from '../../lib/index.ts';
import { compileRegex } from '../cel/regex.ts';
import type { JSONSchemaProps } from '../types/apiextensions.v1.ts';
import type { Findings } from './findings.ts';
import { formatCheck } from './formats.ts';
import { isObject, type JsonObject } from './structure.ts';

type Schema = JSONSchemaProps;

/** `old`: the same place before, where there was one and it can be told which. */
export type Check = (value: unknown, old: unknown, findings: Findings) => void;

export function compileSchema(schema: Schema): Check {
  return ratcheting(checkOf(schema));
}

/** The problems of what did not change are forgotten. */
function ratcheting(check: Check): Check {
  return (value, old, findings) => {
    const { problems } = findings;
    const count = problems.length;
    check(value, old, findings);
    if (problems.length > count && old !== undefined && sameJson(value, old)) problems.length = count;
  };
}

function checkOf(schema: Schema): Check {
  const type = typeCheck(schema);
  const values = enumCheck(schema);
  const junctors = junctorCheck(schema);
  const text = textCheck(schema);
  const number = numberCheck(schema);
  const list = listCheck(schema);
  const object = objectCheck(schema);
  return (value, old, findings) => {
    findings.visits++;
    type?.(value, old, findings);
    if (value === null) {
      if (schema.nullable !== true) values?.(value, old, findings);
      return;
    }
    junctors?.(value, old, findings);
    if (typeof value === 'string') text?.(value, old, findings);
    else if (typeof value === 'number') number?.(value, old, findings);
    else if (Array.isArray(value)) list?.(value, old, findings);
    else if (typeof value === 'object') object?.(value, old, findings);
    values?.(value, old, findings);
  };
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typeCheck(schema: Schema): Check | undefined {
  const isEither = schema['x-kubernetes-int-or-string'] === true;
  const wanted = isEither
    ? ['integer', 'string']
    : schema.type === undefined || schema.type === ''
      ? []
      : [schema.type];
  const [only] = wanted;
  if (only === undefined) return undefined;
  const nullable = schema.nullable === true;
  const quick = wanted.length === 1 && only !== 'object' ? only : undefined;
  return (value, _old, findings) => {
    if (quick !== undefined && typeof value === quick) return;
    const found = typeOf(value);
    if (wanted.includes(found) || (found === 'integer' && wanted.includes('number'))) return;
    if (value === null && nullable) return;
    const why = `${findings.path} in body must be of type ${wanted.join(',')}: ${JSON.stringify(found)}`;
    findings.add('FieldValueTypeInvalid', `Invalid value: ${JSON.stringify(found)}: ${why}`);
  };
}

function enumCheck({ enum: values }: Schema): Check | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const supported = values.map((value) =>
    JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value)),
  );
  return (value, _old, findings) => {
    if (typeof value === 'string' ? texts.has(value) : values.some((one) => sameJson(one, value))) return;
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.join(', ')}`;
    findings.add('FieldValueNotSupported', message);
  };
}

function textCheck({ maxLength, minLength, pattern, format }: Schema): Check | undefined {
  const matches = pattern === undefined || pattern === '' ? undefined : regexOf(pattern);
  const isFormat = formatCheck(format);
  if (maxLength === undefined && minLength === undefined && matches === undefined && isFormat === undefined)
    return undefined;
  return (value, _old, findings) => {
    const text = value as string;
    // In code points a text is at most as long as in UTF-16, and at least half as long.
    if (maxLength !== undefined && text.length > maxLength && lengthOf(text) > maxLength)
      findings.add('FieldValueTooLong', `Too long: may not be more than ${maxLength} bytes`);
    if (minLength !== undefined && (text.length < minLength || lengthOf(text) < minLength))
      findings.invalid(text, `${findings.path} in body should be at least ${minLength} chars long`);
    if (matches !== undefined && !matches.test(text))
      findings.invalid(text, `${findings.path} in body should match '${pattern}'`);
    if (isFormat !== undefined && !isFormat(text)) {
      const why = `${findings.path} in body must be of type ${format}: ${JSON.stringify(text)}`;
      findings.add('FieldValueTypeInvalid', `Invalid value: ${JSON.stringify(text)}: ${why}`);
    }
  };
}

/** Definitions hold none that cannot be read; of one that came otherwise nothing is asked. */
function regexOf(pattern: string): { test(text: string): boolean } | undefined {
  try {
    return compileRegex(pattern);
  } catch {
    return undefined;
  }
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

function numberCheck(schema: Schema): Check | undefined {
  const { maximum, minimum, multipleOf, exclusiveMaximum = false, exclusiveMinimum = false } = schema;
  if (maximum === undefined && minimum === undefined && multipleOf === undefined) return undefined;
  return (value, _old, findings) => {
    const number = value as number;
    if (multipleOf !== undefined && !isMultiple(number, multipleOf))
      findings.invalid(number, `${findings.path} in body should be a multiple of ${multipleOf}`);
    if (maximum !== undefined && (exclusiveMaximum ? number >= maximum : number > maximum)) {
      const than = exclusiveMaximum ? 'less than' : 'less than or equal to';
      findings.invalid(number, `${findings.path} in body should be ${than} ${maximum}`);
    }
    if (minimum !== undefined && (exclusiveMinimum ? number <= minimum : number < minimum)) {
      const than = exclusiveMinimum ? 'greater than' : 'greater than or equal to';
      findings.invalid(number, `${findings.path} in body should be ${than} ${minimum}`);
    }
  };
}

/** Of decimal fractions too: 0.3 is a multiple of 0.1. */
function isMultiple(number: number, factor: number): boolean {
  if (factor <= 0) return true;
  const times = number / factor;
  return Math.abs(times - Math.round(times)) <= Math.abs(times) * Number.EPSILON * 4;
}

function listCheck(schema: Schema): Check | undefined {
  const { maxItems, minItems, uniqueItems = false, items } = schema;
  const each = items === undefined || Array.isArray(items) ? undefined : compileSchema(items as Schema);
  if (each === undefined && maxItems === undefined && minItems === undefined && !uniqueItems)
    return undefined;
  const keys = schema['x-kubernetes-list-type'] === 'map' ? schema['x-kubernetes-list-map-keys'] : undefined;
  return (value, old, findings) => {
    const list = value as readonly unknown[];
    if (each !== undefined) {
      const earlier = keys === undefined || !Array.isArray(old) ? undefined : elementsByKey(old, keys);
      for (let index = 0; index < list.length; index++) {
        findings.enter(index);
        each(
          list[index],
          earlier === undefined ? undefined : earlier.get(keyOf(list[index], keys)),
          findings,
        );
        findings.leave();
      }
    }
    const count = list.length;
    if (minItems !== undefined && count < minItems)
      findings.invalid(count, `${findings.path} in body should have at least ${minItems} items`);
    if (maxItems !== undefined && count > maxItems)
      findings.add('FieldValueTooMany', `Too many: ${count}: must have at most ${maxItems} items`);
    if (uniqueItems && hasTwins(list))
      findings.invalid('', `${findings.path} in body shouldn't contain duplicates`);
  };
}

/** Elements of a list with keys, by these; of two with the same key neither: nobody knows which is meant. */
export function elementsByKey(
  list: readonly unknown[],
  keys: readonly string[],
): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const element of list) {
    const key = keyOf(element, keys);
    if (key !== '') found.set(key, found.has(key) ? undefined : element);
  }
  return found;
}

export function keyOf(element: unknown, keys: readonly string[] | undefined): string {
  if (keys === undefined || !isObject(element)) return '';
  return JSON.stringify(keys.map((key) => element[key] ?? null));
}

function hasTwins(list: readonly unknown[]): boolean {
  return list.some((value, index) => list.slice(0, index).some((other) => sameJson(value, other)));
}

function objectCheck(schema: Schema): Check | undefined {
  const { minProperties, maxProperties, required = [], additionalProperties } = schema;
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([name, one]) => [name, compileSchema(one)]),
  );
  const additional =
    typeof additionalProperties === 'object' ? compileSchema(additionalProperties) : undefined;
  const isClosed = additionalProperties === false;
  const counts = minProperties !== undefined || maxProperties !== undefined;
  if (properties.size === 0 && additional === undefined && required.length === 0 && !counts && !isClosed)
    return undefined;
  return (value, old, findings) => {
    const object = value as JsonObject;
    if (counts && !countCheck(object, schema, findings)) return;
    const before = isObject(old) ? old : undefined;
    for (const field in object) {
      const check = properties.get(field) ?? additional;
      if (check === undefined) {
        if (isClosed) findings.invalid('', `${findings.path}.${field} in body is a forbidden property`);
        continue;
      }
      findings.enter(field);
      check(object[field], before?.[field], findings);
      findings.leave();
    }
    for (const field of required) {
      if (Object.hasOwn(object, field)) continue;
      findings.enter(field);
      findings.add('FieldValueRequired', 'Required value');
      findings.leave();
    }
  };
}

/** Where there are too many or too few, nothing else is told. */
function countCheck(
  object: JsonObject,
  { minProperties, maxProperties }: Schema,
  findings: Findings,
): boolean {
  const count = Object.keys(object).length;
  if (minProperties !== undefined && count < minProperties) {
    findings.invalid(count, `${findings.path} in body should have at least ${minProperties} properties`);
    return false;
  }
  if (maxProperties !== undefined && count > maxProperties) {
    findings.add('FieldValueTooMany', `Too many: ${count}: must have at most ${maxProperties} items`);
    return false;
  }
  return true;
}

function junctorCheck({ anyOf = [], oneOf = [], allOf = [], not }: Schema): Check | undefined {
  if (anyOf.length + oneOf.length + allOf.length === 0 && not === undefined) return undefined;
  const [anyChecks, oneChecks, allChecks] = [anyOf, oneOf, allOf].map((list) => list.map(compileSchema));
  const notCheck = not === undefined ? undefined : compileSchema(not);
  return (value, old, findings) => {
    if (anyChecks !== undefined && anyChecks.length > 0) {
      const { matches, best } = attempt(anyChecks, value, old, findings, true);
      if (matches === 0) {
        findings.composite('must validate at least one schema (anyOf)');
        findings.problems.push(...best);
      }
    }
    if (oneChecks !== undefined && oneChecks.length > 0) {
      const { matches, best } = attempt(oneChecks, value, old, findings, false);
      if (matches !== 1) {
        const found = matches === 0 ? 'Found none valid' : `Found ${matches} valid alternatives`;
        findings.composite(`must validate one and only one schema (oneOf). ${found}`);
        if (matches === 0) findings.problems.push(...best);
      }
    }
    if (allChecks !== undefined && allChecks.length > 0) checkAll(allChecks, value, old, findings);
    if (notCheck !== undefined && attempt([notCheck], value, old, findings, true).matches === 1)
      findings.composite('must not validate the schema (not)');
  };
}

function checkAll(checks: readonly Check[], value: unknown, old: unknown, findings: Findings): void {
  let matches = 0;
  for (const check of checks) {
    const count = findings.problems.length;
    check(value, old, findings);
    if (findings.problems.length === count) matches++;
  }
  if (matches === checks.length) return;
  findings.composite(`must validate all the schemas (allOf)${matches === 0 ? '. None validated' : ''}`);
}

interface Attempts {
  readonly matches: number;
  /** What the alternative that came farthest found wrong. */
  readonly best: Findings['problems'];
}

/** Tries each alternative; what they find does not stay. */
function attempt(
  checks: readonly Check[],
  value: unknown,
  old: unknown,
  findings: Findings,
  oneIsEnough: boolean,
): Attempts {
  const { problems } = findings;
  let matches = 0;
  let best: Findings['problems'] = [];
  let bestVisits = -1;
  for (const check of checks) {
    const count = problems.length;
    const visits = findings.visits;
    check(value, old, findings);
    if (problems.length === count) {
      matches++;
      if (oneIsEnough) return { matches, best: [] };
      continue;
    }
    const found = problems.splice(count);
    if (findings.visits - visits > bestVisits) {
      bestVisits = findings.visits - visits;
      best = found;
    }
  }
  return { matches, best };
}
