/**
 * Pod groups, which are placed all or none, and workloads: templates of groups.
 * Source: Kubernetes 1.36, pkg/apis/scheduling, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type {
  PodGroup,
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
  PodGroupTemplate,
  Workload,
} from '../types/scheduling.v1alpha2.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelKey } from '../validation/label-selectors.ts';
import { labelName, pathSegmentName, subdomainName } from '../validation/names.ts';
import { immutableWhy, oneOf, type Problems, required, tooMany, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, orNone } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { validateSet } from './device-spec/names.ts';
import { userPriorityMax } from './priority-class.ts';

const group = 'scheduling.k8s.io';
const version = 'v1alpha2';
const templatesMax = 8;
const claimsMax = 4;
const topologiesMax = 1;
const disruptionModes = ['Pod', 'PodGroup'];

function policyCell({ spec }: PodGroup): string {
  const { gang, basic } = spec?.schedulingPolicy ?? {};
  return gang !== undefined ? 'Gang' : basic !== undefined ? 'Basic' : '';
}

function statusCell({ status }: PodGroup): string {
  const found = status?.conditions?.find(({ type }) => type === 'PodGroupScheduled');
  if (found === undefined) return 'Pending';
  return found.status === 'True' ? 'Scheduled' : found.reason;
}

export const podGroup = defineKind<PodGroup>({
  group,
  version,
  kind: 'PodGroup',
  resource: 'podgroups',
  message: 'scheduling.v1alpha2.PodGroup',
  description: 'PodGroup is a group of pods that are scheduled together: as a gang, all or none.',
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<PodGroup>('Policy', 'How the group is scheduled.', policyCell),
    column<PodGroup>('Workload', 'Of whose template it was made.', ({ spec }) =>
      orNone(spec?.podGroupTemplateRef?.workload?.workloadName),
    ),
    column<PodGroup>('Status', 'Whether its pods have been placed.', statusCell),
    ageColumn,
  ],
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    const workload = spec?.podGroupTemplateRef?.workload;
    if (spec?.podGroupTemplateRef !== undefined) {
      const at = 'spec.podGroupTemplateRef';
      if (workload === undefined) problems.push(wrong(at, '', 'must specify one of: `workload`'));
      else {
        validateNamed(problems, `${at}.workload.workloadName`, workload.workloadName, subdomainName);
        validateNamed(
          problems,
          `${at}.workload.podGroupTemplateName`,
          workload.podGroupTemplateName,
          labelName,
        );
      }
    }
    validateParts(problems, 'spec', spec);
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: Problems = [];
    for (const name of [
      'podGroupTemplateRef',
      'schedulingPolicy',
      'schedulingConstraints',
      'resourceClaims',
      'disruptionMode',
      'priorityClassName',
      'priority',
    ] as const)
      if (!sameJson(spec?.[name], old.spec?.[name]))
        problems.push(wrong(`spec.${name}`, spec?.[name], immutableWhy));
    return problems;
  },
  validateStatusUpdate({ spec, status }) {
    const problems: Problems = [];
    validateConditions(problems, 'status.conditions', status?.conditions);
    status?.resourceClaimStatuses?.forEach(({ name }, index) => {
      if (spec?.resourceClaims?.some((one) => one.name === name) !== true)
        problems.push(
          wrong(
            `status.resourceClaimStatuses[${index}].name`,
            name,
            'must match the name of an entry in `spec.resourceClaims`',
          ),
        );
    });
    return problems;
  },
});

export const workload = defineKind<Workload>({
  group,
  version,
  kind: 'Workload',
  resource: 'workloads',
  message: 'scheduling.v1alpha2.Workload',
  description: 'Workload holds the templates of the groups that the pods of a workload are scheduled in.',
  validate({ spec }) {
    const problems: Problems = [];
    const ref = spec?.controllerRef;
    if (ref !== undefined) {
      const at = 'spec.controllerRef';
      if ((ref.apiGroup ?? '') !== '') validateNamed(problems, `${at}.apiGroup`, ref.apiGroup, subdomainName);
      validateNamed(problems, `${at}.kind`, ref.kind, pathSegmentName);
      validateNamed(problems, `${at}.name`, ref.name, pathSegmentName);
    }
    const at = 'spec.podGroupTemplates';
    const templates = spec?.podGroupTemplates ?? [];
    if (templates.length === 0) problems.push(required(at));
    validateSet(
      problems,
      at,
      templates,
      templatesMax,
      ({ name }) => name,
      (field, template) => {
        validateNamed(problems, `${field}.name`, template.name, labelName);
        validateParts(problems, field, template);
      },
    );
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: Problems = [];
    for (const name of ['controllerRef', 'podGroupTemplates'] as const)
      if (!sameJson(spec?.[name], old.spec?.[name]))
        problems.push(wrong(`spec.${name}`, spec?.[name], immutableWhy));
    return problems;
  },
});

type Parts = Pick<
  PodGroupTemplate,
  | 'schedulingPolicy'
  | 'schedulingConstraints'
  | 'resourceClaims'
  | 'disruptionMode'
  | 'priorityClassName'
  | 'priority'
>;

/** What groups and their templates have in common. */
function validateParts(problems: Problems, field: string, parts: Parts | undefined): void {
  validatePolicy(problems, `${field}.schedulingPolicy`, parts?.schedulingPolicy ?? {});
  validateConstraints(problems, `${field}.schedulingConstraints`, parts?.schedulingConstraints);
  validateSet(
    problems,
    `${field}.resourceClaims`,
    parts?.resourceClaims,
    claimsMax,
    ({ name }) => name,
    (at, claim) => {
      validateClaim(problems, at, claim);
    },
  );
  oneOf(problems, `${field}.disruptionMode`, parts?.disruptionMode, disruptionModes);
  const className = parts?.priorityClassName ?? '';
  if (className !== '') validateNamed(problems, `${field}.priorityClassName`, className, subdomainName);
  const priority = parts?.priority ?? 0;
  // Those of the system itself are told by their class, as of pods.
  if (priority > userPriorityMax && !className.startsWith('system-'))
    problems.push(wrong(`${field}.priority`, priority, `must be less than or equal to ${userPriorityMax}`));
}

