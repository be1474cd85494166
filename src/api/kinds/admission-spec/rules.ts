/**
 * Which requests an admission rule is about: operations on resources.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration/validation, as behaviour.
 */
import type { Draft } from '../../object.ts';
import type { NamedRuleWithOperations, RuleWithOperations } from '../../types/admissionregistration.v1.ts';
import { pathSegmentName } from '../../validation/names.ts';
import { duplicate, notSupported, type Problems, required, wrong } from '../../validation/problems.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];

export function applyRuleDefaults(rules: readonly Draft<RuleWithOperations>[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

export function validateRules(
  problems: Problems,
  field: string,
  rules: readonly RuleWithOperations[] | undefined,
): void {
  rules?.forEach((rule, index) => {
    validateRule(problems, `${field}[${index}]`, rule);
  });
}

export function validateNamedRules(
  problems: Problems,
  field: string,
  rules: readonly NamedRuleWithOperations[] | undefined,
): void {
  rules?.forEach((rule, index) => {
    const at = `${field}[${index}]`;
    const names = new Set<string>();
    rule.resourceNames?.forEach((name, position) => {
      const each = `${at}.resourceNames[${position}]`;
      for (const why of pathSegmentName(name)) problems.push(wrong(each, name, why));
      if (names.has(name)) problems.push(duplicate(each, name));
      names.add(name);
    });
    validateRule(problems, at, rule);
  });
}

function validateRule(problems: Problems, field: string, rule: RuleWithOperations): void {
  validateList(problems, `${field}.operations`, rule.operations ?? [], 'operations');
  rule.operations?.forEach((operation, index) => {
    if (!operations.includes(operation))
      problems.push(notSupported(`${field}.operations[${index}]`, operation, operations));
  });
  validateList(problems, `${field}.apiGroups`, rule.apiGroups ?? [], 'API groups');
  validateList(problems, `${field}.apiVersions`, rule.apiVersions ?? [], 'API versions');
  rule.apiVersions?.forEach((version, index) => {
    if (version === '') problems.push(required(`${field}.apiVersions[${index}]`));
  });
  validateResources(problems, `${field}.resources`, rule.resources ?? []);
  if (rule.scope !== undefined && !scopes.includes(rule.scope))
    problems.push(notSupported(`${field}.scope`, rule.scope, scopes));
}

/** Something, and where all are meant, nothing else. */
function validateList(problems: Problems, field: string, list: readonly string[], what: string): void {
  if (list.length === 0) problems.push(required(field));
  if (list.length > 1 && list.includes('*'))
    problems.push(wrong(field, list, `if '*' is present, must not specify other ${what}`));
}

/** `pods`, `pods/status`, `pods/*`, `*` (all, without subresources), `*` and a subresource, or all with all. */
function validateResources(problems: Problems, field: string, resources: readonly string[]): void {
  if (resources.length === 0) problems.push(required(field));
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  resources.forEach((text, index) => {
    const at = `${field}[${index}]`;
    const slash = text.indexOf('/');
    if (text === '') problems.push(required(at));
    if (slash < 0) return;
    const [resource, subresource] = [text.slice(0, slash), text.slice(slash + 1)];
    if (wholeResources.has(resource))
      problems.push(wrong(at, text, `if '${resource}/*' is present, must not specify ${text}`));
    if (wholeSubresources.has(subresource))
      problems.push(wrong(at, text, `if '*/${subresource}' is present, must not specify ${text}`));
    if (subresource === '*') wholeResources.add(resource);
    if (resource === '*') wholeSubresources.add(subresource);
  });
  if (resources.length > 1 && resources.includes('*/*'))
    problems.push(wrong(field, resources, "if '*/*' is present, must not specify other resources"));
  // As Kubernetes has it: only the last name without a subresource counts.
  const last = resources.filter((text) => text !== '' && !text.includes('/')).at(-1) ?? '*';
  if (resources.includes('*') && last !== '*')
    problems.push(
      wrong(field, resources, "if '*' is present, must not specify other resources without subresources"),
    );
}
