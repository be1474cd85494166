/**
 * What validating and mutating policies and their bindings have in common: what they match, variables, parameters.
 * Expressions are looked at for presence only: `expressions.ts` compiles them.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration/validation, as behaviour.
 */
import type { Draft } from '../../object.ts';
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  ParamRef,
  Variable,
} from '../../types/admissionregistration.v1.ts';
import { validateLabelKey, validateLabelSelector } from '../../validation/label-selectors.ts';
import { dns1035Name, pathSegmentName, subdomainName } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { applyRuleDefaults, validateNamedRules } from './rules.ts';

export const failurePolicies = ['Fail', 'Ignore'];
export const matchPolicies = ['Equivalent', 'Exact'];
export const reinvocationPolicies = ['IfNeeded', 'Never'];
const conditionsMax = 64;
const notFoundActions = ['Deny', 'Allow'];
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** Something that must be one of a few words. */
export function validateWord(
  problems: Problems,
  field: string,
  word: string | undefined,
  words: readonly string[],
): void {
  if (word === undefined) problems.push(required(field));
  else if (!words.includes(word)) problems.push(notSupported(field, word, words));
}

export function applyMatchDefaults(match: Draft<MatchResources> | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  applyRuleDefaults(match.resourceRules);
  applyRuleDefaults(match.excludeResourceRules);
}

export function validateMatch(problems: Problems, field: string, match: MatchResources | undefined): void {
  if (match === undefined) return;
  validateWord(problems, `${field}.matchPolicy`, match.matchPolicy, matchPolicies);
  for (const name of ['namespaceSelector', 'objectSelector'] as const)
    if (match[name] === undefined) problems.push(required(`${field}.${name}`));
    else validateLabelSelector(problems, `${field}.${name}`, match[name]);
  validateNamedRules(problems, `${field}.resourceRules`, match.resourceRules);
  validateNamedRules(problems, `${field}.excludeResourceRules`, match.excludeResourceRules);
}

/** A policy has to say what it is about. */
export function validateConstraints(
  problems: Problems,
  field: string,
  match: MatchResources | undefined,
): void {
  if (match === undefined) problems.push(required(field));
  validateMatch(problems, field, match);
  if (match !== undefined && (match.resourceRules?.length ?? 0) === 0)
    problems.push(required(`${field}.resourceRules`));
}

export function validateMatchConditions(
  problems: Problems,
  field: string,
  conditions: readonly MatchCondition[] | undefined,
): void {
  const count = conditions?.length ?? 0;
  if (count > conditionsMax) problems.push(tooMany(field, count, conditionsMax));
  const names = new Set<string>();
  conditions?.forEach(({ name = '', expression = '' }, index) => {
    const at = `${field}[${index}]`;
    if (expression.trim() === '') problems.push(required(`${at}.expression`));
    if (name === '') problems.push(required(`${at}.name`));
    else {
      validateLabelKey(problems, `${at}.name`, name);
      if (names.has(name)) problems.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
  });
}

export function validateVariables(
  problems: Problems,
  field: string,
  variables: readonly Variable[] | undefined,
): void {
  variables?.forEach(({ name = '', expression = '' }, index) => {
    const at = `${field}[${index}]`;
    if (name.trim() === '') problems.push(required(`${at}.name`, 'name is not specified'));
    else if (!identifier.test(name) || reserved.has(name))
      problems.push(wrong(`${at}.name`, name, 'name is not a valid CEL identifier'));
    validateExpression(problems, `${at}.expression`, expression);
  });
}

export function validateExpression(problems: Problems, field: string, expression = ''): void {
  if (expression.trim() === '') problems.push(required(field, 'expression is not specified'));
}

export function validateParamKind(
  problems: Problems,
  field: string,
  { apiVersion = '', kind = '' }: ParamKind,
): void {
  if (apiVersion === '') problems.push(required(`${field}.apiVersion`));
  else validateApiVersion(problems, `${field}.apiVersion`, apiVersion);
  if (kind === '') {
    problems.push(required(`${field}.kind`));
    return;
  }
  const reasons = dns1035Name(kind.toLowerCase());
  if (reasons.length > 0)
    problems.push(
      wrong(`${field}.kind`, kind, `may have mixed case, but should otherwise match: ${reasons.join(',')}`),
    );
}

function validateApiVersion(problems: Problems, field: string, apiVersion: string): void {
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2) {
    problems.push(wrong(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    return;
  }
  const version = parts.at(-1) ?? '';
  const group = parts.length === 2 ? (parts[0] ?? '') : '';
  const groupReasons = group === '' ? [] : subdomainName(group);
  if (groupReasons.length > 0) problems.push(wrong(field, group, groupReasons.join(',')));
  const versionReasons = dns1035Name(version);
  if (version === '') problems.push(wrong(field, apiVersion, 'version must be specified'));
  else if (versionReasons.length > 0) problems.push(wrong(field, version, versionReasons.join(',')));
}

export function validateParamRef(problems: Problems, field: string, ref: ParamRef | undefined): void {
  if (ref === undefined) return;
  const { name = '', selector, parameterNotFoundAction: action = '' } = ref;
  const both = 'name and selector are mutually exclusive';
  for (const why of pathSegmentName(name)) problems.push(wrong(`${field}.name`, name, why));
  if (name !== '' && selector !== undefined) problems.push(forbiddenField(`${field}.name`, both));
  validateLabelSelector(problems, `${field}.selector`, selector);
  if (name !== '' && selector !== undefined) problems.push(forbiddenField(`${field}.selector`, both));
  if (name === '' && selector === undefined)
    problems.push(required(field, 'one of name or selector must be specified'));
  if (action === '') problems.push(required(`${field}.parameterNotFoundAction`));
  else if (!notFoundActions.includes(action))
    problems.push(notSupported(`${field}.parameterNotFoundAction`, action, notFoundActions));
}

const mutableOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** What is deleted cannot be changed. Kubernetes names no rule here. */
export function validateMutableOperations(
  problems: Problems,
  field: string,
  match: MatchResources | undefined,
): void {
  for (const operation of match?.resourceRules?.flatMap(({ operations = [] }) => operations) ?? [])
    if (!mutableOperations.includes(operation))
      problems.push(notSupported(`${field}.resourceRules.operations`, operation, mutableOperations));
}