function validatePolicy(problems: Problems, field: string, { basic, gang }: PodGroupSchedulingPolicy): void {
  if (basic !== undefined && gang !== undefined)
    problems.push(wrong(field, '{basic, gang}', 'must specify exactly one of: `basic`, `gang`'));
  else if (basic === undefined && gang === undefined)
    problems.push(wrong(field, '', 'must specify one of: `basic`, `gang`'));
  if (gang === undefined) return;
  if ((gang.minCount ?? 0) === 0) problems.push(required(`${field}.gang.minCount`));
  else if (gang.minCount < 1)
    problems.push(wrong(`${field}.gang.minCount`, gang.minCount, 'must be greater than or equal to 1'));
}

function validateConstraints(
  problems: Problems,
  field: string,
  constraints: PodGroupSchedulingConstraints | undefined,
): void {
  const topology = constraints?.topology ?? [];
  if (topology.length > topologiesMax) {
    problems.push(tooMany(`${field}.topology`, topology.length, topologiesMax));
    return;
  }
  topology.forEach(({ key = '' }, index) => {
    const at = `${field}.topology[${index}].key`;
    if (key === '') problems.push(required(at));
    else validateLabelKey(problems, at, key);
  });
}

function validateClaim(
  problems: Problems,
  field: string,
  { name, resourceClaimName, resourceClaimTemplateName }: PodGroupResourceClaim,
): void {
  validateNamed(problems, `${field}.name`, name, labelName);
  const both = '`resourceClaimName`, `resourceClaimTemplateName`';
  if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
    problems.push(
      wrong(field, '{resourceClaimName, resourceClaimTemplateName}', `must specify exactly one of: ${both}`),
    );
  else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
    problems.push(wrong(field, '', `must specify one of: ${both}`));
  for (const [key, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName }))
    if (value !== undefined)
      for (const why of subdomainName(value)) problems.push(wrong(`${field}.${key}`, value, why));
}

function validateNamed(
  problems: Problems,
  field: string,
  name: string | undefined,
  rule: (text: string) => readonly string[],
): void {
  if (name === undefined || name === '') problems.push(required(field));
  else for (const why of rule(name)) problems.push(wrong(field, name, why));
}
