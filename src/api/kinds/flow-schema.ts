/**
 * Flow schemas: which requests to the API belong together, and how important they are.
 * Source: Kubernetes 1.36, pkg/apis/flowcontrol, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../types/flowcontrol.v1.ts';
import { labelName, subdomainName } from '../validation/names.ts';
import { forbiddenField, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, none } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { validateFlowConditions } from './priority-level-configuration.ts';

const precedenceMax = 10_000;
const precedenceDefault = 1000;
const methods = ['ByNamespace', 'ByUser'];
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjectKinds = ['Group', 'ServiceAccount', 'User'];
const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;

const everything = (...groups: string[]): PolicyRulesWithSubjects => ({
  subjects: groups.map((name) => ({ kind: 'Group', group: { name } })),
  resourceRules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
  ],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});

/** Without these two no request would be sure to be served. Nobody may change them. */
const fixedSpecs: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: {
    priorityLevelConfiguration: { name: 'exempt' },
    matchingPrecedence: 1,
    rules: [everything('system:masters')],
  },
  'catch-all': {
    priorityLevelConfiguration: { name: 'catch-all' },
    matchingPrecedence: precedenceMax,
    distinguisherMethod: { type: 'ByUser' },
    rules: [everything('system:unauthenticated', 'system:authenticated')],
  },
};

function danglingCell({ status }: FlowSchema): string {
  return status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?';
}

export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  resource: 'flowschemas',
  message: 'flowcontrol.v1.FlowSchema',
  description: 'FlowSchema says which requests to the API belong together, and at which priority they wait.',
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<FlowSchema>(
      'PriorityLevel',
      'Where its requests wait.',
      ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '',
    ),
    column<FlowSchema>(
      'MatchingPrecedence',
      'The lowest that matches counts.',
      ({ spec }) => spec?.matchingPrecedence ?? 0,
    ),
    column<FlowSchema>(
      'DistinguisherMethod',
      'What makes two flows of it.',
      ({ spec }) => spec?.distinguisherMethod?.type ?? none,
    ),
    ageColumn,
    column<FlowSchema>('MissingPL', 'Whether its priority level is not there.', danglingCell),
  ],
  applyDefaults({ spec }) {
    if (spec !== undefined) spec.matchingPrecedence ||= precedenceDefault;
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec, status }) {
    const problems: Problems = [];
    if (spec !== undefined) validateSpec(problems, metadata.name ?? '', spec);
    const fixed = fixedSpecs[metadata.name ?? ''];
    if (fixed !== undefined && !sameJson(spec, fixed))
      problems.push(wrong('spec', spec, `spec of '${metadata.name}' must equal the fixed value`));
    validateFlowConditions(problems, status?.conditions);
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    validateFlowConditions(problems, status?.conditions);
    return problems;
  },
});

function validateSpec(problems: Problems, schema: string, spec: FlowSchemaSpec): void {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, rules = [] } = spec;
  const at = 'spec.matchingPrecedence';
  if (precedence <= 0) problems.push(wrong(at, precedence, 'must be a positive value'));
  if (precedence > precedenceMax)
    problems.push(wrong(at, precedence, `must not be greater than ${precedenceMax}`));
  if (precedence === 1 && schema !== 'exempt')
    problems.push(wrong(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type))
    problems.push(notSupported('spec.distinguisherMethod.type', distinguisherMethod, methods));
  const level = spec.priorityLevelConfiguration?.name ?? '';
  const field = 'spec.priorityLevelConfiguration.name';
  if (level === '') problems.push(required(field, 'must reference a priority level'));
  else for (const why of subdomainName(level)) problems.push(wrong(field, level, why));
  rules.forEach((rule, index) => {
    validateRule(problems, `spec.rules[${index}]`, rule);
  });
}

