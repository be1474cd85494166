/**
 * Rules of roles: does one allow a request, and do some allow everything that another does. Pure.
 * Source: Kubernetes' documentation of RBAC; k8s.io/component-helpers/auth/rbac/validation.
 */
import type { PolicyRule } from '../../api/index.ts';

/** What a request asks for. */
export type Attributes =
  | {
      readonly kind: 'resource';
      /** get, list, watch, create, update, patch, delete, deletecollection, or one of a resource's own (`bind`, `impersonate`). */
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      /** '' where the request names none. */
      readonly name: string;
      /** For others that are asked; roles look at neither. */
      readonly version?: string;
      readonly selectors?: Selectors;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

/** What a list, a watch or a deletion of many is narrowed to, as the request wrote it. */
export interface Selectors {
  readonly field?: string;
  readonly label?: string;
}

export function allows(rule: PolicyRule, asked: Attributes): boolean {
  if (!has(rule.verbs, asked.verb)) return false;
  if (asked.kind === 'path') return (rule.nonResourceURLs ?? []).some((url) => coversPath(url, asked.path));
  return (
    has(rule.apiGroups, asked.group) &&
    (rule.resources ?? []).some((one) => coversResource(one, asked.resource, asked.subresource)) &&
    (rule.resourceNames === undefined ||
      rule.resourceNames.length === 0 ||
      rule.resourceNames.includes(asked.name))
  );
}

const has = (list: readonly string[] | undefined, one: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(one));

/** Everything, a resource, a resource's subresource, a subresource of everything. */
function coversResource(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === '*') return true;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return pattern === whole || (subresource !== '' && pattern === `*/${subresource}`);
}

/** `*`, `/healthz`, `/healthz/*`. */
function coversPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
}

/** The parts of `wanted` that `owned` does not allow. Each part is a rule of one verb, one resource (or path), one name. */
export function uncovered(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted.flatMap(partsOf).filter((part) => !owned.some((rule) => covers(rule, part)));
}

function partsOf(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? []) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) parts.push(part);
        else for (const name of names) parts.push({ ...part, resourceNames: [name] });
      }
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return parts;
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  if (!has(rule.verbs, part.verbs[0] ?? '')) return false;
  const [url] = part.nonResourceURLs ?? [];
  if (url !== undefined) return (rule.nonResourceURLs ?? []).some((own) => coversPath(own, url));
  const [whole = ''] = part.resources ?? [];
  const [resource = '', subresource = ''] = whole.split('/', 2);
  if (!has(rule.apiGroups, part.apiGroups?.[0] ?? '')) return false;
  const isResourceCovered = (rule.resources ?? []).some(
    (own) => own === whole || (whole !== '*' && coversResource(own, resource, subresource)),
  );
  const names = rule.resourceNames ?? [];
  const [name] = part.resourceNames ?? [];
  return isResourceCovered && (names.length === 0 || (name !== undefined && names.includes(name)));
}

/** As Kubernetes shows it in errors: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function ruleText(rule: PolicyRule): string {
  const list = (values: readonly string[] | undefined): string =>
    (values ?? []).map((one) => JSON.stringify(one)).join(' ');
  const parts: string[] = [];
  if (rule.nonResourceURLs !== undefined) parts.push(`NonResourceURLs:[${list(rule.nonResourceURLs)}]`);
  if (rule.apiGroups !== undefined) parts.push(`APIGroups:[${list(rule.apiGroups)}]`);
  if (rule.resources !== undefined) parts.push(`Resources:[${list(rule.resources)}]`);
  if (rule.resourceNames !== undefined) parts.push(`ResourceNames:[${list(rule.resourceNames)}]`);
  return `{${[...parts, `Verbs:[${list(rule.verbs)}]`].join(', ')}}`;
}
