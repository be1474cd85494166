/**
 * Audit policies: of which requests how much is kept. Pure.
 * Source: Kubernetes, "Auditing", audit.k8s.io/v1 Policy; k8s.io/apiserver/pkg/audit/policy, as behaviour.
 */
import { CaelumError } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Identity } from '../identity.ts';

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Level = (typeof levels)[number];
export type Stage = (typeof stages)[number];

interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

interface Rule {
  readonly level: Level;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean | undefined;
}

export interface Verdict {
  readonly level: Exclude<Level, 'None'>;
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}

export interface AuditPolicy {
  /** undefined: nothing is kept. */
  verdict(identity: Identity | undefined, asked: Attributes): Verdict | undefined;
}

/** From a policy as it was parsed. Throws `invalid`, naming the field. */
export function readAuditPolicy(value: unknown): AuditPolicy {
  const policy = fieldsOf(value, 'policy');
  if (policy['kind'] !== 'Policy' || policy['apiVersion'] !== 'audit.k8s.io/v1')
    throw wrong(
      'policy',
      `it is no Policy of audit.k8s.io/v1 but ${policy['kind']} of ${policy['apiVersion']}`,
    );
  const omitted = stagesOf(policy['omitStages'], 'omitStages');
  const omitManagedFields = flagOf(policy['omitManagedFields'], 'omitManagedFields') ?? false;
  const rules = listOf(policy['rules'], 'rules').map((rule, index) => ruleOf(rule, `rules[${index}]`));
  if (rules.length === 0) throw wrong('rules', 'a policy has at least one rule');
  const verdicts = rules.map((rule): Verdict | undefined =>
    rule.level === 'None'
      ? undefined
      : {
          level: rule.level,
          omitStages: new Set([...omitted, ...rule.omitStages]),
          omitManagedFields: rule.omitManagedFields ?? omitManagedFields,
        },
  );
  return {
    verdict(identity, asked) {
      for (let at = 0; at < rules.length; at++)
        if (matches(rules[at] as Rule, identity, asked)) return verdicts[at];
      return undefined;
    },
  };
}

function matches(rule: Rule, identity: Identity | undefined, asked: Attributes): boolean {
  if (rule.users.length > 0 && !rule.users.includes(identity?.user ?? '')) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((one) => identity?.groups.includes(one) === true))
    return false;
  if (rule.verbs.length > 0 && !rule.verbs.includes(asked.verb)) return false;
  if (rule.resources.length > 0 || rule.namespaces.length > 0) return matchesResource(rule, asked);
  if (rule.nonResourceURLs.length > 0)
    return asked.kind === 'path' && rule.nonResourceURLs.some((url) => matchesPath(url, asked.path));
  return true;
}

function matchesResource({ namespaces, resources }: Rule, asked: Attributes): boolean {
  if (asked.kind !== 'resource') return false;
  if (namespaces.length > 0 && !namespaces.includes(asked.namespace)) return false;
  if (resources.length === 0) return true;
  const { group, resource, subresource, name } = asked;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some((one) => {
    if (one.group !== group) return false;
    if (one.resources.length === 0) return true;
    if (one.resourceNames.length > 0 && !one.resourceNames.includes(name)) return false;
    return one.resources.some(
      (pattern) =>
        pattern === '*' ||
        pattern === whole ||
        (subresource !== '' && pattern === `*/${subresource}`) ||
        pattern === `${resource}/*`,
    );
  });
}

const matchesPath = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));

function ruleOf(value: unknown, at: string): Rule {
  const rule = fieldsOf(value, at);
  const known = [
    'level',
    'users',
    'userGroups',
    'verbs',
    'resources',
    'namespaces',
    'nonResourceURLs',
    'omitStages',
    'omitManagedFields',
  ];
  for (const name of Object.keys(rule))
    if (!known.includes(name)) throw wrong(`${at}.${name}`, 'no such field');
  const level = levels.find((one) => one === rule['level']);
  if (level === undefined) throw wrong(`${at}.level`, `it is none of ${levels.join(', ')}`);
  const resources = listOf(rule['resources'], `${at}.resources`).map((one, index) => {
    const fields = fieldsOf(one, `${at}.resources[${index}]`);
    const group = fields['group'] ?? '';
    if (typeof group !== 'string') throw wrong(`${at}.resources[${index}].group`, 'it is no text');
    const names = textsOf(fields['resourceNames'], `${at}.resources[${index}].resourceNames`);
    const kinds = textsOf(fields['resources'], `${at}.resources[${index}].resources`);
    if (names.length > 0 && kinds.length === 0)
      throw wrong(
        `${at}.resources[${index}].resourceNames`,
        'using resourceNames requires at least one resource',
      );
    return { group, resources: kinds, resourceNames: names };
  });
  const namespaces = textsOf(rule['namespaces'], `${at}.namespaces`);
  const nonResourceURLs = textsOf(rule['nonResourceURLs'], `${at}.nonResourceURLs`);
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0))
    throw wrong(
      `${at}.nonResourceURLs`,
      'rules cannot apply to both regular resources and non-resource URLs',
    );
  for (const url of nonResourceURLs)
    if (url !== '*' && (!url.startsWith('/') || url.slice(0, -1).includes('*')))
      throw wrong(`${at}.nonResourceURLs`, `${url} is no path, with * only at its end`);
  return {
    level,
    users: textsOf(rule['users'], `${at}.users`),
    userGroups: textsOf(rule['userGroups'], `${at}.userGroups`),
    verbs: textsOf(rule['verbs'], `${at}.verbs`),
    resources,
    namespaces,
    nonResourceURLs,
    omitStages: stagesOf(rule['omitStages'], `${at}.omitStages`),
    omitManagedFields: flagOf(rule['omitManagedFields'], `${at}.omitManagedFields`),
  };
}

const wrong = (field: string, why: string): CaelumError =>
  new CaelumError('invalid', `Cannot use audit policy: ${field}: ${why}`);

function fieldsOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'it is no object');
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(at, 'it is no list');
  return value as readonly unknown[];
}

function textsOf(value: unknown, at: string): readonly string[] {
  const list = listOf(value, at);
  if (!list.every((one) => typeof one === 'string')) throw wrong(at, 'it is no list of texts');
  return list as readonly string[];
}

function stagesOf(value: unknown, at: string): readonly Stage[] {
  return textsOf(value, at).map((text) => {
    const stage = stages.find((one) => one === text);
    if (stage === undefined) throw wrong(at, `${text} is none of ${stages.join(', ')}`);
    return stage;
  });
}

function flagOf(value: unknown, at: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrong(at, 'it is neither true nor false');
  return value;
}