function validateRule(
  problems: Problems,
  field: string,
  { subjects = [], resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects,
): void {
  if (subjects.length === 0)
    problems.push(required(`${field}.subjects`, 'subjects must contain at least one value'));
  subjects.forEach((subject, index) => {
    validateSubject(problems, `${field}.subjects[${index}]`, subject);
  });
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    problems.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  resourceRules.forEach((rule, index) => {
    validateResourceRule(problems, `${field}.resourceRules[${index}]`, rule);
  });
  nonResourceRules.forEach((rule, index) => {
    validatePathRule(problems, `${field}.nonResourceRules[${index}]`, rule);
  });
}

/** Of the kind that it says, and of no other. */
function validateSubject(problems: Problems, field: string, subject: Subject): void {
  const { kind } = subject;
  if (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group') {
    problems.push(notSupported(`${field}.kind`, kind, subjectKinds));
    return;
  }
  const own = subjectFields[kind];
  const at = `${field}.${own}`;
  const named = subject[own];
  if (named === undefined) problems.push(required(at, `${own} is required when subject kind is '${kind}'`));
  else if (named.name === '') problems.push(required(`${at}.name`));
  if (kind === 'ServiceAccount' && subject.serviceAccount !== undefined)
    validateAccount(problems, at, subject.serviceAccount);
  for (const [other, name] of Object.entries(subjectFields))
    if (name !== own && subject[name] !== undefined)
      problems.push(
        forbiddenField(`${field}.${name}`, `${name} is forbidden when subject kind is not '${other}'`),
      );
}

function validateAccount(
  problems: Problems,
  field: string,
  { name = '', namespace = '' }: NonNullable<Subject['serviceAccount']>,
): void {
  if (name !== '' && name !== '*')
    for (const why of subdomainName(name)) problems.push(wrong(`${field}.name`, name, why));
  if (namespace === '')
    problems.push(required(`${field}.namespace`, 'must specify namespace for service account'));
  else for (const why of labelName(namespace)) problems.push(wrong(`${field}.namespace`, namespace, why));
}

/** Something, and where all are meant, nothing else. Answers whether each is to be looked at. */
function validateList(
  problems: Problems,
  field: string,
  list: readonly string[],
  needed: string,
  others: string,
): boolean {
  if (list.length === 0) problems.push(required(field, needed));
  if (!list.includes('*')) return list.length > 0;
  if (list.length > 1)
    problems.push(wrong(field, list, `if '*' is present, must not specify other ${others}`));
  return false;
}

function validateVerbs(problems: Problems, field: string, list: readonly string[]): void {
  if (
    validateList(problems, field, list, 'verbs must contain at least one value', 'verbs') &&
    !list.every((verb) => verbs.includes(verb))
  )
    problems.push(notSupported(field, list, verbs));
}

function validateResourceRule(problems: Problems, field: string, rule: ResourcePolicyRule): void {
  const { namespaces = [], clusterScope = false } = rule;
  validateVerbs(problems, `${field}.verbs`, rule.verbs ?? []);
  validateList(
    problems,
    `${field}.apiGroups`,
    rule.apiGroups ?? [],
    'resource rules must supply at least one api group',
    'api groups',
  );
  validateList(
    problems,
    `${field}.resources`,
    rule.resources ?? [],
    'resource rules must supply at least one resource',
    'resources',
  );
  const at = `${field}.namespaces`;
  if (namespaces.length === 0 && clusterScope) return;
  const needed = 'resource rules that are not cluster scoped must supply at least one namespace';
  if (!validateList(problems, at, namespaces, needed, 'namespaces')) return;
  namespaces.forEach((namespace, index) => {
    for (const why of labelName(namespace))
      problems.push(
        wrong(
          `${at}[${index}]`,
          namespace,
          `each member of this list must be '*' or a DNS-1123 label; ${why}`,
        ),
      );
  });
}

function validatePathRule(problems: Problems, field: string, rule: NonResourcePolicyRule): void {
  validateVerbs(problems, `${field}.verbs`, rule.verbs ?? []);
  const at = `${field}.nonResourceURLs`;
  const paths = rule.nonResourceURLs ?? [];
  const needed = 'nonResourceURLs must contain at least one value';
  if (!validateList(problems, at, paths, needed, 'non-resource URLs')) return;
  paths.forEach((path, index) => {
    const why = pathFault(path);
    if (why !== undefined) problems.push(wrong(`${at}[${index}]`, path, why));
  });
}

function pathFault(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const stars = path.split('*').length - 1;
  return stars > 1 || (stars === 1 && !path.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined;
}
